"""What Claude Code's tool calls mean: subagents that were started, files that were edited, steps that were planned."""

from __future__ import annotations

import hashlib
import re
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._reading import Place
from holdfast_core.model.message import Todo, TodoStatus

_LIMIT = 64
_TASK_NUMBER = re.compile(r"#(\w+)")
_STATUS: dict[str, TodoStatus] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "cancelled": "completed",
}


class Started(msgspec.Struct, array_like=True):
    """A call that starts a subagent. ``answer`` is where the answer that made it begins, if that can be read again."""

    index: int
    answer: Place | None
    prompt: bytes


class Tools(msgspec.Struct, array_like=True):
    """Calls whose results are still to come, and the plan. Bounded: the oldest calls are given up."""

    watched: ClassVar[frozenset[str]] = frozenset(
        ("Edit", "MultiEdit", "Write", "NotebookEdit", "TodoWrite", "TaskCreate", "TaskUpdate")
    )

    starting: ClassVar[frozenset[str]] = frozenset(("Task", "Agent"))

    started: dict[str, Started] = {}
    edits: dict[str, str] = {}
    tasks_asked: dict[str, Todo] = {}
    tasks: dict[str, Todo] = {}
    written: list[Todo] = []
    has_plan: bool = False

    @property
    def todos(self) -> list[Todo] | None:
        """The plan as it stands, None if there never was one."""
        return [*self.written, *self.tasks.values()] if self.has_plan else None

    def places(self) -> list[Place]:
        """Return where the answers that made unanswered calls begin."""
        return [call.answer for call in self.started.values() if call.answer is not None]

    def moved(self, index: int) -> None:
        """Note that a message was put in before known ones: calls from there on have another index now."""
        for call in self.started.values():
            if call.index >= index:
                call.index, call.answer = call.index + 1, None

    def note_start(self, call_id: str, asked: Any, index: int, answer: Place | None) -> None:
        """Remember a call that starts a subagent."""
        prompt = asked.get("prompt") if isinstance(asked, dict) else None
        _keep(self.started, call_id, Started(index, answer, _digest(prompt)))

    def note_call(self, call_id: str, name: str, asked: Any) -> None:
        """Remember a call of any other tool that is watched."""
        asked = asked if isinstance(asked, dict) else {}
        if name == "TodoWrite":
            self.written, self.has_plan = todos_of(asked.get("todos")), True
        elif name == "TaskCreate":
            todo = Todo(_text(asked.get("subject")), "pending", _text(asked.get("activeForm")))
            _keep(self.tasks_asked, call_id, todo)
        elif name == "TaskUpdate":
            self._update(asked)
        else:
            _keep(self.edits, call_id, _text(asked.get("file_path") or asked.get("notebook_path")))

    def call_with_prompt(self, prompt: str) -> str | None:
        """Return the unanswered call that started a subagent with this prompt."""
        digest = _digest(prompt)
        return next((call_id for call_id, call in self.started.items() if call.prompt == digest), None)

    def edited(self, call_id: str, result: dict[str, Any]) -> list[tuple[str, int, int]]:
        """Return the files that an edit changed, with the lines added and removed; none if it failed."""
        path = self.edits.pop(call_id, "")
        patch = result.get("structuredPatch")
        path = _text(result.get("filePath")) or path
        if not path or not any(result.values()):
            return []
        if not patch and result.get("type") == "create":
            return [(path, len(_text(result.get("content")).splitlines()), 0)]
        added = removed = 0
        for hunk in patch if isinstance(patch, list) else ():
            for line in hunk.get("lines") or () if isinstance(hunk, dict) else ():
                if isinstance(line, str):
                    added += line.startswith("+")
                    removed += line.startswith("-")
        return [(path, added, removed)]

    def task_made(self, call_id: str, result: dict[str, Any], text: str) -> None:
        """Give a planned step the number under which it is changed later."""
        todo = self.tasks_asked.pop(call_id)
        task = result.get("task")
        number = task.get("id") if isinstance(task, dict) else None
        if number is None:
            found = _TASK_NUMBER.search(text)
            number = found[1] if found else None
        if number is not None:
            self.tasks[str(number)] = todo
            self.has_plan = True

    def take_reminder(self, content: Any) -> bool:
        """Take the whole plan from a reminder of it; False if there is none in it."""
        found = {
            str(item.get("id", place)): todo
            for place, item in enumerate(content if isinstance(content, list) else ())
            if isinstance(item, dict) and (todo := todo_of(item)) is not None
        }
        if found:
            self.tasks, self.has_plan = found, True
        return bool(found)

    def _update(self, asked: dict[str, Any]) -> None:
        number = str(asked.get("taskId", ""))
        todo = self.tasks.get(number)
        if todo is None:
            return
        if asked.get("status") == "deleted":
            del self.tasks[number]
            return
        self.tasks[number] = Todo(
            _text(asked.get("subject")) or todo.content,
            _STATUS.get(_text(asked.get("status")), todo.status),
            _text(asked.get("activeForm")) or todo.active_form,
        )


def todos_of(value: Any) -> list[Todo]:
    """Return the steps of a stored plan, leaving out what is none."""
    items = value if isinstance(value, list) else []
    return [todo for item in items if isinstance(item, dict) and (todo := todo_of(item)) is not None]


def todo_of(item: dict[str, Any]) -> Todo | None:
    """Return one stored step, None if it says nothing."""
    content = _text(item.get("content") or item.get("subject"))
    if not content:
        return None
    return Todo(content, _STATUS.get(_text(item.get("status")), "pending"), _text(item.get("activeForm")))


def _keep(calls: dict[str, Any], call_id: str, value: Any) -> None:
    calls[call_id] = value
    if len(calls) > _LIMIT:
        del calls[next(iter(calls))]


def _text(value: Any) -> str:
    return value[:4096] if isinstance(value, str) else ""


def _digest(prompt: Any) -> bytes:
    return (
        hashlib.blake2b(prompt.encode("utf-8", "replace"), digest_size=8).digest() if isinstance(prompt, str) else b""
    )
