"""Filters that ask of a session as a whole, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from holdfast_core.index.folding import fold
from holdfast_core.model.query import Filter

Condition = tuple[str, tuple[Any, ...]]
NEVER: Final[Condition] = ("0", ())
LOST: Final = "(is_gone OR lost_messages>0)"

_STATES: Final = {
    "starred": "starred",
    "live": "state='live'",
    "held": "instr(session.id, ':')=0",  # an agent's session has its agent before the colon
    "lost": LOST,
    "damaged": "(damage IN ('zeroed', 'corrupted', 'replaced') OR session.problem_count>0)",
    "archived": "state='archived'",
    "problem": "state='problem'",
    "subagent": "is_subagent",
    "empty": "is_empty",
}
_PARTS: Final = {"error": "has_error", "todo": "has_todo", "image": "has_image", "note": "has_note"}
_NUMBERS: Final = {"tokens": "total_tokens", "cost": "cost_usd"}


def session_condition(wanted: Filter) -> Condition:
    """Return the condition on a row of ``session`` that a filter means."""
    if wanted.limits:
        column = _NUMBERS.get(wanted.name, "ifnull(updated_ms, created_ms)")
        return _any((f"{column} BETWEEN ? AND ?", limit) for limit in wanted.limits)
    if wanted.name in ("is", "has"):
        words = _STATES if wanted.name == "is" else _PARTS
        return _any((words[value], ()) for value in wanted.values)
    return _any(_TEXTS[wanted.name](fold(value)) for value in wanted.values)


def _any(conditions: Iterable[Condition]) -> Condition:
    parts = list(conditions)
    return "(" + " OR ".join(sql for sql, _ in parts) + ")", tuple(value for _, values in parts for value in values)


def _agent(value: str) -> Condition:
    name = value.replace("-", "_").replace(" ", "_")
    return "(agent=? OR substr(agent, 1, ?)=?)", (name, len(name) + 1, name + "_")


def _project(value: str) -> Condition:
    """Return the condition for whole names of the path; the last may be the beginning of the path's last name."""
    path = value.replace("\\", "/").strip("/")
    if not path:
        return ("project_folded<>''" if value else "project_folded=''"), ()
    parents, _, name = f"/{path}".rpartition("/")
    parents += "/"
    length = len(parents)
    return (
        "(instr(project_folded, ?)>0 OR (substr(project_name_folded, 1, ?)=? AND "
        "substr(project_folded, length(project_folded)-length(project_name_folded)-?, ?)=?))",
        (f"/{path}/", len(name), name, length, length, parents),
    )


def _branch(value: str) -> Condition:
    return "(branch_folded=? OR substr(branch_folded, 1, ?)=?)", (value, len(value) + 1, value + "/")


def _inside(column: str) -> Callable[[str], Condition]:
    return lambda value: (f"instr({column}, ?)>0", (value,))


def _file(value: str) -> Condition:
    return "session.key IN (SELECT key FROM files WHERE instr(files_folded, ?)>0)", (value,)


def _tag(value: str) -> Condition:
    return "instr(tags_folded, ?)>0", (f"\n{value}\n",)


_TEXTS: Final[dict[str, Callable[[str], Condition]]] = {
    "agent": _agent,
    "project": _project,
    "branch": _branch,
    "model": _inside("model_folded"),
    "provider": _inside("provider_folded"),
    "file": _file,
    "title": _inside("title_folded"),
    "tag": _tag,
}
