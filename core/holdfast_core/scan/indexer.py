"""The process that owns all writes to the index while a window is open: it scans, watches and takes in what changed."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from holdfast_core import clock
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home
from holdfast_core.errors import HoldfastError, IndexBroken, Refused
from holdfast_core.index.database import CATALOG
from holdfast_core.index.writer import IndexWriter
from holdfast_core.log import incident, open_logs
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import ChangeSet, ScanProgress, ScanReport
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.paths import Paths, text_path
from holdfast_core.redact.at_need import without_secrets
from holdfast_core.scan.held import OpenedKeys, read_anew, show, shows_encrypted, unlock, with_held
from holdfast_core.scan.homes import with_homes
from holdfast_core.scan.ingest import Hooks, Outcome, report_of, update
from holdfast_core.scan.protocol import (
    Annotate,
    Answered,
    Capture,
    Changed,
    Command,
    Event,
    Failed,
    InIndex,
    LookIn,
    Pause,
    Progressed,
    Reported,
    Rescan,
    SettingsChanged,
    ShowEncrypted,
    Start,
    Stop,
    Unlock,
    decode_command,
    encode,
)
from holdfast_core.scan.seen import remember_agents
from holdfast_core.scan.vaulting import Vaulting
from holdfast_core.scan.watch import Rhythm, Watcher
from holdfast_core.store.annotations import Annotations

log = logging.getLogger(__name__)

_LOCK_SECONDS = 2.0
_RETRY_SECONDS = 1.0
_FAILURE_SECONDS = 30.0
_IDLE_SECONDS = 3.0
_TIDY_SECONDS = 0.2
_BULK_NICENESS = 10


def main(agents: Mapping[str, Agent] | None = None) -> int:
    """Serve one window over stdin and stdout until it says stop or is gone; return the exit code."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not stand between the lines
    lines = _lines(0)
    first = next(lines, None)
    start = decode_command(first) if first else None
    if not isinstance(start, Start):
        return 2
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the window, which then tells us
    close_logs = open_logs(_paths(start), start.log_level, name="indexer", remove=without_secrets)
    try:
        known = all_agents() if agents is None else agents
        asyncio.run(Indexer(start, known, _Output(out)).run(lines))
    except BaseException as error:
        incident(log, error)
        raise
    finally:
        close_logs()
    return 0


@dataclass(slots=True)
class _Due:
    """What is to be done in the next pass, gathered from the window and the watcher in any thread."""

    everything: bool = False
    full: bool = False
    notes: bool = False
    tidy: bool = False
    paths: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    secret: str | None = None
    in_index: InIndex | None = None
    note_numbers: list[int] = field(default_factory=list)
    rescan_numbers: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.everything or self.notes or self.tidy or self.paths)

    def add(self, other: _Due) -> None:
        """Do ``other`` too."""
        self.everything |= other.everything
        self.full |= other.full
        self.notes |= other.notes
        self.tidy |= other.tidy
        self.paths |= other.paths
        self.held |= other.held
        self.secret = self.secret if other.secret is None else other.secret
        self.in_index = other.in_index or self.in_index
        self.note_numbers += other.note_numbers
        self.rescan_numbers += other.rescan_numbers


class Indexer:
    """One window's indexer. Passes run one at a time in a thread; a small change slips in between a long one's batches.

    The index is locked for the length of a pass only, so that a command line
    may update it too.
    """

    def __init__(self, start: Start, agents: Mapping[str, Agent], emit: Callable[[Event], None]) -> None:
        self._paths = _paths(start)
        self._vaulting = Vaulting(self._paths, _sessions(start), start.capture, emit)
        self._agents = _sources(agents, start, self._vaulting.keys)
        self._given = agents, start
        self._home = Home(
            Path(text_path(start.agents_home)),
            {name: text_path(value) for name, value in start.environment.items()},
        )
        self._emit = emit
        self._due = _Due(everything=True, notes=True)
        self._due_lock = threading.Lock()
        self._woken = asyncio.Event()
        self._is_paused = start.is_paused
        self._is_stopping = False
        self._is_failing = False
        self._notes: Annotations | None = None
        self._notes_seen = 0
        self._notes_file = _modified_ns(self._paths.annotations)
        self._settings_file = _modified_ns(self._paths.settings)
        self._has_index = False
        self._poll_seconds = start.poll_seconds
        self._watcher = Watcher(
            self._roots,
            on_paths=lambda paths: self._want(_Due(paths=set(paths))),
            on_rescan=lambda: self._want(_Due(everything=True)),
            rhythm=Rhythm(start.poll_seconds, start.rescan_seconds, start.use_events),
        )

    async def run(self, lines: Iterator[bytes]) -> None:
        """Work until the window says stop or its lines end."""
        self._loop = asyncio.get_running_loop()
        self._watcher.pause(self._is_paused)
        threading.Thread(target=self._listen, args=(lines,), name="commands", daemon=True).start()
        try:
            async with asyncio.TaskGroup() as tasks:
                helpers = [tasks.create_task(self._watcher.run()), tasks.create_task(self._poll())]
                await self._work()
                for helper in helpers:
                    helper.cancel()
        finally:
            self._vaulting.close()
            if self._notes is not None:
                self._notes.close()

    def _listen(self, lines: Iterator[bytes]) -> None:
        for line in lines:
            try:
                self._obey(decode_command(line))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                log.warning("a command that is none was left out")
        self._obey(Stop())

    def _obey(self, command: Command) -> None:
        """Note what is wanted; called in the thread that reads."""
        match command:
            case Stop():
                self._is_stopping = True
                self._want(_Due())
            case Rescan(full=full, number=number):
                self._want(_Due(everything=True, full=full, rescan_numbers=[number] if number else []))
            case Annotate(number=number, held=held):
                self._want(_Due(notes=True, note_numbers=[number], held=set(map(text_path, held))))
            case LookIn(homes=homes):
                agents, start = self._given
                found = _sources(agents, msgspec.structs.replace(start, homes=homes), self._vaulting.keys)
                self._agents = {**found, HELD_AGENT: self._agents[HELD_AGENT]}  # it may be unlocked
                self._want(_Due(everything=True))
            case Capture():
                self._vaulting.how = command
                self._want(_Due(everything=True))
            case Unlock(secret=secret):
                self._want(_Due(notes=True, secret=secret, everything=self._vaulting.is_encrypted))
            case ShowEncrypted(encrypted_in_index=in_index):
                self._want(_Due(notes=True, in_index=in_index))
            case Pause(is_paused=is_paused):
                self._is_paused = is_paused
                self._call_soon(self._watcher.pause, is_paused)
                self._want(_Due(everything=not is_paused))

    def _want(self, due: _Due) -> None:
        with self._due_lock:
            self._due.add(due)
        self._call_soon(self._woken.set)

    def _call_soon(self, function: Callable[..., object], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _take(self) -> _Due:
        """Return what can be done now; what must wait for the end of a pause stays."""
        with self._due_lock:
            if self._is_paused:
                return self._take_notes_due()
            due, self._due = self._due, _Due()
        return due

    def _take_notes_due(self) -> _Due:
        """Return what is due of the notes and of held sessions alone; the lock is held."""
        due = _Due(
            notes=self._due.notes,
            note_numbers=self._due.note_numbers,
            held=self._due.held,
            secret=self._due.secret,
            in_index=self._due.in_index,
        )
        self._due.notes, self._due.note_numbers, self._due.held = False, [], set()
        self._due.secret = self._due.in_index = None
        return due

    async def _work(self) -> None:
        bulk = ThreadPoolExecutor(1, "bulk", initializer=_be_nice)
        quick = ThreadPoolExecutor(1, "quick")
        is_tidy = False
        with bulk, quick:
            while not self._is_stopping:
                due = self._take() or await self._wait(is_tidy)
                if due:
                    thread = bulk if due.everything or due.tidy else quick
                    is_tidy = await self._loop.run_in_executor(thread, self._try, due)

    async def _wait(self, is_tidy: bool) -> _Due:
        """Return what is due when something is; after some idle time that is tidying the index."""
        try:
            async with asyncio.timeout(None if is_tidy else _IDLE_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return _Due(tidy=True)
        self._woken.clear()
        return self._take()

    def _try(self, due: _Due) -> bool:
        """Run one pass; return True if nothing is left to tidy. What failed is due again after a while."""
        try:
            is_tidy = self._pass(due)
        except Refused:
            log.info("the index is in use, trying again")
            self._want_later(_RETRY_SECONDS, due)
        except IndexBroken as error:
            incident(log, error)
            due.add(_Due(everything=True, notes=True))
            self._want_later(_RETRY_SECONDS, due)
        except (HoldfastError, OSError) as error:
            # A full disk, a directory that cannot be written: said once, not at every change.
            told = incident(log, error).message
            if not self._is_failing:
                self._emit(Failed(told))
            self._is_failing = True
            self._answer([*due.note_numbers, *due.rescan_numbers])
            self._want_later(_FAILURE_SECONDS, replace(due, note_numbers=[], rescan_numbers=[]))
        else:
            self._is_failing = False
            return is_tidy
        return True

    def _want_later(self, seconds: float, due: _Due) -> None:
        self._call_soon(self._loop.call_later, seconds, self._want, due)

    def _answer(self, numbers: Sequence[int], report: ScanReport | None = None) -> None:
        for number in numbers:
            self._emit(Answered(number, report))

    def _pass(self, due: _Due) -> bool:
        with IndexWriter.open(self._paths.index, timeout_seconds=_LOCK_SECONDS) as writer:
            self._has_index = True
            if writer.is_new:  # it was removed or damaged since the former pass
                due.add(_Due(everything=True))
            self._take_notes(writer, due)
            if due.everything:
                self._look_everywhere(writer, due)
            elif due.paths:
                self._look_at(writer, due.paths)
            if due.tidy:
                return writer.tidy(deadline_seconds=_TIDY_SECONDS)
        return False

    def _look_everywhere(self, writer: IndexWriter, due: _Due) -> None:
        hooks = Hooks(
            on_changes=self._tell,
            on_progress=self._tell_progress,
            notes_of=self._notes_of,
            should_stop=self._should_stop,
            between=self._between,
        )
        looked_ms = clock.now_ms()
        capturing = self._vaulting.capturing()
        outcome = update(writer, self._agents, self._home, full=due.full, hooks=hooks, capturing=capturing)
        self._remember(outcome, looked_ms, replace=True)
        if outcome.is_complete:
            report = report_of(outcome, writer)
            let_go = outcome.discovery.let_go
            remember_agents(self._paths.agents_seen, self._home.path, writer.sessions_listed(), let_go=let_go)
            if outcome.changes:
                log.info(
                    "%d sessions, %d new, %d changed, %d lost, %d bytes read in %.1f s",
                    *(report.sessions, report.new, report.changed, report.lost, report.bytes_read),
                    report.wall_seconds,
                )
            self._emit(Reported(report))
            self._answer(due.rescan_numbers, report)
        elif not self._is_stopping:
            self._want(_Due(everything=True, full=due.full, rescan_numbers=due.rescan_numbers))

    def _look_at(self, writer: IndexWriter, paths: set[str]) -> None:
        hooks = Hooks(on_changes=self._tell, notes_of=self._notes_of)
        looked_ms = clock.now_ms()
        capturing = self._vaulting.capturing()
        outcome = update(writer, self._agents, self._home, paths=sorted(paths), hooks=hooks, capturing=capturing)
        self._remember(outcome, looked_ms, replace=False)

    def _read_held(self, writer: IndexWriter, due: _Due) -> None:
        """Read all held sessions again where other ones than before can be read, or shall stand in the index."""
        source = self._agents[HELD_AGENT]
        if due.in_index is not None:
            show(source, due.in_index)
        if due.secret is not None:
            unlock(source, due.secret)
        if due.in_index is not None or (due.secret and shows_encrypted(source)):
            read_anew(writer, source, self._home, on_changes=self._tell)

    def _between(self, writer: IndexWriter) -> None:
        """Take in small changes between two batches of a long pass."""
        with self._due_lock:
            due = self._take_notes_due()
            due.paths, self._due.paths = self._due.paths, set()
        self._take_notes(writer, due)
        if due.paths:
            self._look_at(writer, due.paths)

    def _should_stop(self) -> bool:
        return self._is_stopping or self._is_paused

    def _remember(self, outcome: Outcome, looked_ms: int, *, replace: bool) -> None:
        recent = outcome.discovery.recent
        self._call_soon(lambda: self._watcher.remember(recent, looked_ms=looked_ms, replace=replace))

    def _tell(self, changes: ChangeSet) -> None:
        self._emit(Changed(changes))

    def _tell_progress(self, progress: ScanProgress) -> None:
        self._emit(Progressed(progress))

    def _take_notes(self, writer: IndexWriter, due: _Due) -> None:
        """Bring what the person said since the last time into the index, and held sessions that were changed here."""
        if not due.notes:
            return
        self._read_held(writer, due)
        if due.held:
            self._look_at(writer, due.held)
        notes = self._open_notes()
        if notes is not None:
            newest, said = notes.revision(), notes.changed_since(self._notes_seen)
            changes = writer.annotate(said) if said else ChangeSet()
            self._notes_seen = newest
            if changes:
                self._tell(changes)
        self._answer(due.note_numbers)

    def _notes_of(self, session_ids: Sequence[str]) -> list[Annotation]:
        notes = self._open_notes()
        return [] if notes is None else notes.get_many(session_ids)

    def _open_notes(self) -> Annotations | None:
        """Return the person's notes; None if they cannot be opened, which is said and costs nothing else."""
        if self._notes is None and self._paths.annotations.exists():
            try:
                self._notes = Annotations.open(self._paths.annotations)
            except HoldfastError as error:
                self._emit(Failed(incident(log, error).message))
        return self._notes

    async def _poll(self) -> None:
        """Notice that a command line wrote to the notes or the settings, and that somebody removed the index."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            if await asyncio.to_thread(self._is_removed):
                self._want(_Due(everything=True))
            modified = await asyncio.to_thread(_modified_ns, self._paths.annotations)
            if modified != self._notes_file:
                self._notes_file = modified
                self._want(_Due(notes=True))
            modified = await asyncio.to_thread(_modified_ns, self._paths.settings)
            if modified != self._settings_file:
                self._settings_file = modified
                self._emit(SettingsChanged())

    def _is_removed(self) -> bool:
        return self._has_index and not (self._paths.index / CATALOG).exists()

    def _roots(self) -> list[Path]:
        watched = [agent for agent in self._agents.values() if not agent.is_scattered]
        return [root for agent in watched for root in agent.roots(self._home)]


class _Output:
    """Writes events to the window, one at a time; a window that is gone is noticed at stdin."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        data = memoryview(encode(event))
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except BrokenPipeError:
                return


def _lines(descriptor: int) -> Iterator[bytes]:
    """Yield the lines of a pipe. Unbuffered: a thread that waits in here never holds a lock at exit."""
    rest = b""
    while chunk := os.read(descriptor, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _be_nice() -> None:
    """Let the long passes give way to everything else; Linux knows priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BULK_NICENESS)


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _sources(agents: Mapping[str, Agent], start: Start, keys: OpenedKeys) -> dict[str, Agent]:
    """Return what is looked through: agents in each home, and the held sessions."""
    agents = with_homes(agents, [Path(text_path(home)) for home in start.homes])
    return with_held(agents, _sessions(start), keys, encrypted_in_index=start.encrypted_in_index)


def _sessions(start: Start) -> Path:
    return Path(text_path(start.sessions)) if start.sessions else _paths(start).sessions


def _paths(start: Start) -> Paths:
    return Paths(*(Path(text_path(text)) for text in (start.data, start.config, start.cache, start.log)))
