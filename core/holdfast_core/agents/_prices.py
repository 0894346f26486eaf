"""What a response would have cost by the public price lists, which are data in ``prices.toml``."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from holdfast_core.agents._values import moment_ms
from holdfast_core.model.usage import Usage

PICO = 10**12
_CLOUD = re.compile(r"^(?:[a-z-]+\.)?anthropic\.")
_DATED = re.compile(r"([-@]\d{4}-?\d{2}-?\d{2})?(-latest)?(-v\d+(:\d+)?)?(\[1m\])?$")


class _Price(NamedTuple):
    """Pico-dollars per token, so that sums are whole numbers and do not depend on their order."""

    since_ms: int
    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int


def cost_pico(model: str, usage: Usage, timestamp_ms: int | None, *, cache_write_1h: int = 0) -> int | None:
    """Return a response's price in 1e-12 USD, None for a model without a price.

    The price is the one of the day, today's for a response without a date.
    ``cache_write_1h`` of the cache writes were for one hour and cost more.
    """
    prices = _prices_of(model)
    if not prices:
        return None
    price = prices[-1]
    if timestamp_ms is not None and timestamp_ms < price.since_ms:
        price = next((price for price in reversed(prices) if price.since_ms <= timestamp_ms), prices[0])
    return (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_read_tokens * price.cache_read
        + (usage.cache_write_tokens - cache_write_1h) * price.cache_write
        + cache_write_1h * price.cache_write_1h
    )


@lru_cache(maxsize=1024)
def _prices_of(model: str) -> tuple[_Price, ...]:
    """Return a model's prices, the oldest first."""
    return _table().get(_plain_name(model), ())


def _plain_name(model: str) -> str:
    """Return a model's name without a cloud's prefix, its date and its variant."""
    bare = model.rsplit("/", 1)[-1]
    return _DATED.sub("", _CLOUD.sub("", bare))


@cache
def _table() -> dict[str, tuple[_Price, ...]]:
    import tomllib  # here: what lists sessions asks no price
    from importlib.resources import files

    document = tomllib.loads(files(__package__).joinpath("prices.toml").read_text("utf-8"))
    table: dict[str, list[_Price]] = {}
    for row in document["price"]:
        pico = {name: round(row[name] * PICO / 1e6) for name in ("input", "output", "cache_read")}
        write = round(row.get("cache_write", row["input"]) * PICO / 1e6)
        write_1h = round(row.get("cache_write_1h", row.get("cache_write", row["input"])) * PICO / 1e6)
        since = moment_ms(row["since"].isoformat()) or 0
        for name in row["models"]:
            table.setdefault(name, []).append(
                _Price(since, pico["input"], pico["output"], pico["cache_read"], write, write_1h)
            )
    return {name: tuple(sorted(prices)) for name, prices in table.items()}
