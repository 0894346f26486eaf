"""Lets the system calls of writers fail one by one, under strace (Linux).

strace counts the calls of each child by itself and fails the N-th. A child that is to fail at its own k-th call
makes N - k idle calls of that kind first: so one strace serves all k of all writers. It watches a process that does
nothing but start such children; what prepares and checks is another one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from tests.faults.children import Child
from tests.faults.disk import Disk
from tests.faults.programme import Report, fast_directory
from tests.faults.story import Story, Writer, run, violations

FAULTS: Final = {
    "openat": ("error=ENOSPC", "error=EMFILE", "error=EACCES", "error=EROFS", "signal=KILL"),
    "write": ("error=ENOSPC", "error=EIO", "error=EDQUOT", "signal=KILL"),
    "writev": ("error=ENOSPC", "error=EIO", "signal=KILL"),
    "pwrite64": ("error=ENOSPC", "error=EIO", "signal=KILL"),
    "fsync": ("error=EIO", "error=ENOSPC", "signal=KILL"),
    "fdatasync": ("error=EIO", "error=ENOSPC", "signal=KILL"),
    "rename": ("error=EACCES", "error=ENOSPC", "error=EIO", "signal=KILL"),
    "link": ("error=EPERM", "error=ENOSPC", "signal=KILL"),
    "linkat": ("error=EPERM", "error=ENOSPC", "signal=KILL"),
    "unlink": ("error=EACCES", "error=EIO", "signal=KILL"),
    "mkdir": ("error=ENOSPC", "signal=KILL"),
    "ftruncate": ("error=EIO", "signal=KILL"),
}
_TURN: Final = 400
_QUIET: Final = 5
"""A writer has no more calls of a kind when so many in a row changed nothing."""
_SAVES: Final = 2
_numbers = itertools.count()
_MESSAGE_BYTES: Final = 1 << 16


def every_system_call(writers: Sequence[Writer]) -> Report:
    """Fail every call of every writer in every way, with errors also from then on."""
    report = Report()
    _warm(writers)
    with _starter(writers) as starter, fast_directory() as top:
        for number, writer in enumerate(writers):
            (top / f"{number}").mkdir()
            writer.prepare(top / f"{number}")
        for call, faults in FAULTS.items():
            errors = [fault for fault in faults if fault.startswith("error")]
            for fault, plus in (*((fault, "") for fault in faults), *((error, "+") for error in errors)):
                with starter.failing(call, fault + plus):
                    for number, writer in enumerate(writers):
                        start = partial(starter.run, number, call, top)
                        report += _each_call(writer, top / f"{number}", start, f"{call} {fault}{plus}")
    return report


def _warm(writers: Sequence[Writer]) -> None:
    """Let every writer work once and so load all that it loads late: a module that cannot be read proves nothing."""
    for writer in writers:
        with fast_directory() as root:
            writer.prepare(root)
            run(writer, Disk(root))
            violations(writer, root, Story())


class _Starter:
    """The process that strace watches, seen from the one that asks it to start children."""

    def __init__(self, process: int, link: socket.socket) -> None:
        self._process = process
        self._link = link

    @contextmanager
    def failing(self, call: str, fault: str) -> Iterator[None]:
        """Let the calls of every child that is started meanwhile fail."""
        inject = f"inject={call}:{fault.rstrip('+')}:when={_TURN}{'+' if fault.endswith('+') else ''}"
        command = ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}", "-e", inject, "-p", str(self._process)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
            assert strace.stderr is not None
            line = strace.stderr.readline()
            assert b"attached" in line, line
            heard = threading.Thread(target=strace.stderr.read)  # it tells of every child, and waits to be heard
            heard.start()
            try:
                yield
            finally:
                strace.terminate()
                heard.join()

    def run(self, writer: int, call: str, idle: Path, root: Path, number: int) -> Story:
        """Let a child fail at its ``number``-th call and return what it promised."""
        self._link.send(msgspec.json.encode((writer, call, str(idle), str(root), number)))
        return msgspec.json.decode(self._link.recv(_MESSAGE_BYTES), type=Story)


@contextmanager
def _starter(writers: Sequence[Writer]) -> Iterator[_Starter]:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = os.fork()
    if not process:
        try:
            here.close()
            _start_children(writers, there)
        finally:
            os._exit(0)
    there.close()
    try:
        yield _Starter(process, here)
    finally:
        here.close()
        os.waitpid(process, 0)


def _start_children(writers: Sequence[Writer], link: socket.socket) -> None:
    """Start a child for each message until there are no more."""
    while message := link.recv(_MESSAGE_BYTES):
        writer, call, idle, root, number = msgspec.json.decode(message, type=tuple[int, str, str, str, int])
        before = partial(_make_idle_calls, call, _TURN - number, idle)
        link.send(
            msgspec.json.encode(
                Child(writers[writer], Path(root), saves=min(_SAVES, writers[writer].most), before=before).wait()
            )
        )


def _each_call(writer: Writer, earlier: Path, start: Callable[[Path, int], Story], what: str) -> Report:
    report = Report()
    can_remove = not (what.startswith("unlink") and what.endswith("+"))
    quiet = 0
    for number in range(1, _TURN):
        root = earlier.with_name(f"run{next(_numbers)}")
        shutil.copytree(earlier, root, symlinks=True)
        story = start(root, number)
        found = violations(writer, root, story, can_remove=can_remove)
        report.runs += 1
        report.kept += story.lowest
        report.broken += [f"{writer.name} {what} at {number}: {broken} {story.refused}" for broken in found]
        quiet = 0 if story.is_dead or story.refused else quiet + 1
        shutil.rmtree(root)
        if quiet == _QUIET:
            break
    return report


def _make_idle_calls(call: str, count: int, directory: str) -> None:
    """Make ``count`` calls of a kind that change nothing for anybody."""
    if call == "openat":
        for _ in range(count):
            os.close(os.open(os.devnull, os.O_RDONLY))
        return
    descriptor = os.open(f"{directory}/idle", os.O_RDWR | os.O_CREAT)
    calls: dict[str, Callable[[], object]] = {
        "write": lambda: os.write(descriptor, b""),
        "writev": lambda: os.writev(descriptor, [b""]),
        "pwrite64": lambda: os.pwrite(descriptor, b"", 0),
        "fsync": lambda: os.fsync(descriptor),
        "fdatasync": lambda: os.fdatasync(descriptor),
        "ftruncate": lambda: os.ftruncate(descriptor, 0),
        "rename": lambda: Path(f"{directory}/none").rename(f"{directory}/none"),
        "link": lambda: os.link(f"{directory}/none", f"{directory}/none"),
        "linkat": lambda: os.link(f"{directory}/none", f"{directory}/none", follow_symlinks=False),
        "unlink": lambda: Path(f"{directory}/none").unlink(),
        "mkdir": lambda: Path(directory).mkdir(),
    }
    idle = calls[call]
    for _ in range(count):
        with contextlib.suppress(OSError):
            idle()
    os.close(descriptor)
