"""Aider: one Markdown file in each project, ``.aider.chat.history.md``, with all sessions that were begun there."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._aider_history import Line, gather, gathered_at
from holdfast_core.agents._draft import Draft, digest
from holdfast_core.agents._jsonl import UTF8_BOM, LineFile, refusal
from holdfast_core.agents._values import PATH_LIMIT, local_moment_ms, text_of_name
from holdfast_core.agents._walk import files_below, is_behind_link, is_below, reference, reference_at, subdirectories
from holdfast_core.agents.base import Agent, Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SourceRef, safe_id
from holdfast_core.errors import Refused
from holdfast_core.model.session import Problem

_NAME = ".aider.chat.history.md"
_VARIABLE = "AIDER_CHAT_HISTORY_FILE"
_DEPTH = 4
_FOLDERS_LIMIT = 20_000
_NO_PROJECTS = frozenset(
    (
        "__pycache__", "AppData", "Applications", "bower_components", "build", "dist", "Library", "miniconda3",
        "Movies", "Music", "node_modules", "Pictures", "site-packages", "snap", "target", "vendor", "venv", "Videos",
    )
)  # fmt: skip
# A look into these makes macOS ask the person.
_GUARDED = frozenset(("Desktop", "Documents", "Downloads")) if sys.platform == "darwin" else frozenset[str]()
_STARTED = re.compile(rb"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*")
_PROBLEM_LIMIT = 1000
_LINES_LIMIT = 500_000  # of one session, as its bytes
_BYTES_LIMIT = 32 << 20
_TOLD = 1 << 60


class _State(msgspec.Struct, array_like=True):
    """Where the last session begins: it is read again, as only it grows. ``starts`` counts sessions by their moment."""

    line: int
    starts: dict[str, int]


class Aider(Agent):
    """Looks for histories in the projects below a home; reads each as the sessions that stand in it."""

    id = "aider"
    name = "Aider"
    mark = "A"
    hue = 140
    program = "aider"
    how_to_install = "https://aider.chat/docs/install.html"
    is_scattered = True
    resumes_by_id = False

    def roots(self, home: Home) -> list[Path]:
        moved = _moved(home)
        return list(dict.fromkeys([home.path, *([moved.parent] if moved is not None else [])]))

    def discover(self, home: Home) -> Iterator[SourceRef]:
        found = {ref.path: ref for ref in self._below(str(home.path), _DEPTH, [_FOLDERS_LIMIT])}
        moved = _moved(home)
        ref = None if moved is None else reference_at(self.id, str(moved))
        if ref is not None:
            found[ref.path] = ref
        yield from found.values()

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        top, moved = str(home.path), _moved(home)
        for path in paths:
            if is_below(top, path):
                yield from self.discover(home)
            elif moved is not None and is_below(str(moved), path):
                yield from filter(None, [reference_at(self.id, str(moved))])
            elif is_below(path, top):
                yield from self._at(top, path)

    def _at(self, top: str, path: str) -> Iterator[SourceRef]:
        """Yield the history at a path in the home, or those below it."""
        *folders, name = Path(path).relative_to(top).parts
        if len(folders) > _DEPTH or not all(map(_may_hold_projects, folders)):
            return
        if name == _NAME:
            ref = None if is_behind_link(path, top) else reference_at(self.id, path)
            if ref is not None:
                yield ref
        elif _may_hold_projects(name) and len(folders) < _DEPTH and not is_behind_link(f"{path}{os.sep}x", top):
            yield from self._below(path, _DEPTH - len(folders) - 1, [_FOLDERS_LIMIT])

    def _below(self, folder: str, depth: int, left: list[int]) -> Iterator[SourceRef]:
        """Yield the histories below a folder. ``left`` is how many folders may still be looked into."""
        for entry in files_below(folder, _NAME):
            if entry.name == _NAME:
                yield reference(self.id, entry)
        for entry in subdirectories(folder) if depth else ():
            if left[0] > 0 and _may_hold_projects(entry.name):
                left[0] -= 1
                yield from self._below(entry.path, depth - 1, left)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        root = next((root for root in map(str, self.roots(home)) if ref.path.startswith(root + os.sep)), None)
        if root is None:
            raise refusal("outside", ref.path)
        with LineFile(ref.path, root=root) as file:
            return _History(self.id, ref.path, Path(ref.path).parent.relative_to(root), file).read(checkpoint)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        safe_id(facts.native_id)
        if fork or facts.kind == "subagent":
            raise Refused("Aider goes on with all that was said in a project; it cannot continue a copy of it.")
        return ResumeCommand((self.program, "--restore-chat-history"), needs_project=True)


class _History:
    """Reads one file."""

    def __init__(self, agent: str, path: str, within: Path, file: LineFile) -> None:
        self._agent, self._file = agent, file
        self._folder = text_of_name(str(Path(path).parent))[:PATH_LIMIT]
        self._mark = digest(text_of_name(within.as_posix())).hex()  # of what stays the same in another home
        self._reading = Reading([], [], {}, None, 0)
        self._repairs: dict[str, int] = {}

    def read(self, checkpoint: Checkpoint | None) -> Reading:
        """Return all sessions, or from the one on that was the last at the checkpoint."""
        file, reading = self._file, self._reading
        state = self._state_of(checkpoint)
        start = 0 if checkpoint is None or state is None else checkpoint.offset
        state = state or _State(1, {})
        began, moment, lines, number = start, "", list[Line](), state.line
        before, size = _State(number, dict(state.starts)), 0
        for position, line, is_ended in file.lines(start):
            if not is_ended:
                break
            content = self._text_of(position, line, number)
            found = None if line is None else _STARTED.fullmatch(line)
            if found is not None:
                self._close(moment, lines, state, is_last=False)
                began, moment, lines, size = position, found[1].decode(), [], 0
                before = _State(number, dict(state.starts))
            elif len(lines) < _LINES_LIMIT and size < _BYTES_LIMIT:
                lines.append(Line(number, content))
                size += len(content)
            elif size < _TOLD:
                self._problem(number, "session_too_long")
                size = _TOLD
            number += 1 + file.empty_lines
            if file.empty_lines and len(lines) < _LINES_LIMIT:
                lines.append(Line(number - 1, ""))
            file.empty_lines = 0
        self._close(moment, lines, state, is_last=True)
        reading.was_continued = start > 0
        reading.bytes_read = file.bytes_read
        if file.is_steady():
            reading.checkpoint = Checkpoint(began, file.tail_hash(began), msgspec.msgpack.encode(before))
        return reading

    def _state_of(self, checkpoint: Checkpoint | None) -> _State | None:
        """Return what an earlier reading knew, None if the file must be read from its start."""
        file = self._file
        if checkpoint is None or not 0 < checkpoint.offset <= file.size_bytes:
            return None
        if file.tail_hash(checkpoint.offset) != checkpoint.tail_hash:
            return None
        try:
            return msgspec.msgpack.decode(checkpoint.state, type=_State)
        except msgspec.MsgspecError:
            return None

    def _problem(self, number: int, reason: str) -> None:
        if len(self._reading.problems) < _PROBLEM_LIMIT:
            self._reading.problems.append(Problem(number, reason))

    def _text_of(self, position: int, line: bytes | None, number: int) -> str:
        if line is None:
            self._problem(number, "line_too_long")
            return ""
        line = line.removeprefix(UTF8_BOM) if not position else line
        line = line.removesuffix(b"\r").replace(b"\0", b"")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self._repairs["invalid_utf8"] = self._repairs.get("invalid_utf8", 0) + 1
            return line.decode("utf-8", "replace")

    def _close(self, moment: str, lines: list[Line], state: _State, *, is_last: bool) -> None:
        """Add the session that ended; what stands before the first one is one only if something is in it."""
        if not moment and not any(line.text.strip() for line in lines):
            return
        times = state.starts[moment] = state.starts.get(moment, 0) + 1
        name = f"{re.sub(r'[^0-9]', '', moment) or 'before'}-{self._mark}"
        created = local_moment_ms(moment)
        draft = Draft(gathered_at(name if times == 1 else f"{name}-{times}", created, self._folder))
        title = gather(draft, lines)
        more: dict[str, Any] = {"provider_data": {"repaired": dict(self._repairs)}} if self._repairs else {}
        self._repairs.clear()
        written = self._file.modified_ms
        if is_last and created is not None and written > created:
            more["updated_ms"] = written  # only the last session can have been written to since
        is_empty = draft.gathered.spoken_count == 0
        self._reading.sessions.append(
            draft.finish(agent=self._agent, title=title, is_empty=is_empty, fallback_ms=written, **more)
        )


def _moved(home: Home) -> Path | None:
    """Return the one file that a variable names in place of all; a bare name is not known to be anywhere."""
    named = home.environment.get(_VARIABLE, "").strip()
    path = home.path / named.removeprefix("~/") if named.startswith("~/") else Path(named)
    return path if named and path.is_absolute() else None


def _may_hold_projects(name: str) -> bool:
    return not name.startswith(".") and name not in _NO_PROJECTS and name not in _GUARDED


AGENT = Aider()
