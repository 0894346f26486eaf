"""Writes held sessions anew under the keys of now: after a new key, and when encryption begins or ends."""

from __future__ import annotations

from holdfast_core.store.backup import prune
from holdfast_core.store.reader import read
from holdfast_core.store.site import Site, told_when_failing
from holdfast_core.store.writer import write


def reseal(site: Site, session_id: str, *, keep_backups: bool = True) -> None:
    """Write one session whole as it is; without ``keep_backups`` those that were sealed before go.

    Raises:
        NotFound: there is no such session.
        Refused: it is encrypted and locked.
        HoldfastError: it could not be read or written; it is as it was.
    """
    path = site.places.session(session_id)
    with told_when_failing(path), site.lock(session_id):
        stored = read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
        before = site.manifest.seen(session_id)
        failures = before.entry.failures if before else 0
        site.manifest.put(write(site, stored.session, generation=stored.position.generation, failures=failures))
    prune(site, session_id, keep=None if keep_backups else 0)


def scrub(site: Site) -> None:
    """Leave nothing in the manifest's files of what it said before; its copy goes.

    Raises:
        HoldfastError: they could not be written.
    """
    site.manifest.scrub()
    with told_when_failing():
        site.places.manifest_copy.unlink(missing_ok=True)
