"""The searches that the person keeps: written down at once, and counted when the index rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.errors import IndexBroken, WrongUsage
from PySide6.QtCore import QObject

from holdfast_gui.tasks import Latest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast_gui.actions.context import Context
    from holdfast_gui.models.places import SavedSearch


class SavedSearches(QObject):
    """Keeps the counts beside saved searches in line with the index."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._counting = Latest(context.scope, "count saved searches")

    def keep(self, _searches: list[SavedSearch]) -> None:
        """Remember the searches, also for a window that does not come to its end, and count them."""
        self._context.remember()
        self._start()

    def count(self) -> None:
        """Count again, unless much is changing: a search of the person's goes first."""
        if not self._context.indexing.is_scanning:
            self._start()

    def _start(self) -> None:
        searches = self._context.window.places.saved_searches
        if searches:
            self._counting.start(self._count([search.query_text for search in searches]))

    async def _count(self, queries: Iterable[str]) -> None:
        counts = {}
        for query in queries:
            try:
                counts[query], _ = await self._context.library.count(query)
            except (WrongUsage, IndexBroken):  # the language has changed, or the index is built again: no number then
                continue
        self._context.window.places.set_saved_counts(counts)
