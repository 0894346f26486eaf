"""Which agents are here: where, how many sessions, how well they are understood, what each can do; and more homes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from holdfast_core.model.agent import AgentDrift, AgentInfo, Recognised
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.views.controls import Button, ElidedLabel, IconButton, Label
from holdfast_gui.views.marks import paint_avatar
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.plots import Card, Skeleton, paint_card

_KINDS = 6
_ROOTS = 4


class Found(NamedTuple):
    """One agent with what is known of its sources, and sentences of what is wrong: ``alarm``, ``drifts``."""

    info: AgentInfo
    drift: AgentDrift
    alarm: str = ""
    drifts: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether it has anything on this machine, or had."""
        return bool(self.info.sessions or self.info.installed or self.drift.sources or self.drift.alarm)


class HomeRow(NamedTuple):
    """A home in which agents are looked for beside the person's own."""

    path: str
    is_there: bool


class AgentsPage(PlacePage):
    """Tells what is wanted: the sessions of an agent, another home, one less.

    ``looked_at`` says True when the page comes into sight and False when it goes.
    """

    list_wanted = Signal(str)
    add_wanted = Signal()
    remove_wanted = Signal(str)
    looked_at = Signal(bool)

    def __init__(self) -> None:
        super().__init__(tr("Agents"))
        self.add_button = Button(self.tr("Add a home…"), icon="plus")
        self.add_button.setToolTip(self.tr("Look for agents in the home of another system or machine too"))
        self.add_button.clicked.connect(self.add_wanted)
        self.tools.addWidget(self.add_button)
        self.cards: list[AgentCard] = []
        self.homes = HomesCard()
        self.homes.remove_wanted.connect(self.remove_wanted)
        self.strangers = LinesCard(self.tr("Sessions where no agent was looked for"))
        self.missing = LinesCard(self.tr("Not on this machine"))
        self.is_failed = False
        self._shown: object = None
        self._skeleton = Skeleton()
        self._agents = QVBoxLayout()
        self._agents.setSpacing(theme().px(10))
        self.body.addWidget(self._skeleton)
        self.body.addLayout(self._agents)
        for card in (self.homes, self.strangers, self.missing):
            card.hide()
            self.body.addWidget(card)

    def set_agents(self, agents: Sequence[Found], *, home: str) -> None:
        """Show these agents, those with an alarm and most sessions first; ``home`` is shown as ``~``."""
        self._skeleton.hide()
        self.is_failed = False
        here = sorted((one for one in agents if one.is_here), key=_order)
        if not here:
            self.say(
                "terminal",
                self.tr("No agent was found on this machine"),
                self.tr("As soon as one of those that Holdfast knows has sessions in your home, it stands here."),
                self.tr("Add a home…"),
            )
        else:
            self.show_body()
        if (here, home) != self._shown:
            self._shown = here, home
            self._fill(here, home)
        others = [text.one_line(one.info.name) for one in agents if not one.is_here]
        self.missing.set_lines([", ".join(others)] if others else [])

    def set_homes(self, homes: Sequence[HomeRow], *, can_change: bool) -> None:
        """Show the other homes; ``can_change`` is False where something above the settings file names them."""
        self.add_button.setEnabled(can_change)
        self.homes.set_homes(homes, can_change=can_change)

    def set_strangers(self, found: Sequence[Recognised], *, names: Mapping[str, str], home: str) -> None:
        """Show what looks like sessions of an agent and lies where none is looked for; ``names`` are the agents'."""
        lines = []
        for one in found:
            whose = self.tr(" or ").join(names.get(agent, agent) for agent in one.agents)
            files = text.counted(one.files, "file", "files")
            lines.append(
                self.tr("{place}: looks like {agent}, {files}").format(
                    place=text.one_line(text.home_path(one.path, home)), files=files, agent=text.one_line(whose)
                )
            )
        self.strangers.set_lines(lines)

    def fail(self, words: str) -> None:
        """Say that nothing could be read; what is shown stays."""
        self.is_failed = self._shown is None
        if self.is_failed:
            self.say("problem", self.tr("The agents cannot be read"), words, self.tr("Try again"))

    def showEvent(self, event: QShowEvent) -> None:
        """See Qt."""
        self.looked_at.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """See Qt."""
        self.looked_at.emit(False)

    def _fill(self, here: Sequence[Found], home: str) -> None:
        focused = next((card.agent for card in self.cards if card.button.hasFocus()), "")
        for card in self.cards:
            self._agents.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = [AgentCard(one, home) for one in here]
        for card in self.cards:
            card.wanted.connect(self.list_wanted)
            self._agents.addWidget(card)
            if card.agent == focused:
                card.button.setFocus(Qt.FocusReason.OtherFocusReason)


class AgentCard(QWidget):
    """One agent; its button leads to its sessions."""

    wanted = Signal(str)

    def __init__(self, found: Found, home: str) -> None:
        super().__init__()
        info = found.info
        self.agent = info.agent
        self._mark, self._hue = info.mark, info.hue
        self.button = Button(self.tr("Show sessions"))
        self.button.setAccessibleName(f"{self.tr('Show sessions')}: {text.one_line(info.name)}")
        self.button.setVisible(bool(info.sessions))
        self.button.clicked.connect(lambda: self.wanted.emit(self.agent))
        roots = [text.home_path(root, home) for root in info.roots[:_ROOTS]]
        roots += ["…"] * (len(info.roots) > _ROOTS)
        where = ElidedLabel(text.one_line(", ".join(roots)), font="small", colour="text3")
        where.setToolTip(text.tooltip("\n".join(info.roots)))
        self._lines = [
            ElidedLabel(text.title(info.name), font="bold"),
            Label(_counts(found), font="small", wraps=True),
            *([Label(text.clean(found.alarm), font="small", colour="bad", wraps=True)] if found.alarm else []),
            *(Label(text.clean(words), font="small", colour="wait", wraps=True) for words in _drifts(found)),
            Label(_abilities(info), font="small", colour="text2", wraps=True),
            where,
        ]
        words = QVBoxLayout()
        words.setSpacing(theme().px(2))
        for line in self._lines:
            words.addWidget(line)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(56, 12, 16, 14))
        row.setSpacing(theme().px(12))
        row.addLayout(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(text.one_line(info.name))
        self.setAccessibleDescription(self.words)

    @property
    def words(self) -> str:
        """Everything the card says."""
        return ". ".join(line.text().rstrip(".") for line in self._lines)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        px = theme().px
        painter = QPainter(self)
        paint_card(painter, self.rect())
        paint_avatar(painter, QRect(px(16), px(14), px(26), px(26)), self._mark, self._hue)
        painter.end()


class LinesCard(Card):
    """A heading over lines of plain text; hidden where there is none."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.words: tuple[str, ...] = ()
        self._labels: list[Label] = []

    def set_lines(self, lines: Sequence[str]) -> None:
        """Show these lines."""
        if tuple(lines) != self.words:
            self.words = tuple(lines)
            while self._labels:
                gone = self._labels.pop()
                gone.hide()
                gone.deleteLater()
            for line in lines:
                label = Label(line, font="small", wraps=True)
                self._labels.append(label)
                self.rows.addWidget(label)
            self.setAccessibleDescription(" ".join(lines))
        self.setVisible(bool(lines))


class HomesCard(Card):
    """The other homes, each with its way out; hidden where there is none."""

    remove_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(tr("More homes"))
        self.home_rows: list[_HomeLine] = []
        self._shown: object = None

    def set_homes(self, homes: Sequence[HomeRow], *, can_change: bool) -> None:
        """Show these homes."""
        if (tuple(homes), can_change) != self._shown:
            self._shown = tuple(homes), can_change
            while self.home_rows:
                gone = self.home_rows.pop()
                gone.hide()
                gone.deleteLater()
            for home in homes:
                row = _HomeLine(home)
                row.button.setVisible(can_change)
                row.button.clicked.connect(lambda _=False, path=home.path: self.remove_wanted.emit(path))
                self.home_rows.append(row)
                self.rows.addWidget(row)
        self.setVisible(bool(homes))


class _HomeLine(QWidget):
    def __init__(self, home: HomeRow) -> None:
        super().__init__()
        self._is_there = home.is_there
        state = self.tr("is looked through") if home.is_there else self.tr("cannot be reached now; its sessions stay")
        self.words = f"{text.one_line(home.path)}: {state}"
        self.button = IconButton("close", f"{self.tr('Look no more in')} {text.one_line(home.path)}")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(24, 0, 0, 0))
        row.addWidget(ElidedLabel(self.words, font="body", colour="text" if home.is_there else "wait"), 1)
        row.addWidget(self.button)
        self.setAccessibleName(self.words)

    def sizeHint(self) -> QSize:
        return QSize(theme().px(200), theme().px(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        side = theme().px(15)
        painter = QPainter(self)
        sign, colour = ("check", theme().tokens.live) if self._is_there else ("clock", theme().tokens.wait)
        paint_icon(painter, sign, QRect(0, (self.height() - side) // 2, side, side), colour)
        painter.end()


def _order(found: Found) -> tuple[bool, int, str]:
    return not found.alarm, -found.info.sessions, found.info.name.casefold()


def _counts(found: Found) -> str:
    drift = found.drift
    sessions = found.info.sessions
    parts = [text.counted(sessions, "session", "sessions") if sessions else tr("No sessions yet")]
    if drift.sources:
        parts.append(tr("in {files}").format(files=text.counted(drift.sources, "file", "files")))
    if drift.problems:
        parts.append(tr("{records} cannot be read").format(records=text.counted(drift.problems, "record", "records")))
    return " · ".join(parts)


def _abilities(info: AgentInfo) -> str:
    days = info.deletes_after_days
    if days is None:
        rule = tr("never deletes sessions by itself")
    elif days == 0:
        rule = tr("keeps no sessions")
    else:
        rule = tr("deletes sessions after {days}").format(days=text.counted(days, "day", "days"))
    if not info.can_resume:
        resume = tr("its sessions cannot be resumed")
    elif info.installed:
        resume = tr("resumes sessions here")
    else:
        how = text.one_line(info.how_to_install)
        resume = tr("not installed here, so nothing resumes; see {how}").format(how=how)
    host = tr("can be started from here") if info.can_host else ""
    line = " · ".join(part for part in (resume, host, rule) if part)
    return line[:1].upper() + line[1:]


def _drifts(found: Found) -> list[str]:
    """Return sentences about what is not known, the kinds of records and the fields named in the last ones."""
    drift = found.drift
    kinds, fields = _named(drift.unknown_records), _named(drift.unknown_fields)
    told = [*found.drifts, *([kinds] if kinds else [])]
    return [*told, tr("New fields, in a sample: {fields}").format(fields=fields)] if fields else told


def _named(counts: Mapping[str, int]) -> str:
    """Return the most frequent names with how often each was found."""
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{text.one_line(name, limit=60)} ×{text.count(number)}" for name, number in most[:_KINDS]]
    return ", ".join([*named, *(["…"] * (len(most) > _KINDS))])
