"""Held sessions as a source like any agent's, so that index and scan take them in without knowing them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._walk import files_below, reference, reference_at
from holdfast_core.agents.base import (
    Agent,
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
)
from holdfast_core.errors import HoldfastError, Locked, Refused, SourceError
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.held import HELD_AGENT, HeldSession, is_held_id
from holdfast_core.model.session import SessionFacts
from holdfast_core.sealed.container import Identity, Position, read_tail
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.document import grown
from holdfast_core.store.fitting import DocumentError
from holdfast_core.store.listing import ENCRYPTED_TITLE, entry_of
from holdfast_core.store.places import RECORD_TYPE, SUFFIX, digest
from holdfast_core.store.reader import claimed_id, read

InIndex = Literal["nothing", "everything"]
_LIMIT_BYTES = 1 << 30


class _State(msgspec.Struct, array_like=True):
    """What the next reading must know: where this one ended, the head, and what was gathered of the messages."""

    generation: int
    sequence: int
    head: HeldSession
    gathered: Gathered


class HeldSource(Agent):
    """The sessions of one store. Reads without locks: who writes replaces whole files and appends whole records.

    Of an encrypted session the index gets a stand-in without any text,
    unless ``encrypted_in_index`` is ``everything`` and the session can be read.
    """

    id = HELD_AGENT
    name = "Holdfast"
    mark = "H"
    hue = 168
    program = ""
    how_to_install = ""
    can_host = True

    def __init__(self, directory: Path, keys: Callable[[], Keys], *, encrypted_in_index: InIndex = "nothing") -> None:
        self._directory = directory
        self._keys = keys
        self._encrypted_in_index = encrypted_in_index

    def keys(self) -> Keys:
        """Return the keys by which the sessions are read."""
        return self._keys()

    @property
    def shows_encrypted(self) -> bool:
        """Whether it gives the text of encrypted sessions that can be read."""
        return self._encrypted_in_index == "everything"

    def show(self, encrypted_in_index: InIndex) -> None:
        """Give this of encrypted sessions from now on."""
        self._encrypted_in_index = encrypted_in_index

    def roots(self, home: Home) -> list[Path]:
        return [self._directory]

    def discover(self, home: Home) -> Iterator[SourceRef]:
        for entry in files_below(str(self._directory), SUFFIX):
            yield reference(self.id, entry)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        top = str(self._directory)
        for path in paths:
            if path == top or top.startswith(path + os.sep):
                yield from self.discover(home)
            elif path.endswith(SUFFIX) and str(Path(path).parent) == top and (ref := reference_at(self.id, path)):
                yield ref

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        path = Path(ref.path)
        try:
            return (checkpoint and self._continued(path, checkpoint)) or self._whole(path)
        except SealedError as error:
            raise SourceError(str(error), reason=error.reason, detail=error.detail) from error
        except DocumentError as error:
            raise SourceError(str(error), reason="invalid", detail=error.detail) from error
        except HoldfastError as error:
            raise SourceError(str(error), reason="unreadable", detail=error.detail) from error

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("Holdfast itself continues this session. No other program can.")

    def _whole(self, path: Path) -> Reading:
        keys, session_id = self._keys(), _id_at(path)
        size = path.lstat().st_size
        try:
            stored = read(path, keys, session_id, limit_bytes=_LIMIT_BYTES)
        except Locked:
            return _reading(_stand_in(session_id, path.lstat().st_mtime_ns // 1_000_000), size)
        if stored.is_encrypted and not self.shows_encrypted:
            return _reading(_stand_in(session_id, stored.session.updated_ms, stored.session), size)
        draft = Draft(Gathered(session_id))
        reading = _reading(_taken(draft, stored.session), size)
        if not stored.dropped_bytes and not stored.is_encrypted:  # it goes into the index as it is, head and all
            reading.checkpoint = _checkpoint(stored.position, stored.session, draft)
        return reading

    def _continued(self, path: Path, checkpoint: Checkpoint) -> Reading | None:
        """Read what was appended; None if the file was written anew, or earlier messages were replaced."""
        try:
            state = _decoder.decode(checkpoint.state)
        except msgspec.MsgspecError:
            return None
        before = Position(state.generation, checkpoint.offset, state.sequence, checkpoint.tail_hash)
        try:
            tail, position = read_tail(path, self._keys(), Identity(RECORD_TYPE, state.head.id), before)
            session = grown(state.head, tail)
        except (SealedError, OSError, DocumentError):
            return None
        if session is None:
            return None
        draft = Draft(state.gathered)
        reading = _reading(_taken(draft, session), position.offset - before.offset)
        reading.checkpoint = _checkpoint(position, session, draft)
        reading.was_continued = True
        return reading


_decoder = msgspec.msgpack.Decoder(_State)


def _id_at(path: Path) -> str:
    session_id = claimed_id(path)
    if not is_held_id(session_id) or path.name != digest(session_id) + SUFFIX:
        raise SealedError("wrong_identity", "the file's name is that of another session")
    return session_id


def _checkpoint(position: Position, session: HeldSession, draft: Draft) -> Checkpoint | None:
    head = msgspec.structs.replace(session, messages=(), unknown_in_messages={})
    try:
        state = msgspec.msgpack.encode(_State(position.generation, position.sequence, head, draft.gathered))
    except (UnicodeEncodeError, OverflowError, TypeError):  # halves of characters, endless numbers: JSON takes them
        return None
    return Checkpoint(position.offset, position.tag, state)


def _taken(draft: Draft, session: HeldSession) -> SessionRead:
    """Return what is read of a session whose messages, or those that are new, go into ``draft``."""
    for message in session.messages:
        index = draft.add(message)
        if message.usage is not None:
            draft.respond(
                f"{HELD_AGENT}:{message.id}:{index}",  # ids may be there twice; a fork has the same places
                message.usage,
                model=message.model or session.config.model,
                timestamp_ms=message.timestamp_ms,
                index=index,
            )
    entry = entry_of(session, size_bytes=0)
    priced = {} if session.cost_usd is None else {"cost_usd": session.cost_usd}
    read = draft.finish(
        agent=entry.agent,
        title=entry.title,
        is_empty=False,
        fallback_ms=session.created_ms,
        is_held=True,
        is_live=session.is_live,
        project_path=session.project_path,
        branch=entry.branch,
        provider=entry.provider,
        model=entry.model or draft.gathered.model,
        created_ms=session.created_ms,
        updated_ms=session.updated_ms,
        usage=session.usage,
        parent_id=session.origin.parent_id,
        todos=session.todos,
        files_touched=session.files_accessed,
        context_files=session.context_files,
        provider_data=session.provider_data,
        **priced,
    )
    read.annotation = Annotation(
        session_id=session.id,
        tags=session.tags,
        starred=session.starred,
        note=session.notes,
        updated_ms=session.updated_ms,
    )
    return read


def _stand_in(session_id: str, updated_ms: int, session: HeldSession | None = None) -> SessionRead:
    """Return what may be told of an encrypted session."""
    facts = SessionFacts(
        agent=HELD_AGENT,
        native_id=session_id,
        title=ENCRYPTED_TITLE,
        created_ms=session.created_ms if session else updated_ms,
        updated_ms=updated_ms,
        message_count=len(session.messages) if session else 0,
        usage=session.usage if session else SessionFacts(agent="", native_id="").usage,
        is_held=True,
        is_live=session.is_live if session else False,
    )
    return SessionRead(facts, [], annotation=Annotation(session_id=session_id))


def _reading(read: SessionRead, size: int) -> Reading:
    return Reading([read], [], {}, None, size)
