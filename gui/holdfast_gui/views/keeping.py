"""What is kept of agents' sessions, and how much that takes: one switch for all, others for what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from holdfast_core.model.places import Count
from holdfast_core.model.vault import VaultEstimate
from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, ElidedLabel, Label
from holdfast_gui.views.plots import paint_card
from holdfast_gui.views.switch import Switch

PROJECTS: Final = 6
SUBAGENTS: Final = "kind:subagent"


class KeepingCard(QWidget):
    """``changed`` tells that a switch was moved; ``is_on`` and ``left_out`` say what counts then."""

    changed = Signal()
    settings_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.is_on = True
        self.can_change = True
        self.left_out: tuple[str, ...] = ()
        self._estimate: VaultEstimate | None = None
        self.switch = Switch(self.tr("Keep every version"))
        self.switch.clicked.connect(self._switch)
        self._amount = Label(font="small", colour="text2", wraps=True)
        self.subagents = _Row(self.tr("Subagents"), self.tr("sessions that other sessions start"))
        self.subagents.switch.clicked.connect(lambda: self._take(self.subagents, SUBAGENTS))
        self.projects_button = Button(self.tr("Leave out projects…"), kind="flat")
        self.projects_button.clicked.connect(self._fold)
        self.settings_button = Button(self.tr("More settings…"), kind="flat")
        self.settings_button.clicked.connect(self.settings_wanted)
        self.projects: list[_Row] = []
        self._projects = QVBoxLayout()
        self._projects.setSpacing(0)
        self._hint = Label(
            self.tr(
                "What you switch off is not kept, and what was kept of it since the start is removed again. "
                "It can be changed at any time."
            ),
            font="caption",
            colour="text3",
            wraps=True,
        )
        self._arrange()
        self._dress()

    @property
    def words(self) -> str:
        """How much keeping takes, in words."""
        return self._amount.text()

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Everything that can have the keyboard, from the top."""
        rows = (row.switch for row in (self.subagents, *self.projects))
        return (self.switch, *rows, self.projects_button, self.settings_button)

    def set_kept(self, *, is_on: bool, left_out: Sequence[str], can_change: bool) -> None:
        """Show what counts; tells nobody."""
        self.is_on, self.left_out, self.can_change = is_on, tuple(left_out), can_change
        self._dress()

    def set_estimate(self, estimate: VaultEstimate) -> None:
        """Say how much it takes."""
        self._estimate = estimate
        self._dress()

    def set_projects(self, projects: Sequence[Count]) -> None:
        """Offer the largest of these to be left out, and those that are already."""
        shown = [one for one in projects if one.value][:PROJECTS]
        if [one.value for one in shown] != [row.key for row in self.projects]:
            is_open = any(row.isVisible() for row in self.projects)
            for row in self.projects:
                self._projects.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.projects = [_project_row(one) for one in shown]
            for row in self.projects:
                row.switch.clicked.connect(lambda _=False, made=row: self._take(made, f"project:{made.key}"))
                row.setVisible(is_open)
                self._projects.addWidget(row)
        self._dress()

    def leave_out(self, what: str, *, is_out: bool) -> None:
        """Leave something out, or not any more."""
        others = [one for one in self.left_out if one != what]
        self.left_out = (*others, what) if is_out else tuple(others)
        self._dress()
        self.changed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        paint_card(painter, self.rect())
        painter.end()

    def _take(self, row: _Row, what: str) -> None:
        self.leave_out(what, is_out=not row.switch.isChecked())

    def _switch(self) -> None:
        self.is_on = self.switch.isChecked()
        self._dress()
        self.changed.emit()

    def _fold(self) -> None:
        is_open = not any(row.isVisible() for row in self.projects)
        for row in self.projects:
            row.setVisible(is_open)
        if is_open and self.projects:
            self.projects[0].switch.setFocus()

    def _dress(self) -> None:
        self.switch.setChecked(self.is_on)
        self.switch.setEnabled(self.can_change)
        self.subagents.switch.setChecked(SUBAGENTS not in self.left_out)
        for row in self.projects:
            row.switch.setChecked(f"project:{row.key}" not in self.left_out)
        for row in (self.subagents, *self.projects):
            row.switch.setEnabled(self.is_on and self.can_change)
        self.projects_button.setVisible(bool(self.projects))
        self.projects_button.setEnabled(self.is_on and self.can_change)
        words, colour = self._amount_words()
        self._amount.setText(words)
        self._amount.set_colour(colour)
        self.switch.setAccessibleDescription(words)

    def _amount_words(self) -> tuple[str, str]:
        """Return what keeping takes, and the colour of that."""
        if not self.is_on:
            return self.tr("Nothing is kept: what an agent deletes or cuts is gone for good."), "wait"
        if self._estimate is None:
            return self.tr("Looking how much that takes …"), "text2"
        whole = self._estimate.source_bytes
        if not whole:
            return self.tr(
                "No agent can lose a session any more: what they write is kept from the first line."
            ), "text2"
        kept = sum(size for agent, size in self._estimate.by_agent.items() if f"agent:{agent}" not in self.left_out)
        takes = self._estimate.estimated_bytes * kept // whole
        free = text.size(self._estimate.free_bytes)
        words = self.tr("No agent can lose a session any more. Takes about {takes} for {size}; {free} are free.")
        words = words.format(takes=text.size(takes), size=text.size(kept), free=free)
        if any(not one.startswith("agent:") for one in self.left_out):
            words = self.tr("{words} What else is left out takes nothing.").format(words=words)
        if takes > self._estimate.free_bytes:
            return self.tr("{words} That is too little: what does not fit is not kept.").format(words=words), "wait"
        return words, "text2"

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(theme().px(1))
        words.addWidget(Label(self.tr("Keep every version"), font="strong", wraps=True))
        words.addWidget(self._amount)
        head = QHBoxLayout()
        head.setSpacing(theme().px(12))
        head.addLayout(words, 1)
        head.addWidget(self.switch)
        tools = QHBoxLayout()
        tools.setSpacing(theme().px(4))
        tools.addWidget(self.projects_button)
        tools.addWidget(self.settings_button)
        tools.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(14, 10, 10, 10))
        column.setSpacing(theme().px(4))
        column.addLayout(head)
        column.addWidget(self.subagents)
        column.addLayout(self._projects)
        column.addLayout(tools)
        column.addWidget(self._hint)


class _Row(QWidget):
    """Something that can be left out: its name, what it is, a switch."""

    def __init__(self, name: str, about: str, key: str = "") -> None:
        super().__init__()
        self.key = key
        self.switch = Switch(f"{name}, {about}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme().px(8))
        name_label, about_label = Label(name), ElidedLabel(about, font="small", colour="text3")
        name_label.setMaximumWidth(theme().px(260))
        row.addWidget(name_label)
        row.addWidget(about_label, 1)
        row.addWidget(self.switch)


def _project_row(project: Count) -> _Row:
    sessions = text.counted(project.sessions, "session", "sessions")
    return _Row(text.project_name(project.value), sessions, project.value)
