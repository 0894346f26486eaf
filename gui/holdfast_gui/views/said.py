"""What the person says of a session: a note and tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QMimeData, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.views.controls import Button, Pressable
from holdfast_gui.views.flow import FlowLayout

SAVE_AFTER_MS: Final = 1000
NOTE_LIMIT: Final = 100_000
TAG_LIMIT: Final = 64
_LINES: Final = 14


class NoteField(QPlainTextEdit):
    """A note in plain text, told a second after the last key and when the field is left."""

    edited = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._saved = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self.flush)
        self.setPlaceholderText(self.tr("Add a note"))
        self.setAccessibleName(self.tr("Note"))
        self.setTabChangesFocus(True)
        theme().changed.connect(self._dress)
        self.setFont(theme().font("small"))
        self.setProperty("quiet", True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(1)
        self.textChanged.connect(self._on_changed)
        self._fit()

    def set_note(self, note: str, *, is_same: bool = False) -> None:
        """Show a note; what is being typed into the same session's note stays."""
        if is_same and (self.hasFocus() or note == self._saved):
            return
        self._saved = note
        self._timer.stop()
        if self.toPlainText() != note:
            self.blockSignals(True)
            self.setPlainText(note)
            self.blockSignals(False)
        self._fit()

    def flush(self) -> None:
        """Tell now what has not been told yet."""
        self._timer.stop()
        note = self.toPlainText()[:NOTE_LIMIT]
        if note != self._saved:
            self._saved = note
            self.edited.emit(note)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """See Qt."""
        super().focusOutEvent(event)
        self.flush()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """See Qt: only plain text is pasted."""
        if source.hasText():
            self.insertPlainText(source.text()[:NOTE_LIMIT])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        self._fit()

    def _dress(self) -> None:
        self.setFont(theme().font("small"))
        # The style sheet has given it a font of its own, in which the placeholder is drawn.
        self.viewport().setFont(self.font())
        self._fit()

    def _on_changed(self) -> None:
        self._fit()
        self._timer.start()

    def _fit(self) -> None:
        lines = min(_LINES, max(1, round(self.document().size().height())))
        self.setFixedHeight(lines * QFontMetrics(self.font()).lineSpacing() + theme().px(7))


class TagsField(QWidget):
    """Tags as chips; each can be removed, and new ones added."""

    edited = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self._tags: list[str] = []
        self._flow = FlowLayout()
        self.add_button = Button(self.tr("Add tag"), kind="flat")
        self.add_button.setFixedHeight(theme().px(22))
        self.add_button.clicked.connect(self._open_field)
        self.field = _TagLine()
        self.field.setPlaceholderText(self.tr("Add tag"))
        self.field.setAccessibleName(self.tr("New tag"))
        self.field.setMaxLength(TAG_LIMIT)
        self.field.returnPressed.connect(self._on_return)
        self.field.cancelled.connect(self._close_field)
        self.field.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme().px(4))
        column.addLayout(self._flow)
        column.addWidget(self.field)
        self.set_tags(())

    @property
    def tags(self) -> tuple[str, ...]:
        """What is shown."""
        return tuple(self._tags)

    def chips(self) -> list[TagChip]:
        """Return the chips, in order."""
        items = (self._flow.itemAt(number) for number in range(self._flow.count()))
        widgets = (item.widget() for item in items if item)
        return [widget for widget in widgets if isinstance(widget, TagChip)]

    def set_tags(self, tags: Sequence[str]) -> None:
        """Show tags in place of the earlier ones."""
        self._tags = list(tags)
        self._flow.removeWidget(self.add_button)
        for chip in self.chips():
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        for tag in self._tags:
            chip = TagChip(tag)
            chip.clicked.connect(lambda _checked=False, tag=tag: self._remove(tag))
            self._flow.addWidget(chip)
            chip.show()
        self._flow.addWidget(self.add_button)
        self.updateGeometry()

    def _open_field(self) -> None:
        self.field.clear()
        self.field.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_field(self) -> None:
        self.field.hide()
        self.add_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_return(self) -> None:
        wanted = [part.strip() for part in self.field.text().split(",")]
        new = [tag for tag in dict.fromkeys(wanted) if tag and tag not in self._tags]
        self.field.clear()
        if new:
            self.set_tags([*self._tags, *new])
            self.edited.emit(list(self._tags))

    def _remove(self, tag: str) -> None:
        self.set_tags([each for each in self._tags if each != tag])
        self.edited.emit(list(self._tags))


class TagChip(Pressable):
    """One tag; pressing it takes it away."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self._tag = text.one_line(tag, limit=TAG_LIMIT)
        self.setText(self._tag)
        self.setAccessibleName(f"{self.tr('Remove tag')} {self._tag}")
        self.setToolTip(text.tooltip(f"{self.tr('Remove tag')} {self._tag}"))

    def sizeHint(self) -> QSize:
        """See Qt."""
        look = theme()
        width = QFontMetrics(look.font("small")).horizontalAdvance(self._tag)
        return QSize(min(width, look.px(170)) + look.px(14 + 14), look.px(22))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.tokens.hover if self.is_hot else look.tokens.raised)
        painter.drawRoundedRect(self.rect(), 4, 4)
        painter.setPen(look.tokens.text)
        painter.setFont(look.font("small"))
        box = self.rect().adjusted(look.px(6), 0, -look.px(20), 0)
        shown = painter.fontMetrics().elidedText(self._tag, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        side = look.px(10)
        cross = QRect(self.width() - side - look.px(6), (self.height() - side) // 2, side, side)
        paint_icon(painter, "close", cross, look.tokens.text if self.is_hot else look.tokens.text3)
        painter.end()


class _TagLine(QLineEdit):
    cancelled = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
            return
        super().keyPressEvent(event)
