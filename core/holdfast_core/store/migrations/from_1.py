"""From version 1, the first draft of a held session, to version 2.

Version 1 was one flat object::

    id, name, project, agent, model
    created, updated, closed           seconds, with a fraction
    messages   [{role, content, time, tool, id}]   content is one text
    todos      ["text"] or [{text, done}]
    files      ["path"]                what was given to the agent to read
    tokens_in, tokens_out, cost
    starred, note, tags "one, two"

``role`` is user, assistant, system, tool or error; ``tool`` names the tool
whose result a message is. Version 2 has milliseconds, blocks, messages with
an id, and the names of today for title, project and context files.
"""

from __future__ import annotations

from typing import Any

from holdfast_core.store.migrations._fields import Fields, Step, as_text

_TOKENS = frozenset(("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"))
_ROLES = ("user", "assistant", "system", "tool")


def _session(fields: Fields) -> None:
    values = fields.values
    values["title"] = fields.take("name", str, default="")
    values["project_path"] = fields.take("project", str, default="")
    values["created_ms"] = fields.take_moment("created") or 0
    values["updated_ms"] = fields.take_moment("updated") or values["created_ms"]
    values["closed_ms"] = fields.take_moment("closed")
    values["todos"] = [_todo(todo) for todo in fields.take("todos", list, default=[])]
    values["context_files"] = fields.take_texts("files")
    values["input_tokens"] = fields.take_count("tokens_in")
    values["output_tokens"] = fields.take_count("tokens_out")
    values["cost_usd"] = fields.take("cost", int, float)


def _todo(todo: Any) -> dict[str, Any]:
    if type(todo) is not dict:
        return {"content": todo if type(todo) is str else as_text(todo), "status": "pending", "active_form": ""}
    fields = Fields(todo, 1)
    fields.make_room(("content", "status", "active_form"))
    todo["content"] = fields.take("text", str, default="")
    todo["status"] = "completed" if fields.take("done", bool, default=False) else "pending"
    todo["active_form"] = ""
    return todo


def _message(fields: Fields, index: int) -> None:
    values = fields.values
    values["id"] = fields.take("id", str) or f"v1-{index + 1}"
    role = fields.take("role", str, default="")
    text = fields.take("content", str, default="")
    tool = fields.take("tool", str, default="")
    if role == "error":
        values["role"], block = "system", {"type": "error", "text": text}
    elif role == "tool":
        values["role"], block = "tool", {"type": "tool_result", "call_id": tool, "text": text}
    else:
        values["role"], block = role, {"type": "text", "text": text}
        if tool:
            fields.keep("tool", tool)
    if values["role"] not in _ROLES:
        fields.keep("role", role)
        values["role"] = "system"
    values["blocks"] = [block] if text or role == "tool" else []
    values["timestamp_ms"] = fields.take_moment("time")


STEP = Step(
    1,
    _session,
    _message,
    _TOKENS
    | {"title", "project_path", "created_ms", "updated_ms", "closed_ms", "context_files", "cost_usd", "provider"}
    | {"mode", "branch", "parent"},
    _TOKENS | {"blocks", "timestamp_ms", "parent_id", "model"},
)
