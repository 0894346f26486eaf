"""Sixty invented secrets of sixty kinds, each with the text in which it stands."""

from __future__ import annotations

from typing import Final, NamedTuple

from holdfast_core.redact.rules import Tier, own_rules

from tests.core.redact.made import EXAMPLES, made

COUNT: Final = 60
_SEED: Final = 60


class Canary(NamedTuple):
    """A secret as it would be found in a text. ``value`` is what must be nowhere."""

    kind: str
    text: str
    value: str


def canaries() -> list[Canary]:
    """Return sixty, drawn evenly from the kinds of which we are certain; none has a letter that no path can have."""
    found = []
    for rule in own_rules().rules:
        text = made(EXAMPLES[rule.id]["yes"][0], _SEED)
        if rule.tier is Tier.CERTAIN and not set(text) & set("/\\\0\n\r'\""):
            value = max(text.replace("=", " ").replace(":", " ").split(), key=len)
            found.append(Canary(rule.id, text, value))
    return [found[number * len(found) // COUNT] for number in range(COUNT)]
