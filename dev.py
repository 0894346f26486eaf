#!/usr/bin/env python3
"""Everything that is done with a checkout: ``python3 dev.py run``, ``test``, ``check`` and the others below.

Needs nothing but Python. The first start makes ``.venv`` with the versions of
``packaging/requirements*.lock.txt`` and names the system libraries that are
missing, or installs them where it may; later starts find that done. What this
file says goes to stderr: stdout belongs to the command.
"""

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


def version_problem(version):
    """Return what to tell a person whose Python is too old, an empty string if it is not."""
    if tuple(version[:2]) >= (3, 11):
        return ""
    return f"Holdfast needs Python 3.11 or newer, this is {version[0]}.{version[1]}. Start dev.py with a newer one."


# Older Pythons parse this file and come to here; what follows they could not run.
if version_problem(sys.version_info):
    sys.exit(version_problem(sys.version_info))


ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RUN_LOCK = ROOT / "packaging" / "requirements.lock.txt"
DEV_LOCK = ROOT / "packaging" / "requirements-dev.lock.txt"

USAGE = """usage: python3 dev.py COMMAND [arguments]

  run          the application on this machine's sessions; arguments are those of `holdfast`
  test         every test; arguments are those of pytest
  check        style, types, layers and limits
  bench        measurements beside other programs; --help says more
  faults       failing disks, killed writers, power cuts; --nightly kills twenty times as often
  fuzz         spoilt files under every reader; --agent ID for one, --minutes N for how long
  documents    the pages that follow from the code: settings, agents
  screenshot   the pictures of the documents, from invented sessions
"""

# What PySide6 loads at run time, and the Debian package that has it.
OFFSCREEN_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libbrotlidec.so.1": "libbrotli1",
}
X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
FONTS = {"Inter": "fonts-inter", "JetBrains*Mono": "fonts-jetbrains-mono"}
TEST_PROGRAMS = {
    "Xvfb": "xvfb",
    "xauth": "xauth",
    "openbox": "openbox",
    "trayer": "trayer",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "dbus-run-session": "dbus",
    "dbus-launch": "dbus-x11",
    "strace": "strace",
}

# What `check` runs, each with the environment's Python.
CHECKS = {
    "style": ["-m", "ruff", "check"],
    "format": ["-m", "ruff", "format", "--check"],
    "types": ["-m", "mypy"],
    "layers": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "packaging settings": [str(ROOT / "packaging" / "sync_briefcase.py"), "--check"],
    "rules": ["-m", "pytest", "-q", "tests/architecture"],
}


class Stop(Exception):
    """The command cannot go on; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    command = COMMANDS.get(arguments[0] if arguments else "")
    if command is None:
        print(USAGE, file=sys.stderr, end="")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        return command(arguments[1:])
    except Stop as stop:
        say(str(stop))
        return 1
    except KeyboardInterrupt:
        return 130


def run(arguments: list[str]) -> int:
    """Start the application; without a display its command line answers."""
    if has_display(os.environ, sys.platform):
        need_system({**OFFSCREEN_LIBRARIES, **X11_LIBRARIES})
    install(RUN_LOCK)
    return hand_over([str(PYTHON), "-m", "holdfast", *arguments])


def test(arguments: list[str]) -> int:
    """Run pytest, on all cores unless the arguments say how many."""
    need_system({**OFFSCREEN_LIBRARIES, **X11_LIBRARIES}, TEST_PROGRAMS)
    install(RUN_LOCK, DEV_LOCK)
    is_told = any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments)
    workers = [] if is_told else ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
    return hand_over([str(PYTHON), "-m", "pytest", *workers, *arguments])


def check(arguments: list[str]) -> int:
    """Run every check that needs no display, all of them even if one fails."""
    if arguments:
        raise Stop("check takes no arguments.")
    need_system(OFFSCREEN_LIBRARIES)
    install(RUN_LOCK, DEV_LOCK)
    failed = []
    for name, words in CHECKS.items():
        say(f"— {name}")
        if subprocess.call([str(PYTHON), *words], cwd=ROOT):
            failed.append(name)
    say(f"Failed: {', '.join(failed)}." if failed else "Everything holds.")
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """Measure Holdfast, and other programs beside it where they are asked for."""
    need_system({**OFFSCREEN_LIBRARIES, **X11_LIBRARIES}, {"Xvfb": "xvfb"})
    install(RUN_LOCK, DEV_LOCK)
    return hand_over([str(PYTHON), "-m", "benchmarks", *arguments])


def faults(arguments: list[str]) -> int:
    """Break the disk under everything that writes, in every way there is."""
    need_system({}, {"strace": "strace"})
    install(RUN_LOCK, DEV_LOCK)
    return hand_over([str(PYTHON), "-m", "tests.faults", *arguments])


def fuzz(arguments: list[str]) -> int:
    """Spoil files under every agent's reader for some minutes."""
    install(RUN_LOCK, DEV_LOCK)
    return hand_over([str(PYTHON), "-m", "tests.fuzz", *arguments])


def documents(arguments: list[str]) -> int:
    """Write the pages that follow from the code."""
    install(RUN_LOCK, DEV_LOCK)
    return hand_over([str(PYTHON), "-m", "tests.documents", *arguments])


def screenshot(arguments: list[str]) -> int:
    """Make the pictures in docs/images from the real window and invented sessions."""
    need_system(OFFSCREEN_LIBRARIES)
    install(RUN_LOCK, DEV_LOCK)
    return hand_over([str(PYTHON), "-m", "tests.screenshots", *arguments])


COMMANDS = {
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
    "faults": faults,
    "fuzz": fuzz,
    "documents": documents,
    "screenshot": screenshot,
}


def say(text: str) -> None:
    """Tell the person, away from the command's own output."""
    print(text, file=sys.stderr, flush=True)


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a window can be shown; macOS and Windows always have a desktop."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not platform.startswith("linux") or any(environment.get(name) for name in names)


def hand_over(command: list[str]) -> int:
    """Run ``command`` in the checkout in our place; its exit code is ours, its signals go straight to it."""
    os.chdir(ROOT)
    if os.name == "nt":
        return subprocess.call(command)
    sys.stdout.flush()
    return os.execv(command[0], command)


# The environment ---------------------------------------------------------------------------


def install(*locks: Path) -> None:
    """Make ``.venv`` hold what ``locks`` name and Holdfast itself, editable; does nothing if it does already."""
    make_venv()
    stale = [lock for lock in locks if read_stamp(lock) != fingerprint(lock)]
    if not stale:
        return
    say("Installing what Holdfast needs into .venv (once, about a minute) …")
    requirements = [part for lock in locks for part in ("-r", str(lock))]
    pip("install", *requirements)
    pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    for lock in locks:
        stamp(lock).write_text(fingerprint(lock), "utf-8")


def make_venv() -> None:
    """Create ``.venv`` if it is not there or its Python is gone."""
    if PYTHON.exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        need_packages([f"python3.{sys.version_info[1]}-venv"], because="Python's venv module is not complete")
    say(f"Making {VENV.name} with Python {sys.version_info[0]}.{sys.version_info[1]} …")
    call([sys.executable, "-m", "venv", "--clear", str(VENV)], "Python could not make a virtual environment in .venv.")


def pip(*arguments: str) -> None:
    """Run pip of the environment."""
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    call(command, "pip could not install what Holdfast needs; its own words stand above. Is there a network?")


def call(command: list[str], failure: str) -> None:
    """Run ``command`` with its output on stderr.

    Raises:
        Stop: it failed, with ``failure`` as the text.
    """
    if subprocess.call(command, cwd=ROOT, stdout=sys.stderr):
        raise Stop(failure)


def stamp(lock: Path) -> Path:
    """Return the file that remembers what of ``lock`` was installed."""
    return VENV / f"{lock.name}.stamp"


def read_stamp(lock: Path) -> str:
    """Return what `stamp` holds, an empty string if there is none."""
    return stamp(lock).read_text("utf-8") if stamp(lock).exists() else ""


def fingerprint(lock: Path) -> str:
    """Return a hash that changes with the lock, our metadata, the environment's Python and the checkout's place."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (lock, ROOT / "pyproject.toml", VENV / "pyvenv.cfg"):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


# The system --------------------------------------------------------------------------------


def need_system(libraries: Mapping[str, str], programs: Mapping[str, str] = {}) -> None:
    """See that Linux has the libraries, programs and fonts; other systems bring their own.

    Raises:
        Stop: a library or program is missing and may not be installed from here.
    """
    if not sys.platform.startswith("linux"):
        return
    needed = [package for name, package in libraries.items() if not can_load(name)]
    needed += [package for name, package in programs.items() if shutil.which(name) is None]
    wished = [package for pattern, package in FONTS.items() if not has_font(pattern)]
    if needed:
        need_packages(needed, because="Parts of the system are missing")
    if wished and may_install():
        apt_install(wished)
    elif wished and not PYTHON.exists():  # said once, with the first start
        say(f"Holdfast looks best with these fonts: {' '.join(wished)}.")


def need_packages(packages: Iterable[str], *, because: str) -> None:
    """Install Debian packages where that is ours to do.

    Raises:
        Stop: it is not, or did not work; names what to install.
    """
    names = " ".join(packages)
    if may_install() and apt_install(names.split()):
        return
    how = f"sudo apt-get install {names}" if shutil.which("apt-get") else f"what Debian calls {names}"
    raise Stop(f"{because}. Please install: {how}")


def may_install() -> bool:
    """Return whether this is root on a Debian or a child of it."""
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: list[str]) -> bool:
    """Install packages without a question; return whether it worked."""
    say(f"Installing {' '.join(packages)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]

    def apt(words: list[str]) -> bool:
        return subprocess.call(words, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr) == 0

    return apt(command) or (apt(["apt-get", "update", "-qq"]) and apt(command))


def can_load(library: str) -> bool:
    """Return whether the dynamic linker finds ``library``."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font(pattern: str) -> bool:
    """Return whether a font file whose name begins like ``pattern`` is installed for all or for this person."""
    places = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts"]
    return any(next(place.rglob(f"{pattern}*.[ot]tf"), None) for place in places if place.is_dir())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
