"""The head over a session: its title, its facts in one line, Export and Resume."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from holdfast_core import clock
from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.session import SessionEntry
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import HEAD_HEIGHT
from holdfast_gui.views.controls import Button, ElidedLabel, IconButton, Line, Pane

_GAP: Final = 13
_NARROW: Final = 600


class SessionHead(Pane):
    """Shows which session is open; emits what is to be done with it."""

    resume_clicked = Signal()
    export_clicked = Signal()

    def __init__(self) -> None:
        super().__init__("bg2")
        self._title = ElidedLabel(font="title")
        self._facts = FactsLine()
        self.back_button = IconButton("chevron-left", self.tr("Back to the list"), side=30)
        self.back_button.hide()
        self.detail_button = IconButton("sidebar-right", self.tr("Show the details"), side=30)
        self.detail_button.hide()
        self.export_button = Button(self.tr("Export"), icon="export")
        self.resume_button = Button(self.tr("Resume"), kind="primary", icon="play", trailing="enter")
        self.export_button.clicked.connect(self.export_clicked)
        self.resume_button.clicked.connect(self.resume_clicked)
        self._arrange()
        self.set_entry(None, None)

    @property
    def title(self) -> str:
        """The whole title."""
        return self._title.text()

    @property
    def facts(self) -> str:
        """The line under the title."""
        return self._facts.words

    def set_entry(
        self, entry: SessionEntry | None, agent: AgentInfo | None, *, now: datetime | None = None, gone: str = ""
    ) -> None:
        """Show a session, or nothing; ``gone`` says why one that was there cannot be used any more."""
        self._title.setText(text.title(entry.title) if entry else "")
        self._facts.set(_facts(entry, agent, now or clock.now()) if entry else [])
        why = gone or (self._why_not(entry, agent) if entry else "")
        self.resume_button.setEnabled(entry is not None and not why)
        self.export_button.setEnabled(entry is not None and not gone)
        self.resume_button.setToolTip(text.tooltip(why))
        self.resume_button.setAccessibleDescription(why)
        self.setAccessibleName(self._title.text())
        self.setAccessibleDescription(self._facts.words)

    def _why_not(self, entry: SessionEntry, agent: AgentInfo | None) -> str:
        """Return why a session cannot be resumed, empty if it can."""
        if entry.state == "live":
            return self.tr("This session is live already")
        return self.tr("This agent has no way to continue a session") if agent and not agent.can_resume else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: without room the title comes before the words of Export."""
        super().resizeEvent(event)
        self.export_button.set_compact(self.width() < theme().px(_NARROW))

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(theme().px(2))
        words.addWidget(self._title)
        words.addWidget(self._facts)
        row = QHBoxLayout()
        row.setContentsMargins(theme().margins(24, 13, 24, 10))
        row.setSpacing(theme().px(8))
        row.addWidget(self.back_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addSpacing(theme().px(4))
        row.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.resume_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.detail_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row, 1)
        column.addWidget(Line())
        self.setFixedHeight(theme().px(HEAD_HEIGHT))


class FactsLine(QWidget):
    """Short facts in a row; those without room are left out from the end."""

    def __init__(self) -> None:
        super().__init__()
        self._facts: list[tuple[str, QColor | None]] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """All facts, also those without room."""
        return " · ".join(words for words, _ in self._facts)

    def set(self, facts: list[tuple[str, QColor | None]]) -> None:
        """Show facts, each with its colour or None for the usual one."""
        self._facts = facts
        self.setToolTip(text.tooltip(self.words))
        self.update()

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(120, theme().line("small"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        painter = QPainter(self)
        left = 0
        for number, (words, colour) in enumerate(self._facts):
            room = self.width() - left
            metrics = QFontMetrics(look.font("small_strong" if colour else "small"))
            width = metrics.horizontalAdvance(words)
            if number and width > room:
                break
            painter.setFont(look.font("small_strong" if colour else "small"))
            painter.setPen(colour or look.tokens.text2)
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(left, metrics.ascent() + (self.height() - metrics.height()) // 2, shown)
            left += width + look.px(_GAP)
        painter.end()


def _facts(entry: SessionEntry, agent: AgentInfo | None, now: datetime) -> list[tuple[str, QColor | None]]:
    name = text.one_line(agent.name if agent else entry.agent)
    facts: list[tuple[str, QColor | None]] = [(name, theme().agent_ink(agent.hue) if agent else None)]
    facts += [(text.project_name(entry.project_path), None), (text.one_line(entry.branch, limit=60), None)]
    facts.append((text.span(entry.created_ms, entry.updated_ms, now), None))
    if entry.message_count or not entry.opaque:
        facts.append((text.counted(entry.message_count, "message", "messages"), None))
    if entry.usage.total_tokens:
        facts.append((f"{text.tokens(entry.usage.total_tokens)} tokens", None))
    if entry.cost_usd is not None:
        facts.append((text.cost(entry.cost_usd), None))
    return [fact for fact in facts if fact[0]]
