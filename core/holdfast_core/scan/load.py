"""Reads one session whole from its source, and later what was added to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from holdfast_core.agents.base import Agent, Checkpoint, Home, Reading, SessionRead, SourceRef
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Message
from holdfast_core.model.session import Session, SessionEntry

_NOT_IN_FILE = "This session is no longer in the agent's file."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A session with its row of the list, and how far its source was read."""

    session: Session
    entry: SessionEntry
    ref: SourceRef
    checkpoint: Checkpoint | None


class Followed(NamedTuple):
    """A session as it is now: messages from ``first_index`` on are new or differ.

    ``loaded`` is the same object as before if nothing in the source changed.
    """

    loaded: Loaded
    first_index: int


def load(entry: SessionEntry, ref: SourceRef, agent: Agent, home: Home) -> Loaded:
    """Read a session from its source.

    Raises:
        SourceError: the source is gone, cannot be read, or holds this session no more.
    """
    ref = _as_it_is_now(ref, agent, home) or ref
    reading = _read_one(ref, agent, home, entry.native_id)
    read = _session_in(reading, entry.id)
    if read is None:
        raise SourceError(_NOT_IN_FILE, reason="gone")
    return Loaded(_whole(read, reading), entry, ref, reading.checkpoint)


def follow(loaded: Loaded, agent: Agent, home: Home) -> Followed:
    """Read what was added since; costs one look at the directory if nothing was, and else grows with what was.

    Raises:
        SourceError: the source is gone, cannot be read, or holds this session no more.
    """
    before = loaded.session
    found = _as_it_is_now(loaded.ref, agent, home)
    if found is not None and found.fingerprint == loaded.ref.fingerprint:
        return Followed(loaded, len(before.messages))
    ref = found or loaded.ref
    is_same_file = ref.fingerprint.inode == loaded.ref.fingerprint.inode
    reading = _read(ref, agent, home, loaded.checkpoint if is_same_file else None)
    read = _session_in(reading, before.id)
    if reading.was_continued:
        session = _continued(before, read, reading)
        first = len(before.messages) if read is None else read.first_index
    elif read is not None:
        session, first = _whole(read, reading), 0
    else:
        raise SourceError(_NOT_IN_FILE, reason="gone")
    first = _first_difference(before.messages, session.messages, first)
    return Followed(Loaded(session, loaded.entry, ref, reading.checkpoint), first)


def _as_it_is_now(ref: SourceRef, agent: Agent, home: Home) -> SourceRef | None:
    """Return the source with its present fingerprint; None if it cannot be seen, for its reader to tell why."""
    try:
        return next((found for found in agent.refs_for(home, [ref.path]) if found.key == ref.key), None)
    except OSError:
        return None


def _read(ref: SourceRef, agent: Agent, home: Home, checkpoint: Checkpoint | None) -> Reading:
    try:
        return agent.read(ref, home, checkpoint=checkpoint)
    except OSError as error:
        raise _unreadable(error) from error


def _read_one(ref: SourceRef, agent: Agent, home: Home, native_id: str) -> Reading:
    try:
        return agent.read_session(ref, home, native_id)
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> SourceError:
    return SourceError("The agent's file of this session cannot be read.", reason="unreadable", detail=repr(error))


def _session_in(reading: Reading, session_id: str) -> SessionRead | None:
    return next((read for read in reading.sessions if read.facts.id == session_id), None)


def _whole(read: SessionRead, reading: Reading) -> Session:
    return Session(read.facts, tuple(read.messages), tuple(reading.problems), reading.unknown_records)


def _continued(before: Session, read: SessionRead | None, reading: Reading) -> Session:
    unknown = dict(before.unknown_records)
    for kind, count in reading.unknown_records.items():
        unknown[kind] = unknown.get(kind, 0) + count
    session = msgspec.structs.replace(before, problems=(*before.problems, *reading.problems), unknown_records=unknown)
    if read is None:
        return session
    messages = (*before.messages[: read.first_index], *read.messages)
    return msgspec.structs.replace(session, facts=read.facts, messages=messages)


def _first_difference(before: tuple[Message, ...], after: tuple[Message, ...], start: int) -> int:
    """Return the index of the first message that is not what it was, at ``start`` or later."""
    index = start
    for old, new in zip(before[start:], after[start:], strict=False):
        if old != new:
            return index
        index += 1
    return index
