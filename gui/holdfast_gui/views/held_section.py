"""What the details say of a session that Holdfast itself keeps: how it is saved, where it came from, its versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from holdfast_core.model.held import HELD_AGENT, HeldEntry
from holdfast_core.model.keeping import Backup, FieldNotice
from holdfast_core.model.live import LiveEntry
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.held import reason_words, saved_words, state_words
from holdfast_gui.models.reasons import notice_words
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.controls import Button, Label, Pressable
from holdfast_gui.views.detail_parts import Fact, Facts, Section
from holdfast_gui.views.marks import paint_dot

VERSIONS = 4


class HeldSection(QWidget):
    """Hidden for sessions that are no ones of ours. ``wanted`` tells the id of an action, as the menus know it."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._session_id = ""
        self.facts = Facts()
        self.error = Label(font="small", colour="bad", wraps=True)
        self._closed = ""
        self._known: list[Fact] = []
        self.buttons = {
            "held.save": Button(self.tr("Save now")),
            "held.close": Button(self.tr("Close")),
            "held.adopt": Button(self.tr("Adopt"), kind="primary"),
        }
        for action, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, action=action: self.wanted.emit(action))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(theme().margins(0, 6, 0, 0))
        line.setSpacing(theme().px(6))
        for button in self.buttons.values():
            line.addWidget(button)
        line.addStretch(1)
        self._row = row
        self._kept = Section(self.tr("Kept by Holdfast"), [self.facts, self.error, row])
        self.made_good = Section(self.tr("Made good"))
        self.versions = Section(self.tr("Versions"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme().px(15))
        column.addWidget(self._kept)
        column.addWidget(self.made_good)
        column.addWidget(self.versions)
        self.hide()

    @property
    def stops(self) -> list[QWidget]:
        """What the focus goes through, in order."""
        return [*self.facts.stops(), *self.buttons.values(), *self.versions.rows()]

    def set_held(self, entry: HeldEntry, live: LiveEntry | None, now: datetime, *, agent: str = "") -> None:
        """Show how a session is kept; ``live`` where it is live in this program, ``agent`` the name of its agent."""
        self._session_id = entry.id
        state = tr("live in another program" if entry.state == "live" else "closed")
        came = text.one_line(agent) if entry.agent != HELD_AGENT else tr("Holdfast")
        self._closed = state
        self._known = [
            Fact(tr("Came from"), came),
            Fact(tr("Signature"), tr("proven" if entry.is_verified else "not proven, read-only")),
            Fact(tr("Encryption"), tr("encrypted") if entry.is_encrypted else ""),
        ]
        self.set_live(live, now)
        self.buttons["held.adopt"].setVisible(not entry.is_verified)
        self._row.setVisible(live is not None or not entry.is_verified)
        self.show()

    def show_for(self, session_id: str) -> None:
        """Be seen if this is the session that is known, which may come to be known before or after."""
        self.setVisible(session_id == self._session_id)

    def set_live(self, live: LiveEntry | None, now: datetime) -> None:
        """Show when it was saved last, or why it could not be; never more than that."""
        error = live.save_error if live else ""
        saved = saved_words(live, now) if live and not error else ""
        state = Fact(tr("State"), state_words(live) if live else self._closed)
        self.facts.set([state, Fact(tr("Auto-save"), saved), *self._known])
        self.error.setText(text.one_line(error))
        self.error.setVisible(bool(error))
        for action in ("held.save", "held.close"):
            self.buttons[action].setVisible(live is not None)

    def set_notices(self, notices: Sequence[FieldNotice]) -> None:
        """Show which fields were missing or of another type; nothing while all is as it should be."""
        self.made_good.set_items(notices, _notice_row)

    def set_versions(self, backups: Sequence[Backup], now: datetime) -> None:
        """Show the newest earlier states; a press on one opens all of them."""

        def row(backup: Backup) -> QWidget:
            made = BackupRow(backup, now)
            made.clicked.connect(lambda: self.wanted.emit("held.versions"))
            return made

        self.versions.set_items(backups[:VERSIONS], row)


def _notice_row(notice: FieldNotice) -> QWidget:
    facts = Facts()
    facts.set([Fact(text.one_line(notice.field, limit=80), notice_words(notice))])
    return facts


class BackupRow(Pressable):
    """An earlier state: when it was kept, why, and by a dot and a word whether it is whole."""

    def __init__(self, backup: Backup, now: datetime) -> None:
        super().__init__()
        self._is_valid = backup.is_valid
        self._reason = reason_words(backup) if backup.is_valid else tr("damaged")
        self._when = text.age(backup.created_ms, now)
        self.setAccessibleName(f"{text.when(backup.created_ms, now)}, {self._reason}, {text.size(backup.size_bytes)}")
        self.setToolTip(text.tooltip(self.accessibleName()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(100, theme().px(24))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens = theme(), theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.hover)
            painter.drawRoundedRect(self.rect(), look.px(RADIUS_SMALL), look.px(RADIUS_SMALL))
        colour = tokens.accent if self._is_valid else tokens.bad
        centre = self.rect().center()
        centre.setX(look.px(6))
        paint_dot(painter, centre, look.px(6), colour, roundness=0.5)
        painter.setFont(look.font("small"))
        width = painter.fontMetrics().horizontalAdvance(self._when)
        painter.setPen(tokens.text3)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._when)
        painter.setPen(tokens.text if self._is_valid else tokens.bad)
        box = self.rect().adjusted(look.px(20), 0, -width - look.px(8), 0)
        shown = painter.fontMetrics().elidedText(self._reason, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()
