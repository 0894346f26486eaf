"""Token counts, in one meaning for all agents."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one response or of a whole session.

    ``input_tokens`` never includes cache reads or writes, ``output_tokens``
    includes ``reasoning_tokens``; a reader of an agent that counts otherwise
    converts.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Everything that was sent or received, each token once."""
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


class ResponseUsage(msgspec.Struct, frozen=True, gc=False):
    """What one model response cost, under a key that is the same in every copy.

    Forked and resumed transcripts repeat responses; the sum over many sessions
    counts each ``key`` once. ``cost_usd`` is None for a model without a price.
    """

    key: str
    usage: Usage
    model: str = ""
    timestamp_ms: int | None = None
    cost_usd: float | None = None
