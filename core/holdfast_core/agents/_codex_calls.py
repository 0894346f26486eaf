"""How Codex' records begin calls of tools and end them, in both generations."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._calls import object_at, text_at
from holdfast_core.agents.base import Calls, Closing

_ITEM = "response_item"
_ENDS = {
    "function_call": "function_call_output",
    "local_shell_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}
# What the program itself puts in the place of an output that is missing (core/src/context_manager, normalize).
_ABORTED = "aborted"


class CodexClosing(Closing):
    """A call is an item with a ``call_id``; the output with the same one ends it."""

    def calls(self, record: dict[str, Any]) -> Calls:
        item = _item(record)
        kind, call = text_at(item, "type"), text_at(item, "call_id")
        if kind in _ENDS:
            return Calls(opened=((call, text_at(item, "name")),))
        return Calls(ended=(call,)) if kind in _ENDS.values() else Calls()

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        item = {"type": _ENDS[text_at(_item(record), "type")], "call_id": call, "output": _ABORTED}
        if record.get("type") != _ITEM:
            return item
        return {"timestamp": record.get("timestamp"), "type": _ITEM, "payload": item}


def _item(record: dict[str, Any]) -> dict[str, Any]:
    """Return the item in a record; before 0.32 a record is one."""
    return object_at(record, "payload") if record.get("type") == _ITEM else record
