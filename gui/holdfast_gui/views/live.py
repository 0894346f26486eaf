"""What is live now: how each session is saved, and what may be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from holdfast_core.model.held import HeldEntry
from holdfast_core.model.live import LiveEntry
from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.held import saved_words, state_words
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, ElidedLabel, Label
from holdfast_gui.views.marks import paint_dot
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.plots import paint_card

COLOURS = {"active": "live", "waiting": "wait", "idle": "wait", "crashed": "bad"}


class LivePage(PlacePage):
    """Tells what is to be done with which session: show, save, keep or close."""

    wanted = Signal(str, str)
    new_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Live"))
        self.new_button = Button(self.tr("New held session…"), icon="plus")
        self.new_button.clicked.connect(self.new_wanted)
        self.tools.addWidget(self.new_button)
        self.cards: dict[str, LiveCard] = {}
        self._elsewhere = Label(font="small", colour="text2", wraps=True)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(theme().px(12))
        self.body.addLayout(self._cards)
        self.body.addWidget(self._elsewhere)

    def set_live(self, live: Sequence[LiveEntry], elsewhere: Sequence[HeldEntry], now: datetime) -> None:
        """Show what is live here, and name what is live in another program. Cards stay, so that the keyboard does."""
        for gone in self.cards.keys() - {entry.id for entry in live}:
            card = self.cards.pop(gone)
            card.hide()
            card.deleteLater()
        for entry in live:
            if entry.id not in self.cards:
                card = self.cards[entry.id] = LiveCard(entry.id)
                card.wanted.connect(self.wanted)
                self._cards.addWidget(card)
            self.cards[entry.id].set_entry(entry, now)
        titles = ", ".join(f"“{text.title(entry.title)}”" for entry in elsewhere)
        words = tr("Live in another program of yours: {titles}.").format(titles=text.one_line(titles))
        self._elsewhere.setText(words)
        self._elsewhere.setVisible(bool(elsewhere))
        self.new_button.setVisible(bool(live or elsewhere))
        if live or elsewhere:
            self.show_body()
        else:
            self.say(
                "live",
                self.tr("No session is live"),
                self.tr("A live session is saved as it grows. Resume one that Holdfast keeps, or begin a new one."),
                self.tr("New held session…"),
            )


class LiveCard(QWidget):
    """One live session: its state with a word and a colour, when it was saved, or why it is not."""

    wanted = Signal(str, str)

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self._colour = "live"
        self._title = ElidedLabel(font="bold")
        self._state = Label(font="small_strong", colour="live")
        self._facts = ElidedLabel(font="small", colour="text3")
        self._saved = Label(font="small", colour="text2", wraps=True)
        self.buttons = {
            "show": Button(self.tr("Show")),
            "save": Button(self.tr("Save now")),
            "keep": Button(self.tr("Keep it open"), kind="primary"),
            "close": Button(self.tr("Close")),
        }
        for what, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, what=what: self.wanted.emit(session_id, what))
        self._arrange()

    @property
    def words(self) -> str:
        """Everything that the card says."""
        labels = (self._title, self._state, self._facts, self._saved)
        return ", ".join(label.text() for label in labels)

    def set_entry(self, entry: LiveEntry, now: datetime) -> None:
        """Show how it is now."""
        self._colour = COLOURS.get(entry.state, "text3")
        self._title.setText(text.title(entry.title))
        self._state.setText(state_words(entry))
        self._state.set_colour(self._colour)
        started = tr("live since {time}").format(time=text.when(entry.started_ms, now))
        facts = (
            text.project_name(entry.project_path),
            text.counted(entry.message_count, "message", "messages"),
            started,
        )
        self._facts.setText(" · ".join(fact for fact in facts if fact))
        self._saved.setText(text.one_line(saved_words(entry, now)))
        self._saved.set_colour("bad" if entry.save_error else "text2")
        self.buttons["keep"].setVisible(entry.state == "idle")
        for what in ("save", "keep", "close"):
            self.buttons[what].setEnabled(entry.state in ("active", "waiting", "idle"))
        self.setAccessibleName(self._title.text())
        self.setAccessibleDescription(self.words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        px = theme().px
        painter = QPainter(self)
        paint_card(painter, self.rect())
        dot = QPoint(px(22), self._title.geometry().center().y() + 1)
        paint_dot(painter, dot, px(9), getattr(theme().tokens, self._colour), roundness=0.5)
        painter.end()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme().px(12))
        top.addWidget(self._title, 1)
        top.addWidget(self._state)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme().px(8))
        for button in self.buttons.values():
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(40, 12, 16, 14))
        column.setSpacing(theme().px(2))
        column.addLayout(top)
        column.addWidget(self._facts)
        column.addWidget(self._saved)
        column.addSpacing(theme().px(8))
        column.addLayout(buttons)
