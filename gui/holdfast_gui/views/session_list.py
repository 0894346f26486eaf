"""The session list: its head with order and grouping, the table, and what stands there when it is empty."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Final

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.search import Hit, SearchResult
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup, QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout

from holdfast_gui import text
from holdfast_gui.models.session_list import SessionListModel
from holdfast_gui.text import later
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import FOCUS_RING
from holdfast_gui.views.controls import Button, Label, Line, Pane
from holdfast_gui.views.empty import EmptyState
from holdfast_gui.views.session_table import SessionTable

# What `library` sorts by, with how the head says it; "-" is descending.
SORTS: Final = later(
    {
        "-updated": "Newest first",
        "+updated": "Oldest first",
        "-created": "Latest start first",
        "+title": "Title",
        "+project": "Project",
        "-project": "Project, Z to A",
        "+agent": "Agent",
        "-agent": "Agent, Z to A",
        "-messages": "Most messages",
        "-tokens": "Most tokens",
        "-cost": "Highest cost",
        "-size": "Largest",
    }
)
GROUPS: Final = later({"day": "day", "project": "project", "agent": "agent", "none": "none"})


class SessionListView(Pane):
    """Emits what the person did with sessions; ids are those of sessions, never rows."""

    activated = Signal(str)
    pointed = Signal(str)
    current_changed = Signal(str)
    selection_changed = Signal(list)
    context_menu_wanted = Signal(QPoint)
    rename_finished = Signal(str, str)
    star_toggled = Signal(str)
    drag_wanted = Signal(list)
    delete_wanted = Signal(list)
    sort_chosen = Signal(str)
    group_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__("bg1")
        self.model = SessionListModel()
        self.table = SessionTable(self.model)
        self.empty = EmptyState()
        self.head = ListHead()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.table)
        self._pages.addWidget(self.empty)
        self._arrange()
        self._connect()

    @property
    def current_id(self) -> str:
        """The session that the keyboard stands on, empty for none."""
        return self.table.current_id

    def selected_ids(self) -> list[str]:
        """Return the selected sessions whose rows have been loaded, in the list's order."""
        return self.table.selected_ids()

    def selected_keys(self) -> array[int]:
        """Return the keys of all selected sessions, loaded or not, in the list's order."""
        return self.table.selected_keys()

    def select_session(self, session_id: str) -> bool:
        """Go to a session's row; False if it is not listed."""
        return self.table.select_session(session_id)

    def step(self, rows: int) -> None:
        """Go that many sessions down, or up if negative."""
        self.table.step(rows)

    def edit_current(self) -> None:
        """Open the field for a new name on the current row."""
        self.table.edit_current()

    def best_hit(self, session_id: str) -> Hit | None:
        """Return the best hit in a session of the search that is shown, one that is a message if there is one."""
        found = self.model.hit_of(session_id)
        return found.best if found else None

    def set_result(self, result: SearchResult) -> None:
        """Say over the rows what a search found and how long it took."""
        least = "" if result.is_exact else "≥ "
        parts = [
            least + text.counted(result.total_sessions, "session", "sessions"),
            least + text.counted(result.total_messages, "message", "messages"),
            text.duration(result.wall_seconds),
        ]
        self.head.set_found(" · ".join(parts))

    def set_agents(self, agents: Sequence[AgentInfo]) -> None:
        """Say which letter and colour each agent has."""
        self.table.agents = {agent.agent: agent for agent in agents}
        self.table.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """See Qt: the keyboard belongs to the rows; a focus proxy would take the head out of the Tab order."""
        self.table.setFocus(event.reason())

    def show_empty(self, icon: str, sentence: str, detail: str = "", action: str = "") -> None:
        """Show one sentence in place of the table; ``empty.action_pressed`` tells of its action."""
        self.empty.set(icon, sentence, detail, action)
        if self.table.hasFocus():
            self.empty.setFocus(Qt.FocusReason.OtherFocusReason)
        self._pages.setCurrentWidget(self.empty)

    def show_table(self) -> None:
        """Show the table."""
        had_focus = self.empty.hasFocus()
        self._pages.setCurrentWidget(self.table)
        if had_focus:
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(Line())
        column.addWidget(self._pages, 1)

    def _connect(self) -> None:
        table = self.table
        table.chosen.connect(self.activated)
        table.pointed.connect(self.pointed)
        table.current_changed.connect(self.current_changed)
        table.selection_changed.connect(self.selection_changed)
        table.context_menu_wanted.connect(self.context_menu_wanted)
        table.star_toggled.connect(self.star_toggled)
        table.drag_wanted.connect(self.drag_wanted)
        table.delete_wanted.connect(self.delete_wanted)
        self.model.rename_wanted.connect(self.rename_finished)
        self.head.sort_chosen.connect(self.sort_chosen)
        self.head.group_chosen.connect(self.group_chosen)
        self.model.modelReset.connect(self._on_reset)

    def _on_reset(self) -> None:
        if not self.model.is_search:
            self.head.set_found("")
        if self.model.session_count:
            self.show_table()


class ListHead(Pane):
    """Order at the left, grouping at the right; while searching, what was found at the left."""

    sort_chosen = Signal(str)
    group_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__("bg1")
        self.sort_button = Button("", kind="flat")
        self.group_button = Button("", kind="flat")
        self.found = Label(font="caption", colour="text2")
        self.found.hide()
        self._sort, self._group = "-updated", "day"
        self._menu: QMenu | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(6, 0, 6, 3))
        row.setSpacing(0)
        row.addWidget(self.sort_button)
        row.addSpacing(theme().px(6))
        row.addWidget(self.found)
        row.addStretch(1)
        row.addWidget(self.group_button)
        self.setFixedHeight(theme().px(31) - FOCUS_RING + 1)
        self.sort_button.clicked.connect(self._open_sorts)
        self.group_button.clicked.connect(self._open_groups)
        self.set_order("-updated", "day")

    @property
    def order(self) -> tuple[str, str]:
        """The order (``-updated``) and the grouping (``day``) that are shown."""
        return self._sort, self._group

    def set_order(self, sort: str, group: str) -> None:
        """Show an order and a grouping; those that are not known are ignored."""
        self._sort = sort if sort in SORTS else self._sort
        self._group = group if group in GROUPS else self._group
        self.sort_button.setText(self.tr(SORTS[self._sort]))
        self.group_button.setText(f"{self.tr('Group:')} {self.tr(GROUPS[self._group])}")
        self.sort_button.setAccessibleName(f"{self.tr('Order')}: {self.sort_button.text()}")
        self.group_button.setAccessibleName(self.group_button.text())
        self.sort_button.updateGeometry()
        self.group_button.updateGeometry()

    def set_found(self, words: str) -> None:
        """Say what a search found, in place of the order; empty ends that."""
        self.found.setText(words)
        self.found.setVisible(bool(words))
        self.sort_button.setVisible(not words)
        self.group_button.setVisible(not words)

    def _open_sorts(self) -> None:
        self._open(self.sort_button, SORTS, self._sort, self._choose_sort)

    def _open_groups(self) -> None:
        self._open(self.group_button, GROUPS, self._group, self._choose_group)

    def _choose_sort(self, sort: str) -> None:
        self.set_order(sort, self._group)
        self.sort_chosen.emit(sort)

    def _choose_group(self, group: str) -> None:
        self.set_order(self._sort, group)
        self.group_chosen.emit(group)

    def _open(self, button: Button, choices: dict[str, str], chosen: str, choose: Callable[[str], None]) -> None:
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(self._menu)
        for value, words in choices.items():
            action = self._menu.addAction(self.tr(words).capitalize())
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.setData(value)
            group.addAction(action)
        group.triggered.connect(lambda action: choose(action.data()))
        self._menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
