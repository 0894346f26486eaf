"""What belongs to a version of a source: its content, and the files that lay beside it at that time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from holdfast_core import clock
from holdfast_core.agents._walk import is_behind_link
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.errors import NotFound
from holdfast_core.model.vault import WITHOUT_CONTENT, Version
from holdfast_core.vault.opened import is_open
from holdfast_core.vault.putting import Put, digest_at, digest_of
from holdfast_core.vault.vault import Vault

SQLITE = b"SQLite format 3\0"
_DATABASE_PARTS = ("-wal", "-shm", "-journal")


def chosen_version(vault: Vault, ref: SourceRef, number: int | None) -> Version:
    """Return a version of a source that has content: that of a number, else the one with most of the session.

    Raises:
        NotFound: there is none.
    """
    having = [version for version in vault.versions(ref.agent, ref.key) if version.reason not in WITHOUT_CONTENT]
    if number is None:
        found = next((version for version in having if version.is_best), having[-1] if having else None)
    else:
        found = next((version for version in having if version.number == number), None)
    if found is None:
        raise NotFound("There is no such version of this session.", detail=f"version {number}")
    return found


def content_of(vault: Vault, ref: SourceRef, version: Version, repaired: bytes | None) -> Callable[[], Iterator[bytes]]:
    """Return what gives the bytes of a version, or those that are to be put in their place."""
    if repaired is not None:
        return lambda: iter((repaired,))
    return lambda: vault.content(ref.agent, ref.key, version.number)


def companions_of(vault: Vault, agent: Agent, ref: SourceRef, home: Home, version: Version) -> list[Put]:
    """Return the companions that must be written: those that are gone, and own ones that are others now."""
    shared = set(agent.index_places(ref, home))
    roots = agent.roots(home)
    tops = [*roots, *(root.parent for root in roots)]  # a root itself may be a link
    found = []
    for put in kept_beside(vault, ref, version, shared):
        top = next((str(top) for top in tops if put.path.is_relative_to(top)), "")
        is_safe = put.path in shared or (top and not is_behind_link(str(put.path), top))
        if not is_safe or put.path.is_symlink():
            continue
        if put.is_later or put.path in shared or _is_database(put):
            if os.path.lexists(put.path) or has_parts(put.path):
                continue
        elif digest_at(put.path) == digest_of(put.content()):
            continue
        if not is_open(put.path):
            found.append(put)
    return found


def kept_beside(vault: Vault, ref: SourceRef, version: Version, shared: Iterable[Path] = ()) -> list[Put]:
    """Return what belonged to a source until its next version came, and lists that it shares with others."""
    later = (one.captured_ms for one in vault.versions(ref.agent, ref.key) if one.number > version.number)
    end_ms = min(later, default=clock.now_ms() + 1)
    found = []
    own = {state.path: state for state in vault.companions(ref.agent, ref.key)}
    listed = {str(path): vault.state(ref.agent, str(path)) for path in shared}
    for state in (own | {path: state for path, state in listed.items() if state is not None}).values():
        having = [one for one in vault.versions(ref.agent, state.key) if one.reason not in WITHOUT_CONTENT]
        before = [one for one in having if one.captured_ms < end_ms]
        for one in before[-1:] or having[:1]:
            inner = SourceRef(ref.agent, state.key, state.path, state.fingerprint)
            content = content_of(vault, inner, one, None)
            found.append(Put(Path(state.path), state.key, content, one.modified_ms, is_later=not before))
    return found


def has_parts(database: Path) -> bool:
    """Return whether parts of a database stand beside its place."""
    return any(os.path.lexists(database.with_name(database.name + ending)) for ending in _DATABASE_PARTS)


def _is_database(put: Put) -> bool:
    return next(put.content(), b"").startswith(SQLITE)
