"""What a window is made of: the part that is painted first, and the rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.library import Library
from PySide6.QtWidgets import QVBoxLayout, QWidget

from holdfast_gui.actions import memory
from holdfast_gui.actions.browse import Browser
from holdfast_gui.actions.indexing import Indexing
from holdfast_gui.theme import theme
from holdfast_gui.views.window import MainWindow

if TYPE_CHECKING:
    from holdfast_core.model.start import WindowStart
    from holdfast_core.paths import Paths

    from holdfast_gui.actions.context import Context
    from holdfast_gui.actions.desktop import Application
    from holdfast_gui.actions.dragging import Dragging
    from holdfast_gui.actions.importing import Dropping
    from holdfast_gui.actions.memory import Memory
    from holdfast_gui.actions.menus import Menus
    from holdfast_gui.actions.pages import Pages
    from holdfast_gui.actions.saved import SavedSearches
    from holdfast_gui.actions.saying import Saying
    from holdfast_gui.actions.searching import Searching
    from holdfast_gui.actions.traying import Traying
    from holdfast_gui.bridge import Bridge
    from holdfast_gui.crash import Reporter
    from holdfast_gui.tasks import Scope
    from holdfast_gui.tray import Tray


@dataclass(slots=True, kw_only=True)
class Front:
    """What the first paint needs."""

    paths: Paths
    start: WindowStart
    scope: Scope
    memory: Memory
    library: Library
    transcript_place: QVBoxLayout
    window: MainWindow
    browser: Browser
    indexing: Indexing


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything else that one window is made of."""

    context: Context
    bridge: Bridge
    dragging: Dragging
    dropping: Dropping
    menus: Menus
    pages: Pages
    saved: SavedSearches
    saying: Saying
    searching: Searching
    tray: Tray
    traying: Traying

    def put_away(self) -> None:
        """Remember the window and leave nothing behind."""
        self.context.remember()
        self.tray.hide()
        self.bridge.close()
        self.context.keeping.close()
        self.context.guarding.close()
        self.dragging.close()


def assemble_front(application: Application, paths: Paths, start: WindowStart, scope: Scope) -> Front:
    """Make the window with its list, as it was left. Whatever is loaded here delays the first paint."""
    remembered = memory.load(paths.config)
    theme().apply(application, mode=remembered.theme, scale=remembered.font_scale)
    agents_home = Path(start.agents_home) if start.agents_home else None
    library = Library.open(paths, agents_home=agents_home)
    place = QWidget()
    layout = QVBoxLayout(place)
    layout.setContentsMargins(0, 0, 0, 0)
    window = MainWindow(place)
    window.restore_state(remembered.window)
    window.session_list.set_agents(remembered.agents)
    indexing = Indexing(window, library, scope, home=agents_home or Path.home())
    indexing.agents = list(remembered.agents)
    return Front(
        paths=paths,
        start=start,
        scope=scope,
        memory=remembered,
        library=library,
        transcript_place=layout,
        window=window,
        browser=Browser(window, library, scope),
        indexing=indexing,
    )


async def assemble(front: Front, application: Application, reporter: Reporter) -> Parts:
    """Make the rest, a piece at a time, so that the window answers in between."""
    from holdfast_gui.views.transcript.pane import TranscriptPane

    window, library, scope = front.window, front.library, front.scope
    transcript = TranscriptPane()
    front.transcript_place.addWidget(transcript)
    window.focus_reader = transcript.take_focus
    await asyncio.sleep(0)
    from holdfast_gui.actions.commands import CommandLine, Commands
    from holdfast_gui.actions.context import Context
    from holdfast_gui.actions.declared import declared
    from holdfast_gui.actions.dragging import Dragging
    from holdfast_gui.actions.guarding import Guarding
    from holdfast_gui.actions.importing import Dropping
    from holdfast_gui.actions.keeping import Keeping
    from holdfast_gui.actions.keyboard import PlainKeys
    from holdfast_gui.actions.menus import Menus
    from holdfast_gui.actions.pages import Pages
    from holdfast_gui.actions.reading import Reading
    from holdfast_gui.actions.registry import Actions
    from holdfast_gui.actions.saved import SavedSearches
    from holdfast_gui.actions.saying import Saying
    from holdfast_gui.actions.searching import Searching
    from holdfast_gui.actions.traying import Traying
    from holdfast_gui.actions.troubles import Troubles
    from holdfast_gui.bridge import Bridge
    from holdfast_gui.tray import Tray
    from holdfast_gui.views.palette import Palette
    from holdfast_gui.views.toast import Toast

    await asyncio.sleep(0)
    toast = Toast(window)
    reading, troubles = Reading(window, transcript, library, scope), Troubles(window, toast, front.paths)
    keeping = Keeping(window, library, scope, browser=front.browser, reading=reading, troubles=troubles)
    window.detail.home = front.start.agents_home or str(Path.home())
    context = Context(
        paths=front.paths,
        overrides=front.start.overrides,
        window=window,
        transcript=transcript,
        library=library,
        scope=scope,
        memory=front.memory,
        browser=front.browser,
        reading=reading,
        indexing=front.indexing,
        troubles=troubles,
        keeping=keeping,
        guarding=Guarding(window, library, scope, reading=reading),
        toast=toast,
    )
    actions = Actions(context, declared())
    actions.set_keys(front.memory.keys)
    context.complete(actions, Commands(context, Palette(window), CommandLine.of(front.start)))
    PlainKeys(application)
    tray = Tray(actions.in_tray(), window)
    return Parts(
        context=context,
        bridge=Bridge(library, window),
        dragging=Dragging(context, reporter),
        dropping=Dropping(context),
        menus=Menus(context),
        pages=Pages(context),
        saved=SavedSearches(context),
        saying=Saying(context),
        searching=Searching(context),
        tray=tray,
        traying=Traying(context, tray),
    )
