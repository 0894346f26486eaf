"""What a word in the search field may become: a list below it that leaves the focus where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, QRect, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QListView, QVBoxLayout, QWidget

from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import PLACE_ROW, RADIUS_FIELD

SHOWN: Final = 8


class Completions(QFrame):
    """Offers words; up and down move, Tab and Enter take, Escape closes."""

    chosen = Signal(str)

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        self._model = QStringListModel(self)
        self.view = QListView()
        self.view.setModel(self._model)
        self.view.setUniformItemSizes(True)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.view.setMouseTracking(True)
        self.view.setAccessibleName(self.tr("Completions"))
        self.view.clicked.connect(lambda index: self._take(index.row()))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(4, 4, 4, 4))
        column.addWidget(self.view)
        self._dress()
        theme().changed.connect(self._dress)
        self.hide()

    @property
    def words(self) -> list[str]:
        """What is offered, empty while hidden."""
        return [] if self.isHidden() else self._model.stringList()

    def offer(self, words: Sequence[str], *, under: QWidget) -> None:
        """Show words under a widget of the same window, none marked; no words hide the list."""
        if not words:
            self.hide()
            return
        window = under.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        self._model.setStringList(list(words))
        self.view.setCurrentIndex(self._model.index(-1))
        height = theme().px(PLACE_ROW) * min(SHOWN, len(words)) + 8
        corner = under.mapTo(window, QPoint(0, under.height() + 4))
        self.setGeometry(QRect(corner, under.size()))
        self.setFixedHeight(height)
        self.show()
        self.raise_()

    def take_key(self, key: int) -> bool:
        """Do what a key means while words are offered; False if it means nothing here."""
        if self.isHidden():
            return False
        row = self.view.currentIndex().row()
        last = self._model.rowCount() - 1
        match key:
            case Qt.Key.Key_Down:
                self._move(0 if row >= last else row + 1)
            case Qt.Key.Key_Up:
                self._move(last if row <= 0 else row - 1)
            case Qt.Key.Key_Tab:
                self._take(max(0, row))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if row >= 0:
                self._take(row)
            case Qt.Key.Key_Escape:
                self.hide()
            case _:
                return False
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(tokens.line)
        painter.setBrush(tokens.bg2)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS_FIELD, RADIUS_FIELD)
        painter.end()

    def _dress(self) -> None:
        tokens = theme().tokens
        row = theme().px(PLACE_ROW)
        self.view.setStyleSheet(
            "QListView { background: transparent; border: none; outline: none; }"
            f"QListView::item {{ height: {row}px; padding-left: 8px; border-radius: 6px; }}"
            f"QListView::item {{ color: {tokens.text.name()}; }}"
            f"QListView::item:hover {{ background: {tokens.hover.name()}; }}"
            f"QListView::item:selected {{ background: {tokens.selection.name()}; }}"
        )

    def _move(self, row: int) -> None:
        self.view.setCurrentIndex(self._model.index(row))

    def _take(self, row: int) -> None:
        word = self._model.stringList()[row]
        self.hide()
        self.chosen.emit(word)
