"""What the first page lets a person choose: kept in the settings, and what was kept meanwhile let go of again."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject, QTimer

from holdfast_gui.actions.application import open_settings
from holdfast_gui.tasks import Latest
from holdfast_gui.text import counted, size, tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

ENABLED, LEFT_OUT = "vault_enabled", "vault_left_out"
REST_MS: Final = 800
_FIXED: Final = ("environment", "command line")


class Welcoming(QObject):
    """Keeps the first page in line with the settings, and these with the page."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._page = page = context.window.first_run
        self._estimating = Latest(context.scope, "what keeping takes")
        self.order = asyncio.Lock()
        """Held while what was chosen is carried out."""
        self._wanted: dict[str, Any] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._keep)
        page.keeping_changed.connect(self._want)
        page.settings_wanted.connect(context.scope.slot(lambda: open_settings(context, "vault")))
        page.done_pressed.connect(self._keep)
        context.indexing.counted.connect(self._show_projects)

    def look(self) -> None:
        """Show what counts and how much it takes."""
        if not self._estimating.is_running:
            self._estimating.start(self._bring())

    async def _bring(self) -> None:
        context = self._context
        read = await context.read_settings()
        can_change = not {read.sources[ENABLED], read.sources[LEFT_OUT]} & set(_FIXED)
        settings = read.settings
        self._page.set_kept(is_on=settings.vault_enabled, left_out=settings.vault_left_out, can_change=can_change)
        await self._bring_projects()
        self._page.set_estimate(await context.library.vaulted.estimate())

    def _show_projects(self) -> None:
        if self._page.isVisible():
            self._context.scope.spawn(self._bring_projects(), "projects of the first page")

    async def _bring_projects(self) -> None:
        self._page.set_projects((await self._context.library.places()).projects)

    def _want(self, is_on: bool, left_out: tuple[str, ...]) -> None:
        self._wanted = {ENABLED: is_on, LEFT_OUT: left_out}
        self._timer.start()

    def _keep(self) -> None:
        """Let what was chosen count, once for several switches in quick succession."""
        self._timer.stop()
        wanted, self._wanted = self._wanted, {}
        if wanted:
            self._context.scope.spawn(self._choose(wanted), "what is kept")

    async def _choose(self, wanted: dict[str, Any]) -> None:
        from holdfast_core.settings import change_setting

        context = self._context
        async with self.order:
            before = (await context.read_settings()).settings
            gone = set(wanted[LEFT_OUT]) - set(before.vault_left_out)
            is_off = before.vault_enabled and not wanted[ENABLED]
            try:
                for key, value in wanted.items():
                    if getattr(before, key) != value:
                        write = partial(change_setting, context.paths, key, value)
                        await asyncio.get_running_loop().run_in_executor(None, write)
                await context.follow_settings()
                if gone or is_off:
                    await self._forget(None if is_off else sorted(gone))
            except HoldfastError as error:
                context.troubles.tell(str(error))
                self.look()

    async def _forget(self, left_out: list[str] | None) -> None:
        library = self._context.library
        done = await library.vaulted.forget(left_out, since_ms=library.started_ms)
        if done.sources:
            files = counted(done.sources, "session file", "session files")
            words = tr("{size} that were kept of {files} are removed again").format(size=size(done.bytes), files=files)
            self._context.toast.say(words)


def listen(context: Context) -> None:
    """Make it when the first page comes into sight."""

    def begin() -> None:
        (context.window.findChild(Welcoming) or Welcoming(context)).look()

    context.window.first_run.looked_at.connect(begin)
