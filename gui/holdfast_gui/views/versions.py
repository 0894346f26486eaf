"""Earlier states of a held session: when each was kept and why, whether it is whole, and the way back to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from holdfast_core.model.keeping import Backup
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.held import reason_words
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.controls import Label, Pressable
from holdfast_gui.views.marks import paint_dot
from holdfast_gui.views.scroll import scrolled
from holdfast_gui.views.sheet import Sheet

SHOWN = 6


class VersionRow(Pressable):
    """One earlier state on two lines: when and how large, then why it was kept and whether it is whole."""

    def __init__(self, backup: Backup, now: datetime) -> None:
        super().__init__()
        self.backup = backup
        self._when = text.when(backup.created_ms, now)
        self._size = text.size(backup.size_bytes)
        reason = tr("kept {reason}").format(reason=reason_words(backup))
        state = tr("whole and signed") if backup.is_valid else tr("damaged, cannot be used")
        self._why = f"{reason} · {state}"
        self.words = f"{self._when}, {self._size}, {reason}, {state}"
        self.setCheckable(True)
        self.setEnabled(backup.is_valid)
        self.setAccessibleName(self.words)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """See Qt."""
        look = theme()
        return QSize(look.px(180), look.line("body") + look.line("small") + look.px(10))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens = theme(), theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.selection if self.isChecked() else tokens.hover)
            painter.drawRoundedRect(self.rect(), look.px(RADIUS_SMALL), look.px(RADIUS_SMALL))
        side, top = look.px(7), look.px(5)
        colour = tokens.accent if self.backup.is_valid else tokens.bad
        paint_dot(painter, QPoint(look.px(14), top + look.line("body") // 2), side, colour, roundness=0.5)
        box = self.rect().adjusted(look.px(28), top, -look.px(10), 0)
        box.setHeight(look.line("body"))
        painter.setFont(look.font("strong"))
        painter.setPen(tokens.text if self.backup.is_valid else tokens.text2)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._when)
        painter.setFont(look.font("caption"))
        painter.setPen(tokens.text3)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._size)
        box.translate(0, box.height())
        painter.setFont(look.font("small"))
        painter.setPen(tokens.text2 if self.backup.is_valid else tokens.bad)
        shown = painter.fontMetrics().elidedText(self._why, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()


class VersionsSheet(Sheet):
    """``wanted`` tells the version to go back to. The newest one that is whole is chosen at first."""

    wanted = Signal(int)

    def __init__(self, parent: QWidget, title: str, backups: Sequence[Backup], now: datetime) -> None:
        super().__init__(
            parent,
            title=tr("Earlier versions of “{title}”").format(title=text.title(title)),
            message=tr("Going back keeps the present state as a version, too: it can be undone.")
            if backups
            else tr("There is none yet. Holdfast keeps one whenever the whole session is written anew."),
            accept=tr("Go back to this") if backups else "",
        )
        self.rows = [VersionRow(backup, now) for backup in backups]
        self._group = QButtonGroup(self)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme().margins(3, 3, 3, 3))
        column.setSpacing(theme().px(2))
        for row in self.rows:
            self._group.addButton(row)
            column.addWidget(row)
        column.addStretch(1)
        if self.rows:
            area = scrolled(inner)
            height = self.rows[0].sizeHint().height() + theme().px(2)
            area.setMinimumHeight(min(len(self.rows), SHOWN) * height + theme().px(6))
            self.column.addWidget(area)
        first = next((row for row in self.rows if row.isEnabled()), None)
        if first is not None:
            first.setChecked(True)
            first.setFocus()
        elif self.rows:
            self.column.addWidget(Label(tr("None of them is whole."), font="small", colour="bad"))
        self.accept_button.setEnabled(first is not None)
        self.accepted.connect(self._tell)

    @property
    def chosen(self) -> Backup | None:
        """The version that is chosen."""
        return next((row.backup for row in self.rows if row.isChecked()), None)

    def _tell(self) -> None:
        if self.chosen is not None:
            self.wanted.emit(self.chosen.version)
