"""Codex: rollouts of one JSON record a line under ``~/.codex/sessions``, old ones compressed, archived ones apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._codex_calls import CodexClosing
from holdfast_core.agents._codex_reader import Reader
from holdfast_core.agents._codex_side import Side, thread_databases
from holdfast_core.agents._jsonl import LineFile, read_small, refusal
from holdfast_core.agents._reading import read_lines
from holdfast_core.agents._recognise import has_keys, has_value
from holdfast_core.agents._values import text_of_name
from holdfast_core.agents._walk import files_below, is_behind_link, is_below, reference, reference_at, subdirectories
from holdfast_core.agents._zstd import ZstdLineFile
from holdfast_core.agents.base import (
    Agent,
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_subagent,
    safe_id,
)
from holdfast_core.model.session import Problem

_DEPTH = 4
_ARCHIVE = "archived_sessions"
_DOCUMENT_LIMIT = 64 << 20
_LISTS = ("history.jsonl", "session_index.jsonl")
_ZSTD = b"\x28\xb5\x2f\xfd"
_ENDINGS = (".jsonl", ".jsonl.zst", ".json")
_THREAD = re.compile(r"rollout-.*?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


class Codex(Agent):
    """Reads rollouts of all generations; a thread that another one started is its subagent."""

    id = "codex"
    name = "Codex"
    mark = "X"
    hue = 225
    program = "codex"
    how_to_install = "https://developers.openai.com/codex/cli"
    closing = CodexClosing()

    def roots(self, home: Home) -> list[Path]:
        return [config / folder for config in _config_directories(home) for folder in ("sessions", _ARCHIVE)]

    def discover(self, home: Home) -> Iterator[SourceRef]:
        """Yield every rollout once: what is compressed or archived keeps the key that it had before."""
        found: dict[str, SourceRef] = {}
        for root in self.roots(home):
            for entry in _entries(str(root), _DEPTH):
                _prefer(found, reference(self.id, entry))
        yield from found.values()

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        found: dict[str, SourceRef] = {}
        for root in map(str, self.roots(home)):
            for path in paths:
                for ref in _references_at(self.id, root, path):
                    _prefer(found, ref)
        yield from found.values()

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        root = next((root for root in map(str, self.roots(home)) if ref.path.startswith(root + os.sep)), None)
        if root is None:
            raise refusal("outside", ref.path)
        stem, ending = _split(Path(ref.path).name)
        thread = _THREAD.fullmatch(stem)
        native_id = text_of_name(stem) if thread is None else thread[1]
        side = Side(self.id, native_id, Path(root).parent, is_archived=Path(root).name == _ARCHIVE)
        if ending == ".jsonl.zst":
            return _read_compressed(ref.path, root, side)
        with LineFile(ref.path, root=root) as file:
            if ending == ".json":
                return _read_document(ref.path, root, Reader(file, side))
            return read_lines(Reader(file, side), checkpoint)

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        return [place for place in self.index_places(ref, home) if place.is_file() and not place.is_symlink()]

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        found = (config for config in _config_directories(home) if is_below(ref.path, str(config)))
        return [config / name for config in found for name in _LISTS]

    def place_for(self, ref: SourceRef, head: bytes) -> Path:
        """Return where a rollout belongs in the form that the content has: as it is, or compressed."""
        stem, ending = _split(ref.path)
        if head.startswith(_ZSTD) != (ending == ".jsonl.zst"):
            ending = ".jsonl.zst" if head.startswith(_ZSTD) else ".jsonl"
        return Path(stem + ending)

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        if not any(thread_databases(config) for config in _config_directories(home) if is_below(ref.path, str(config))):
            return ()
        return (
            "Codex' own database of threads was left as it is. If its list misses the session, resume it by its id.",
        )

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        return ResumeCommand(
            (self.program, "fork" if fork else "resume", safe_id(facts.native_id)), needs_project=False
        )

    def recognises(self, head: bytes, name: str) -> bool:
        if name.endswith(".jsonl.zst"):
            return _THREAD.match(name) is not None
        has_lines = has_keys(head, "payload") and has_value(head, "type", "session_meta", "turn_context", "event_msg")
        return (
            has_lines or has_value(head, "record_type", "state") or has_keys(head, "session", "items", "instructions")
        )


def _read_compressed(path: str, root: str, side: Side) -> Reading:
    with ZstdLineFile(path, root=root) as file:
        reader = Reader(file, side)
        reading = read_lines(reader, None)
        reading.bytes_read = file.compressed_bytes
        if not file.is_whole:
            reading.problems.append(Problem(reader.line, "truncated"))
        return reading


def _read_document(path: str, root: str, reader: Reader) -> Reading:
    """Read the oldest format: one JSON document with a head and a list of items."""
    content = read_small(path, root=root, limit=_DOCUMENT_LIMIT)
    if content is None:
        raise refusal("not_readable", path)
    try:
        document: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal("wrong_format", str(error)) from error
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise refusal("wrong_format", path)
    for number, item in enumerate([document.get("session"), *document["items"]]):
        reader.line = number
        if isinstance(item, dict):
            reader.take_value(item)
        elif number:
            reader.problem("not_an_object")
    return Reading(
        reader.sessions(),
        reader.problems,
        reader.unknown,
        None,
        len(content),
        unknown_fields=reader.sample.unknown,
    )


def _config_directories(home: Home) -> list[Path]:
    moved = home.environment.get("CODEX_HOME", "")
    named = [home.path / (moved[2:] if moved.startswith("~/") else moved)] if moved else []
    return list(dict.fromkeys([*named, home.path / ".codex"]))


def _entries(folder: str, depth: int) -> Iterator[os.DirEntry[str]]:
    yield from files_below(folder, _ENDINGS)
    if depth:
        for entry in subdirectories(folder):
            yield from _entries(entry.path, depth - 1)


def _references_at(agent: str, root: str, path: str) -> Iterator[SourceRef]:
    """Yield the rollouts in a directory, or all forms of the one at a path."""
    if is_below(root, path):
        yield from (reference(agent, entry) for entry in _entries(root, _DEPTH))
    elif is_below(path, root) and not is_behind_link(path, root) and not Path(path).is_symlink():
        depth = len(Path(path).relative_to(root).parts)
        if Path(path).is_dir():
            entries = _entries(path, _DEPTH - depth) if depth <= _DEPTH else ()
            yield from (reference(agent, entry) for entry in entries)
        elif depth <= _DEPTH + 1 and _split(path)[1]:
            forms = (reference_at(agent, _split(path)[0] + ending) for ending in _ENDINGS)
            yield from (ref for ref in forms if ref is not None)


def _prefer(found: dict[str, SourceRef], ref: SourceRef) -> None:
    """Keep one reference to each rollout, to its plain form where there are two."""
    stem, ending = _split(ref.path.rpartition(os.sep)[2])
    key = stem if _THREAD.fullmatch(stem) else ref.path.removesuffix(ending) + ".jsonl"
    if key not in found or (ending == ".jsonl" and found[key].path.endswith(".zst")):
        found[key] = SourceRef(ref.agent, key, ref.path, ref.fingerprint)


def _split(name: str) -> tuple[str, str]:
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return name.removesuffix(ending), ending


AGENT = Codex()
