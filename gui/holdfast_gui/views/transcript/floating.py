"""What floats over the transcript: the way to the newest line, the outline and the filter."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QVBoxLayout, QWidget

from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.transcript.chunk import fill_round, outline_round
from holdfast_gui.views.transcript.lines import draw_text

BUTTON = 28


class JumpPill(QAbstractButton):
    """Leads to what was written since; seen only while there is something below."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(self.tr("Jump to newest"))
        self.setAccessibleName(self.text())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    def sizeHint(self) -> QSize:
        """As wide as its words and an arrow."""
        look = theme()
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + look.px(48), look.px(32))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pill."""
        painter = QPainter(self)
        try:
            look, tokens = theme(), theme().tokens
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            rect = QRectF(self.rect())
            fill_round(painter, rect, rect.height() / 2, tokens.hover if self.underMouse() else tokens.raised)
            colour = tokens.accent if self.hasFocus() else tokens.line
            outline_round(painter, rect, rect.height() / 2, colour, 2 if self.hasFocus() else 1)
            icon = self.rect().adjusted(look.px(12), look.px(9), 0, -look.px(9))
            icon.setWidth(look.px(14))
            paint_icon(painter, "chevron-down", icon, tokens.text2)
            draw_text(painter, rect.adjusted(look.px(32), 0, 0, 0), self.text(), look.font("strong"), tokens.text)
        finally:
            painter.end()


class IconButton(QAbstractButton):
    """A quiet icon of 28 px; an accent dot says that it is at work."""

    def __init__(self, name: str, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = name
        self.is_marked = False
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedSize(theme().px(BUTTON), theme().px(BUTTON))

    def mark(self, is_marked: bool) -> None:
        """Show or hide the dot."""
        self.is_marked = is_marked
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the ring."""
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw icon, hover ground, focus ring and dot."""
        painter = QPainter(self)
        try:
            tokens, edge = theme().tokens, theme().px(6)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            rect = QRectF(self.rect())
            fill_round(painter, rect, RADIUS_SMALL, tokens.hover if self.underMouse() or self.isDown() else tokens.bg2)
            if self.hasFocus():
                outline_round(painter, rect, RADIUS_SMALL, tokens.accent, 2)
            colour = tokens.accent if self.is_marked else tokens.text3
            paint_icon(painter, self._icon, self.rect().adjusted(edge, edge, -edge, -edge), colour)
            if self.is_marked:
                fill_round(painter, QRectF(rect.right() - 9, 3, RADIUS_SMALL, 6), 3, tokens.accent)
        finally:
            painter.end()


class Tools(QWidget):
    """Outline and filter, one above the other, at the foot of the rail."""

    outline_wanted = Signal(QPoint)
    kinds_chosen = Signal(list)

    def __init__(self, kinds: Iterable[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.outline = IconButton("outline", self.tr("Outline of prompts"), self)
        self.filter = IconButton("filter", self.tr("Show only some kinds"), self)
        self._menu = QMenu(self)
        names = {
            "prompts": self.tr("Prompts"),
            "answers": self.tr("Answers"),
            "tools": self.tr("Tools"),
            "errors": self.tr("Errors"),
            "thinking": self.tr("Thinking"),
        }
        self._all = self._menu.addAction(self.tr("All"))
        self._all.setCheckable(True)
        self._all.triggered.connect(lambda: self.kinds_chosen.emit([]))
        self._menu.addSeparator()
        self._actions: dict[str, QAction] = {}
        for kind in kinds:
            action = self._menu.addAction(names.get(kind, kind))
            action.setCheckable(True)
            action.triggered.connect(self._choose)
            self._actions[kind] = action
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.outline)
        column.addWidget(self.filter)
        self.outline.clicked.connect(
            lambda: self.outline_wanted.emit(self.outline.mapToGlobal(QPoint(-4, self.outline.height())))
        )
        self.filter.clicked.connect(self.open_filter)

    @property
    def menu(self) -> QMenu:
        """The menu of kinds."""
        return self._menu

    def open_filter(self) -> None:
        """Open the menu of kinds."""
        size = self._menu.sizeHint()
        self._menu.popup(self.filter.mapToGlobal(QPoint(-4 - size.width(), self.filter.height() - size.height())))

    def set_kinds(self, kinds: Iterable[str]) -> None:
        """Show which kinds are chosen; none means all."""
        chosen = set(kinds)
        self._all.setChecked(not chosen)
        for kind, action in self._actions.items():
            action.setChecked(kind in chosen)
        self.filter.mark(bool(chosen))

    def _choose(self) -> None:
        self.kinds_chosen.emit([kind for kind, action in self._actions.items() if action.isChecked()])
