"""A session as a document of stable keys: what ``--json`` prints and what a JSON export holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from holdfast_core.model.export import ExportOptions
from holdfast_core.model.message import Block, Image, Message, Thinking, ToolResult
from holdfast_core.model.session import Session, SessionEntry
from holdfast_core.model.usage import Usage

SCHEMA = "holdfast.session"
SCHEMA_VERSION = 1
# Who speaks, for people: what a tool gave back belongs to the assistant's turn.
SPEAKERS = {"user": "You", "assistant": "Assistant", "tool": "Assistant", "system": "Context"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(milliseconds: int | None) -> str | None:
    """Return a moment as ISO 8601 in UTC with ``Z``; None for none and for what no calendar has."""
    if milliseconds is None:
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minute(milliseconds: int | None) -> str:
    """Return a moment as day and minute in UTC, for people; empty for none."""
    return (iso_time(milliseconds) or "")[:16].replace("T", " ")


def milliseconds(iso: str | None) -> int | None:
    """Return what `iso_time` was given."""
    return None if iso is None else (datetime.fromisoformat(iso) - _EPOCH) // timedelta(milliseconds=1)


def usage_document(usage: Usage) -> dict[str, int]:
    """Return token counts with their total."""
    return {**msgspec.structs.asdict(usage), "total_tokens": usage.total_tokens}


def entry_document(entry: SessionEntry) -> dict[str, Any]:
    """Return a row of the list: every fact that is known without opening the session."""
    row = msgspec.to_builtins(entry)
    del row["key"]
    for name in ("created", "updated"):
        row[f"{name}_at"] = iso_time(row.pop(f"{name}_ms"))
    row["usage"] = usage_document(entry.usage)
    row["notes"] = row.pop("note")
    return {name: row[name] for name in (*_FIRST_KEYS, *sorted(row.keys() - set(_FIRST_KEYS)))}


_FIRST_KEYS = (
    "id", "agent", "native_id", "title", "preview", "project_path", "branch", "provider", "model", "created_at",
    "updated_at", "message_count", "usage", "cost_usd", "tags", "starred", "context_files", "size_bytes", "state",
    "parent_id", "source_path",
)  # fmt: skip


def session_head(session: Session, entry: SessionEntry | None = None) -> dict[str, Any]:
    """Return all of a session but its messages.

    ``title`` is what the list shows and ``agent_title`` the agent's own; what
    is not known without ``entry`` is left out.
    """
    facts = msgspec.to_builtins(session.facts)
    for name in ("created", "updated"):
        facts[f"{name}_at"] = iso_time(facts.pop(f"{name}_ms"))
    head = {} if entry is None else entry_document(entry)
    head |= {"id": session.id, **facts, "usage": usage_document(session.facts.usage)}
    head["agent_title"] = session.facts.title
    if entry is not None:
        head["title"] = entry.title
    head["problems"] = [msgspec.structs.asdict(problem) for problem in session.problems]
    head["unknown_records"] = session.unknown_records
    return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **head}


def message_documents(session: Session, options: ExportOptions) -> Iterator[dict[str, Any]]:
    """Yield the messages, without the blocks that ``options`` leave out."""
    for message in session.messages:
        yield {
            "id": message.id,
            "parent_id": message.parent_id,
            "role": message.role,
            "timestamp": iso_time(message.timestamp_ms),
            "model": message.model,
            "usage": usage_document(message.usage) if message.usage else None,
            "blocks": [_block_document(block, options) for block in shown_blocks(message, options)],
            "line": message.line,
        }


def shown_blocks(message: Message, options: ExportOptions) -> Iterator[Block]:
    """Yield the blocks of a message that ``options`` do not leave out."""
    for block in message.blocks:
        if isinstance(block, Thinking) and not options.thinking:
            continue
        if isinstance(block, ToolResult) and not options.tool_output:
            continue
        yield block


def _block_document(block: Block, options: ExportOptions) -> Any:
    document = msgspec.to_builtins(block)
    if isinstance(block, Image) and not options.images:
        document["data_base64"] = ""
    return document
