"""The transcript itself: a scroll area that draws the chunks in sight, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.session import Session
from holdfast_gui.models.parts import Kind
from holdfast_gui.models.transcript import TextHit, TranscriptModel
from holdfast_gui.theme import theme
from holdfast_gui.views.transcript.chunk import Chunk, PaintState, TextChunk, fill_round
from holdfast_gui.views.transcript.column import Column, Placed
from holdfast_gui.views.transcript.compose import Composer
from holdfast_gui.views.transcript.finder import Finder
from holdfast_gui.views.transcript.pointer import Pointer
from holdfast_gui.views.transcript.selection import END, Selection, Spot
from holdfast_gui.views.transcript.worker import Worker

TEXT_LEFT, TEXT_RIGHT, WIDEST, NARROWEST = 60, 30, 860, 200
BUILD_SECONDS = 0.012
LINE_STEP = 60
NO_AGENT = AgentInfo("", "Agent", "A", 210, (), False, 0, False, False, None)


class TranscriptView(QAbstractScrollArea):
    """A session of any length. Emits what the person asks for; opens and fetches nothing itself."""

    session_wanted = Signal(str)
    link_clicked = Signal(str)
    context_menu_wanted = Signal(QPoint)
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
        self.finder = Finder(self.model, self)
        self.pointer = Pointer(self)
        self.current_part = -1
        self._shows_current = False
        self._placed: list[Placed] | None = None
        self._current_hit: tuple[int, int, int] = (-1, -1, -1)
        self._wanted_message = -1
        self._wants_end = False
        self._is_syncing = False
        self._builder = QTimer(self, interval=0)
        self._builder.timeout.connect(self._build)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._code_worker.done.connect(self.refresh)
        self._picture_worker.done.connect(self._relaid)
        self.finder.changed.connect(self.refresh)
        self.finder.jumped.connect(self._show_current_hit)
        theme().changed.connect(self._restyle)
        code, picture = self._code_worker, self._picture_worker
        self.destroyed.connect(lambda: (code.stop(), picture.stop()))

    # What is shown

    def set_session(self, session: Session, agent: AgentInfo, children: Mapping[str, Session] | None = None) -> None:
        """Show a session from its beginning; long ones are built in slices while the window lives on."""
        self._composer = Composer(self.model, agent, self._code_worker, self._picture_worker, children or {})
        self.model.set_session(session)
        self.column.reset()
        self.selection.clear()
        self.finder.start(())
        self.current_part, self._shows_current = -1, False
        self._wanted_message, self._wants_end = -1, False
        self._build()

    def append(self, session: Session, first_index: int) -> None:
        """Take a newer state of the same session; stays at the end if the end is in sight, else where it is."""
        self._wants_end = not self.column.is_empty and self.column.is_at_end()
        first = self.model.append(session, first_index)
        self.column.forget_from(first)
        if self.selection and self.selection.ends[1][0] >= first:
            self.selection.clear()
        self._build()
        self.finder.again()

    def set_children(self, children: Mapping[str, Session]) -> None:
        """Give the sessions of subagents that opened calls show in place."""
        self._composer.children = children
        self._restyle()

    def show_groups(self, groups: int) -> None:
        """Show only some kinds of parts; the place is kept as nearly as can be."""
        self.model.show_groups(groups)
        self.selection.clear()
        self._relaid()

    # Places

    def placed(self) -> list[Placed]:
        """Return the chunks in the window, laid out."""
        if self._placed is None:
            self._placed = self.column.visible()
            self._sync_scroll_bar()
        return self._placed

    def scroll_to_message(self, index: int) -> None:
        """Bring a message to the top, as soon as it is built."""
        part = self.model.part_of_message(index)
        is_built = self.model.is_built or (part >= 0 and self.model.parts.messages[-1] > index)
        self._wanted_message = -1 if is_built else index
        if is_built and part >= 0:
            self.go_to_part(part)

    def go_to_part(self, part: int) -> None:
        """Bring a part to the top, unfolded, with its head if that stands just above."""
        self.model.reveal(part)
        above = part - 1
        target = above if above >= 0 and self.model.parts.kinds[above] == Kind.HEAD else part
        self.column.go_to(target, 0, 0)
        self._moved()

    def scroll_to_end(self) -> None:
        """Show the end, also of what is still being built."""
        self._wants_end = not self.model.is_built
        self.column.go_to_end()
        self._moved()

    def scroll_by(self, distance: int) -> None:
        """Move by so many px; positive is towards the end."""
        self.column.scroll_by(distance)
        self._moved()

    def is_at_end(self) -> bool:
        """Tell whether the newest line is in sight."""
        return self.column.is_at_end()

    def step_prompt(self, direction: int) -> None:
        """Go to the next or the previous prompt."""
        top = self.column.first_part
        prompts = self.model.prompts()
        if direction > 0:
            target = next((part for part in prompts if part - 1 > top), None)
        else:
            target = next((part for part in reversed(prompts) if part - 1 < top), None)
        if target is not None:
            self.set_current_part(target)
            self.go_to_part(target)

    # Parts

    def set_current_part(self, part: int, *, shows: bool = True) -> None:
        """Make a part the one that Enter toggles; ``shows`` draws the ring."""
        self.current_part, self._shows_current = part, shows
        self.refresh()
        self.current_part_changed.emit(part)

    def step_part(self, direction: int) -> None:
        """Move to the next or the previous part, and bring it into sight."""
        placed = self.placed()
        if not placed:
            return
        visible = {entry.part for entry in placed}
        if self.current_part not in visible:
            part = placed[0].part if direction > 0 else placed[-1].part
        else:
            part = self.model.next_visible(self.current_part, direction)
        if part >= 0:
            self.set_current_part(part)
            self._bring_into_sight(part)

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
        self._moved()
        return True

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

    # Selection

    def selected_text(self, *, as_plain: bool = False) -> str:
        """Return what is selected, as Markdown or as plain text."""
        return self.selection.text(self.model, self.column, as_plain=as_plain)

    def select_all(self) -> None:
        """Select the whole session."""
        if not self.column.is_empty:
            self.selection.set((0, 0, 0), (len(self.model.parts) - 1, END, END))
            self.refresh()

    def copy(self, *, as_plain: bool = False) -> bool:
        """Put what is selected on the clipboard as text; returns whether there was anything."""
        text = self.selected_text(as_plain=as_plain)
        if text:
            QGuiApplication.clipboard().setText(text)
        return bool(text)

    # Qt

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew at the new width; what is read stays."""
        was_at_end = not self.column.is_empty and self._placed is not None and self.column.is_at_end()
        self._fit()
        if was_at_end and self.column.position > 0:
            self.column.go_to_end()
        self._moved()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Follow the scroll bar where somebody else moved it."""
        if self._is_syncing or dy == 0:
            return
        if abs(dy) < 2 * self.viewport().height():
            self.column.scroll_by(-dy)
        else:
            self.column.scroll_to_position(self.verticalScrollBar().value())
        self._moved()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by pixels where the device counts them, else by lines."""
        pixels, angle = event.pixelDelta().y(), event.angleDelta().y()
        lines = QGuiApplication.styleHints().wheelScrollLines()
        distance = pixels or round(angle / 120 * lines * 22)
        if distance:
            self.scroll_by(-distance)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll, move between parts, open and close, select and copy; leave the rest to others."""
        if not self._on_key(event):
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the current part once the keyboard comes here."""
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._shows_current = True
        super().focusInEvent(event)
        self.refresh()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.refresh()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu; it is made by whoever knows the actions."""
        self.context_menu_wanted.emit(event.globalPos())

    # Inside

    def _compose(self, part: int) -> list[Chunk]:
        return self._composer.chunks(part)

    def _on_key(self, event: QKeyEvent) -> bool:
        page = max(40, self.viewport().height() - 40)
        has_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key = Qt.Key(event.key())
        if event.matches(QKeySequence.StandardKey.Copy):
            return self.copy()
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
            return True
        if has_shift and key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            return self.pointer.extend_by_key(key)
        if has_control and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step_part(1 if key == Qt.Key.Key_Down else -1)
            return True
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.column.go_to(0, 0, -1 << 16) if key == Qt.Key.Key_Home else self.scroll_to_end()
            self._moved()
            return True
        distances = {
            Qt.Key.Key_Up: -LINE_STEP,
            Qt.Key.Key_Down: LINE_STEP,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Space: -page if has_shift else page,
        }
        if key in distances and not has_control:
            self.scroll_by(distances[key])
            return True
        return self._on_part_key(key)

    def _on_part_key(self, key: Qt.Key) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._shows_current and self.toggle(self.current_part)
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._shows_current:
            return self.toggle(self.current_part, opens=key == Qt.Key.Key_Right)
        if key == Qt.Key.Key_Escape and self.selection:
            self.selection.clear()
            self.refresh()
            return True
        return False

    def _build(self) -> None:
        """Make more parts; goes on by itself until all are made."""
        is_done = self.model.build(seconds=BUILD_SECONDS)
        self._fit()
        if is_done:
            self._builder.stop()
        else:
            self._builder.start()
        if self._wanted_message >= 0:
            self.scroll_to_message(self._wanted_message)
        elif self._wants_end:
            self.column.go_to_end()
            self._wants_end = not is_done
        self._moved()
        self.content_changed.emit()

    def _fit(self) -> None:
        look = theme()
        room = self.viewport().width() - look.px(TEXT_LEFT) - look.px(TEXT_RIGHT)
        self.column.viewport_height = self.viewport().height()
        self.column.set_width(max(NARROWEST, min(room, look.px(WIDEST))))
        self._placed = None

    def _left(self) -> int:
        return theme().px(TEXT_LEFT)

    def _moved(self) -> None:
        self._placed = None
        self.refresh()
        self.moved.emit()

    def _relaid(self) -> None:
        self._moved()
        self.content_changed.emit()

    def _restyle(self) -> None:
        """Colours, fonts or sizes changed: everything is drawn anew."""
        self.column.forget()
        self._fit()
        self._relaid()

    def _bring_into_sight(self, part: int) -> None:
        entry = next((entry for entry in self.placed() if entry.place == (part, 0)), None)
        if entry is None or entry.y < 0:
            self.column.go_to(part, 0, -40)
        elif entry.y + min(entry.chunk.height, 200) > self.viewport().height():
            self.column.scroll_by(entry.y + min(entry.chunk.height, 200) - self.viewport().height() + 40)
        self._moved()

    def _show_current_hit(self) -> None:
        hit = self.finder.hit
        if hit is None:
            return
        self.model.reveal(hit.part)
        if not self.model.is_open(hit.part) and self.model.is_openable(hit.part):
            self.model.set_open(hit.part, True)
            self.column.forget_part(hit.part)
        number = self._chunk_of_hit(hit)
        chunk = self.column.laid_out(hit.part, number)
        top = 0.0
        if isinstance(chunk, TextChunk):
            found = chunk.occurrences(self.finder.words)
            ordinal = min(self.finder.ordinal(chunk.start, hit), len(found) - 1)
            self._current_hit = (hit.part, number, ordinal)
            top = chunk.rect_of(*found[ordinal]).top() if found else 0.0
        self.column.go_to(hit.part, number, round(top) - self.viewport().height() // 3)
        self._moved()

    def _chunk_of_hit(self, hit: TextHit) -> int:
        chunks = self.column.chunks(hit.part)
        inside = (n for n, c in enumerate(chunks) if c.section == hit.section and c.start <= hit.start < c.end)
        return next(inside, len(chunks) - 1)

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
        words: Sequence[str] = self.finder.words if isinstance(chunk, TextChunk) else ()
        mouse = self.pointer.mouse
        state = PaintState(
            clip=QRectF(-left, -entry.y, self.viewport().width(), height),
            words=words,
            current_hit=self._current_hit[2] if words and entry.place == self._current_hit[:2] else -1,
            selection=self._selected(entry),
            mouse=self.inside(entry, mouse) if mouse and entry.y <= mouse.y() < entry.y + chunk.height else None,
            has_focus=self._shows_current and self.hasFocus() and entry.place == (self.current_part, 0),
        )
        painter.save()
        painter.translate(left, entry.y)
        painter.setClipRect(QRectF(-left, 0, self.viewport().width(), chunk.height))
        if chunk.indent:
            painter.fillRect(QRectF(-theme().px(40), 0, 2, chunk.height), theme().tokens.line)
        chunk.paint(painter, state)
        if state.has_focus and not self.model.is_openable(entry.part):
            fill_round(painter, QRectF(-theme().px(9), 2, 3, chunk.height - 4), 1.5, theme().tokens.accent)
        painter.restore()

    def _selected(self, entry: Placed) -> tuple[int, int] | None:
        if not self.selection or not isinstance(entry.chunk, TextChunk):
            return None
        return self.selection.within(*entry.place, entry.chunk.ensure_document().length)
