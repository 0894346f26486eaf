"""The settings: found by section or by words, changed one by one, each in force at once or after the next start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from holdfast_gui.models.settings import SettingRow, matching
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label, Line, Pane
from holdfast_gui.views.empty import EmptyState
from holdfast_gui.views.left_out import LeftOutControl
from holdfast_gui.views.rescale import rescale
from holdfast_gui.views.setting_controls import PathControl
from holdfast_gui.views.setting_rows import SettingItem, SettingSection

_SIZE: Final = QSize(880, 640)
_SECTIONS_WIDTH: Final = 200
_SECTIONS_NARROW: Final = 150
_NARROW_DIALOG: Final = 640


class SettingsDialog(QDialog):
    """Shows every setting there is; knows none of them by name. Stays open beside the window.

    A value is told by ``changed`` as soon as the person has made it; what came
    of it comes back by `set_rows` or `set_error`.
    """

    changed = Signal(str, object)
    reset_wanted = Signal(str)
    reset_all_wanted = Signal()
    directory_wanted = Signal(str)
    adding_wanted = Signal(str)
    file_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.names: Mapping[str, str] = {}
        """What agents are called, by their ids."""
        self._scale = theme().scale
        self._rows: dict[str, SettingRow] = {}
        self._items: dict[str, SettingItem] = {}
        self._sections: dict[str, SettingSection] = {}
        self._section = ""
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search settings"))
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._sift)
        self._group = QButtonGroup(self)
        self._names = QVBoxLayout()
        self._problem = Label(font="small", colour="bad", wraps=True)
        self._problem.hide()
        self._page = QVBoxLayout()
        self.area = QScrollArea()
        self.empty = EmptyState("search", self.tr("No setting has these words"), "", self.tr("Clear the search"))
        self.empty.action_pressed.connect(self.search.clear)
        self.empty.hide()
        self.reset_button = Button(self.tr("Reset all…"))
        self.reset_button.clicked.connect(self.reset_all_wanted)
        self.file_button = Button(self.tr("Open settings file"))
        self.file_button.clicked.connect(self.file_wanted)
        # Piece by piece, so that the window answers in between; what is asked for is made at once.
        self._building = QTimer(self)
        self._building.timeout.connect(self._build_next)
        self._arrange()
        QShortcut(QKeySequence.StandardKey.Find, self, self._find)
        theme().changed.connect(self._on_theme)

    @property
    def section(self) -> str:
        """The section that is shown while nothing is searched for."""
        return self._section

    def knows(self, key: str) -> bool:
        """Return whether a setting stands here already."""
        return key in self._rows

    def item(self, key: str) -> SettingItem:
        """Return what stands there for a setting."""
        self._build(self._rows[key].section)
        return self._items[key]

    def shown_keys(self) -> list[str]:
        """Return the keys of the settings in sight, from the top."""
        return [key for key in self._rows if key in self._items and self._items[key].isVisibleTo(self)]

    def set_rows(self, rows: Sequence[SettingRow], *, problem: str = "") -> None:
        """Show these settings as they are now; what is typed at the moment stays."""
        for row in rows:
            self._rows[row.key] = row
            if row.section not in self._sections:
                self._add_section(row.section)
            if row.key in self._items:
                self._items[row.key].set_row(row)
        self.reset_button.setEnabled(any(row.source == "settings file" for row in self._rows.values()))
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        if not self._section and rows:
            self.show_section(rows[0].section)
        self._building.start()

    def set_error(self, key: str, words: str) -> None:
        """Say why a value was not taken, beside it; the value that counts stays as it is."""
        self.item(key).set_error(words)

    def show_section(self, name: str) -> None:
        """Show one section, and no search."""
        self._section = name
        self._build(name)
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        self._sift("")

    def search_for(self, words: str) -> None:
        """Show the settings with these words, as if they had been typed."""
        self.search.setText(words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Escape clears the search, then closes; Return presses nothing by accident."""
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: the sections give way first."""
        super().resizeEvent(event)
        is_narrow = self.width() < theme().px(_NARROW_DIALOG)
        self._left.setFixedWidth(theme().px(_SECTIONS_NARROW if is_narrow else _SECTIONS_WIDTH))

    def _find(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _build(self, section: str) -> None:
        """Make what is still missing in a section."""
        missing = [row for row in self._rows.values() if row.section == section and row.key not in self._items]
        for row in missing:
            self._add(row)
        if missing:
            self._order_focus()

    def _build_next(self) -> None:
        row = next((row for row in self._rows.values() if row.key not in self._items), None)
        if row is not None:
            self._add(row)
        else:
            self._building.stop()
            self._order_focus()

    def _add(self, row: SettingRow) -> None:
        item = self._items[row.key] = SettingItem(row)
        item.control.chosen.connect(lambda value, key=row.key: self.changed.emit(key, value))
        item.reset_button.clicked.connect(lambda _=False, key=row.key: self.reset_wanted.emit(key))
        if isinstance(item.control, PathControl):
            item.control.picking.connect(lambda key=row.key: self.directory_wanted.emit(key))
        elif isinstance(item.control, LeftOutControl):
            item.control.set_names(self.names)
            item.control.adding.connect(lambda key=row.key: self.adding_wanted.emit(key))
        self._sections[row.section].add(item)

    def _add_section(self, name: str) -> None:
        section = self._sections[name] = SettingSection(self.tr(name))
        self._page.insertWidget(self._page.count() - 1, section)
        section.button.clicked.connect(lambda: self.show_section(name))
        self._group.addButton(section.button)
        self._names.addWidget(section.button)

    def _sift(self, typed: str) -> None:
        is_search = bool(typed.strip())
        matches = matching(self._rows.values(), typed)
        found = {row.key for row in matches}
        hit = {row.section for row in matches}
        for name, section in self._sections.items():
            is_chosen = name == self._section and not is_search
            is_shown = name in hit if is_search else is_chosen
            if is_shown:
                self._build(name)
                section.sift(found)
            section.setVisible(is_shown)
            self._mark(section, is_chosen=is_chosen)
        self.empty.setVisible(is_search and not found)
        self.area.verticalScrollBar().setValue(0)

    def _mark(self, section: SettingSection, *, is_chosen: bool) -> None:
        self._group.setExclusive(False)
        section.button.setChecked(is_chosen)
        self._group.setExclusive(True)
        is_stop = section is self._sections[self._section]  # one for all: arrows go on from there
        section.button.setFocusPolicy(Qt.FocusPolicy.TabFocus if is_stop else Qt.FocusPolicy.NoFocus)

    def _order_focus(self) -> None:
        """Let Tab go as the eye does: the search, the sections, the settings from the top, the foot."""
        names = [section.button for section in self._sections.values()]
        items = [self._items[key] for key in self._rows if key in self._items]
        hands = [stop for item in items for stop in (*item.control.stops, item.reset_button)]
        for one, next_one in pairwise([self.search, *names, *hands, self.file_button, self.reset_button]):
            QWidget.setTabOrder(one, next_one)

    def _arrange(self) -> None:
        left = self._left = Pane("bg0")
        self._names.setSpacing(0)
        side = QVBoxLayout(left)
        side.setContentsMargins(theme().margins(12, 14, 12, 14))
        side.setSpacing(theme().px(12))
        side.addWidget(self.search)
        side.addLayout(self._names)
        side.addStretch(1)
        page = Pane("bg1")
        self._page.setContentsMargins(theme().margins(24, 18, 24, 24))
        self._page.setSpacing(theme().px(20))
        self._page.addWidget(self._problem)
        self._page.addWidget(self.empty)
        self._page.addStretch(1)
        page.setLayout(self._page)
        self.area.setWidget(page)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.area, 1)
        right.addWidget(Line())
        right.addLayout(self._footer())
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(left)
        whole.addLayout(right, 1)
        room = self.screen().availableSize() * 0.95
        self.resize((_SIZE * theme().scale).boundedTo(room))

    def _footer(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme().margins(24, 10, 24, 12))
        row.setSpacing(theme().px(8))
        row.addWidget(self.file_button)
        row.addStretch(1)
        row.addWidget(self.reset_button)
        return row

    def _on_theme(self) -> None:
        ratio = theme().scale / self._scale
        if ratio != 1:
            self._scale = theme().scale
            rescale(self, ratio)
