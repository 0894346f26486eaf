"""Lets a writer work in a forked child, which may be killed or whose system calls may fail, and hears what it says."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import struct
from collections.abc import Callable
from pathlib import Path

from holdfast_core.errors import HoldfastError

from tests.faults.story import Story, Writer

_NUMBERS = struct.Struct("<IIII")
_REASON_LIMIT = 300


class Child:
    """A child that saves again and again. What it promises it writes into shared memory: no call of the system."""

    def __init__(self, writer: Writer, root: Path, *, saves: int, before: Callable[[], None]) -> None:
        self._told = mmap.mmap(-1, mmap.PAGESIZE)
        self._process = os.fork()
        if self._process:
            return
        code = 1
        try:
            before()
            self._work(writer, root, saves)
            code = 0
        except BaseException as error:
            self._write_reason(repr(error.__context__ or error), number=0)
            raise
        finally:
            os._exit(code)

    def kill(self) -> None:
        """End the child now."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)

    def wait(self) -> Story:
        """Wait for the end of the child and return what it promised."""
        status = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        tried, kept, refused, length = _NUMBERS.unpack_from(self._told)
        reason = bytes(self._told[_NUMBERS.size : _NUMBERS.size + length]).decode("utf-8", "replace")
        return Story(
            tried=[tried] if tried else [],
            kept=[kept] if kept else [],
            refused={refused - 1: reason} if refused else {},
            is_dead=status != 0,
            error=f"the writer ended with {status}" if status > 0 else "",
        )

    def _work(self, writer: Writer, root: Path, saves: int) -> None:
        tried = kept = 0
        try:
            save = writer.open(root)
            for tried in range(1, saves + 1):
                self._tell(tried, kept)
                try:
                    kept = kept if save(tried) is False else tried
                except (OSError, HoldfastError) as error:
                    self._tell(tried, kept, error)
                else:
                    self._tell(tried, kept)
        except (OSError, HoldfastError) as error:
            self._tell(tried, kept, error)

    def _tell(self, tried: int, kept: int, error: Exception | None = None) -> None:
        """Write down what is promised now; of refusals the last one stays."""
        self._told[:8] = struct.pack("<II", tried, kept)
        if error is not None:
            self._write_reason(repr(error), tried)

    def _write_reason(self, text: str, number: int) -> None:
        reason = text.encode("utf-8", "replace")[:_REASON_LIMIT]
        self._told[_NUMBERS.size : _NUMBERS.size + len(reason)] = reason
        self._told[8:16] = struct.pack("<II", number + 1, len(reason))
