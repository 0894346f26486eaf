"""The small words beside messages: which model, when, at what cost."""

from __future__ import annotations

from holdfast_core.clock import now
from holdfast_core.model.message import Message
from holdfast_core.model.usage import Usage

from holdfast_gui import text


def moment_text(milliseconds: int | None, first: int | None) -> str:
    """Return the time of day, with the day if that is another than that of ``first``."""
    at, begun = text.moment(milliseconds), text.moment(first)
    if at is None:
        return ""
    if begun is not None and begun.date() != at.date():
        return text.when(milliseconds, now())
    return text.clock(milliseconds)


def usage_text(usage: Usage | None) -> str:
    """Return token counts in words; empty for none."""
    if usage is None or not usage.total_tokens:
        return ""
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    parts = [f"{text.tokens(usage.input_tokens)} in"]
    if cached:
        parts.append(f"{text.tokens(cached)} cached")
    parts.append(f"{text.tokens(usage.output_tokens)} out")
    return " · ".join(parts)


def message_text(message: Message) -> str:
    """Return all that is known of one message: model, day and time, tokens."""
    at = text.moment(message.timestamp_ms)
    when = f"{at:%d %b %Y %H:%M:%S}" if at else ""
    return " · ".join(part for part in (text.model(message.model or ""), when, usage_text(message.usage)) if part)
