"""What is searched of a message and of a session: its blocks as one text each, and its marks.

A text is a row of blocks, each ``\\x1e``, one control character that names its
kind, and its words. A message's prose comes before its tools, because they
are columns of their own in the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

import msgspec

from holdfast_core.index.folding import clean
from holdfast_core.model import message as m
from holdfast_core.model.session import SessionFacts

TEXT_LIMIT: Final = 4 * 1024 * 1024
FACTS_INDEX: Final = -1
_DEPTH_LIMIT: Final = 20

BLOCK_CODES: Final = {
    "text": "\x01",
    "thinking": "\x02",
    "tool_call": "\x03",
    "tool_result": "\x04",
    "image": "\x05",
    "file": "\x06",
    "error": "\x07",
    "compaction": "\x08",
}
FACT_CODES: Final = {
    "title": "\x0e",
    "summary": "\x0f",
    "project": "\x10",
    "branch": "\x11",
    "model": "\x12",
    "tag": "\x13",
    "note": "\x14",
    "path": "\x15",
    "id": "\x16",
    "todo": "\x17",
}
KIND_OF_CODE: Final = {code: kind for kind, code in (BLOCK_CODES | FACT_CODES).items()}
_ROLE_CODES: Final = {"user": 0, "assistant": 1, "system": 2, "tool": 3}
_TEXT, _THINKING, _CALL, _RESULT = ("\x1e" + BLOCK_CODES[k] for k in ("text", "thinking", "tool_call", "tool_result"))
_IMAGE, _FILE, _ERROR, _COMPACTION = ("\x1e" + BLOCK_CODES[k] for k in ("image", "file", "error", "compaction"))


class Document(msgspec.Struct, frozen=True, gc=False):
    """What is searched of one message: ``data`` is its text, of which the first bytes are prose, the rest tools.

    ``meta`` lacks the session's own mark.
    """

    data: bytes
    prose_bytes: int
    meta: str
    id_hash: int
    text_hash: int
    timestamp_ms: int | None
    role: int


def message_document(message: m.Message) -> Document:
    """Return what is searched of ``message``."""
    blocks = message.blocks
    if len(blocks) == 1:
        block = blocks[0]
        marked, is_prose, kind, name = _READERS[type(block)](block)
        prose, tool = (marked, "") if is_prose else ("", marked)
        meta, meta_hash = _meta(message.role, (kind,), (name,) if name else ())
    else:
        prose, tool, meta, meta_hash = _joined(message.role, blocks)
    if len(prose) + len(tool) > TEXT_LIMIT:
        prose = prose[:TEXT_LIMIT]
        tool = tool[: TEXT_LIMIT - len(prose)]
    try:
        words, rest = prose.encode(), tool.encode()
    except UnicodeEncodeError:
        words, rest = prose.encode("utf-8", "replace"), tool.encode("utf-8", "replace")
    data = words + rest if words and rest else words or rest
    # The hash is over the marks too: another role of the same words is another document.
    return Document(
        data,
        len(words),
        meta,
        crc32(message.id.encode("utf-8", "replace")),
        crc32(data, meta_hash),
        message.timestamp_ms,
        _ROLE_CODES[message.role],
    )


def storable(text: str) -> str:
    """Return ``text`` with lone surrogates, which no file can hold, replaced."""
    return text.encode("utf-8", "replace").decode()


def facts_text(facts: SessionFacts, *, title: str | None, tags: Sequence[str], note: str) -> str:
    """Return what is searched of a session itself, the person's own words included."""
    parts = [("title", title or "")]
    parts += [("title", facts.title), ("summary", facts.summary), ("project", facts.project_path)]
    parts += [("branch", facts.branch), ("model", " ".join(filter(None, (facts.model, facts.provider))))]
    parts += [("tag", " ".join(tags)), ("note", note)]
    paths = dict.fromkeys((*(touched.path for touched in facts.files_touched), *facts.context_files))
    parts += [("path", "\n".join(paths)), ("todo", "\n".join(todo.content for todo in facts.todos))]
    parts += [("id", facts.native_id)]
    return storable("".join(f"\x1e{FACT_CODES[kind]}{clean(text)}" for kind, text in parts if text))[:TEXT_LIMIT]


def blocks_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, words) of each block of a document's text."""
    for part in text.split("\x1e")[1:]:
        yield KIND_OF_CODE.get(part[:1], "text"), part[1:]


def tool_mark(name: str) -> str:
    """Return the token by which calls of a tool are found, the same for every case of letters."""
    lowered = name.lower()
    if lowered.isascii() and lowered.isalnum():
        return f"xt{lowered}"
    return f"xu{lowered.encode('utf-8', 'replace').hex()}"


def kind_mark(kind: str) -> str:
    """Return the token of messages that have a block of ``kind``."""
    return f"xk{kind.replace('_', '')}"


def role_mark(role: str) -> str:
    """Return the token of messages of ``role``."""
    return f"xr{role}"


def session_mark(key: int) -> str:
    """Return the token of everything in one session."""
    return f"xs{key}"


@lru_cache(maxsize=4096)
def _meta(role: str, kinds: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, int]:
    marks = [role_mark(role), *map(kind_mark, kinds), *map(tool_mark, names)]
    meta = " ".join(dict.fromkeys(marks))
    return meta, crc32(meta.encode())


def _joined(role: str, blocks: tuple[m.Block, ...]) -> tuple[str, str, str, int]:
    prose: list[str] = []
    tool: list[str] = []
    kinds: list[str] = []
    names: list[str] = []
    for block in blocks:
        marked, is_prose, kind, name = _READERS[type(block)](block)
        (prose if is_prose else tool).append(marked)
        kinds.append(kind)
        if name:
            names.append(name)
    meta, meta_hash = _meta(role, tuple(sorted(set(kinds))), tuple(sorted(set(names))))
    return "".join(prose), "".join(tool), meta, meta_hash


def _text(block: m.Text) -> tuple[str, bool, str, str]:
    return _TEXT + clean(block.text), True, "text", ""


def _thinking(block: m.Thinking) -> tuple[str, bool, str, str]:
    return _THINKING + clean(block.text), True, "thinking", ""


def _tool_call(block: m.ToolCall) -> tuple[str, bool, str, str]:
    parts = [block.name]
    _collect(block.input, parts, 0)
    return _CALL + clean("\n".join(parts)), False, "tool_call", block.name


def _tool_result(block: m.ToolResult) -> tuple[str, bool, str, str]:
    return _RESULT + clean(block.text), False, "tool_result", ""


def _image(block: m.Image) -> tuple[str, bool, str, str]:
    return _IMAGE + clean(f"{block.path} {block.media_type}"), False, "image", ""


def _file(block: m.File) -> tuple[str, bool, str, str]:
    return _FILE + clean(f"{block.path}\n{block.text}"), False, "file", ""


def _error(block: m.Error) -> tuple[str, bool, str, str]:
    return _ERROR + clean(block.text), True, "error", ""


def _compaction(block: m.Compaction) -> tuple[str, bool, str, str]:
    return _COMPACTION + clean(block.text), True, "compaction", ""


# A block's marked text, whether it is prose, its kind, and the tool that it calls.
_READERS: Final[dict[type, Callable[[Any], tuple[str, bool, str, str]]]] = {
    m.Text: _text,
    m.Thinking: _thinking,
    m.ToolCall: _tool_call,
    m.ToolResult: _tool_result,
    m.Image: _image,
    m.File: _file,
    m.Error: _error,
    m.Compaction: _compaction,
}


def _collect(value: Any, parts: list[str], depth: int) -> None:
    """Add the texts and numbers of a tool's input to ``parts``, in order, without the names of its fields."""
    if type(value) is str:
        parts.append(value)
    elif depth > _DEPTH_LIMIT:
        return
    elif isinstance(value, dict):
        for inner in value.values():
            _collect(inner, parts, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _collect(inner, parts, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        parts.append(str(value))
