"""What the settings dialog is made of: a setting with its words and its hand, and the sections they stand in."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui.models.settings import SettingRow, shown
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import PLACE_ROW, RADIUS_CARD, RADIUS_SMALL
from holdfast_gui.views.controls import ElidedLabel, IconButton, Label, Line, Pressable
from holdfast_gui.views.left_out import LeftOutControl
from holdfast_gui.views.setting_controls import Control, control_for

_NARROW: Final = 440


class SettingItem(QWidget):
    """One setting: title and help, its control, what decides it if not this dialog, and what went wrong."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__()
        self.row = row
        self.control: Control = LeftOutControl(row) if row.control == "left_out" else control_for(row)
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


class SettingSection(QWidget):
    """A heading over a card of settings; ``button`` leads to it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.button = _SectionName(title)
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
        """Put a setting at the end."""
        line = Line() if self._items else None
        if line is not None:
            self._rows.addWidget(line)
        self._rows.addWidget(item)
        self._items.append((item, line))

    def sift(self, keys: set[str]) -> None:
        """Show the settings of these keys alone."""
        is_first = True
        for item, line in self._items:
            is_shown = item.row.key in keys
            item.setVisible(is_shown)
            if line is not None:
                line.setVisible(is_shown and not is_first)
            is_first = is_first and not is_shown


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
