"""The second generation of OpenCode's messages: one row each in ``session_message``, in the form of the first.

A row is a message as a whole, told by its ``type``, in the order of its ``seq``. Evidence: the source of the
schema (``session-message``, ``prompt``, ``tool``) of 2026-06 to 2026-09, and of its predecessors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._opencode_records import Cache, Info, Part, State, Time, Tokens, Whole
from holdfast_core.agents._parts import objects_in, text_in
from holdfast_core.agents._values import count, moment_ms

SILENT = frozenset(("agent-switched", "model-switched", "location-switched", "idle"))
KNOWN = SILENT | {"assistant", "compaction", "shell", "skill", "synthetic", "system", "user"}


class Row(msgspec.Struct):
    """What stands in ``data``, of all types."""

    time: Time | None = None
    text: Any = None
    files: Any = None
    content: Any = None
    model: Any = None
    cost: Any = None
    tokens: Tokens | None = None
    error: Any = None
    retry: Any = None
    snapshot: Any = None
    command: str | None = None
    output: Any = None
    exit: Any = None
    status: str | None = None
    summary: Any = None
    not_read: ClassVar = names(
        "agent agents callID description finish location metadata name native outcome previous projectID "
        "providerContext providerState rawFinish reason recent references sessionID shellID skill skills subpath"
    )


def whole_of(kind: str, row: Row) -> Whole | None:
    """Return a row in the form of the first generation, None for what shows nothing.

    What an unknown type says is shown as the program's.
    """
    info = Info(time=row.time, model=row.model, cost=row.cost, tokens=_tokens(row.tokens), error=row.error)
    if kind == "assistant":
        info.role = "assistant"
        return Whole(info, _answered(row))
    if kind == "compaction":
        if row.status == "running":
            return None
        info.role, info.summary = "assistant", True
        return Whole(info, _said(row.summary))
    if kind == "user":
        parts = [*_said(row.text), *map(_file, objects_in(row.files))]
    elif kind == "shell":
        parts = [_run(row)] if row.command else []
    else:
        parts = _said(row.text, is_synthetic=True)
    info.role = "shell" if kind == "shell" else "user"
    return Whole(info, parts) if parts else None


def merged(first: list[Whole], second: list[Whole]) -> list[Whole]:
    """Return the messages of both generations of a session, each in its order, as one conversation.

    What was taken over stands in both, under the same or another id and at the same moment: from the second
    generation's first message to its last one, it is the second that counts.
    """
    moments = [moment for whole in second if (moment := _moment(whole)) is not None]
    if not moments:
        return [*first, *second]
    start, end = min(moments), max(moments)
    known = {whole.info.id for whole in second}
    first = [whole for whole in first if whole.info.id not in known]
    before = [whole for whole in first if (_moment(whole) or 0) < start]
    return [*before, *second, *(whole for whole in first if (_moment(whole) or 0) > end)]


def in_order(messages: Iterable[Whole]) -> list[Whole]:
    """Return messages of the first generation in their order."""
    return sorted(messages, key=lambda whole: (_moment(whole) or 0, whole.info.id or ""))


def _moment(whole: Whole) -> int | None:
    return moment_ms(whole.info.time.created) if whole.info.time else None


def _said(text: Any, *, is_synthetic: bool | None = None) -> list[Part]:
    return [Part(type="text", text=text, synthetic=is_synthetic)] if isinstance(text, str) and text else []


def _file(value: dict[str, Any]) -> Part:
    url, name = text_in(value, "uri", "url"), text_in(value, "name", "filename")
    return Part(type="file", url=url, mime=text_in(value, "mime"), filename=name, source=value.get("source"))


def _run(row: Row) -> Part:
    """Return what a person ran in the program's own shell, as a call with its result."""
    output = text_in(row.output, "output") if isinstance(row.output, dict) else row.output
    status = "running" if row.status == "running" or (row.status is None and row.output is None) else "completed"
    state = State(status, {"command": row.command}, output or "", None, {"exit": row.exit})
    return Part(type="tool", tool="bash", state=state)


def _answered(row: Row) -> list[Part]:
    parts: list[Part] = []
    for value in objects_in(row.content):
        kind = text_in(value, "type")
        if kind == "tool":
            parts.append(_call(value))
        elif kind == "reasoning":
            metadata = next((value[name] for name in ("native", "state", "providerMetadata") if value.get(name)), None)
            parts.append(Part(type="reasoning", text=value.get("text"), metadata=metadata))
        else:
            parts.append(Part(type=kind, text=value.get("text")))
    changed = row.snapshot.get("files") if isinstance(row.snapshot, dict) else None
    if isinstance(changed, list) and changed:
        parts.append(Part(type="patch", files=changed))
    if isinstance(row.retry, dict):
        parts.append(Part(type="retry", error=row.retry.get("error")))
    return parts


def _call(value: dict[str, Any]) -> Part:
    found = value.get("state")
    state = found if isinstance(found, dict) else {}
    content = objects_in(state.get("content"))
    text = "\n".join(text_in(item, "text") for item in content if item.get("type") == "text")
    files = [
        {"url": text_in(item, "uri", "url"), "mime": text_in(item, "mime"), "filename": text_in(item, "name")}
        for item in [*content, *objects_in(state.get("attachments"))]
        if item.get("type") in (None, "file")
    ]
    metadata = next((state[name] for name in ("metadata", "structured") if isinstance(state.get(name), dict)), None)
    status = text_in(state, "status")
    result = state.get("result") if not text and not files else None
    error = text_in(state.get("error"), "message", "type") if status == "error" else ""
    said = "\n".join(part for part in (error, text) if part)
    output = said if said or result is None else result
    return Part(
        type="tool",
        tool=text_in(value, "name"),
        call_id=text_in(value, "callID", "id"),
        state=State(
            "pending" if status in ("streaming", "") else status,
            state.get("input"),
            output,
            output,
            metadata,
            files,
        ),
    )


def _tokens(tokens: Tokens | None) -> Tokens | None:
    """Return tokens with their total: here reasoning always stands beside the output."""
    if tokens is None:
        return None
    cache = tokens.cache or Cache()
    parts = (tokens.input, tokens.output, tokens.reasoning, cache.read, cache.write)
    return Tokens(sum(map(count, parts)), tokens.input, tokens.output, tokens.reasoning, cache)
