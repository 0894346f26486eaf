"""The settings: found by section or by words, changed one by one, each in force at once or after the next start."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from holdfast_gui.models.settings import SettingRow, matching, shown
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import PLACE_ROW, RADIUS_CARD, RADIUS_SMALL
from holdfast_gui.views.controls import Button, ElidedLabel, IconButton, Label, Line, Pane, Pressable
from holdfast_gui.views.empty import EmptyState
from holdfast_gui.views.rescale import rescale
from holdfast_gui.views.setting_controls import Control, PathControl, control_for

_SIZE: Final = QSize(880, 640)
_SECTIONS_WIDTH: Final = 200
_SECTIONS_NARROW: Final = 150
_NARROW: Final = 440
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
    file_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self._scale = theme().scale
        self._items: dict[str, SettingItem] = {}
        self._sections: dict[str, _Section] = {}
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
        self._arrange()
        QShortcut(QKeySequence.StandardKey.Find, self, self._find)
        theme().changed.connect(self._on_theme)

    @property
    def section(self) -> str:
        """The section that is shown while nothing is searched for."""
        return self._section

    def knows(self, key: str) -> bool:
        """Return whether a setting stands here already."""
        return key in self._items

    def item(self, key: str) -> SettingItem:
        """Return what stands there for a setting."""
        return self._items[key]

    def shown_keys(self) -> list[str]:
        """Return the keys of the settings in sight, from the top."""
        return [key for key, item in self._items.items() if not item.isHidden() and item.isVisibleTo(self)]

    def set_rows(self, rows: Sequence[SettingRow], *, problem: str = "") -> None:
        """Show these settings as they are now; what is typed at the moment stays."""
        is_new = not self._items
        for row in rows:
            if row.key in self._items:
                self._items[row.key].set_row(row)
            else:
                self._add(row)
        if is_new:
            self._order_focus()
        self.reset_button.setEnabled(any(item.row.source == "settings file" for item in self._items.values()))
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        if not self._section and rows:
            self.show_section(rows[0].section)

    def set_error(self, key: str, words: str) -> None:
        """Say why a value was not taken, beside it; the value that counts stays as it is."""
        self._items[key].set_error(words)

    def show_section(self, name: str) -> None:
        """Show one section, and no search."""
        self._section = name
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

    def _add(self, row: SettingRow) -> None:
        if row.section not in self._sections:
            self._add_section(row.section)
        item = self._items[row.key] = SettingItem(row)
        item.control.chosen.connect(lambda value, key=row.key: self.changed.emit(key, value))
        item.reset_button.clicked.connect(lambda _=False, key=row.key: self.reset_wanted.emit(key))
        if isinstance(item.control, PathControl):
            item.control.picking.connect(lambda key=row.key: self.directory_wanted.emit(key))
        self._sections[row.section].add(item)

    def _add_section(self, name: str) -> None:
        section = self._sections[name] = _Section(self.tr(name))
        self._page.insertWidget(self._page.count() - 1, section)
        button = _SectionName(self.tr(name))
        button.clicked.connect(lambda: self.show_section(name))
        section.button = button
        self._group.addButton(button)
        self._names.addWidget(button)

    def _sift(self, typed: str) -> None:
        is_search = bool(typed.strip())
        found = {row.key for row in matching((item.row for item in self._items.values()), typed)}
        for name, section in self._sections.items():
            is_chosen = name == self._section and not is_search
            is_shown = section.sift(found) if is_search else is_chosen
            section.setVisible(is_shown)
            if not is_search:
                section.sift(set(self._items))
            self._mark(section, is_chosen=is_chosen)
        self.empty.setVisible(is_search and not found)
        self.area.verticalScrollBar().setValue(0)

    def _mark(self, section: _Section, *, is_chosen: bool) -> None:
        if section.button is not None:
            self._group.setExclusive(False)
            section.button.setChecked(is_chosen)
            self._group.setExclusive(True)
            is_stop = section is self._sections[self._section]  # one for all: arrows go on from there
            section.button.setFocusPolicy(Qt.FocusPolicy.TabFocus if is_stop else Qt.FocusPolicy.NoFocus)

    def _order_focus(self) -> None:
        """Let Tab go as the eye does: the search, the sections, the settings from the top, the foot."""
        names = [section.button for section in self._sections.values() if section.button is not None]
        hands = [stop for item in self._items.values() for stop in (*item.control.stops, item.reset_button)]
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


class SettingItem(QWidget):
    """One setting: title and help, its control, what decides it if not this dialog, and what went wrong."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__()
        self.row = row
        self.control: Control = control_for(row)
        self.reset_button = IconButton("refresh", self.tr("Reset to {value}").format(value=shown(row, row.default)))
        policy = self.reset_button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset_button.setSizePolicy(policy)
        self._note = Label(font="small", colour="wait", wraps=True)
        self._error = Label(font="small", colour="bad", wraps=True)
        self._was = row.value
        self._arrange()
        self.set_row(row)

    @property
    def error(self) -> str:
        """Why the last value was not taken; empty if it was."""
        return "" if self._error.isHidden() else self._error.text()

    @property
    def note(self) -> str:
        """Who else decides this setting, or when it counts; empty for nothing of note."""
        return "" if self._note.isHidden() else self._note.text()

    def set_row(self, row: SettingRow) -> None:
        """Show what counts now; a value that was not taken stays to be mended, with the reason."""
        if self.error and row == self.row:
            return
        self.row = row
        self.control.set_value(row.value)
        self.control.setEnabled(row.is_ours)
        self.reset_button.setVisible(row.source == "settings file")
        self._say(self._note, self._note_of(row))
        self.set_error("")

    def set_error(self, words: str) -> None:
        """Say why a value was not taken, or nothing any more."""
        self._say(self._error, words)
        if words and self.row.control in ("switch", "choice"):  # what was typed stays to be mended, these do not
            self.control.set_value(self.row.value)
        self.control.set_wrong(bool(words))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: without room beside the words the control stands below them."""
        super().resizeEvent(event)
        self._turn(is_narrow=self.control.is_wide or self.width() < theme().px(_NARROW))

    def _turn(self, *, is_narrow: bool) -> None:
        direction = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if direction != self._body.direction():
            self._body.setDirection(direction)
            self.updateGeometry()

    def _note_of(self, row: SettingRow) -> str:
        if row.source == "command line":
            return self.tr("The command line of this run decides this: it comes before what is set here.")
        if row.source == "environment":
            words = self.tr("The environment variable {name} decides this: it comes before what is set here.")
            return words.format(name=row.variable)
        if row.value != self._was and not row.applies_at_once:
            return self.tr("Counts after the next start.")
        return ""

    def _say(self, label: Label, words: str) -> None:
        label.setText(words)
        label.setVisible(bool(words))
        allowed = f"{self.tr('Allowed')}: {self.row.allowed}." if self.row.control == "number" else ""
        described = " ".join(part for part in (self.row.help, allowed, self._note.text(), self._error.text()) if part)
        self.control.stop.setAccessibleDescription(described)

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(theme().px(1))
        words.addWidget(Label(self.row.title, font="strong", wraps=True))
        for label in (Label(self.row.help, font="small", colour="text2", wraps=True), self._note, self._error):
            words.addWidget(label)
        hand = QHBoxLayout()
        hand.setSpacing(theme().px(6))
        hand.addWidget(self.control)
        hand.addWidget(self.reset_button)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._body.setContentsMargins(theme().margins(16, 11, 8, 12))
        self._body.setSpacing(theme().px(10))
        self._body.addLayout(words, 1)
        self._body.addLayout(hand)
        self._turn(is_narrow=self.control.is_wide)
        if not self.control.is_wide:
            self._body.setAlignment(hand, Qt.AlignmentFlag.AlignTop)


class _Section(QWidget):
    """A heading over a card of settings."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.button: _SectionName | None = None
        self._items: list[tuple[SettingItem, Line | None]] = []
        self._card = _Card()
        self._rows = QVBoxLayout(self._card)
        self._rows.setContentsMargins(1, 1, 1, 1)
        self._rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme().px(10))
        column.addWidget(ElidedLabel(title, font="title"))
        column.addWidget(self._card)

    def add(self, item: SettingItem) -> None:
        line = Line() if self._items else None
        if line is not None:
            self._rows.addWidget(line)
        self._rows.addWidget(item)
        self._items.append((item, line))

    def sift(self, keys: set[str]) -> bool:
        """Show the settings of these keys alone; False if none is left."""
        is_first = True
        for item, line in self._items:
            is_shown = item.row.key in keys
            item.setVisible(is_shown)
            if line is not None:
                line.setVisible(is_shown and not is_first)
            is_first = is_first and not is_shown
        return not is_first


class _SectionName(Pressable):
    """A section's name, in the look of a place."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setText(name)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, theme().px(PLACE_ROW))

    def paintEvent(self, event: QPaintEvent) -> None:
        look, tokens = theme(), theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.selection if self.isChecked() else tokens.hover)
            painter.drawRoundedRect(self.rect(), RADIUS_SMALL, RADIUS_SMALL)
        painter.setFont(look.font("bold" if self.isChecked() else "body"))
        painter.setPen(tokens.text if self.isChecked() else tokens.text2)
        room = self.rect().adjusted(look.px(10), 0, -look.px(8), 0)
        shown_name = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown_name)
        painter.end()


class _Card(QWidget):
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme().tokens.line)
        painter.setBrush(theme().tokens.bg2)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS_CARD, RADIUS_CARD)
        painter.end()
