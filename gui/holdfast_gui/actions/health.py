"""The figures of the health page: read every few seconds while somebody looks at them, and only then."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject, QTimer

from holdfast_gui.actions.application import open_settings
from holdfast_gui.actions.leading import show_list, show_session
from holdfast_gui.models.places import STORAGE
from holdfast_gui.models.storage import vault_state
from holdfast_gui.tasks import Latest
from holdfast_gui.text import tr
from holdfast_gui.views.health import RECORDS, HealthPage

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

EVERY_MS: Final = 3000
REST: Final = 20  # times as long as the question took: looking at the page never keeps the machine busy


class Checkup(QObject):
    """Keeps one health page in line with how things are."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._asking = Latest(context.scope, "health")
        self._is_watching = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        self.page = page = HealthPage()
        page.looked_at.connect(self._on_looked_at)
        page.list_wanted.connect(partial(show_list, context))
        page.place_wanted.connect(self._go_to)
        page.session_wanted.connect(context.scope.slot(lambda session_id: show_session(context, session_id)))
        page.settings_wanted.connect(context.scope.slot(lambda words: open_settings(context, words)))
        page.report_wanted.connect(context.troubles.show_details)
        page.verify_wanted.connect(lambda: context.actions.run("vault.verify"))
        page.logs_wanted.connect(context.troubles.open_logs)
        page.state.action_pressed.connect(self._try_again)

    @property
    def is_watching(self) -> bool:
        """Whether figures are read again and again now."""
        return self._is_watching

    def _on_looked_at(self, is_seen: bool) -> None:
        self._is_watching = is_seen
        if is_seen:
            self._look()
        else:
            self._timer.stop()
            self._asking.cancel()

    def _look(self) -> None:
        if not self._asking.is_running:
            self._asking.start(self._bring())

    def _try_again(self) -> None:
        self.page.load_again()
        self._look()

    async def _bring(self) -> None:
        started = clock.monotonic_seconds()
        if not self._context.window.isMinimized():
            await self._ask()
        self._timer.start(max(EVERY_MS, round(REST * 1000 * (clock.monotonic_seconds() - started))))

    async def _ask(self) -> None:
        held = self._context.library.held
        last = self._context.troubles.last
        names = {agent.agent: agent.name for agent in self._context.indexing.agents}
        try:
            health = await held.health()
            audit = await held.audit(RECORDS)
            status = await self._context.library.vaulted.status()
        except HoldfastError as error:
            self.page.fail(str(error))
            return
        now = clock.now()
        self.page.set_health(
            health,
            audit,
            names=names,
            now=now,
            last_problem=last.message if last is not None else "",
            vault=vault_state(status, self._context.library.vaulted.last_report, now),
        )

    def _go_to(self, kind: str) -> None:
        if kind == STORAGE.kind:
            self._context.actions.run("storage.open")
            return
        places = self._context.window.places
        place = next((place for place in places.places() if place.kind == kind), None)
        if place is not None:
            places.choose(place)
        else:
            self._context.toast.say(tr("There is nothing there any more"))
