"""The first page a person sees: which agents are here, where, and how much of them has been read."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.changes import ScanProgress
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import MARK, paint_icon
from holdfast_gui.theme.tokens import RADIUS_CARD
from holdfast_gui.views.controls import Button, Label, Pane
from holdfast_gui.views.marks import paint_avatar


class FirstRunPage(Pane):
    """Lists the agents of this machine while their sessions are read."""

    done_pressed = Signal()

    def __init__(self) -> None:
        super().__init__("bg2")
        self._rows: list[AgentRow] = []
        self._headline = Label(font="title", wraps=True)
        self._promise = Label(
            self.tr("Holdfast reads their sessions where they are and writes nothing there."),
            colour="text2",
            wraps=True,
        )
        self._agents = QVBoxLayout()
        self._agents.setSpacing(theme().px(8))
        self._missing = Label(font="small", colour="text3", wraps=True)
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
        for row in self._rows:
            self._agents.removeWidget(row)
            row.hide()
            row.deleteLater()
        ordered = sorted(agents, key=lambda agent: (-agent.sessions, agent.name.casefold()))
        here = [agent for agent in ordered if agent.sessions or agent.installed]
        missing = [text.one_line(agent.name) for agent in ordered if not (agent.sessions or agent.installed)]
        self._missing.setText(f"{self.tr('Not on this machine')}: {', '.join(missing)}" if missing else "")
        self._missing.setVisible(bool(missing))
        self._rows = [AgentRow(agent, home) for agent in here]
        for row in self._rows:
            self._agents.addWidget(row)
        self._offer_sessions(any(agent.sessions for agent in agents))
        if here:
            self._headline.setText(text.counted(len(here), "agent is on this machine", "agents are on this machine"))
        else:
            self._headline.setText(self.tr("No coding agent was found on this machine"))
        self.setAccessibleName(self._headline.text())

    def set_progress(self, progress: ScanProgress) -> None:
        """Say how much has been read."""
        self._progress.set(progress)
        self._progress.show()
        self._offer_sessions(progress.sources_total > 0)

    def _offer_sessions(self, are_there: bool) -> None:
        if are_there:
            self.done_button.show()
            self._hint.hide()

    def _arrange(self) -> None:
        inner = Pane("bg2")
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme().margins(32, 48, 32, 32))
        column.setSpacing(theme().px(6))
        column.addWidget(_Mark())
        column.addSpacing(theme().px(8))
        column.addWidget(self._headline)
        column.addWidget(self._promise)
        column.addSpacing(theme().px(12))
        column.addLayout(self._agents)
        column.addWidget(self._missing)
        column.addSpacing(theme().px(12))
        column.addWidget(self._hint)
        column.addWidget(self._progress)
        column.addSpacing(theme().px(12))
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
    """One agent: its mark, its name, where its sessions are, and how many."""

    def __init__(self, agent: AgentInfo, home: str) -> None:
        super().__init__()
        self._agent = agent
        self._where = ", ".join(text.home_path(root, home) for root in agent.roots)
        if agent.sessions:
            self._outcome = text.counted(agent.sessions, "session", "sessions")
        else:
            self._outcome = self.tr("no sessions yet")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{agent.name}, {self._outcome}, {self._where}")
        self.setToolTip(text.tooltip("\n".join(agent.roots)))

    @property
    def words(self) -> str:
        """What the row says."""
        return f"{self._agent.name} · {self._where} · {self._outcome}"

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(320, theme().px(54))

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
        painter.setPen(tokens.text2)
        right = self.width() - look.px(14) - width
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRect(right, 0, width + 1, self.height()), flags, self._outcome)
        left, room = side + look.px(28), right - side - look.px(40)
        middle = self.height() // 2
        _line(painter, QRect(left, middle - look.px(19), room, look.px(19)), self._agent.name, "strong", "text")
        _line(painter, QRect(left, middle, room, look.px(18)), self._where, "small", "text3")
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
