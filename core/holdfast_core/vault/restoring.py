"""Giving versions back: to the agent, in the place where it looks for them, or to a path. What stood there is kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from holdfast_core import clock
from holdfast_core.agents._walk import is_behind_link
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.atomic import write_file
from holdfast_core.errors import NotNow, Refused
from holdfast_core.model.repair import RestoreUndo
from holdfast_core.model.vault import Restored, Version
from holdfast_core.paths import path_text
from holdfast_core.vault.belonging import SQLITE, chosen_version, companions_of, content_of, has_parts, kept_beside
from holdfast_core.vault.opened import is_open
from holdfast_core.vault.putting import Put, digest_at, give_date, put_all, put_back
from holdfast_core.vault.vault import Vault

_DAY_MS = 86_400_000
_TODAY = "Its date is today's: by its own one the agent would have deleted it again."
_NOT_KEPT = "This agent is set to keep no sessions. It will delete this one when it starts."


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
    head = next(content_of(vault, ref, version, repaired)(), b"")
    place = agent.place_for(_in_form(agent, ref, version), head)
    state = vault.state(ref.agent, ref.key)
    _check_place(place, agent, home, known=state.path if state else "")
    is_database = head.startswith(SQLITE)
    if is_database:
        _check_database(place)
    refuse_in_use(agent, ref, home, {Path(ref.path), place})
    if place != Path(ref.path) and os.path.lexists(place) and os.path.lexists(ref.path):
        raise Refused("The agent has this session in two forms, of which only one can be seen. Look at its folder.")
    capture()
    refuse_in_use(agent, ref, home, {Path(ref.path), place})
    source = Put(place, ref.key, content_of(vault, ref, version, repaired), version.modified_ms)
    puts = [*companions_of(vault, agent, ref, home, version), source]
    keep_ms, notes = _rule(agent, home, version)
    undo = put_all(vault, agent, session_id, puts, replaced=Path(ref.path), modified_ms=keep_ms)
    before = max((piece.version for piece in undo.pieces if piece.key == path_text(ref.key)), default=0)
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
    folder, lists = Path(ref.path).parent, set(agent.index_places(ref, home))
    kept = kept_beside(vault, ref, version)
    beside = [put for put in kept if put.path.is_relative_to(folder) and put.path not in lists]
    puts = [msgspec.structs.replace(put, path=place.parent / put.path.relative_to(folder)) for put in beside]
    puts = [put for put in puts if not os.path.lexists(put.path)]
    source = Put(place, "", content_of(vault, ref, version, None), version.modified_ms)
    keep_ms, notes = _rule(agent, home, version)
    undo = put_all(
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
        write_file(path, content_of(vault, ref, version, None)(), overwrite=False)
    except FileExistsError as error:
        raise Refused("There is a file of this name already. Choose another name.", detail=str(path)) from error
    give_date(path, version.modified_ms * 1_000_000)
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
    refuse_in_use(agent, ref, home, {piece.place for piece in undo.pieces})
    capture()
    if not is_forced and any(piece.digest and digest_at(piece.place) != piece.digest for piece in undo.pieces):
        raise Refused("The agent has gone on with this session since. Undoing would take that away from it again.")
    put_back(vault, agent.id, undo.pieces)


def refuse_in_use(agent: Agent, ref: SourceRef, home: Home, paths: Iterable[Path]) -> None:
    """Raise if the agent works on a source, as far as its marks and the open files of this machine tell.

    Raises:
        NotNow: it does.
    """
    if agent.is_in_use(ref, home) or any(map(is_open, paths)):
        raise NotNow(f"{agent.name} has this session open. End it there, then try again.", detail=ref.path)


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
    if has_parts(place):
        raise Refused("Parts of a database stand where it was, and would damage it. Move them away, then try again.")


def _rule(agent: Agent, home: Home, version: Version) -> tuple[int, tuple[str, ...]]:
    """Return the date to be given, 0 for a version's own, and what to tell: an agent deletes what is too old."""
    days = agent.deletes_after_days(home)
    if days is None:
        return 0, ()
    now = clock.now_ms()
    if now - version.modified_ms <= max(days - 1, 0) * _DAY_MS:
        return 0, ()
    return now, ((_NOT_KEPT,) if days == 0 else (_TODAY,))
