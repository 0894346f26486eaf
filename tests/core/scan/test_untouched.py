"""A whole look at every agent leaves its files alone: no write, no lock, nothing made or moved (Linux, with strace)."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

from holdfast_core.agents import all_agents

from tests.core.agents.support import CASES, home_of

CHANGING = (
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir",
    "mkdirat", "rmdir", "mknod", "mknodat", "truncate", "ftruncate", "fallocate", "chmod", "fchmod", "fchmodat",
    "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat", "setxattr",
    "lsetxattr", "fsetxattr", "removexattr", "write", "writev", "pwrite64", "pwritev", "pwritev2", "flock", "fsync",
    "fdatasync", "creat",
)  # fmt: skip
COPYING = ("copy_file_range", "splice")  # from what stands first to what stands third
OPENING = ("open", "openat", "openat2")
WRITABLE = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")
LOCK = re.compile(r"F_(?:OFD_)?SETLKW?\b|F_SETLEASE")

SCAN = """
    import sys
    from pathlib import Path
    from holdfast_core.agents import all_agents
    from holdfast_core.agents.base import Home
    from holdfast_core.paths import find_paths
    from holdfast_core.scan.homes import with_homes
    from holdfast_core.scan.once import update_once

    ours, *homes = map(Path, sys.argv[1:])
    agents = with_homes(all_agents(), homes[1:])
    report = update_once(find_paths(ours), agents, Home(homes[0], {}), full=True, timeout_seconds=30)
    print(*sorted(agent.agent for agent in report.agents))
"""
TOUCH = """
    import fcntl, os, sys
    from pathlib import Path

    home = Path(sys.argv[2])
    with (home / "made").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        os.rename(home / "made", home / "moved")
    print()
"""


def touched(calls: str, top: Path) -> list[str]:
    """Return the calls that change, lock or open for writing anything below a directory."""
    found = []
    for line in calls.splitlines():
        call = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if call is None:
            continue
        name = call[1]
        if str(top) not in (line.split(", ", 2)[-1] if name in COPYING else line):
            continue
        is_change = name in CHANGING or (name in OPENING and WRITABLE.search(line))
        if is_change or (name == "fcntl" and LOCK.search(line)):
            found.append(line)
    return found


def run(script: str, folder: Path, homes: list[Path]) -> tuple[str, str]:
    """Run a script under strace; return what it printed, and its calls with the paths of descriptors."""
    trace = folder / "trace"
    wanted = ",".join(f"?{name}" for name in (*CHANGING, *OPENING, *COPYING, "fcntl"))
    command = ["strace", "-f", "-y", "-qq", "-s", "0", "-o", str(trace), "-e", f"trace={wanted}", sys.executable, "-c"]
    command += [textwrap.dedent(script), str(folder / "ours"), *map(str, homes)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, trace.read_text("utf-8", "replace")


def test_a_whole_look_changes_and_locks_nothing_of_any_agent(tmp_path: Path) -> None:
    homes = []
    for case in CASES:
        folder = tmp_path / "homes" / f"{case.parent.name}-{case.name}"
        folder.mkdir(parents=True)
        homes.append(home_of(case, folder).path)

    printed, calls = run(SCAN, tmp_path, homes)

    assert touched(calls, tmp_path / "homes") == []
    assert set(printed.split()) >= {case.parent.name for case in CASES} & set(all_agents())


def test_the_watch_itself_sees_what_is_done(tmp_path: Path) -> None:
    home = tmp_path / "homes" / "one"
    home.mkdir(parents=True)

    _, calls = run(TOUCH, tmp_path, [home])

    names = [re.sub(r"^\d+ +", "", line).partition("(")[0] for line in touched(calls, tmp_path / "homes")]
    assert "openat" in names and "fcntl" in names and any(name.startswith("rename") for name in names)
