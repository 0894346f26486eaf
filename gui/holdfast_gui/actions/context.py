"""What an action may touch."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from holdfast_core.observe import Observers
from holdfast_core.paths import Paths
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from holdfast_gui.actions.memory import Memory, save
from holdfast_gui.actions.registry import Actions, Run
from holdfast_gui.notify import Kind, Notifier
from holdfast_gui.tasks import Scope
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.notice import NoticeAction

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.model.session import SessionEntry
    from holdfast_core.settings import Settings, SettingsRead

    from holdfast_gui.actions.browse import Browser
    from holdfast_gui.actions.guarding import Guarding
    from holdfast_gui.actions.indexing import Indexing
    from holdfast_gui.actions.keeping import Keeping
    from holdfast_gui.actions.reading import Reading
    from holdfast_gui.actions.troubles import Troubles
    from holdfast_gui.views.toast import Toast
    from holdfast_gui.views.transcript.pane import TranscriptPane
    from holdfast_gui.views.window import MainWindow


class Openable(Protocol):
    """What can be opened with some text in it: the palette."""

    def open(self, text: str = "") -> None:
        """Open it."""


@dataclass(slots=True, weakref_slot=True, kw_only=True, eq=False)
class Context:
    """The parts of one running window. ``app`` fills it in order; an action finds all of it there."""

    paths: Paths
    window: MainWindow
    transcript: TranscriptPane
    library: Library
    scope: Scope
    memory: Memory
    browser: Browser
    reading: Reading
    indexing: Indexing
    troubles: Troubles
    keeping: Keeping
    guarding: Guarding
    toast: Toast
    notifier: Notifier = field(default_factory=Notifier)
    overrides: Mapping[str, str] = field(default_factory=dict)
    settings: Settings | None = None
    settled: Observers[Settings] = field(default_factory=Observers)
    """Tells of settings that count from now on."""
    _actions: Actions | None = None
    _commands: Openable | None = None

    @property
    def actions(self) -> Actions:
        """The live actions of the window."""
        assert self._actions is not None
        return self._actions

    @property
    def commands(self) -> Openable:
        """The palette."""
        assert self._commands is not None
        return self._commands

    def complete(self, actions: Actions, commands: Openable) -> None:
        """Take what can only be made from a context."""
        self._actions = actions
        self._commands = commands

    @property
    def selected_ids(self) -> list[str]:
        """The sessions that an action is about: those selected, else the one that is open."""
        chosen = self.window.session_list.selected_ids()
        return chosen or ([self.reading.session_id] if self.reading.session_id else [])

    @property
    def entry(self) -> SessionEntry | None:
        """The one session that an action is about; None if there is none or are several."""
        ids = self.selected_ids
        if len(ids) != 1 or ids[0] == self.reading.gone_id:
            return None
        opened = self.reading.entry
        return opened if opened and opened.id == ids[0] else self.window.session_list.model.entry_of(ids[0])

    def perform(self, name: str, run: Run) -> None:
        """Run what an action does. What fails at once rises, what fails later is reported."""
        result = run(self)
        if inspect.iscoroutine(result):
            self.scope.spawn(result, name)

    def refresh(self) -> None:
        """Bring the actions in line with what is selected and shown."""
        if self._actions is not None:
            self._actions.refresh()

    def raise_window(self) -> None:
        """Bring the window to the front, from the tray and from the task bar."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def start_stopping(self) -> None:
        """End the application as soon as everything has been put away."""
        self.scope.stop.set()

    def take_agents(self) -> None:
        """Let everyone know the agents' names and colours."""
        agents = {agent.agent: agent for agent in self.indexing.agents}
        self.browser.agents = self.reading.agents = agents
        self.window.session_list.set_agents(self.indexing.agents)
        self.memory.agents = list(self.indexing.agents)
        self.refresh()

    async def take_settings(self) -> None:
        """Read the settings at the start; what of them the first paint needs is remembered for the next one."""
        read = await self.read_settings()
        self._use(read.settings)
        self.indexing.is_paused = read.settings.start_paused
        if read.problems:
            self.troubles.tell(" ".join(read.problems), NoticeAction("application.settings", tr("Open settings…")))
        self.library.settings_changed.add(self._hear_of_settings)

    def _hear_of_settings(self, _: None) -> None:
        self.scope.spawn(self.follow_settings(), "settings that a command line wrote")

    async def follow_settings(self) -> None:
        """Let settings count that were changed meanwhile, as far as that needs no new start."""
        lists_subagents = self.browser.shows_subagents
        self._use((await self.read_settings()).settings)
        if self.browser.shows_subagents != lists_subagents:
            self.browser.ask()
        self.refresh()

    async def read_settings(self) -> SettingsRead:
        """Return the settings of this run and where each comes from."""
        return await asyncio.get_running_loop().run_in_executor(None, self._read_settings)

    def _use(self, settings: Settings) -> None:
        before, self.settings = self.settings, settings
        self.library.use_settings(settings)
        if before is None or before.show_subagents != settings.show_subagents:
            self.browser.shows_subagents = settings.show_subagents
        if (self.memory.theme, self.memory.font_scale) != (settings.theme, settings.font_scale):
            self.memory.theme, self.memory.font_scale = settings.theme, settings.font_scale
            application = QApplication.instance()
            if isinstance(application, QApplication):
                theme().apply(application, mode=settings.theme, scale=settings.font_scale)
        self.settled.notify(settings)

    def _read_settings(self) -> SettingsRead:
        """In a thread: pydantic takes longer to load than the first paint."""
        from holdfast_core.settings import read_settings

        return read_settings(self.paths, os.environ, self.overrides)

    def remember(self) -> None:
        """Keep the window as it is for the next start."""
        self.memory.window = self.window.save_state()
        save(self.paths.config, self.memory)

    def change_keys(self, keys: dict[str, list[str]]) -> None:
        """Use these shortcuts over the declared ones from now on, in later starts too."""
        self.memory.keys = dict(keys)
        self.actions.set_keys(keys)
        save(self.paths.config, self.memory)

    def notify(self, kind: Kind, *, is_wanted: bool) -> None:
        """Show notifications of a kind from now on, or none, in later starts too."""
        others = [name for name in self.memory.muted if name != kind]
        self.memory.muted = others if is_wanted else [*others, str(kind)]
        self.notifier.muted = {known for known in Kind if known in self.memory.muted}
        save(self.paths.config, self.memory)
        self.refresh()

    def copy(self, text: str, said: str) -> None:
        """Put plain text on the clipboard and say so."""
        data = QMimeData()
        data.setText(text)
        QGuiApplication.clipboard().setMimeData(data)
        self.toast.say(said)
