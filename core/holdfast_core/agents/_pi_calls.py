"""How entries of the Pi family begin calls of tools and end them."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._calls import INTERRUPTED, blocks_in, made_id, object_at, text_at
from holdfast_core.agents._values import moment_ms
from holdfast_core.agents.base import Calls, Closing


class PiClosing(Closing):
    """A call is a block ``toolCall`` of an answer; a message with the role ``toolResult`` ends it."""

    links = ("id", "parentId")

    def calls(self, record: dict[str, Any]) -> Calls:
        message = object_at(record, "message")
        if message.get("role") == "toolResult":
            return Calls(ended=(text_at(message, "toolCallId"),))
        if message.get("role") != "assistant":
            return Calls()
        blocks = (one for one in blocks_in(message.get("content")) if one.get("type") == "toolCall")
        return Calls(opened=tuple((text_at(one, "id"), text_at(one, "name")) for one in blocks))

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        own = text_at(record, "id")
        linked = {"id": made_id(own, call)[:8], "parentId": own} if own else {}
        message = {
            "role": "toolResult",
            "toolCallId": call,
            "toolName": name,
            "content": [{"type": "text", "text": INTERRUPTED}],
            "isError": True,
            "timestamp": moment_ms(record.get("timestamp")) or 0,
        }
        return {"type": "message", **linked, "timestamp": record.get("timestamp"), "message": message}
