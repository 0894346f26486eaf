"""A session that wants something of the person: what it is, how it stands, what may be done."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.keeping import Choice
from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.views.choice_rows import ChoiceRows
from holdfast_gui.views.controls import ElidedLabel, Label
from holdfast_gui.views.plots import paint_card


class SessionCard(QWidget):
    """A title over facts and sentences, with choices below. All words are plain text."""

    chosen = Signal(str, str)

    def __init__(
        self,
        session_id: str,
        *,
        title: str,
        facts: Sequence[str],
        sentences: Sequence[str],
        choices: Sequence[Choice],
        icon: str = "sessions",
        colour: str = "text2",
        has_primary: bool = True,
    ) -> None:
        super().__init__()
        self.session_id = session_id
        self._icon, self._colour = icon, colour
        heading = ElidedLabel(text.title(title), font="bold")
        line = ElidedLabel(" · ".join(text.one_line(fact) for fact in facts if fact), font="small", colour="text3")
        self.choices = ChoiceRows(choices, about=heading.text(), has_primary=has_primary)
        self.choices.chosen.connect(lambda kind: self.chosen.emit(self.session_id, kind))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(44, 12, 16, 14))
        column.setSpacing(theme().px(2))
        column.addWidget(heading)
        column.addWidget(line)
        for sentence in sentences:
            column.addWidget(Label(text.clean(sentence), font="small", wraps=True))
        column.addSpacing(theme().px(8))
        column.addWidget(self.choices)
        self.words = " ".join([heading.text(), line.text(), *sentences])
        self.setAccessibleName(heading.text())
        self.setAccessibleDescription(self.words)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        px = theme().px
        painter = QPainter(self)
        paint_card(painter, self.rect())
        paint_icon(painter, self._icon, QRect(px(16), px(13), px(16), px(16)), getattr(theme().tokens, self._colour))
        painter.end()
