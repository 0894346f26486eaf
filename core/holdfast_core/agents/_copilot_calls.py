"""How Copilot CLI's events begin calls of tools and end them."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._calls import INTERRUPTED, blocks_in, made_id, object_at, text_at
from holdfast_core.agents.base import Calls, Closing


class CopilotClosing(Closing):
    """A call is asked for in an answer, then begun; ``tool.execution_complete`` ends it."""

    links = ("id", "parentId")

    def calls(self, record: dict[str, Any]) -> Calls:
        data, kind = object_at(record, "data"), record.get("type")
        if kind == "assistant.message":
            asked = blocks_in(data.get("toolRequests"))
            return Calls(opened=tuple((text_at(one, "toolCallId"), text_at(one, "name")) for one in asked))
        if kind == "tool.execution_start":
            return Calls(opened=((text_at(data, "toolCallId"), text_at(data, "toolName")),))
        return Calls(ended=(text_at(data, "toolCallId"),)) if kind == "tool.execution_complete" else Calls()

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        own = text_at(record, "id")
        data = {"toolCallId": call, "success": False, "error": {"message": INTERRUPTED}}
        return {
            "type": "tool.execution_complete",
            "data": data,
            "id": made_id(own, call),
            "timestamp": record.get("timestamp"),
            "parentId": own or None,
        }
