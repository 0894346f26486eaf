"""How Claude Code's records, and those of programs that write alike, begin calls of tools and end them."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._calls import INTERRUPTED, blocks_in, made_id, object_at, text_at
from holdfast_core.agents.base import Calls, Closing

_KEPT = ("isSidechain", "userType", "entrypoint", "cwd", "sessionId", "version", "gitBranch", "slug", "agentId")


class ClaudeClosing(Closing):
    """A call is a block ``tool_use`` of an answer; a ``tool_result`` in a record of the user's ends it."""

    links = ("uuid", "parentUuid")

    def calls(self, record: dict[str, Any]) -> Calls:
        blocks = list(blocks_in(object_at(record, "message").get("content")))
        if record.get("type") == "assistant":
            found = ((text_at(one, "id"), text_at(one, "name")) for one in blocks if one.get("type") == "tool_use")
            return Calls(opened=tuple(found))
        results = (text_at(one, "tool_use_id") for one in blocks if one.get("type") == "tool_result")
        return Calls(ended=tuple(results))

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        own = text_at(record, "uuid")
        result = {"tool_use_id": call, "type": "tool_result", "content": INTERRUPTED, "is_error": True}
        return {
            "parentUuid": own or None,
            **{key: record[key] for key in _KEPT if key in record},
            "type": "user",
            "message": {"role": "user", "content": [result]},
            "uuid": made_id(own, call),
            "timestamp": record.get("timestamp"),
            "toolUseResult": f"Error: {INTERRUPTED}",
            "sourceToolAssistantUUID": own,
        }
