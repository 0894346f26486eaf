"""Tidies the vault and verifies it every so many days, when there is nothing else to do, with the least priority."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast_core.library.parts import Parts
    from holdfast_core.model.changes import ScanProgress
    from holdfast_core.model.vault import VaultReport, VaultStatus

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1200.0
_DAY_MS: Final = 86_400_000
_NICENESS: Final = 19
_BUSY_SHARE: Final = 0.5
_BREATH_SECONDS: Final = 0.5
_TIDY_SECONDS: Final = 2.0
_PATIENCE: Final = 2
"""How many times as long verifying may wait for a machine that is never idle."""


class Minding:
    """One round of care at a time, in a thread of its own that gives way to everything else.

    ``on_report`` is called in the loop's thread with what was found.
    """

    def __init__(self, parts: Parts, on_report: Callable[[VaultReport], object]) -> None:
        self._parts = parts
        self._on_report = on_report
        self._stop = threading.Event()
        self._is_scanning = False
        self._is_unfinished = False

    async def run(self) -> None:
        """Look again and again what is to be done, until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """Let a verifying that runs end after the source that it is at; what was verified counts."""
        self._stop.set()

    def hear(self, progress: ScanProgress) -> None:
        """Give way while agents' files are read."""
        self._is_scanning = not progress.is_done

    async def look(self) -> VaultReport | None:
        """Tidy, and verify if it is due, while nothing else is going on; what fails is due again.

        Returns what verifying has found, None if there was none.
        """
        if self._stop.is_set() or self._is_scanning or not self._parts.vault_directory.is_dir():
            return None
        try:
            report = await self._in_own_thread()
        except (HoldfastError, OSError) as error:
            log.info("the vault could not be cared for by itself: %r", error)
            return None
        if report is not None:
            self._is_unfinished = not report.is_complete
            self._on_report(report)
        return report

    async def _in_own_thread(self) -> VaultReport | None:
        """Run in a thread that need not end before the process does: a pool's would hold it up."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[VaultReport | None] = loop.create_future()

        def tell(report: VaultReport | None, error: BaseException | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(report)

        def work() -> None:
            _be_nice()
            report, error = None, None
            try:
                report = self._care()
            except (HoldfastError, OSError) as failure:
                error = failure
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, report, error)

        threading.Thread(target=work, name="care of the vault", daemon=True).start()
        return await done

    def _care(self) -> VaultReport | None:
        vault, days = self._parts.vault(), self._parts.settings.vault_verify_days
        status, now_ms = vault.status(), clock.now_ms()
        if not is_idle() and not is_due(status, days=_PATIENCE * days, now_ms=now_ms):
            return None
        while not vault.tidy(_TIDY_SECONDS) and not self._should_stop():
            pass
        if not self._is_unfinished and not is_due(status, days=days, now_ms=now_ms):
            return None
        return vault.verify(should_stop=self._should_stop)

    def _should_stop(self) -> bool:
        """Wait while agents' files are read, and return whether to end."""
        while self._is_scanning and not self._stop.is_set():
            self._stop.wait(_BREATH_SECONDS)
        return self._stop.is_set()


def is_due(status: VaultStatus, *, days: int, now_ms: int) -> bool:
    """Return whether the vault, if there is anything in it, was verified so many days ago or never; 0 days is never.

    A locked vault is not: what can be read of it without its key is no proof.
    """
    if not days or not status.sources or status.is_locked:
        return False
    oldest_ms = status.last_verified_ms if status.unverified else status.verified_ms
    return now_ms - oldest_ms >= days * _DAY_MS


def is_idle() -> bool:
    """Return whether the machine has little to do; where a system does not tell, it counts as idle."""
    if sys.platform == "win32":
        return True
    try:
        return os.getloadavg()[0] <= _BUSY_SHARE * (os.cpu_count() or 1)
    except OSError:
        return True


def _be_nice() -> None:
    """Let this thread give way to everything else; Linux knows priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
