"""How held sessions come into the index and leave it: through the indexer where one works, else in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.model.held import HELD_AGENT

if TYPE_CHECKING:
    from holdfast_core.agents.base import Home
    from holdfast_core.library import Library
    from holdfast_core.paths import Paths
    from holdfast_core.scan.process import IndexerProcess

_ANSWER_SECONDS = 2.0
_LOCK_SECONDS = 30.0


class Showing:
    """Held sessions in the index of one library."""

    def __init__(
        self, library: Library, paths: Paths, home: Home, indexer: Callable[[], IndexerProcess | None]
    ) -> None:
        self._library = library
        self._paths = paths
        self._home = home
        self._indexer = indexer

    async def changed(self, files: Sequence[Path]) -> None:
        """Show what changed in these files of held sessions."""
        from holdfast_core.scan.once import take_in_once

        if (indexer := self._indexer()) is not None:
            await indexer.annotate(timeout_seconds=_ANSWER_SECONDS, held=files)
        elif self._has_index:
            names = [str(file) for file in files]
            sources = {HELD_AGENT: self._library.held.indexed}
            is_whole = await self._library.in_thread(
                lambda: take_in_once(self._paths, sources, self._home, names, timeout_seconds=_ANSWER_SECONDS)
            )
            if not is_whole:
                await self._library.update()

    async def unlocked(self, secret: str) -> None:
        """Show the text of encrypted sessions where the settings want that; with an empty ``secret`` of no more."""
        if (indexer := self._indexer()) is not None:
            indexer.unlock(secret)
        elif secret and self._library.held.indexed.shows_encrypted:
            await self.anew()

    async def anew(self) -> None:
        """Have all held sessions read again as the settings want them now; an indexer does so by itself.

        Raises:
            Refused: another process is writing to the index.
        """
        from holdfast_core.scan.once import read_held_once

        if self._indexer() is None and self._has_index:
            source = self._library.held.indexed
            await self._library.in_thread(
                lambda: read_held_once(self._paths, source, self._home, timeout_seconds=_LOCK_SECONDS)
            )

    async def gone(self) -> None:
        """Let nothing of sessions that were removed for good stay in the files of the index; an indexer does so idly.

        Raises:
            Refused: another process is writing to the index.
        """
        from holdfast_core.scan.once import tidy_once

        if self._indexer() is None and self._has_index:
            await self._library.in_thread(lambda: tidy_once(self._paths, timeout_seconds=_LOCK_SECONDS))

    @property
    def _has_index(self) -> bool:
        from holdfast_core.index.database import CATALOG

        return (self._paths.index / CATALOG).exists()
