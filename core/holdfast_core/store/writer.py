"""Writes one held session whole: validated, without secrets, in one step; the former file becomes a backup."""

from __future__ import annotations

import os
from typing import Literal

from holdfast_core.model.held import HeldSession
from holdfast_core.sealed import container
from holdfast_core.sealed.container import Identity
from holdfast_core.store.document import encode
from holdfast_core.store.listing import entry_of
from holdfast_core.store.manifest import FileMark, Seen
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.site import Site

Reason = Literal["save", "migration", "restore", "delete", "repair", "request"]


def write(
    site: Site, session: HeldSession, *, generation: int | None, reason: Reason = "save", failures: int = 0
) -> Seen:
    """Write a session in the place of ``generation``, None if it must be new; the caller holds its lock.

    Returns it as it is in the file; the manifest is the caller's to tell.

    Raises:
        Refused: it is larger than its limit, or another generation stands there.
        DocumentError: a field is of a wrong type.
        OSError: it could not be written; what was there is unchanged.
    """
    path = site.places.session(session.id)
    frames = list(encode(session, limit_bytes=site.limits.session_bytes))
    plain_bytes = sum(map(len, frames))
    backup = None
    if generation is not None:
        backup = site.places.backup(session.id, generation, reason)
        backup.parent.mkdir(mode=0o700, exist_ok=True)
    is_encrypted = site.keys.is_encrypted
    position = container.write(
        path,
        site.keys,
        Identity(RECORD_TYPE, session.id),
        frames,
        expected_generation=generation,
        backup=backup,
        encrypt=is_encrypted,
    )
    site.distrusted.discard(session.id)
    mark = FileMark.of(os.lstat(path))
    entry = entry_of(session, size_bytes=position.offset, is_encrypted=is_encrypted, failures=failures)
    return Seen(entry, position, mark, position.offset, plain_bytes)
