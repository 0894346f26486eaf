"""A real X display with a window manager, and Holdfast as a real process on it, driven by keys and mouse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.homes import FakeHome
from tests.fakes.waiting import wait_until

ROOT = Path(__file__).parents[2]


@dataclass
class Display:
    """One X server. What is seen from outside: windows and their titles."""

    name: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @classmethod
    def start(cls) -> Display:
        """Start an X server on a free number, with a window manager that has taken its place."""
        reading, writing = os.pipe()
        arguments = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
        server = subprocess.Popen(arguments, pass_fds=[writing], stderr=subprocess.DEVNULL, text=True)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        display = cls(f":{number}", [server])
        display.run("openbox")
        wait_until(lambda: "window id" in display.ask("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), what="openbox")
        return display

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to appear here and nowhere else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "DBUS_", "WAYLAND"))}
        return {**kept, "DISPLAY": self.name, "QT_QPA_PLATFORM": "xcb", "NO_AT_BRIDGE": "1"}

    def run(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start a program that ends with this display at the latest."""
        process = subprocess.Popen(
            arguments, env={**self.environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.processes.append(process)
        return process

    def ask(self, *arguments: str) -> str:
        """Return what a short-lived program says."""
        done = subprocess.run(arguments, env=self.environment, capture_output=True, text=True, check=False, timeout=20)
        return done.stdout.strip()

    def keys(self, *names: str) -> None:
        """Press keys, each as xdotool names it: ``ctrl+k``, ``Return``."""
        self.ask("xdotool", "key", "--clearmodifiers", "--delay", "15", *names)

    def type(self, text: str) -> None:
        """Type letters."""
        self.ask("xdotool", "type", "--delay", "15", text)

    def mouse(self, *steps: str) -> None:
        """Move and press as xdotool says it: ``mousemove 10 10 click 1``."""
        self.ask("xdotool", *steps)

    def titles(self) -> list[str]:
        """Return the titles of all windows that are seen."""
        windows = self.ask("xdotool", "search", "--onlyvisible", "--name", ".").split()
        return [self.ask("xdotool", "getwindowname", window) for window in windows]

    def active_title(self) -> str:
        """Return the title of the window with the keyboard."""
        return self.ask("xdotool", "getactivewindow", "getwindowname")

    def wait_for_title(self, part: str) -> str:
        """Return the active window's title as soon as ``part`` is in it."""
        return wait_until(
            lambda: title if part in (title := self.active_title()) else "", what=f"{part!r} in the active title"
        )

    def activate(self, title: str) -> None:
        """Give the keyboard to a window as soon as it is there."""
        window = wait_until(lambda: self.ask("xdotool", "search", "--onlyvisible", "--name", title), what=title).split()
        self.ask("xdotool", "windowactivate", window[-1])
        self.wait_for_title(title)

    def place_of(self, title: str) -> tuple[int, int, int, int]:
        """Return left, top, width and height of a window."""
        window = wait_until(lambda: self.ask("xdotool", "search", "--onlyvisible", "--name", title)).split()[-1]
        said = dict(
            line.split("=") for line in self.ask("xdotool", "getwindowgeometry", "--shell", window).splitlines()
        )
        return int(said["X"]), int(said["Y"]), int(said["WIDTH"]), int(said["HEIGHT"])

    def shot(self, path: Path) -> Path:
        """Write a picture of the whole screen."""
        self.ask("import", "-window", "root", str(path))
        return path

    def close(self) -> None:
        """End every program that was started here, the X server last."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


@dataclass
class Running:
    """Holdfast as a real process, with its own directories and its own programs on PATH."""

    display: Display
    home: FakeHome
    directory: Path
    process: subprocess.Popen[str] | None = None
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def programs(self) -> Path:
        """Where the terminal and the agents stand that record how they were started."""
        return self.directory / "bin"

    @property
    def options(self) -> list[str]:
        """The options that name the directories."""
        return ["--home", str(self.directory / "home"), "--agents-home", str(self.home.path)]

    def index(self) -> None:
        """Let the command line fill the index, as an earlier run would have."""
        self.command("index", "update")

    def command(self, *arguments: str) -> str:
        """Run one command of the command line and return what it prints."""
        line = [sys.executable, "-m", "holdfast", *self.options, *arguments]
        return subprocess.run(line, env=self.environment, capture_output=True, text=True, check=True, timeout=60).stdout

    @property
    def environment(self) -> dict[str, str]:
        """The display's, with our own programs first on PATH."""
        python_path = os.pathsep.join(str(ROOT / part) for part in ("core", "gui", "packaging"))
        path = f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return {**self.display.environment, "PATH": path, "PYTHONPATH": python_path}

    def start(self, *arguments: str) -> Running:
        """Start the window and return when it has the keyboard."""
        self.process = self.start_again("--set", "terminal=xterm", *arguments)
        self.display.activate("Holdfast")
        # The indexer comes last: then everything that a person can do is there.
        wait_until(lambda: len(self.family()) >= 2, what="the window and its indexer")
        return self

    def start_again(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the program once more."""
        output = (self.directory / "output").open("a")
        with output:
            process = subprocess.Popen(
                [sys.executable, "-m", "holdfast", *self.options, *arguments],
                env=self.environment,
                stdout=output,
                stderr=output,
                text=True,
                cwd=self.directory,
            )
        self.started.append(process)
        return process

    def family(self) -> set[int]:
        """Return the ids of all processes that work for these directories."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._is_ours(entry):
                found.add(int(entry.name))
        return found

    def _is_ours(self, entry: Path) -> bool:
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            return False
        return b"holdfast" in told and str(self.programs).encode() in told

    def records(self, program: str) -> list[dict[str, object]]:
        """Return how a recording program was started, each time."""
        path = self.directory / f"{program}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def output(self) -> str:
        """Return what the program wrote."""
        return (self.directory / "output").read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the program by a signal and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def close(self) -> None:
        """End what still runs."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()


def install(directory: Path, programs: Sequence[str], *, directory_of_records: Path) -> None:
    """Make programs that write down their arguments and directory; ``xterm`` then becomes its command."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in programs:
        script = directory / name
        record = directory_of_records / f"{name}.jsonl"
        script.write_text(
            f"#!{sys.executable}\n"
            "import json, os, sys\n"
            "told = {'argv': sys.argv[1:], 'cwd': os.getcwd()}\n"
            f"open({str(record)!r}, 'a').write(json.dumps(told) + chr(10))\n"
            "if sys.argv[1:2] == ['-e']:\n"
            "    os.execvp(sys.argv[2], sys.argv[2:])\n"
        )
        script.chmod(0o755)
