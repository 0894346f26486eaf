"""The places pane: what can be looked at, how much of it there is, and how the index stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.places import Places
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from holdfast_gui.models.places import ALL, Kept, Place, PlacesModel, SavedSearch
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import MARK, paint_icon
from holdfast_gui.theme.tokens import PLACES_WIDTH
from holdfast_gui.views.controls import Pane
from holdfast_gui.views.index_status import IndexStatus
from holdfast_gui.views.places_list import PlacesList

FILTER_FROM: Final = 12


class PlacesView(Pane):
    """Emits the place that the person chose; shows no place that cannot be gone to."""

    place_selected = Signal(object)
    saved_changed = Signal(list)

    def __init__(self) -> None:
        super().__init__("bg0")
        self.setAccessibleName(self.tr("Places"))
        self._model = PlacesModel()
        self._chosen = ALL
        self.list = PlacesList(self._model, self)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter projects"))
        self.filter.setAccessibleName(self.tr("Filter projects"))
        self.filter.hide()
        self.status = IndexStatus()
        self._arrange()
        self.list.chosen.connect(self._on_chosen)
        self.list.more_pressed.connect(self._on_more)
        self.list.remove_wanted.connect(self.remove_saved)
        self.filter.textChanged.connect(lambda typed: self._rebuild(matching=typed))
        self.select(ALL)

    @property
    def chosen(self) -> Place:
        """The place that is shown."""
        return self._chosen

    @property
    def saved_searches(self) -> tuple[SavedSearch, ...]:
        """The person's searches."""
        return self._model.saved_searches

    def set_places(self, places: Places, agents: Sequence[AgentInfo]) -> None:
        """Show these counts; the chosen place stays."""
        with self.list.staying():
            self._model.set_places(places, agents)
            self._mark()

    def set_kept(self, kept: Kept) -> None:
        """Show how many are live, in the trash, and so on."""
        with self.list.staying():
            self._model.set_kept(kept)
            self._mark()

    def set_expiring(self, sessions: int) -> None:
        """Show how many sessions their agents will delete soon."""
        with self.list.staying():
            self._model.set_expiring(sessions)
            self._mark()

    def set_saved(self, searches: Iterable[SavedSearch]) -> None:
        """Show these saved searches."""
        self._model.set_saved(searches)
        self._mark()

    def set_saved_counts(self, counts: Mapping[str, int]) -> None:
        """Say how many sessions the saved searches find, by their text."""
        with self.list.staying():
            self._model.set_saved_counts(counts)
            self._mark()

    def add_saved(self, search: SavedSearch) -> None:
        """Keep a search, in place of one with the same text; tells `saved_changed`."""
        others = [each for each in self._model.saved_searches if each.query_text != search.query_text]
        self.set_saved([*others, search])
        self.saved_changed.emit(list(self._model.saved_searches))

    def remove_saved(self, query_text: str) -> None:
        """Forget a saved search; tells `saved_changed`."""
        self.set_saved(each for each in self._model.saved_searches if each.query_text != query_text)
        self.saved_changed.emit(list(self._model.saved_searches))

    def select(self, place: Place) -> None:
        """Mark a place as the one that is shown, without telling anyone."""
        self._chosen = place
        self._mark()

    def select_nth(self, number: int) -> bool:
        """Choose the ``number``-th place from the top, counted from 1; False if there is none."""
        places = self._model.places()
        if not 1 <= number <= len(places):
            return False
        self._on_chosen(places[number - 1])
        return True

    def places(self) -> list[Place]:
        """Return what can be gone to now, in order."""
        return self._model.places()

    def choose(self, place: Place) -> None:
        """Go to a place as if it had been clicked."""
        self._on_chosen(place)

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(PLACES_WIDTH), 600)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(_Brand())
        column.addWidget(self.list, 1)
        filter_row = QHBoxLayout()
        filter_row.setContentsMargins(theme().margins(12, 0, 12, 0))
        filter_row.addWidget(self.filter)
        column.addLayout(filter_row)
        column.addWidget(self.status)
        self.setMinimumWidth(theme().px(160))

    def _mark(self) -> None:
        self._model.keep_shown(self._chosen)
        self.list.set_chosen(self._chosen)

    def _on_chosen(self, place: Place) -> None:
        self._chosen = place
        self._mark()
        self.place_selected.emit(place)

    def _on_more(self) -> None:
        is_shown = not self._model.shows_all_projects
        self.filter.setVisible(is_shown and self._model.project_count >= FILTER_FROM)
        self.filter.blockSignals(True)
        self.filter.clear()
        self.filter.blockSignals(False)
        self._model.show_all_projects(is_shown)
        self._mark()
        if self.filter.isVisible():
            self.filter.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rebuild(self, *, matching: str) -> None:
        self._model.show_all_projects(self._model.shows_all_projects, matching=matching)
        self._mark()


class _Brand(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(theme().px(46))

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme()
        painter = QPainter(self)
        side = look.px(20)
        middle = self.height() // 2 + 1
        paint_icon(painter, MARK, QRect(look.px(16), middle - side // 2, side, side), look.tokens.accent)
        painter.setPen(look.tokens.text)
        painter.setFont(look.font("brand"))
        painter.drawText(
            QRect(look.px(44), 2, self.width() - look.px(44), self.height()), Qt.AlignmentFlag.AlignVCenter, "Holdfast"
        )
        painter.end()
