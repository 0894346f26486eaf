"""Whether another program has a file open to write in it. Readers do not count: they go on with what they opened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_ASK_SECONDS = 5.0
_REST_SECONDS = 3.0
_SHARING_VIOLATION = 32
_BESIDE = ("-wal", "-shm", "-journal")


def is_open(path: Path) -> bool:
    """Return whether a process other than this one has ``path``, or a journal of it, open for writing.

    Where the system cannot tell, a file that was written a moment ago counts as open.
    """
    paths = [one for ending in ("", *_BESIDE) if (one := path.with_name(path.name + ending)).is_file()]
    if not paths:
        return False
    if sys.platform == "win32":
        return any(map(_is_shared, paths))
    if (_PROCESSES / "self" / "fd").is_dir():
        return _is_in_processes(paths)
    program = shutil.which("lsof") or shutil.which("lsof", path="/usr/sbin:/usr/bin")
    found = None if program is None else _is_listed(program, paths)
    return _was_just_written(paths) if found is None else found


def _is_in_processes(paths: Sequence[Path]) -> bool:
    wanted = set()
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            wanted.add((status.st_dev, status.st_ino))
    return any(_is_written(process, wanted) for process in _others())


def _others() -> Iterator[Path]:
    own = str(os.getpid())
    with os.scandir(_PROCESSES) as entries:
        for entry in entries:
            if entry.name.isdecimal() and entry.name != own:
                yield Path(entry.path)


def _is_written(process: Path, wanted: set[tuple[int, int]]) -> bool:
    try:
        with os.scandir(process / "fd") as entries:
            numbers = [entry.name for entry in entries]
    except OSError:  # it has ended, or it is another person's
        return False
    for number in numbers:
        with suppress(OSError, ValueError):
            status = (process / "fd" / number).stat()
            if (status.st_dev, status.st_ino) in wanted and _may_write(process / "fdinfo" / number):
                return True
    return False


def _may_write(about: Path) -> bool:
    lines = (line.split() for line in about.read_text("ascii", "replace").splitlines())
    flags = next((int(words[1], 8) for words in lines if words[:1] == ["flags:"]), os.O_RDWR)
    return flags & os.O_ACCMODE != os.O_RDONLY


def _is_listed(program: str, paths: Sequence[Path]) -> bool | None:
    """Ask lsof; None if it does not answer. It writes a line ``p<process>``, then ``a<access>`` for each open file."""
    try:
        asked = subprocess.run(
            [program, "-Fpa", "--", *map(str, paths)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    process = ""
    for line in asked.stdout.decode("ascii", "replace").splitlines():
        if line.startswith("p"):
            process = line[1:]
        elif line[:2] in ("aw", "au") and process != str(os.getpid()):
            return True
    return False


def _was_just_written(paths: Sequence[Path]) -> bool:
    moments = []
    for path in paths:
        with suppress(OSError):
            moments.append(path.stat().st_mtime)
    return any(abs(time.time() - moment) < _REST_SECONDS for moment in moments)


def _is_shared(path: Path) -> bool:
    """Return whether Windows refuses to open a file for this process alone."""
    if sys.platform != "win32":
        return False
    import ctypes

    generic_read, open_existing, nothing = 0x8000_0000, 3, ctypes.c_void_p(-1).value
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = ctypes.c_void_p
    handle = kernel.CreateFileW(str(path), generic_read, 0, None, open_existing, 0, None)
    if handle == nothing:
        return bool(ctypes.get_last_error() == _SHARING_VIOLATION)
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return False
