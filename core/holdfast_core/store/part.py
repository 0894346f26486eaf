"""What the parts of a store share: what they work on, and whom they tell."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.changes import ChangeSet
from holdfast_core.observe import Observers
from holdfast_core.store.site import Site


class Part:
    """One part of an open store. ``changes`` tells in the thread of whoever changed something."""

    def __init__(self, site: Site) -> None:
        """Use `Store.open`."""
        self.site = site
        self.changes: Observers[ChangeSet] = Observers()

    def _tell(self, *, added: Sequence[str] = (), changed: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        changes = ChangeSet(added=tuple(added), changed=tuple(changed), removed=tuple(removed))
        if changes:
            self.changes.notify(changes)
