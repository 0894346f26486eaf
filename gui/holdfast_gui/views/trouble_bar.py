"""Trouble in the window: what happened, what is safe, what to do, under which code; one of several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, IconButton, Label
from holdfast_gui.views.notice import NoticeAction, NoticeBar

_NARROWEST: Final = 470


class TroubleBar(NoticeBar):
    """Stays until it is dismissed; a screen reader says it at once, keys reach it by `take_focus`."""

    step_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.counter = Label(font="small", colour="text2")
        self.previous_button = IconButton("chevron-left", self.tr("Previous problem"))
        self.next_button = IconButton("chevron-right", self.tr("Next problem"))
        self.previous_button.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_wanted.emit(1))
        self._steps = QWidget()
        row = QHBoxLayout(self._steps)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme().px(2))
        for part in (self.counter, self.previous_button, self.next_button):
            row.addWidget(part)
        self._buttons.insertWidget(0, self._steps)
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def show_trouble(
        self,
        words: str,
        *,
        kept: str = "",
        code: str = "",
        times: int = 1,
        place: tuple[int, int] = (1, 1),
        actions: Sequence[NoticeAction] = (),
    ) -> None:
        """Show trouble; its first sentence stands out. ``place`` is its number among how many."""
        headline, rest = first_sentence(text.one_line(words, limit=600))
        often = self.tr("%n times", "", times) + "." if times > 1 else ""
        detail = " ".join(part for part in (kept, text.one_line(rest, limit=260), often, code) if part)
        number, total = place
        self.counter.setText(f"{number} {self.tr('of')} {total}")
        self._steps.setVisible(total > 1)
        self.previous_button.setEnabled(number > 1)
        self.next_button.setEnabled(number < total)
        self.show_notice(headline, detail, kind="bad", actions=actions)
        self._say(f"{headline} {detail}")

    def button(self, action: str) -> Button:
        """Return the button of an action."""
        return next(button for button in self._actions if button.objectName() == action)

    def take_focus(self) -> None:
        """Give the keyboard to the first thing that can be done here."""
        first = self._actions[0] if self._actions else self._close
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: where there is least room the page about it has to do for the rest."""
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        is_narrow = self.width() < theme().px(_NARROWEST)
        self.counter.setVisible(not is_narrow)
        for button in self._actions[1:]:
            button.setVisible(not is_narrow)

    def _say(self, words: str) -> None:
        if QAccessible.isActive():
            event = QAccessibleAnnouncementEvent(self, words)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
            QAccessible.updateAccessibility(event)

    def _set_actions(self, actions: Sequence[NoticeAction]) -> None:
        if [button.objectName() for button in self._actions] == [action.id for action in actions]:
            return  # the keyboard may stand on one of them
        super()._set_actions(actions)
        for button, action in zip(self._actions, actions, strict=True):
            button.setObjectName(action.id)
        self._fold()


def first_sentence(words: str) -> tuple[str, str]:
    """Return the first sentence and the rest."""
    for end in (". ", "! ", "? "):
        head, found, rest = words.partition(end)
        if found and len(head) > 2:
            return head + end[0], rest
    return words, ""
