"""From version 2, which knew blocks, to version 3, which knows configuration, origin and usage as objects.

Version 2::

    id, title, project_path, created_ms, updated_ms, closed_ms
    agent, provider, model, mode, branch, parent
    messages   [{id, role, blocks, timestamp_ms, parent_id, model, <tokens>}]
    blocks     {type: text | thinking | tool_call | tool_result | image | file | error | compaction, …}
    <tokens>, of the session too: input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens
    todos, context_files, cost_usd, starred, note, tags "one, two"

``parent`` is the held session that this one was forked from. In version 3 the
kind of a block is its ``kind``, and ``origin.kind`` is new or fork.
"""

from __future__ import annotations

from typing import Any

from holdfast_core.store.migrations._fields import Fields, Step, as_text

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_BLOCKS = frozenset(("text", "thinking", "tool_call", "tool_result", "image", "file", "error", "compaction"))


def _session(fields: Fields) -> None:
    values = fields.values
    values["config"] = {name: fields.take(name, str, default="") for name in ("agent", "provider", "model", "mode")}
    parent = fields.take("parent", str)
    values["origin"] = {
        "kind": "new" if parent is None else "fork",
        "branch": fields.take("branch", str, default=""),
        "parent_id": parent,
    }
    values["usage"] = {name: fields.take_count(name) for name in _TOKENS}


def _message(fields: Fields, _index: int) -> None:
    values = fields.values
    usage = {name: fields.take_count(name) for name in _TOKENS if name in values}
    values["usage"] = usage or None
    values["blocks"] = [_block(block) for block in fields.take("blocks", list, default=[])]


def _block(block: Any) -> dict[str, Any]:
    """Return a block of version 3; one of a kind that nobody knows is shown as it stands there."""
    if type(block) is not dict or type(block.get("type")) is not str or block["type"] not in _BLOCKS:
        return {"kind": "text", "text": as_text(block)}
    fields = Fields(block, 2)
    fields.make_room(("kind",))
    block["kind"] = block.pop("type")
    return block


STEP = Step(2, _session, _message, frozenset(("config", "origin", "usage")), frozenset(("usage",)))
