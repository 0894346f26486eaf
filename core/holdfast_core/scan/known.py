"""What the vault knows of a source that is being read, and what follows from that for a reading of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from holdfast_core.agents.base import Agent, Home, Reading, SessionRead, SourceRef
from holdfast_core.index.change import Read
from holdfast_core.scan.kept import Losses
from holdfast_core.scan.losses import only_grew, tip_of

if TYPE_CHECKING:
    from holdfast_core.vault.looks import Look
    from holdfast_core.vault.vault import Mark


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source: what it looked like when it was captured, what it has lost since, and its sessions by native id.

    ``is_indexed``: the index has it as it is now, and only the vault has not.
    """

    ref: SourceRef
    agent: Agent
    home: Home
    look: Look | None
    losses: Losses | None
    marks: dict[str, Mark]
    is_indexed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """By what the vault knows it."""
        return self.ref.agent, self.ref.key

    def marks_after(self, reading: Reading) -> list[Mark]:
        """Return all its sessions; where they are read whole each time with what tells later if they only grew."""
        from holdfast_core.vault.vault import Mark

        found = dict(self.marks) if reading.was_continued else {}
        is_whole = reading.checkpoint is None or reading.is_shared
        for session in reading.sessions:
            facts, first = session.facts, session.first_index
            tip = tip_of(session.messages) if is_whole and not first else b""
            count = first + len(session.messages)
            found[facts.native_id] = Mark(facts.native_id, count, tip, facts.project_path, facts.kind)
        gone = {name: emptied(mark) for name, mark in self.marks.items() if name not in found}
        return [*found.values(), *gone.values()]

    def suspects(self, reading: Reading) -> list[str]:
        """Return the sessions that may have lost something since they were captured, also if they had before."""
        now = {session.facts.native_id: session for session in reading.sessions}
        return [
            name for name, mark in self.marks.items() if mark.messages and not _is_whole(mark, now.get(name), reading)
        ]

    def fewer(self, reading: Reading) -> list[str]:
        """Return the sessions of which there are fewer messages than were captured."""
        if reading.was_continued:
            return []
        counts = _counts(reading)
        return [name for name, mark in self.marks.items() if mark.messages > counts.get(name, 0)]

    def without_loss(self, reading: Reading) -> Read | None:
        """Return what the index may be told without the vault; None if something would leave it."""
        if self.losses is not None or self.is_indexed:
            return None
        if reading.was_continued and not reading.is_shared:
            return Read.of(self.ref, reading)
        counts, missing = _counts(reading), 1 << 62 if reading.was_continued else -1
        if any(mark.messages > counts.get(name, missing) for name, mark in self.marks.items() if mark.messages):
            return None
        return Read.of(self.ref, reading)


def emptied(mark: Mark) -> Mark:
    """Return the mark of a session that is not in its source any more."""
    return msgspec.structs.replace(mark, messages=0, tip=b"")


def _counts(reading: Reading) -> dict[str, int]:
    return {session.facts.native_id: session.first_index + len(session.messages) for session in reading.sessions}


def _is_whole(mark: Mark, session: SessionRead | None, reading: Reading) -> bool:
    if session is None:
        return reading.was_continued
    if reading.was_continued and not reading.is_shared:
        return True
    return session.first_index == 0 and only_grew(mark.messages, mark.tip, session.messages)
