"""The transcript pane: find bar, transcript and rail, and what stands in their place while there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.session import Session
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from holdfast_gui.models.parts import Group
from holdfast_gui.models.transcript import HIT_LIMIT
from holdfast_gui.theme import theme
from holdfast_gui.views.transcript.accessibility import announce, install
from holdfast_gui.views.transcript.closed import ClosedPanel
from holdfast_gui.views.transcript.find_bar import FindBar
from holdfast_gui.views.transcript.floating import JumpPill, Tools
from holdfast_gui.views.transcript.outline import OutlinePanel
from holdfast_gui.views.transcript.rail import Rail, RailMarks
from holdfast_gui.views.transcript.states import StateView
from holdfast_gui.views.transcript.view import TranscriptView

KINDS: dict[str, Group] = {
    "prompts": Group.PROMPTS,
    "answers": Group.ANSWERS,
    "tools": Group.TOOLS,
    "errors": Group.ERRORS,
    "thinking": Group.THINKING,
}


class TranscriptPane(QWidget):
    """Shows one session. Emits what the person asks for; loads, opens and fetches nothing.

    ``session_wanted`` asks to open a subagent's session, ``child_wanted`` to
    load it and hand it to `add_child`.
    """

    session_wanted = Signal(str)
    link_clicked = Signal(str)
    child_wanted = Signal(str)
    context_menu_wanted = Signal(QPoint)
    filter_changed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TranscriptView(self)
        self.rail = Rail(self)
        self.find_bar = FindBar(self)
        self.find_bar.hide()
        self._state = StateView(self)
        self.closed = ClosedPanel(self)
        self._kinds: frozenset[str] = frozenset()
        self._pill = JumpPill(self)
        self._tools = Tools(KINDS, self)
        self._outline = OutlinePanel(self.view.model, self)
        self._lay_out()
        self._connect()
        install()
        self.view.setAccessibleName(self.tr("Transcript"))
        self.view.current_part_changed.connect(lambda part: announce(self.view, part))
        self.clear()

    # What is shown

    def set_session(self, session: Session, agent: AgentInfo, children: Mapping[str, Session] | None = None) -> None:
        """Show a session from its beginning; ``children`` are subagents' sessions by id, to be shown in place."""
        if self._kinds:
            self.set_filter(())
        self.close_find()
        self.view.set_session(session, agent, children)
        self._pill.hide()
        self._show(0)
        if not session.messages:
            self.show_empty(self.tr("Nothing was said in this session."))

    def append(self, session: Session, first_index: int) -> None:
        """Take a newer state of the session, changed from message ``first_index`` on; the place is kept."""
        was_at_end = self.view.append(session, first_index)
        self._pill.setVisible(not was_at_end)
        self._place_floating()
        self._show(0)

    def add_child(self, session: Session) -> None:
        """Give a subagent's session, after `child_wanted` or before; its call shows it in place while it is open."""
        self.view.add_child(session)

    def clear(self) -> None:
        """Show that no session is chosen."""
        self.close_find()
        self.show_empty(self.tr("Choose a session to read it here."))

    def show_empty(self, text: str) -> None:
        """Show a sentence instead of a session."""
        self._state.show_state("empty", text)
        self._show(1)

    def show_loading(self) -> None:
        """Show that a session is on its way."""
        self._state.show_state("loading")
        self._show(1)

    def show_closed(self) -> None:
        """Show what `closed` says of a session in place of its words."""
        self._show(2)

    def show_error(self, text: str) -> None:
        """Show why there is no session, in whole sentences."""
        self._state.show_state("error", text)
        self._show(1)

    # Finding

    def open_find(self) -> None:
        """Show the find bar with the keyboard in it."""
        self.find_bar.open()

    def close_find(self) -> None:
        """Hide the find bar and forget its hits."""
        if self.find_bar.field.hasFocus():
            self.view.setFocus()
        self.find_bar.hide()
        self.find_bar.set_text("")
        self.view.finder.start(())

    def find(self, text: str) -> None:  # type: ignore[override]  # Qt's is a static look-up by window id, no method
        """Look for a phrase from here on; hits in closed parts count and open them when they are gone to."""
        if self.find_bar.field.text() != text:
            self.find_bar.set_text(text)
        self.view.finder.start((text,) if text.strip() else (), from_part=self.view.column.first_part)

    def set_hits(self, terms: Sequence[str], *, jumps: bool = False) -> None:
        """Mark the words that a search found, each for itself; ``jumps`` goes to the first."""
        terms = [term for term in terms if term.strip()]
        self.find_bar.set_text(" ".join(terms))
        self.find_bar.setVisible(bool(terms))
        self.view.finder.start(terms, from_part=self.view.column.first_part, jumps=jumps)

    def find_next(self) -> None:
        """Go to the next hit."""
        self.view.finder.step(1)

    def find_previous(self) -> None:
        """Go to the previous hit."""
        self.view.finder.step(-1)

    # Moving

    def scroll_to_message(self, index: int) -> None:
        """Bring a message to the top, as soon as it is built, or the first word in it that `set_hits` marks."""
        self.view.scroll_to_message(index, to_hit=True)

    def next_prompt(self) -> None:
        """Go to the next prompt."""
        self.view.step_prompt(1)

    def previous_prompt(self) -> None:
        """Go to the previous prompt."""
        self.view.step_prompt(-1)

    def open_outline(self) -> None:
        """Open the list of prompts."""
        self._tools.outline.click()

    def scroll_to_end(self) -> None:
        """Go to the newest line and stay there while the session grows."""
        self.view.scroll_to_end()

    # Choosing and copying

    def set_filter(self, kinds: Iterable[str]) -> None:
        """Show only some of prompts, answers, tools, errors and thinking; none of them means all."""
        self._kinds = frozenset(kinds) & KINDS.keys()
        groups = 0
        for kind in self._kinds:
            groups |= KINDS[kind]
        self.view.show_groups(groups or Group.ALL)
        self._tools.set_kinds(self._kinds)
        self.filter_changed.emit(sorted(self._kinds))

    @property
    def filter(self) -> frozenset[str]:
        """The kinds that are shown; empty for all."""
        return self._kinds

    def copy_selection(self, *, as_plain: bool = False) -> bool:
        """Put what is selected on the clipboard, as Markdown or plain; returns whether there was anything."""
        return self.view.copy(as_plain=as_plain)

    def copy_block(self) -> bool:
        """Put the code, output or change that was last pointed at on the clipboard; returns whether there was one."""
        return self.view.copy_block()

    def selected_text(self, *, as_plain: bool = False) -> str:
        """Return what is selected, as Markdown or plain."""
        return self.view.selected_text(as_plain=as_plain)

    def select_all(self) -> None:
        """Select the whole session."""
        self.view.select_all()

    # Inside

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what floats at its place."""
        super().resizeEvent(event)
        self._place_floating()

    def take_focus(self) -> None:
        """Give the keyboard to the transcript; while it is on its way what stands in its place keeps it for it."""
        taker = self.view if self._stack.currentIndex() == 0 else self._state
        taker.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self, page: int) -> None:
        waits = page == 0 and self._state.hasFocus()
        self._stack.setCurrentIndex(page)
        if waits:
            self.take_focus()
        self._tools.setVisible(page == 0)
        if page:
            self._pill.hide()

    def _place_floating(self) -> None:
        look = theme()
        for floating in (self._tools, self._pill):
            floating.adjustSize()
        self._tools.move(self.width() - self._tools.width() - 2, self.height() - self._tools.height() - look.px(10))
        left = look.px(60) + (self.view.width() - look.px(90) - self._pill.width()) // 2
        self._pill.move(left, self.height() - self._pill.height() - look.px(16))
        self._tools.raise_()
        self._pill.raise_()

    def _lay_out(self) -> None:
        shown = QWidget(self)
        row = QHBoxLayout(shown)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.view, 1)
        row.addWidget(self.rail)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(shown)
        self._stack.addWidget(self._state)
        self._stack.addWidget(self.closed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.find_bar)
        column.addWidget(body, 1)
        self.setFocusProxy(self.view)
        order: list[QWidget] = [self.find_bar, self.view, self._tools.outline, self._tools.filter, self._pill]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        view, bar = self.view, self.find_bar
        theme().changed.connect(self._place_floating)
        view.session_wanted.connect(self.session_wanted)
        view.link_clicked.connect(self.link_clicked)
        view.child_wanted.connect(self.child_wanted)
        view.context_menu_wanted.connect(self.context_menu_wanted)
        view.filter_dropped.connect(lambda: self.set_filter(()))
        view.moved.connect(self._on_moved)
        view.content_changed.connect(self._mark_rail)
        view.finder.changed.connect(self._on_hits)
        self.rail.message_wanted.connect(view.scroll_to_message)
        self.rail.scrolled.connect(view.scroll_by)
        bar.text_changed.connect(self.find)
        bar.step_wanted.connect(view.finder.step)
        bar.closed.connect(self.close_find)
        self._pill.clicked.connect(self.scroll_to_end)
        self._tools.outline_wanted.connect(lambda at: self._outline.open_at(at, view.column.first_part))
        self._tools.kinds_chosen.connect(self.set_filter)
        self._outline.part_chosen.connect(view.go_to_part)

    def _on_moved(self) -> None:
        placed = self.view.placed()
        if self._pill.isVisible() and self.view.is_at_end():
            self._pill.hide()
        if placed:
            messages = self.view.model.parts.messages
            self.rail.set_place(messages[placed[0].part], messages[placed[-1].part])

    def _on_hits(self) -> None:
        finder = self.view.finder
        total = len(finder.hits)
        current = finder.current if finder.is_at_hit else -1
        self.find_bar.set_count(current, total, is_complete=finder.is_complete, is_capped=total >= HIT_LIMIT)
        if finder.is_complete:
            self._mark_rail()

    def _mark_rail(self) -> None:
        model = self.view.model
        if not model.is_built:
            return
        messages = model.parts.messages
        prompts = (messages[part] for part in model.prompts())
        errors = (messages[part] for part in model.errors())
        hits = (messages[hit.part] for hit in self.view.finder.hits)
        marks = RailMarks(len(model.messages), frozenset(prompts), frozenset(errors), frozenset(hits))
        self.rail.set_marks(marks)
