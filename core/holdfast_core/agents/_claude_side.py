"""What stands beside a transcript of Claude Code on disk: where it belongs, and its side files."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._claude_tools import todo_of, todos_of
from holdfast_core.agents._jsonl import open_regular, read_small
from holdfast_core.agents._tap import tap_at
from holdfast_core.agents._values import PREVIEW_LIMIT, one_line, text_of_name
from holdfast_core.atomic import is_alive
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Todo

_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")
_MOVED = re.compile(r"[\\/]([\w.-]{1,128})[\\/]tool-results[\\/]([A-Za-z0-9][\w.-]{0,200}\.(?:txt|json))")
OWN_FILES = (
    "{stem}.meta.json",
    "{stem}/tool-results/*",
    "../../todos/{stem}-agent-*.json",
    "../../tasks/{stem}/*",
    "../../file-history/{stem}/*",
)
"""What belongs to one transcript, as patterns of `_beside.files_beside`."""
LISTS = ("sessions-index.json",)
_SAFE_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,127}")
_ENCODED_LIMIT = 200
_RESULT_LIMIT = 16 << 20
_TASKS_LIMIT = 200
_SLUG = re.compile(rb'"slug"\s*:\s*"([A-Za-z0-9][\w-]{0,127})"')
_TAIL_BYTES = 1 << 16
_PROCESS = re.compile(r"[1-9][0-9]{0,9}\.json")
_PROCESSES_LIMIT = 200


def encode_project(path: str) -> str:
    """Return the name of the folder that belongs to a project directory; several directories may share one."""
    return _NOT_ALPHANUMERIC.sub("-", path)


def plan_of(path: str, root: str) -> str:
    """Return the name of the plan that the last records of a transcript tell, empty for none."""
    seen = tap_at(path)
    if seen is not None and seen.blocks:
        return _slug_in(seen.blocks[-1][1][-_TAIL_BYTES:])  # just read
    try:
        descriptor = open_regular(path, root=root)
    except SourceError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(max(os.fstat(descriptor).st_size - _TAIL_BYTES, 0))
        return _slug_in(file.read(_TAIL_BYTES))


def _slug_in(content: bytes) -> str:
    found = _SLUG.findall(content)
    return found[-1].decode() if found else ""


def is_running(path: str, root: str) -> bool:
    """Return whether a process says of itself that it works on the session of a transcript: ``sessions/<pid>.json``."""
    folder = Path(root).parent / "sessions"
    try:
        files = [file for file in folder.iterdir() if _PROCESS.fullmatch(file.name)]
    except OSError:
        return False
    told = ((int(file.stem), _object(read_small(file, root=str(folder)))) for file in files[:_PROCESSES_LIMIT])
    return any(one.get("sessionId") == Path(path).stem and is_alive(process) for process, one in told)


def place_in(path: str, root: str, project: str) -> Path | None:
    """Return where a transcript would be looked for from another directory, None for a subagent's.

    None also for a long path: the program shortens the name of its folder and adds a sum of its own.
    """
    encoded, name = encode_project(project), Path(path).name
    return None if name.startswith("agent-") or len(encoded) > _ENCODED_LIMIT else Path(root, encoded, name)


class Side:
    """The surroundings of one transcript below a ``projects`` directory.

    ``parent_id`` is known from the path since 2.1.2; before, the records tell it.
    """

    def __init__(self, agent: str, path: str, root: str) -> None:
        self.agent = agent
        self._root = root
        file, below = Path(path), Path(root)
        parts = file.relative_to(below).parts
        self.native_id = text_of_name(file.stem)
        self.is_subagent = self.native_id.startswith("agent-")
        is_inner = self.is_subagent and len(parts) > 3 and parts[2] == "subagents"
        self.parent_id = text_of_name(parts[1]) if is_inner else None
        self._encoded = parts[0] if len(parts) > 1 else ""
        self._folder = below / self._encoded
        self._config = below.parent
        described = _object(read_small(file.with_suffix(".meta.json"), root=root)) if self.is_subagent else {}
        self.description = one_line(_text(described.get("description")), PREVIEW_LIMIT)
        self.agent_type = _text(described.get("agentType"))

    def is_project(self, cwd: str) -> bool:
        """Return whether the transcript's folder is the one of this directory."""
        encoded = encode_project(cwd)
        if len(encoded) > _ENCODED_LIMIT:
            return self._encoded[:_ENCODED_LIMIT] == encoded[:_ENCODED_LIMIT]
        return encoded == self._encoded

    def moved_result(self, text: str) -> str | None:
        """Return a tool's output that was too large for the transcript, None if it is not there."""
        found = _MOVED.search(text[:4096])
        if found is None:
            return None
        for session_id in dict.fromkeys((self.parent_id or self.native_id, found[1])):
            path = self._folder / session_id / "tool-results" / found[2]
            content = read_small(path, root=self._root, limit=_RESULT_LIMIT)
            if content is not None:
                return content.decode("utf-8", "replace")
        return None

    def listed(self) -> str:
        """Return the summary that the folder's own list has of the session; the list is often stale."""
        path = self._folder / "sessions-index.json"
        try:
            found = path.lstat()
        except (OSError, ValueError):
            return ""
        return _summaries(str(path), self._root, found.st_mtime_ns, found.st_size).get(self.native_id, "")

    def todos(self) -> list[Todo]:
        """Return the plan that is kept in files of its own."""
        if not _SAFE_NAME.fullmatch(self.native_id):
            return []
        owner = self.native_id if not self.is_subagent else self.parent_id or ""
        part = self.native_id.removeprefix("agent-")
        content = read_small(self._config / "todos" / f"{owner}-agent-{part}.json", root=str(self._config))
        todos = todos_of(_decoded(content))
        return todos if todos or self.is_subagent else self._tasks()

    def _tasks(self) -> list[Todo]:
        folder = self._config / "tasks" / self.native_id
        try:
            files = [file for file in folder.iterdir() if file.suffix == ".json"]
        except (OSError, ValueError):
            return []
        files.sort(key=lambda file: (len(file.name), file.name))
        found = [_object(read_small(file, root=str(self._config))) for file in files[:_TASKS_LIMIT]]
        return [todo for item in found if (todo := todo_of(item)) is not None]

    def plan(self, slug: str) -> str:
        """Return the path of the session's plan, empty if there is none."""
        if not slug or not _SAFE_NAME.fullmatch(slug):
            return ""
        path = self._config / "plans" / f"{slug}.md"
        return str(path) if path.is_file() else ""


@lru_cache(maxsize=64)
def _summaries(path: str, root: str, _modified_ns: int, _size: int) -> dict[str, str]:
    entries = _object(read_small(path, root=root)).get("entries")
    return {
        _text(entry.get("sessionId")): _text(entry.get("summary"))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    }


def _decoded(content: bytes | None) -> Any:
    if content is None:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _object(content: bytes | None) -> dict[str, Any]:
    value = _decoded(content)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
