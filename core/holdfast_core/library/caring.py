"""What is done for held sessions beside what is said in them: trash, limits, backups, repair."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from holdfast_core import clock
from holdfast_core.errors import Refused
from holdfast_core.library.works import Works
from holdfast_core.model.held import HeldSession
from holdfast_core.model.keeping import StartSummary, VerifyReport

if TYPE_CHECKING:
    from holdfast_core.model.keeping import Backup, HeldProblem, Loss, RetentionReport, TrashEntry, Unclean


class Caring(Works):
    """The part of `Held` that looks after sessions."""

    async def loss(self, session_ids: Sequence[str] | None = None) -> Loss:
        """Return what deleting these would take away; all that can be deleted if None."""
        ids = [entry.id for entry in await self.entries()] if session_ids is None else list(session_ids)
        return await self._do("session.loss", "", lambda store: store.loss(ids), is_reading=True)

    async def delete(self, session_ids: Sequence[str]) -> list[TrashEntry]:
        """Move sessions to the trash, from which `undelete` brings them back; those that `Loss.kept` counts stay.

        Raises:
            Refused: all of them are live, starred, or tagged ``keep``.
        """
        from holdfast_core.store.retention import is_protected

        entries = await self._each("", list(dict.fromkeys(session_ids)), lambda store, one: store.entry(one))
        going = [entry.id for entry in entries if not is_protected(entry)]
        if entries and not going:
            raise Refused("Sessions that are live, starred or tagged keep stay. Close them, or take star and tag off.")
        gone = await self._each("session.delete", going, lambda store, one: store.delete([one]))
        return [entry for entries_of_one in gone for entry in entries_of_one]

    async def clear(self) -> list[TrashEntry]:
        """Move all sessions to the trash but those that are live, starred, or tagged ``keep``."""
        from holdfast_core.store.retention import is_protected

        ids = [entry.id for entry in await self.entries() if not is_protected(entry)]
        return await self.delete(ids) if ids else []

    async def trash(self) -> list[TrashEntry]:
        """Return what is in the trash, last deleted first."""
        return await self._look(lambda store: store.trash(), [])

    async def undelete(self, session_ids: Sequence[str]) -> int:
        """Bring sessions back from the trash and return how many."""
        return sum(await self._each("session.undelete", session_ids, lambda store, one: store.undelete([one])))

    async def empty_trash(self, session_ids: Sequence[str] | None = None) -> int:
        """Remove sessions for good, all of the trash if None; nothing of them stays. Returns how many."""
        ids = [entry.id for entry in await self.trash()] if session_ids is None else list(session_ids)
        count = sum(await self._each("session.purge", ids, lambda store, one: store.empty_trash([one])))
        with suppress(Refused):  # who writes to the index now does it
            await self._library.showing.gone()
        return count

    async def clean(self, *, apply: bool = True) -> RetentionReport:
        """Return how near the limits are; with ``apply`` move what is over them to the trash."""
        await self.start_check()
        return await self._do("store.clean", "", lambda store: store.retention(apply=apply), is_reading=not apply)

    async def overdue(self) -> list[str]:
        """Return the sessions that a clean-up would move to the trash, oldest first."""
        from holdfast_core.store.retention import choose

        entries = await self.entries()
        limits = await self._look(lambda store: store.site.limits, None)
        chosen = [] if limits is None else choose(entries, limits, now_ms=clock.now_ms())
        return [entry.id for entry in chosen]

    async def backups(self, session_id: str) -> list[Backup]:
        """Return the earlier states of a session, newest first."""
        return await self._look(lambda store: store.backups(session_id), [])

    async def backup(self, session_ids: Sequence[str] | None = None) -> int:
        """Keep the present state of sessions as a backup, of all if None; returns how many."""
        ids = [entry.id for entry in await self.entries()] if session_ids is None else list(session_ids)
        await self._do("store.backup", "", lambda store: store.backup(ids))
        return len(ids)

    async def restore(self, session_id: str, version: int | None = None) -> HeldSession:
        """Put an earlier state in place of the present one, which becomes a backup; the newest valid one if None.

        Raises:
            NotFound: there is no such backup.
        """
        await self._do("session.restore", session_id, lambda store: store.restore(session_id, version))
        return await self.load(session_id)

    async def verify(self, session_ids: Sequence[str] | None = None) -> VerifyReport:
        """Check every byte against its signature; what is bad is taken from a good backup where there is one."""
        ids = None if session_ids is None else list(session_ids)
        return await self._look(
            lambda store: store.verify(ids), VerifyReport(0), operation="verify", event="store.verify"
        )

    async def repair(self) -> StartSummary:
        """Put right what can be: the list, permissions, sessions that have a valid backup; return what was done."""
        closed = await self._library.in_thread(self._close_directories)
        if not self.parts.has_store:
            return StartSummary(wrong_permissions=closed)
        found = await self._do("store.repair", "", lambda store: store.repair())
        return msgspec.structs.replace(found, wrong_permissions=found.wrong_permissions + closed)

    def _close_directories(self) -> int:
        """Let nobody else into our directories; returns how many were open to others."""
        from holdfast_core.store.permissions import repair
        from holdfast_core.store.site import told_when_failing

        with told_when_failing():
            return repair(self._own_directories())

    async def migrate(self) -> int:
        """Write sessions of earlier versions in the present form, with a backup each; returns how many."""
        await self.start_check()
        return await self._look(lambda store: store.migrate(), 0, event="store.migrate")

    async def problems(self) -> list[HeldProblem]:
        """Return the sessions that cannot be used as they are, and what can be done about each."""
        await self.start_check()
        return await self._look(lambda store: store.problems(), [])

    async def recovery(self) -> list[Unclean]:
        """Return the sessions that were live when their host died, with what can be done; live ones of now are none."""
        await self.start_check()
        return await self._look(lambda store: store.unclean(), [])
