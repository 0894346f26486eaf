"""Sessions that were cut off when Holdfast or the computer stopped: what is there of each, and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from holdfast_core.model.keeping import Unclean
from PySide6.QtCore import Qt, Signal

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.session_card import SessionCard

CARDS = 50


class RecoveryPage(PlacePage):
    """Tells what was chosen for which session. Nothing is done by the page itself."""

    chosen = Signal(str, str)
    all_wanted = Signal()
    skip_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Sessions to recover"))
        self.skip_button = Button(self.tr("Not now"))
        self.all_button = Button(self.tr("Recover all"), kind="primary")
        self.skip_button.clicked.connect(self.skip_wanted)
        self.all_button.clicked.connect(self.all_wanted)
        self.skip_button.setAccessibleDescription(
            self.tr("Leaves all of them as they are. They stay among the places under “To recover”.")
        )
        self.tools.addWidget(self.skip_button)
        self.tools.addWidget(self.all_button)
        self.cards: list[SessionCard] = []
        self._said = Label(colour="text2", wraps=True)
        self._more = Label(font="small", colour="text3", wraps=True)
        self.body.setSpacing(theme().px(12))
        self.body.addWidget(self._said)
        self.body.addWidget(self._more)

    def set_sessions(self, found: Sequence[Unclean], now: datetime) -> None:
        """Show these; where there is none, that all are back."""
        had_focus = self.isAncestorOf(focused) if (focused := self.window().focusWidget()) else False
        while self.cards:
            gone = self.cards.pop()
            gone.hide()
            gone.deleteLater()
        for one in found[:CARDS]:
            card = _card(one, now, is_only=len(found) == 1)
            card.chosen.connect(self.chosen)
            self.cards.append(card)
            self.body.insertWidget(self.body.count() - 1, card)
        self._said.setText(_summary(found))
        left = len(found) - len(self.cards)
        self._more.setText(tr("{sessions} more: “Recover all” takes them too.").format(sessions=left))
        self._more.setVisible(left > 0)
        self.all_button.setVisible(len(found) > 1)
        self.skip_button.setVisible(bool(found))
        if found:
            self.show_body()
        else:
            self.say(
                "check",
                self.tr("Nothing is left to recover"),
                self.tr("Every session was closed with all that was saved."),
                self.tr("Show all sessions"),
            )
        if had_focus:
            self.take_focus()

    def set_busy(self, is_busy: bool) -> None:
        """Take no more choices while one is carried out."""
        for part in (self.all_button, self.skip_button, *(card.choices for card in self.cards)):
            part.setEnabled(not is_busy)

    def take_focus(self) -> None:
        """See `PlacePage`."""
        stop = self.all_button if len(self.cards) > 1 else self.state.button
        if len(self.cards) == 1:
            stop = self.cards[0].choices.buttons[0]
        stop.setFocus(Qt.FocusReason.OtherFocusReason)


def _card(one: Unclean, now: datetime, *, is_only: bool) -> SessionCard:
    at = text.when(one.updated_ms, now)
    facts = [
        text.project_name(one.project_path),
        text.counted(one.message_count, "message", "messages"),
        tr("last change {when}").format(when=at),
    ]
    return SessionCard(
        one.id,
        title=one.title,
        facts=facts,
        sentences=_sentences(one),
        choices=one.choices,
        icon="history",
        has_primary=is_only,
    )


def _sentences(one: Unclean) -> list[str]:
    journal = text.counted(one.journal_messages, "message", "messages")
    said = [
        tr("{messages} of it came after the last whole save and are in the journal.").format(messages=journal)
        if one.journal_messages
        else tr("Everything of it is in the last whole save.")
    ]
    if one.dropped_bytes:
        torn = text.size(one.dropped_bytes)
        said.append(tr("{size} at its end were just being written and had not been acknowledged.").format(size=torn))
    if one.failures:
        times = text.counted(one.failures, "time", "times")
        said.append(tr("Restoring it failed {times} before.").format(times=times))
    return said


def _summary(found: Sequence[Unclean]) -> str:
    sessions = text.counted(len(found), "session was", "sessions were")
    count = sum(one.journal_messages for one in found)
    words = [
        tr("Holdfast or the computer stopped while {sessions} live.").format(sessions=sessions),
        tr("Everything that was saved is here, {messages} of it in the journal.").format(
            messages=text.counted(count, "message", "messages")
        )
        if count
        else tr("Everything that was saved is here."),
        tr("Nothing is changed until you choose."),
    ]
    return " ".join(words)
