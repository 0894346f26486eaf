"""A place that is no list of sessions: a heading, tools at its right, and what scrolls below."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from holdfast_gui.theme import theme
from holdfast_gui.views.controls import ElidedLabel, IconButton, Pane
from holdfast_gui.views.empty import EmptyState
from holdfast_gui.views.scroll import scrolled

_WIDEST: Final = 1400


class PlacePage(Pane):
    """``body`` is where the content goes, ``tools`` the row at the right of the heading.

    `say` shows one sentence in place of the content, `show_body` the content again.
    """

    def __init__(self, title: str) -> None:
        super().__init__("bg2")
        self.setAccessibleName(title)
        self.places_button = IconButton("sidebar-left", self.tr("Show the places"))
        self.tools = QHBoxLayout()
        self.tools.setSpacing(theme().px(8))
        self.body = QVBoxLayout()
        self.body.setSpacing(theme().px(14))
        self.state = EmptyState()
        self.state.hide()
        self.area = self._make_area()
        self._title = ElidedLabel(title, font="page")
        named = QHBoxLayout()
        named.setSpacing(theme().px(8))
        named.addWidget(self.places_button)
        named.addWidget(self._title, 1)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setContentsMargins(theme().margins(28, 20, 28, 14))
        self._head.setSpacing(theme().px(8))
        self._head.addLayout(named, 1)
        self._head.addLayout(self.tools)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(self.area, 1)
        column.addWidget(self.state, 1)

    def take_focus(self) -> None:
        """Give the keyboard to what most people want here; on a page of figures it scrolls."""
        self.area.setFocus(Qt.FocusReason.OtherFocusReason)

    def say(self, icon: str, sentence: str, detail: str = "", action: str = "") -> None:
        """Show one sentence, with one action at most, which ``state.action_pressed`` tells of."""
        self.state.set(icon, sentence, detail, action)
        self.state.show()
        self.area.hide()

    def show_body(self) -> None:
        """Show the content."""
        self.state.hide()
        self.area.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        self._fold_head()

    def event(self, event: QEvent) -> bool:
        """See Qt: tools that come or go may need a line of their own."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fold_head()
        return super().event(event)

    def _fold_head(self) -> None:
        """Put the tools below the heading where they have no room beside it."""
        sides = self._head.contentsMargins()
        gap = self._head.spacing()
        places = self.places_button.sizeHint().width() + gap if self.places_button.isVisibleTo(self) else 0
        tools = self.tools.sizeHint().width()
        needed = sides.left() + places + self._title.sizeHint().width() + gap + tools + sides.right()
        is_narrow = tools > 0 and needed > self.width()
        direction = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if direction != self._head.direction():
            self._head.setDirection(direction)
            self._head.setAlignment(self.tools, Qt.AlignmentFlag.AlignLeft if is_narrow else Qt.AlignmentFlag(0))

    def _make_area(self) -> QScrollArea:
        inner = QWidget()
        inner.setMaximumWidth(theme().px(_WIDEST))
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme().margins(28, 2, 28, 28))
        column.addLayout(self.body)
        column.addStretch(1)
        return scrolled(inner)
