"""Finds secrets in texts and values and gives them back without."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import ahocorasick_rs

from holdfast_core.redact import spread, views
from holdfast_core.redact.assigned import Assignments
from holdfast_core.redact.blocks import BLOCK_KEYWORD, blocks
from holdfast_core.redact.checks import CHECKS
from holdfast_core.redact.judge import JUDGES, entropy
from holdfast_core.redact.rules import Allowed, Rule, Rules, Tier, own_rules

_ROUNDS = 8
_WIDEST = 1 << 20
_PLACEHOLDER = re.compile(rb"\[removed:[a-z0-9-]{1,60}:[0-9a-f]{4}\]")
_ERRORS = "surrogatepass"
_S = ord("s")


class Finding(NamedTuple):
    """A secret in a text, without the secret: ``start`` and ``end`` count characters."""

    rule: str
    tier: Tier
    start: int
    end: int
    fingerprint: str


class Span(NamedTuple):
    """A secret in the bytes of a text. ``value`` is what it means; it leaves this package in no form."""

    start: int
    end: int
    kind: str
    tier: Tier
    value: bytes


def placed(span: Span, start: int, end: int, offset: int) -> Span:
    """Return ``span`` with other places, counted from ``offset``."""
    return span._replace(start=start - offset, end=end - offset)


class Redactor:
    """Finds what the rules name in texts; what is at least as sure as ``tier`` is removed.

    ``key`` makes the fingerprints of the placeholders; without it they differ
    from process to process. May be used by several threads. ``counts`` says
    how often each rule removed something since the redactor was made.
    """

    def __init__(self, rules: Rules | None = None, tier: Tier = Tier.LIKELY, key: bytes | None = None) -> None:
        self._rules = own_rules() if rules is None else rules
        self.tier = tier
        self._key = hashlib.sha256(key).digest() if key else secrets.token_bytes(32)
        self._assignments = Assignments(self._rules)
        self._always = tuple(rule for rule in self._rules.rules if not rule.keywords)
        self._by_keyword = _by_keyword(self._rules, self._assignments.keywords)
        self._watched = [
            (keyword.decode() in self._assignments.keywords, keyword.decode() in self._assignments.plurals, rules)
            for keyword, rules in self._by_keyword.items()
        ]
        self._keywords = ahocorasick_rs.BytesAhoCorasick(
            list(self._by_keyword), implementation=ahocorasick_rs.Implementation.DFA
        )
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def scan(self, text: str) -> list[Finding]:
        """Return what is found in ``text``, of every tier, in order and without overlaps."""
        data = text.encode("utf-8", _ERRORS)
        spans = self.spans(data, Tier.POSSIBLE)
        return [
            Finding(
                span.kind,
                span.tier,
                len(data[: span.start].decode("utf-8", _ERRORS)),
                len(data[: span.end].decode("utf-8", _ERRORS)),
                self.fingerprint(span.value),
            )
            for span in spans
        ]

    def text(self, text: str) -> str:
        """Return ``text`` with a placeholder for every secret, wherever else in it the secret stands."""
        data = text.encode("utf-8", _ERRORS)
        found = self.spans(data, self.tier)
        return self.cleaned(data, found, {}).decode("utf-8", _ERRORS) if found else text

    def value(self, value: Any) -> Any:
        """Return a value of JSON with the secrets of all its strings and keys removed from all its strings and keys.

        What is no string stays what it is; a value without secrets is returned itself.
        """
        known: dict[bytes, str] = {}
        for text, name in _texts(value):
            for span in self._named(text, name):
                known.setdefault(span.value, span.kind)
        return self._rebuilt(value, known, "") if known else value

    def fingerprint(self, value: bytes) -> str:
        """Return four letters that tell one value from another to whoever has the key."""
        return hashlib.blake2b(value, key=self._key, digest_size=2).hexdigest()

    def spans(self, data: bytes, tier: Tier) -> list[Span]:
        """Return the secrets in the bytes of a text, in order and apart, that are at least as sure as ``tier``."""
        found = self._search(views.flat(data))
        if plain := views.plain(data):
            for span in self._search(views.flat(plain.data)):
                end = plain.back(span.end - 1) + 1
                found.append(span._replace(start=plain.back(span.start), end=_escape_end(data, plain, span, end)))
        if not found:
            return found
        found = [piece for span in found if span.tier >= tier for piece in _pieces(data, span)]
        taken = [match.span() for match in _PLACEHOLDER.finditer(data)]
        return _apart(_outside(found, taken))

    def cleaned(self, data: bytes, found: list[Span], known: dict[bytes, str]) -> bytes:
        """Return ``data`` without ``found`` and without ``known`` values, until nothing more is found."""
        for _ in range(_ROUNDS):
            known.update((span.value, span.kind) for span in found if spread.is_worth(span.value))
            data = self._cut(data, found, known)
            if not (found := self.spans(data, self.tier)):
                break
        return data

    def _cut(self, data: bytes, found: Iterable[Span], known: dict[bytes, str]) -> bytes:
        again = [
            Span(start, end, known[value], Tier.CERTAIN, value) for start, end, value in spread.places(data, known)
        ]
        taken = [match.span() for match in _PLACEHOLDER.finditer(data)]
        parts: list[bytes] = []
        last = 0
        counted: Counter[str] = Counter()
        for span in _apart(_outside([*found, *(piece for more in again for piece in _pieces(data, more))], taken)):
            parts += (data[last : span.start], _placeholder(span.kind, self.fingerprint(span.value)))
            last = span.end
            counted[span.kind] += 1
        with self._lock:
            self.counts.update(counted)
        return b"".join([*parts, data[last:]])

    def _search(self, text: bytes) -> list[Span]:
        lower = text.lower()
        hits = self._keywords.find_matches_as_indexes(lower, overlapping=True)
        if not hits and not self._always:
            return []
        found: list[Span] = []
        windows: dict[Rule, list[list[int]]] = {}
        named: list[tuple[int, int]] = []
        watched, size = self._watched, len(lower)
        for number, start, end in hits:
            is_name, has_plural, rules = watched[number]
            if is_name and not (has_plural and end < size and lower[end] == _S):
                named.append((start, end))
            for rule in rules:
                _widen(windows.setdefault(rule, []), max(0, start - rule.before), end + rule.after)
        for rule in self._always:
            windows[rule] = [[0, len(text)]]
        for rule, ranges in windows.items():
            for start, end in ranges:
                found.extend(self._matches(rule, text, start, min(end, len(text))))
        for start, end, kind, tier in self._assignments.find(text, named):
            found.append(Span(start, end, kind, tier, text[start:end]))
        if BLOCK_KEYWORD in text:
            found.extend(Span(start, end, "private-key", Tier.CERTAIN, text[start:end]) for start, end in blocks(text))
        return found

    def _matches(self, rule: Rule, text: bytes, start: int, end: int) -> Iterator[Span]:
        while start <= end and (match := rule.regex.search(text, start, end)):
            if match.end() == end < len(text) and end - start < _WIDEST:
                end = min(len(text), end + max(256, end - start))  # it may go on behind the window
                continue
            group = rule.group or next((n for n in range(1, rule.regex.groups + 1) if match.start(n) >= 0), 0)
            first, last = match.span(group)
            if first < last and (tier := self._tier_of(rule, text, match.span(), (first, last))) is not None:
                yield Span(first, last, rule.id, tier, text[first:last])
            # A boundary behind one secret may be the one before the next.
            start = max(last, match.start() + 1)

    def _tier_of(self, rule: Rule, text: bytes, match: tuple[int, int], place: tuple[int, int]) -> Tier | None:
        value = text[slice(*place)].decode("utf-8", "replace")
        if rule.entropy and entropy(value) < rule.entropy:
            return None
        if not JUDGES[rule.judge](value):
            return None
        if any(_is_allowed(allowed, text, match, value) for allowed in (*rule.allowed, *self._rules.allowed)):
            return None
        return Tier.CERTAIN if rule.check and CHECKS[rule.check](value) else rule.tier

    def _named(self, text: str, name: str) -> list[Span]:
        data = text.encode("utf-8", _ERRORS)
        found = self.spans(data, self.tier)
        verdict = self._assignments.judge(name, text.strip()) if name and not found else None
        if verdict and verdict[1] >= self.tier:
            return [Span(0, len(data), *verdict, text.strip().encode("utf-8", _ERRORS))]
        return found

    def _rebuilt(self, value: Any, known: dict[bytes, str], name: str) -> Any:
        if isinstance(value, str):
            data = value.encode("utf-8", _ERRORS)
            return self.cleaned(data, self._named(value, name), known).decode("utf-8", _ERRORS)
        if isinstance(value, dict):
            rebuilt: dict[Any, Any] = {}
            for key, part in value.items():
                new = self._rebuilt(key, known, "") if isinstance(key, str) else key
                while new in rebuilt:
                    new = f"{new}+"  # two keys that became one keep both values
                rebuilt[new] = self._rebuilt(part, known, _name_of(value, key))
            return rebuilt
        if isinstance(value, (list, tuple)):
            parts = [self._rebuilt(part, known, name) for part in value]
            return parts if isinstance(value, list) else tuple(parts)
        return value


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string of a value of JSON with the name that it is given to."""
    if isinstance(value, str):
        yield value, name
    elif isinstance(value, dict):
        for key, part in value.items():
            if isinstance(key, str):
                yield key, ""
            yield from _texts(part, _name_of(value, key))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part, name)


def _name_of(table: dict[Any, Any], key: Any) -> str:
    """Return the name of the value under ``key``; of ``{"name": "API_KEY", "value": …}`` it is the other value."""
    if key in ("value", "Value", "secret_value"):
        for other in ("name", "key", "Name", "Key"):
            if isinstance(named := table.get(other), str) and len(named) < 200 and "[removed:" not in named:
                return named
    return key if isinstance(key, str) and len(key) < 200 and "[removed:" not in key else ""


def _by_keyword(rules: Rules, assigned: frozenset[str]) -> dict[bytes, tuple[Rule, ...]]:
    watched: dict[bytes, list[Rule]] = {keyword.encode(): [] for keyword in sorted(assigned)}
    watched[BLOCK_KEYWORD.lower()] = []  # private keys are found by code of their own
    for rule in rules.rules:
        for keyword in rule.keywords:
            watched.setdefault(keyword.encode(), []).append(rule)
    return {keyword: tuple(found) for keyword, found in watched.items()}


def _widen(ranges: list[list[int]], start: int, end: int) -> None:
    if ranges and start <= ranges[-1][1]:
        ranges[-1][1] = max(ranges[-1][1], end)
    else:
        ranges.append([start, end])


def _is_allowed(allowed: Allowed, text: bytes, match: tuple[int, int], value: str) -> bool:
    if allowed.target == "line":
        start = text.rfind(b"\n", 0, match[0]) + 1
        end = text.find(b"\n", match[1])
        held = text[start : end if end >= 0 else len(text)]
    else:
        held = text[slice(*match)] if allowed.target == "match" else value.encode()
    tests = [any(regex.search(held) for regex in allowed.regexes)] if allowed.regexes else []
    if allowed.stopwords:
        tests.append(any(word in value.lower() for word in allowed.stopwords))
    return all(tests) if allowed.is_and else any(tests)


def _placeholder(kind: str, fingerprint: str) -> bytes:
    kind = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")[:60] or "secret"
    return f"[removed:{kind}:{fingerprint}]".encode()


def _escape_end(data: bytes, plain: views.Plain, span: Span, end: int) -> int:
    """Return the end of the last character as it is written: of ``\\u002d`` all six letters."""
    return max(end, plain.back(span.end)) if data[end - 1 : end] == b"\\" else end


def _pieces(data: bytes, span: Span) -> Iterator[Span]:
    """Yield a span in pieces that hold no quotation mark, no half escape and no half character."""
    start = span.start
    for part in data[span.start : span.end].split(b'"'):
        first, last = start, start + len(part)
        start = last + 1
        while last > first and data[last - 1 : last] == b"\\":
            last -= 1
        while first < last and data[first] & 0xC0 == 0x80:
            first -= 1
        while last < len(data) and data[last] & 0xC0 == 0x80:
            last += 1
        if _is_odd_run(data, first):
            first -= 1
        if last > first:
            yield span._replace(start=first, end=last)


def _is_odd_run(data: bytes, place: int) -> bool:
    size = 0
    while place - size > 0 and data[place - size - 1 : place - size] == b"\\":
        size += 1
    return size % 2 == 1


def _outside(spans: list[Span], taken: list[tuple[int, int]]) -> list[Span]:
    """Return the spans that touch no placeholder."""
    if not taken:
        return spans
    marked = bytearray(max(end for _, end in taken))
    for start, end in taken:
        marked[start:end] = b"\1" * (end - start)
    return [span for span in spans if 1 not in marked[span.start : span.end]]


def _apart(spans: list[Span]) -> list[Span]:
    """Return the spans in order; those that overlap become one, of the kind of the surest, then the longest."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            best = max(last, span, key=lambda one: (one.tier, len(one.value)))
            merged[-1] = best._replace(start=last.start, end=max(last.end, span.end))
        else:
            merged.append(span)
    return merged
