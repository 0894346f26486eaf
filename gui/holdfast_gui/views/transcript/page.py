"""The page: chunks of a session drawn one below the other, what lies where, and what is open and selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.message import ToolCall
from holdfast_core.model.session import Session
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from holdfast_gui.models.transcript import TranscriptModel
from holdfast_gui.text import clock
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.transcript.chunk import Chunk, PaintState, TextChunk, fill_round
from holdfast_gui.views.transcript.column import Column, Placed
from holdfast_gui.views.transcript.compose import Composer
from holdfast_gui.views.transcript.lines import HeadChunk, draw_text
from holdfast_gui.views.transcript.markdown import prepare
from holdfast_gui.views.transcript.selection import Selection, Spot
from holdfast_gui.views.transcript.worker import Worker

TEXT_LEFT, TEXT_RIGHT, WIDEST, NARROWEST = 60, 30, 860, 200
LINE_STEP = 60
COPIED_MS = 1_500
IDLE_MS = 400  # after the first paint
NO_AGENT = AgentInfo("", "Agent", "A", 210, (), False, 0, False, False, None)


class Page(QAbstractScrollArea):
    """Draws the chunks in sight, and nothing else. ``words`` are marked, ``mouse`` is where the mouse hovers."""

    session_wanted = Signal(str)
    child_wanted = Signal(str)
    link_clicked = Signal(str)
    moved = Signal()
    content_changed = Signal()
    current_part_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TranscriptModel()
        self._code_worker = Worker(limit=300)
        self._picture_worker = Worker(limit=24)
        self._composer = Composer(self.model, NO_AGENT, self._code_worker, self._picture_worker)
        self.column = Column(self.model, self._compose)
        self.selection = Selection()
        self.words: Sequence[str] = ()
        self.current_hit = (-1, -1, -1)
        self.mouse: QPointF | None = None
        self.current_part = -1
        self.shows_current = False
        self._copied: Chunk | None = None
        self._placed: list[Placed] | None = None
        self._is_syncing = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._code_worker.done.connect(self.refresh)
        self._picture_worker.done.connect(self.changed_size)
        theme().changed.connect(self.restyle)
        QTimer.singleShot(IDLE_MS, self, lambda: self._code_worker.result("markdown", prepare))
        self.destroyed.connect(self._code_worker.stop)
        self.destroyed.connect(self._picture_worker.stop)

    def show_new(self, session: Session, agent: AgentInfo, children: Mapping[str, Session]) -> None:
        """Take another session; its parts are still to be built."""
        self._composer = Composer(self.model, agent, self._code_worker, self._picture_worker, dict(children))
        self.model.set_session(session)
        self.column.reset()
        self.selection.clear()
        self.current_part, self.shows_current = -1, False
        self.current_hit = (-1, -1, -1)

    @property
    def agent_name(self) -> str:
        """Whose session it is."""
        return self._composer.agent.name

    def add_child(self, session: Session) -> None:
        """Give the session of a subagent, which an open call shows in place."""
        self._composer.children[session.id] = session
        for entry in self.placed():
            self.column.forget_part(entry.part)
        self.changed_size()

    def placed(self) -> list[Placed]:
        """Return the chunks in the window, laid out."""
        if self._placed is None:
            self._placed = self.column.visible()
            self._sync_scroll_bar()
        return self._placed

    def scroll_by(self, distance: int) -> None:
        """Move by so many px; positive is towards the end."""
        self.column.scroll_by(distance)
        self.changed_place()

    def is_at_end(self) -> bool:
        """Tell whether the newest line is in sight."""
        return self.column.is_at_end()

    def set_current_part(self, part: int, *, shows: bool = True) -> None:
        """Make a part the one that Enter toggles; ``shows`` draws the ring."""
        self.current_part, self.shows_current = part, shows
        self.refresh()
        self.current_part_changed.emit(part)

    def toggle(self, part: int, *, opens: bool | None = None) -> bool:
        """Open or close a part; its line stays where it is. Returns whether it could."""
        if not 0 <= part < len(self.model.parts) or not self.model.is_openable(part):
            return False
        y = next((entry.y for entry in self.placed() if entry.place == (part, 0)), 0)
        self.model.set_open(part, (not self.model.is_open(part)) if opens is None else opens)
        self.column.forget_part(part)
        if self.selection:
            self.selection.clear()
        self.column.go_to(part, 0, -y)
        self.changed_place()
        self._ask_for_child(part)
        return True

    def _ask_for_child(self, part: int) -> None:
        """Ask for the session of an open call's subagent, unless it is here."""
        block = self.model.block(part)
        session_id = block.session_id if isinstance(block, ToolCall) else None
        if session_id and self.model.is_open(part) and session_id not in self._composer.children:
            self.child_wanted.emit(session_id)

    def tell_copied(self, chunk: Chunk | None) -> None:
        """Say for a moment that what a chunk shows was copied."""
        self._copied = chunk
        self.refresh()
        if chunk is not None:
            QTimer.singleShot(COPIED_MS, self, lambda: self.tell_copied(None))

    def spot_at(self, point: QPointF) -> Spot | None:
        """Return the spot nearest to a point of the viewport."""
        placed = self.placed()
        if not placed:
            return None
        entry = next((entry for entry in placed if point.y() < entry.y + entry.chunk.height), placed[-1])
        return (*entry.place, entry.chunk.position_at(self.inside(entry, point)))

    def entry_at(self, point: QPointF) -> Placed | None:
        """Return the chunk at a point of the viewport."""
        return next((e for e in self.placed() if e.y <= point.y() < e.y + e.chunk.height), None)

    def inside(self, entry: Placed, point: QPointF) -> QPointF:
        """Return a point of the viewport in a chunk's own coordinates."""
        return QPointF(point.x() - self._left() - entry.chunk.indent, point.y() - entry.y)

    def refresh(self) -> None:
        """Draw anew."""
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground and the chunks that the event touches."""
        painter = QPainter(self.viewport())
        try:
            painter.fillRect(event.rect(), theme().tokens.bg2)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for entry in self.placed():
                if entry.y <= event.rect().bottom() and entry.y + entry.chunk.height >= event.rect().top():
                    self._paint_chunk(painter, entry)
        finally:
            painter.end()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Follow the scroll bar where somebody else moved it."""
        if self._is_syncing or dy == 0:
            return
        if abs(dy) < 2 * self.viewport().height():
            self.column.scroll_by(-dy)
        else:
            self.column.scroll_to_position(self.verticalScrollBar().value())
        self.changed_place()

    def fit(self) -> None:
        """Take over the size of the viewport."""
        look = theme()
        room = self.viewport().width() - look.px(TEXT_LEFT) - look.px(TEXT_RIGHT)
        self.column.viewport_height = self.viewport().height()
        self.column.set_width(max(NARROWEST, min(room, look.px(WIDEST))))
        self._placed = None

    def changed_place(self) -> None:
        """Draw what is in sight now, and tell."""
        self._placed = None
        self.refresh()
        self.moved.emit()

    def changed_size(self) -> None:
        """Draw anew: some heights are others now."""
        self.changed_place()
        self.content_changed.emit()

    def restyle(self) -> None:
        """Colours, fonts or sizes changed: everything is drawn anew."""
        self.column.forget()
        self.fit()
        self.changed_size()

    # Inside

    def _compose(self, part: int) -> list[Chunk]:
        return self._composer.chunks(part)

    def _left(self) -> int:
        return theme().px(TEXT_LEFT)

    def _sync_scroll_bar(self) -> None:
        """Let the hidden scroll bar say where we are, for whoever asks it."""
        self._is_syncing = True
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, self.column.height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(LINE_STEP)
        bar.setValue(self.column.position)
        self._is_syncing = False

    def _paint_chunk(self, painter: QPainter, entry: Placed) -> None:
        chunk = entry.chunk
        height = self.viewport().height()
        left = self._left() + chunk.indent
        words: Sequence[str] = self.words if isinstance(chunk, TextChunk) else ()
        mouse = self.mouse
        state = PaintState(
            clip=QRectF(-left, -entry.y, self.viewport().width(), height),
            words=words,
            current_hit=self.current_hit[2] if words and entry.place == self.current_hit[:2] else -1,
            selection=self._selected(entry),
            mouse=self.inside(entry, mouse) if mouse and entry.y <= mouse.y() < entry.y + chunk.height else None,
            was_copied=chunk is self._copied,
            has_focus=self.shows_current and self.hasFocus() and entry.place == (self.current_part, 0),
        )
        painter.save()
        painter.translate(left, entry.y)
        painter.setClipRect(QRectF(-left, 0, self.viewport().width(), chunk.height))
        if chunk.indent:
            painter.fillRect(QRectF(-theme().px(40), 0, 2, chunk.height), theme().tokens.line)
        if not isinstance(chunk, TextChunk) and self.selection.within(*entry.place, 0):
            ground = QColor(theme().tokens.accent)
            ground.setAlphaF(0.14)
            fill_round(
                painter, QRectF(-theme().px(9), 1, chunk.width + theme().px(9), chunk.height - 2), RADIUS_SMALL, ground
            )
        chunk.paint(painter, state)
        if state.has_focus and not self.model.is_openable(entry.part):
            fill_round(painter, QRectF(-theme().px(9), 2, 3, chunk.height - 4), 1.5, theme().tokens.accent)
        if state.mouse is not None and not isinstance(chunk, HeadChunk):
            self._paint_time(painter, entry)
        painter.restore()

    def _paint_time(self, painter: QPainter, entry: Placed) -> None:
        """Show in the margin when the message under the mouse was written."""
        look = theme()
        place = QRectF(-look.px(TEXT_LEFT), 0, look.px(TEXT_LEFT - 14), min(entry.chunk.height, look.px(32)))
        when = clock(self.model.message(entry.part).timestamp_ms)
        draw_text(painter, place, when, look.font("caption"), look.tokens.text3, at_right=True)

    def _selected(self, entry: Placed) -> tuple[int, int] | None:
        if not self.selection or not isinstance(entry.chunk, TextChunk):
            return None
        return self.selection.within(*entry.place, entry.chunk.ensure_document().length)
