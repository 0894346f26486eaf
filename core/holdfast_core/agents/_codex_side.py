"""What Codex keeps of its threads outside their rollouts: their titles."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast_core.agents._copies import stamp_of
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._sqlite import private_copy
from holdfast_core.errors import SourceError

_STATE = re.compile(r"(state|thread_history)_(\d+)\.sqlite")
_INDEX_NAME = "session_index.jsonl"
_INDEX_LIMIT = 16 << 20
_ROW_LIMIT = 200_000


class Title(NamedTuple):
    """What is known of a thread's name: given to it, in the old index, or its first prompt."""

    given: str = ""
    indexed: str = ""
    first: str = ""


class _IndexRow(msgspec.Struct):
    id: str = ""
    thread_name: str | None = None


class Side:
    """The surroundings of one rollout. ``native_id`` is what its name says, for a file without a head."""

    def __init__(self, agent: str, native_id: str, root: Path, *, is_archived: bool = False) -> None:
        self.agent = agent
        self.native_id = native_id
        self.is_archived = is_archived
        self._root = root

    def title(self, native_id: str) -> Title:
        """Return the names by which the agent knows a thread."""
        given = first = ""
        for path in thread_databases(self._root):
            title, prompt = _titles(str(path), str(self._root), stamp_of(path)).get(native_id, ("", ""))
            first = first or title or prompt
            given = given or (title if title.strip() != prompt.strip() else "")
        return Title(given, _indexed(str(self._root), _stamp(self._root / _INDEX_NAME)).get(native_id, ""), first)


def thread_databases(root: Path) -> list[Path]:
    """Return the newest database of each kind, the newest place first."""
    newest: dict[tuple[Path, str], tuple[int, Path]] = {}
    for folder in (root / "sqlite", root):
        try:
            paths = list(folder.iterdir())
        except OSError:
            continue
        for path in paths:
            found = _STATE.fullmatch(path.name)
            if found is not None:
                place = (folder, found[1])
                newest[place] = max(newest.get(place, (-1, path)), (int(found[2]), path))
    return [path for _, path in newest.values()]


@lru_cache(maxsize=8)
def _titles(path: str, root: str, _stamp_now: tuple[int, ...]) -> dict[str, tuple[str, str]]:
    try:
        with private_copy(path, root=root) as database:
            rows = list(islice(database.rows("threads", ("id", "title", "first_user_message")), _ROW_LIMIT))
    except (SourceError, OSError):
        return {}
    return {str(name): (str(title or ""), str(prompt or "")) for _, name, title, prompt in rows}


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=8)
def _indexed(root: str, _stamp_now: tuple[int, int]) -> dict[str, str]:
    """Return thread names from the append-only index, in which the last row of a thread counts."""
    decode = msgspec.json.Decoder(_IndexRow).decode
    names: dict[str, str] = {}
    for line in (read_small(Path(root, _INDEX_NAME), root=root, limit=_INDEX_LIMIT) or b"").split(b"\n"):
        try:
            row = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        names[row.id] = row.thread_name or ""
    return names
