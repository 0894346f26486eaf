"""A session as lines for a terminal: who said what, tools in short."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast_core.export.document import iso_time
from holdfast_core.export.markdown import call_title
from holdfast_core.export.plain import plain_text
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.session import Session, SessionEntry

_OUTPUT_LINES = 8
_SPEAKERS = {"user": "You", "assistant": "Assistant", "tool": "Tool", "system": "Context"}


def lines(session: Session, entry: SessionEntry) -> Iterator[str]:
    """Yield what a person reads of a session: all that was said, the first lines of what tools gave back."""
    yield entry.title or entry.native_id
    yield f"{entry.agent} {entry.model}  {entry.project_path}  {entry.id}"
    for message in session.messages:
        shown = [line for block in message.blocks for line in _block_lines(block, message)]
        if shown:
            time = (iso_time(message.timestamp_ms) or "")[:16].replace("T", " ")
            yield f"\n── {_SPEAKERS[message.role]} {time}".rstrip()
            yield from shown
    if session.problems:
        yield f"\n{len(session.problems):,} records could not be read."


def _block_lines(block: Block, message: Message) -> Iterator[str]:
    match block:
        case Text(text=text) if message.role == "system":
            yield from _beginning(text)
        case Text(text=text):
            yield from plain_text(text).strip("\n").split("\n")
        case Thinking(text=text) if text:
            yield f"(thinking, {len(text):,} letters)"
        case ToolCall():
            yield f"▸ {call_title(block)}"
        case ToolResult(text=text):
            yield from (f"  {line}" for line in _beginning(text))
        case Image():
            yield f"(image, {block.media_type}, {block.size_bytes:,} bytes)"
        case File(path=path):
            yield f"(file {path})"
        case Error(text=text):
            yield f"Error: {text}"
        case Compaction(text=text):
            yield "(what came before was replaced by a summary)"
            yield from _beginning(text)


def _beginning(text: str) -> list[str]:
    kept = plain_text(text).strip("\n").split("\n")
    if len(kept) <= _OUTPUT_LINES:
        return kept if kept != [""] else []
    return [*kept[:_OUTPUT_LINES], f"… {len(kept) - _OUTPUT_LINES:,} more lines"]
