"""The bar that finds words in the transcript."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import icon

TYPING_MS = 80


class FindBar(QWidget):
    """A field, the count of hits, next and previous. Esc closes."""

    text_changed = Signal(str)
    step_wanted = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Find in this session"))
        self.field.setAccessibleName(self.tr("Find in this session"))
        self._count = QLabel(self)
        self._count.setTextFormat(Qt.TextFormat.PlainText)
        self._key = QLabel("F3", self)
        self._hint = QLabel(self.tr("Esc closes"), self)
        self._previous = self._button("chevron-up", self.tr("Previous hit"))
        self._next = self._button("chevron-down", self.tr("Next hit"))
        self._typing = QTimer(self, interval=TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self._tell)
        self._lay_out()
        self.field.textEdited.connect(self._typing.start)
        self.field.installEventFilter(self)
        self._previous.clicked.connect(lambda: self.step_wanted.emit(-1))
        self._next.clicked.connect(lambda: self.step_wanted.emit(1))
        theme().changed.connect(self._dress)
        self._dress()

    def open(self) -> None:
        """Show the bar with the keyboard in its field."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def set_text(self, text: str) -> None:
        """Put words into the field, without looking for them."""
        self.field.setText(text)

    def set_count(self, current: int, total: int, *, is_complete: bool, is_capped: bool) -> None:
        """Say where we are: ``current`` counts from 0, -1 for beside all hits."""
        if not self.field.text().strip():
            shown = ""
        elif total == 0:
            shown = self.tr("No hits") if is_complete else self.tr("Looking…")
        else:
            more = "+" if is_capped or not is_complete else ""
            found = f"{total:,}{more}"
            if current < 0:
                shown = (self.tr("{0} hit") if found == "1" else self.tr("{0} hits")).format(found)
            else:
                shown = self.tr("{0} of {1}").format(f"{current + 1:,}", found)
        self._count.setText(shown)
        self._count.setAccessibleName(shown)
        self._previous.setEnabled(total > 0)
        self._next.setEnabled(total > 0)

    @property
    def count_text(self) -> str:
        """What the bar says of the hits."""
        return self._count.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Enter, F3 and Esc from the field."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            direction = -1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F3):
                if self._typing.isActive():
                    self._typing.stop()
                    self._tell()
                else:
                    self.step_wanted.emit(direction)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.closed.emit()
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, the line below, and the frame of the key."""
        painter = QPainter(self)
        try:
            tokens = theme().tokens
            painter.fillRect(self.rect(), tokens.bg1)
            painter.fillRect(0, self.height() - 1, self.width(), 1, tokens.line)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(tokens.line)
            painter.setBrush(tokens.bg2)
            painter.drawRoundedRect(self._key.geometry().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        finally:
            painter.end()

    def _tell(self) -> None:
        self.text_changed.emit(self.field.text())

    def _button(self, name: str, words: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name))
        button.setAutoRaise(True)
        button.setToolTip(words)
        button.setAccessibleName(words)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 8, 24, 9)
        row.setSpacing(8)
        row.addWidget(self.field, 100)
        for widget in (self._count, self._key, self._previous, self._next):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._hint)

    def _dress(self) -> None:
        look = theme()
        for label in (self._count, self._hint, self._key):
            label.setFont(look.font("caption" if label is self._key else "small"))
            palette = label.palette()
            palette.setColor(label.foregroundRole(), look.tokens.text2 if label is self._count else look.tokens.text3)
            label.setPalette(palette)
        for button in (self._previous, self._next):
            button.setFixedSize(look.px(28), look.px(28))
        self.field.setMinimumWidth(look.px(80))
        self.field.setMaximumWidth(look.px(300))
        self._key.setContentsMargins(6, 1, 6, 1)
        self.setFixedHeight(look.px(46))
