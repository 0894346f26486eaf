"""The mouse in the transcript: hovering, clicking, and selecting by drag, double and triple click."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent, QTextCursor
from PySide6.QtWidgets import QApplication

from holdfast_gui.views.transcript.chunk import Button, TextChunk
from holdfast_gui.views.transcript.column import Placed
from holdfast_gui.views.transcript.page import Page
from holdfast_gui.views.transcript.selection import Spot

AUTOSCROLL_MS = 30


class Pointer(QObject):
    """Turns mouse events on a page's viewport into what they mean."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._page = page
        self._pressed: QPointF | None = None
        self._button: tuple[Placed, Button] | None = None
        self._is_dragging = False
        self._since_double = QElapsedTimer()
        self._autoscroll = QTimer(self, interval=AUTOSCROLL_MS)
        self._autoscroll.timeout.connect(self._scroll_on)
        page.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the viewport's mouse events."""
        kind = event.type()
        if kind == QEvent.Type.Leave:
            self._page.mouse = None
            self._page.refresh()
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

    def extend_by_key(self, key: int) -> bool:
        """Move the selection's end by a character or a line."""
        page = self._page
        head = page.selection.head
        if head is None:
            placed = page.placed()
            entry = next((e for e in placed if isinstance(e.chunk, TextChunk) and e.y >= 0), None)
            if entry is None:
                return False
            head = (*entry.place, 0)
            page.selection.set(head, head)
        moved = self._step(head, key)
        page.selection.extend(moved)
        page.refresh()
        return True

    def _press(self, event: QMouseEvent) -> None:
        page, point = self._page, event.position()
        self._pressed, self._is_dragging = point, False
        self._button = self._button_at(point)
        spot = page.spot_at(point)
        if self._button is not None or spot is None:
            return
        if self._since_double.isValid() and self._since_double.elapsed() < QApplication.doubleClickInterval():
            self._since_double.invalidate()
            self._select_unit(point, QTextCursor.SelectionType.BlockUnderCursor)
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and page.selection.anchor is not None:
            page.selection.extend(spot)
        else:
            page.selection.set(spot, spot)
        page.set_current_part(spot[0], shows=False)

    def _move(self, event: QMouseEvent) -> None:
        page, point = self._page, event.position()
        self._page.mouse = point
        if not event.buttons() & Qt.MouseButton.LeftButton or self._pressed is None:
            self._show_cursor(point)
            page.refresh()
            return
        distance = (point - self._pressed).manhattanLength()
        if not self._is_dragging and distance >= QApplication.startDragDistance():
            self._is_dragging = True
            if self._button is not None:
                self._button = None
                start = page.spot_at(self._pressed)
                if start is not None:
                    page.selection.set(start, start)
        if self._is_dragging:
            self._extend_to(point)
            is_outside = not 0 <= point.y() < page.viewport().height()
            if is_outside and not self._autoscroll.isActive():
                self._autoscroll.start()
            elif not is_outside:
                self._autoscroll.stop()

    def _release(self, event: QMouseEvent) -> None:
        page, point = self._page, event.position()
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
        if link and not page.selection:
            page.link_clicked.emit(link)

    def _act(self, entry: Placed, button: Button) -> None:
        page = self._page
        if button.action == "copy":
            QGuiApplication.clipboard().setText(button.value())
            page.tell_copied(entry.chunk)
        elif button.action == "open_session":
            page.session_wanted.emit(button.value())
        else:
            page.set_current_part(entry.part, shows=False)
            page.toggle(entry.part)

    def _extend_to(self, point: QPointF) -> None:
        spot = self._page.spot_at(point)
        if spot is not None:
            self._page.selection.extend(spot)
            self._page.refresh()

    def _scroll_on(self) -> None:
        if self._page.mouse is None:
            return
        height = self._page.viewport().height()
        beyond = self._page.mouse.y() if self._page.mouse.y() < 0 else self._page.mouse.y() - height
        self._page.scroll_by(round(beyond / 2) or (1 if beyond > 0 else -1))
        self._extend_to(QPointF(self._page.mouse.x(), min(max(0.0, self._page.mouse.y()), height - 1)))

    def _select_unit(self, point: QPointF, unit: QTextCursor.SelectionType) -> None:
        page = self._page
        spot = page.spot_at(point)
        entry = page.entry_at(point)
        if spot is None or entry is None or not isinstance(entry.chunk, TextChunk) or self._button_at(point):
            return
        cursor = QTextCursor(entry.chunk.ensure_document())
        cursor.setPosition(spot[2])
        if unit == QTextCursor.SelectionType.BlockUnderCursor:
            start, end = cursor.block().position(), cursor.block().position() + cursor.block().length() - 1
        else:
            cursor.select(unit)
            start, end = cursor.selectionStart(), cursor.selectionEnd()
        page.selection.set((*entry.place, start), (*entry.place, end))
        page.refresh()

    def _step(self, spot: Spot, key: int) -> Spot:
        part, number, position = spot
        page = self._page
        chunk = page.column.laid_out(part, number)
        length = chunk.ensure_document().length if isinstance(chunk, TextChunk) else 0
        if isinstance(chunk, TextChunk):
            cursor = QTextCursor(chunk.ensure_document())
            cursor.setPosition(min(position, length))
            moves: dict[int, QTextCursor.MoveOperation] = {
                Qt.Key.Key_Left: QTextCursor.MoveOperation.PreviousCharacter,
                Qt.Key.Key_Right: QTextCursor.MoveOperation.NextCharacter,
                Qt.Key.Key_Up: QTextCursor.MoveOperation.Up,
                Qt.Key.Key_Down: QTextCursor.MoveOperation.Down,
            }
            if cursor.movePosition(moves[key]) and cursor.position() != position:
                return part, number, cursor.position()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Down):
            if number + 1 < len(page.column.chunks(part)):
                return part, number + 1, 0
            following = page.model.next_visible(part)
            return (following, 0, 0) if following >= 0 else (part, number, length)
        if number > 0:
            return part, number - 1, 1 << 20
        before = page.model.next_visible(part, -1)
        return (before, len(page.column.chunks(before)) - 1, 1 << 20) if before >= 0 else (part, number, 0)

    def _button_at(self, point: QPointF) -> tuple[Placed, Button] | None:
        entry = self._page.entry_at(point)
        if entry is None:
            return None
        inside = self._page.inside(entry, point)
        button = next((button for button in entry.chunk.buttons() if button.rect.contains(inside)), None)
        return (entry, button) if button is not None else None

    def _link_at(self, point: QPointF) -> str:
        entry = self._page.entry_at(point)
        return entry.chunk.link_at(self._page.inside(entry, point)) if entry is not None else ""

    def _show_cursor(self, point: QPointF) -> None:
        entry = self._page.entry_at(point)
        shape = Qt.CursorShape.ArrowCursor
        if self._button_at(point) is not None or self._link_at(point):
            shape = Qt.CursorShape.PointingHandCursor
        elif entry is not None and isinstance(entry.chunk, TextChunk):
            shape = Qt.CursorShape.IBeamCursor
        self._page.viewport().setCursor(shape)
