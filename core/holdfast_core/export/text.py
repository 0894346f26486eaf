"""A session as plain text: who said what, tools in short, nothing that acts in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast_core.export.document import SPEAKERS, minute, shown_blocks
from holdfast_core.export.markdown import call_title
from holdfast_core.export.plain import one_line, plain_text
from holdfast_core.model.export import ExportOptions
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

_COMPLETE = ExportOptions()


def render(
    session: Session,
    options: ExportOptions = _COMPLETE,
    *,
    entry: SessionEntry | None = None,
    output_lines: int | None = None,
) -> Iterator[str]:
    """Yield a session as plain text, a line at a time.

    ``output_lines`` cuts what tools gave back and what the agent put in as
    context; None for all of it.
    """
    facts = session.facts
    yield one_line(entry.title if entry else facts.title) + "\n"
    about = (facts.agent, facts.model, facts.project_path, session.id)
    yield "  ".join(one_line(fact) for fact in about if fact) + "\n"
    speaker = ""
    for message in session.messages:
        blocks = shown_blocks(message, options)
        lines = [line for block in blocks for line in _lines(block, message, output_lines)]
        if lines and SPEAKERS[message.role] != speaker:
            speaker = SPEAKERS[message.role]
            yield f"\n── {speaker} {minute(message.timestamp_ms)}".rstrip() + "\n"
        yield "".join(line + "\n" for line in lines)
    if session.problems:
        yield f"\n{len(session.problems):,} records could not be read.\n"


def _lines(block: Block, message: Message, output_lines: int | None) -> Iterator[str]:
    match block:
        case Text(text=text):
            yield from _first(text, output_lines if message.role == "system" else None)
        case Thinking(text=text) if text:
            yield "(thinking)"
            yield from (f"  {line}" for line in _first(text, output_lines))
        case ToolCall():
            yield f"▸ {call_title(block)}"
        case ToolResult(text=text):
            yield from (f"  {line}" for line in _first(text, output_lines))
        case Image():
            yield f"(image, {one_line(block.media_type)}, {block.size_bytes:,} bytes)"
        case File(path=path):
            yield f"(file {one_line(path)})"
        case Error(text=text):
            yield "Error:"
            yield from _first(text, output_lines)
        case Compaction(text=text):
            yield "(what came before was replaced by a summary)"
            yield from _first(text, output_lines)


def _first(text: str, limit: int | None) -> list[str]:
    lines = plain_text(text).strip("\n").split("\n")
    if limit is None or len(lines) <= limit:
        return lines if lines != [""] else []
    return [*lines[:limit], f"… {len(lines) - limit:,} more lines"]
