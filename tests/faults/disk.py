"""A disk that fails, shortens a write or ends the process at a chosen call; and writes down all that happened to it.

It stands between a writer and the real `os`: within ``with Disk(root)`` the functions of `os` that open, write,
sync, name and close are replaced in this process, for the calling thread and for what is below ``root``. Everything
it lets through really happens.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self

Fault = int | Literal["short", "die"]
"""An errno that the call fails with, a write that takes half, or the end of the process just before the call."""

_BY_PATH: Final = ("open", "mkdir", "rmdir", "unlink", "remove", "chmod", "truncate")
_BY_TWO_PATHS: Final = ("rename", "replace", "link")
_BY_DESCRIPTOR: Final = ("write", "writev", "pwrite", "fsync", "fdatasync", "fstat", "ftruncate", "fchmod", "close")

FAULTS: Final[dict[str, tuple[Fault, ...]]] = {
    "open": (errno.ENOSPC, errno.EMFILE, errno.EACCES, errno.EROFS, "die"),
    "mkdir": (errno.ENOSPC, errno.EACCES, "die"),
    "rmdir": (errno.EACCES, "die"),
    "unlink": (errno.EACCES, errno.EIO, "die"),
    "remove": (errno.EACCES, "die"),
    "chmod": (errno.EPERM, "die"),
    "truncate": (errno.EIO, "die"),
    "rename": (errno.EACCES, errno.ENOSPC, errno.EIO, "die"),
    "replace": (errno.EACCES, errno.ENOSPC, errno.EIO, "die"),
    "link": (errno.EPERM, errno.EMLINK, errno.ENOSPC, "die"),
    "write": (errno.ENOSPC, errno.EIO, errno.EDQUOT, "short", "die"),
    "writev": (errno.ENOSPC, errno.EIO, errno.EDQUOT, "short", "die"),
    "pwrite": (errno.ENOSPC, errno.EIO, "short", "die"),
    "fsync": (errno.EIO, errno.ENOSPC, "die"),
    "fdatasync": (errno.EIO, errno.ENOSPC, "die"),
    "fstat": (errno.EIO, "die"),
    "ftruncate": (errno.EIO, "die"),
    "fchmod": (errno.EPERM, "die"),
    "close": (errno.EIO, "die"),
}


class Died(BaseException):
    """The process ended here: nothing that was to come happens."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which call goes wrong, counted from 0, and how. ``persists``: from that call on every such call fails."""

    at: int = -1
    fault: Fault | None = None
    persists: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Something that happened to the disk: what, to which paths (relative), at which offset, with which bytes."""

    what: str
    path: str
    other: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass(slots=True)
class _Opened:
    path: str
    offset: int
    appends: bool


@dataclass(slots=True)
class Disk:
    """The disk below ``root``. ``calls`` are the names of the calls, ``done`` what they did if ``records``.

    What SQLite does goes past `os`: of ``databases`` the content is written down whenever a save was acknowledged.
    """

    root: Path
    plan: Plan = Plan()
    records: bool = False
    databases: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    is_dead: bool = False
    _real: dict[str, Callable[..., Any]] = field(default_factory=dict)
    _opened: dict[int, _Opened] = field(default_factory=dict)
    failing: str = ""
    _thread: int = 0

    def __enter__(self) -> Self:
        self._thread = threading.get_ident()
        for name in (*_BY_PATH, *_BY_TWO_PATHS, *_BY_DESCRIPTOR):
            if hasattr(os, name):
                self._real[name] = getattr(os, name)
                setattr(os, name, self._stand_in(name))
        return self

    def __exit__(self, *error: object) -> None:
        for name, function in self._real.items():
            setattr(os, name, function)
        for descriptor, opened in self._opened.items():  # what the end of a process does
            if opened.path.endswith(".lock"):  # this process, which goes on, keeps it open, and has unlocked it
                continue
            try:
                os.close(descriptor)
            except OSError:
                continue
        self._opened.clear()

    def say(self, what: str, number: int) -> None:
        """Write down what a writer promised, between the calls."""
        if self.records:
            self.done.append(Done(what, str(number)))
            self.done += map(self._image, self.databases if what == "ack" else ())

    def _image(self, name: str) -> Done:
        path = self.root / name
        return Done("image", name, data=path.read_bytes()) if path.exists() else Done("image", name, "gone")

    def _stand_in(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def call(*arguments: Any, **named: Any) -> Any:
            if threading.get_ident() != self._thread or not self._is_ours(name, arguments):
                return real(*arguments, **named)
            return self._call(name, real, arguments, named)

        return call

    def _is_ours(self, name: str, arguments: tuple[Any, ...]) -> bool:
        if name in _BY_DESCRIPTOR:
            return arguments[0] in self._opened
        return self._relative(arguments[0]) is not None

    def _call(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.is_dead:
            if name == "close":  # what the system does for the dead; also comes from destructors, which cannot raise
                return self._do(name, real, arguments, named)
            raise Died
        number = len(self.calls)
        self.calls.append(name)
        fault = self.plan.fault if number == self.plan.at else None
        if fault is None and self.plan.persists and 0 <= self.plan.at < number and name == self.failing:
            fault = self.plan.fault
        if fault is None:
            return self._do(name, real, arguments, named)
        if fault not in FAULTS[name]:  # the plan was made for another call: it came differently this time
            fault = FAULTS[name][0]
        self.failing = name
        if fault == "die":
            self.is_dead = True
            raise Died
        if fault == "short":
            return self._do(name, real, _shortened(name, arguments), named)
        if name == "close":
            self._do(name, real, arguments, named)
        raise OSError(fault, os.strerror(fault))

    def _do(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        existed = name == "open" and os.path.lexists(arguments[0])
        result = real(*arguments, **named)
        if name == "open":
            self._note_open(result, arguments, existed=existed)
        elif name in _BY_DESCRIPTOR:
            self._note_descriptor(name, arguments, result)
        elif self.records:
            other = self._relative(arguments[1]) or "" if name in _BY_TWO_PATHS else ""
            what = {"replace": "rename", "remove": "unlink"}.get(name, name)
            self.done.append(Done(what, self._relative(arguments[0]) or "", other))
        if name == "close":
            del self._opened[arguments[0]]
        return result

    def _note_open(self, descriptor: int, arguments: tuple[Any, ...], *, existed: bool) -> None:
        path, flags = self._relative(arguments[0]) or "", arguments[1]
        self._opened[descriptor] = _Opened(path, 0, bool(flags & os.O_APPEND))
        if self.records and flags & os.O_CREAT and not existed:
            self.done.append(Done("create", path))
        elif self.records and flags & os.O_TRUNC:
            self.done.append(Done("truncate", path))

    def _note_descriptor(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        opened = self._opened[arguments[0]]
        if not self.records:
            return
        if name in ("write", "writev"):
            data = b"".join(arguments[1]) if name == "writev" else bytes(arguments[1])
            end = self._real["fstat"](arguments[0]).st_size
            offset = end - result if opened.appends else os.lseek(arguments[0], 0, os.SEEK_CUR) - result
            self.done.append(Done("write", opened.path, offset=offset, data=data[:result]))
        elif name == "pwrite":
            self.done.append(Done("write", opened.path, offset=arguments[2], data=bytes(arguments[1])[:result]))
        elif name in ("fsync", "fdatasync"):
            self.done.append(Done("sync", opened.path))
        elif name == "ftruncate":
            self.done.append(Done("truncate", opened.path, offset=arguments[1]))

    def _relative(self, path: Any) -> str | None:
        if isinstance(path, int):
            return None
        text = os.fspath(path)
        top = str(self.root)
        if text == top:
            return "."
        return text[len(top) + 1 :] if isinstance(text, str) and text.startswith(top + os.sep) else None


def _shortened(name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of a write with half of the bytes, at least one."""
    data = b"".join(arguments[1]) if name == "writev" else bytes(arguments[1])
    half = data[: max(1, len(data) // 2)]
    return (arguments[0], [half] if name == "writev" else half, *arguments[2:])
