"""The detail pane: facts, usage, files, to-dos, subagents, notes and tags of one session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from holdfast_core import clock
from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.session import FileTouched, Problem, SessionEntry
from holdfast_core.model.vault import Version
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.reasons import problem_words
from holdfast_gui.models.vault import is_lost
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import DETAIL_WIDTH
from holdfast_gui.views.controls import Line, Pane
from holdfast_gui.views.detail_parts import Fact, Facts, FileRow, Section, SubagentRow, TodoRow
from holdfast_gui.views.said import NoteField, TagsField

_ENDLESS: Final = 16_777_215
_VERSIONS_AT: Final = 2  # below what the session is and how it is kept


class DetailPane(Pane):
    """Shows what is known of a session; what the person says of it is emitted with its id.

    `note_edited` is (note, id), `tags_edited` is (tags, id): an edit that is
    still open when another session is shown belongs to the one before.
    """

    note_edited = Signal(str, str)
    tags_edited = Signal(list, str)
    subagent_clicked = Signal(str)
    file_clicked = Signal(str)

    def __init__(self, *, home: str | None = None) -> None:
        from holdfast_gui.views.held_section import HeldSection  # the window is painted before
        from holdfast_gui.views.vault_section import VaultSection

        super().__init__("bg1")
        self.home = str(Path.home()) if home is None else home
        self._entry: SessionEntry | None = None
        self._is_alone = False
        self.facts = Facts()
        self.held = HeldSection()
        self.vault = VaultSection()
        self.usage = Facts()
        self.files = Section(self.tr("Files touched"))
        self.todos = Section(self.tr("To-dos"))
        self.subagents = Section(self.tr("Subagents"))
        self.problems = Section(self.tr("Problems"))
        self.note = NoteField()
        self.tags = TagsField()
        self.note.edited.connect(self._on_note)
        self.tags.edited.connect(self._on_tags)
        self._arrange()
        self.setAccessibleName(self.tr("Details"))
        self.set_entry(None, "")

    def set_entry(
        self,
        entry: SessionEntry | None,
        resume_text: str,
        *,
        agent: AgentInfo | None = None,
        now: datetime | None = None,
    ) -> None:
        """Show a session and the command that resumes it, or nothing."""
        self.note.flush()
        is_same = entry is not None and self._entry is not None and entry.id == self._entry.id
        self._entry = entry
        self._inner.setVisible(entry is not None)
        if entry is None:
            return
        self._show_facts(entry, resume_text, agent, now or clock.now())
        self.held.show_for(entry.id)
        self.vault.show_for(entry.id)
        self.files.set_items(entry.files_touched, self._file_row)
        self.todos.set_items(entry.todos, TodoRow, shown=12)
        self.note.set_note(entry.note, is_same=is_same)
        self.tags.set_tags(entry.tags)
        if not is_same:
            self.subagents.set_items((), self._subagent_row)
            self.problems.set_items((), _problem_row)
            self._area.verticalScrollBar().setValue(0)
        self._order_focus()

    def set_subagents(self, entries: Sequence[SessionEntry]) -> None:
        """Show the sessions that this one started."""
        self.subagents.set_items(entries, self._subagent_row)
        self._order_focus()

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Show what could not be read of this session."""
        self.problems.set_items(problems, _problem_row)

    def show_held(self) -> None:
        """Take what was given to ``held`` into the order of the focus."""
        self._order_focus()

    def set_versions(self, entry: SessionEntry, versions: Sequence[Version], now: datetime, *, read: int = 0) -> None:
        """Show the versions of the session; above all else where its source has lost something."""
        self.vault.set_versions(entry, versions, now, read=read)
        is_first = is_lost(entry)
        if is_first != (self._column.indexOf(self.vault) == 0):
            self._column.insertWidget(0 if is_first else _VERSIONS_AT, self.vault)
        self._order_focus()

    def _arrange(self) -> None:
        self._inner = QWidget()
        column = self._column = QVBoxLayout(self._inner)
        column.setContentsMargins(theme().margins(16, 15, 16, 16))
        column.setSpacing(theme().px(15))
        for section in self._sections():
            column.addWidget(section)
        column.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        self._area.setWidget(self._inner)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        edge = Line()
        edge.setFixedSize(1, _ENDLESS)
        edge.setMinimumHeight(0)
        row.addWidget(edge)
        row.addWidget(self._area, 1)
        self.setFixedWidth(theme().px(DETAIL_WIDTH))

    def set_alone(self, is_alone: bool) -> None:
        """Take all the room there is, as nothing stands beside it."""
        if is_alone != self._is_alone:
            self._is_alone = is_alone
            self.setMaximumWidth(_ENDLESS if is_alone else self.minimumWidth())

    @property
    def first_stop(self) -> QWidget:
        """The widget after which the focus goes through the pane."""
        return self.facts.first_value

    def _order_focus(self) -> None:
        rows = [*self.files.rows(), *self.subagents.rows()]
        said = [self.note, *self.tags.chips(), self.tags.add_button, self.tags.field]
        versions = self.vault.stops
        is_first = self._column.indexOf(self.vault) == 0
        stops: list[QWidget] = [
            *(versions if is_first else ()),
            self.first_stop,
            *self.facts.stops(),
            *self.held.stops,
            *(() if is_first else versions),
            *self.usage.stops(),
            *rows,
            *said,
        ]
        for one, next_one in pairwise(stops):
            QWidget.setTabOrder(one, next_one)

    def _sections(self) -> list[QWidget]:
        self._usage_section = Section(self.tr("Usage"), [self.usage])
        return [
            Section(self.tr("Session"), [self.facts]),
            self.held,
            self.vault,
            self._usage_section,
            self.files,
            self.todos,
            self.subagents,
            self.problems,
            Section(self.tr("Notes"), [self.note]),
            Section(self.tr("Tags"), [self.tags]),
        ]

    def _show_facts(self, entry: SessionEntry, resume_text: str, agent: AgentInfo | None, now: datetime) -> None:
        name = agent.name if agent else entry.agent
        self.facts.set(
            [
                Fact(self.tr("Agent"), f"{name} {entry.agent_version}".strip()),
                Fact(self.tr("Model"), text.model(entry.model), text.one_line(entry.model)),
                Fact(self.tr("Folder"), text.home_path(entry.project_path, self.home)),
                Fact(self.tr("Branch"), text.one_line(entry.branch)),
                Fact(self.tr("Started"), text.when(entry.created_ms, now) if entry.created_ms else ""),
                Fact(self.tr("Size"), text.size(entry.size_bytes) if entry.size_bytes else ""),
                Fact(self.tr("Source"), text.home_path(entry.source_path, self.home)),
                Fact(self.tr("Resume"), text.one_line(resume_text, limit=4000)),
            ]
        )
        usage = entry.usage
        self.usage.set(
            [
                Fact(self.tr("Input"), text.count(usage.input_tokens) if usage.total_tokens else ""),
                Fact(self.tr("Cached"), text.count(usage.cache_read_tokens) if usage.cache_read_tokens else ""),
                Fact(self.tr("Written"), text.count(usage.cache_write_tokens) if usage.cache_write_tokens else ""),
                Fact(self.tr("Output"), text.count(usage.output_tokens) if usage.total_tokens else ""),
                Fact(self.tr("Cost"), text.cost(entry.cost_usd) if entry.cost_usd is not None else ""),
            ]
        )
        self._usage_section.setVisible(bool(usage.total_tokens or entry.cost_usd))

    def _file_row(self, touched: FileTouched) -> QWidget:
        row = FileRow(touched, self._entry.project_path if self._entry else "")
        row.clicked.connect(lambda: self.file_clicked.emit(touched.path))
        return row

    def _subagent_row(self, entry: SessionEntry) -> QWidget:
        row = SubagentRow(entry)
        row.clicked.connect(lambda: self.subagent_clicked.emit(entry.id))
        return row

    def _on_note(self, note: str) -> None:
        if self._entry:
            self.note_edited.emit(note, self._entry.id)

    def _on_tags(self, tags: list[str]) -> None:
        if self._entry:
            self.tags_edited.emit(tags, self._entry.id)


def _problem_row(problem: Problem) -> QWidget:
    facts = Facts()
    where = text.tr("Line {number}").format(number=text.count(problem.line)) if problem.line else text.tr("Source")
    facts.set([Fact(where, problem_words(problem.reason))])
    return facts
