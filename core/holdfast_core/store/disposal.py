"""Held sessions that go: to the trash, back from it, for good, or because a limit says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from holdfast_core import clock
from holdfast_core.model.keeping import Loss, RetentionReport, TrashEntry
from holdfast_core.store import cleaning, trash
from holdfast_core.store.part import Part


class Disposal(Part):
    """The part of a store that lets sessions go; for the rest see `Store`."""

    def loss(self, session_ids: Sequence[str] | None = None) -> Loss:
        """Return what deleting these would take away, of all sessions if None."""
        return trash.loss(self.site, self._ids(session_ids))

    def delete(
        self, session_ids: Sequence[str], *, reason: Literal["person", "retention"] = "person"
    ) -> list[TrashEntry]:
        """Move sessions to the trash.

        Raises:
            Refused: one is open, or a newer Holdfast wrote it; those before it went.
        """
        gone: list[TrashEntry] = []
        try:
            for session_id in session_ids:
                gone += trash.delete(self.site, [session_id], now_ms=clock.now_ms(), reason=reason)
        finally:
            self._tell(removed=[entry.id for entry in gone])
        return gone

    def trash(self) -> list[TrashEntry]:
        """Return what is in the trash, the last deleted first."""
        return trash.trash(self.site)

    def undelete(self, session_ids: Sequence[str]) -> int:
        """Bring sessions back from the trash, byte for byte; returns how many."""
        back = trash.undelete(self.site, session_ids)
        self._tell(added=[entry.id for entry in back])
        return len(back)

    def empty_trash(self, session_ids: Sequence[str] | None = None) -> int:
        """Remove sessions for good, all of the trash if None; nothing of them stays. Returns how many."""
        return trash.empty(self.site, session_ids)

    def retention(self, *, apply: bool) -> RetentionReport:
        """Return how near the limits are; with ``apply`` move what is over them to the trash first."""
        report = cleaning.clean(self.site, now_ms=clock.now_ms(), apply=apply)
        self._tell(removed=report.removed)
        return report

    def _ids(self, session_ids: Sequence[str] | None) -> Sequence[str]:
        return [entry.id for entry in self.site.manifest.entries()] if session_ids is None else session_ids
