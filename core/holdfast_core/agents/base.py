"""The whole contract between Holdfast and the reader of one agent's sessions.

A reader never writes, never locks, never follows a symlink out of its root,
never raises for one bad record, and does not know that other agents exist.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.errors import Refused
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.message import Message
from holdfast_core.model.session import Problem, SessionFacts
from holdfast_core.model.usage import ResponseUsage

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Home:
    """Where to look: a home directory and the variables by which agents are moved."""

    path: Path
    environment: Mapping[str, str]


class Fingerprint(msgspec.Struct, frozen=True, gc=False):
    """What a source looked like when it was seen; two equal ones mean unchanged."""

    size_bytes: int
    modified_ns: int
    inode: int = 0


def fingerprint_at(path: str) -> Fingerprint:
    """Return what a file looks like, with a database's write-ahead log beside it; all zeros for none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return Fingerprint(0, 0)
    try:
        beside = os.lstat(f"{path}-wal")
    except OSError:
        return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino)
    modified_ns = max(found.st_mtime_ns, beside.st_mtime_ns)
    return Fingerprint(found.st_size + beside.st_size, modified_ns, found.st_ino)


class SourceRef(msgspec.Struct, frozen=True, gc=False):
    """One thing on disk that holds one or more sessions, found without opening it.

    ``key`` is unique in the agent and means something to its reader alone (a
    path, usually); ``path`` is what a person is shown.
    """

    agent: str
    key: str
    path: str
    fingerprint: Fingerprint


class Checkpoint(msgspec.Struct, frozen=True, gc=False):
    """How far a source has been read, so that growth costs what was appended.

    ``offset`` is the byte after the last complete record. ``tail_hash`` is
    over the bytes just before it: if they differ now, the source was rewritten
    and must be read from the start. ``state`` is the reader's own, opaque.
    """

    offset: int
    tail_hash: bytes
    state: bytes


class Share(msgspec.Struct, frozen=True, gc=False):
    """What of a source that holds many sessions is one session's own."""

    size_bytes: int
    problem_count: int


class SessionRead(msgspec.Struct):
    """What one reading gives of one session.

    ``facts`` are complete and replace earlier ones. ``messages`` are those
    from index ``first_index`` on; earlier ones stay as an earlier reading gave
    them, and any that it gave from ``first_index`` on are replaced.
    ``responses`` are to be stored by key, the last one wins. ``annotation`` is
    given where the source itself holds what the person said of the session,
    ``share`` where the reading `is_shared`.
    """

    facts: SessionFacts
    messages: list[Message]
    first_index: int = 0
    responses: list[ResponseUsage] = msgspec.field(default_factory=list)
    annotation: Annotation | None = None
    share: Share | None = None


class Reading(msgspec.Struct):
    """What one look into a source gave. ``bytes_read`` counts the source's bytes alone.

    ``checkpoint`` is None for a source that can only be read whole.
    ``was_continued`` is False if the reader had to start over: then the
    sessions here are all there is in the source. ``is_shared`` says that the
    source holds many sessions, each of which tells its `Share` of it.
    ``unknown_fields`` are found in a sample of the records.
    """

    sessions: list[SessionRead]
    problems: list[Problem]
    unknown_records: dict[str, int]
    checkpoint: Checkpoint | None
    bytes_read: int
    was_continued: bool = False
    is_shared: bool = False
    unknown_fields: dict[str, int] = msgspec.field(default_factory=dict)


class ResumeCommand(msgspec.Struct, frozen=True):
    """How the agent's own program continues a session: arguments, never a shell line.

    ``argv[0]`` is a program's name to be looked up on PATH.
    """

    argv: tuple[str, ...]
    needs_project: bool


class Calls(msgspec.Struct, frozen=True, gc=False):
    """What one record says of tools: the calls that it makes as (id, name), and the ids of those that it ends."""

    opened: tuple[tuple[str, str], ...] = ()
    ended: tuple[str, ...] = ()


class Closing(ABC):
    """How an agent's records, one a line, tell of calls of tools, so that one without an end can be given it.

    ``links`` names the fields of a record's own id and of the one that it
    follows, where records are linked; otherwise their order alone counts.
    """

    links: ClassVar[tuple[str, str] | None] = None

    @abstractmethod
    def calls(self, record: dict[str, Any]) -> Calls:
        """Return what a record says of calls."""

    @abstractmethod
    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        """Return the record that ends a call of ``record`` as one that was interrupted; the same for the same call."""


class Agent(ABC):
    """How to find, read and continue one agent's sessions. One subclass in each file of this folder."""

    id: ClassVar[str]
    name: ClassVar[str]
    mark: ClassVar[str]
    hue: ClassVar[int]
    program: ClassVar[str]
    how_to_install: ClassVar[str]
    can_host: ClassVar[bool] = False
    is_scattered: ClassVar[bool] = False
    """Whether sessions lie in the projects: roots are searched, not watched, and what is closed there is no trouble."""
    resumes_by_id: ClassVar[bool] = True
    """Whether `resume_command` names the session; otherwise the program goes on with what it finds in the project."""
    continues_rewritten: ClassVar[bool] = False
    """Whether `read` tells by itself if a checkpoint still fits a source that was changed in place."""
    is_sealed: ClassVar[bool] = False
    """Whether its files are signed or summed by itself, so that a changed one is refused: they cannot be repaired."""
    deletion_setting: ClassVar[str] = ""
    """What the rule of `deletes_after_days` is called in the agent's own settings."""
    closing: ClassVar[Closing | None] = None
    """How a call of a tool that was never ended is ended in its own form, where that is known."""

    @abstractmethod
    def roots(self, home: Home) -> list[Path]:
        """Return the directories that hold sessions; they need not exist."""

    @abstractmethod
    def discover(self, home: Home) -> Iterator[SourceRef]:
        """Yield every source below the roots, in any order, from directory entries and stat alone.

        Raises:
            OSError: a directory cannot be read, so that sources may be missing.
        """

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        """Yield the sources that are at or below ``paths``: files or directories, which may be gone by now.

        A reader that can tell a source by its path alone overrides this, so
        that one changed file costs no walk over all of them.
        """
        tops = frozenset(paths)
        for ref in self.discover(home):
            path = Path(ref.path)
            if ref.path in tops or any(str(parent) in tops for parent in path.parents):
                yield ref

    def away(self, home: Home) -> list[Path]:
        """Return directories that cannot be seen now and may be there again: nothing below them counts as gone."""
        return []

    @abstractmethod
    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        """Read a source, from ``checkpoint`` on where that still fits.

        Raises:
            SourceError: nothing of the source can be read (not a regular file,
                gone, not this format, over a limit).
        """

    def read_session(self, ref: SourceRef, home: Home, native_id: str) -> Reading:
        """Read one of a source's sessions; others may come with it. Overridden where that costs less than all.

        Raises:
            SourceError: as `read`.
        """
        return self.read(ref, home)

    @abstractmethod
    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        """Return the command that continues a session.

        Raises:
            Refused: this session cannot be resumed by its agent, or its id is unsafe.
        """

    def deletes_after_days(self, home: Home) -> int | None:
        """Return the agent's own clean-up rule, None if it never deletes."""
        return None

    def is_cleaned_up(self, ref: SourceRef) -> bool:
        """Return whether that rule is for this source: it goes so many days after it was written last."""
        return True

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return the other files that a source's sessions need, those of `indexes` with them.

        Found by directory entries alone, never through a link, a bounded
        number. Files that are sources of their own are none.
        """
        return self.indexes(ref, home)

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return files that tell of this source and of others too: an older one must never replace them."""
        return []

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return where `indexes` are looked for, whether they are there or not."""
        return []

    def place_for(self, ref: SourceRef, head: bytes) -> Path:
        """Return where content that begins with ``head`` belongs; a source may have had other forms and names."""
        return Path(ref.path)

    def is_form_of(self, ref: SourceRef, path: str) -> bool:
        """Return whether a source would be found by the same key at another path: that is another form of it."""
        return False

    def is_in_use(self, ref: SourceRef, home: Home) -> bool:
        """Return whether the agent marks a source as one that it works on now; an open file is for others to see."""
        return False

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        """Return what a person must know when a source was put back: whole sentences on lists that were left alone."""
        return ()

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        """Return where the agent would look for a copy of a source if it is run in another directory.

        None where it finds a session from any directory, or cannot be made to find it in that one.
        """
        return None

    def recognises(self, head: bytes, name: str) -> bool:
        """Return whether a file that begins with ``head`` is of this agent's format, wherever it lies.

        ``head`` is some kilobytes and may end anywhere; ``name`` is the file's
        own. Only what no other agent writes counts.
        """
        return False


class ResumeTarget(msgspec.Struct, frozen=True, gc=False):
    """What an agent needs to know of a session to continue it."""

    native_id: str
    kind: str
    project_path: str
    source_path: str


def refuse_subagent(facts: ResumeTarget) -> None:
    """Raise for a session that another one started, where the agent's program takes up only that one.

    Raises:
        Refused: it is a subagent's session.
    """
    if facts.kind == "subagent":
        raise Refused("A subagent's session cannot be continued by itself. Continue the session that started it.")


def refuse_copy(fork: bool) -> None:
    """Raise where the agent's program has no command that continues a copy.

    Raises:
        Refused: a copy is wanted.
    """
    if fork:
        raise Refused("This agent cannot continue a copy of a session.")


def safe_id(native_id: str) -> str:
    """Return an id that may stand in an argument list.

    Raises:
        Refused: it could be taken for an option, a path or more than one word.
    """
    if not _SAFE_ID.fullmatch(native_id):
        raise Refused("This session's id has a form that is not safe to hand to a program.", detail=repr(native_id))
    return native_id
