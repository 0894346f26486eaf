"""The main window: places, list, and the session with its details."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from holdfast_gui.models.places import SavedSearch
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import LIST_WIDTH, PLACES_WIDTH
from holdfast_gui.views.controls import IconButton, Pane
from holdfast_gui.views.detail import DetailPane
from holdfast_gui.views.empty import EmptyState
from holdfast_gui.views.first_run import FirstRunPage
from holdfast_gui.views.head import SessionHead
from holdfast_gui.views.notice import NoticeBar, TaskProgress
from holdfast_gui.views.panes import LEAST_LIST, LEAST_SESSION, Shown, arrange, list_width
from holdfast_gui.views.places import PlacesView
from holdfast_gui.views.rescale import rescale
from holdfast_gui.views.search_field import SearchField
from holdfast_gui.views.session_list import SessionListView

if TYPE_CHECKING:
    from holdfast_gui.views.page import PlacePage

ROOM_FOR_DETAIL: Final = 1160
ROOM_FOR_PLACES: Final = 984
_STATE_VERSION: Final = 1


class MainWindow(QMainWindow):
    """Builds the panes and arranges them; connects them to nothing outside.

    ``transcript`` is the pane that shows messages. Closing is only asked for
    by `close_requested`: whoever owns the window decides.
    """

    close_requested = Signal()

    def __init__(self, transcript: QWidget) -> None:
        super().__init__()
        self.setWindowTitle("Holdfast")
        self.setObjectName("main")
        self.places = PlacesView()
        self.search_field = SearchField()
        self.session_list = SessionListView()
        self.head = SessionHead()
        self.notice = NoticeBar(flows=True)
        self.progress = TaskProgress()
        self.transcript = transcript
        self.focus_reader: Callable[[], None] = self.head.back_button.setFocus
        """Gives the keyboard to the transcript, once that is there."""
        self.nothing = EmptyState("sessions", self.tr("No session is open"), self.tr("Choose one from the list."))
        self.places_button = IconButton("sidebar-left", self.tr("Show the places"))
        self.places_button.clicked.connect(self.toggle_places)
        self._way_to_places = _placed(self.places_button)
        self.head.detail_button.clicked.connect(self.toggle_detail)
        self.head.back_button.clicked.connect(self.step_back)
        self.places.list.entered_place.connect(self._leave_places)
        self._pages = QStackedWidget()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._scale = theme().scale
        self._places_width = theme().px(PLACES_WIDTH) - 1
        self._list_width = theme().px(LIST_WIDTH) - 1
        self.page: PlacePage | None = None
        self._splitter.splitterMoved.connect(self._on_moved)
        self._is_wanted = {"places": True, "detail": True}
        self._fits = {"places": True, "detail": True}
        self._reads = False
        self._shown = Shown(list=True, right=True, transcript=True, is_one=False, places_alone=False)
        self._arrange()
        theme().changed.connect(self._on_theme)
        self._way_to_places.hide()
        self.setMinimumSize(640, 420)
        self.resize(1440, 900)
        self.show_nothing()
        self.session_list.table.setFocus(Qt.FocusReason.OtherFocusReason)

    # What is shown at the right.

    @cached_property
    def detail(self) -> DetailPane:
        """The details of the open session; made when they are asked for, after the first paint."""
        pane = DetailPane()
        self._session.addWidget(pane)
        pane.setVisible(self._is_wanted["detail"] and self._fits["detail"])
        QWidget.setTabOrder(self.transcript, pane.first_stop)
        self._hear_theme_last()
        return pane

    @property
    def shows_one(self) -> bool:
        """Whether there is room for the list or the session alone, which then take turns."""
        return self._shown.is_one

    @cached_property
    def first_run(self) -> FirstRunPage:
        """The page of the first run; made when it is asked for, as it is seen but once."""
        page = FirstRunPage()
        self._pages.addWidget(page)
        self._hear_theme_last()
        return page

    def show_session(self) -> None:
        """Show the session with its head and details."""
        self._show_page(0)

    def show_nothing(self, icon: str = "", sentence: str = "", detail: str = "", action: str = "") -> None:
        """Show one sentence instead of a session; ``nothing.action_pressed`` tells of its action."""
        if sentence:
            self.nothing.set(icon or "sessions", sentence, detail, action)
        self._reads = False
        self._show_page(1)

    def show_first_run(self) -> None:
        """Show which agents were found, while the first scan runs."""
        self._reads = True
        self._show_page(self._pages.indexOf(self.first_run))

    def show_page(self, page: PlacePage) -> None:
        """Show a place that is no list, in the room of list and session, until `show_list`."""
        if self.page is not None:
            self.page.hide()
        elif self._is_beside:
            self._list_width = self._splitter.sizes()[1]
        if page.parentWidget() is not self._right:
            self._column.addWidget(page, 1)
            page.places_button.clicked.connect(self.toggle_places)
            self._hear_theme_last()
        self.page = page
        page.places_button.setVisible(self.places.isHidden())
        for hidden in (self.head, self._pages):
            hidden.hide()
        page.show()
        self._leave_places_behind()
        self._settle()

    def show_list(self) -> None:
        """Show list and session again, the list if there is room for one of them alone."""
        self._reads = False
        self._leave_places_behind()
        if self.page is not None:
            self.page.hide()
            self.page = None
            self._pages.show()
            self._show_page(self._pages.currentIndex())
        self._settle()

    def read(self) -> bool:
        """Show the session in place of the list; False where both are seen."""
        is_hidden = self.shows_one and not self._reads
        self._reads = True
        self._settle()
        return is_hidden

    def step_back(self) -> bool:
        """Leave what stands alone for what was before it: details, session, list; False if nothing does."""
        if not self._shown.transcript and self._shown.right and self.page is None:
            self._show_pane("detail", is_shown=False)
        elif self.shows_one and self._reads:
            self.turn_to_list()
            self.session_list.setFocus()
        else:
            return False
        return True

    def turn_to_list(self) -> None:
        """Show the list where the session stands in its place."""
        self._reads = False
        self._settle()

    def add_bar(self, bar: QWidget) -> None:
        """Put a bar over everything at the right but the head; made late, so that the first paint does not wait."""
        self._bars.insertWidget(0, bar)
        bar.hide()
        self._hear_theme_last()

    # Panes.

    def toggle_places(self) -> None:
        """Hide or show the places."""
        self._toggle("places")

    def toggle_detail(self) -> None:
        """Hide or show the details."""
        self._toggle("detail")

    def focus_search(self) -> None:
        """Put the cursor in the search field, all of it selected."""
        self.turn_to_list()
        self.search_field.focus_all()

    # State.

    def save_state(self) -> bytes:
        """Return sizes, hidden panes, order and saved searches, for `restore_state`."""
        sort, group = self.session_list.head.order
        state = {
            "version": _STATE_VERSION,
            "geometry": base64.b64encode(bytes(self.saveGeometry().data())).decode(),
            "splitter": self._sizes(),
            "wanted": self._is_wanted,
            "sort": sort,
            "group": group,
            "saved": [[search.title, search.query_text] for search in self.places.saved_searches],
        }
        return json.dumps(state).encode()

    def restore_state(self, state: bytes) -> None:
        """Take back what `save_state` gave; whatever of it makes no sense is left out."""
        try:
            found = json.loads(state)
        except (ValueError, RecursionError):
            return
        if not isinstance(found, dict) or found.get("version") != _STATE_VERSION:
            return
        self._restore_geometry(found.get("geometry"))
        self._restore_panes(found)
        self.session_list.head.set_order(str(found.get("sort")), str(found.get("group")))
        saved = found.get("saved")
        pairs = [each for each in saved if _is_pair(each)] if isinstance(saved, list) else []
        self.places.set_saved(SavedSearch(title, query) for title, query in pairs)

    # Qt's own.

    def closeEvent(self, event: QCloseEvent) -> None:
        """See Qt: only asks."""
        event.ignore()
        self.close_requested.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: panes without room go, details first, and come back with it."""
        super().resizeEvent(event)
        self._fit()
        self._settle()

    def showEvent(self, event: QShowEvent) -> None:
        """See Qt: sizes count from now on."""
        super().showEvent(event)
        self._settle()

    # Helpers.

    def _arrange(self) -> None:
        # From the top down: Qt dresses a whole branch again each time it gets a new parent.
        self.setCentralWidget(self._splitter)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._list_pane, self._right = self._make_list_pane(), self._make_session_pane()
        for pane in (self.places, self._list_pane, self._right):
            self._splitter.addWidget(pane)
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 0)
        self._splitter.setStretchFactor(2, 1)
        self._splitter.setSizes([self._places_width, self._list_width, 840])
        self._order_focus()

    def _order_focus(self) -> None:
        """Let Tab go as the eye does: by pane from the left, in each from the top."""
        stops: list[QWidget] = [
            self.places.list,
            self.places.filter,
            self.places_button,
            self.search_field.line,
            *self.search_field.buttons,
            self.session_list.head.sort_button,
            self.session_list.head.group_button,
            self.session_list.table,
            self.session_list.empty.button,
            self.head.export_button,
            self.head.resume_button,
            self.head.detail_button,
            self.transcript,
        ]
        for one, next_one in pairwise(stops):
            QWidget.setTabOrder(one, next_one)

    def _make_list_pane(self) -> QWidget:
        pane = Pane("bg1")
        pane.setMinimumWidth(theme().px(LEAST_LIST))
        column = self._list_column = QVBoxLayout(pane)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._way_to_places)
        row.addWidget(self.search_field, 1)
        column.addLayout(row)
        column.addWidget(self.session_list, 1)
        return pane

    def _make_session_pane(self) -> QWidget:
        self._session = QHBoxLayout()
        self._session.setContentsMargins(0, 0, 0, 0)
        self._session.setSpacing(0)
        self._session.addWidget(self.transcript, 1)
        session = QWidget()
        session.setLayout(self._session)
        for page in (session, self.nothing):
            self._pages.addWidget(page)
        pane = Pane("bg2")
        pane.setMinimumWidth(theme().px(LEAST_SESSION))
        column = self._column = QVBoxLayout(pane)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._bar_place = QWidget()
        self._bars = QVBoxLayout(self._bar_place)
        self._bars.setContentsMargins(0, 0, 0, 0)
        self._bars.setSpacing(0)
        for bar in (self.notice, self.progress):
            self._bars.addWidget(bar)
        for part in (self.head, self._bar_place):
            column.addWidget(part)
        column.addWidget(self._pages, 1)
        return pane

    def _hear_theme_last(self) -> None:
        """Let what was made late take its new fonts before sizes are taken from it."""
        theme().changed.disconnect(self._on_theme)
        theme().changed.connect(self._on_theme)

    def _on_theme(self) -> None:
        ratio = theme().scale / self._scale
        if ratio == 1:
            return
        self._scale = theme().scale
        rescale(self._splitter, ratio, but=self.transcript)
        self._places_width = round(self._places_width * ratio)
        self._list_width = round(self._list_width * ratio)
        self._splitter.setSizes([self._places_width, self._list_width, self._splitter.sizes()[2]])
        self.places.list.doItemsLayout()
        self.session_list.table.size_rows()
        self._fit()
        self._settle()

    def _show_page(self, number: int) -> None:
        self.head.setVisible(number == 0 and self.page is None)
        self._pages.setCurrentIndex(number)
        self._settle()

    def _toggle(self, name: str) -> None:
        pane = {"places": self.places, "detail": self.detail}[name]
        is_shown = pane.isHidden()
        if is_shown or self._fits[name]:  # what had no room is not unwanted when it goes again
            self._is_wanted[name] = is_shown
        self._show_pane(name, is_shown=is_shown)

    def _show_pane(self, name: str, *, is_shown: bool) -> None:
        pane = vars(self).get(name)  # the details may not be there yet
        if pane is not None:
            pane.setVisible(is_shown)
        if name == "places" and is_shown:
            self._widen_places()
        if name == "places" and self.page is not None:
            self.page.places_button.setVisible(not is_shown)
        way_back = {"places": self._way_to_places, "detail": self.head.detail_button}
        way_back[name].setVisible(not is_shown)
        self._settle()

    def _fit(self) -> None:
        room = {"places": ROOM_FOR_PLACES, "detail": ROOM_FOR_DETAIL}
        for name in self._fits:
            fits = self.width() >= theme().px(room[name])
            if fits != self._fits[name]:
                self._fits[name] = fits
                self._show_pane(name, is_shown=fits and self._is_wanted[name])

    def _settle(self) -> None:
        """Show what has room side by side; without it list and session take turns."""
        if not hasattr(self, "_right"):
            return  # while the window is made
        detail = vars(self).get("detail")
        has_detail = detail is not None and not detail.isHidden() and self._pages.currentIndex() == 0
        self._shown = shown = arrange(
            self.width() / theme().scale,
            places=not self.places.isHidden(),
            detail=has_detail,
            page=self.page is not None,
            reads=self._reads,
        )
        self.head.back_button.setVisible(shown.is_one)
        self.transcript.setVisible(shown.transcript)
        if detail is not None:
            detail.set_alone(not shown.transcript)
        if (shown.list and not shown.right) != self._list_pane.isAncestorOf(self._bar_place):
            self._move_bars()
        focused = self.focusWidget()
        loses_focus = not shown.list and shown.right and focused is not None and self._list_pane.isAncestorOf(focused)
        for pane, least, is_shown in (
            (self._right, LEAST_SESSION, shown.right),
            (self._list_pane, LEAST_LIST, shown.list),
        ):
            pane.setMinimumWidth(0 if shown.is_one else theme().px(least))
            pane.setVisible(is_shown)
        if loses_focus and self.page is None:
            self.focus_reader()  # Qt would give the keyboard to the next button
        if self._is_beside and self.isVisible():
            self._balance(has_detail=has_detail)

    def _move_bars(self) -> None:
        """Let what concerns all sessions be seen over the list while that stands alone."""
        if self._shown.list and not self._shown.right:
            self._list_column.insertWidget(0, self._bar_place)
        else:
            self._column.insertWidget(1, self._bar_place)

    @property
    def _is_beside(self) -> bool:
        """Whether the list stands beside the session."""
        return self._shown.list and self._shown.right

    def _balance(self, *, has_detail: bool) -> None:
        """Give the list the width that it had as soon as there is room for it; take from it what the session needs."""
        places, listed, rest = self._splitter.sizes()
        wanted = list_width(self._list_width, listed + rest, detail=has_detail, scale=theme().scale)
        if listed != wanted:
            self._splitter.setSizes([places, wanted, listed + rest - wanted])

    def _leave_places_behind(self) -> None:
        """Let the list or page be seen that was gone to, unless the keyboard goes on through the places."""
        if not self.places.list.hasFocus():
            self._leave_places()

    def _leave_places(self) -> None:
        if not self._shown.places_alone:
            return
        self._show_pane("places", is_shown=False)
        if self.page is None:
            self.session_list.setFocus()
        else:
            self.page.take_focus()

    def _widen_places(self) -> None:
        """Give the places their width again: a splitter shows what was hidden as narrow as it can."""
        sizes = self._splitter.sizes()
        rest = max(0, sum(sizes) - self._places_width - sizes[1])
        self._splitter.setSizes([self._places_width, sizes[1], rest])

    def _on_moved(self, _position: int, _handle: int) -> None:
        places, listed, _ = self._splitter.sizes()
        self._places_width = places or self._places_width
        self._list_width = listed if self._is_beside else self._list_width

    def _sizes(self) -> list[int]:
        """Return how wide the panes are, or would be if they were shown."""
        _, listed, rest = self._splitter.sizes()
        return [self._places_width, listed if self._is_beside else self._list_width, rest]

    def _restore_geometry(self, geometry: Any) -> None:
        try:
            self.restoreGeometry(QByteArray(base64.b64decode(geometry, validate=True)))
        except (TypeError, ValueError, binascii.Error):
            return

    def _restore_panes(self, state: dict[str, Any]) -> None:
        wanted = state.get("wanted")
        if isinstance(wanted, dict):
            self._is_wanted = {name: wanted.get(name) is not False for name in self._is_wanted}
        for name in self._fits:
            self._show_pane(name, is_shown=self._is_wanted[name] and self._fits[name])
        sizes = state.get("splitter")
        # Last: a pane that is shown takes its width from the others.
        if isinstance(sizes, list) and len(sizes) == 3 and all(_is_size(size) for size in sizes):
            self._splitter.setSizes(sizes)
            self._places_width = sizes[0] or self._places_width
            self._list_width = sizes[1] or self._list_width


def _placed(button: QWidget) -> QWidget:
    """Return the button in line with the search field."""
    place = QWidget()
    row = QHBoxLayout(place)
    row.setContentsMargins(theme().margins(8, 12, 0, 0))
    row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
    return place


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 100_000


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)
