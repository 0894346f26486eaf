"""The chunks of one line: who speaks, what a tool did, where the context was compacted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from holdfast_gui.models.parts import LINE_HEIGHT
from holdfast_gui.models.steps import Step
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.transcript.chunk import Button, Chunk, PaintState, fill_round, outline_round

AVATAR = 24
_ICONS: Final = {
    "run": "terminal", "read": "file", "edit": "pencil", "write": "pencil", "search": "search", "fetch": "globe",
    "task": "subagent", "list": "folder", "plan": "todo", "ask": "info", "thought": "circle", "context": "info",
    "compaction": "compact", "image": "image", "error": "problem", "steps": "chevron-right", "tool": "tool",
    "file": "file", "output": "tool",
}  # fmt: skip
_TONES: Final = {"quiet": "text3", "added": "added", "removed": "removed", "bad": "bad"}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: ``hue`` is None for the person."""

    name: str
    mark: str
    hue: int | None


class HeadChunk(Chunk):
    """An avatar, a name and a caption; what the answer cost shows while the mouse is on it."""

    def __init__(self, speaker: Speaker, caption: str, usage: Callable[[], str]) -> None:
        super().__init__(40)
        self._speaker = speaker
        self._caption = caption
        self._usage = usage

    @property
    def plain(self) -> str:
        """The name and the caption."""
        return f"{self._speaker.name} {self._caption}".strip()

    def lay_out(self, width: int) -> None:
        """Take the height of one head."""
        super().lay_out(width)
        self.height = theme().px(40)

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw the avatar left of the text's edge and the names on one line."""
        look, tokens = theme(), theme().tokens
        size = look.px(AVATAR)
        top = look.px(16)
        avatar = QRectF(-look.px(36), top - 1, size, size)
        hue = self._speaker.hue
        ground = tokens.raised if hue is None else look.agent_ground(hue)
        fill_round(painter, avatar, size / 2, ground)
        painter.setPen(tokens.text2 if hue is None else look.agent_ink(hue))
        painter.setFont(look.font("heading"))
        painter.drawText(avatar, Qt.AlignmentFlag.AlignCenter, self._speaker.mark)
        line = QRectF(0, top, self.width, look.px(20))
        left = draw_text(painter, line, self._speaker.name, look.font("bold"), tokens.text)
        left += look.px(8)
        usage = self._usage() if state.mouse is not None else ""
        right = 0.0
        if usage:
            right = draw_text(painter, line, usage, look.font("caption"), tokens.text3, at_right=True) + 12
        draw_text(painter, line.adjusted(left, 0, -right, 0), self._caption, look.font("small"), tokens.text3)


class StepChunk(Chunk):
    """One quiet line: icon, verb, argument in mono, outcome at the right; a click opens it."""

    def __init__(self, step: Step, *, is_open: bool, is_openable: bool, session_id: str | None = None) -> None:
        super().__init__(LINE_HEIGHT)
        self._step = step
        self.is_open = is_open
        self.is_openable = is_openable
        self._session_id = session_id

    @property
    def plain(self) -> str:
        """The line as text."""
        return self._step.as_text()

    @property
    def source(self) -> str:
        """The line as text: a closed step shows no source."""
        return self._step.as_text()

    def lay_out(self, width: int) -> None:
        """Take the height of one line."""
        super().lay_out(width)
        self.height = theme().px(LINE_HEIGHT)

    def buttons(self) -> Sequence[Button]:
        """Return the button that opens a subagent's session, then the line itself."""
        look = theme()
        found: list[Button] = []
        if self._session_id:
            text = QCoreApplication.translate("transcript", "Open session")
            width = QFontMetricsF(look.font("small")).horizontalAdvance(text) + look.px(16)
            rect = QRectF(self.width - width - look.px(4), look.px(3), width, look.px(26))
            session_id = self._session_id
            found.append(Button("open_session", text, rect, lambda: session_id))
        if self.is_openable:
            found.append(Button("toggle", self.plain, self._ground()))
        return found

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw the line; the mouse gives it a ground, the keyboard a ring."""
        look, tokens = theme(), theme().tokens
        is_hovered = self.is_openable and state.mouse is not None and self._ground().contains(state.mouse)
        if is_hovered:
            fill_round(painter, self._ground(), RADIUS_SMALL, tokens.hover)
        if state.has_focus:
            outline_round(painter, self._ground(), RADIUS_SMALL, tokens.accent, 2)
        box = QRect(0, look.px(1), look.px(16), look.px(30))
        paint_icon(painter, self._icon(is_hovered), box.adjusted(0, look.px(7), 0, -look.px(7)), self._icon_colour())
        line = QRectF(look.px(23), look.px(1), self.width - look.px(31), look.px(30))
        right = self._paint_right(painter, line, state)
        used = draw_text(painter, line, tr(self._step.verb), look.font("bold"), tokens.text) + look.px(10)
        rest = line.adjusted(used, 0, -right - look.px(12), 0)
        if rest.width() > 20:
            draw_text(painter, rest, self._step.argument, look.font("code"), tokens.text2)

    def _paint_right(self, painter: QPainter, line: QRectF, state: PaintState) -> float:
        """Draw button and outcome from the right; returns how much of the line they took."""
        look, tokens = theme(), theme().tokens
        taken = 0.0
        for button in self.buttons():
            if button.action == "open_session":
                is_hovered = state.mouse is not None and button.rect.contains(state.mouse)
                fill_round(painter, button.rect, RADIUS_SMALL, tokens.hover if is_hovered else tokens.raised)
                draw_text(painter, button.rect, button.text, look.font("small"), tokens.accent, is_centred=True)
                taken += button.rect.width() + look.px(8)
        for number, part in enumerate(reversed(self._step.outcome)):
            colour: QColor = getattr(tokens, _TONES[part.tone])
            font = look.font("caption" if part.tone == "quiet" else "heading")
            is_separate = number > 0 and part.tone not in ("added", "removed")
            text = f"{part.text} ·" if is_separate else part.text
            taken += look.px(4 if is_separate else 8) if number else 0
            taken += draw_text(painter, line.adjusted(0, 0, -taken, 0), text, font, colour, at_right=True)
        return taken

    def _ground(self) -> QRectF:
        look = theme()
        return QRectF(-look.px(9), look.px(1), self.width + look.px(9), look.px(30))

    def _icon(self, is_hovered: bool) -> str:
        if self._step.icon == "steps" or (is_hovered and self.is_openable):
            return "chevron-down" if self.is_open else "chevron-right"
        return _ICONS.get(self._step.icon, "tool")

    def _icon_colour(self) -> QColor:
        is_bad = self._step.is_error and self._step.icon != "steps"
        return theme().tokens.bad if is_bad else theme().tokens.text2


class CompactionChunk(Chunk):
    """A line across the page where the agent replaced what came before by a summary."""

    def __init__(self, text: str, *, is_open: bool, is_openable: bool) -> None:
        super().__init__(44)
        self._text = text
        self.is_open = is_open
        self.is_openable = is_openable

    @property
    def plain(self) -> str:
        """The words on the line."""
        return self._text

    @property
    def source(self) -> str:
        """The words on the line."""
        return self._text

    def lay_out(self, width: int) -> None:
        """Take the height of one mark."""
        super().lay_out(width)
        self.height = theme().px(44)

    def buttons(self) -> Sequence[Button]:
        """Return the words as a button, if there is a summary."""
        return [Button("toggle", self._text, self._words())] if self.is_openable else []

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw the line with the words in its middle."""
        look, tokens = theme(), theme().tokens
        words = self._words()
        middle = round(words.center().y())
        painter.fillRect(QRectF(0, middle, words.left() - 8, 1), tokens.line)
        painter.fillRect(QRectF(words.right() + 8, middle, self.width - words.right() - 8, 1), tokens.line)
        if self.is_openable and state.mouse is not None and words.contains(state.mouse):
            fill_round(painter, words, RADIUS_SMALL, tokens.hover)
        if state.has_focus:
            outline_round(painter, words, RADIUS_SMALL, tokens.accent, 2)
        icon = QRect(round(words.left()) + look.px(8), middle - look.px(7), look.px(14), look.px(14))
        paint_icon(painter, "compact", icon, tokens.text3)
        draw_text(painter, words.adjusted(look.px(28), 0, 0, 0), self._text, look.font("small"), tokens.text3)

    def _words(self) -> QRectF:
        look = theme()
        width = QFontMetricsF(look.font("small")).horizontalAdvance(self._text) + look.px(38)
        return QRectF((self.width - width) / 2, look.px(8), width, look.px(28))


def draw_text(
    painter: QPainter,
    rect: QRectF,
    text: str,
    font: QFont,
    colour: QColor,
    *,
    at_right: bool = False,
    is_centred: bool = False,
) -> float:
    """Draw one line of plain text, cut with an ellipsis where it does not fit; returns its width."""
    metrics = QFontMetricsF(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, rect.width()))
    width = metrics.horizontalAdvance(shown)
    left = rect.right() - width if at_right else rect.left() + (rect.width() - width) / 2 if is_centred else rect.left()
    baseline = rect.center().y() + (metrics.capHeight() / 2)
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(QPointF(left, baseline), shown)
    return width
