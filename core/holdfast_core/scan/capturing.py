"""Takes sources into the vault as a scan reads them, and finds out what they have lost since the last time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from holdfast_core.agents._tap import Tap, tapped
from holdfast_core.agents.base import Agent, Home, Reading, SourceRef
from holdfast_core.errors import HoldfastError, Locked, NotNow, Refused, SourceError
from holdfast_core.index.change import Read
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.changes import LOCKED, NO_SPACE, UNWRITABLE, ScanFailure
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.model.session import Problem
from holdfast_core.scan.adopting import Adopting
from holdfast_core.scan.discover import Discovery, SourceChange, is_missing
from holdfast_core.scan.kept import Keeping, Losses, newest_content
from holdfast_core.scan.known import KnownSource, emptied
from holdfast_core.scan.left_out import LeftOut
from holdfast_core.scan.losses import gone_since

if TYPE_CHECKING:
    from holdfast_core.vault.vault import Captured, Mark, Vault

log = logging.getLogger(__name__)

_NULS = bytes(16)
_OPEN_BYTES = 64 << 20
"""So much is captured before it is made durable, where the index waits for nothing."""
_TEXT = (".jsonl", ".json", ".md", ".ndjson", ".txt")
# What a reader says of a file that it could not look into; anything else means that its agent could make nothing of it.
_UNTOLD = frozenset(("gone", "permission", "not_readable", "outside", "unreadable"))
_REPLACED = frozenset(("not_a_file", "symlink"))


class CaptureStatus(NamedTuple):
    """How capturing goes: how many sources were captured since the start, how many wait, and for what."""

    captured: int = 0
    waiting: int = 0
    is_locked: bool = False
    is_out_of_space: bool = False


class Capturing:
    """Captures what the passes of one scan read, in their thread. ``on_status`` is told when the status changes.

    Where the vault cannot take anything (locked, no space) the index goes on;
    but what would take away something that the index has waits too.
    """

    def __init__(
        self,
        keeping: Keeping,
        *,
        database_minutes: float = 5,
        is_enabled: bool = True,
        left_out: Sequence[str] = (),
        on_status: Callable[[CaptureStatus], object] = lambda status: None,
    ) -> None:
        self.keeping = keeping
        self.is_enabled = is_enabled
        self.left_out = LeftOut(tuple(left_out))
        self.status = CaptureStatus()
        self._on_status = on_status
        self._database_minutes = database_minutes
        self._found = Discovery()
        self._trouble: HoldfastError | OSError | None = None
        self._told = self.status
        self._is_used = False
        self._has_captured = False
        self._failure = ""
        self._moving: dict[tuple[str, int], str] = {}
        self._open_bytes = 0
        self._waiting: set[tuple[str, str]] = set()
        self._postponed: dict[tuple[str, str], dict[str, Mark]] = {}

    def begin(
        self, found: Discovery, agents: Mapping[str, Agent], home: Home, writer: IndexWriter, *, is_whole: bool
    ) -> None:
        """Begin a pass: find out what a look means for the vault, and add to ``found`` what is to be read for it."""
        self._found, self._trouble, self._moving, self._has_captured = found, None, {}, False
        if is_whole:
            self._waiting.clear()
        wanted = self.left_out.wanted(writer) if self.is_enabled else lambda ref: False
        adopting = Adopting(found, self.keeping.looks, wanted, database_minutes=self._database_minutes)
        try:
            for agent in agents.values():
                adopting.agent(agent, home, is_whole=is_whole)
            for change in found.kept:
                look = self.keeping.looks.at(change.ref.agent, change.ref.key)
                if look is not None and change.kind == "kept" and not look.is_gone:
                    self._moving[change.ref.agent, look.fingerprint.inode] = change.ref.key
        except HoldfastError as error:
            self._note(None, error)
            found.gone.clear()  # what is gone may be in the vault

    def read(self, change: SourceChange, agent: Agent, home: Home) -> Read | None:
        """Read a source and capture it; None if the index is to stay as it is.

        Raises:
            SourceError, OSError: it cannot be read, and the vault has nothing of it.
        """
        ref = change.ref
        try:
            source = replace(self._source(ref, agent, home), is_indexed=change.kind == "uncaptured")
        except HoldfastError as error:
            self._note(None, error)
            return Read.of(ref, agent.read(ref, home, checkpoint=change.checkpoint))
        is_out = ref.agent == HELD_AGENT or not self.is_enabled or self.left_out.has_agent(ref.agent)
        if is_out and source.losses is None:
            return Read.of(ref, agent.read(ref, home, checkpoint=change.checkpoint))
        with tapped(ref.path) as tap:
            try:
                reading = self._reading(source, change)
            except (SourceError, OSError) as error:
                return self._spoilt(source, tap, error, is_out=is_out)
            if is_out or self.left_out.has_all(reading):
                has_lost = source.losses is not None
                return self._merged(source, reading, source.losses) if has_lost else Read.of(ref, reading)
            return self._taken(self._moved(source, reading), reading, tap)

    def gone(self, change: SourceChange, agent: Agent, home: Home) -> Read | None:
        """Read from the vault what is not at its source; None if the index is to stay as it is.

        A source that only moved is let go of in the index by its former key.
        """
        try:
            source = self._source(change.ref, agent, home)
        except HoldfastError as error:
            self._note(None, error)
            return None
        if source.look is None:
            return None
        try:
            if change.kind == "away":
                reading = self.keeping.alone(agent, source.ref, home, source.losses)
                return Read.of(source.ref, reading, is_kept=True)
            losses = source.losses if source.look.is_gone else self._closed(source)
            return self._merged(source, None, losses)
        except (HoldfastError, OSError) as error:
            self._note(source, error)
            return None

    def commit(self) -> None:
        """Make durable what was captured since the last time; what the vault does not take is captured another time."""
        self._open_bytes = 0
        if self._is_used:
            try:
                self.vault.commit()
            except (HoldfastError, OSError) as error:
                self.vault.discard()
                self._note(None, error)
        self._tell()

    def finish(self) -> None:
        """End a pass: what could not be captured is a failure of the look, told once."""
        self.commit()
        if self._trouble is not None:
            reason = LOCKED if self.status.is_locked else NO_SPACE if self.status.is_out_of_space else UNWRITABLE
            if reason != self._failure:
                self._failure = reason
                self._found.failures.append(ScanFailure("", reason))

    def rest(self) -> None:
        """Let others write to the vault; what was not made durable counts as never captured."""
        if self._is_used:
            self.vault.discard()
            self._is_used = False

    @property
    def vault(self) -> Vault:
        """The vault."""
        self._is_used = True
        return self.keeping.vault

    def _source(self, ref: SourceRef, agent: Agent, home: Home) -> KnownSource:
        state = self.keeping.looks.at(ref.agent, ref.key)
        if state is None:
            return KnownSource(ref, agent, home, None, None, {})
        marks = {mark.native_id: mark for mark in self.vault.marks(ref.agent, ref.key)}
        marks |= self._postponed.get((ref.agent, ref.key), {})
        return KnownSource(ref, agent, home, state, self.keeping.losses(ref), marks)

    def _reading(self, source: KnownSource, change: SourceChange) -> Reading:
        """Read a source from where the index stopped, if nothing is to be put together and the vault was as far."""
        ref, home, checkpoint = source.ref, source.home, change.checkpoint
        if checkpoint is not None and source.agent.continues_rewritten and source.key not in self._postponed:
            state = source.look
            is_as_far = state is not None and change.before is not None and state.is_of(change.before)
            if change.kind == "shrunk" or not is_as_far:
                checkpoint = None  # what changed meanwhile is in nobody's mind; what was cut may not be seen
        if source.losses is not None and not source.agent.continues_rewritten:
            checkpoint = None
        reading = source.agent.read(ref, home, checkpoint=checkpoint)
        if source.losses is not None and reading.was_continued and not reading.is_shared:
            return source.agent.read(ref, home)
        return reading

    def _taken(self, source: KnownSource, reading: Reading, tap: Tap) -> Read | None:
        """Capture what was read, and put it together with what is gone from it since the last time."""
        reading = _told_damaged(reading, tap, source.ref)
        try:
            suspects = source.suspects(reading)
            captured = self._capture(source, tap, source.marks_after(reading))
            if captured.is_postponed and suspects:
                captured = self._capture(source, tap, source.marks_after(reading), is_urgent=True)
            if captured.is_postponed:
                self._postponed[source.key] = {mark.native_id: mark for mark in source.marks_after(reading)}
            else:
                self._postponed.pop(source.key, None)
            losses = source.losses
            if suspects and captured.reason not in (None, "first", "grown"):
                losses = self._lost(source, reading, suspects, captured)
            elif captured.reason is None and (fewer := source.fewer(reading)):
                losses = self._lost(source, reading, fewer, captured)  # it was not seen when that was captured
            return self._merged(source, reading, losses)
        except (HoldfastError, OSError) as error:
            self._note(source, error)
            if source.agent.continues_rewritten:
                self._postponed[source.key] = {mark.native_id: mark for mark in source.marks_after(reading)}
            return source.without_loss(reading)

    def _capture(
        self,
        source: KnownSource,
        tap: Tap,
        marks: Sequence[Mark],
        *,
        is_urgent: bool = False,
        is_corrupted: bool = False,
    ) -> Captured:
        from holdfast_core.vault.vault import Seen

        self._raise_trouble()
        if self._open_bytes > _OPEN_BYTES:
            self.vault.commit()
            self._open_bytes = 0
        ref = source.ref
        self._open_bytes += ref.fingerprint.size_bytes
        captured = self.vault.capture(
            ref,
            Seen(ref.fingerprint, tap.blocks, tap.copy),
            marks=marks,
            companions=source.agent.companions(ref, source.home),
            reason="corrupted" if is_corrupted else None,
            is_urgent=is_urgent,
        )
        self._waiting.discard(source.key)
        self._has_captured = True
        if captured.reason is not None:
            self.status = self.status._replace(captured=self.status.captured + 1)
        return captured

    def _moved(self, source: KnownSource, reading: Reading) -> KnownSource:
        """Return a new source as one that goes on, if one that is gone has moved here: same file, nothing missing.

        Where a session is named by its file it has another name now.
        """
        ref = source.ref
        former = self._moving.get((ref.agent, ref.fingerprint.inode)) if source.look is None else None
        look = None if former is None else self.keeping.looks.at(ref.agent, former)
        if former is None or look is None:
            return source
        counts = {session.facts.native_id: len(session.messages) for session in reading.sessions}
        marks = [mark for mark in self.vault.marks(ref.agent, former) if mark.messages]
        has_all = all(mark.messages <= counts.get(mark.native_id, -1) for mark in marks)
        if not has_all and not look.is_of(ref.fingerprint):
            return source
        try:
            self._raise_trouble()
            if not self.vault.moved(ref.agent, former, ref):
                return source
            self.vault.commit()
        except (HoldfastError, OSError) as error:
            self._note(source, error)
            return source
        del self._moving[ref.agent, ref.fingerprint.inode]
        self._found.kept = [one for one in self._found.kept if (one.ref.agent, one.ref.key) != (ref.agent, former)]
        self._found.moved.setdefault(ref.agent, []).append(former)
        moved = self._source(ref, source.agent, source.home)
        gone = {name: emptied(mark) for name, mark in moved.marks.items() if name not in counts}
        return replace(moved, marks={**moved.marks, **gone})

    def _lost(
        self, source: KnownSource, reading: Reading, suspects: Sequence[str], captured: Captured
    ) -> Losses | None:
        """Find out what sessions have lost since the version before, and note it."""
        versions = self.vault.versions(*source.key)
        former = newest_content(versions if captured.reason else versions[:-1])
        if former is None:
            return source.losses
        before = self.keeping.version(source.agent, source.ref, source.home, former)
        earlier = {session.facts.native_id: session.messages for session in before.sessions}
        now = {session.facts.native_id: session.messages for session in reading.sessions}
        lost = {name: gone_since(earlier.get(name, ()), now.get(name, ())) for name in suspects}
        return self._noted(source, {name: count for name, count in lost.items() if count}, former, captured.reason)

    def _closed(self, source: KnownSource) -> Losses | None:
        """Note that a source is gone, with all that it held."""
        self._raise_trouble()
        former = newest_content(self.vault.versions(*source.key))
        reason = "replaced" if os.path.lexists(source.ref.path) else "deleted"
        if self.vault.gone(*source.key, "replaced" if reason == "replaced" else "deleted") is None or former is None:
            return source.losses
        lost = {name: mark.messages for name, mark in source.marks.items() if mark.messages}
        losses = self._noted(source, lost, former, reason) or Losses({}, (former,), reason, is_gone=True)
        return msgspec.structs.replace(losses, is_gone=True)

    def _noted(self, source: KnownSource, lost: Mapping[str, int], former: int, reason: str | None) -> Losses | None:
        """Note losses in the vault; return them with the earlier ones.

        What is lost again of a session, and of it what had come since, is
        there beside what was: `_merged` takes from it what is counted twice.
        """
        known = source.losses
        if not lost:
            return None if known is None else msgspec.structs.replace(known, is_gone=False)
        before, former_bases = (known.messages, known.bases) if known else ({}, ())
        messages = dict(before)
        for name, count in lost.items():
            earlier = before.get(name, 0)
            messages[name] = max(earlier, count) if former in former_bases else earlier + count
            self.vault.lose(*source.key, name, messages[name])
        bases = dict.fromkeys((*former_bases, former))
        return Losses(messages, tuple(bases), reason or "", is_gone=False)

    def _merged(self, source: KnownSource, reading: Reading | None, losses: Losses | None) -> Read | None:
        """Return what the index is to be told; the vault is told where it counts otherwise now."""
        if losses is None:
            return None if reading is None or source.is_indexed else Read.of(source.ref, reading, is_kept=True)
        if reading is not None:
            losses = msgspec.structs.replace(losses, is_gone=False)
        whole = self.keeping.whole(source.agent, source.ref, source.home, losses, reading)
        for session in whole.sessions:
            facts = session.facts
            if facts.native_id in losses.messages and facts.lost_messages != losses.messages[facts.native_id]:
                self.vault.lose(*source.key, facts.native_id, facts.lost_messages)
        return Read.of(source.ref, whole, is_kept=True)

    def _spoilt(self, source: KnownSource, tap: Tap, error: SourceError | OSError, *, is_out: bool) -> Read | None:
        """Return what the vault has of a source that cannot be read.

        Raises:
            SourceError, OSError: it has nothing, or not now.
        """
        reason = error.reason if isinstance(error, SourceError) else "unreadable"
        is_gone = is_missing(source.ref.path) or reason in _REPLACED
        if source.look is None and not is_out and not is_gone:
            self._keep_unread(source, tap)
        if source.look is None or (is_out and source.losses is None):
            raise error
        try:
            if is_gone:
                return self._merged(source, None, source.losses if source.look.is_gone else self._closed(source))
            if reason not in _UNTOLD:
                return self._merged(source, None, self._corrupted(source, tap))
            reading = self.keeping.alone(source.agent, source.ref, source.home, source.losses)
            problems = [*reading.problems, Problem(1, reason)]
            return Read.of(source.ref, msgspec.structs.replace(reading, problems=problems), is_kept=True)
        except (HoldfastError, OSError) as trouble:
            self._note(source, trouble)
            return None

    def _keep_unread(self, source: KnownSource, tap: Tap) -> None:
        """Capture a file of which its reader can make nothing: another version may, or a person."""
        try:
            self._capture(source, tap, [])
        except (HoldfastError, OSError) as trouble:
            log.info("a source of %s that cannot be read is not captured: %s", source.ref.agent, type(trouble).__name__)

    def _corrupted(self, source: KnownSource, tap: Tap) -> Losses | None:
        """Capture a file of which nothing can be read any more, and note that all is lost."""
        former = newest_content(self.vault.versions(*source.key))
        nothing = [emptied(mark) for mark in source.marks.values()]
        captured = self._capture(source, tap, nothing, is_urgent=True, is_corrupted=True)
        if former is None or captured.reason is None:
            return source.losses
        lost = {name: mark.messages for name, mark in source.marks.items() if mark.messages}
        return self._noted(source, lost, former, "corrupted")

    def _raise_trouble(self) -> None:
        """Raise what keeps everything waiting in this pass: it is not tried for each source."""
        if self._trouble is not None:
            raise self._trouble

    def _note(self, source: KnownSource | None, error: HoldfastError | OSError) -> None:
        """Remember that a source waits; what keeps all others waiting too is not tried again in this pass."""
        from holdfast_core.vault.vault import NoSpaceKept

        if source is not None:
            self._waiting.add(source.key)
        if error is self._trouble:
            return
        log.info("the vault does not take a source: %s %s", type(error).__name__, getattr(error, "detail", ""))
        is_short, is_locked = isinstance(error, NoSpaceKept), isinstance(error, Locked)
        is_busy = isinstance(error, Refused) and not isinstance(error, NotNow)
        if is_short or is_busy or source is None or isinstance(error, OSError):
            self._trouble = error
            self.status = self.status._replace(is_locked=is_locked, is_out_of_space=is_short)

    def _tell(self) -> None:
        if self._trouble is None and (self._has_captured or not self._waiting):
            self._failure = ""
            self.status = self.status._replace(is_locked=False, is_out_of_space=False)
        self.status = self.status._replace(waiting=len(self._waiting))
        if self.status != self._told:
            self._told = self.status
            self._on_status(self.status)


def _told_damaged(reading: Reading, tap: Tap, ref: SourceRef) -> Reading:
    """Return a reading that says where a crash left a run of NULs in a text: of several sessions in the last."""
    if not ref.path.endswith(_TEXT) or not any(_NULS in block for _, block in tap.blocks or ()):
        return reading
    if not reading.sessions:
        return reading
    *others, last = reading.sessions
    hit = msgspec.structs.replace(last, facts=msgspec.structs.replace(last.facts, damage="zeroed"))
    return msgspec.structs.replace(reading, sessions=[*others, hit])
