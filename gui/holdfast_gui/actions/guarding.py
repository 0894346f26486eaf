"""What the vault knows, as the whole window shows it: how safe all is, what agents will delete, versions, losses.

Nothing of it is asked for before the first paint; all of it is read in threads.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec
from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import is_held_id
from PySide6.QtCore import QObject, QTimer, Signal

from holdfast_gui.models.vault import COMPARE, RESTORE, status_lines
from holdfast_gui.models.versions import version_line, version_title
from holdfast_gui.tasks import Latest
from holdfast_gui.text import tr
from holdfast_gui.views.notice import NoticeAction, NoticeBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast_core.library import Library
    from holdfast_core.model.changes import ChangeSet, ScanProgress
    from holdfast_core.model.session import SessionEntry
    from holdfast_core.model.vault import Expiring, VaultStatus, Version
    from holdfast_core.settings import Settings

    from holdfast_gui.actions.reading import Reading
    from holdfast_gui.models.vault import StatusLines
    from holdfast_gui.tasks import Scope
    from holdfast_gui.views.window import MainWindow

log = logging.getLogger(__name__)

BACK_TO_NOW: Final = "vault.back_to_now"
SOON_MS: Final = 1500
LATER_MS: Final = 20_000
OFTEN_MS: Final = 600_000
EXPIRING_DAYS: Final = 7.0


class Guarding(QObject):
    """``changed`` tells that the vault was looked at anew, ``expiring_found`` what agents will delete soon."""

    changed = Signal()
    expiring_found = Signal()

    def __init__(self, window: MainWindow, library: Library, scope: Scope, *, reading: Reading) -> None:
        super().__init__(window)
        self.status: VaultStatus | None = None
        self.lost = 0
        """How many sessions have lost something at the source."""
        self.expiring: dict[str, Expiring] = {}
        self.expiring_entries: Sequence[SessionEntry] = ()
        self.versions: Sequence[Version] = ()
        """Those of the open session, the newest first."""
        self.undone: set[str] = set()
        """Sessions that the person gave back to their agents as these had them: what that takes away is no news."""
        self.is_verifying = False
        self.version_bar = NoticeBar(flows=True)
        self._unkept = 0
        self._settings: Settings | None = None
        self._window, self._library, self._scope, self._reading = window, library, scope, reading
        self._looking = Latest(scope, "the vault")
        self._detailing = Latest(scope, "versions")
        self._is_behind = False
        self._is_begun = False
        self._is_scanning = False
        self._looks_for_expiring = True
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.look)
        self._often = QTimer(self)
        self._often.setInterval(OFTEN_MS)
        self._often.timeout.connect(lambda: self.look(expiring=True))
        window.add_bar(self.version_bar)
        self.version_bar.dismissed.connect(reading.back_to_now)

    @property
    def read_number(self) -> int | None:
        """The number of the version that stands in the transcript, None for the session itself."""
        return self._reading.version.number if self._reading.version is not None else None

    async def begin(self) -> None:
        """Look from now on, when something changes and every few minutes."""
        self._is_begun = True
        self._often.start()
        self.show_detail()
        await self._look()

    def close(self) -> None:
        """Stop looking."""
        self._is_begun = False
        self._soon.stop()
        self._often.stop()

    def use_settings(self, settings: Settings) -> None:
        """Look again, as the vault may be elsewhere, off, or leave something out now."""
        self._settings = settings
        self.look(expiring=True)

    def look(self, *, expiring: bool = False) -> None:
        """Look again, once however much changes meanwhile; with ``expiring`` at the agents' directories too."""
        self._looks_for_expiring |= expiring
        if not self._is_begun:
            return
        if self._looking.is_running:
            self._is_behind = True
        else:
            self._looking.start(self._look())

    def hear(self, change: ChangeSet) -> None:
        """Look again: soon if there are others now or something was lost, else later; the open session at once."""
        if not self._is_scanning:
            self._look_in(SOON_MS if change.added or change.removed or change.lost else LATER_MS)
        if self._reading.session_id in change.changed + change.removed:
            self.show_detail()

    def progress(self, progress: ScanProgress) -> None:
        """Look again when all agents' files were looked through."""
        self._is_scanning = not progress.is_done
        if progress.is_done:
            self._look_in(SOON_MS)

    def _look_in(self, milliseconds: int) -> None:
        if not self._soon.isActive() or self._soon.remainingTime() > milliseconds:
            self._soon.start(milliseconds)

    def show_detail(self) -> None:
        """Bring the versions of the open session in line with the vault."""
        self._show_version_bar()
        session_id = self._reading.session_id
        if not session_id or is_held_id(session_id) or self._reading.loaded is None or not self._is_begun:
            self.versions = ()
            return
        self._detailing.start(self._show_detail(session_id))

    async def _show_detail(self, session_id: str) -> None:
        try:
            versions = await self._library.vaulted.versions(session_id)
        except HoldfastError as error:
            log.info("the versions of a session cannot be listed: %s", error.detail)
            versions = []
        if self._reading.session_id != session_id or self._reading.entry is None:
            return
        self.versions = versions
        read = self.read_number or 0
        self._window.detail.set_versions(self._reading.entry, versions, clock.now(), read=read)
        self._reading.know(tuple(versions), self.expiring.get(session_id))
        self._show_version_bar()

    def _show_version_bar(self) -> None:
        version = self._reading.version
        if version is None:
            self.version_bar.hide()
            return
        words = version_line(version, len(self.versions) or version.number, clock.now())
        name = f"“{version.tag}” · " if version.tag else ""
        self.version_bar.show_notice(
            words,
            f"{name}{version_title(version)}",
            kind="info",
            actions=(
                NoticeAction(COMPARE, tr("Compare with now")),
                NoticeAction(RESTORE, tr("Restore…")),
                NoticeAction(BACK_TO_NOW, tr("Back to now"), is_primary=True),
            ),
        )

    async def _look(self) -> None:
        self._is_behind = True
        while self._is_behind:
            self._is_behind = False
            try:
                self.status = _honest(await self._library.vaulted.status())
                self._unkept = await self._library.vaulted.unkept()
                self.lost = len(await self._library.keys("is:lost"))
                if self._looks_for_expiring:
                    await self._look_for_expiring()
            except (HoldfastError, OSError) as error:
                log.info("the vault cannot be looked at: %s", getattr(error, "detail", type(error).__name__))
                break
            self._window.places.status.set_vault(self._lines)
        self.changed.emit()

    async def _look_for_expiring(self) -> None:
        found = await self._library.vaulted.expiring(within_days=self._days)
        entries = await self._library.vaulted.entries([one.session_id for one in found])
        listed = {entry.id for entry in entries}
        self._looks_for_expiring = False
        self.expiring = {one.session_id: one for one in found if one.session_id in listed}
        self.expiring_entries = entries
        self._window.places.set_expiring(sum(one.days_left <= EXPIRING_DAYS for one in self.expiring.values()))
        self._reading.know(tuple(self.versions), self.expiring.get(self._reading.session_id))
        self.expiring_found.emit()

    @property
    def _days(self) -> float:
        """How long before it happens a deletion is shown: a week, or as long as the person wants to be told."""
        return max(EXPIRING_DAYS, float(self._settings.warn_deletion_days if self._settings else 0))

    def _lines(self, sessions: int) -> StatusLines:
        assert self.status is not None
        return status_lines(self.status, sessions, clock.now(), unkept=self._unkept, lost=self.lost)


def _honest(status: VaultStatus) -> VaultStatus:
    """Return a status that knows of too little space also where another process is the one that captures."""
    is_short = status.is_paused_for_space or status.free_bytes < status.reserve_bytes
    return msgspec.structs.replace(status, is_paused_for_space=is_short)
