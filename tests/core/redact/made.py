"""Invented secrets: values of the shapes that vendors give theirs, drawn when a test runs."""

from __future__ import annotations

import base64
import random
import re
import tomllib
import uuid
import zlib
from pathlib import Path

from holdfast_core.redact.checks import base62

EXAMPLES = tomllib.loads((Path(__file__).parent / "data" / "examples.toml").read_text("utf-8"))
_DIGITS = "0123456789"
_SMALL = "abcdefghijklmnopqrstuvwxyz"
_LETTERS = {
    "A": _DIGITS + _SMALL + _SMALL.upper(),
    "A58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "a": _SMALL + _SMALL.upper(),
    "b": _DIGITS + _SMALL,
    "B36": _DIGITS + _SMALL + "-",
    "h": _DIGITS + "abcdef",
    "H": _DIGITS + "ABCDEF",
    "B16": _DIGITS + "ABCDEF",
    "d": _DIGITS,
    "W": _DIGITS + _SMALL + _SMALL.upper() + "-_",
    "B64": _DIGITS + _SMALL + _SMALL.upper() + "+/",
    "B32": _DIGITS + _SMALL.upper(),
    "bech": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "bech2": "abcdefghijklmnopqrstuvwxyz234567",
}
_PART = re.compile(r"\{(uuid|(?:pair|[A-Za-z]+\d*):(\d+))\}")


def made(template: str, seed: int = 1) -> str:
    """Return a template with its parts drawn; the same seed gives the same text."""
    chance = random.Random(f"{template}{seed}")
    return _PART.sub(lambda part: _drawn(part, chance), template)


def letters(kind: str, size: int, seed: int = 1) -> str:
    """Return ``size`` letters of a kind."""
    return made(f"{{{kind}:{size}}}", seed)


def github_token(seed: int = 1) -> str:
    """Return a token with GitHub's checksum."""
    body = letters("A", 30, seed)
    return f"ghp_{body}{base62(zlib.crc32(body.encode()), 6)}"


def _drawn(part: re.Match[str], chance: random.Random) -> str:
    kind = part[1].partition(":")[0]
    if kind == "uuid":
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))
    size = int(part[2])
    if kind == "pair":
        password = "".join(chance.choices(_LETTERS["A"], k=size))
        return base64.b64encode(f"somebody:{password}".encode()).decode()
    # Nothing begins or ends with a sign, so that the borders are those of the template.
    inner = chance.choices(_LETTERS[kind], k=max(0, size - 2))
    ends = [letter for letter in _LETTERS[kind] if letter.isalnum()]
    return "".join([chance.choice(ends), *inner, *chance.choices(ends, k=min(1, size - 1))])
