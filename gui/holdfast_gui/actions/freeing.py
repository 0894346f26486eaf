"""The storage page: its figures, what can be freed at the agents, and the way back from the vault."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from holdfast_core.model.vault import PartShares
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QDialog

from holdfast_gui.actions.application import open_settings
from holdfast_gui.actions.leading import show_list
from holdfast_gui.tasks import Latest, ask
from holdfast_gui.text import age, counted, project_name, size, tr
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.storage import OFFERED, Freeable, StoragePage

if TYPE_CHECKING:
    from holdfast_core.model.vault import Candidate, Freed

    from holdfast_gui.actions.context import Context

EVERY_MS: Final = 5000
REST: Final = 20  # times as long as the question took: looking at the page never keeps the machine busy
_NOTES: Final = 4


class Freeing(QObject):
    """Keeps one storage page in line with how things are, and frees what the person chooses."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._asking = Latest(context.scope, "storage")
        self._measuring = Latest(context.scope, "what sessions are made of")
        self._is_failed = False
        self._is_enabled = True
        self.page = page = StoragePage()
        slot = context.scope.slot
        page.looked_at.connect(self._on_looked_at)
        page.list_wanted.connect(partial(show_list, context))
        page.free_wanted.connect(slot(self.free))
        page.measure_wanted.connect(self._measure)
        page.verify_wanted.connect(lambda: context.actions.run("vault.verify"))
        page.state.action_pressed.connect(slot(self._act))
        context.indexing.counted.connect(self._look_again)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)

    async def free(self, session_ids: Sequence[str]) -> None:
        """Move the agents' files of sessions to the system's trash, once the person has seen what that means."""
        context, vaulted = self._context, self._context.library.vaulted
        self.page.set_busy(tr("Comparing every byte with what is kept …"))
        try:
            plan = await vaulted.freeable(session_ids)
            if await ask(_question(context, plan)) != QDialog.DialogCode.Accepted:
                return
            self.page.set_busy(tr("Moving to the trash …"))
            context.guarding.undone.update(session_ids)  # what the person moves away is no loss to be told of
            done = await vaulted.free(session_ids)
            await self._forget_kept(session_ids, done.paths)
        except (HoldfastError, OSError) as error:
            context.troubles.tell(str(error))
            return
        finally:
            self.page.set_busy("")
            self._look()
        if not done.paths:
            context.troubles.tell(" ".join(done.notes) or tr("Nothing was moved."))
            return
        words = tr("{size} are in the system's trash").format(size=size(done.bytes))
        context.toast.say(words, tr("Undo"), partial(context.scope.slot(self.give_back), session_ids))

    async def _forget_kept(self, session_ids: Sequence[str], paths: Sequence[str]) -> None:
        """Tell again of losses of sessions whose files stayed."""
        entries = await self._context.library.vaulted.entries(session_ids)
        self._context.guarding.undone.difference_update(one.id for one in entries if one.source_path not in paths)

    async def give_back(self, session_ids: Sequence[str]) -> None:
        """Give the agents back what was freed, from the vault."""
        context = self._context
        failed: list[str] = []
        self.page.set_busy(tr("Giving back from the vault …"))
        try:
            for session_id in session_ids:
                try:
                    await context.library.vaulted.restore(session_id)
                except (HoldfastError, OSError) as error:
                    failed.append(str(error))
        finally:
            self.page.set_busy("")
            self._look()
        if failed:
            context.troubles.tell(" ".join(dict.fromkeys(failed)))
        else:
            back = counted(len(session_ids), "session is", "sessions are")
            context.toast.say(tr("{sessions} with their agents again").format(sessions=back))

    def _on_looked_at(self, is_seen: bool) -> None:
        if is_seen:
            self._look()
        else:
            self._timer.stop()
            self._asking.cancel()

    def _look_again(self) -> None:
        if self.page.isVisible():
            self._look()

    def _look(self) -> None:
        if not self._asking.is_running:
            self._timer.stop()
            self._asking.start(self._bring_again())

    def _measure(self) -> None:
        self.page.set_parts(None)
        self._measuring.start(self._bring_parts())

    async def _act(self) -> None:
        """Do what the one button of a page without figures says."""
        if self._is_failed:
            self.page.load_again()
            self._look()
        elif not self._is_enabled:
            await open_settings(self._context, "vault_enabled")
        else:
            await self._context.library.rescan()
            self._context.toast.say(tr("Looking for new sessions"))

    async def _bring_again(self) -> None:
        started = clock.monotonic_seconds()
        await self._bring()
        if self.page.isVisible():
            self._timer.start(max(EVERY_MS, round(REST * 1000 * (clock.monotonic_seconds() - started))))

    async def _bring(self) -> None:
        vaulted = self._context.library.vaulted
        names = {agent.agent: agent.name for agent in self._context.indexing.agents}
        try:
            uses, status = await vaulted.usage(), await vaulted.status()
            found = await vaulted.candidates(limit=OFFERED)
            offered = await self._told(found)
        except (HoldfastError, OSError) as error:
            self._is_failed = True
            self.page.fail(str(error))
            return
        self._is_failed, self._is_enabled = False, status.is_enabled
        self.page.set_usage(uses, status, names, now=clock.now())
        unproved = sum(use.source_bytes - use.free_bytes for use in uses)
        self.page.set_freeable(offered, unproved=unproved)

    async def _bring_parts(self) -> None:
        found = PartShares()
        try:
            found = await self._context.library.vaulted.parts()
        except HoldfastError as error:
            self._context.troubles.tell(str(error))
        finally:
            self.page.set_parts(found)

    async def _told(self, found: Sequence[Candidate]) -> list[Freeable]:
        agents = {agent.agent: agent for agent in self._context.indexing.agents}
        rows = await self._context.library.vaulted.entries([one.session_id for one in found])
        entries, now = {row.id: row for row in rows}, clock.now()
        offered = []
        for one in found:
            entry = entries.get(one.session_id)
            if entry is None or entry.state == "live":
                continue
            info = agents.get(entry.agent)
            parts = (info.name if info else entry.agent, project_name(entry.project_path), age(one.modified_ms, now))
            facts = " · ".join(part for part in parts if part)
            offered.append(
                Freeable(
                    one.session_id,
                    entry.title,
                    facts,
                    one.size_bytes,
                    info.mark if info else "",
                    info.hue if info else 220,
                )
            )
        return offered


def _question(context: Context, plan: Freed) -> ConfirmSheet:
    """Return what is asked before files go: what goes where, that it is verified, how it comes back."""
    notes = " ".join(plan.notes[:_NOTES])
    message = tr(
        "The agents no longer find these sessions. Here they stay as readable as before, also under “Lost at the "
        "source” until they are given back."
    )
    kept = tr("Every byte was compared just now with what is kept here, and is the same.")
    if not plan.paths:
        return ConfirmSheet(context.window, title=tr("Nothing of this can go now"), message=notes)
    return ConfirmSheet(
        context.window,
        title=tr("Move {files} to the system's trash?").format(files=counted(len(plan.paths), "file", "files")),
        message=message,
        figures=[
            (tr("file" if len(plan.paths) == 1 else "files"), f"{len(plan.paths):,}"),
            (tr("at the agents"), size(plan.bytes)),
        ],
        kept=f"{kept} {notes}".strip(),
        consequence=tr("Undo gives the files back to their agents; later “Restore” in each session does."),
        confirm=tr("Move to trash"),
    )
