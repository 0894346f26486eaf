"""All that the check at the start found in the sessions kept here, and did about it."""

from __future__ import annotations

from holdfast_core.model.keeping import StartSummary
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from holdfast_gui import text
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
            title=_translate("What the check at the start found"),
            message=_translate("{sessions} checked.").format(sessions=checked),
            accept="",
            width=520,
        )
        for note in found.notes or (_translate("All was well."),):
            self.column.addWidget(Label(text.clean(note), wraps=True))
        self.column.addSpacing(theme().px(8))
        figures = (
            ("Cut off", len(found.unclean)),
            ("From a backup", len(found.recovered)),
            ("Put aside", len(found.quarantined)),
            ("End lost", len(found.truncated)),
            ("Left the list", len(found.orphaned_entries)),
            ("Came to the list", len(found.orphaned_files)),
            ("Open to others", found.wrong_permissions),
        )
        facts = [Fact(_translate(name), text.count(number)) for name, number in figures if number]
        if found.index_backup:
            facts.append(Fact(_translate("Former list"), _translate("kept as a backup")))
        self.facts = Facts()
        self.facts.set(facts)
        self.facts.setVisible(bool(facts))
        self.column.addWidget(self.facts)
        self.words = " ".join(label.text() for label in self.findChildren(Label))
        self.setAccessibleDescription(self.words)


def _translate(words: str) -> str:
    return QCoreApplication.translate("SummarySheet", words)
