"""What a screen reader hears of the transcript: a list, one item for each part in sight."""

from __future__ import annotations

from functools import cache
from typing import Any

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QColor, QWindow
from PySide6.QtWidgets import QAccessibleWidget

from holdfast_gui.models.parts import Kind
from holdfast_gui.text import one_line
from holdfast_gui.views.transcript.view import TranscriptView

SPOKEN_LIMIT = 2_000


@cache
def install() -> None:
    """Let Qt ask us for the transcript's interface; done once in a process."""
    QAccessible.installFactory(_interface)


def spoken(view: TranscriptView, part: int) -> str:
    """Return how a part is read out: who speaks and what, or what was done and what came of it."""
    model = view.model
    kind = model.kind(part)
    if kind == Kind.HEAD:
        return one_line(view.column.chunks(part)[0].plain)
    if kind in (Kind.PROMPT, Kind.PROSE):
        who = view.tr("You") if kind == Kind.PROMPT else one_line(view.agent_name)
        return f"{who}: {one_line(model.sections(part)[0].text, limit=SPOKEN_LIMIT)}"
    if kind == Kind.PLAN:
        return view.tr("To-do list") + ": " + one_line(view.column.chunks(part)[0].plain, limit=SPOKEN_LIMIT)
    step = model.run_summary(part) if kind == Kind.STEPS else model.step(part)
    line = f"{view.tr('Error')}: {step.argument}" if kind == Kind.ERROR else step.as_text()
    if model.is_openable(part):
        is_open = model.is_open(part)
        line += ", " + (view.tr("expanded") if is_open else view.tr("collapsed"))
    return line


class TranscriptInterface(QAccessibleWidget):
    """The view as a list. Its children are the parts in the window, top to bottom."""

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view, QAccessible.Role.List, view.tr("Transcript"))
        self._view = view
        self._items: dict[int, PartInterface] = {}

    def childCount(self) -> int:
        """Return how many parts are in sight."""
        return len(self.parts())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt allows None, the stubs do not
        """Return the interface of a part in sight."""
        parts = self.parts()
        return self._item(parts[index]) if 0 <= index < len(parts) else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt allows None, the stubs do not
        """Return the part at a point of the screen."""
        point = self._view.viewport().mapFromGlobal(QPoint(x, y)).toPointF()
        entry = self._view.entry_at(point)
        return self._item(entry.part) if entry is not None else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """Return at which place a part stands."""
        return next((at for at, part in enumerate(self.parts()) if self._items.get(part) is child), -1)

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt allows None, the stubs do not
        """Return the current part."""
        current = self._view.current_part
        return self._item(current) if current in self.parts() else None

    def parts(self) -> list[int]:
        """Return the parts in sight, each once, in order."""
        return list(dict.fromkeys(entry.part for entry in self._view.placed()))

    def _item(self, part: int) -> PartInterface:
        if part not in self._items:
            if len(self._items) > 500:
                self._items.clear()
            self._items[part] = PartInterface(self, self._view, part)
            QAccessible.registerAccessibleInterface(self._items[part])
        return self._items[part]


class PartInterface(QAccessibleInterface):
    """One part as an item of the list."""

    def __init__(self, parent: TranscriptInterface, view: TranscriptView, part: int) -> None:
        super().__init__()
        self._parent = parent
        self._view = view
        self._part = part

    def isValid(self) -> bool:
        """Whether the part is still there."""
        return self._part < len(self._view.model.parts)

    def object(self) -> QObject | None:  # type: ignore[override]  # Qt allows None, the stubs do not
        """No object stands behind a part."""
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]  # the same
        """The window is the view's."""
        return self._view.window().windowHandle()

    def parent(self) -> QAccessibleInterface:
        """The list."""
        return self._parent

    def child(self, index: int) -> None:  # type: ignore[override]  # the same
        """A part has no children."""
        return

    def childAt(self, x: int, y: int) -> None:  # type: ignore[override]  # the same
        """A part has no children."""
        return

    def childCount(self) -> int:
        """A part has no children."""
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """A part has no children."""
        return -1

    def relations(self, match: Any = None) -> list[Any]:
        """A part has no relations."""
        return []

    def role(self) -> QAccessible.Role:
        """An item of a list."""
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        """Focused, expanded or not."""
        state = QAccessible.State()
        state.focusable = True
        state.focused = self._view.hasFocus() and self._view.current_part == self._part
        if self.isValid() and self._view.model.is_openable(self._part):
            is_open = self._view.model.is_open(self._part)
            state.expandable = True
            state.expanded = is_open
            state.collapsed = not is_open
        return state

    def text(self, kind: QAccessible.Text) -> str:
        """The name is what is read out."""
        return spoken(self._view, self._part) if kind == QAccessible.Text.Name and self.isValid() else ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Nothing can be changed."""

    def rect(self) -> QRect:
        """Where the part is on the screen."""
        view = self._view
        entries = [entry for entry in view.placed() if entry.part == self._part]
        if not entries:
            return QRect()
        top, bottom = entries[0].y, entries[-1].y + entries[-1].chunk.height
        return QRect(view.viewport().mapToGlobal(QPoint(0, top)), view.viewport().size()).intersected(
            QRect(view.viewport().mapToGlobal(QPoint(0, top)), view.viewport().mapToGlobal(QPoint(9999, bottom)))
        )

    def foregroundColor(self) -> QColor:
        """Of no use to a reader."""
        return QColor()

    def backgroundColor(self) -> QColor:
        """Of no use to a reader."""
        return QColor()


def announce(view: TranscriptView, part: int) -> None:
    """Tell a screen reader that another part is the current one."""
    interface = QAccessible.queryAccessibleInterface(view)
    if not QAccessible.isActive() or not isinstance(interface, TranscriptInterface) or part not in interface.parts():
        return
    event = QAccessibleEvent(view, QAccessible.Event.Focus)
    event.setChild(interface.parts().index(part))
    QAccessible.updateAccessibility(event)


def _interface(_key: str, widget: QObject) -> QAccessibleInterface | None:
    if not isinstance(widget, TranscriptView):
        return None
    made = TranscriptInterface(widget)
    widget.accessible = made  # Qt keeps no reference that Python knows of
    return made
