"""The rule by which transcripts go that were not written for some days, as the settings of several agents name it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from holdfast_core.agents._jsonl import read_small

_DEFAULT_DAYS = 30


class _Settings(msgspec.Struct, rename="camel"):
    cleanup_period_days: int | None = None


def cleanup_days(configs: Iterable[Path]) -> int:
    """Return after how many days without activity transcripts go; the first settings file that tells counts."""
    for config in configs:
        content = read_small(config / "settings.json", root=str(config))
        if content is None:
            continue
        try:
            days = msgspec.json.decode(content, type=_Settings).cleanup_period_days
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if days is not None and days >= 0:
            return days
    return _DEFAULT_DAYS
