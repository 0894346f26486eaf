"""Takes sessions of other programs, and exported ones, into the store."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, NotFound, Refused, SourceError
from holdfast_core.library.exchange import exported_files, imported, nothing_known
from holdfast_core.model.keeping import Imported, ImportReport
from holdfast_core.store.importing import Draft, Here, Unread, missing_here, read

if TYPE_CHECKING:
    from holdfast_core.store.store import Store

_UNKNOWN = "unknown_format"


def take_in(
    store: Store, path: Path, *, agents: frozenset[str], on_progress: Callable[[int, int], object] | None = None
) -> ImportReport:
    """Keep what is at a path as new sessions, each as a whole or not at all.

    ``agents`` are those that can be started here. ``on_progress`` is told how
    many came in and how many could not.

    Raises:
        NotFound: nothing is at the path.
        WrongUsage: nothing of it is of a format that is known.
        Refused: not even one more may be kept.
    """
    if not path.exists():
        raise NotFound("There is no such file or directory.", detail=str(path))
    done: list[Imported] = []
    warnings: list[str] = []
    failed = 0
    is_known = False
    for found in _drafts(path, agents):
        is_known = is_known or isinstance(found, Draft) or found.reason != _UNKNOWN
        if isinstance(found, Unread):
            failed += 1
            warnings.append(f"{found.source}: {found.message}")
        else:
            try:
                done.append(_keep(store, found))
            except Refused as error:
                if not done:
                    raise
                warnings.append(f"The rest was left out. {error}")
                break
            except HoldfastError as error:
                failed += 1
                warnings.append(f"{found.source}: {error}")
            else:
                warnings += [f"{found.source}: {warning}" for warning in found.warnings]
        if on_progress is not None:
            on_progress(len(done), failed)
    if not is_known:
        raise nothing_known(path)
    return ImportReport(tuple(done), tuple(warnings))


def look_into(path: Path, *, agents: frozenset[str]) -> ImportReport:
    """Return what taking in a path would give, without keeping anything; the ids are no session's.

    Raises:
        NotFound: nothing is at the path.
        WrongUsage: nothing of it is of a format that is known.
    """
    found = list(_looked_at(path, agents))
    if not any(one.is_known for one in found):
        raise nothing_known(path)
    return ImportReport(
        tuple(one.made for one in found if one.made is not None),
        tuple(warning for one in found for warning in one.warnings),
    )


class _Seen(NamedTuple):
    made: Imported | None
    warnings: tuple[str, ...]
    is_known: bool


def _looked_at(path: Path, agents: frozenset[str]) -> Iterator[_Seen]:
    """Yield what is at a path, one session in memory at a time."""
    for found in _drafts(path, agents):
        if isinstance(found, Unread):
            yield _Seen(None, (f"{found.source}: {found.message}",), found.reason != _UNKNOWN)
        else:
            session = found.session
            made = Imported(session.id, found.source, session.title, session.origin.is_verified)
            yield _Seen(made, tuple(f"{found.source}: {warning}" for warning in found.warnings), is_known=True)


def _drafts(path: Path, agents: frozenset[str]) -> Iterator[Draft | Unread]:
    here = Here(home=Path.home(), host_name=platform.node(), now_ms=clock.now_ms(), agents=agents)
    ours = list(exported_files(path))
    for file in ours:
        yield _exported(file, here)
    if path.is_dir() or not ours:
        names = {file.name for file in ours}
        yield from (
            found
            for found in read(path, here)
            if not (isinstance(found, Unread) and found.reason == _UNKNOWN and found.source in names)
        )


def _exported(file: Path, here: Here) -> Draft | Unread:
    try:
        session = imported(file, lambda: str(uuid.uuid4()))
    except SourceError as error:
        return Unread(file.name, error.reason, str(error))
    except OSError as error:
        return Unread(file.name, "unreadable", f"This file cannot be read: {error.strerror}.")
    return Draft(session, file.name, tuple(missing_here(session, here)))


def _keep(store: Store, draft: Draft) -> Imported:
    kept = store.create(draft.session)
    return Imported(kept.id, draft.source, kept.title, kept.origin.is_verified)
