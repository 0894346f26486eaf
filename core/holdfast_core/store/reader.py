"""Reads one held session from its file, verified."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from holdfast_core.atomic import read_bytes
from holdfast_core.errors import HoldfastError, Locked, NotFound
from holdfast_core.model.held import SCHEMA_VERSION, HeldSession
from holdfast_core.sealed.container import Container, Identity, Position
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import HEADER_MAX_BYTES, header_bytes, unpack_header
from holdfast_core.sealed.seal import open_sealed
from holdfast_core.store.document import Document, decode
from holdfast_core.store.fitting import DocumentError, Notice
from holdfast_core.store.listing import entry_of
from holdfast_core.store.manifest import FileMark, Seen
from holdfast_core.store.places import RECORD_TYPE

CORRUPT = frozenset({"not_a_container", "bad_tag", "truncated", "wrong_identity"})
"""The reasons of a `SealedError` that say that a file's bytes are not what was written."""


class Stored(NamedTuple):
    """A session as it stands in its file.

    ``tail_messages`` stood in the journal alone, ``dropped_bytes`` are those
    of a record that was cut off; if ``is_damaged``, genuine records stand
    behind it, which can no more be followed.
    """

    session: HeldSession
    position: Position
    mark: FileMark
    notices: tuple[Notice, ...]
    schema_version: int
    tail_messages: int
    dropped_bytes: int
    is_damaged: bool
    is_encrypted: bool
    base_bytes: int
    plain_bytes: int

    def seen(self, *, failures: int = 0) -> Seen:
        """Return this as the manifest keeps it."""
        entry = entry_of(
            self.session, size_bytes=self.position.offset, is_encrypted=self.is_encrypted, failures=failures
        )
        is_ready = self.schema_version == SCHEMA_VERSION and not self.dropped_bytes
        base_bytes = self.base_bytes if is_ready else -1
        return Seen(entry, self.position, self.mark, base_bytes, self.plain_bytes)


def read(path: Path, keys: Keys, session_id: str, *, limit_bytes: int) -> Stored:
    """Read the session of this id from ``path``; a torn end is no error.

    Raises:
        NotFound: there is none.
        Refused: it is encrypted and locked, or a newer version of Holdfast wrote it.
        SealedError: it is not what was written, or larger than ``limit_bytes``.
        DocumentError: its content is not valid.
        HoldfastError: it cannot be read.
    """
    try:
        mark = FileMark.of(os.lstat(path))
        container = Container.open(path, keys, Identity(RECORD_TYPE, session_id), limit_bytes=limit_bytes)
        document = _document(container)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise not_found(session_id) from error
    except OSError as error:
        raise HoldfastError(
            "This session cannot be read. Check the permissions of its directory.", detail=repr(error)
        ) from error
    if document.session.id != session_id:
        raise DocumentError("id", "is that of another session")
    return Stored(
        document.session,
        container.position,
        mark,
        document.notices,
        document.schema_version,
        document.tail_messages,
        container.dropped_bytes,
        container.is_damaged,
        container.is_encrypted,
        container.base.offset,
        container.plain_bytes,
    )


def claimed_id(path: Path) -> str:
    """Return whose session a file says it is: to be believed once it was read as that.

    Raises:
        SealedError: it is no file of ours.
        OSError: it cannot be read.
    """
    descriptor = open_sealed(path)
    try:
        start = read_bytes(descriptor, HEADER_MAX_BYTES)
    finally:
        os.close(descriptor)
    return unpack_header(start[: header_bytes(start)]).identity.record_id


def not_found(session_id: str) -> NotFound:
    """Return the one answer for a session that is not there."""
    return NotFound("There is no such session.", detail=session_id)


def _document(container: Container) -> Document:
    try:
        return decode(container.frames(), container.tail())
    except SealedError as error:
        if error.reason == "locked":
            raise Locked("This session is encrypted. Unlock your sessions to open it.", detail=error.detail) from error
        raise
