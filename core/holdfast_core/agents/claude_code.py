"""Claude Code: one JSON record a line under ``~/.claude/projects/<encoded directory>/<session id>.jsonl``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from holdfast_core.agents._beside import files_beside, places_beside
from holdfast_core.agents._claude_calls import ClaudeClosing
from holdfast_core.agents._claude_reader import Reader
from holdfast_core.agents._claude_side import LISTS, OWN_FILES, Side, is_running, place_in, plan_of
from holdfast_core.agents._jsonl import LineFile, refusal
from holdfast_core.agents._reading import read_lines
from holdfast_core.agents._recognise import has_keys
from holdfast_core.agents._retention import cleanup_days
from holdfast_core.agents._walk import files_below, is_behind_link, is_below, reference, reference_at, subdirectories
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
from holdfast_core.errors import SourceError

_DESKTOP = "local-agent-mode-sessions"
_DESKTOP_DEPTH = 5
_DESKTOP_INNER = str(Path(".claude", "projects"))


class ClaudeCode(Agent):
    """Reads main sessions, and subagents of all three generations as their children."""

    id = "claude_code"
    name = "Claude Code"
    mark = "C"
    hue = 15
    program = "claude"
    how_to_install = "https://code.claude.com/docs/en/setup"
    deletion_setting = "cleanupPeriodDays"
    closing = ClaudeClosing()

    def roots(self, home: Home) -> list[Path]:
        return list(_roots(home.path, home.environment.get("CLAUDE_CONFIG_DIR", "")))

    def discover(self, home: Home) -> Iterator[SourceRef]:
        seen: set[str] = set()
        for root in _project_roots(self.roots(home)):
            resolved = os.path.realpath(root)
            if resolved in seen:
                continue
            seen.add(resolved)
            for project in subdirectories(root):
                yield from self._discover_project(project.path)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        for root in _project_roots(self.roots(home)):
            for path in paths:
                if is_below(root, path):
                    yield from (ref for project in subdirectories(root) for ref in self._discover_project(project.path))
                elif is_below(path, root):
                    yield from self._refs_at(root, path)

    def _refs_at(self, root: str, path: str) -> Iterator[SourceRef]:
        """Yield the source at a path, or those in the directory that it is."""
        inner = Path(path).relative_to(root).parts
        if is_behind_link(path, root) or Path(path).is_symlink():
            return
        if _is_transcript(inner):
            found = reference_at(self.id, path)
            if found is not None:
                yield found
        elif Path(path).is_dir():
            project = f"{root}{os.sep}{inner[0]}"
            yield from (ref for ref in self._discover_project(project) if is_below(ref.path, path))

    def _discover_project(self, project: str) -> Iterator[SourceRef]:
        for entry in files_below(project, ".jsonl"):
            yield reference(self.id, entry)
        for session in subdirectories(project):
            subagents = f"{session.path}{os.sep}subagents"
            folders = [subagents, *(folder.path for folder in subdirectories(f"{subagents}{os.sep}workflows"))]
            for folder in folders:
                for entry in files_below(folder, ".jsonl"):
                    if entry.name.startswith("agent-"):
                        yield reference(self.id, entry)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        root = _root_of(ref.path, self.roots(home))
        with LineFile(ref.path, root=root) as file:
            return read_lines(Reader(file, Side(self.id, ref.path, root)), checkpoint)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        argv = (self.program, "--resume", safe_id(facts.native_id))
        return ResumeCommand((*argv, "--fork-session") if fork else argv, needs_project=True)

    def deletes_after_days(self, home: Home) -> int | None:
        """Return after how many days without activity transcripts go; 0 means that none are kept at all."""
        return cleanup_days(_config_directories(home.path, home.environment.get("CLAUDE_CONFIG_DIR", "")))

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return results that were moved out, plans, to-do lists, undo copies; of a subagent what describes it."""
        root = _root_or_nothing(ref.path, self.roots(home))
        if not root:
            return []
        plan = "" if _is_subagent(ref.path) else plan_of(ref.path, root)
        plans = (f"../../plans/{plan}.md",) if plan else ()
        return [*files_beside(ref.path, (*OWN_FILES, *plans), root=root), *self.indexes(ref, home)]

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        root = _root_or_nothing(ref.path, self.roots(home))
        return files_beside(ref.path, LISTS, root=root) if root and not _is_subagent(ref.path) else []

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        root = _root_or_nothing(ref.path, self.roots(home))
        return places_beside(ref.path, LISTS, root=root) if root and not _is_subagent(ref.path) else []

    def is_in_use(self, ref: SourceRef, home: Home) -> bool:
        root = _root_or_nothing(ref.path, self.roots(home))
        return bool(root) and is_running(ref.path, root)

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        if not self.indexes(ref, home):
            return ()
        return ("Claude Code's own list of this project was left as it is. It renews that by itself.",)

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        root = _root_or_nothing(ref.path, self.roots(home))
        return place_in(ref.path, root, project) if root else None

    def recognises(self, head: bytes, name: str) -> bool:
        return has_keys(head, "parentUuid", "sessionId", "isSidechain", "uuid") and not has_keys(head, "parts")


def _is_transcript(inner: tuple[str, ...]) -> bool:
    """Return whether a path below a root, in parts, is where `discover` would find a source."""
    if len(inner) == 2:
        return inner[1].endswith(".jsonl")
    is_subagent = inner[-1].startswith("agent-") and inner[-1].endswith(".jsonl") and inner[2:3] == ("subagents",)
    return is_subagent and (len(inner) == 4 or (len(inner) == 6 and inner[3] == "workflows"))


@lru_cache(maxsize=8)
def _roots(home: Path, named: str) -> tuple[Path, ...]:
    """Return the roots; every reading asks for them."""
    desktop = [home.joinpath(*parts, "Claude", _DESKTOP) for parts in _application_data()]
    return *(config / "projects" for config in _config_directories(home, named)), *desktop


def _config_directories(home: Path, named: str) -> list[Path]:
    """Return the agent's configuration directories: its variable, which may be a list, then the usual ones."""
    if os.pathsep == ":":  # on Windows a colon belongs to the drive
        named = named.replace(":", ",")
    moved = [_expanded(part.strip(), home) for part in named.split(",") if part.strip()]
    return list(dict.fromkeys([*moved, home / ".claude", home / ".config" / "claude"]))


def _expanded(text: str, home: Path) -> Path:
    return home / text[2:] if text.startswith("~/") else home / text


def _application_data() -> list[tuple[str, ...]]:
    return [("Library", "Application Support"), (".config",), ("AppData", "Roaming")]


def _project_roots(roots: list[Path]) -> Iterator[str]:
    for root in roots:
        if root.name == _DESKTOP:
            yield from _desktop_roots(str(root), _DESKTOP_DEPTH)
        else:
            yield str(root)


def _desktop_roots(folder: str, depth: int) -> Iterator[str]:
    """Yield the ``projects`` directories of the desktop application's sessions, each of which has a home of its own."""
    for entry in subdirectories(folder):
        if entry.name.startswith("local_"):
            yield f"{entry.path}{os.sep}{_DESKTOP_INNER}"
        elif depth:
            yield from _desktop_roots(entry.path, depth - 1)


def _is_subagent(path: str) -> bool:
    return Path(path).name.startswith("agent-")


def _root_or_nothing(path: str, roots: list[Path]) -> str:
    try:
        return _root_of(path, roots)
    except SourceError:
        return ""


def _root_of(path: str, roots: list[Path]) -> str:
    for root in map(str, roots):
        if path.startswith(root + os.sep):
            before, inner, _ = path.partition(_DESKTOP_INNER + os.sep)
            return before + _DESKTOP_INNER if root.endswith(_DESKTOP) and inner else root
    raise refusal("outside", path)


AGENT = ClaudeCode()
