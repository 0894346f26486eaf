"""The first page a person sees: which agents are here, how much of them has been read, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.changes import ScanProgress
from holdfast_core.model.places import Count
from holdfast_core.model.vault import VaultEstimate
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import MARK, paint_icon
from holdfast_gui.theme.tokens import RADIUS_CARD
from holdfast_gui.views.controls import Button, Label, Pane
from holdfast_gui.views.keeping import KeepingCard
from holdfast_gui.views.marks import paint_avatar
from holdfast_gui.views.switch import Switch

_LEAST = 120
_ROWS = 6


class FirstRunPage(Pane):
    """Lists the agents of this machine while their sessions are read, and lets the person say what is kept of them.

    ``keeping_changed`` tells whether anything is kept, and what is left out, as soon as a switch is moved;
    ``looked_at`` that the page comes into sight.
    """

    done_pressed = Signal()
    keeping_changed = Signal(bool, tuple)
    settings_wanted = Signal()
    looked_at = Signal()

    def __init__(self) -> None:
        super().__init__("bg2")
        self._rows: list[AgentRow] = []
        self._headline = Label(font="title", wraps=True)
        self._promise = Label(
            self.tr("Holdfast reads their sessions where they are and writes nothing there."),
            colour="text2",
            wraps=True,
        )
        self._kept = Label(self.tr("kept"), font="caption", colour="text3")
        self._kept.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._kept.setContentsMargins(0, 0, theme().px(18), 0)
        self._agents = QVBoxLayout()
        self._agents.setSpacing(theme().px(6))
        self._missing = Label(font="small", colour="text3", wraps=True)
        self.keeping = KeepingCard()
        self.keeping.changed.connect(self._tell)
        self.keeping.settings_wanted.connect(self.settings_wanted)
        self._progress = _ProgressLine()
        self.done_button = Button(self.tr("Show the sessions"), kind="primary")
        self.done_button.clicked.connect(self.done_pressed)
        self._hint = Label(
            self.tr("Start one of them in a project: what it writes appears here by itself."),
            colour="text2",
            wraps=True,
        )
        self._arrange()
        self._progress.hide()
        self.done_button.hide()
        self.keeping.hide()
        self.set_agents((), home="")

    @property
    def words(self) -> str:
        """The headline."""
        return self._headline.text()

    @property
    def progress_words(self) -> str:
        """How far the scan is, in words."""
        return self._progress.words

    @property
    def missing_words(self) -> str:
        """The line that names the agents that are not on this machine; empty if all are."""
        return self._missing.text()

    def agent_rows(self) -> list[AgentRow]:
        """Return the rows of agents, from the top."""
        return list(self._rows)

    def set_agents(self, agents: Sequence[AgentInfo], *, home: str) -> None:
        """Show the agents that are here, those with most sessions first, and name the others in one line.

        ``home`` is shown as ``~``.
        """
        ordered = sorted(agents, key=lambda agent: (-agent.sessions, agent.name.casefold()))
        here = [agent for agent in ordered if agent.sessions or agent.installed]
        missing = [text.one_line(agent.name) for agent in ordered if not (agent.sessions or agent.installed)]
        with_sessions = sum(agent.sessions > 0 for agent in here)
        rows = here[: max(_ROWS, with_sessions)]
        idle = [text.one_line(agent.name) for agent in here[len(rows) :]]
        lines = [(self.tr("Here too, without sessions yet"), idle), (self.tr("Not on this machine"), missing)]
        self._missing.setText("\n".join(f"{words}: {', '.join(names)}" for words, names in lines if names))
        self._missing.setVisible(bool(idle or missing))
        self._set_rows(rows, home)
        self._offer_sessions(any(agent.sessions for agent in agents))
        if here:
            self._headline.setText(text.counted(len(here), "agent is on this machine", "agents are on this machine"))
        else:
            self._headline.setText(self.tr("No coding agent was found on this machine"))
        self.setAccessibleName(self._headline.text())

    def set_kept(self, *, is_on: bool, left_out: Sequence[str], can_change: bool = True) -> None:
        """Show what the settings say; ``can_change`` is False where something above the settings file decides."""
        self.keeping.set_kept(is_on=is_on, left_out=left_out, can_change=can_change)
        self._dress_rows()

    def set_projects(self, projects: Sequence[Count]) -> None:
        """Offer these projects to be left out, those with most sessions first."""
        self.keeping.set_projects(projects)
        self._order_focus()

    def set_estimate(self, estimate: VaultEstimate) -> None:
        """Say how much keeping will take."""
        self.keeping.set_estimate(estimate)

    def set_progress(self, progress: ScanProgress) -> None:
        """Say how much has been read."""
        self._progress.set(progress)
        self._progress.show()
        self._offer_sessions(progress.sources_total > 0)

    def showEvent(self, event: QShowEvent) -> None:
        """See Qt."""
        super().showEvent(event)
        self.looked_at.emit()

    def _set_rows(self, here: Sequence[AgentInfo], home: str) -> None:
        """Show these agents; a row that stays keeps the keyboard."""
        while len(self._rows) > len(here):
            gone = self._rows.pop()
            self._agents.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for number, agent in enumerate(here):
            if number == len(self._rows):
                row = AgentRow(agent, home)
                row.switch.clicked.connect(lambda _=False, made=row: self._leave_out(made))
                self._rows.append(row)
                self._agents.addWidget(row)
            else:
                self._rows[number].set_agent(agent, home)
        self.keeping.setVisible(bool(here))
        self._kept.setVisible(bool(here))
        self._dress_rows()
        self._order_focus()

    def _order_focus(self) -> None:
        """Let Tab go as the eye does."""
        stops = [*(row.switch for row in self._rows), *self.keeping.stops, self.done_button]
        for one, next_one in pairwise(stops):
            QWidget.setTabOrder(one, next_one)

    def _dress_rows(self) -> None:
        for row in self._rows:
            row.set_kept(
                is_kept=f"agent:{row.agent}" not in self.keeping.left_out,
                is_offered=self.keeping.is_on and self.keeping.can_change,
            )

    def _leave_out(self, row: AgentRow) -> None:
        self.keeping.leave_out(f"agent:{row.agent}", is_out=not row.switch.isChecked())

    def _tell(self) -> None:
        self._dress_rows()
        self.keeping_changed.emit(self.keeping.is_on, self.keeping.left_out)

    def _offer_sessions(self, are_there: bool) -> None:
        if are_there:
            self.done_button.show()
            self._hint.hide()

    def _arrange(self) -> None:
        inner = Pane("bg2")
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme().margins(32, 32, 32, 24))
        column.setSpacing(theme().px(6))
        column.addWidget(_Mark())
        column.addSpacing(theme().px(4))
        column.addWidget(self._headline)
        column.addWidget(self._promise)
        column.addWidget(self._kept)
        column.addLayout(self._agents)
        column.addWidget(self._missing)
        column.addSpacing(theme().px(4))
        column.addWidget(self.keeping)
        column.addSpacing(theme().px(4))
        column.addWidget(self._hint)
        column.addWidget(self._progress)
        column.addSpacing(theme().px(8))
        column.addWidget(self.done_button)
        column.addStretch(1)
        inner.setMaximumWidth(theme().px(640))
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(inner, 8)
        row.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        area.setWidget(middle)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)


class AgentRow(QWidget):
    """One agent: its mark, its name, where its sessions are, how many, and whether they are kept."""

    def __init__(self, agent: AgentInfo, home: str) -> None:
        super().__init__()
        self.switch = Switch("")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(14, 0, 10, 0))
        row.addStretch(1)
        row.addWidget(self.switch)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_agent(agent, home)

    @property
    def agent(self) -> str:
        """The agent's id."""
        return self._agent.agent

    @property
    def words(self) -> str:
        """What the row says."""
        return f"{self._agent.name} · {self._where} · {self._outcome}"

    def set_agent(self, agent: AgentInfo, home: str) -> None:
        """Show an agent; ``home`` is shown as ``~``."""
        self._agent = agent
        self._where = ", ".join(text.home_path(root, home) for root in agent.roots)
        if agent.sessions:
            self._outcome = text.counted(agent.sessions, "session", "sessions")
        else:
            self._outcome = self.tr("no sessions yet")
        self.setAccessibleName(f"{agent.name}, {self._outcome}, {self._where}")
        self.setToolTip(text.tooltip("\n".join(agent.roots)))
        self.switch.setAccessibleName(self.tr("Keep the sessions of {agent}").format(agent=text.one_line(agent.name)))
        self.update()

    def set_kept(self, *, is_kept: bool, is_offered: bool) -> None:
        """Say whether its sessions are kept; not ``is_offered``, nobody can change that here."""
        self.switch.setChecked(is_kept)
        self.switch.setEnabled(is_offered)
        self.switch.setToolTip(text.tooltip(self.tr("Kept here") if is_kept else self.tr("Left out, not kept")))

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(320, theme().px(48))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        tokens = look.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(tokens.line)
        painter.setBrush(tokens.bg1)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS_CARD, RADIUS_CARD)
        side = look.px(26)
        paint_avatar(
            painter, QRect(look.px(14), (self.height() - side) // 2, side, side), self._agent.mark, self._agent.hue
        )
        painter.setFont(look.font("small"))
        width = painter.fontMetrics().horizontalAdvance(self._outcome)
        right = self.switch.x() - look.px(10)
        left, middle = side + look.px(28), self.height() // 2
        has_room = right - width - left >= look.px(_LEAST)
        if has_room:
            right -= width
            painter.setPen(tokens.text2)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRect(right, 0, width + 1, self.height()), flags, self._outcome)
        room, below = right - left - look.px(12), self._where if has_room else self._outcome
        _line(painter, QRect(left, middle - look.px(19), room, look.px(19)), self._agent.name, "strong", "text")
        _line(painter, QRect(left, middle, room, look.px(18)), below, "small", "text3" if has_room else "text2")
        painter.end()


class _Mark(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(40, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_icon(painter, MARK, self.rect(), theme().tokens.accent)
        painter.end()


class _ProgressLine(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.words = ""
        self.setFixedHeight(theme().px(28))
        self.setAccessibleName(self.tr("Progress"))

    def set(self, progress: ScanProgress) -> None:
        total = max(progress.sources_total, progress.sources_done)
        self._share = progress.sources_done / total if total else float(progress.is_done)
        done = f"{text.count(progress.sources_done)} {self.tr('of')} {text.count(total)} {self.tr('read')}"
        size = f" · {text.size(progress.bytes_done)}" if progress.bytes_total else ""
        self.words = self.tr("Everything has been read") if progress.is_done else done + size
        self.setAccessibleDescription(self.words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme().tokens
        painter = QPainter(self)
        painter.fillRect(QRect(0, 2, self.width(), 3), tokens.line)
        painter.fillRect(QRect(0, 2, round(self.width() * self._share), 3), tokens.accent)
        painter.setFont(theme().font("caption"))
        painter.setPen(tokens.text2)
        painter.drawText(QRect(0, 8, self.width(), self.height() - 8), Qt.AlignmentFlag.AlignVCenter, self.words)
        painter.end()


def _line(painter: QPainter, box: QRect, words: str, font: str, colour: str) -> None:
    look = theme()
    role = look.font("strong" if font == "strong" else "small")
    painter.setFont(role)
    painter.setPen(getattr(look.tokens, colour))
    shown = QFontMetrics(role).elidedText(text.one_line(words), Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
