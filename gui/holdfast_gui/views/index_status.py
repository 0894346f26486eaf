"""How the index stands, at the foot of the places pane."""

from __future__ import annotations

from typing import Final

from holdfast_core.model.changes import ScanProgress
from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import ICON
from holdfast_gui.views.controls import Label

_INSET: Final = 8
_TEXT_LEFT: Final = 40


class IndexStatus(QWidget):
    """The foot of the pane: how many sessions the index has, or how far a scan has come."""

    def __init__(self) -> None:
        super().__init__()
        self._icon, self._colour = "shield", "live"
        self._share: float | None = None
        self._first = Label(font="caption", colour="text2")
        self._second = Label(font="caption", colour="text3")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(_TEXT_LEFT, 10, 12, 8))
        column.setSpacing(0)
        column.addWidget(self._first)
        column.addWidget(self._second)
        self.setAccessibleName(self.tr("State of the index"))

    @property
    def words(self) -> str:
        """What is said, both lines."""
        return f"{self._first.text()}\n{self._second.text()}".strip()

    def set_idle(self, sessions: int, detail: str = "") -> None:
        """Say that nothing is left to read."""
        self._icon, self._colour, self._share = "shield-check", "live", None
        self._say(text.counted(sessions, "session", "sessions"), detail or self.tr("index up to date"))

    def set_progress(self, progress: ScanProgress) -> None:
        """Say how far the scan has come, in numbers."""
        total = max(progress.sources_total, progress.sources_done)
        self._icon, self._colour = "refresh", "accent"
        self._share = progress.sources_done / total if total else 0.0
        done, of_all = text.count(progress.sources_done), text.count(total)
        detail = f"{text.size(progress.bytes_done)} of {text.size(progress.bytes_total)}"
        self._say(f"{self.tr('Reading')} {done} {self.tr('of')} {of_all}", detail if progress.bytes_total else "")

    def set_paused(self, detail: str = "") -> None:
        """Say that scanning is paused."""
        self._icon, self._colour, self._share = "pause", "wait", None
        self._say(self.tr("Scanning is paused"), detail)

    def set_rebuilding(self, words: str, detail: str = "") -> None:
        """Say that the list is on its way back."""
        self._icon, self._colour, self._share = "refresh", "accent", 0.0
        self._say(words, detail)

    def set_problem(self, words: str, detail: str = "") -> None:
        """Say what keeps the index from being up to date."""
        self._icon, self._colour, self._share = "problem", "bad", None
        self._say(words, detail)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        track = QRect(_INSET, 0, self.width() - 2 * _INSET, 1 if self._share is None else 2)
        painter.fillRect(track, tokens.line)
        if self._share is not None:
            track.setWidth(round(track.width() * min(1.0, self._share)))
            painter.fillRect(track, tokens.accent)
        px = theme().px
        paint_icon(painter, self._icon, QRect(px(18), px(11), px(ICON), px(ICON)), getattr(tokens, self._colour))
        painter.end()

    def _say(self, first: str, second: str) -> None:
        self._first.setText(first)
        self._second.setText(second)
        self._second.setVisible(bool(second))
        self.setAccessibleDescription(self.words)
        self.update()
