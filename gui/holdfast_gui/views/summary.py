"""All that the check at the start found in the sessions kept here, and did about it."""

from __future__ import annotations

from holdfast_core.model.keeping import StartSummary
from PySide6.QtWidgets import QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Label
from holdfast_gui.views.detail_parts import Fact, Facts
from holdfast_gui.views.sheet import Sheet


class SummarySheet(Sheet):
    """Whole sentences first, then the figures behind them."""

    def __init__(self, parent: QWidget, found: StartSummary) -> None:
        checked = text.counted(found.checked, "session was", "sessions were")
        super().__init__(
            parent,
            title=tr("What the check at the start found"),
            message=tr("{sessions} checked.").format(sessions=checked),
            accept="",
            width=520,
        )
        for note in found.notes or (tr("All was well."),):
            self.column.addWidget(Label(text.clean(note), wraps=True))
        self.column.addSpacing(theme().px(8))
        figures = (
            (tr("Cut off"), len(found.unclean)),
            (tr("From a backup"), len(found.recovered)),
            (tr("Put aside"), len(found.quarantined)),
            (tr("End lost"), len(found.truncated)),
            (tr("Left the list"), len(found.orphaned_entries)),
            (tr("Came to the list"), len(found.orphaned_files)),
            (tr("Open to others"), found.wrong_permissions),
        )
        facts = [Fact(name, text.count(number)) for name, number in figures if number]
        if found.index_backup:
            facts.append(Fact(tr("Former list"), tr("kept as a backup")))
        self.facts = Facts()
        self.facts.set(facts)
        self.facts.setVisible(bool(facts))
        self.column.addWidget(self.facts)
        self.words = " ".join(label.text() for label in self.findChildren(Label))
        self.setAccessibleDescription(self.words)
