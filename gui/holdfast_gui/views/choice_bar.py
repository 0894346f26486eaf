"""What could not be done, why, and what may be done instead: a bar in the window, never a dialog."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.keeping import Choice
from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.views.choice_rows import ChoiceRows
from holdfast_gui.views.controls import Button, IconButton, Label
from holdfast_gui.views.scroll import scrolled

_SHARE = 0.4


class ChoiceBar(QWidget):
    """Hidden while there is nothing to choose. ``chosen`` tells (session, kind), Dismiss tells nothing."""

    chosen = Signal(str, str)
    details_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._session_id = ""
        self._headline = Label(font="bold", colour="bad", wraps=True)
        self._detail = Label(font="small", wraps=True)
        self.rows: ChoiceRows | None = None
        self._area = scrolled()
        self.details_button = Button(self.tr("Show details"), kind="flat")
        self.details_button.clicked.connect(self.details_wanted)
        self._close = IconButton("close", self.tr("Dismiss"))
        self._close.clicked.connect(self.hide)
        self._arrange()
        self.hide()

    @property
    def words(self) -> str:
        """What is said, empty while there is nothing to choose."""
        rows = self.rows.words if self.rows else ""
        return "" if self.isHidden() else f"{self._headline.text()} {self._detail.text()} {rows}".strip()

    def ask(self, session_id: str, title: str, message: str, choices: Sequence[Choice], *, code: str = "") -> None:
        """Say what failed for a session and offer what may be done, in place of what was asked before."""
        self._session_id = session_id
        self._headline.setText(text.one_line(title))
        self._detail.setText(" ".join(part for part in (text.one_line(message, limit=600), code) if part))
        self.details_button.setVisible(bool(code))
        rows = self.rows = ChoiceRows(choices)
        rows.chosen.connect(self._on_chosen)
        rows.installEventFilter(self)
        self._area.setWidget(rows)  # the former ones go with it
        self.setAccessibleName(self._headline.text())
        self.setAccessibleDescription(f"{self._detail.text()} {rows.words}")
        self.show()
        self._say(f"{self._headline.text()} {self._detail.text()}")

    def take_focus(self) -> None:
        """Give the keyboard to the first choice."""
        if self.rows is not None and self.rows.buttons:
            self.rows.buttons[0].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See Qt: the choices take the room that they need, up to a share of the window; the rest is scrolled to."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and self.rows is not None:
            wanted = self.rows.heightForWidth(self._area.viewport().width())
            room = round(self.window().height() * _SHARE)
            self._area.setFixedHeight(min(wanted, room))
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens, px = theme().tokens, theme().px
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.bad_ground)
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), tokens.line)
        paint_icon(painter, "problem", QRect(px(24), px(12), px(16), px(16)), tokens.bad)
        painter.end()

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(theme().px(2))
        words.addWidget(self._headline)
        words.addWidget(self._detail)
        row = QHBoxLayout()
        row.setSpacing(theme().px(8))
        row.addLayout(words, 1)
        row.addWidget(self.details_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(50, 10, 16, 12))
        column.setSpacing(theme().px(8))
        column.addLayout(row)
        column.addWidget(self._area)

    def _on_chosen(self, kind: str) -> None:
        self.hide()
        self.chosen.emit(self._session_id, kind)

    def _say(self, words: str) -> None:
        if QAccessible.isActive():
            event = QAccessibleAnnouncementEvent(self, words)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
            QAccessible.updateAccessibility(event)
