"""What the detail pane is made of: sections, facts that can be copied, rows of files, to-dos and subagents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from holdfast_core.model.message import Todo
from holdfast_core.model.session import FileTouched, SessionEntry
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_SMALL, FontName
from holdfast_gui.views.controls import Button, Label, Pressable

ROWS_LIMIT: Final = 500
_NAME_WIDTH: Final = 92
Item = TypeVar("Item")


class Section(QWidget):
    """A heading over rows; without rows there is no heading either."""

    def __init__(self, title: str, rows: Sequence[QWidget] = ()) -> None:
        super().__init__()
        self._widgets: list[QWidget] = []
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme().px(6))
        column.addWidget(Label(title, font="heading", colour="text3"))
        column.addLayout(self._rows)
        self.setAccessibleName(title)
        for row in rows:
            self._add(row)

    def rows(self) -> list[QWidget]:
        """Return the rows, from the top."""
        return list(self._widgets)

    def set_items(self, items: Sequence[Item], make: Callable[[Item], QWidget], *, shown: int = 8) -> None:
        """Show a row for each item; past ``shown`` a button unfolds the rest, at most `ROWS_LIMIT`."""
        while self._widgets:
            row = self._widgets.pop()
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        for item in items[:shown]:
            self._add(make(item))
        if len(items) > shown and shown < ROWS_LIMIT:
            more = Button(f"{self.tr('All')} {text.count(len(items))}…", kind="flat")
            more.clicked.connect(lambda: self.set_items(items, make, shown=ROWS_LIMIT))
            self._add(more)
        self.setVisible(bool(items))

    def _add(self, row: QWidget) -> None:
        self._widgets.append(row)
        self._rows.addWidget(row)


class Fact(NamedTuple):
    """A name with a value; ``whole`` is what the tooltip says where the value is a short form."""

    name: str
    value: str
    whole: str = ""


class Facts(QWidget):
    """Names with values that can be selected and copied."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(0)
        self._grid.setVerticalSpacing(theme().px(3))
        self._grid.setColumnMinimumWidth(0, theme().px(_NAME_WIDTH))
        self._grid.setColumnStretch(1, 1)
        self._pairs: list[tuple[Label, Value]] = []
        self._add_pair()

    @property
    def first_value(self) -> Value:
        """The first field, which is there even while nothing is shown."""
        return self._pairs[0][1]

    def stops(self) -> list[Value]:
        """Return the fields in the order in which the focus goes through them."""
        return [value for label, value in self._pairs if not label.isHidden()]

    @property
    def values(self) -> dict[str, str]:
        """What is shown, by name."""
        return {name.text(): value.text() for name, value in self._pairs if not name.isHidden()}

    def value(self, name: str) -> Value | None:
        """Return the field of a name."""
        return next((value for label, value in self._pairs if label.text() == name and not label.isHidden()), None)

    def set(self, facts: Sequence[Fact]) -> None:
        """Show facts in order; those without a value are left out."""
        shown = [fact for fact in facts if fact.value]
        while len(self._pairs) < len(shown):
            self._add_pair()
        for number, (label, value) in enumerate(self._pairs):
            is_used = number < len(shown)
            label.setVisible(is_used)
            value.setVisible(is_used)
            if is_used:
                label.setText(shown[number].name)
                value.set_value(shown[number])

    def _add_pair(self) -> None:
        pair = (Label(font="small", colour="text3"), Value())
        self._grid.addWidget(pair[0], len(self._pairs), 0)
        self._grid.addWidget(pair[1], len(self._pairs), 1)
        self._pairs.append(pair)


class Value(QLineEdit):
    """A line to read, select and copy; ends in an ellipsis while nobody is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setProperty("bare", True)
        self._dress()
        theme().changed.connect(self._dress)
        self.setTextMargins(-2, 0, -2, 0)  # Qt keeps two pixels to itself
        self.setFixedHeight(theme().line("small"))
        self.setMinimumWidth(20)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _dress(self) -> None:
        self.setFont(theme().font("small"))

    def set_value(self, fact: Fact) -> None:
        """Show a value, from its beginning."""
        if fact.value != self.text():
            self.setText(fact.value)
            self.setCursorPosition(0)
        self.setAccessibleName(fact.name)
        whole = fact.whole or fact.value
        self.setToolTip(text.tooltip(whole) if whole != fact.value or len(whole) > 20 else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        metrics = self.fontMetrics()
        if self.hasFocus() or metrics.horizontalAdvance(self.text()) <= self.width():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(theme().tokens.text)
        is_path = self.text().startswith(("/", "~", "\\")) or " " not in self.text()
        mode = Qt.TextElideMode.ElideMiddle if is_path else Qt.TextElideMode.ElideRight
        shown = metrics.elidedText(self.text(), mode, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()


class _Row(Pressable):
    """A line that can be pressed, as wide as the pane."""

    def __init__(self, spoken: str) -> None:
        super().__init__()
        self.setAccessibleName(spoken)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(100, theme().px(22))

    def _begin(self) -> QPainter:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().tokens.hover)
            painter.drawRoundedRect(self.rect(), RADIUS_SMALL, RADIUS_SMALL)
        return painter


class FileRow(_Row):
    """A file that was touched, with the lines that came and went."""

    def __init__(self, touched: FileTouched, project_path: str) -> None:
        self._path = text.one_line(_within(touched.path, project_path), limit=1000)
        self._added = f"+{touched.added}" if touched.added else ""
        self._removed = f"\N{MINUS SIGN}{touched.removed}" if touched.removed else ""
        super().__init__(" ".join(part for part in (self._path, self._added, self._removed) if part))
        self.setToolTip(text.tooltip(touched.path))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        painter = self._begin()
        right = _figure(painter, self.rect(), self._removed, look.tokens.removed)
        right = _figure(painter, self.rect().adjusted(0, 0, right - self.width(), 0), self._added, look.tokens.added)
        box = QRect(0, 0, right - 6, self.height())
        _words(painter, box, self._path, "code_small", look.tokens.text, mode=Qt.TextElideMode.ElideMiddle)
        painter.end()


class TodoRow(QWidget):
    """A step of the agent's plan, with its state as a sign and to be heard."""

    _SIGNS: Final = {"pending": "circle", "in_progress": "circle-half", "completed": "check"}

    def __init__(self, todo: Todo) -> None:
        super().__init__()
        self._todo = todo
        self._content = text.one_line(todo.content)
        self.setAccessibleName(f"{self._content}, {todo.status.replace('_', ' ')}")
        self.setToolTip(text.tooltip(todo.content))
        self.setFixedHeight(theme().px(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        is_done = self._todo.status == "completed"
        ink = look.tokens.text3 if is_done else look.tokens.text
        painter = QPainter(self)
        sign = look.tokens.accent if self._todo.status == "in_progress" else look.tokens.text3
        paint_icon(painter, self._SIGNS[self._todo.status], _sign_box(self), sign)
        left = look.px(21)
        _words(painter, self.rect().adjusted(left, 0, 0, 0), self._content, "small", ink)
        if is_done:
            width = min(painter.fontMetrics().horizontalAdvance(self._content), self.width() - left)
            painter.drawLine(left, self.height() // 2 + 1, left + width, self.height() // 2 + 1)
        painter.end()


class SubagentRow(_Row):
    """A session that this one started."""

    def __init__(self, entry: SessionEntry) -> None:
        self._title = text.title(entry.title)
        self._messages = text.count(entry.message_count)
        super().__init__(f"{self._title}, {text.counted(entry.message_count, 'message', 'messages')}")
        self.setToolTip(text.tooltip(self._title))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        tokens = look.tokens
        painter = self._begin()
        paint_icon(painter, "subagent", _sign_box(self), tokens.text3)
        painter.setFont(theme().font("caption"))
        right = _figure(painter, self.rect(), self._messages, tokens.text3, font="caption")
        _words(painter, QRect(look.px(21), 0, right - look.px(27), self.height()), self._title, "small", tokens.text)
        painter.end()


def _sign_box(row: QWidget) -> QRect:
    side = theme().px(14)
    return QRect(0, (row.height() - side) // 2, side, side)


def _words(
    painter: QPainter,
    box: QRect,
    words: str,
    font: FontName,
    ink: QColor,
    *,
    mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    role = theme().font(font)
    painter.setFont(role)
    painter.setPen(ink)
    shown = QFontMetrics(role).elidedText(words, mode, max(0, box.width()))
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def _figure(painter: QPainter, box: QRect, words: str, ink: QColor, *, font: FontName = "small_strong") -> int:
    """Paint words at the right end of a box and return where they begin."""
    if not words:
        return box.right() + 1
    role = theme().font(font)
    painter.setFont(role)
    painter.setPen(ink)
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
    return box.right() + 1 - QFontMetrics(role).horizontalAdvance(words) - 4


def _within(path: str, project_path: str) -> str:
    project = project_path.rstrip("/\\")
    if project and path.startswith((project + "/", project + "\\")):
        return path[len(project) + 1 :]
    return path
