"""What happened, what is safe, what to do: one bar under the head; and how far a task has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.views.controls import Button, ElidedLabel, IconButton, Label, Line
from holdfast_gui.views.paragraph import Paragraph

NoticeKind = Literal["info", "wait", "bad"]
NARROW: Final = 560
_ICONS = {"info": "info", "wait": "problem", "bad": "problem"}
_GROUNDS = {"info": "prompt_ground", "wait": "wait_ground", "bad": "bad_ground"}


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button of a notice; ``id`` is what `NoticeBar.action_pressed` tells."""

    id: str
    label: str
    is_primary: bool = False


class NoticeBar(QWidget):
    """One notice at a time, hidden while there is none. All words are shown as plain text.

    With ``flows`` what stands out and the rest are one paragraph, else two.
    """

    action_pressed = Signal(str)
    dismissed = Signal()

    def __init__(self, *, flows: bool = False) -> None:
        super().__init__()
        self._kind: NoticeKind = "info"
        self._flow = Paragraph() if flows else None
        self._headline = Label(font="bold", wraps=True)
        self._detail = Label(font="small", wraps=True)
        self._actions: list[Button] = []
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme().px(8))
        self._close = IconButton("close", self.tr("Dismiss"))
        self._close.clicked.connect(self.dismiss)
        self._arrange()
        self.hide()

    @property
    def words(self) -> str:
        """What is said, empty while there is no notice."""
        return "" if self.isHidden() else f"{self._headline.text()} {self._detail.text()}".strip()

    def show_notice(
        self, headline: str, detail: str = "", *, kind: NoticeKind = "info", actions: Sequence[NoticeAction] = ()
    ) -> None:
        """Show a notice in place of any earlier one."""
        self._kind = kind
        self._headline.setText(text.one_line(headline))
        self._headline.set_colour("text" if kind == "info" else kind)
        self._detail.setText(text.one_line(detail))
        self._detail.setVisible(bool(detail) and self._flow is None)
        if self._flow is not None:
            self._flow.set_words(self._headline.text(), self._detail.text(), colour="text" if kind == "info" else kind)
        self._set_actions(actions)
        self.setAccessibleName(headline)
        self.setAccessibleDescription(detail)
        self.show()
        self.update()

    def dismiss(self) -> None:
        """Put the notice away and tell `dismissed`."""
        self.hide()
        self.dismissed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: without room beside the words the buttons stand below them."""
        super().resizeEvent(event)
        is_narrow = self.width() < theme().px(NARROW)
        direction = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if direction == self._body.direction():
            return
        self._body.setDirection(direction)
        self._body.setAlignment(
            self._buttons, Qt.AlignmentFlag.AlignLeft if is_narrow else Qt.AlignmentFlag.AlignVCenter
        )
        self._row.invalidate()  # it does not hear of the turn of what is in it
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), getattr(tokens, _GROUNDS[self._kind]))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), tokens.line)
        side = theme().px(16)
        colour = tokens.accent if self._kind == "info" else getattr(tokens, self._kind)
        paint_icon(painter, _ICONS[self._kind], QRect(theme().px(24), (self.height() - side) // 2, side, side), colour)
        painter.end()

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        if self._flow is not None:
            words.addWidget(self._flow)
            for kept in (self._headline, self._detail):  # they know the words
                kept.setParent(self)
                kept.hide()
        else:
            words.addWidget(self._headline)
            words.addWidget(self._detail)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(theme().px(12))
        self._body.addLayout(words, 1)
        self._body.addLayout(self._buttons)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(50, 10, 16, 11))
        row.setSpacing(theme().px(12))
        row.addLayout(self._body, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignVCenter)

    def _set_actions(self, actions: Sequence[NoticeAction]) -> None:
        for old in self._actions:
            self._buttons.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._actions = []
        for action in actions:
            button = Button(
                text.escaped_mnemonic(text.tr(action.label)), kind="primary" if action.is_primary else "plain"
            )
            button.clicked.connect(lambda _checked=False, name=action.id: self.action_pressed.emit(name))
            self._buttons.addWidget(button)
            self._actions.append(button)


class TaskProgress(QWidget):
    """How far something that the person asked for has come, in numbers; hidden while there is nothing."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self._title = ""
        self._words = ElidedLabel(font="small", colour="text2")
        self._numbers = Label(font="small", colour="text3")
        self.cancel_button = Button(self.tr("Cancel"), kind="flat")
        self.cancel_button.clicked.connect(self.cancelled)
        row = QHBoxLayout()
        row.setContentsMargins(theme().margins(24, 4, 16, 4))
        row.setSpacing(theme().px(12))
        row.addWidget(self._words, 1)
        row.addWidget(self._numbers)
        row.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(0, 0, 0, 2))
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(Line())
        self.setAccessibleName(self.tr("Progress"))
        self.hide()

    @property
    def words(self) -> str:
        """What is said, empty while hidden."""
        return "" if self.isHidden() else f"{self._words.text()} {self._numbers.text()}".strip()

    def start(self, title: str, *, can_cancel: bool = True) -> None:
        """Say what goes on from now."""
        self._title, self._share = title, 0.0
        self._words.setText(text.one_line(title))
        self._numbers.setText("")
        self.cancel_button.setVisible(can_cancel)
        self.show()

    def advance(self, done: int, total: int) -> None:
        """Say how much is done."""
        self._share = min(1.0, done / total) if total > 0 else 0.0
        self._numbers.setText(f"{text.count(done)} {self.tr('of')} {text.count(total)}")
        self.setAccessibleDescription(self.words)
        self.update()

    def finish(self) -> None:
        """Put the bar away."""
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.bg2)
        track = QRect(0, self.height() - 2, self.width(), 2)
        painter.fillRect(track, tokens.line)
        track.setWidth(round(track.width() * self._share))
        painter.fillRect(track, tokens.accent)
        painter.end()
