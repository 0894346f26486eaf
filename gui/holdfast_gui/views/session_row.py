"""How a row of the session list looks: a session, something found in one, a heading, or a row still to come."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

from holdfast_core import clock
from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.search import Hit
from holdfast_core.model.session import SessionEntry
from PySide6.QtCore import QModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyleOptionViewItem, QWidget

from holdfast_gui import text
from holdfast_gui.models.session_list import Group, HitRow, SessionRole
from holdfast_gui.models.vault import badge_words
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_SMALL, SESSION_ROW, FontName
from holdfast_gui.views.marks import paint_avatar, paint_badge, paint_dot, paint_ring
from holdfast_gui.views.row_delegate import Index, RowDelegate

_AVATAR: Final = 22
_AVATAR_TOP: Final = 10
_LEFT: Final = 12
_TEXT_LEFT: Final = 44
_RIGHT: Final = 12
_TITLE_TOP: Final = 10
_LINE_TOP: Final = 31
_STAR: Final = 14


class RowHost(Protocol):
    """What a row must know of its view."""

    is_by_keyboard: bool
    agents: Mapping[str, AgentInfo]

    @property
    def is_by_day(self) -> bool:
        """Whether the headings over the rows are days."""
        ...

    def hasFocus(self) -> bool:
        """See Qt."""
        ...

    def currentIndex(self) -> QModelIndex:
        """See Qt."""
        ...


class SessionDelegate(RowDelegate):
    """Paints rows and opens the field for a new name over the title."""

    def __init__(self, view: QWidget, host: RowHost) -> None:
        super().__init__(view)
        self._host = host
        self._field: QLineEdit | None = None

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """See Qt."""
        return QSize(200, theme().px(SESSION_ROW))

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """See Qt."""
        field = QLineEdit(parent)
        field.setMaxLength(text.TITLE_GRAPHEMES)
        field.setAccessibleName(self.tr("New name"))
        field.setFont(theme().font("strong"))
        self._field = field
        return field

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """See Qt: what the person has typed is not overwritten by newer rows."""
        if isinstance(editor, QLineEdit) and not editor.isModified():
            super().setEditorData(editor, index)

    def draft(self) -> str:
        """Return what stands in the open field."""
        return self._field.text() if self._field else ""

    def set_draft(self, draft: str) -> None:
        """Put into the open field what stood there before."""
        if self._field and draft != self._field.text():
            self._field.setText(draft)
            self._field.setModified(True)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """See Qt."""
        look = theme()
        rect: QRect = option.rect
        editor.setGeometry(
            rect.left() + look.px(_TEXT_LEFT) - 8, rect.top() + look.px(5), rect.width() - look.px(48), look.px(30)
        )

    def star_box(self, row: QRect) -> QRect:
        """Return where in a row a click stars the session."""
        look = theme()
        return QRect(row.right() - look.px(_RIGHT + 23), row.bottom() - look.px(30), look.px(30), look.px(30))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """See `RowDelegate`."""
        group: Group | None = index.data(SessionRole.GROUP)
        if group is not None:
            _paint_group(painter, option.rect, group.title)
            return
        entry: SessionEntry | None = index.data(SessionRole.ENTRY)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_hot = bool(option.state & QStyle.StateFlag.State_MouseOver)
        _paint_ground(painter, option.rect, is_selected=is_selected, is_hot=is_hot)
        if entry is None:
            _paint_skeleton(painter, option.rect)
        else:
            self._paint_session(painter, option.rect, entry, index.data(SessionRole.HIT), is_hot=is_hot)
        if self._host.hasFocus() and self._host.is_by_keyboard and self._host.currentIndex() == index:
            paint_ring(painter, QRectF(option.rect).adjusted(2, 2, -2, -2), RADIUS_SMALL)

    def _paint_session(
        self, painter: QPainter, rect: QRect, entry: SessionEntry, hit: HitRow | None, *, is_hot: bool
    ) -> None:
        look = theme()
        agent = self._host.agents.get(entry.agent)
        square = QRect(
            rect.left() + look.px(_LEFT), rect.top() + look.px(_AVATAR_TOP), look.px(_AVATAR), look.px(_AVATAR)
        )
        paint_avatar(painter, square, agent.mark if agent else entry.agent[:1].upper(), agent.hue if agent else 220)
        left = rect.left() + look.px(_TEXT_LEFT)
        right = rect.right() + 1 - look.px(_RIGHT)
        first = QRect(left, rect.top() + look.px(_TITLE_TOP), right - left, look.line("strong"))
        second = QRect(left, rect.top() + look.px(_LINE_TOP), right - left, look.line("small"))
        first.setRight(_paint_outcome(painter, first, entry, hit, is_under_day=self._host.is_by_day) - look.px(8))
        _paint_text(painter, first, text.title(entry.title), "strong", "text")
        side = look.px(_STAR)
        box = QRect(right - side, second.top() + (second.height() - side) // 2, side, side)
        # Its place is always kept: words that move under the mouse are hard to read.
        second.setRight(box.left() - look.px(8))
        if entry.starred or is_hot:
            colour = look.tokens.star if entry.starred else look.tokens.text3
            paint_icon(painter, "star-filled" if entry.starred else "star", box, colour)
        if hit and hit.best.snippet:
            _paint_snippet(painter, second, hit.best)
        else:
            _paint_second(painter, second, entry)


def _paint_ground(painter: QPainter, rect: QRect, *, is_selected: bool, is_hot: bool) -> None:
    tokens = theme().tokens
    if is_selected:
        painter.fillRect(rect, tokens.selection)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.accent)
        # The left half lies outside: only the right corners are round.
        painter.drawRoundedRect(QRectF(rect.left() - 3, rect.top() + 8, 6, rect.height() - 16), 2, 2)
    elif is_hot:
        painter.fillRect(rect, tokens.hover)


def _paint_group(painter: QPainter, rect: QRect, title: str) -> None:
    look = theme()
    box = rect.adjusted(look.px(14), look.px(12), -look.px(_RIGHT), -look.px(4))
    _paint_text(painter, box, text.one_line(title), "heading", "text3")


def _paint_outcome(
    painter: QPainter, line: QRect, entry: SessionEntry, hit: HitRow | None, *, is_under_day: bool
) -> int:
    """Paint what stands right of the title and return where that begins."""
    look = theme()
    tokens = look.tokens
    caption = QFontMetrics(look.font("caption"))
    if hit:
        words = text.counted(len(hit.hits), "hit", "hits")
    elif entry.state == "live":
        words = "live"
    elif is_under_day:
        words = text.clock(entry.updated_ms)
    else:
        words = text.age(entry.updated_ms, clock.now())
    width = caption.horizontalAdvance(words)
    left = line.right() + 1 - width
    painter.setFont(look.font("caption"))
    painter.setPen(tokens.text3)
    painter.drawText(QRect(left, line.top(), width + 1, line.height()), Qt.AlignmentFlag.AlignVCenter, words)
    if entry.state == "live" and not hit:
        left -= look.px(14)
        paint_dot(painter, QPoint(left + look.px(4), line.center().y() + 1), look.px(7), tokens.live, roundness=0.5)
    if entry.opaque:
        side = look.px(12)
        left -= side + look.px(5)
        paint_icon(painter, "lock", QRect(left, line.center().y() - side // 2, side, side), tokens.text3)
    badge = _badge(entry)
    if not badge:
        return left
    words, ink, ground = badge
    room = caption.horizontalAdvance(words) + look.px(12)
    box = QRect(left - look.px(8) - room, line.center().y() - look.px(7), room, look.px(16))
    paint_badge(
        painter, box, words, ink=getattr(tokens, ink), ground=getattr(tokens, ground), font=look.font("heading")
    )
    return box.left()


def _badge(entry: SessionEntry) -> tuple[str, str, str] | None:
    if lost := badge_words(entry):
        return lost, "bad", "bad_ground"
    if entry.problem_count:
        return text.counted(entry.problem_count, "problem", "problems"), "wait", "wait_ground"
    return ("problem", "bad", "bad_ground") if entry.state == "problem" else None


def _paint_second(painter: QPainter, line: QRect, entry: SessionEntry) -> None:
    said = text.preview(entry.last_text or entry.preview)
    if entry.opaque and not said:
        said = tr("Kept closed by its agent")
    facts = [text.project_name(entry.project_path), text.one_line(entry.branch)]
    where = " · ".join(part for part in facts if part)
    metrics = QFontMetrics(theme().font("small"))
    gap = " · " if said and where else ""
    # What was said may push the place aside, but never out of sight.
    room = min(metrics.horizontalAdvance(gap + where), int(line.width() * (0.42 if said else 1)))
    shown = _elided(said, "small", line.width() - room, theme().scale)
    painter.setFont(theme().font("small"))
    painter.setPen(theme().tokens.text2)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
    painter.drawText(line, flags, shown)
    left = line.left() + metrics.horizontalAdvance(shown)
    rest = QRect(left, line.top(), line.right() + 1 - left, line.height())
    _paint_text(painter, rest, gap + where, "small", "text3")


def _paint_snippet(painter: QPainter, line: QRect, hit: Hit) -> None:
    look = theme()
    metrics = QFontMetrics(look.font("small"))
    painter.setFont(look.font("small"))
    left = line.left()
    for words, is_hit in _pieces(hit.snippet, hit.highlights, line.width()):
        room = line.right() + 1 - left
        if room <= 0:
            return
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(shown)
        box = QRect(left, line.top(), width, line.height())
        if is_hit:
            paint_badge(
                painter,
                box.adjusted(-1, 1, 1, -1),
                "",
                ink=look.tokens.text,
                ground=look.tokens.hit_ground,
                font=look.font("small"),
            )
        painter.setPen(look.tokens.text if is_hit else look.tokens.text2)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        if shown != words:
            return
        left += width


@lru_cache(maxsize=512)
def _pieces(snippet: str, highlights: tuple[tuple[int, int], ...], width: int) -> list[tuple[str, bool]]:
    """Return the snippet in pieces, cut at its front so that the first hit is seen."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(highlights):
        if at <= start < end <= len(snippet):
            pieces += [(_flat(snippet[at:start]), False), (_flat(snippet[start:end]), True)]
            at = end
    pieces.append((_flat(snippet[at:]), False))
    metrics = QFontMetrics(theme().font("small"))
    lead = pieces[0][0]
    if len(pieces) > 1 and metrics.horizontalAdvance(lead) > width * 0.55:
        pieces[0] = (metrics.elidedText(lead, Qt.TextElideMode.ElideLeft, int(width * 0.4)), False)
    return [piece for piece in pieces if piece[0]]


def _flat(part: str) -> str:
    return " ".join(text.clean(part).split("\n")).replace("\t", " ")


def _paint_text(painter: QPainter, box: QRect, words: str, font: FontName, colour: str) -> None:
    painter.setFont(theme().font(font))
    painter.setPen(getattr(theme().tokens, colour))
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
    painter.drawText(box, flags, _elided(words, font, box.width(), theme().scale))


@lru_cache(maxsize=8192)
def _elided(words: str, font: FontName, width: int, scale: float) -> str:
    return QFontMetrics(theme().font(font)).elidedText(words, Qt.TextElideMode.ElideRight, max(0, width))


def _paint_skeleton(painter: QPainter, rect: QRect) -> None:
    look = theme()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.tokens.raised)
    left, top = rect.left() + look.px(_TEXT_LEFT), rect.top()
    room = rect.width() - look.px(_TEXT_LEFT) - look.px(_RIGHT)
    painter.drawRoundedRect(
        QRect(rect.left() + look.px(_LEFT), top + look.px(_AVATAR_TOP), look.px(_AVATAR), look.px(_AVATAR)), 5, 5
    )
    painter.drawRoundedRect(QRect(left, top + look.px(15), int(room * 0.62), look.px(10)), 5, 5)
    painter.drawRoundedRect(QRect(left, top + look.px(36), int(room * 0.86), look.px(8)), 4, 4)
