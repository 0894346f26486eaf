"""The page of agents: read when it comes into sight and when the index changed; homes are added and taken away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import HoldfastError
from holdfast_core.model.agent import AgentDrift
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog, QFileDialog

from holdfast_gui.actions.homes import HOMES, add_home, homes, keep_homes
from holdfast_gui.models.places import Place
from holdfast_gui.tasks import Latest, ask
from holdfast_gui.text import tr
from holdfast_gui.views.agents import AgentsPage, Found, HomeRow

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

_FIXED = ("environment", "command line")


class Surveying(QObject):
    """Keeps one page of agents in line with what is known of them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._asking = Latest(context.scope, "agents")
        self._looking = Latest(context.scope, "sessions in unknown places")
        self.page = page = AgentsPage()
        page.looked_at.connect(self._on_looked_at)
        page.list_wanted.connect(self._show_list)
        page.add_wanted.connect(context.scope.slot(self.add))
        page.remove_wanted.connect(context.scope.slot(self.remove))
        page.state.action_pressed.connect(self._act)
        context.indexing.counted.connect(self._look_again)

    async def add(self) -> None:
        """Look for agents in one more home, which the person chooses."""
        context = self._context
        picker = QFileDialog(context.window, tr("Look for agents in this home too"))
        picker.setFileMode(QFileDialog.FileMode.Directory)
        picker.setOption(QFileDialog.Option.ShowDirsOnly)
        picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
        if await ask(picker) != QDialog.DialogCode.Accepted or not picker.selectedFiles():
            return
        home, agents = await context.library.survey.home_at(Path(picker.selectedFiles()[0]))
        await add_home(context, home, agents)
        self._look()

    async def remove(self, path: str) -> None:
        """Look no more in a home. Its sessions leave the list; its files stay as they are."""
        await keep_homes(self._context, [home for home in await homes(self._context) if home != path])
        self._look()

    def _on_looked_at(self, is_seen: bool) -> None:
        if is_seen:
            self._look()
            self._looking.start(self._bring_strangers())
        else:
            self._looking.cancel()

    def _look_again(self) -> None:
        if self.page.isVisible():
            self._look()

    def _look(self) -> None:
        self._asking.start(self._bring())

    def _act(self) -> None:
        """Do what the one button of an empty page says."""
        if self.page.is_failed:
            self._look()
        else:
            self.page.add_wanted.emit()

    async def _bring(self) -> None:
        library = self._context.library
        try:
            agents = await library.agents()
            drift = await library.survey.drift()
        except HoldfastError as error:
            self.page.fail(str(error))
            return
        read = await self._context.read_settings()
        texts = read.settings.extra_homes
        rows = list(map(HomeRow, texts, await library.survey.reachable(texts)))
        found = []
        for info in agents:
            one = drift.get(info.agent, AgentDrift(info.agent))
            found.append(Found(info, one, one.alarm_words(info.name), tuple(one.drift_words(info.name))))
        self.page.set_agents(found, home=str(library.survey.home))
        self.page.set_homes(rows, can_change=read.sources[HOMES] not in _FIXED)

    async def _bring_strangers(self) -> None:
        survey = self._context.library.survey
        self.page.set_strangers(await survey.recognise(), names=survey.names(), home=str(survey.home))

    def _show_list(self, agent: str) -> None:
        name = next((info.name for info in self._context.indexing.agents if info.agent == agent), agent)
        self._context.browser.go_to(Place("agent", agent, f"agent:{agent}", name))
