"""The store of held sessions: one for each process, for all its threads."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.atomic import remove_stale
from holdfast_core.model.keeping import StartSummary
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.care import Care
from holdfast_core.store.check import check, remember
from holdfast_core.store.disposal import Disposal
from holdfast_core.store.limits import Limits
from holdfast_core.store.manifest import open_manifest
from holdfast_core.store.places import Places
from holdfast_core.store.redaction import Redact, Redaction, unchanged
from holdfast_core.store.sessions import Sessions
from holdfast_core.store.site import Site, told_when_failing


class Store(Sessions, Disposal, Care):
    """Held sessions in one directory.

    What names a session raises WrongUsage for what is no id, before anything
    is opened, and NotFound if there is no such session. What changes one
    raises HoldfastError if it could not be written: then it is as it was.
    """

    def __init__(self, site: Site, *, remembered: Path) -> None:
        """Use `open` instead."""
        super().__init__(site)
        self._remembered = remembered

    @classmethod
    def open(
        cls,
        directory: Path,
        keys: Keys,
        *,
        limits: Limits | None = None,
        redact: Redact = unchanged,
        remembered: Path | None = None,
    ) -> Store:
        """Open the store in ``directory``, made for this person alone.

        ``redact`` takes secrets out of every text before it is written.
        ``remembered`` is a file outside the directory that knows how far the
        store had come; beside the directory unless given.

        Raises:
            HoldfastError: the directory cannot be used.
        """
        places = Places(directory.absolute())
        remembered = remembered or directory.with_name(f".{directory.name}.seen")
        with told_when_failing(directory):
            places.create()
            for place in (directory, places.trash, places.quarantine, remembered.parent):  # nothing begins elsewhere
                remove_stale(place)
        manifest = open_manifest(places.manifest, places.quarantine)
        site = Site(places, keys, limits or Limits(), Redaction(redact), manifest)
        return cls(site, remembered=remembered)

    def check(self) -> StartSummary:
        """Check the store and put right what can be; once at the start, before the first list."""
        found = check(self.site, remembered=self._remembered)
        self._tell(
            added=found.orphaned_files, changed=found.recovered, removed=(*found.orphaned_entries, *found.quarantined)
        )
        return found

    def shut(self) -> None:
        """Remember how far the store has come, and close it."""
        try:
            with told_when_failing(self._remembered):
                remember(self.site, self._remembered)
        finally:
            self.site.manifest.close()
