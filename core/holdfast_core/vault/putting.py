"""Files that are put back one after the other, all or none: never over anything that the vault does not have."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from holdfast_core.agents.base import Agent, fingerprint_at
from holdfast_core.atomic import open_regular, sync_directory, write_file
from holdfast_core.errors import HoldfastError, NotNow, Refused
from holdfast_core.model.repair import RestoreUndo, UndoPiece
from holdfast_core.paths import make_private, path_text, text_path
from holdfast_core.vault.vault import Vault

_PIECE_BYTES = 1 << 20
_CHANGED = "The agent has just changed this session. Try again in a moment."


class Put(msgspec.Struct, frozen=True):
    """One file that is to be put back: where, out of which strand, what it holds, and when it was last changed.

    ``is_later``: it came after the version that it is put back with.
    """

    path: Path
    key: str
    content: Callable[[], Iterator[bytes]]
    modified_ms: int
    is_later: bool = False


def put_all(
    vault: Vault,
    agent: Agent,
    session_id: str,
    puts: Sequence[Put],
    *,
    replaced: Path | None = None,
    modified_ms: int = 0,
) -> RestoreUndo:
    """Write files one after the other, the source last; on failure those that were written are put back."""
    pieces: list[UndoPiece] = []
    try:
        for put in puts:
            piece = _before(vault, agent.id, put)
            digest = hashlib.sha256()
            _make_parents(put.path)
            try:
                write_file(put.path, _unchanged(piece, _digesting(put.content(), digest)))
            finally:
                pieces.append(msgspec.structs.replace(piece, digest=digest.hexdigest()))
            give_date(put.path, (modified_ms or put.modified_ms) * 1_000_000)
        if replaced is not None and replaced != puts[-1].path and os.path.lexists(replaced):
            # Another form of the same session: the agent would see only one of them.
            last = puts[-1]
            pieces.append(_before(vault, agent.id, msgspec.structs.replace(last, path=replaced)))
            replaced.unlink()
            sync_directory(replaced.parent)
    except BaseException:
        for piece in reversed(pieces):
            with suppress(HoldfastError, OSError):
                if _is_ours(piece):
                    put_back(vault, agent.id, [piece])
        raise
    return RestoreUndo(agent.id, session_id, tuple(pieces))


def put_back(vault: Vault, agent: str, pieces: Sequence[UndoPiece]) -> None:
    """Put back what stood in some places, the last one first; where nothing stood nothing stays."""
    for piece in reversed(pieces):
        path = piece.place
        if piece.version:
            write_file(path, vault.content(agent, text_path(piece.key), piece.version))
            give_date(path, piece.modified_ns)
        else:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_directory(path.parent)


def give_date(path: Path, modified_ns: int) -> None:
    """Give a file the date by which its agent sorts it; one that cannot be set is no failure."""
    if modified_ns > 0:
        with suppress(OSError):
            os.utime(path, ns=(modified_ns, modified_ns))


def digest_at(path: Path) -> str:
    """Return the SHA-256 of a plain file, empty for none."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return ""
    try:
        return digest_of(iter(lambda: os.read(descriptor, _PIECE_BYTES), b""))
    finally:
        os.close(descriptor)


def digest_of(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 of some bytes."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _before(vault: Vault, agent: str, put: Put) -> UndoPiece:
    """Return what stands in a place now, which must be in the vault as it is.

    Raises:
        NotNow: it changed after it was captured.
        Refused: it never was.
    """
    if not os.path.lexists(put.path):
        return UndoPiece(path_text(str(put.path)), path_text(put.key), 0, "")
    state = vault.state(agent, put.key)
    now = fingerprint_at(str(put.path))
    if state is None:
        raise Refused("The vault does not have what the agent has now, so nothing was put in its place.")
    seen = state.fingerprint
    if state.is_gone or (seen.size_bytes, seen.modified_ns) != (now.size_bytes, now.modified_ns):
        raise NotNow(_CHANGED, detail=str(put.path))
    return UndoPiece(path_text(str(put.path)), path_text(put.key), state.newest_version, "", now.modified_ns)


def _unchanged(piece: UndoPiece, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is to be written, and look at the very end whether what it replaces is still what is in the vault.

    Raises:
        NotNow: it is not; nothing was replaced.
    """
    yield from chunks
    now_ns = fingerprint_at(str(piece.place)).modified_ns if os.path.lexists(piece.place) else 0
    if now_ns != piece.modified_ns:
        raise NotNow(_CHANGED, detail=piece.path)


def _is_ours(piece: UndoPiece) -> bool:
    """Return whether a place is as it was made here: what was not written yet, or has changed since, is left alone."""
    return digest_at(piece.place) == piece.digest if piece.digest else not os.path.lexists(piece.place)


def _make_parents(path: Path) -> None:
    """Make the directories of a file, for this person alone; a name that was given survives a power cut."""
    missing = [folder for folder in path.parents if not folder.is_dir()]
    make_private(path.parent)
    for folder in missing:
        sync_directory(folder.parent)


def _digesting(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
