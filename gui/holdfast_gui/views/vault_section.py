"""The versions of an agent's session in the details: each with its time, its messages, why it began; and its menu."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from holdfast_core.model.session import SessionEntry
from holdfast_core.model.vault import WITHOUT_CONTENT, Version
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.versions import (
    LOSING,
    VersionGroup,
    grouped,
    shown_version,
    spoken_version,
    version_ms,
    version_title,
    version_words,
)
from holdfast_gui.text import later, tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL, FontName
from holdfast_gui.views.controls import Pressable
from holdfast_gui.views.detail_parts import ROWS_LIMIT, Section
from holdfast_gui.views.marks import paint_dot

SHOWN: Final = 8
MENU: Final = later(
    (
        ("open", "Open this version"),
        ("compare", "Compare with now"),
        ("", ""),
        ("agent", "Restore to the agent…"),
        ("held", "Restore as a held session"),
        ("file", "Restore to a file…"),
        ("", ""),
        ("name", "Name this version…"),
        ("export", "Export this version…"),
    )
)
"""What can be done with a version, as `VaultSection.wanted` tells it; empty for a line between groups."""

_WITHOUT: Final = frozenset(("name", "compare"))
"""What can be done with a version that is only the news that the file is gone."""


class VaultSection(QWidget):
    """``wanted`` tells what is to be done and the number of the version. Hidden while there is no version."""

    wanted = Signal(str, int)

    def __init__(self) -> None:
        super().__init__()
        self._session_id = ""
        self._read = 0
        self._menu: QMenu | None = None
        self._section = Section(self.tr("Versions"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._section)
        self.hide()

    @property
    def rows(self) -> list[VersionRow]:
        """The rows, from the top."""
        return [row for row in self._section.rows() if isinstance(row, VersionRow)]

    @property
    def stops(self) -> list[QWidget]:
        """What the focus goes through, in order."""
        stops: list[QWidget] = []
        for row in self._section.rows():
            stops += row.stops if isinstance(row, _Folded) else [row]
        return stops

    def show_for(self, session_id: str) -> None:
        """Be seen if the versions that are shown are those of this session."""
        if session_id != self._session_id:
            self._session_id = ""
            self.hide()

    def set_versions(self, entry: SessionEntry, versions: Sequence[Version], now: datetime, *, read: int = 0) -> None:
        """Show the versions of a session; ``read`` is the one in the transcript, 0 for the session itself."""
        is_same = entry.id == self._session_id
        focused = self._focused_number() if is_same else 0
        is_open = is_same and any(row.is_open for row in self._section.rows() if isinstance(row, _Folded))
        shows_all = is_same and len(self._section.rows()) > SHOWN + 1
        self._session_id, self._read = entry.id, read
        groups = grouped(versions, shown_version(versions, entry))

        def row(group: VersionGroup) -> QWidget:
            made = self._row(group, now)
            if is_open and isinstance(made, _Folded):
                made.unfold()
            return made

        self._section.set_items(groups, row, shown=ROWS_LIMIT if shows_all else SHOWN)
        self.setVisible(bool(groups))
        self._focus(focused)

    def _focused_number(self) -> int:
        return next((row.version.number for row in self.stops if isinstance(row, VersionRow) and row.hasFocus()), 0)

    def _focus(self, number: int) -> None:
        """Give the keyboard back to the row of a version, which was made anew."""
        for row in self.stops if number else ():
            if isinstance(row, VersionRow) and row.version.number == number:
                row.show()  # what has just been made is shown a little later by itself
                row.setFocus(Qt.FocusReason.OtherFocusReason)

    def _row(self, group: VersionGroup, now: datetime) -> QWidget:
        if len(group.versions) == 1:
            return self._one(group, now)
        return _Folded([self._one(VersionGroup((one,)), now) for one in group.versions], self._one(group, now))

    def _one(self, group: VersionGroup, now: datetime) -> VersionRow:
        row = VersionRow(group, now, is_read=group.newest.number == self._read)
        row.clicked.connect(lambda: self.wanted.emit("open", group.newest.number))
        row.menu_wanted.connect(lambda at: self._open_menu(group.newest, at))
        return row

    def _open_menu(self, version: Version, at: QPoint) -> None:
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        is_empty = version.reason in WITHOUT_CONTENT
        for what, words in MENU:
            if not what:
                self._menu.addSeparator()
                continue
            item = self._menu.addAction(tr(words))
            item.setObjectName(what)
            item.setEnabled(what in _WITHOUT if is_empty else True)
            item.triggered.connect(
                lambda _checked=False, what=what, number=version.number: self.wanted.emit(what, number)
            )
        self._menu.popup(at)


class VersionRow(Pressable):
    """A version on two lines: how much it holds and from when, then why it began; a dot says the same by its colour."""

    menu_wanted = Signal(QPoint)

    def __init__(self, group: VersionGroup, now: datetime, *, is_read: bool = False) -> None:
        super().__init__()
        self.versions = group
        self.version = group.newest
        self.is_read = is_read
        self._title = version_title(self.version)
        self._words = version_words(group)
        self._when = text.age(version_ms(self.version), now)
        self.words = spoken_version(group, now)
        if is_read:
            self.words = tr("{version}, open now").format(version=self.words)
        self.setAccessibleName(self.words)
        self.setToolTip(text.tooltip(self.words))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """See Qt."""
        look = theme()
        return QSize(100, look.line("body") + look.line("small") + look.px(12))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """See Qt."""
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: the menu opens by its key and by Shift+F10."""
        is_f10 = event.key() == Qt.Key.Key_F10 and event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_Menu or is_f10:
            self.menu_wanted.emit(self.mapToGlobal(self.rect().center()))
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens = theme(), theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.is_hot or self.is_read:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.selection if self.is_read else tokens.hover)
            painter.drawRoundedRect(self.rect(), look.px(RADIUS_SMALL), look.px(RADIUS_SMALL))
        top = look.px(5)
        paint_dot(
            painter, QPoint(look.px(8), top + look.line("body") // 2), look.px(7), self._dot_colour(), roundness=0.5
        )
        first = QRect(look.px(26), top, self.width() - look.px(30), look.line("body"))
        painter.setFont(look.font("small"))
        painter.setPen(tokens.text2)
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._when)
        first.setRight(first.right() - painter.fontMetrics().horizontalAdvance(self._when) - look.px(8))
        strong = self.versions.is_shown or self.is_read
        _paint_words(painter, first, self._title, "bold" if strong else "body", "text")
        second = QRect(look.px(26), top + look.line("body"), self.width() - look.px(30), look.line("small"))
        _paint_words(painter, second, self._words, "small", "bad" if self.version.is_damaged else "text2")
        painter.end()

    def _dot_colour(self) -> QColor:
        tokens = theme().tokens
        if self.version.is_damaged or self.version.lost or self.version.reason in LOSING:
            return tokens.bad
        return tokens.accent if self.versions.is_shown else tokens.text3


class _Folded(QWidget):
    """Several versions in one row; a press on it shows each."""

    def __init__(self, rows: Sequence[VersionRow], head: VersionRow) -> None:
        super().__init__()
        self.head = head
        self.is_open = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        for row in rows:
            column.addWidget(row)
            row.hide()
        self._rows = rows
        head.clicked.disconnect()
        head.clicked.connect(self.unfold)

    @property
    def stops(self) -> list[QWidget]:
        """What the focus goes through, in order."""
        return [*self._rows] if self.is_open else [self.head]

    def unfold(self) -> None:
        """Show each version by itself."""
        has_focus = self.head.hasFocus()
        self.is_open = True
        self.head.hide()
        for row in self._rows:
            row.show()
        if has_focus:
            self._rows[0].setFocus(Qt.FocusReason.OtherFocusReason)


def _paint_words(painter: QPainter, box: QRect, words: str, font: FontName, colour: str) -> None:
    role = theme().font(font)
    painter.setFont(role)
    painter.setPen(getattr(theme().tokens, colour))
    shown = QFontMetrics(role).elidedText(words, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
