"""Says in one line what a tool call did, from its name, its input and its result alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from holdfast_core.model.message import Todo, TodoStatus, ToolCall, ToolResult

from holdfast_gui.models.diff import is_edit_input, path_of, read_diffs
from holdfast_gui.text import counted, duration, one_line, tr

Verb = Literal["Run", "Read", "Edit", "Search", "Write", "Fetch", "Task", "List", "Plan", "Ask", ""]
Tone = Literal["quiet", "added", "removed", "bad"]

# The first row that shares a word with the tool's name wins; words are split at case, dashes and underscores.
_WORDS: Final[tuple[tuple[Verb, frozenset[str]], ...]] = (
    ("Plan", frozenset({"todo", "todos", "plan"})),
    ("Ask", frozenset({"ask", "question", "elicit"})),
    ("Task", frozenset({"agent", "agents", "subagent", "delegate", "spawn"})),
    ("Search", frozenset({"grep", "search", "glob", "find", "ripgrep", "rg", "lookup"})),
    ("Edit", frozenset({"edit", "multiedit", "patch", "replace", "modify"})),
    ("Fetch", frozenset({"fetch", "browser", "browse", "url", "http", "download", "navigate"})),
    ("Write", frozenset({"write", "create", "save"})),
    ("Run", frozenset({"bash", "shell", "exec", "execute", "run", "command", "terminal", "process", "powershell"})),
    ("Run", frozenset({"stdin", "cmd", "python"})),
    ("List", frozenset({"list", "ls", "dir", "directory", "tree"})),
    ("Read", frozenset({"read", "view", "open", "cat", "get", "load"})),
    ("Task", frozenset({"task"})),
    ("Fetch", frozenset({"web"})),
)
_ARGUMENT_KEYS: dict[Verb, tuple[str, ...]] = {
    "Run": ("command", "cmd", "script", "code", "chars"),
    "Search": ("pattern", "query", "regex", "glob", "search", "q"),
    "Fetch": ("url", "uri", "query"),
    "Task": ("description", "title", "subject", "prompt", "message", "task"),
    "Ask": ("question", "prompt", "message"),
    "Plan": ("explanation", "subject", "title"),
}
_TELLING_KEYS: Final[tuple[tuple[Verb, tuple[str, ...]], ...]] = (
    ("Edit", ("old_string", "old_str")),
    ("Run", ("command", "cmd")),
    ("Search", ("pattern", "query")),
    ("Fetch", ("url",)),
)
_PLAN_KEYS = ("todos", "plan", "items", "steps", "todoList")
_STEP_KEYS = ("content", "step", "title", "text", "task", "description", "subject")
_STATUSES: Final[dict[str, TodoStatus]] = {
    "completed": "completed", "complete": "completed", "done": "completed", "finished": "completed",
    "in_progress": "in_progress", "in-progress": "in_progress", "inprogress": "in_progress",
    "active": "in_progress", "doing": "in_progress", "running": "in_progress",
}  # fmt: skip
_EXIT = re.compile(r"(?:exit(?:ed)?(?: with)?(?: code| status)?[:= ]+)(\d{1,3})\b", re.IGNORECASE)
_TESTS = re.compile(r"\b(\d+) (passed|failed)\b")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing to say at the right of a step."""

    text: str
    tone: Tone = "quiet"


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call in one line: what was done, to what, and what came of it. All texts are safe to draw."""

    verb: str
    icon: str
    argument: str
    outcome: tuple[Outcome, ...]
    is_error: bool = False

    def as_text(self) -> str:
        """Return the line as plain text."""
        outcome = " · ".join(part.text for part in self.outcome)
        return " ".join(part for part in (self.verb, self.argument, f"({outcome})" if outcome else "") if part)


def describe(
    call: ToolCall, result: ToolResult | None, *, seconds: float | None = None, project_path: str = ""
) -> Step:
    """Describe a call; ``seconds`` is how long its result took, where that is known."""
    verb = verb_of(call)
    shown = verb or one_line(_plain_name(call.name), limit=40) or "Tool"
    argument = one_line(_argument(verb, decoded(call.input), project_path))
    return Step(shown, (verb or "Tool").lower(), argument, _outcome(verb, call, result, seconds), _failed(result))


def verb_of(call: ToolCall) -> Verb:
    """Return what kind of thing a call does; empty where neither its name nor its input tells."""
    verb = _verb_of_name(call.name)
    if verb == "Run" and is_edit_input(call.input):
        return "Edit"
    return verb if verb and verb != "Task" else _verb_of_input(call.input) or verb


def plan_of(tool_input: Any) -> list[Todo]:
    """Return the steps of a to-do list, none if the input holds no such list."""
    tool_input = decoded(tool_input)
    if not isinstance(tool_input, Mapping):
        return []
    for key in _PLAN_KEYS:
        steps = tool_input.get(key)
        if isinstance(steps, list) and steps and all(isinstance(step, Mapping) for step in steps):
            todos = [_todo(step) for step in steps]
            if all(todo.content for todo in todos):
                return todos
    return []


def decoded(tool_input: Any) -> Any:
    """Return the input, decoded where an agent stored JSON as a text."""
    if isinstance(tool_input, str) and tool_input[:1] in ("{", "[") and len(tool_input) < 1_000_000:
        try:
            return msgspec.json.decode(tool_input)
        except (msgspec.DecodeError, RecursionError):
            return tool_input
    return tool_input


def input_text(tool_input: Any) -> str:
    """Return the input as people read it: one ``key: value`` each; a lone value stands alone."""
    tool_input = decoded(tool_input)
    if tool_input is None:
        return ""
    if isinstance(tool_input, str):
        return tool_input
    if not isinstance(tool_input, Mapping):
        return _as_json(tool_input)
    if len(tool_input) == 1:
        return _value_text(next(iter(tool_input.values())))
    return "\n".join(_entry_text(str(key), value) for key, value in tool_input.items())


def command_of(tool_input: Any) -> str | None:
    """Return the command line that an input holds, as one text."""
    if not isinstance(tool_input, Mapping):
        return None
    for key in _ARGUMENT_KEYS["Run"][:3]:
        value = tool_input.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, Sequence) and value:
            words = [str(word) for word in value]
            # ["bash", "-lc", "the command"] says the command once
            return (
                words[2] if len(words) == 3 and words[1].startswith("-") and words[1].endswith("c") else " ".join(words)
            )
    return None


def short_path(path: str, project_path: str) -> str:
    """Return a path without the project's directory, if it lies there."""
    if project_path and path.startswith(project_path) and path[len(project_path) :][:1] in ("/", "\\"):
        return path[len(project_path) + 1 :]
    return path


@lru_cache(maxsize=512)
def _verb_of_name(name: str) -> Verb:
    words = set(_plain_name(name).split())
    if words <= {"task", "create", "update", "list", "get"} and len(words) > 1:
        return "Plan"
    return next((verb for verb, known in _WORDS if words & known), "")


def _plain_name(name: str) -> str:
    name = re.split(r"__|[./:]", name)[-1] or name
    return re.sub(r"[_\-\s]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)).strip().lower()


def _verb_of_input(tool_input: Any) -> Verb:
    if isinstance(tool_input, str):
        return "Edit" if tool_input.startswith("*** Begin Patch") else ""
    if not isinstance(tool_input, Mapping):
        return ""
    verb: Verb = next((verb for verb, keys in _TELLING_KEYS if any(key in tool_input for key in keys)), "")
    if verb:
        return verb
    if path_of(tool_input):
        return "Write" if "content" in tool_input else "Read"
    return ""


def _argument(verb: Verb, tool_input: Any, project_path: str) -> str:
    if not isinstance(tool_input, Mapping):
        return _changed_paths(tool_input, project_path) or (tool_input if isinstance(tool_input, str) else "")
    command = command_of(tool_input) if verb == "Run" else None
    path = short_path(path_of(tool_input), project_path)
    value = next((tool_input[key] for key in _ARGUMENT_KEYS.get(verb, ()) if isinstance(tool_input.get(key), str)), "")
    if verb == "Search" and value and path:
        return f"{value} in {path}"
    found = command or value or path
    if not found and verb == "Edit":
        found = _changed_paths(tool_input, project_path)
    texts = [value for value in tool_input.values() if isinstance(value, str) and value]
    return found or " ".join(texts[: 3 if verb == "Plan" else 1])


def _changed_paths(tool_input: Any, project_path: str) -> str:
    return ", ".join(short_path(diff.path, project_path) for diff in read_diffs(tool_input)[:4])


def _outcome(verb: Verb, call: ToolCall, result: ToolResult | None, seconds: float | None) -> tuple[Outcome, ...]:
    parts: list[Outcome] = []
    if verb in ("Edit", "Write") and not _failed(result):
        return _change_counts(call)
    if seconds is not None and seconds >= 0.1 and verb not in ("Read", "Search", "List", "Plan"):
        parts.append(Outcome(f"{seconds:.1f} s" if seconds < 1 else duration(seconds)))
    if result is None:
        return tuple(parts)
    if result.is_error:
        code = _exit_code(result.text)
        parts.append(Outcome(f"exit {code}" if code else "error", "bad"))
    else:
        parts.extend(_success(verb, result.text))
    return tuple(parts)


def _success(verb: Verb, text: str) -> list[Outcome]:
    lines = _line_count(text)
    if verb == "Search":
        is_nothing = lines == 0 or (lines == 1 and re.match(r"\s*(no |0 |found 0)", text, re.IGNORECASE))
        return [Outcome(tr("no hits") if is_nothing else counted(lines, "hit", "hits"))]
    if verb == "Run":
        code = _exit_code(text)
        if code:
            return [Outcome(f"exit {code}", "bad")]
        tests = _TESTS.findall(text[-400:])
        if tests:
            return [Outcome(f"{count} {word}", "bad" if word == "failed" else "quiet") for count, word in tests[-2:]]
    if verb in ("Plan", "Ask", "") or not lines:
        return []
    return [Outcome(counted(lines, "line", "lines"))]


def _change_counts(call: ToolCall) -> tuple[Outcome, ...]:
    diffs = read_diffs(decoded(call.input))
    added, removed = sum(diff.added for diff in diffs), sum(diff.removed for diff in diffs)
    counts = (Outcome(f"+{added:,}", "added"), Outcome(f"−{removed:,}", "removed"))
    return tuple(count for count, lines in zip(counts, (added, removed), strict=True) if lines)


def _exit_code(text: str) -> str:
    found = _EXIT.search(text[:300]) or _EXIT.search(text[-200:])
    return found.group(1) if found and found.group(1) != "0" else ""


def _failed(result: ToolResult | None) -> bool:
    return result is not None and result.is_error


def _line_count(text: str) -> int:
    text = text.rstrip("\n")
    return text.count("\n") + 1 if text else 0


def _todo(step: Mapping[str, Any]) -> Todo:
    content = next((str(step[key]) for key in _STEP_KEYS if step.get(key)), "")
    status = _STATUSES.get(str(step.get("status", "completed" if step.get("completed") else "")).lower(), "pending")
    return Todo(content, status)


def _entry_text(key: str, value: Any) -> str:
    text = _value_text(value)
    return f"{key}:\n{text}" if "\n" in text else f"{key}: {text}"


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: Any) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except (TypeError, ValueError, RecursionError):
        return repr(value)
