"""A session as Markdown for people. Nothing that was said in it can end its block or start one of ours.

Prose stands as it is if a parser agrees that it is closed and brings no HTML,
picture, heading or link definition; else in a quotation; else, or when it is
long, in a code block. A code block's fence is longer than any in its content.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast_core.export.document import SPEAKERS, minute, shown_blocks
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

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_COMPLETE = ExportOptions()
_PARSED_LIMIT = 200_000
_NESTING_LIMIT = 60
_SENTINEL = "\n\n# sentinel\n"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")
_PLAIN_NEEDS_PARSER = re.compile(r"[<]|!\[|\]:|```|~~~|^[ \t]*(?:#|=+[ \t]*$|-+[ \t]*$)", re.MULTILINE)
_QUOTE_NEEDS_PARSER = re.compile(r"[<]|!\[|\]:|(?:>[ \t]*){8}|(?:[-*+][ \t]+){8}")
_PICTURE = re.compile(r"image/(?:png|jpeg|gif|webp)")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_TELLING_INPUTS = ("command", "file_path", "path", "pattern", "query", "url", "description")


def render(session: Session, options: ExportOptions = _COMPLETE, *, entry: SessionEntry | None = None) -> Iterator[str]:
    """Yield a session as Markdown, a block at a time. ``entry`` adds what the person said of it."""
    yield from _head(session, entry)
    results = _results_by_call(session.messages)
    calls = {block.call_id for message in session.messages for block in message.blocks if isinstance(block, ToolCall)}
    speaker = ""
    for message in session.messages:
        blocks = [block for block in shown_blocks(message, options) if not _is_shown_with_call(block, calls)]
        if not blocks:
            continue
        if SPEAKERS[message.role] != speaker:
            speaker = SPEAKERS[message.role]
            yield _heading(speaker, message)
        for block in blocks:
            yield from _block(block, message, options, results)


def code_block(text: str, language: str = "") -> str:
    """Return ``text`` in a fence that nothing in it can close."""
    text = plain_text(text).strip("\n")
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}\n\n"


def prose(text: str, *, is_quoted: bool = False) -> str:
    """Return Markdown of foreign origin in the most readable form that cannot touch what stands around it."""
    text = plain_text(text).strip("\n").expandtabs(4)
    if not text.strip():
        return ""
    if len(text) > _PARSED_LIMIT:
        return code_block(text)
    if not is_quoted and (not _PLAIN_NEEDS_PARSER.search(text) or _is_contained(text, in_quotation=False)):
        return text + "\n\n"
    quotation = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    if not _QUOTE_NEEDS_PARSER.search(text) or _is_contained(quotation, in_quotation=True):
        return quotation + "\n\n"
    return code_block(text)


def inline(text: str) -> str:
    """Return foreign text as one line in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _head(session: Session, entry: SessionEntry | None) -> Iterator[str]:
    facts = session.facts
    title = entry.title if entry else facts.title
    yield f"# {inline(title) or 'Session without a title'}\n\n"
    lines = {
        "Agent": inline(f"{facts.agent} {facts.agent_version}"),
        "Model": inline(facts.model),
        "Project": _code(facts.project_path),
        "Branch": _code(facts.branch),
        "Started": _time(facts.created_ms),
        "Last change": _time(facts.updated_ms),
        "Messages": f"{len(session.messages):,}",
        "Tokens": f"{facts.usage.total_tokens:,}" if facts.usage.total_tokens else "",
        "Tags": inline(", ".join(entry.tags)) if entry else "",
        "Session": _code(session.id),
    }
    yield "".join(f"- {name}: {value}\n" for name, value in lines.items() if value) + "\n"
    if entry and entry.note.strip():
        yield "## Notes\n\n" + prose(entry.note)


def _heading(speaker: str, message: Message) -> str:
    model = f" ({inline(message.model)})" if message.model and speaker == "Assistant" else ""
    time = _time(message.timestamp_ms)
    return f"## {speaker}{model}{f', {time}' if time else ''}\n\n"


def _block(block: Block, message: Message, options: ExportOptions, results: Mapping[str, list[Block]]) -> Iterator[str]:
    match block:
        case Text():
            text = prose(block.text, is_quoted=message.role == "user")
            yield _folded("Context", text) if message.role == "system" and text else text
        case Thinking():
            yield _folded("Thinking", prose(block.text))
        case ToolCall():
            yield _folded(call_title(block), "".join(_call(block, results.get(block.call_id, []), options)))
        case ToolResult():
            yield _folded("Error of a tool" if block.is_error else "Tool output", code_block(block.text))
        case Image():
            yield _image(block, options)
        case File():
            yield f"File: {_code(block.path)}\n\n"
            if block.text:
                yield _folded("Content", code_block(block.text))
        case Error():
            yield "**Error**\n\n" + code_block(block.text)
        case Compaction():
            yield "*Here the agent replaced what came before by a summary.*\n\n" + _folded("Summary", prose(block.text))


def _call(call: ToolCall, results: Iterable[Block], options: ExportOptions) -> Iterator[str]:
    """Yield the input of a tool, long texts by themselves, and what it gave back."""
    short = call.input
    if isinstance(call.input, dict):
        texts = {key: value for key, value in call.input.items() if isinstance(value, str) and "\n" in value}
        short = {key: value for key, value in call.input.items() if key not in texts}
        for key, value in texts.items():
            yield f"{inline(str(key))}:\n\n{code_block(value)}"
    if short not in (None, {}, ""):
        yield code_block(short) if isinstance(short, str) else code_block(_pretty(short), "json")
    for result in results:
        if isinstance(result, ToolResult) and options.tool_output:
            yield ("Error:\n\n" if result.is_error else "Output:\n\n") + code_block(result.text)


def call_title(call: ToolCall) -> str:
    """Return a tool's name and the one input that tells most, as one line."""
    inputs = call.input if isinstance(call.input, dict) else {}
    telling = next((_as_text(inputs[key]) for key in _TELLING_INPUTS if _as_text(inputs.get(key))), "")
    return ": ".join(part for part in (one_line(call.name), one_line(telling, limit=80)) if part)


def _as_text(value: Any) -> str:
    """Return a text, or a command's arguments as one."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return value if isinstance(value, str) else ""


def _folded(title: str, content: str) -> str:
    if not content.strip():
        return ""
    summary = html.escape(one_line(title)) or "Tool"
    return f"<details><summary>{summary}</summary>\n\n{content}</details>\n\n"


def _image(image: Image, options: ExportOptions) -> str:
    kind = image.media_type if _PICTURE.fullmatch(image.media_type) else ""
    if options.images and kind and _BASE64.fullmatch(image.data_base64):
        return f"![Image](data:{kind};base64,{''.join(image.data_base64.split())})\n\n"
    place = f", {_code(image.path)}" if image.path else ""
    return f"*Image: {inline(image.media_type) or 'unknown kind'}, {image.size_bytes:,} bytes{place}*\n\n"


def _code(text: str) -> str:
    """Return one line of foreign text in backticks that nothing in it can close."""
    line = one_line(text, limit=1_000)
    if not line:
        return ""
    ticks = "`" * (max(map(len, re.findall(r"`+", line)), default=0) + 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line}`"


def _time(milliseconds: int | None) -> str:
    time = minute(milliseconds)
    return f"{time} UTC" if time else ""


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8", "replace")


def _results_by_call(messages: Iterable[Message]) -> dict[str, list[Block]]:
    results: dict[str, list[Block]] = {}
    for message in messages:
        for block in message.blocks:
            if isinstance(block, ToolResult):
                results.setdefault(block.call_id, []).append(block)
    return results


def _is_shown_with_call(block: Block, calls: set[str]) -> bool:
    return isinstance(block, ToolResult) and block.call_id in calls


def _is_contained(form: str, *, in_quotation: bool) -> bool:
    """Whether a parser sees what follows ``form`` as ours, and in it nothing that acts outside."""
    environment: dict[str, Any] = {}
    try:
        tokens = _parser().parse(form + _SENTINEL, environment)
    except RecursionError:
        return False
    content, sentinel = tokens[:-3], tokens[-3:]
    if environment.get("references") or [token.type for token in sentinel] != [
        "heading_open",
        "inline",
        "heading_close",
    ]:
        return False
    if sentinel[1].content != "sentinel":
        return False
    if in_quotation and not (content[0].type == "blockquote_open" and all(token.level for token in content[1:-1])):
        return False
    return not any(_acts_outside(token, in_quotation=in_quotation) for token in content)


def _acts_outside(token: Token, *, in_quotation: bool) -> bool:
    if token.level > _NESTING_LIMIT or token.type in ("html_block", "html_inline", "image"):
        return True
    if token.type == "heading_open" and not in_quotation:
        return True
    return any(_acts_outside(child, in_quotation=in_quotation) for child in token.children or ())


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Beyond its own limit the parser would call text what another parser calls HTML: rather let it run out of stack.
    return MarkdownIt("commonmark", {"html": True, "maxNesting": 1_000_000})
