"""The whole contract between the store and the importer of one program's sessions.

An importer never writes, takes nothing on trust that it can check, and keeps
what it has no place for in ``provider_data``, as it came.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from holdfast_core.model.held import HeldSession

if TYPE_CHECKING:
    from holdfast_core.store.importing._source import Source


def _new_id() -> str:
    return str(uuid.uuid4())


class Here(NamedTuple):
    """What an import needs to know of this machine.

    ``agents`` are the names of the agents that can be started here. ``home``
    is where a program's own key may be: one that lies beside an imported file
    proves nothing, as whoever made the file can have made the key.
    """

    home: Path
    host_name: str
    now_ms: int
    agents: frozenset[str] = frozenset()
    new_id: Callable[[], str] = _new_id


class Draft(NamedTuple):
    """A session as it is about to be stored, under a new id. ``source`` is the file's name, warnings are sentences."""

    session: HeldSession
    source: str
    warnings: tuple[str, ...] = ()


class Unread(NamedTuple):
    """A source of which nothing was made; ``reason`` is a short stable code, ``message`` a sentence."""

    source: str
    reason: str
    message: str


class Importer(ABC):
    """How one program's files become held sessions. One subclass in each file of this folder, one object an import."""

    id: ClassVar[str]
    name: ClassVar[str]

    def __init__(self, here: Here) -> None:
        self.here = here

    @abstractmethod
    def recognises(self, document: Mapping[str, Any]) -> bool:
        """Return whether this is a file of the program, by the fields that stand in it."""

    @abstractmethod
    def session(self, source: Source) -> Draft:
        """Return the session of a file.

        Raises:
            SourceError: a field that must be there is not, or is of another type,
                or a newer version of the program wrote it.
        """

    def is_only_list(self, source: Source) -> bool:
        """Return whether a file only lists sessions; what it lists may be noted."""
        return False

    def left_over(self) -> Iterator[Unread]:
        """Yield, after all files, what was listed and not found."""
        yield from ()
