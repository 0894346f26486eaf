"""The sheets of the vault: what a restoring replaces, what a repair changes, what a version is called."""

from __future__ import annotations

from typing import Final

from holdfast_core.model.repair import Repaired
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QStyleOptionViewItem, QWidget

from holdfast_gui import text
from holdfast_gui.models.mending import CUT_ROLE, LINE_ROLE, ChangesModel, summary
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import FontName
from holdfast_gui.views.controls import Label
from holdfast_gui.views.row_delegate import Index, RowDelegate
from holdfast_gui.views.scroll import OverlayScrollBar
from holdfast_gui.views.sheet import Sheet, field_label

TAG_LIMIT: Final = 80
_ROWS: Final = 6
_ROW: Final = 46


class RestoreSheet(Sheet):
    """Asks before a version takes the place of what an agent has: what comes, what gives way, that it is kept."""

    def __init__(self, parent: QWidget, *, title: str, agent: str, comes: str, gives_way: str) -> None:
        name = text.title(title)
        super().__init__(
            parent,
            title=tr("Restore “{title}” to {agent}?").format(title=name, agent=agent),
            message=comes,
            accept=tr("Restore to {agent}").format(agent=agent),
        )
        if gives_way:
            self.column.addWidget(Label(gives_way, colour="text2", wraps=True))
        self.column.addWidget(
            Label(
                tr("It cannot be done while {agent} has the session open.").format(agent=agent),
                font="small",
                colour="text3",
                wraps=True,
            )
        )
        self.column.addStretch(1)
        self.accept_button.setFocus(Qt.FocusReason.TabFocusReason)


class RepairSheet(Sheet):
    """Lists every change before anything is written; without one there is nothing to say yes to."""

    def __init__(self, parent: QWidget, *, title: str, agent: str, plan: Repaired) -> None:
        message = tr(
            "A copy with these changes takes the place of the damaged file, so that {agent} can go on with it. "
            "The damaged one is kept as a version: it can be undone."
        )
        if not plan.is_changed:
            message = tr("Nothing in its file has to be mended for {agent} to go on with it.")
        super().__init__(
            parent,
            title=tr("Repair “{title}”?").format(title=text.title(title))
            if plan.is_changed
            else tr("“{title}” needs no repair").format(title=text.title(title)),
            message=message.format(agent=agent),
            accept=tr("Repair") if plan.is_changed else "",
            width=560,
        )
        self.list = _ChangesList(ChangesModel(plan.changes))
        self.summary = Label(summary(plan.changes), font="small", colour="text2", wraps=True)
        if plan.changes:
            self.column.addWidget(self.summary)
            self.column.addWidget(self.list, 1)
        stop = self.accept_button if plan.is_changed else self.cancel_button
        stop.setFocus(Qt.FocusReason.TabFocusReason)


class NameSheet(Sheet):
    """Asks what a version is to be called; an empty name takes it away."""

    def __init__(self, parent: QWidget, *, version: str, name: str) -> None:
        super().__init__(parent, title=tr("Name this version"), message=version, accept=tr("Keep name"))
        self.field = QLineEdit(name)
        self.field.setMaxLength(TAG_LIMIT)
        self.field.selectAll()
        self.column.addWidget(field_label(tr("Name"), self.field))
        self.column.addWidget(self.field)
        self.column.addStretch(1)
        self.field.setFocus()

    @property
    def name(self) -> str:
        """What was typed."""
        return text.one_line(self.field.text(), limit=TAG_LIMIT)


class _ChangesList(QListView):
    def __init__(self, changes: ChangesModel) -> None:
        super().__init__()
        self.changes = changes
        self.setModel(changes)
        self.setItemDelegate(_ChangeDelegate(self))
        self.setAccessibleName(self.tr("Changes"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; border: none; }")
        self._bar = OverlayScrollBar(self)
        self.setMinimumHeight(theme().px(_ROW) * min(_ROWS, changes.rowCount()))


class _ChangeDelegate(RowDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, theme().px(_ROW))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, tokens = theme(), theme().tokens
        box = option.rect.adjusted(look.px(2), 0, -look.px(12), 0)
        painter.fillRect(QRect(box.left(), option.rect.bottom(), box.width(), 1), tokens.line)
        first = QRect(box.left(), box.top() + look.px(4), box.width(), look.line("body"))
        line = index.data(LINE_ROLE)
        width = QFontMetrics(look.font("caption")).horizontalAdvance(line)
        painter.setFont(look.font("caption"))
        painter.setPen(tokens.text3)
        painter.drawText(first, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, line)
        first.setRight(first.right() - width - look.px(10))
        _write(painter, first, index.data(), "body", "text")
        second = QRect(box.left(), first.bottom(), box.width(), look.line("small"))
        _write(painter, second, index.data(CUT_ROLE), "code_small", "text2")


def _write(painter: QPainter, box: QRect, words: str, font: FontName, colour: str) -> None:
    painter.setFont(theme().font(font))
    painter.setPen(getattr(theme().tokens, colour))
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
