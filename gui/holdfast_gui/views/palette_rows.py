"""How the palette's entries are painted: sign, title and detail with the matching letters marked, key caps."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from holdfast_gui.models.palette import ENTRY_ROLE, LETTERS_ROLE, Entry
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.row_delegate import Index, RowDelegate

MARGIN: Final = 16
_ROW: Final = 36
_HEADING: Final = 34
_ICON: Final = 16
_AVATAR: Final = 22


class PaletteDelegate(RowDelegate):
    """Paints headings and entries; all text is drawn plain."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, theme().px(_ROW if index.data(ENTRY_ROLE) else _HEADING))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry | None = index.data(ENTRY_ROLE)
        rect = QRect(option.rect)
        if entry is None:
            self._heading(painter, rect, str(index.data()))
        else:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            self._entry(painter, rect, entry, set(index.data(LETTERS_ROLE) or ()), selected)

    def _heading(self, painter: QPainter, rect: QRect, text: str) -> None:
        painter.setFont(theme().font("heading"))
        painter.setPen(theme().tokens.text2)
        painter.drawText(
            rect.adjusted(MARGIN, 6, -MARGIN, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text
        )

    def _entry(self, painter: QPainter, rect: QRect, entry: Entry, letters: set[int], selected: bool) -> None:
        tokens = theme().tokens
        if selected:
            painter.fillRect(rect, tokens.selection)
        inner = rect.adjusted(MARGIN, 0, -MARGIN, 0)
        left = inner.left() + self._sign(painter, inner, entry)
        right = inner.right() - _paint_keys(painter, inner, entry.keys)
        room = QRect(left, inner.top(), right - left - 8, inner.height())
        painter.setFont(theme().font("body"))
        used = _paint_marked(painter, room, entry.title, letters, tokens.text)
        if entry.detail:
            offset = len(entry.title) + 1
            rest = room.adjusted(used + painter.fontMetrics().horizontalAdvance(" "), 0, 0, 0)
            _paint_marked(painter, rest, entry.detail, {at - offset for at in letters}, tokens.text2)

    def _sign(self, painter: QPainter, rect: QRect, entry: Entry) -> int:
        """Paint what stands before the title and return how much room it takes."""
        if not entry.mark:
            side = theme().px(_ICON)
            box = QRect(rect.left(), rect.center().y() - side // 2 + 1, side, side)
            paint_icon(painter, entry.icon or "chevron-right", box, theme().tokens.text)
            return side + 10
        side = theme().px(_AVATAR)
        box = QRect(rect.left(), rect.center().y() - side // 2 + 1, side, side)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().agent_ground(entry.hue))
        painter.drawRoundedRect(box, RADIUS_SMALL - 1, RADIUS_SMALL - 1)
        painter.setFont(theme().font("heading"))
        painter.setPen(theme().agent_ink(entry.hue))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, entry.mark)
        return side + 10


def _paint_marked(painter: QPainter, rect: QRect, text: str, letters: set[int], colour: QColor) -> int:
    """Paint one elided line with the ground of some letters marked; returns its width."""
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(" ".join(text.split("\n")), Qt.TextElideMode.ElideRight, max(0, rect.width()))
    for start, end in _runs(letters, len(shown)):
        left = rect.left() + metrics.horizontalAdvance(shown[:start])
        width = metrics.horizontalAdvance(shown[:end]) - metrics.horizontalAdvance(shown[:start])
        box = QRect(left - 1, rect.center().y() - metrics.height() // 2, width + 2, metrics.height() + 1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().tokens.hit_ground)
        painter.drawRoundedRect(box, 3, 3)
    painter.setPen(colour)
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    return metrics.horizontalAdvance(shown)


def _runs(letters: set[int], length: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for at in sorted(letter for letter in letters if 0 <= letter < length):
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return runs


def _paint_keys(painter: QPainter, rect: QRect, keys: str) -> int:
    """Paint a shortcut as key caps at the right end and return how much room they take."""
    painter.setFont(theme().font("caption"))
    metrics = painter.fontMetrics()
    right = rect.right()
    for cap in reversed([cap for cap in keys.split("+") if cap] or []):
        shown = {"Return": "↵", "Enter": "↵"}.get(cap, cap)
        width = metrics.horizontalAdvance(shown) + 10
        box = QRect(right - width, rect.center().y() - 9, width, 19)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme().tokens.scroll)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme().tokens.text2)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)
        right -= width + 4
    return rect.right() - right
