"""The sheet before something is taken away: what will be lost, whether it can be undone, one button that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from holdfast_core.model.keeping import Loss
from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_FIELD
from holdfast_gui.views.controls import Button, ElidedLabel, Label

TITLES_SHOWN: Final = 5
_WIDTH: Final = 468
_FRAME: Final = 48


class ConfirmSheet(QDialog):
    """Asks before what is hard to undo. Opened, never executed: ``accepted`` is yes, ``rejected`` no.

    Cancel has the keyboard, Escape and Return outside the other button are no.
    Without ``confirm`` there is nothing to say yes to, and one button closes.
    Foreign words, ``titles`` above all, are plain text.
    """

    confirmed = Signal()

    def __init__(
        self,
        parent: QWidget,
        *,
        title: str,
        message: str = "",
        figures: Sequence[tuple[str, str]] = (),
        titles: Sequence[str] = (),
        more: int = 0,
        kept: str = "",
        consequence: str = "",
        confirm: str = "",
        is_final: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setFixedWidth(min(theme().px(_WIDTH), max(320, parent.window().width() - _FRAME)))
        self._words: list[str] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(theme().px(6))
        self._say(Label(text.clean(title), font="bold", wraps=True))
        self._say(Label(text.clean(message), wraps=True))
        self._add_figures(figures)
        self._add_titles(titles, more)
        self._say(Label(kept, font="small", colour="text2", wraps=True))
        self._say(Label(consequence, font="small", colour="bad" if is_final else "text2", wraps=True))
        self.cancel_button = Button(self.tr("Cancel") if confirm else self.tr("Close"))
        self.confirm_button = Button(text.escaped_mnemonic(confirm), kind="danger")
        self.confirm_button.setVisible(bool(confirm))
        self.cancel_button.clicked.connect(self.reject)
        self.confirm_button.clicked.connect(self.accept)
        self.accepted.connect(self.confirmed)
        self._arrange("problem" if is_final else "trash", "bad" if is_final else "wait")
        self.setAccessibleName(title)
        self.setAccessibleDescription(self.words)

    @property
    def words(self) -> str:
        """Everything that the sheet says, for a screen reader."""
        return " ".join(self._words)

    def showEvent(self, event: QShowEvent) -> None:
        """See Qt: the way out has the keyboard."""
        super().showEvent(event)
        self.setFixedHeight(self.heightForWidth(self.width()))
        self.cancel_button.setFocus(Qt.FocusReason.TabFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Return takes nothing away unless the button that does has the keyboard."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.reject()
        else:
            super().keyPressEvent(event)

    def _arrange(self, icon: str, colour: str) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme().px(8))
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.confirm_button)
        body = QHBoxLayout()
        body.setSpacing(theme().px(14))
        body.addWidget(_Sign(icon, colour), 0, Qt.AlignmentFlag.AlignTop)
        body.addLayout(self._column, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(theme().margins(20, 20, 20, 16))
        whole.setSpacing(theme().px(18))
        whole.addLayout(body)
        whole.addLayout(buttons)

    def _say(self, label: Label) -> None:
        if label.text():
            self._words.append(label.text())
            self._column.addWidget(label)

    def _add_figures(self, figures: Sequence[tuple[str, str]]) -> None:
        if figures:
            self._words += [f"{name}: {figure}." for name, figure in figures]
            self._column.addSpacing(theme().px(4))
            self._column.addWidget(_Figures(figures))
            self._column.addSpacing(theme().px(4))

    def _add_titles(self, titles: Sequence[str], more: int) -> None:
        shown = [text.title(each) for each in titles[:TITLES_SHOWN]]
        more += len(titles) - len(shown)
        for words in shown:
            self._say(ElidedLabel(words))
        if more > 0:
            self._say(Label(self.tr("and %n more", "", more), font="small", colour="text3"))
        if shown:
            self._column.addSpacing(theme().px(4))


class _Figures(QWidget):
    """Figures side by side, each over its name."""

    def __init__(self, figures: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(14, 10, 14, 10))
        for name, figure in figures:
            pair = QVBoxLayout()
            pair.setSpacing(0)
            pair.addWidget(ElidedLabel(figure, font="title"))
            pair.addWidget(ElidedLabel(name, font="caption", colour="text2"))
            row.addLayout(pair, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme().tokens.line)
        painter.setBrush(theme().tokens.bg2)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS_FIELD, RADIUS_FIELD)
        painter.end()


class _Sign(QWidget):
    """What kind of question this is, on a ground of its own."""

    def __init__(self, icon: str, colour: str) -> None:
        super().__init__()
        self._icon, self._colour = icon, colour
        side = theme().px(36)
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, inset = theme().tokens, self.width() // 4  # the text size may change while it is open
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(getattr(tokens, f"{self._colour}_ground"))
        painter.drawRoundedRect(self.rect(), theme().px(10), theme().px(10))
        box = QRect(self.rect()).adjusted(inset, inset, -inset, -inset)
        paint_icon(painter, self._icon, box, getattr(tokens, self._colour))
        painter.end()


def to_the_trash(parent: QWidget, loss: Loss, *, trash_days: int) -> ConfirmSheet:
    """Return the question before sessions go to the trash, where they stay ``trash_days``; 0 is until it is emptied."""
    title = tr("Move {sessions} to the trash?")
    undo = _undo_words(trash_days)
    return _of_loss(parent, loss, title, undo, tr("Move to trash"), is_final=False)


def for_ever(parent: QWidget, loss: Loss) -> ConfirmSheet:
    """Return the question before sessions are deleted with their backups and everything that was kept of them."""
    end = tr("Backups and everything else that was kept go too. This cannot be undone.")
    title = tr("Delete {sessions} for ever?")
    return _of_loss(parent, loss, title, end, tr("Delete for ever"), is_final=True)


def of_the_damaged(
    parent: QWidget, title: str, size_bytes: int, *, is_final: bool, trash_days: int = 0
) -> ConfirmSheet:
    """Return the question before what is left of a damaged session goes, to the trash or for ever."""
    named = {"title": text.title(title)}
    message = tr("Its file is damaged and cannot be read, so nobody can say what it holds.")
    if is_final:
        asked = tr("Delete what is left of “{title}” for ever?")
        end = tr("Nobody will be able to repair it. Its backups go too. This cannot be undone.")
        confirm = tr("Delete for ever")
    else:
        asked = tr("Move what is left of “{title}” to the trash?")
        end = _undo_words(trash_days)
        confirm = tr("Move to trash")
    return ConfirmSheet(
        parent,
        title=asked.format(**named),
        message=message,
        figures=[(tr("on the disk"), text.size(size_bytes))],
        consequence=end,
        confirm=confirm,
        is_final=is_final,
    )


def _undo_words(trash_days: int) -> str:
    if not trash_days:
        return tr("What is in the trash can be put back until you empty it.")
    days = text.counted(trash_days, "day", "days")
    return tr("What is in the trash can be put back for {days}.").format(days=days)


def _of_loss(
    parent: QWidget, loss: Loss, title: str, consequence: str, confirm: str, *, is_final: bool
) -> ConfirmSheet:
    kept = _kept_words(loss)
    if not loss.sessions:
        return ConfirmSheet(parent, title=tr("There is nothing to delete"), kept=kept)
    return ConfirmSheet(
        parent,
        title=title.format(sessions=text.counted(loss.sessions, "session", "sessions")),
        figures=[
            (tr("session" if loss.sessions == 1 else "sessions"), text.count(loss.sessions)),
            (tr("message" if loss.messages == 1 else "messages"), text.count(loss.messages)),
            (tr("on the disk"), text.size(loss.bytes)),
        ],
        titles=loss.titles,
        more=max(0, loss.sessions - len(loss.titles)),
        kept=kept,
        consequence=consequence,
        confirm=confirm,
        is_final=is_final,
    )


def _kept_words(loss: Loss) -> str:
    if not loss.kept:
        return ""
    stay = text.counted(loss.kept, "session stays", "sessions stay")
    return tr("{sessions_stay}: live, starred or tagged “keep”.").format(sessions_stay=stay)
