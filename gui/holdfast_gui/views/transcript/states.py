"""What stands in the transcript's place while there is none: loading, an error, nothing chosen."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from holdfast_gui.text import one_line
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_CARD
from holdfast_gui.views.transcript.chunk import fill_round

State = Literal["empty", "loading", "error"]
# Each row of the skeleton: is it a prompt, and how long its lines are, in hundredths of the width.
_SKELETON = ((True, (88, 52)), (False, (36, 62, 48)), (False, (94, 97, 90, 30)), (True, (70,)), (False, (92, 88, 44)))


class StateView(QWidget):
    """One icon and one sentence, or the outline of a transcript that is on its way. Nothing moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: State = "empty"
        self._text = ""
        theme().changed.connect(self.update)

    @property
    def state(self) -> State:
        """Which state is shown."""
        return self._state

    def show_state(self, state: State, text: str = "") -> None:
        """Show a state; ``text`` is a whole sentence."""
        self._state = state
        self._text = text
        self.setAccessibleName(one_line(text) if text else self.tr("Loading"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the state."""
        painter = QPainter(self)
        try:
            painter.fillRect(event.rect(), theme().tokens.bg2)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self._state == "loading":
                self._paint_skeleton(painter)
            else:
                self._paint_sentence(painter)
        finally:
            painter.end()

    def _paint_skeleton(self, painter: QPainter) -> None:
        look, tokens = theme(), theme().tokens
        left, width = look.px(60), min(self.width() - look.px(110), look.px(860))
        top = look.px(18)
        for is_prompt, lines in _SKELETON:
            fill_round(painter, QRectF(left - look.px(36), top, look.px(24), look.px(24)), look.px(12), tokens.raised)
            fill_round(painter, QRectF(left, top + look.px(6), look.px(72), look.px(10)), 5, tokens.raised)
            top += look.px(28)
            height = len(lines) * look.px(22) + look.px(18 if is_prompt else 4)
            if is_prompt:
                fill_round(painter, QRectF(left, top, width, height), RADIUS_CARD, tokens.prompt_ground)
            inset = look.px(12) if is_prompt else 0
            for number, share in enumerate(lines):
                y = top + inset * 0.75 + number * look.px(22) + look.px(6)
                bar = QRectF(left + inset, y, (width - 2 * inset) * share / 100, look.px(10))
                fill_round(painter, bar, 5, tokens.raised)
            top += height + look.px(18)

    def _paint_sentence(self, painter: QPainter) -> None:
        look, tokens = theme(), theme().tokens
        is_error = self._state == "error"
        middle = self.height() // 2 - look.px(30)
        side = look.px(28)
        place = QRect((self.width() - side) // 2, middle - side, side, side)
        paint_icon(painter, "problem" if is_error else "sessions", place, tokens.bad if is_error else tokens.text3)
        painter.setFont(look.font("body"))
        painter.setPen(tokens.text if is_error else tokens.text2)
        width = min(self.width() - look.px(48), look.px(420))
        box = QRectF((self.width() - width) / 2, middle + look.px(12), width, look.px(160))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(box, int(flags), self._text)
