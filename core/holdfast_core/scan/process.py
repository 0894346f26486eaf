"""Starts the indexer, listens to it, and starts it again if it dies."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from holdfast_core import clock
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.model.changes import ScanReport
from holdfast_core.paths import Paths, chosen_place, path_text
from holdfast_core.scan.homes import extra_homes
from holdfast_core.scan.protocol import (
    LINE_LIMIT_BYTES,
    Annotate,
    Answered,
    Capture,
    Command,
    Event,
    Failed,
    LookIn,
    Pause,
    Rescan,
    ShowEncrypted,
    Start,
    Stop,
    Unlock,
    decode_event,
    encode,
)

if TYPE_CHECKING:
    from holdfast_core.settings import Settings

log = logging.getLogger(__name__)

_MB = 1_000_000
_STOP_SECONDS = 3.0
_KILL_SECONDS = 2.0
_BACK_OFF_SECONDS = (0.2, 1.0, 5.0, 15.0, 30.0)
_STEADY_SECONDS = 60.0
_FAILURES_TO_TELL = 3


def first_line(paths: Paths, home: Home, settings: Settings | None) -> Start:
    """Return what a new indexer is told: where everything is, and the settings that concern it."""
    first = Start(
        data=path_text(str(paths.data)),
        config=path_text(str(paths.config)),
        cache=path_text(str(paths.cache)),
        log=path_text(str(paths.log)),
        agents_home=path_text(str(home.path)),
        environment={name: path_text(value) for name, value in home.environment.items()},
    )
    if settings is None:
        return first
    return msgspec.structs.replace(
        first,
        poll_seconds=settings.recent_poll_seconds,
        rescan_seconds=float(settings.rescan_seconds),
        log_level=settings.log_level,
        is_paused=settings.start_paused,
        sessions=path_text(str(chosen_place(settings.sessions_directory, paths.sessions))),
        encrypted_in_index=settings.encrypted_in_index,
        homes=tuple(path_text(str(path)) for path in extra_homes(settings.extra_homes, home.path)),
        capture=capture_of(settings),
    )


def capture_of(settings: Settings) -> Capture:
    """Return how sources go into the vault."""
    return Capture(
        directory=path_text(str(chosen_place(settings.vault_directory, Path()))) if settings.vault_directory else "",
        is_enabled=settings.vault_enabled,
        left_out=settings.vault_left_out,
        reserve_bytes=settings.vault_reserve_mb * _MB,
        is_encrypted=settings.vault_encrypted,
        database_minutes=settings.vault_database_minutes,
    )


class IndexerProcess:
    """The indexer of this window, seen from the window; belongs to one event loop.

    It lives from `start` to `close`. If it dies it is started again, later
    each time; from the third death in a row on the person is told, once.
    ``first`` is what a new process is told at its start.
    """

    def __init__(self, command: Sequence[str], first: Start, on_event: Callable[[Event], None]) -> None:
        self._command = tuple(command)
        self.first = first
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._asked: dict[int, tuple[Annotate | Rescan, asyncio.Future[ScanReport | None]]] = {}
        self._numbers = 0
        self._unlock: Unlock | None = None
        self._is_closing = False

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and its supervision, in the running loop."""
        self._task = asyncio.create_task(self._supervise(), name="indexer")

    def send(self, command: Command) -> None:
        """Tell the indexer something; a restarted one starts with a look everywhere and needs no repetition."""
        if isinstance(command, Pause):
            self.first = msgspec.structs.replace(self.first, is_paused=command.is_paused)
        if isinstance(command, LookIn):
            self.first = msgspec.structs.replace(self.first, homes=command.homes)
        if isinstance(command, Capture):
            self.first = msgspec.structs.replace(self.first, capture=command)
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(encode(command))

    def unlock(self, secret: str) -> None:
        """Let the indexer read encrypted sessions, also one that is started again later; empty to forget it."""
        unlock = Unlock(secret)
        self._unlock = unlock if secret else None
        self.send(unlock)

    def follow(self, settings: Settings) -> None:
        """Let settings count at once that need no new start."""
        if settings.encrypted_in_index != self.first.encrypted_in_index:
            self.first = msgspec.structs.replace(self.first, encrypted_in_index=settings.encrypted_in_index)
            self.send(ShowEncrypted(settings.encrypted_in_index))
        if self.first.capture not in (None, capture := capture_of(settings)):
            self.send(capture)

    async def annotate(self, *, timeout_seconds: float, held: Sequence[Path] = ()) -> None:
        """Have notes and changed files of held sessions taken into the index; return when done or the time is up."""
        files = tuple(path_text(str(path)) for path in held)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._ask(Annotate(self._next_number(), files))
        except TimeoutError:
            log.info("the index takes the notes in later")

    async def rescan(self, *, full: bool) -> ScanReport:
        """Have everything looked through and return what was found.

        Raises:
            Refused: looking for sessions is paused.
            HoldfastError: it was given up.
        """
        if self.first.is_paused:
            raise Refused("Looking for sessions is paused. Let it go on first.")
        report = await self._ask(Rescan(full, self._next_number()))
        if report is None:
            raise HoldfastError("The sessions could not be looked through. The log has the details.")
        return report

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    async def _ask(self, command: Annotate | Rescan) -> ScanReport | None:
        answer: asyncio.Future[ScanReport | None] = asyncio.get_running_loop().create_future()
        self._asked[command.number] = command, answer
        try:
            self.send(command)
            return await answer
        finally:
            del self._asked[command.number]

    async def close(self) -> None:
        """Let the indexer finish its batch, and end it if it does not."""
        self._is_closing = True
        process = self._process
        if process is not None and process.returncode is None:
            self.send(Stop())
            await self._end(process)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the process to end; first kindly, then not."""
        for limit_seconds, insist in ((_STOP_SECONDS, process.terminate), (_KILL_SECONDS, process.kill)):
            try:
                async with asyncio.timeout(limit_seconds):
                    await process.wait()
                return
            except TimeoutError:
                log.warning("the indexer did not end in %s s", limit_seconds)
                insist()
        await process.wait()

    async def _supervise(self) -> None:
        deaths = 0
        while not self._is_closing:
            began = clock.monotonic_seconds()
            status = await self._serve()
            if self._is_closing:
                return
            deaths = 1 if clock.monotonic_seconds() - began > _STEADY_SECONDS else deaths + 1
            log.warning("the indexer ended by itself: %s", status)
            if deaths == _FAILURES_TO_TELL:
                self._on_event(
                    Failed("Holdfast cannot keep its list up to date. What is listed stays usable; restart Holdfast.")
                )
            await asyncio.sleep(_BACK_OFF_SECONDS[min(deaths, len(_BACK_OFF_SECONDS)) - 1])

    async def _serve(self) -> str:
        """Run one process to its end, passing on what it says; return how it ended."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=LINE_LIMIT_BYTES,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            return f"not started: {error.strerror}"
        self._process = process
        try:
            self.send(self.first)
            if self._unlock is not None:
                self.send(self._unlock)
            for command, _ in self._asked.values():
                self.send(command)  # asked before it was up, or of one that died
            if process.stdout is not None:
                await self._listen(process.stdout)
            return f"status {await process.wait()}"
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        while line := await lines.readline():
            try:
                event = decode_event(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                log.warning("a line of the indexer that is no event was left out")
                continue
            if not isinstance(event, Answered):
                self._on_event(event)
            elif event.number in self._asked:
                _, answer = self._asked[event.number]
                if not answer.done():
                    answer.set_result(event.report)
