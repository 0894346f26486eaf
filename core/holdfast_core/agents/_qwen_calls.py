"""How Qwen Code's records begin calls of tools and end them."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._calls import INTERRUPTED, blocks_in, made_id, object_at, text_at
from holdfast_core.agents.base import Calls, Closing

_KEPT = ("sessionId", "timestamp", "cwd", "version", "gitBranch")


class QwenClosing(Closing):
    """A call is a part ``functionCall`` of an answer; a ``functionResponse`` of the same id ends it."""

    links = ("uuid", "parentUuid")

    def calls(self, record: dict[str, Any]) -> Calls:
        parts = list(blocks_in(object_at(record, "message").get("parts")))
        opened = [call for part in parts if (call := object_at(part, "functionCall"))]
        ended = [given for part in parts if (given := object_at(part, "functionResponse"))]
        return Calls(
            tuple((text_at(one, "id"), text_at(one, "name")) for one in opened),
            tuple(text_at(one, "id") for one in ended),
        )

    def end(self, record: dict[str, Any], call: str, name: str) -> dict[str, Any]:
        own = text_at(record, "uuid")
        given = {"id": call, "name": name, "response": {"error": INTERRUPTED}}
        return {
            "uuid": made_id(own, call),
            "parentUuid": own or None,
            **{key: record[key] for key in _KEPT if key in record},
            "type": "tool_result",
            "message": {"role": "user", "parts": [{"functionResponse": given}]},
            "toolCallResult": {"callId": call, "status": "cancelled", "resultDisplay": INTERRUPTED},
        }
