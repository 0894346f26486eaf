"""The mouse in the transcript: hovering, clicking, and selecting by drag, double and triple click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent, QTextCursor
from PySide6.QtWidgets import QApplication

from holdfast_gui.views.transcript.chunk import Button, TextChunk
from holdfast_gui.views.transcript.column import Placed
from holdfast_gui.views.transcript.selection import Spot

if TYPE_CHECKING:
    from holdfast_gui.views.transcript.view import TranscriptView

AUTOSCROLL_MS = 30


class Pointer(QObject):
    """Turns mouse events of the view's viewport into what they mean."""

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view)
        self._view = view
        self.mouse: QPointF | None = None
        self._pressed: QPointF | None = None
        self._button: tuple[Placed, Button] | None = None
        self._is_dragging = False
        self._since_double = QElapsedTimer()
        self._autoscroll = QTimer(self, interval=AUTOSCROLL_MS)
        self._autoscroll.timeout.connect(self._scroll_on)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the viewport's mouse events."""
        kind = event.type()
        if kind == QEvent.Type.Leave:
            self.mouse = None
            self._view.refresh()
        elif isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseMove:
                self._move(event)
            elif event.button() == Qt.MouseButton.LeftButton:
                if kind == QEvent.Type.MouseButtonPress:
                    self._press(event)
                elif kind == QEvent.Type.MouseButtonDblClick:
                    self._select_unit(event.position(), QTextCursor.SelectionType.WordUnderCursor)
                    self._since_double.start()
                elif kind == QEvent.Type.MouseButtonRelease:
                    self._release(event)
        return False

    def extend_by_key(self, key: Qt.Key) -> bool:
        """Move the selection's end by a character or a line."""
        view = self._view
        head = view.selection.head
        if head is None:
            placed = view.placed()
            entry = next((e for e in placed if isinstance(e.chunk, TextChunk) and e.y >= 0), None)
            if entry is None:
                return False
            head = (*entry.place, 0)
            view.selection.set(head, head)
        moved = self._step(head, key)
        view.selection.extend(moved)
        view.refresh()
        return True

    def _press(self, event: QMouseEvent) -> None:
        view, point = self._view, event.position()
        self._pressed, self._is_dragging = point, False
        self._button = self._button_at(point)
        spot = view.spot_at(point)
        if self._button is not None or spot is None:
            return
        if self._since_double.isValid() and self._since_double.elapsed() < QApplication.doubleClickInterval():
            self._since_double.invalidate()
            self._select_unit(point, QTextCursor.SelectionType.BlockUnderCursor)
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and view.selection.anchor is not None:
            view.selection.extend(spot)
        else:
            view.selection.set(spot, spot)
        view.set_current_part(spot[0], shows=False)

    def _move(self, event: QMouseEvent) -> None:
        view, point = self._view, event.position()
        self.mouse = point
        if not event.buttons() & Qt.MouseButton.LeftButton or self._pressed is None:
            self._show_cursor(point)
            view.refresh()
            return
        distance = (point - self._pressed).manhattanLength()
        if not self._is_dragging and distance >= QApplication.startDragDistance():
            self._is_dragging = True
            if self._button is not None:
                self._button = None
                start = view.spot_at(self._pressed)
                if start is not None:
                    view.selection.set(start, start)
        if self._is_dragging:
            self._extend_to(point)
            is_outside = not 0 <= point.y() < view.viewport().height()
            if is_outside and not self._autoscroll.isActive():
                self._autoscroll.start()
            elif not is_outside:
                self._autoscroll.stop()

    def _release(self, event: QMouseEvent) -> None:
        view, point = self._view, event.position()
        self._autoscroll.stop()
        pressed, self._pressed = self._button, None
        self._button = None
        if self._is_dragging:
            self._is_dragging = False
            return
        if pressed is not None:
            now = self._button_at(point)
            if now is not None and now[0].place == pressed[0].place and now[1].action == pressed[1].action:
                self._act(*pressed)
            return
        link = self._link_at(point)
        if link and not view.selection:
            view.link_clicked.emit(link)

    def _act(self, entry: Placed, button: Button) -> None:
        view = self._view
        if button.action == "copy":
            QGuiApplication.clipboard().setText(button.value())
        elif button.action == "open_session":
            view.session_wanted.emit(button.value())
        else:
            view.set_current_part(entry.part, shows=False)
            view.toggle(entry.part)

    def _extend_to(self, point: QPointF) -> None:
        spot = self._view.spot_at(point)
        if spot is not None:
            self._view.selection.extend(spot)
            self._view.refresh()

    def _scroll_on(self) -> None:
        if self.mouse is None:
            return
        height = self._view.viewport().height()
        beyond = self.mouse.y() if self.mouse.y() < 0 else self.mouse.y() - height
        self._view.scroll_by(round(beyond / 2) or (1 if beyond > 0 else -1))
        self._extend_to(QPointF(self.mouse.x(), min(max(0.0, self.mouse.y()), height - 1)))

    def _select_unit(self, point: QPointF, unit: QTextCursor.SelectionType) -> None:
        view = self._view
        spot = view.spot_at(point)
        entry = view.entry_at(point)
        if spot is None or entry is None or not isinstance(entry.chunk, TextChunk) or self._button_at(point):
            return
        cursor = QTextCursor(entry.chunk.ensure_document())
        cursor.setPosition(spot[2])
        if unit == QTextCursor.SelectionType.BlockUnderCursor:
            start, end = cursor.block().position(), cursor.block().position() + cursor.block().length() - 1
        else:
            cursor.select(unit)
            start, end = cursor.selectionStart(), cursor.selectionEnd()
        view.selection.set((*entry.place, start), (*entry.place, end))
        view.refresh()

    def _step(self, spot: Spot, key: Qt.Key) -> Spot:
        part, number, position = spot
        view = self._view
        chunk = view.column.laid_out(part, number)
        length = chunk.ensure_document().length if isinstance(chunk, TextChunk) else 0
        if isinstance(chunk, TextChunk):
            cursor = QTextCursor(chunk.ensure_document())
            cursor.setPosition(min(position, length))
            moves = {
                Qt.Key.Key_Left: QTextCursor.MoveOperation.PreviousCharacter,
                Qt.Key.Key_Right: QTextCursor.MoveOperation.NextCharacter,
                Qt.Key.Key_Up: QTextCursor.MoveOperation.Up,
                Qt.Key.Key_Down: QTextCursor.MoveOperation.Down,
            }
            if cursor.movePosition(moves[key]) and cursor.position() != position:
                return part, number, cursor.position()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Down):
            if number + 1 < len(view.column.chunks(part)):
                return part, number + 1, 0
            following = view.model.next_visible(part)
            return (following, 0, 0) if following >= 0 else (part, number, length)
        if number > 0:
            return part, number - 1, 1 << 20
        before = view.model.next_visible(part, -1)
        return (before, len(view.column.chunks(before)) - 1, 1 << 20) if before >= 0 else (part, number, 0)

    def _button_at(self, point: QPointF) -> tuple[Placed, Button] | None:
        entry = self._view.entry_at(point)
        if entry is None:
            return None
        inside = self._view.inside(entry, point)
        button = next((button for button in entry.chunk.buttons() if button.rect.contains(inside)), None)
        return (entry, button) if button is not None else None

    def _link_at(self, point: QPointF) -> str:
        entry = self._view.entry_at(point)
        return entry.chunk.link_at(self._view.inside(entry, point)) if entry is not None else ""

    def _show_cursor(self, point: QPointF) -> None:
        entry = self._view.entry_at(point)
        shape = Qt.CursorShape.ArrowCursor
        if self._button_at(point) is not None or self._link_at(point):
            shape = Qt.CursorShape.PointingHandCursor
        elif entry is not None and isinstance(entry.chunk, TextChunk):
            shape = Qt.CursorShape.IBeamCursor
        self._view.viewport().setCursor(shape)
