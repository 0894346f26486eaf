"""Two versions of a session side by side in one list: what is only in one of them, and what reads otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from holdfast_core import clock
from holdfast_core.model.vault import WITHOUT_CONTENT, Comparison, Version
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QTextOption
from PySide6.QtWidgets import QBoxLayout, QFrame, QListView, QMenu, QStyle, QStyleOptionViewItem, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.comparison import ComparedRole, ComparisonModel, place_of, summary
from holdfast_gui.models.versions import version_ms, version_title
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_FIELD, FontName
from holdfast_gui.views.controls import Button, IconButton, Label, is_by_keyboard
from holdfast_gui.views.marks import paint_ring
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.row_delegate import Index, RowDelegate
from holdfast_gui.views.scroll import OverlayScrollBar

ROW: Final = 68
_SIGN_WIDTH: Final = 34
_SIDES: Final = 48
_SIGNS: Final = {"only_old": "\N{MINUS SIGN}", "only_new": "+", "differs": "\N{NOT EQUAL TO}"}
_COLOURS: Final = {
    "only_old": ("removed", "removed_ground"),
    "only_new": ("added", "added_ground"),
    "differs": ("wait", "wait_ground"),
}


class ComparisonPage(PlacePage):
    """``versions_wanted`` tells which two to compare, ``message_wanted`` which message of which version to read."""

    versions_wanted = Signal(int, int)
    message_wanted = Signal(int, int)
    back_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Compare versions"))
        self._versions: Sequence[Version] = ()
        self._menu: QMenu | None = None
        self.list = ComparedList()
        self.name = Label(font="strong", colour="text2", wraps=True)
        self.old_button, self.new_button = Button(""), Button("")
        self.swap_button = IconButton("refresh", self.tr("Compare the other way round"))
        self.back_button = Button(self.tr("Back to the session"))
        self.summary = Label(font="small", colour="text2", wraps=True)
        self.tools.addWidget(self.back_button)
        self._arrange()
        self.old_button.clicked.connect(lambda: self._choose(self.old_button, is_old=True))
        self.new_button.clicked.connect(lambda: self._choose(self.new_button, is_old=False))
        self.swap_button.clicked.connect(lambda: self.versions_wanted.emit(self._new, self._old))
        self.back_button.clicked.connect(self.back_wanted)
        self.list.message_wanted.connect(self._read)
        self.list.left.connect(self.back_wanted)

    @property
    def _old(self) -> int:
        return self.list.rows.comparison.old

    @property
    def _new(self) -> int:
        return self.list.rows.comparison.new

    def set_comparison(self, title: str, versions: Sequence[Version], comparison: Comparison, now: datetime) -> None:
        """Show what two versions of a session do not share; ``versions`` are those that can be chosen."""
        self._versions = [one for one in versions if one.reason not in WITHOUT_CONTENT or one.number == comparison.new]
        self.name.setText(text.title(title))
        self.list.rows.set_comparison(comparison)
        self.old_button.setText(self._version_words(comparison.old, now))
        self.new_button.setText(self._version_words(comparison.new, now))
        for button in (self.old_button, self.new_button):
            button.setAccessibleName(button.text().replace("&&", "&"))
            button.updateGeometry()
        self._fold_pair()
        self.summary.setText(summary(comparison))
        has_any = bool(comparison.differences)
        self._rows.show()
        self.list.setVisible(has_any)
        self._none.setVisible(not has_any)
        self.state.hide()
        self.area.hide()
        if has_any and self.list.currentIndex().row() < 0:
            self.list.setCurrentIndex(self.list.rows.index(0))

    def say_loading(self) -> None:
        """Show that both are being read."""
        self._rows.hide()
        self.say("history", self.tr("Both versions are being read"))

    def take_focus(self) -> None:
        """See `PlacePage`."""
        stop = self.list if self.list.isVisibleTo(self) else self.back_button
        stop.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Escape goes back."""
        if event.key() == Qt.Key.Key_Escape:
            self.back_wanted.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: without room beside each other the versions stand one below the other."""
        super().resizeEvent(event)
        self._fold_pair()

    def _fold_pair(self) -> None:
        widths = [
            part.sizeHint().width() + theme().px(8) for part in (self.old_button, self.swap_button, self.new_button)
        ]
        is_narrow = sum(widths) > self.width() - theme().px(_SIDES)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._pair.setDirection(down if is_narrow else across)

    def _version_words(self, number: int, now: datetime) -> str:
        version = next((one for one in self._versions if one.number == number), None)
        if version is None:
            return tr("Version {number}").format(number=number)
        words = tr("Version {number}, {when}, {messages}").format(
            number=number, when=text.when(version_ms(version), now), messages=version_title(version)
        )
        return text.escaped_mnemonic(f"{words} “{text.one_line(version.tag, limit=30)}”" if version.tag else words)

    def _choose(self, button: Button, *, is_old: bool) -> None:
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chosen = self._old if is_old else self._new
        for version in self._versions:
            item = self._menu.addAction(self._version_words(version.number, clock.now()))
            item.setCheckable(True)
            item.setChecked(version.number == chosen)
            pair = (version.number, self._new) if is_old else (self._old, version.number)
            item.triggered.connect(lambda _checked=False, pair=pair: self.versions_wanted.emit(*pair))
        self._menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _read(self, row: int) -> None:
        compared = self.list.rows.compared(row)
        if compared is not None:
            self.message_wanted.emit(*place_of(self.list.rows.comparison, compared))

    def _arrange(self) -> None:
        pair = self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        pair.setSpacing(theme().px(8))
        for part in (self.old_button, self.swap_button, self.new_button):
            pair.addWidget(part)
        pair.addStretch(1)
        self._none = Label(self.tr("Both hold the same messages."), colour="text2")
        self._none.hide()
        self._rows = QWidget()
        column = QVBoxLayout(self._rows)
        column.setContentsMargins(theme().margins(28, 0, 20, 12))
        column.setSpacing(theme().px(10))
        column.addWidget(self.name)
        column.addLayout(pair)
        column.addWidget(self.summary)
        column.addWidget(self.list, 1)
        column.addWidget(self._none)
        column.addStretch(0)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(self._rows, 1)


class ComparedList(QListView):
    """Messages that two versions do not share; ``message_wanted`` tells the row to read, ``left`` that Escape was."""

    message_wanted = Signal(int)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows = ComparisonModel()
        self.is_by_keyboard = False
        self.setModel(self.rows)
        self.setItemDelegate(_ComparedDelegate(self))
        self.setAccessibleName(self.tr("What differs"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; border: none; }")
        self._bar = OverlayScrollBar(self)
        self.doubleClicked.connect(lambda index: self.message_wanted.emit(index.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Return reads the message, J and K move, Escape leaves."""
        self.is_by_keyboard = True
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.message_wanted.emit(self.currentIndex().row())
            case Qt.Key.Key_Escape:
                self.left.emit()
            case Qt.Key.Key_J | Qt.Key.Key_K if not event.modifiers():
                step = Qt.Key.Key_Down if event.key() == Qt.Key.Key_J else Qt.Key.Key_Up
                super().keyPressEvent(QKeyEvent(event.type(), step, event.modifiers()))
            case _:
                super().keyPressEvent(event)
        self.viewport().update()

    def keyboardSearch(self, search: str) -> None:
        """See Qt: letters are keys here."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """See Qt."""
        self.is_by_keyboard = False
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """See Qt."""
        self.is_by_keyboard = is_by_keyboard(event.reason())
        super().focusInEvent(event)


class _ComparedDelegate(RowDelegate):
    def __init__(self, view: ComparedList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, theme().px(ROW))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, tokens = theme(), theme().tokens
        compared = index.data(ComparedRole.COMPARED)
        ink, ground = (getattr(tokens, name) for name in _COLOURS[compared.kind])
        box = option.rect.adjusted(0, 2, 0, -2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, look.px(RADIUS_FIELD), look.px(RADIUS_FIELD))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(tokens.accent)
            painter.drawRoundedRect(QRectF(box.left(), box.top() + 8, 3, box.height() - 16), 1.5, 1.5)
        sign = QRect(box.left(), box.top(), look.px(_SIGN_WIDTH), box.height())
        _write(painter, sign, _SIGNS[compared.kind], "title", ink, at=Qt.AlignmentFlag.AlignCenter)
        line = QRect(sign.right(), box.top() + look.px(6), box.right() - sign.right() - look.px(14), look.line("small"))
        width = QFontMetrics(look.font("caption")).horizontalAdvance(index.data(ComparedRole.CAPTION))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if line.width() > 2 * width:
            _write(painter, line, index.data(ComparedRole.CAPTION), "caption", tokens.text2, at=right)
            line.setRight(line.right() - width - look.px(10))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        heading = QFontMetrics(look.font("small_strong")).elidedText(
            index.data(ComparedRole.HEADING), Qt.TextElideMode.ElideRight, line.width()
        )
        _write(painter, line, heading, "small_strong", ink, at=left)
        said = QRect(line.left(), line.bottom() + look.px(3), box.right() - line.left() - look.px(14), 0)
        said.setBottom(box.bottom() - look.px(6))
        _write_said(painter, said, index.data())
        if self._view.hasFocus() and self._view.is_by_keyboard and index == self._view.currentIndex():
            paint_ring(painter, QRectF(box), look.px(RADIUS_FIELD))


def _write(painter: QPainter, box: QRect, words: str, font: FontName, ink: QColor, *, at: Qt.AlignmentFlag) -> None:
    painter.setFont(theme().font(font))
    painter.setPen(ink)
    painter.drawText(box, at, words)


def _write_said(painter: QPainter, box: QRect, words: str) -> None:
    """Write the beginning of a message on as many lines as there is room for."""
    look = theme()
    font = look.font("body")
    metrics = QFontMetrics(font)
    lines = max(1, box.height() // metrics.lineSpacing())
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(0, round(box.width() * (lines - 0.12))))
    option = QTextOption(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    painter.setFont(font)
    painter.setPen(look.tokens.text)
    painter.drawText(QRectF(box), shown, option)
