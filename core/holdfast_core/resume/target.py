"""Which session is meant: the one resolver for every place where a person names a session."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast_core.errors import Ambiguous, NotFound, WrongUsage
from holdfast_core.model.session import SessionEntry

_CANDIDATES_LIMIT = 50
_NUMBER_DIGITS = 7


class Sessions(Protocol):
    """What the resolver asks of an index."""

    def find(self, text: str, *, limit: int = 20) -> list[SessionEntry]:
        """Return sessions whose id, native id or title is or begins with ``text``, best kind first."""

    def entries(self, keys: Sequence[int]) -> list[SessionEntry]:
        """Return sessions by the keys of this moment."""


def resolve(text: str, sessions: Sessions, *, listed: Callable[[], array[int]]) -> SessionEntry:
    """Return the one session that ``text`` names.

    In this order: a number in the list, a whole id, an agent's own id, the
    unique beginning of either, a whole title, the unique beginning of a title
    (large and small letters count the same in titles). Subagents count where
    nothing else fits. ``listed`` gives the keys of the list, first is 1.

    Raises:
        NotFound: nothing is called so.
        Ambiguous: several are; the error lists them.
    """
    text = text.strip()
    if not text:
        raise WrongUsage("Name a session: its number in the list, its id, its title, or the beginning of one.")
    numbered = _by_number(text, sessions, listed)
    if numbered is not None:
        return numbered
    found = sessions.find(text, limit=_CANDIDATES_LIMIT)
    for kind in (_is_id, _is_native_id, _starts_id, _is_title, _starts_title):
        fitting = [entry for entry in found if kind(entry, text)]
        fitting = [entry for entry in fitting if entry.kind == "main"] or fitting
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise Ambiguous(
                f"{len(fitting)} sessions are called so. Use more of the id or title, or the number in the list.",
                candidates=tuple((entry.id, entry.title) for entry in fitting),
            )
    raise NotFound("There is no session of that number, id or title. Look into the list of sessions.", detail=text)


def _by_number(text: str, sessions: Sessions, listed: Callable[[], array[int]]) -> SessionEntry | None:
    if not (text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= _NUMBER_DIGITS):
        return None
    found = sessions.entries(listed()[int(text) - 1 : int(text)])
    return found[0] if found else None


def _is_id(entry: SessionEntry, text: str) -> bool:
    return entry.id == text


def _is_native_id(entry: SessionEntry, text: str) -> bool:
    return entry.native_id == text


def _starts_id(entry: SessionEntry, text: str) -> bool:
    return entry.id.startswith(text) or entry.native_id.startswith(text)


def _is_title(entry: SessionEntry, text: str) -> bool:
    return entry.title.casefold() == text.casefold()


def _starts_title(entry: SessionEntry, text: str) -> bool:
    return entry.title.casefold().startswith(text.casefold())
