"""Cline and what descends from it: a folder of JSON documents for each task, rewritten as a whole."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._cline_talk import Talk
from holdfast_core.agents._cline_task import Counting, Task, Used
from holdfast_core.agents._documents import Document, read_document
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._files import FileAgent
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._parts import objects_in, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms, text_of_name
from holdfast_core.agents._vscode_family import any_user_directories
from holdfast_core.agents.base import Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SessionRead, SourceRef
from holdfast_core.errors import Refused
from holdfast_core.model.message import Todo

_SHOWN = ("ui_messages.json", "claude_messages.json")
_SENT = "api_conversation_history.json"


class ClineFamilyAgent(FileAgent):
    """Reads what the window showed of a task; what was sent to the model only where nothing else is there."""

    extension: ClassVar[str]
    counting: ClassVar[Counting] = Counting()
    patterns = tuple(f"tasks/*/{name}" for name in (*_SHOWN, _SENT))
    beside = ("*.json",)
    listed = ("../../state/taskHistory.json", "../_index.json")
    notes = ("The editor's own list of tasks was left as it is. It may not show this task.",)

    def roots(self, home: Home) -> list[Path]:
        return [folder / "globalStorage" / self.extension for folder in any_user_directories(home)]

    def key_of(self, path: str) -> str:
        return str(Path(path).parent)

    def is_source(self, path: str) -> bool:
        """Return whether a task is not also there in a form that shows more."""
        names = (*_SHOWN, _SENT)
        better = names[: names.index(Path(path).name)]
        return not any(Path(path).with_name(name).is_file() for name in better)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        root = self.root_of(ref.path, home)
        document = read_document(ref.path, None, root=root)
        return document.reading([self._session(document, Path(ref.path), root)])

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("This task can only be continued in its editor. Open its project there.")

    def _session(self, document: Document, path: Path, root: str) -> SessionRead:
        draft = Draft(Gathered(text_of_name(path.parent.name)))
        rows = document.value if isinstance(document.value, list) else []
        metadata = _object(path.with_name("task_metadata.json"), root)
        used = _used(metadata)
        item = self._item(path, root)
        is_child = bool(text_in(item, "parentTaskId"))
        if path.name == _SENT:
            talk = Talk(draft, document, is_child=is_child)
            for number, row in enumerate(rows, 1):
                talk.take(row, number)
            folder, prompt, todos = talk.folder, talk.prompt, list[Todo]()
            if used:
                draft.gathered.model = draft.gathered.model or used[-1].model
                draft.gathered.provider = draft.gathered.provider or used[-1].provider
        else:
            task = Task(draft, document, self.counting, used, is_child=is_child)
            for number, row in enumerate(rows, 1):
                task.take(row, number)
            task.end()
            folder, prompt, todos = task.folder, task.prompt, task.todos
        for file in objects_in(metadata.get("files_in_context")):
            draft.mention(text_in(file, "path"))
        more = {"project_path": folder[:PATH_LIMIT], "todos": tuple(todos), "title": prompt if is_child else ""}
        return self._finished(draft, document, item, more)

    def _item(self, path: Path, root: str) -> dict[str, Any]:
        """Return what the lists of tasks say of one: its own document, or the list of all."""
        found = _object(path.with_name("history_item.json"), root)
        return found or _history(str(Path(root, "state", "taskHistory.json")), root).get(path.parent.name, {})

    def _finished(self, draft: Draft, document: Document, item: dict[str, Any], more: dict[str, Any]) -> SessionRead:
        gathered = draft.gathered
        gathered.model = gathered.model or text_in(item, "modelId")
        folder = text_in(item, "workspace", "cwdOnTaskInitialization")
        parent = text_in(item, "parentTaskId")
        more |= {"kind": "subagent", "parent_id": parent} if parent else {}
        moment = moment_ms(count(item.get("ts")) or None)
        if moment is not None and gathered.created_ms is None:
            gathered.created_ms = moment
        mode = text_in(item, "mode")
        more["title"] = text_in(item, "title") or more["title"]
        more["project_path"] = folder[:PATH_LIMIT] or more["project_path"]
        return draft.finish(
            agent=self.id,
            is_empty=gathered.spoken_count == 0,
            fallback_ms=document.modified_ms,
            provider_data=document.provider_data() | ({"mode": mode} if mode else {}),
            **more,
        )


def _object(path: Path, root: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(read_small(path, root=root) or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _used(metadata: dict[str, Any]) -> list[Used]:
    rows = objects_in(metadata.get("model_usage"))
    return [Used(count(row.get("ts")), text_in(row, "model_id"), text_in(row, "model_provider_id")) for row in rows]


def _history(path: str, root: str) -> dict[str, dict[str, Any]]:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return {}
    return _listed(path, root, (found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=32)
def _listed(path: str, root: str, _stamp: tuple[int, int]) -> dict[str, dict[str, Any]]:
    """Return the list of all tasks by their ids; one that did not change is not read again."""
    try:
        rows = msgspec.json.decode(read_small(path, root=root, limit=64 << 20) or b"[]")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    wanted = ("modelId", "cwdOnTaskInitialization", "ts")
    return {text_in(row, "id"): {name: row[name] for name in wanted if name in row} for row in objects_in(rows)}
