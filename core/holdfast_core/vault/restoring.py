"""Giving versions back: to the agent, in the place where it looks for them, or to a path. What stood there is kept."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from holdfast_core import clock
from holdfast_core.agents._walk import is_behind_link
from holdfast_core.agents.base import Agent, Home, SourceRef, fingerprint_at
from holdfast_core.atomic import open_regular, sync_directory, write_file
from holdfast_core.errors import HoldfastError, NotFound, NotNow, Refused
from holdfast_core.model.repair import RestoreUndo, UndoPiece
from holdfast_core.model.vault import WITHOUT_CONTENT, Restored, Version
from holdfast_core.paths import make_private
from holdfast_core.vault.opened import is_open
from holdfast_core.vault.vault import Vault

_SQLITE = b"SQLite format 3\0"
_DATABASE_PARTS = ("-wal", "-shm", "-journal")
_PIECE_BYTES = 1 << 20
_DAY_MS = 86_400_000
_TODAY = "Its date is today's: by its own one the agent would have deleted it again."
_CHANGED = "The agent has just changed this session. Try again in a moment."
_NOT_KEPT = "This agent is set to keep no sessions. It will delete this one when it starts."


class _Put(msgspec.Struct, frozen=True):
    """One file that is to be put back: where, out of which strand, what it holds, and when it was last changed.

    ``is_later``: it came after the version that it is put back with.
    """

    path: Path
    key: str
    content: Callable[[], Iterator[bytes]]
    modified_ms: int
    is_later: bool = False


def restore_to_agent(
    vault: Vault,
    agent: Agent,
    ref: SourceRef,
    home: Home,
    *,
    session_id: str,
    capture: Callable[[], None],
    number: int | None = None,
    repaired: bytes | None = None,
) -> tuple[Restored, RestoreUndo]:
    """Put a version where the agent looks for it, with the files that belong to it; returns what undoes that.

    ``number`` is the version, that with the most of the session unless given;
    ``repaired`` is put there instead of its bytes. ``capture`` takes the
    source and its companions into the vault as they are now: nothing is
    written before it has. Companions that others share are put back only
    where they are missing. On failure everything stands as before.

    Raises:
        NotNow: the agent works on it, or it changed meanwhile.
        Refused: it cannot be put there without harm; the message says what can be done instead.
        NotFound: there is no such version.
        HoldfastError, OSError: it is damaged here, or cannot be written.
    """
    version = chosen_version(vault, ref, number)
    head = next(_content(vault, ref, version, repaired)(), b"")
    place = agent.place_for(_in_form(agent, ref, version), head)
    state = vault.state(ref.agent, ref.key)
    _check_place(place, agent, home, known=state.path if state else "")
    is_database = head.startswith(_SQLITE)
    if is_database:
        _check_database(place)
    refuse_in_use(agent, ref, home, {Path(ref.path), place})
    if place != Path(ref.path) and os.path.lexists(place) and os.path.lexists(ref.path):
        raise Refused("The agent has this session in two forms, of which only one can be seen. Look at its folder.")
    capture()
    refuse_in_use(agent, ref, home, {Path(ref.path), place})
    source = _Put(place, ref.key, _content(vault, ref, version, repaired), version.modified_ms)
    puts = [*_companions(vault, agent, ref, home, version), source]
    keep_ms, notes = _rule(agent, home, version)
    undo = _written(vault, agent, session_id, puts, replaced=Path(ref.path), modified_ms=keep_ms)
    before = max((piece.version for piece in undo.pieces if piece.key == ref.key), default=0)
    told = (*notes, *agent.restore_notes(ref, home))
    return Restored(session_id, version.number, str(place), "agent", before or None, told), undo


def restore_to_project(
    vault: Vault, agent: Agent, ref: SourceRef, home: Home, project: str, *, session_id: str, number: int | None = None
) -> tuple[Restored, RestoreUndo]:
    """Put a copy of a version where the agent looks for the sessions of another directory: the project has moved.

    What stands in the old place stays. Files that belong to the session come along if they lie beside it.

    Raises: as `restore_to_agent`; Refused also where the agent does not go by directories.
    """
    place = agent.place_in_project(ref, home, project)
    if place is None:
        raise Refused("This agent cannot be made to find the session in another directory by a copy of its file.")
    version = chosen_version(vault, ref, number)
    _check_place(place, agent, home)
    if os.path.lexists(place):
        raise Refused("The agent has this session in that directory already.")
    folder = Path(ref.path).parent
    beside = [put for put in _kept_beside(vault, ref, version) if put.path.is_relative_to(folder)]
    puts = [msgspec.structs.replace(put, path=place.parent / put.path.relative_to(folder)) for put in beside]
    puts = [put for put in puts if not os.path.lexists(put.path)]
    source = _Put(place, "", _content(vault, ref, version, None), version.modified_ms)
    keep_ms, notes = _rule(agent, home, version)
    undo = _written(
        vault, agent, session_id, [msgspec.structs.replace(put, key="") for put in (*puts, source)], modified_ms=keep_ms
    )
    return Restored(session_id, version.number, str(place), "agent", None, notes), undo


def restore_to_path(
    vault: Vault, ref: SourceRef, path: Path, *, session_id: str, number: int | None = None
) -> Restored:
    """Write the bytes of a version as a new file, never over another one.

    Raises:
        Refused: something is there already, or the folder is not.
        NotFound: there is no such version.
        HoldfastError, OSError: it is damaged here, or cannot be written.
    """
    version = chosen_version(vault, ref, number)
    if not path.parent.is_dir():
        raise Refused("The folder for this file is not there. Make it first, or choose another one.")
    try:
        write_file(path, _content(vault, ref, version, None)(), overwrite=False)
    except FileExistsError as error:
        raise Refused("There is a file of this name already. Choose another name.", detail=str(path)) from error
    _date(path, version.modified_ms * 1_000_000)
    return Restored(session_id, version.number, str(path), "path")


def undo_restore(
    vault: Vault,
    agent: Agent,
    ref: SourceRef,
    home: Home,
    undo: RestoreUndo,
    *,
    capture: Callable[[], None],
    is_forced: bool = False,
) -> None:
    """Put back what stood where a version was restored.

    Raises:
        NotNow: the agent works on it.
        Refused: it was changed since, and it is not ``is_forced``; what was added is in the vault all the same.
        HoldfastError, OSError: what stood there is damaged here, or it cannot be written.
    """
    refuse_in_use(agent, ref, home, {Path(piece.path) for piece in undo.pieces})
    capture()
    if not is_forced and any(piece.digest and _digest_at(Path(piece.path)) != piece.digest for piece in undo.pieces):
        raise Refused("The agent has gone on with this session since. Undoing would take that away from it again.")
    _put_back(vault, agent.id, undo.pieces)


def refuse_in_use(agent: Agent, ref: SourceRef, home: Home, paths: Iterable[Path]) -> None:
    """Raise if the agent works on a source, as far as its marks and the open files of this machine tell.

    Raises:
        NotNow: it does.
    """
    if agent.is_in_use(ref, home) or any(map(is_open, paths)):
        raise NotNow(f"{agent.name} has this session open. End it there, then try again.", detail=ref.path)


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


def _content(vault: Vault, ref: SourceRef, version: Version, repaired: bytes | None) -> Callable[[], Iterator[bytes]]:
    if repaired is not None:
        return lambda: iter((repaired,))
    return lambda: vault.content(ref.agent, ref.key, version.number)


def _in_form(agent: Agent, ref: SourceRef, version: Version) -> SourceRef:
    """Return a source where a version of it lay, if that was in another form; else where it is: it may have moved."""
    is_other = bool(version.path) and Path(version.path).name != Path(ref.path).name
    return msgspec.structs.replace(ref, path=version.path) if is_other and agent.is_form_of(ref, version.path) else ref


def _check_place(place: Path, agent: Agent, home: Home, *, known: str = "") -> None:
    """Refuse a place that is outside of the agent's directories, behind a link, or taken by something else.

    ``known`` is where the vault saw the source: a list that is gone may have told of that directory.
    """
    roots = [str(root) for root in agent.roots(home) if place.is_relative_to(root)]
    if not roots and str(place) == known:
        roots = [str(place.parent.parent)]
    if not roots:
        raise Refused("The agent does not look where this session was any more. Restore it to a path instead.")
    if is_behind_link(str(place), max(roots, key=len)):
        raise Refused("The way to this session's place leads over a link now. Restore it to a path instead.")
    with suppress(OSError):
        mode = place.lstat().st_mode
        if stat.S_ISDIR(mode):
            with suppress(OSError):
                place.rmdir()  # an empty one is nothing; another one stays
                return
        if not stat.S_ISREG(mode):
            raise Refused("Something else stands in this session's place. Move it away, then try again.")


def _check_database(place: Path) -> None:
    if os.path.lexists(place):
        raise Refused(
            "The agent keeps all sessions in one database, which an older one would replace as a whole. "
            "Restore this session as a held one, or the database to a path."
        )
    if _has_parts(place):
        raise Refused("Parts of a database stand where it was, and would damage it. Move them away, then try again.")


def _has_parts(database: Path) -> bool:
    return any(os.path.lexists(database.with_name(database.name + ending)) for ending in _DATABASE_PARTS)


def _companions(vault: Vault, agent: Agent, ref: SourceRef, home: Home, version: Version) -> list[_Put]:
    """Return the companions that must be written: those that are gone, and own ones that are others now."""
    shared = set(agent.index_places(ref, home))
    tops = [root.parent for root in agent.roots(home)]
    found = []
    for put in _kept_beside(vault, ref, version, shared):
        top = next((str(top) for top in tops if put.path.is_relative_to(top)), "")
        is_safe = put.path in shared or (top and not is_behind_link(str(put.path), top))
        if not is_safe or put.path.is_symlink():
            continue
        if put.is_later or put.path in shared or _is_database(put):
            if os.path.lexists(put.path) or _has_parts(put.path):
                continue
        elif _digest_at(put.path) == _digest(put.content()):
            continue
        if not is_open(put.path):
            found.append(put)
    return found


def _kept_beside(vault: Vault, ref: SourceRef, version: Version, shared: Iterable[Path] = ()) -> list[_Put]:
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
            content = _content(vault, inner, one, None)
            found.append(_Put(Path(state.path), state.key, content, one.modified_ms, is_later=not before))
    return found


def _is_database(put: _Put) -> bool:
    return next(put.content(), b"").startswith(_SQLITE)


def _rule(agent: Agent, home: Home, version: Version) -> tuple[int, tuple[str, ...]]:
    """Return the date to be given, 0 for a version's own, and what to tell: an agent deletes what is too old."""
    days = agent.deletes_after_days(home)
    if days is None:
        return 0, ()
    now = clock.now_ms()
    if now - version.modified_ms <= max(days - 1, 0) * _DAY_MS:
        return 0, ()
    return now, ((_NOT_KEPT,) if days == 0 else (_TODAY,))


def _written(
    vault: Vault,
    agent: Agent,
    session_id: str,
    puts: Sequence[_Put],
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
            _date(put.path, (modified_ms or put.modified_ms) * 1_000_000)
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
                    _put_back(vault, agent.id, [piece])
        raise
    return RestoreUndo(agent.id, session_id, tuple(pieces))


def _before(vault: Vault, agent: str, put: _Put) -> UndoPiece:
    """Return what stands in a place now, which must be in the vault as it is.

    Raises:
        NotNow: it changed after it was captured.
        Refused: it never was.
    """
    if not os.path.lexists(put.path):
        return UndoPiece(str(put.path), put.key, 0, "")
    state = vault.state(agent, put.key)
    now = fingerprint_at(str(put.path))
    if state is None:
        raise Refused("The vault does not have what the agent has now, so nothing was put in its place.")
    seen = state.fingerprint
    if state.is_gone or (seen.size_bytes, seen.modified_ns) != (now.size_bytes, now.modified_ns):
        raise NotNow(_CHANGED, detail=str(put.path))
    return UndoPiece(str(put.path), put.key, state.newest_version, "", now.modified_ns)


def _unchanged(piece: UndoPiece, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is to be written, and look at the very end whether what it replaces is still what is in the vault.

    Raises:
        NotNow: it is not; nothing was replaced.
    """
    yield from chunks
    now_ns = fingerprint_at(piece.path).modified_ns if os.path.lexists(piece.path) else 0
    if now_ns != piece.modified_ns:
        raise NotNow(_CHANGED, detail=piece.path)


def _is_ours(piece: UndoPiece) -> bool:
    """Return whether a place is as it was made here: what was not written yet, or has changed since, is left alone."""
    return _digest_at(Path(piece.path)) == piece.digest if piece.digest else not os.path.lexists(piece.path)


def _put_back(vault: Vault, agent: str, pieces: Sequence[UndoPiece]) -> None:
    for piece in reversed(pieces):
        path = Path(piece.path)
        if piece.version:
            write_file(path, vault.content(agent, piece.key, piece.version))
            _date(path, piece.modified_ns)
        else:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_directory(path.parent)


def _make_parents(path: Path) -> None:
    """Make the directories of a file, for this person alone; a name that was given survives a power cut."""
    missing = [folder for folder in path.parents if not folder.is_dir()]
    make_private(path.parent)
    for folder in missing:
        sync_directory(folder.parent)


def _date(path: Path, modified_ns: int) -> None:
    """Give a file the date by which its agent sorts it; one that cannot be set is no failure."""
    if modified_ns > 0:
        with suppress(OSError):
            os.utime(path, ns=(modified_ns, modified_ns))


def _digesting(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _digest(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _digest_at(path: Path) -> str:
    """Return the SHA-256 of a plain file, empty for none."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return ""
    try:
        return _digest(iter(lambda: os.read(descriptor, _PIECE_BYTES), b""))
    finally:
        os.close(descriptor)
