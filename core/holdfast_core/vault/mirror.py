"""A version of a source as its reader finds it: in a private directory that repeats the agent's own, for a moment."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._tap import COPY_PREFIX, sweep
from holdfast_core.agents.base import Agent, Home, Reading, SessionRead, SourceRef, fingerprint_at
from holdfast_core.atomic import write_all
from holdfast_core.errors import NotFound
from holdfast_core.model.message import Message
from holdfast_core.model.session import SessionFacts
from holdfast_core.model.vault import WITHOUT_CONTENT, Version
from holdfast_core.paths import text_path

if TYPE_CHECKING:
    from holdfast_core.vault.vault import StrandState, Vault

_IN_MEMORY = Path("/dev", "shm")  # where there is one, nothing that is put there reaches a disk
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_HEAD_BYTES = 4096
_LIST_BYTES = 8 << 20
_SLACK_MS = 5_000
"""So long after a source its companions are captured at most."""


class Mirror:
    """The directory: ``home`` is the agent's home in it, `ref` a source in it, `back` what was read there."""

    def __init__(self, top: str, home: Home) -> None:
        self._top = top
        moved = {name: str(self.path(value)) for name, value in home.environment.items() if Path(value).is_absolute()}
        self.home = Home(self.path(str(home.path)), {**home.environment, **moved})

    def path(self, path: str) -> Path:
        """Return where a path is in here."""
        drive, rest = os.path.splitdrive(path)
        return Path(self._top, drive.strip("\\/:"), rest.lstrip("\\/"))

    def put(self, path: str, chunks: Iterable[bytes], *, modified_ns: int) -> Path:
        """Write a file as it was at ``path`` and return where it is in here."""
        place = self.path(path)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        descriptor = os.open(place, _FLAGS, 0o600)
        try:
            for chunk in chunks:
                write_all(descriptor, chunk)
        finally:
            os.close(descriptor)
        os.utime(place, ns=(modified_ns, modified_ns))
        return place

    def ref(self, ref: SourceRef, place: Path) -> SourceRef:
        """Return the reference to what was put at ``place``."""
        return msgspec.structs.replace(ref, path=str(place), fingerprint=fingerprint_at(str(place)))

    def back(self, reading: Reading) -> Reading:
        """Return what was read with the paths that it would have told of the agent's own directory."""
        return msgspec.structs.replace(reading, sessions=[self._session(session) for session in reading.sessions])

    def _session(self, session: SessionRead) -> SessionRead:
        facts = msgspec.convert(self._mapped(msgspec.to_builtins(session.facts)), SessionFacts)
        messages = [self._message(message) for message in session.messages]
        return msgspec.structs.replace(session, facts=facts, messages=messages)

    def _message(self, message: Message) -> Message:
        if self._top not in repr(message.blocks):
            return message
        return msgspec.convert(self._mapped(msgspec.to_builtins(message)), Message)

    def _mapped(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._back(value)
        if isinstance(value, dict):
            return {self._mapped(key): self._mapped(inner) for key, inner in value.items()}
        return [self._mapped(inner) for inner in value] if isinstance(value, list | tuple) else value

    def _back(self, text: str) -> str:
        return text.replace(self._top, "") if self._top in text else text


@contextmanager
def mirror(vault: Vault, agent: Agent, ref: SourceRef, number: int, home: Home) -> Iterator[tuple[SourceRef, Mirror]]:
    """Give a version of a source, with its companions of that time, to be read by ``agent`` in the mirror's ``home``.

    ``ref`` is the source as the vault knows it.

    Raises:
        NotFound: there is no such version, or it has no content.
        SealedError: it is damaged.
        Locked: the vault is encrypted and the passphrase has not been given.
        OSError: there is no room for it.
    """
    version = next((one for one in vault.versions(ref.agent, ref.key) if one.number == number), None)
    if version is None or version.reason in WITHOUT_CONTENT:
        raise NotFound("There is no such version, or no file in it.", detail=f"version {number}")
    place = _place(is_secret=vault.options.is_encrypted)
    sweep(place)
    top = tempfile.mkdtemp(prefix=COPY_PREFIX, dir=place)
    try:
        made = Mirror(os.path.realpath(top), home)
        _put_companions(made, vault, ref, version)
        _put_lists(made, vault, agent, ref, home)
        yield _put_source(made, vault, agent, ref, version), made
    finally:
        shutil.rmtree(top, ignore_errors=True)


def read_version(
    vault: Vault, agent: Agent, ref: SourceRef, number: int, home: Home, *, native_id: str | None = None
) -> Reading:
    """Return what the agent's own reader makes of a version, all of it or of one session at least.

    Raises:
        SourceError: nothing of it can be read.
        Others: as `mirror`.
    """
    with mirror(vault, agent, ref, number, home) as (inner, made):
        if native_id is None:
            return made.back(agent.read(inner, made.home))
        return made.back(agent.read_session(inner, made.home, native_id))


def _place(*, is_secret: bool) -> str:
    if is_secret and sys.platform == "linux" and os.access(_IN_MEMORY, os.W_OK | os.X_OK):
        return str(_IN_MEMORY)
    return tempfile.gettempdir()


def _put_source(made: Mirror, vault: Vault, agent: Agent, ref: SourceRef, version: Version) -> SourceRef:
    """Write the source itself, in the form that it had in this version."""
    chunks = vault.content(ref.agent, ref.key, version.number)
    first = next(chunks, b"")
    its = msgspec.structs.replace(ref, path=text_path(version.path) or ref.path)
    path = str(agent.place_for(its, first[:_HEAD_BYTES]))
    place = made.put(path, itertools.chain([first], chunks), modified_ns=version.modified_ms * 1_000_000)
    return made.ref(ref, place)


def _put_companions(made: Mirror, vault: Vault, ref: SourceRef, version: Version) -> None:
    """Write the files that belonged to the source at that time."""
    for state in _companions(vault, ref):
        number = vault.version_at(state.agent, state.key, version.captured_ms + _SLACK_MS)
        found = [one for one in vault.versions(state.agent, state.key) if one.reason not in WITHOUT_CONTENT]
        one = next((one for one in found if one.number == number), found[0] if found and number is None else None)
        if one is not None:
            chunks = vault.content(state.agent, state.key, one.number)
            made.put(state.path, chunks, modified_ns=one.modified_ms * 1_000_000)


def _companions(vault: Vault, ref: SourceRef) -> list[StrandState]:
    """Return the companions of a source; what lies beside it may count as another's, which came first."""
    folder = Path(ref.path).parent
    own = vault.companions(ref.agent, ref.key)
    others = [one for one in vault.states(ref.agent).values() if one.owner and Path(one.path).parent == folder]
    return list({one.key: one for one in (*own, *others)}.values())


def _put_lists(made: Mirror, vault: Vault, agent: Agent, ref: SourceRef, home: Home) -> None:
    """Write the lists in which the source stands with others, as they are now but for where it is."""
    for path in dict.fromkeys((*agent.indexes(ref, home), *agent.index_places(ref, home))):
        content = read_small(path, limit=_LIST_BYTES)
        if content is None and vault.state(ref.agent, str(path)) is not None:
            content = b"".join(vault.content(ref.agent, str(path)))  # the list is gone too
        if content is None:
            continue
        for parent in Path(ref.path).parents:
            named = f'"{parent}'.encode()
            if named in content and parent not in (home.path, *home.path.parents):
                content = content.replace(named, f'"{made.path(str(parent))}'.encode())
                break
        made.put(str(path), [content], modified_ns=0)
