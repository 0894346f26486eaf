"""Which sessions agents are about to delete, by which rules, whether they are safe here, and what became of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from holdfast_core.model.vault import Expiring, Removed
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from holdfast_gui import text
from holdfast_gui.models.vault import days_words
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.plots import Card, Skeleton, StateRow
from holdfast_gui.views.session_lines import SessionLine, Told

SHOWN: Final = 200


class Rule(NamedTuple):
    """By which rule an agent deletes. ``setting`` is what its own settings call it, empty if that is not known."""

    name: str
    days: int
    setting: str = ""

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        name = text.one_line(self.name)
        if not self.days:
            words = tr("{agent} keeps no sessions at all").format(agent=name)
        else:
            days = text.counted(self.days, "day", "days")
            words = tr("{agent} deletes what was not written to for {days}").format(agent=name, days=days)
        if not self.setting:
            return f"{words}."
        return tr("{words}: {setting} in its settings.").format(words=words, setting=self.setting)


class Going(NamedTuple):
    """A session that its agent will delete, as a list shows it."""

    expiring: Expiring
    title: str
    facts: str
    mark: str
    hue: int


class ExpiringPage(PlacePage):
    """Tells what is wanted: to read a session, to keep what is not safe, to look again.

    ``looked_at`` says True when the page comes into sight and False when it goes.
    """

    session_wanted = Signal(str)
    keep_wanted = Signal()
    looked_at = Signal(bool)

    def __init__(self) -> None:
        super().__init__(tr("About to be deleted"))
        self.keep_button = Button(self.tr("Keep now"), kind="primary", icon="shield")
        self.keep_button.setToolTip(text.tooltip(self.tr("Look through all sessions now and keep what is new")))
        self.keep_button.clicked.connect(self.keep_wanted)
        self.keep_button.hide()
        self.tools.addWidget(self.keep_button)
        self._has_content = False
        self._skeleton = Skeleton()
        self._rules = Card(self.tr("The rules of the agents"))
        self._proof = StateRow()
        self._list = Card(self.tr("What goes next"))
        self._more = Label(font="small", colour="text3", wraps=True)
        self._lines: list[SessionLine] = []
        self._sentences: list[Label] = []
        for part in (self._skeleton, self._list, self._rules):
            self.body.addWidget(part)
        self._rules.hide()
        self._list.hide()

    @property
    def rule_words(self) -> list[str]:
        """What is said of the rules, and of what they have removed."""
        return [label.text() for label in self._sentences] + ([self._proof.words] if self._has_content else [])

    @property
    def lines(self) -> list[SessionLine]:
        """The sessions that are shown, from the top."""
        return list(self._lines)

    def set_expiring(self, going: Sequence[Going], rules: Sequence[Rule], removed: Removed) -> None:
        """Show what goes next, the first first; with nothing of it the rules alone."""
        self._has_content = True
        self._skeleton.hide()
        self._set_rules(rules, removed)
        self._set_list(going)
        unsafe = sum(not one.expiring.is_safe for one in going)
        self.keep_button.setVisible(bool(unsafe))
        if not going and not rules and not removed.removed:
            self.say(
                "clock",
                self.tr("No agent on this machine deletes sessions"),
                self.tr("As soon as one has a rule for it, what is about to go stands here."),
            )
        else:
            self.show_body()

    def fail(self, words: str) -> None:
        """Say that it could not be found out; what is shown stays."""
        if not self._has_content:
            self.say("problem", self.tr("What agents delete cannot be found out"), words, self.tr("Try again"))

    def load_again(self) -> None:
        """Show that it is being looked for."""
        self.show_body()

    def showEvent(self, event: QShowEvent) -> None:
        """See Qt."""
        self.looked_at.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """See Qt."""
        self.looked_at.emit(False)

    def _set_rules(self, rules: Sequence[Rule], removed: Removed) -> None:
        _clear(self._sentences)
        self._sentences = [Label(rule.words, wraps=True) for rule in rules]
        for label in self._sentences:
            self._rules.rows.addWidget(label)
            self._rules.rows.addSpacing(theme().px(4))
        self._rules.rows.addWidget(self._proof)
        words, is_whole = _proof_words(removed)
        self._proof.set_state(self.tr("So far"), words, "good" if is_whole else "wait")
        self._rules.show()

    def _set_list(self, going: Sequence[Going]) -> None:
        focused = next((line.told.session_id for line in self._lines if line.hasFocus()), "")
        _clear(self._lines)
        self._lines = [_line(one) for one in going[:SHOWN]]
        for line in self._lines:
            line.clicked.connect(lambda _=False, made=line: self.session_wanted.emit(made.told.session_id))
            self._list.rows.addWidget(line)
            if line.told.session_id == focused:
                line.setFocus()
        more = len(going) - len(self._lines)
        if not going:
            self._more.setText(self.tr("Nothing goes within a week."))
        else:
            self._more.setText(self.tr("and %n more", "", more) if more > 0 else "")
        self._more.setVisible(bool(self._more.text()))
        self._list.rows.addWidget(self._more)
        self._list.show()


def _line(one: Going) -> SessionLine:
    is_safe = one.expiring.is_safe
    return SessionLine(
        Told(
            one.expiring.session_id,
            one.title,
            one.facts,
            days_words(one.expiring),
            tr("safe here") if is_safe else tr("not kept yet"),
            one.mark,
            one.hue,
            "live" if is_safe else "wait",
        )
    )


def _proof_words(removed: Removed) -> tuple[str, bool]:
    """Return what became of those that agents have removed, and whether all of them are here."""
    if not removed.removed:
        return tr("nothing was removed by these rules since Holdfast keeps sessions"), True
    gone = text.counted(removed.removed, "session was removed", "sessions were removed")
    words = tr("{gone}, {count} are here").format(gone=gone, count=text.count(removed.kept))
    return words, removed.kept == removed.removed


def _clear(widgets: Sequence[QWidget]) -> None:
    for widget in widgets:
        widget.hide()
        widget.deleteLater()
