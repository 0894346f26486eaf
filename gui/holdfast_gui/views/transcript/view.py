"""The transcript itself: a scroll area that draws the chunks in sight, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.message import ToolCall
from holdfast_core.model.session import Session
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from holdfast_gui.models.parts import Kind
from holdfast_gui.models.transcript import TextHit
from holdfast_gui.text import tooltip
from holdfast_gui.views.transcript.captions import message_text
from holdfast_gui.views.transcript.chunk import TextChunk
from holdfast_gui.views.transcript.column import TOP_SPACE, Placed
from holdfast_gui.views.transcript.finder import Finder
from holdfast_gui.views.transcript.lines import StepChunk
from holdfast_gui.views.transcript.page import LINE_STEP, Page
from holdfast_gui.views.transcript.pointer import Pointer
from holdfast_gui.views.transcript.selection import END, whole_parts

BUILD_SECONDS = 0.012


class TranscriptView(Page):
    """A session of any length. Emits what the person asks for; opens and fetches nothing itself."""

    context_menu_wanted = Signal(QPoint)
    filter_dropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finder = Finder(self.model, self)
        self.pointer = Pointer(self)
        self.accessible: object = None
        self._pointed: Placed | None = None
        self._wanted_message = -1
        self._wants_hit = False
        self._wants_end = False
        self._builder = QTimer(self, interval=0)
        self._builder.timeout.connect(self._build)
        self.finder.changed.connect(self._on_hits)
        self.finder.jumped.connect(self._show_current_hit)

    # What is shown

    def set_session(self, session: Session, agent: AgentInfo, children: Mapping[str, Session] | None = None) -> None:
        """Show a session from its beginning; long ones are built in slices while the window lives on."""
        self.show_new(session, agent, children or {})
        self.finder.start(())
        self._wanted_message, self._wants_end, self._pointed = -1, False, None
        self._build()

    def append(self, session: Session, first_index: int) -> bool:
        """Take a newer state of the same session; stays at the end if the end is in sight, else where it is.

        Returns whether the end was in sight.
        """
        was_at_end = self.column.is_empty or self.column.is_at_end()
        self._wants_end = was_at_end and not self.column.is_empty
        first = self.model.append(session, first_index)
        self.column.forget_from(first)
        self.finder.forget_from(first)
        if self.selection and self.selection.ends[1][0] >= first:
            self.selection.clear()
        self._build()
        self.finder.again()
        return was_at_end

    def show_groups(self, groups: int) -> None:
        """Show only some kinds of parts; the place is kept as nearly as can be."""
        self.model.show_groups(groups)
        self.selection.clear()
        self.changed_size()

    # Places

    def scroll_to_message(self, index: int, *, to_hit: bool = False) -> None:
        """Bring a message to the top, as soon as it is built; ``to_hit`` goes on to the first word found in it."""
        part = self.model.part_of_message(index)
        is_built = self.model.is_built or (part >= 0 and self.model.parts.messages[-1] > index)
        self._wanted_message = -1 if is_built else index
        self._wants_hit = to_hit
        if is_built and part >= 0:
            self.go_to_part(part)
            if to_hit and self.finder.words:
                self.finder.stand_at(part, before=max(part + 1, self.model.parts.first_of(index + 1)))

    def go_to_part(self, part: int) -> None:
        """Bring a part to the top, unfolded, with its head if that stands just above."""
        self._reveal(part)
        above = part - 1
        target = above if above >= 0 and self.model.parts.kinds[above] == Kind.HEAD else part
        self.column.go_to(target, 0, 0)
        self.changed_place()

    def scroll_to_start(self) -> None:
        """Show the beginning."""
        self._wants_end = False
        self.column.scroll_to_position(-TOP_SPACE)
        self.changed_place()

    def scroll_to_end(self) -> None:
        """Show the end, also of what is still being built."""
        self._wants_end = not self.model.is_built
        self.column.go_to_end()
        self.changed_place()

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
        """Put what is selected on the clipboard as text, else the part that the keyboard stands at.

        Returns whether there was anything.
        """
        text = self.selected_text(as_plain=as_plain)
        if not text and self._has_current:
            here = range(self.current_part, self.current_part + 1)
            text = "".join(whole_parts(self.model, self.column, here, as_plain=as_plain))
        if text:
            QGuiApplication.clipboard().setText(text)
        return bool(text)

    def copy_block(self) -> bool:
        """Put the card that was last pointed at on the clipboard; returns whether there was one."""
        if self._pointed is None or self._pointed.part >= len(self.model.parts):
            return False
        chunks = self.column.chunks(self._pointed.part)[: self._pointed.number + 1]
        for chunk in reversed(chunks):  # the first piece of a card has its Copy
            button = next((button for button in chunk.buttons() if button.action == "copy"), None)
            if button is not None:
                QGuiApplication.clipboard().setText(button.value())
                return True
            if type(chunk) is not type(self._pointed.chunk):
                break
        return False

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew at the new width; what is read stays."""
        was_at_end = not self.column.is_empty and self._placed is not None and self.column.is_at_end()
        self.fit()
        if was_at_end and self.column.position > 0:
            self.column.go_to_end()
        self.changed_place()

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
            self.shows_current = True
        super().focusInEvent(event)
        self.refresh()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.refresh()

    def viewportEvent(self, event: QEvent) -> bool:
        """Show all that is known of the message under a mouse that rests."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            entry = self.entry_at(event.pos().toPointF())
            QToolTip.showText(event.globalPos(), self.tip(entry) if entry else "", self.viewport())
            return True
        return super().viewportEvent(event)

    def tip(self, entry: Placed) -> str:
        """Return what to say of a chunk: a step's whole line, then its message's model, time and tokens."""
        line = entry.chunk.plain if isinstance(entry.chunk, StepChunk) else ""
        caption = message_text(self.model.message(entry.part))
        return "\n".join(tooltip(part) for part in (line, caption) if part)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu; it is made by whoever knows the actions."""
        self._pointed = self.entry_at(self.viewport().mapFromGlobal(event.globalPos()).toPointF())
        self.context_menu_wanted.emit(event.globalPos())

    # Inside

    def _on_key(self, event: QKeyEvent) -> bool:
        has_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            return self.copy()
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif has_shift and key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            return self.pointer.extend_by_key(key)
        elif has_alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step_part(1 if key == Qt.Key.Key_Down else -1)
        elif has_shift and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._open_current_session()
        else:
            return self._on_moving_key(key, goes_back=has_shift) or self._on_part_key(key)
        return True

    def _on_moving_key(self, key: int, *, goes_back: bool) -> bool:
        page = max(40, self.viewport().height() - 40)
        distances: dict[int, int] = {
            Qt.Key.Key_Up: -LINE_STEP,
            Qt.Key.Key_Down: LINE_STEP,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Space: -page if goes_back else page,
        }
        if key == Qt.Key.Key_Home:
            self.scroll_to_start()
        elif key == Qt.Key.Key_End:
            self.scroll_to_end()
        elif key in distances:
            self.scroll_by(distances[key])
        else:
            return False
        return True

    def _on_part_key(self, key: int) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self.shows_current and self.toggle(self.current_part)
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.shows_current:
            return self.toggle(self.current_part, opens=key == Qt.Key.Key_Right)
        if key == Qt.Key.Key_Escape and self.selection:
            self.selection.clear()
            self.refresh()
            return True
        return False

    @property
    def _has_current(self) -> bool:
        return self.shows_current and 0 <= self.current_part < len(self.model.parts)

    def _open_current_session(self) -> bool:
        """Ask for the subagent's session of the part that the keyboard stands at."""
        if not self._has_current:
            return False
        block = self.model.block(self.current_part)
        if not isinstance(block, ToolCall) or not block.session_id:
            return False
        self.session_wanted.emit(block.session_id)
        return True

    def _build(self) -> None:
        """Make more parts; goes on by itself until all are made."""
        is_done = self.model.build(seconds=BUILD_SECONDS)
        self.column.forget_from(self.model.changed_from)
        self.fit()
        if is_done:
            if self._builder.isActive():
                self._builder.stop()
                self.finder.again()
        else:
            self._builder.start()
        if self._wanted_message >= 0:
            self.scroll_to_message(self._wanted_message, to_hit=self._wants_hit)
        elif self._wants_end:
            self.column.go_to_end()
            self._wants_end = not is_done
        self.changed_place()
        self.content_changed.emit()

    def _bring_into_sight(self, part: int) -> None:
        entry = next((entry for entry in self.placed() if entry.place == (part, 0)), None)
        if entry is None or entry.y < 0:
            self.column.go_to(part, 0, -40)
        elif entry.y + min(entry.chunk.height, 200) > self.viewport().height():
            self.column.scroll_by(entry.y + min(entry.chunk.height, 200) - self.viewport().height() + 40)
        self.changed_place()

    def _on_hits(self) -> None:
        self.words = self.finder.words
        if self.finder.hit is None:
            self.current_hit = (-1, -1, -1)
        self.refresh()

    def _show_current_hit(self) -> None:
        hit = self.finder.hit
        if hit is None:
            return
        self._reveal(hit.part)
        if not self.model.is_open(hit.part) and self.model.is_openable(hit.part):
            self.model.set_open(hit.part, True)
            self.column.forget_part(hit.part)
        number = self._chunk_of_hit(hit)
        chunk = self.column.laid_out(hit.part, number)
        top = 0.0
        if isinstance(chunk, TextChunk):
            found = chunk.occurrences(self.finder.words)
            ordinal = min(self.finder.ordinal(chunk.start, hit), len(found) - 1)
            self.current_hit = (hit.part, number, ordinal)
            top = chunk.rect_of(*found[ordinal]).top() if found else 0.0
        self.column.go_to(hit.part, number, round(top) - self.viewport().height() // 3)
        self.changed_place()

    def _reveal(self, part: int) -> None:
        """Make a part visible, and tell if the filter had to go for that."""
        groups = self.model.shown
        self.model.reveal(part)
        if self.model.shown != groups:
            self.filter_dropped.emit()

    def _chunk_of_hit(self, hit: TextHit) -> int:
        chunks = self.column.chunks(hit.part)
        inside = (n for n, c in enumerate(chunks) if c.section == hit.section and c.start <= hit.start < c.end)
        return next(inside, len(chunks) - 1)
