"""The command palette: a field and a list over the dimmed window, worked by the keyboard alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from holdfast_gui.models.palette import Entry, Match, PaletteModel
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import icon
from holdfast_gui.theme.tokens import RADIUS_PALETTE
from holdfast_gui.views.palette_rows import MARGIN, PaletteDelegate

_WIDTH: Final = 600
_TOP: Final = 96
_ICON: Final = 16
_DIM: Final = 0.5


class Palette(QWidget):
    """Covers its parent; ``text_changed`` asks for entries, `show_entries` gives them."""

    text_changed = Signal(str)
    chosen = Signal(object, str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._before: QWidget | None = None
        self._model = PaletteModel()
        self._panel = _Panel(self)
        self.field = QLineEdit()
        self.field.setProperty("bare", True)
        self.field.setPlaceholderText(tr("Do, open or run…"))
        self.field.setAccessibleName(tr("Command palette"))
        self.field.textChanged.connect(self.text_changed)
        self.field.installEventFilter(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(PaletteDelegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(tr("What the palette found"))
        self.list.viewport().setAutoFillBackground(False)
        self.list.clicked.connect(self._choose)
        self._nothing = QLabel(tr("Nothing matches."))
        self._nothing.setContentsMargins(MARGIN, 8, MARGIN, 16)
        self._fill()
        parent.installEventFilter(self)
        self.hide()

    def open(self, text: str = "") -> None:
        """Cover the window and take the keyboard until something is chosen or it is left."""
        self._before = self.window().focusWidget()
        self._dress()
        self.setGeometry(self._parent_rect())
        self.field.setText(text)
        self.text_changed.emit(text)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self) -> None:
        """Uncover the window and give the keyboard back to where it was."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self._before = None
        self.closed.emit()

    def show_entries(self, found: Sequence[tuple[Entry, Match]]) -> None:
        """List what matches, the first one selected."""
        self._model.show(found)
        self.list.setCurrentIndex(self._model.index(self._model.step(-1, 1)))
        self.list.scrollToTop()
        self.list.setVisible(bool(found))
        self._nothing.setVisible(not found)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        if watched is self.parent() and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._parent_rect())
        if watched is self.field and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.field.setFocus()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._panel.geometry().contains(event.position().toPoint()):
            self.leave()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        dim = QColor(theme().tokens.bg0 if theme().is_dark else theme().tokens.text)
        dim.setAlphaF(_DIM + 0.12 if theme().is_dark else _DIM - 0.18)
        painter.fillRect(self.rect(), dim)
        painter.end()

    def _fill(self) -> None:
        self._glass = QLabel()
        top = QHBoxLayout()
        top.setContentsMargins(MARGIN, 13, MARGIN, 13)
        top.setSpacing(10)
        top.addWidget(self._glass)
        top.addWidget(self.field)
        self._line = QFrame()
        self._line.setFixedHeight(1)
        whole = QVBoxLayout(self._panel)
        whole.setContentsMargins(1, 1, 1, 8)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self._line)
        whole.addWidget(self.list)
        whole.addWidget(self._nothing)

    def _dress(self) -> None:
        tokens = theme().tokens
        self.field.setFont(theme().font("transcript"))
        self._glass.setPixmap(icon("search", "text").pixmap(QSize(_ICON, _ICON)))
        self._line.setStyleSheet(f"background: {tokens.line.name()};")
        self.list.setStyleSheet("background: transparent;")

    def _key(self, event: QKeyEvent) -> bool:
        row = self.list.currentIndex().row()
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Tab:
                self._select(self._model.step(row, 1))
            case Qt.Key.Key_Up | Qt.Key.Key_Backtab:
                self._select(self._model.step(row, -1))
            case Qt.Key.Key_PageDown:
                self._select(self._model.step(min(row + 6, self._model.rowCount() - 2), 1))
            case Qt.Key.Key_PageUp:
                self._select(self._model.step(max(row - 6, 0), -1) if row > 6 else self._model.step(-1, 1))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._choose(self.list.currentIndex())
            case Qt.Key.Key_Escape:
                self.leave()
            case _:
                return False
        return True

    def _select(self, row: int) -> None:
        index = self._model.index(row)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def _choose(self, index: QModelIndex) -> None:
        entry = self._model.entry(index.row()) if index.isValid() else None
        text = self.field.text()
        if entry is not None or text.startswith(">"):
            self.leave()
            self.chosen.emit(entry, text)

    def _parent_rect(self) -> QRect:
        parent = self.parentWidget()
        return parent.rect() if parent is not None else QRect()

    def _place(self) -> None:
        rows = [self._model.index(row) for row in range(self._model.rowCount())]
        wanted = sum(self.list.itemDelegate().sizeHint(QStyleOptionViewItem(), index).height() for index in rows)
        room = self.height() - _TOP - 96
        self.list.setFixedHeight(max(0, min(wanted + 4, room)))
        width = min(theme().px(_WIDTH), self.width() - 48)
        self._panel.setFixedWidth(width)
        self._panel.adjustSize()
        self._panel.move((self.width() - width) // 2, min(_TOP, self.height() // 8))


class _Panel(QFrame):
    """The raised ground, with the only rounded corners of this size in the window."""

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(tokens.line)
        painter.setBrush(tokens.bg1)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS_PALETTE, RADIUS_PALETTE)
        painter.end()
