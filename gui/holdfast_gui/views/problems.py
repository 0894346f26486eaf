"""What cannot be used as it is: our own sessions, and what of the agents' cannot be read; with what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast_core.model.keeping import HeldProblem
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.plots import Card
from holdfast_gui.views.session_card import SessionCard

CARDS = 50


@dataclass(frozen=True, slots=True)
class Way:
    """Something that is wrong at the agents', and the one action about it; ``id`` is what is told."""

    id: str
    headline: str
    detail: str
    action: str


class ProblemsPage(PlacePage):
    """Tells what was chosen: ``chosen`` of one of our sessions, ``way_wanted`` of the agents'."""

    chosen = Signal(str, str)
    way_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(tr("Problems"))
        self.cards: list[SessionCard] = []
        self.ways: list[WayCard] = []
        self._held = _Group(self.tr("Sessions kept here"))
        self._agents = _Group(self.tr("At the agents"))
        self._more = Label(font="small", colour="text3", wraps=True)
        self.body.addWidget(self._held)
        self.body.addWidget(self._more)
        self.body.addWidget(self._agents)

    def set_problems(self, problems: Sequence[HeldProblem], ways: Sequence[Way], now: datetime) -> None:
        """Show these; where there is none, that all is well."""
        self.cards = [_card(problem, now) for problem in problems[:CARDS]]
        for card in self.cards:
            card.chosen.connect(self.chosen)
        self.ways = [WayCard(way) for way in ways]
        for way in self.ways:
            way.wanted.connect(self.way_wanted)
        self._held.fill(self.cards)
        self._agents.fill(self.ways)
        left = len(problems) - len(self.cards)
        self._more.setText(tr("{sessions} more come up as these are solved.").format(sessions=left))
        self._more.setVisible(left > 0)
        if problems or ways:
            self.show_body()
        else:
            self.say(
                "shield-check",
                self.tr("No problems"),
                self.tr("Every session can be read. What goes wrong stands here, with what can be done about it."),
                self.tr("Show all sessions"),
            )

    def set_busy(self, is_busy: bool) -> None:
        """Take no more choices while one is carried out."""
        for card in self.cards:
            card.choices.setEnabled(not is_busy)


class WayCard(Card):
    """One thing at the agents', with its action."""

    wanted = Signal(str)

    def __init__(self, way: Way) -> None:
        super().__init__(text.one_line(way.headline))
        self.words = f"{way.headline} {way.detail}"
        self.button = Button(text.escaped_mnemonic(way.action))
        self.button.clicked.connect(lambda: self.wanted.emit(way.id))
        self.rows.setSpacing(theme().px(8))
        self.rows.addWidget(Label(text.clean(way.detail), font="small", wraps=True))
        self.rows.addWidget(self.button)


class _Group(QWidget):
    """A heading over cards, hidden where there are none."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._cards: Sequence[QWidget] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme().px(10))
        self._column.addWidget(Label(title, font="heading", colour="text3"))

    def fill(self, cards: Sequence[QWidget]) -> None:
        for gone in self._cards:
            gone.hide()
            gone.deleteLater()
        self._cards = cards
        for card in cards:
            self._column.addWidget(card)
        self.setVisible(bool(cards))


def _card(problem: HeldProblem, now: datetime) -> SessionCard:
    facts = [
        tr("noticed {when}").format(when=text.when(problem.noticed_ms, now)),
        text.size(problem.size_bytes) if problem.size_bytes else "",
        tr("code {code}").format(code=problem.code),
    ]
    return SessionCard(
        problem.id,
        title=problem.title,
        facts=facts,
        sentences=[problem.reason],
        choices=problem.choices,
        icon="problem",
        colour="wait" if problem.code == "unverified" else "bad",
    )
