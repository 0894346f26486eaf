"""The page of what agents are about to delete: read when it comes into sight and after each look at the agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject

from holdfast_gui.actions.application import open_settings
from holdfast_gui.actions.leading import show_session
from holdfast_gui.tasks import Latest
from holdfast_gui.text import counted, project_name
from holdfast_gui.views.expiring import ExpiringPage, Going, Rule

if TYPE_CHECKING:
    from holdfast_core.model.vault import Expiring

    from holdfast_gui.actions.context import Context


class Expecting(QObject):
    """Keeps one page of what goes next in line with how things are."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._asking = Latest(context.scope, "what agents delete")
        self.page = page = ExpiringPage()
        page.looked_at.connect(self._on_looked_at)
        page.session_wanted.connect(context.scope.slot(lambda session_id: show_session(context, session_id)))
        page.keep_wanted.connect(context.scope.slot(self.keep))
        page.state.action_pressed.connect(self._try_again)
        context.indexing.counted.connect(self._look_again)

    async def keep(self) -> None:
        """Look through all sessions, which keeps what is not kept yet; where nothing is kept, lead to that setting."""
        context = self._context
        if context.settings is not None and not context.settings.vault_enabled:
            await open_settings(context, "vault_enabled")
            return
        self.page.keep_button.setEnabled(False)
        try:
            await context.library.update()
        except HoldfastError as error:
            context.toast.say(str(error))
        finally:
            self.page.keep_button.setEnabled(True)
        self._look()

    def _on_looked_at(self, is_seen: bool) -> None:
        if is_seen:
            self._look()
        else:
            self._asking.cancel()

    def _look_again(self) -> None:
        if self.page.isVisible():
            self._look()

    def _try_again(self) -> None:
        self.page.load_again()
        self._look()

    def _look(self) -> None:
        if not self._asking.is_running:
            self._asking.start(self._bring())

    async def _bring(self) -> None:
        vaulted = self._context.library.vaulted
        names = {agent.agent: agent.name for agent in self._context.indexing.agents}
        try:
            found = await vaulted.expiring()
            rules = [Rule(names.get(rule.agent, rule.agent), rule.days, rule.setting) for rule in await vaulted.rules()]
            removed = await vaulted.removed()
            going = await self._told(found)
        except (HoldfastError, OSError) as error:
            self.page.fail(str(error))
            return
        self.page.set_expiring(going, rules, removed)

    async def _told(self, found: list[Expiring]) -> list[Going]:
        """Return what a list shows of sessions; those that are not listed any more are left out."""
        agents = {agent.agent: agent for agent in self._context.indexing.agents}
        entries = {
            one.id: one for one in await self._context.library.vaulted.entries([one.session_id for one in found])
        }
        going = []
        for one in found:
            entry = entries.get(one.session_id)
            if entry is None:
                continue
            info = agents.get(entry.agent)
            parts = [info.name if info else entry.agent, project_name(entry.project_path)]
            parts.append(counted(entry.message_count, "message", "messages"))
            facts = " · ".join(part for part in parts if part)
            going.append(Going(one, entry.title, facts, info.mark if info else "", info.hue if info else 220))
        return going
