"""How the vault and the index stand, at the foot of the places pane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from holdfast_core.model.changes import ScanProgress
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import ICON, RADIUS_SMALL
from holdfast_gui.views.controls import ElidedLabel, Pressable

if TYPE_CHECKING:
    from holdfast_gui.models.vault import StatusLines

_INSET: Final = 8
_TEXT_LEFT: Final = 40


class IndexStatus(Pressable):
    """The foot of the pane: how safe the sessions are, or how far a scan has come; a press wants to see more of it."""

    def __init__(self) -> None:
        super().__init__()
        self._icon, self._colour = "shield", "live"
        self._share: float | None = None
        self._vault: Callable[[int], StatusLines] | None = None
        self._idle: tuple[int, str] | None = None
        self._lines = [ElidedLabel(font="caption", colour=colour) for colour in ("text2", "text3", "text3")]
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(_TEXT_LEFT, 10, 12, 8))
        column.setSpacing(0)
        for line in self._lines:
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(line)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("State of the index"))

    @property
    def words(self) -> str:
        """What is said, all lines."""
        return "\n".join(line.text() for line in self._lines if line.text())

    def sizeHint(self) -> QSize:
        """See Qt: a button of its own has none."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def set_vault(self, lines: Callable[[int], StatusLines]) -> None:
        """Say how safe the sessions are from now on while nothing is read; ``lines`` is given how many are listed."""
        self._vault = lines
        if self._idle is not None:
            self.set_idle(*self._idle)

    def set_idle(self, sessions: int, detail: str = "") -> None:
        """Say that nothing is left to read."""
        idle = (sessions, detail)
        if self._vault is not None:
            icon, colour, lines = self._vault(sessions)
            self._icon, self._colour, self._share = icon, colour, None
            self._say(*lines)
        else:
            self._icon, self._colour, self._share = "shield-check", "live", None
            self._say(text.counted(sessions, "session", "sessions"), detail or self.tr("index up to date"))
        self._idle = idle

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
        if self.is_hot:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.hover)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(_INSET, 4, -_INSET, -4), RADIUS_SMALL, RADIUS_SMALL)
        track = QRect(_INSET, 0, self.width() - 2 * _INSET, 1 if self._share is None else 2)
        painter.fillRect(track, tokens.line)
        if self._share is not None:
            track.setWidth(round(track.width() * min(1.0, self._share)))
            painter.fillRect(track, tokens.accent)
        px = theme().px
        paint_icon(painter, self._icon, QRect(px(18), px(11), px(ICON), px(ICON)), getattr(tokens, self._colour))
        painter.end()

    def _say(self, *words: str) -> None:
        self._idle = None
        for number, line in enumerate(self._lines):
            line.setText(words[number] if number < len(words) else "")
            line.setVisible(bool(line.text()))
        self.setAccessibleDescription(self.words)
        self.setToolTip(text.tooltip(self.words))
        self.updateGeometry()
        self.update()
