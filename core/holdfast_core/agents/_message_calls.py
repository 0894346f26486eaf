"""How calls of tools are begun and ended where a line is a message, with its content in blocks or calls in a list."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._calls import INTERRUPTED, blocks_in, made_id, object_at, text_at
from holdfast_core.agents.base import Calls, Closing


class BlockClosing(Closing):
    """An entry ``message`` holds blocks ``tool_use``; blocks ``tool_result`` in one of the user's end them."""

    links = ("id", "parentId")

    def calls(self, record: dict[str, Any]) -> Calls:
        blocks = list(blocks_in(object_at(record, "message").get("content")))
        opened = ((text_at(one, "id"), text_at(one, "name")) for one in blocks if one.get("type") == "tool_use")
        ended = (text_at(one, "tool_use_id") for one in blocks if one.get("type") == "tool_result")
        return Calls(tuple(opened), tuple(ended))

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        own = text_at(record, "id")
        linked = {"id": made_id(own, call), "parentId": own} if own else {}
        result = {"type": "tool_result", "tool_use_id": call, "is_error": True, "content": INTERRUPTED}
        message = {"role": "user", "content": [result]}
        return {"type": "message", **linked, "timestamp": record.get("timestamp"), "message": message}


class ListClosing(Closing):
    """An answer holds a list ``tool_calls``; a message with the role ``tool`` ends one of them."""

    def calls(self, record: dict[str, Any]) -> Calls:
        if record.get("role") == "tool":
            return Calls(ended=(text_at(record, "tool_call_id"),))
        opened = blocks_in(record.get("tool_calls"))
        return Calls(opened=tuple((text_at(one, "id"), text_at(object_at(one, "function"), "name")) for one in opened))

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": call, "name": name, "content": INTERRUPTED}
