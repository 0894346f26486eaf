"""What an import would give, before anything is kept."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.keeping import Imported, ImportReport
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import ElidedLabel, Label
from holdfast_gui.views.scroll import scrolled
from holdfast_gui.views.sheet import Sheet

ROWS = 200


class ImportSheet(Sheet):
    """Titles with where each comes from and whether that is proven; then what is missing or cannot be read."""

    def __init__(self, parent: QWidget, reports: Sequence[ImportReport]) -> None:
        found = [each for report in reports for each in report.imported]
        warnings = [warning for report in reports for warning in report.warnings]
        count = text.counted(len(found), "session", "sessions")
        super().__init__(
            parent,
            title=tr("Import {sessions}?").format(sessions=count) if found else tr("Nothing here can be imported"),
            message=tr("Each is kept as a new session. The files that they come from stay as they are.")
            if found
            else "",
            accept=tr("Import {sessions}").format(sessions=count) if found else "",
            width=560,
        )
        inner = QWidget()
        rows = QVBoxLayout(inner)
        rows.setContentsMargins(0, 0, theme().px(12), 0)
        rows.setSpacing(theme().px(8))
        for each in found[:ROWS]:
            rows.addLayout(_row(each))
        if len(found) > ROWS:
            more = text.count(len(found) - ROWS)
            rows.addWidget(Label(tr("and {more} more").format(more=more), font="small", colour="text3"))
        if warnings:
            words = tr("What is missing here or cannot be read")
            rows.addWidget(Label(words, font="heading", colour="text3"))
        for warning in warnings[:ROWS]:
            rows.addWidget(Label(text.one_line(warning), font="small", colour="wait", wraps=True))
        rows.addStretch(1)
        area = scrolled(inner)
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # nothing in it takes the focus, and keys have to scroll it
        area.setAccessibleName(tr("What would be imported"))
        area.setMinimumHeight(min(theme().px(320), theme().px(46) * max(1, len(found) + len(warnings))))
        self.column.addWidget(area)
        self.words = " ".join(label.text() for label in self.findChildren(Label))
        self.setAccessibleDescription(self.words)


def _row(each: Imported) -> QVBoxLayout:
    source = text.one_line(each.source)
    if not each.is_verified:
        source = tr("{source} · signature not proven: read-only until you adopt it").format(source=source)
    pair = QVBoxLayout()
    pair.setSpacing(0)
    pair.addWidget(ElidedLabel(text.title(each.title), font="strong"))
    pair.addWidget(ElidedLabel(source, font="small", colour="text3" if each.is_verified else "wait"))
    return pair
