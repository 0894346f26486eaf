"""A value that is given to a name: ``API_TOKEN=…``, ``"password": "…"``, ``--secret …``, in whatever language.

The name says how much the value must look like a secret; which names say what
is data, the table ``names`` of the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast_core.redact.judge import entropy, is_hex, is_opaque, is_password, is_uuid, kinds_of
from holdfast_core.redact.rules import Rules, Tier, compiled

PASSWORD, KEY, SERVICE_KEY, VENDOR_KEY = "assigned-password", "assigned-key", "service-key", "vendor-value"
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMBER = re.compile(r"-?\d[\d.eE+-]*$|true$|false$|null$")
_LONGEST = 1_000
_NAME = 100
_REACH = _LONGEST + 200
_FLAG_START = re.compile(rb"(?:\A|[\s\"'`])--?[\w-]*\Z")
_OF_A_NAME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-"
# What stands after a name to which something is given, or between it and its type: never less than `_GIVEN` wants.
_MAY_BE_GIVEN = re.compile(
    rb"[\w.$-]*+[\\\"'`\])]*+[ \t]*+(?:[:?.+|=>,*&]|(?i:const|str|char|text|bytes|varchar|sec|opt))"
)


class Assigned(NamedTuple):
    """A value that is a secret by its name; ``start`` and ``end`` are bytes of the text."""

    start: int
    end: int
    kind: str
    tier: Tier


class Assignments:
    """Finds secrets by the names they are given to.

    ``keywords`` are what a text must contain, lower case; ``plurals`` those that name no secret with an s.
    """

    def __init__(self, rules: Rules) -> None:
        self._password = rules.names.get("password", frozenset())
        self._strong = rules.names.get("strong", frozenset())
        self._vendors = rules.names.get("vendors", frozenset())
        self._never = rules.names.get("never", frozenset())
        self.plurals = frozenset(word for word in self._strong if f"{word}s" in self._never)
        self.keywords = self._password | self._strong | self._vendors
        self._meaning = lru_cache(4_096)(self._meant)

    def find(self, text: bytes, hits: list[tuple[int, int]]) -> Iterator[Assigned]:
        """Yield what is given to the names at ``hits``, starts and ends of keywords in a flat text (``views.flat``)."""
        last = 0
        for start, end in hits:
            if end <= last:
                continue  # inside a value that is a secret already
            limit = min(len(text), end + _REACH)
            found = _GIVEN.match(text, end, limit) if _MAY_BE_GIVEN.match(text, end, limit) else None
            if found is None and _is_flag(text, start):
                found = _FLAG.match(text, end, limit)
            if found is None:
                continue
            name, is_quoted, first, value = _parts(text, start, found)
            if is_quoted and _NUMBER.match(value):
                continue  # a number of JSON stays one
            if verdict := self.judge(name, value.strip()):
                first += len(value) - len(value.lstrip())
                last = first + len(value.strip().encode("utf-8", "replace"))
                yield Assigned(first, last, *verdict)

    def judge(self, name: str, value: str) -> tuple[str, Tier] | None:
        """Return the kind of secret that ``value`` is by its name, and how sure that is; None if it is none."""
        if not 4 <= len(value) < _LONGEST or "[removed:" in value:
            return None
        is_secret, is_password_name, has_vendor, is_never = self._meaning(name[-100:])
        if is_never and not (has_vendor and name[-2:].lower() == "id" and is_opaque(value, least=12)):
            return None
        if is_password_name and not is_never:
            return _password_tier(value)
        if " " in value or value.startswith(("-", "[", "{")):
            return None
        return _secret_tier(value, has_vendor) if is_secret else _vendor_tier(value) if has_vendor else None

    def _meant(self, name: str) -> tuple[bool, bool, bool, bool]:
        words = [word.lower() for word in _PARTS.findall(name)] or [""]
        joined = "".join(words)
        has_vendor = any(vendor in joined for vendor in self._vendors)
        is_password_name = not self._password.isdisjoint(words) or joined.endswith(
            tuple(self._password - {"pw", "pass"})
        )
        is_secret = (
            not self._strong.isdisjoint(words)
            or any(joined.find(strong) >= 0 for strong in self._strong if len(strong) > 5)
            or joined.endswith(("token", "secret", "key") if has_vendor else ("token", "secret"))
        )
        is_never = not self._never.isdisjoint(words[-1:]) or not self._never.isdisjoint(
            words[:1] if words[0] == "public" else ()
        )
        return is_secret, is_password_name, has_vendor, is_never


def _parts(text: bytes, start: int, found: Any) -> tuple[str, bool, int, str]:
    """Return the name, whether only the name is quoted, the start of the value, and the value."""
    group = next(number for number in (3, 4, 5, 6, 7) if found.start(number) >= 0)
    first, end = found.span(group)
    value = text[first:end].decode("utf-8", "replace") if end - first < _LONGEST else ""
    before = text[max(0, start - _NAME) : start]
    name = before[len(before.rstrip(_OF_A_NAME)) :] + text[start : min(found.end(1), start + _NAME)]
    is_bare = group == 7
    return (
        name.decode("utf-8", "replace"),
        is_bare and found.end(2) > found.start(2),
        first,
        _bare(value) if is_bare else value,
    )


def _is_flag(text: bytes, start: int) -> bool:
    """Return whether a keyword at ``start`` is part of a ``--name``."""
    first = max(0, start - 40)
    return text.find(b"-", first, start) >= 0 and _FLAG_START.search(text[first:start]) is not None


def _bare(value: str) -> str:
    """Return an unquoted value without what only follows it."""
    if not value.startswith("$"):
        value = value.partition("&")[0]
    value = value.partition("|")[0] if " |" in value else value
    return value.rstrip(")]}.,;:|*_!?")


def _password_tier(value: str) -> tuple[str, Tier] | None:
    if " " in value or not is_password(value):
        return None
    kinds = kinds_of(value)
    is_strong = kinds >= 3 if len(value) < 8 else any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return PASSWORD, Tier.LIKELY if is_strong else Tier.POSSIBLE


def _is_service_key(value: str) -> bool:
    if value.isdigit():
        return len(value) >= 15 and len(set(value)) > 4
    return is_opaque(value, least=10, is_trusted=True)


def _secret_tier(value: str, has_vendor: bool) -> tuple[str, Tier] | None:
    if has_vendor:
        return (SERVICE_KEY, Tier.LIKELY) if _is_service_key(value) else None
    if is_opaque(value, least=16) and entropy(value) >= (2.9 if is_hex(value) or is_uuid(value) else 3.1):
        return KEY, Tier.LIKELY
    if not is_opaque(value, least=10):
        return None
    return KEY, Tier.LIKELY if len(value) >= 12 and kinds_of(value) >= 3 else Tier.POSSIBLE


def _vendor_tier(value: str) -> tuple[str, Tier] | None:
    if not is_opaque(value, least=20):
        return None
    is_common = is_uuid(value) or (is_hex(value) and len(value) in (40, 64))
    return VENDOR_KEY, Tier.POSSIBLE if is_common else Tier.LIKELY


def _given() -> tuple[Any, Any]:
    """Return what follows a keyword in ``name = value``, and in ``--name value``.

    Groups: the rest of the name, what closes it, and the value in one of four quotations or bare.
    """
    typed = r"(?:[ \t]*:?[ \t]*[*&]?(?:const +)?(?:string|str|char|text|bytes|varchar|secretstr|optional\[str\])\b\]?)?"
    equals = r"(?:[ \t]*(?:[:?.+|]{0,3}={1,3}>?|:{1,3})[ \t]*|[ \t]*>\s*)"
    quoted = (
        r"""(?:[fbru@$]{0,2}(?:"{1,3}([^"\n\\]{4,})|'{1,3}([^'\n\\]{4,})|`([^`\n\\]{4,})|\(["']{1,2}([^"'\n\\]{4,})))"""
    )
    bare = r"""([^\s"'`<>,;\\(\[{=:-][^\s"'`<>,;\\]{5,})"""
    return (
        compiled(
            rf"""(?i)([\w.$-]*)(?:([\\"'`\]]*)\)?{typed}{equals}|["']+[ \t]*,[ \t]*)(?:{quoted}|{bare})""", "assigned"
        ),
        compiled(rf"""(?i)([\w-]*)()(?:[ \t]+|["'],[ \t]*)(?:{quoted}|{bare})""", "assigned"),
    )


_GIVEN, _FLAG = _given()
