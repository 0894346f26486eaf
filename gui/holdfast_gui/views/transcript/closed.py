"""What stands in a transcript's place where its agent keeps the words closed: what is known of it, and the way back."""

from __future__ import annotations

from datetime import datetime

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.session import SessionEntry
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import ElidedLabel, Label
from holdfast_gui.views.empty import Picture
from holdfast_gui.views.plots import Card

_WIDTH = 460


class ClosedPanel(QWidget):
    """Says of one session that only its agent can show it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentence = _centred(Label(font="bold", wraps=True))
        self._why = _centred(Label(font="small", colour="text2", wraps=True))
        self._facts: list[ElidedLabel] = []
        self._cells: list[QWidget] = []
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        self._grid.setHorizontalSpacing(theme().px(20))
        self._grid.setVerticalSpacing(theme().px(6))
        self._way = Label(font="small", wraps=True)
        self._way.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._known = Card(self.tr("What is known of it"))
        self._known.rows.addLayout(self._grid)
        self._back = Card(self.tr("To go on with it"))
        self._back.rows.addWidget(self._way)
        self._lay_out()

    @property
    def words(self) -> str:
        """Everything the panel says."""
        facts = [label.text() for label in self._facts]
        return " ".join([self._sentence.text(), self._why.text(), *facts, self._way.text()])

    def set_entry(self, entry: SessionEntry, agent: AgentInfo, *, now: datetime, home: str = "") -> None:
        """Show what is known of a session; how it is taken up again comes by `set_way`."""
        name = text.one_line(agent.name)
        self._sentence.setText(self.tr("{agent} keeps this conversation closed").format(agent=name))
        why = self.tr("It is stored in a form that only {agent} can read.\nIt is not empty.")
        if entry.opaque == "encrypted":
            why = self.tr("Its words are encrypted: only {agent} can show them.\nIt is not empty.")
        self._why.setText(why.format(agent=name))
        self._set_facts(
            [
                (self.tr("Last changed"), text.when(entry.updated_ms, now)),
                (self.tr("Begun"), text.when(entry.created_ms, now) if entry.created_ms != entry.updated_ms else ""),
                (self.tr("Project"), text.one_line(text.home_path(entry.project_path, home))),
                (self.tr("Size"), text.size(entry.size_bytes)),
                (self.tr("File"), text.one_line(text.home_path(entry.source_path, home))),
            ]
        )
        self.set_way("")
        self.setAccessibleName(self._sentence.text())

    def set_way(self, words: str) -> None:
        """Say how the session is continued: a command, or where."""
        self._way.setText(text.clean(words))
        self._back.setVisible(bool(words))
        self.setAccessibleDescription(self.words)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme().tokens.bg2)
        painter.end()

    def _set_facts(self, facts: list[tuple[str, str]]) -> None:
        while self._cells:
            gone = self._cells.pop()
            gone.hide()
            gone.deleteLater()
        self._facts = []
        for row, (name, value) in enumerate((name, value) for name, value in facts if value):
            label = ElidedLabel(value, font="small", mode=Qt.TextElideMode.ElideMiddle)
            named = Label(name, font="small", colour="text3")
            self._grid.addWidget(named, row, 0)
            self._grid.addWidget(label, row, 1)
            self._facts.append(label)
            self._cells += [named, label]

    def _lay_out(self) -> None:
        px = theme().px
        column = QVBoxLayout()
        column.setSpacing(px(6))
        column.addStretch(1)
        column.addWidget(Picture("lock"), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(px(6))
        column.addWidget(self._sentence)
        column.addWidget(self._why)
        column.addSpacing(px(14))
        column.addWidget(self._known)
        column.addSpacing(px(4))
        column.addWidget(self._back)
        column.addStretch(2)
        middle = QWidget()
        middle.setLayout(column)
        middle.setMaximumWidth(px(_WIDTH))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(24, 24, 24, 24))
        row.addStretch(1)
        row.addWidget(middle, 100)
        row.addStretch(1)


def _centred(label: Label) -> Label:
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    return label
