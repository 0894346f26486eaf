"""Reads what changed, newest first, and hands it to the index in bounded batches."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.errors import HoldfastError, SourceError
from holdfast_core.index.change import Read
from holdfast_core.index.writer import IndexWriter
from holdfast_core.log import incident
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import ChangeSet, LostMessages, ScanProgress, ScanReport
from holdfast_core.scan.discover import Discovery, SourceChange, discover, discover_at, is_missing
from holdfast_core.scan.kept import bare

if TYPE_CHECKING:
    from holdfast_core.scan.capturing import Capturing

log = logging.getLogger(__name__)

FIRST_BATCH_BYTES = 2 << 20
BATCH_BYTES = 48 << 20  # each batch leaves a piece with all its words in the index: larger ones make it smaller
_PROGRESS_SECONDS = 0.1
_WORDS_SECONDS = 2.0  # what is left then is for idle moments
# A batch is bounded because what stays in memory is the text, several times over. In a transcript it is about a quarter
# of the bytes; in a compressed source it can be many times what was read.
_TEXT_WEIGHT = 4


def _no_notes(session_ids: Sequence[str]) -> list[Annotation]:
    return []


def _ignore(value: object) -> None:
    return None


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a pass tells, asks and waits for; all called in the thread of the pass.

    ``notes_of`` gives what the person said of sessions that the index sees for
    the first time. ``between`` runs after each batch with the writer open, so
    that a long pass does not keep a small change waiting.
    """

    on_changes: Callable[[ChangeSet], object] = _ignore
    on_progress: Callable[[ScanProgress], object] = _ignore
    notes_of: Callable[[Sequence[str]], list[Annotation]] = _no_notes
    should_stop: Callable[[], bool] = _never
    between: Callable[[IndexWriter], object] = _ignore


@dataclass(slots=True)
class Outcome:
    """What one pass did. ``is_complete`` is False if it was asked to stop."""

    discovery: Discovery
    changes: ChangeSet
    bytes_read: int
    is_complete: bool
    wall_seconds: float
    cpu_seconds: float


def update(
    writer: IndexWriter,
    agents: Mapping[str, Agent],
    home: Home,
    *,
    full: bool = False,
    paths: Sequence[str] | None = None,
    hooks: Hooks | None = None,
    capturing: Capturing | None = None,
) -> Outcome:
    """Bring the index up to date with the agents' sources and return what changed.

    Without ``paths`` all roots are looked through; with them only what is at
    or below these, and the cost grows with that alone. ``full`` reads every
    source again from its start. A source that cannot be read is remembered as
    failed and not tried again until it changes. With ``capturing`` what is
    read goes into the vault as well, and what is gone is read from there.
    """
    hooks, agents = hooks or Hooks(), {name: bare(agent) for name, agent in agents.items()}
    wall, cpu = clock.monotonic_seconds(), clock.cpu_seconds()
    found = discover(agents, home, writer, full=full) if paths is None else discover_at(paths, agents, home, writer)
    if capturing is not None:
        capturing.begin(found, agents, home, writer, is_whole=paths is None)
    scan = _Pass(writer, agents, home, hooks, capturing)
    try:
        with _collector_resting():
            is_complete = scan.run(found)
            if paths is None:
                writer.write_words(deadline_seconds=_WORDS_SECONDS)
    finally:
        if capturing is not None:
            capturing.rest()
    return Outcome(
        found,
        combined(scan.changes),
        scan.bytes_read,
        is_complete,
        clock.monotonic_seconds() - wall,
        clock.cpu_seconds() - cpu,
    )


def report_of(outcome: Outcome, writer: IndexWriter) -> ScanReport:
    """Return what a pass found and cost, with the totals that the index knows now."""
    agents = writer.report()
    changes = outcome.changes
    return ScanReport(
        sessions=sum(agent.sessions for agent in agents),
        messages=sum(agent.messages for agent in agents),
        problems=sum(agent.problems for agent in agents),
        new=writer.count_listed(changes.added),
        changed=len(changes.changed),
        lost=len(changes.lost),
        agents=agents,
        wall_seconds=outcome.wall_seconds,
        cpu_seconds=outcome.cpu_seconds,
        bytes_read=outcome.bytes_read,
        failures=tuple(outcome.discovery.failures),
    )


def combined(parts: Iterable[ChangeSet]) -> ChangeSet:
    """Return several change sets as one, each session in one list: what holds after the last."""
    state: dict[str, str] = {}
    lost: dict[str, LostMessages] = {}
    for part in parts:
        for word in _WORDS:
            for name in getattr(part, word):
                state[name] = _AFTER.get((state.get(name, ""), word), word)
        for name in part.added:
            lost.pop(name, None)  # it had only moved
        lost.update((loss.id, loss) for loss in part.lost)
    lists = {word: tuple(name for name, last in state.items() if last == word) for word in _WORDS}
    return ChangeSet(**lists, lost=tuple(lost.values()))


_WORDS = ("added", "changed", "removed", "annotated")
_AFTER = {
    ("added", "changed"): "added",
    ("added", "annotated"): "added",
    ("added", "removed"): "",
    ("changed", "annotated"): "changed",
    ("removed", "added"): "changed",
}


@dataclass(slots=True)
class _Pass:
    """One pass: what it has read and not yet written, and what it has changed so far."""

    writer: IndexWriter
    agents: Mapping[str, Agent]
    home: Home
    hooks: Hooks
    capturing: Capturing | None = None
    changes: list[ChangeSet] = field(default_factory=list)
    bytes_read: int = 0
    _batch: list[Read] = field(default_factory=list)
    _batch_bytes: int = 0
    _limit_bytes: int = field(default_factory=lambda: FIRST_BATCH_BYTES)
    _told: float = 0.0

    def run(self, found: Discovery) -> bool:
        """Read what changed, forget what is gone; return False if asked to stop before the end."""
        total, bytes_total, bytes_done = len(found.changes), found.bytes_total, 0
        self._tell(ScanProgress(0, total, 0, bytes_total))
        for done, change in enumerate(found.changes):
            if self.hooks.should_stop():
                self._end()
                return False
            self._take(self._read(change))
            bytes_done += change.bytes_to_read
            self._tell(ScanProgress(done + 1, total, bytes_done, bytes_total))
        for change in tuple(found.kept):
            self._take(self._read_kept(change))
        self._end()
        # After the reading: a file that was only renamed never leaves the list.
        for agent, keys in found.gone.items():
            self._changed(self.writer.forget(agent, keys))
        for former in (found.moved, found.let_go):
            for agent, keys in former.items():
                self._changed(self.writer.forget(agent, keys, is_loss=False))
        self.hooks.on_progress(ScanProgress(total, total, bytes_total, bytes_total, is_done=True))
        return True

    def _take(self, read: Read | None) -> None:
        if read is None:
            return
        self.bytes_read += read.reading.bytes_read
        self._batch.append(read)
        self._batch_bytes += max(read.reading.bytes_read, _TEXT_WEIGHT * read.text_bytes)
        if self._batch_bytes >= self._limit_bytes:
            self._flush()

    def _read(self, change: SourceChange) -> Read | None:
        ref, agent = change.ref, self.agents[change.ref.agent]
        try:
            if self.capturing is not None:
                with _one_bad_session(self.writer, None):
                    return self.capturing.read(change, agent, self.home)
                log.error("a source of %s is not captured", ref.agent)  # the list must not suffer from that
            with _one_bad_session(self.writer, ref):
                return Read.of(ref, agent.read(ref, self.home, checkpoint=change.checkpoint))
        except (SourceError, OSError) as error:
            if is_missing(ref.path):
                self._changed(self.writer.forget(ref.agent, [ref.key]))
            else:
                reason = error.reason if isinstance(error, SourceError) else "unreadable"
                log.info("a source of %s cannot be read: %s", ref.agent, reason)
                self.writer.failed(ref, reason)
        return None

    def _read_kept(self, change: SourceChange) -> Read | None:
        if self.capturing is not None:
            with _one_bad_session(self.writer, change.ref):
                return self.capturing.gone(change, self.agents[change.ref.agent], self.home)
        return None

    def _end(self) -> None:
        self._flush()
        if self.capturing is not None:
            self.capturing.finish()

    def _flush(self) -> None:
        if not self._batch:
            return
        if self.capturing is not None:
            self.capturing.commit()  # what the index says of it must not be lost by then
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        self._limit_bytes = BATCH_BYTES
        if not self._apply(batch):
            # Something in the batch cannot be written: find out what, keep the rest.
            for read in batch:
                self._apply([read])
        del batch
        self.hooks.between(self.writer)

    def _apply(self, batch: Sequence[Read]) -> bool:
        alone = batch[0].ref if len(batch) == 1 else None
        with _one_bad_session(self.writer, alone):
            changes = self.writer.apply(batch)
            notes = self.hooks.notes_of(changes.added)
            if notes:
                changes = combined((changes, self.writer.annotate(notes)))
            self._changed(changes)
            return True
        return False

    def _changed(self, changes: ChangeSet) -> None:
        if changes:
            self.changes.append(changes)
            self.hooks.on_changes(changes)

    def _tell(self, progress: ScanProgress) -> None:
        now = clock.monotonic_seconds()
        if progress.sources_total and now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            self.hooks.on_progress(progress)


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Keep the garbage collector from going over messages again and again: they hold no circles, nor do words."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _one_bad_session(writer: IndexWriter, ref: SourceRef | None) -> Iterator[None]:
    """Log what one source unexpectedly raises and remember it as failed; the scan goes on.

    Failures that have a name rise: they are told to the person or handled by
    the caller. ``ref`` is None for a whole batch, which is then taken apart.
    """
    try:
        yield
    except (HoldfastError, OSError):
        raise
    except Exception as error:
        if ref is None:
            log.debug("it is tried otherwise", exc_info=error)
            return
        incident(log, error)
        writer.failed(ref, "internal")
