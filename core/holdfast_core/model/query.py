"""The search language: what a person types, as a tree of conditions.

The tree is a pure value: ``parse(str(query))`` gives the same tree. How each
condition is met is said with its class; the index carries it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from holdfast_core.errors import WrongUsage
from holdfast_core.model.query_values import Limit, date_limit, number_limit

Sort = Literal["updated", "created", "title", "messages", "tokens", "cost", "size", "project", "agent"]
SpanKind = Literal["word", "phrase", "regex", "filter", "operator"]

ROLES: Final = ("user", "assistant", "system", "tool")
KINDS: Final = ("text", "thinking", "tool_call", "tool_result", "image", "file", "error", "compaction")
STATES: Final = ("starred", "live", "held", "lost", "damaged", "archived", "problem", "subagent", "empty")
PARTS: Final = ("error", "todo", "image", "note")

# What each filter takes: None is any text.
FILTERS: Final[dict[str, tuple[str, ...] | None]] = {
    "agent": None,
    "project": None,
    "branch": None,
    "model": None,
    "provider": None,
    "role": ROLES,
    "kind": KINDS,
    "tool": None,
    "file": None,
    "tag": None,
    "title": None,
    "is": STATES,
    "has": PARTS,
    "after": None,
    "before": None,
    "on": None,
    "tokens": None,
    "cost": None,
}
DATE_FILTERS: Final = ("after", "before", "on")
NUMBER_FILTERS: Final = ("tokens", "cost")
MESSAGE_FILTERS: Final = ("role", "kind", "tool")


@dataclass(frozen=True, slots=True)
class Word:
    """Stands anywhere in a message, also inside a longer word if it has three letters or more.

    ``is_prefix``: it is still being typed; with two letters already it may be the beginning of a word.
    """

    text: str
    is_prefix: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Phrase:
    """Whole words in this order; punctuation counts only if the phrase has any."""

    text: str

    def __str__(self) -> str:
        return _quoted(self.text)


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression in RE2's language that is found in a block, whatever the case of letters."""

    pattern: str

    def __str__(self) -> str:
        return f"/{self.pattern}/"


@dataclass(frozen=True, slots=True)
class Filter:
    """One of ``values`` holds. ``limits`` are inclusive ranges, for dates (ms) and numbers."""

    name: str
    values: tuple[str, ...]
    limits: tuple[Limit, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}:{','.join(_value(value) for value in self.values)}"


@dataclass(frozen=True, slots=True)
class Not:
    """``item`` does not hold."""

    item: Node

    def __str__(self) -> str:
        text = str(self.item)
        return f"-{_group(text)}" if isinstance(self.item, And | Or) or text.startswith("-") else f"-{text}"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more items hold; none of them is an `And`."""

    items: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(_group(str(item)) if isinstance(item, Or) else str(item) for item in self.items)


@dataclass(frozen=True, slots=True)
class Or:
    """One of two or more items holds; none of them is an `Or`."""

    items: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.items))


Node = Word | Phrase | Regex | Filter | Not | And | Or


@dataclass(frozen=True, slots=True)
class Span:
    """Where a term stands in the typed text, in code points, and what it is."""

    start: int
    end: int
    kind: SpanKind
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for. ``root`` is None if nothing was; equal queries ask the same."""

    root: Node | None = None
    text: str = field(default="", compare=False)
    spans: tuple[Span, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return "" if self.root is None else str(self.root)

    def __bool__(self) -> bool:
        return self.root is not None

    def nodes(self) -> Iterator[tuple[Node, bool]]:
        """Yield every word, phrase, regex and filter with whether it is negated, in the typed order."""
        yield from _walk(self.root, False)

    def terms(self) -> tuple[str, ...]:
        """Return the words and phrases to be highlighted: those that are looked for, each once."""
        wanted = (node.text for node, is_negated in self.nodes() if isinstance(node, Word | Phrase) and not is_negated)
        return tuple(dict.fromkeys(wanted))

    def patterns(self) -> tuple[str, ...]:
        """Return the regular expressions to be highlighted."""
        wanted = (node.pattern for node, is_negated in self.nodes() if isinstance(node, Regex) and not is_negated)
        return tuple(dict.fromkeys(wanted))

    def asks_messages(self) -> bool:
        """Say whether something is looked for inside messages, rather than only left out or asked of sessions."""
        return any(
            not is_negated and (not isinstance(node, Filter) or node.name in MESSAGE_FILTERS)
            for node, is_negated in self.nodes()
        )


def parse(text: str, *, now: datetime, prefix: bool = False, agents: Sequence[str] = ()) -> Query:
    """Return what ``text`` asks for.

    ``now`` is aware; its zone is the one in which dates are meant. With
    ``prefix`` the person is still typing: the last word may be the beginning
    of one, and a filter without its value is passed over. ``agents`` are the
    ids that ``agent:`` takes, whole or up to an underscore; any if none are given.

    Raises:
        WrongUsage: a filter that does not exist, or a value that it does not take.
    """
    reader = _Reader(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text), now, prefix)
    root = reader.read_any(0)
    query = Query(root, text, tuple(reader.spans))
    if agents:
        _check_agents(query, agents, is_typing=prefix)
    return query


def _check_agents(query: Query, agents: Sequence[str], *, is_typing: bool) -> None:
    for node, _ in query.nodes():
        for value in node.values if isinstance(node, Filter) and node.name == "agent" else ():
            name = value.lower().replace("-", "_").replace(" ", "_")
            beginning = name if is_typing else f"{name}_"
            if not any(f"{agent}_".startswith(beginning) for agent in agents):
                raise WrongUsage(f"The filter agent: does not take “{value}”. It takes {', '.join(agents)}.")


def _walk(node: Node | None, is_negated: bool) -> Iterator[tuple[Node, bool]]:
    if isinstance(node, Not):
        yield from _walk(node.item, not is_negated)
    elif isinstance(node, And | Or):
        for item in node.items:
            yield from _walk(item, is_negated)
    elif node is not None:
        yield node, is_negated


_DEPTH_LIMIT = 50
_NO_TEXT = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"([A-Za-z]+):")
_UNKNOWN = re.compile(r"[a-z]{2,}:[^\s:/\\)]")
_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?$)', re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)+)/(?=[\s)]|$)", re.DOTALL)
_WORD = re.compile(r"\S+")
_VALUE = re.compile(r"[^\s,]+")
_NEEDS_QUOTES = re.compile(r'[\s,"()\\]')


def _group(text: str) -> str:
    # A last word with an open bracket of its own would take the closing one of the group.
    return f"({text} )" if text.count("(") != text.count(")") else f"({text})"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _value(text: str) -> str:
    return _quoted(text) if not text or _NEEDS_QUOTES.search(text) else text


class _Reader:
    """Reads the typed text from left to right. ``depth`` counts the groups that are open."""

    def __init__(self, text: str, now: datetime, is_typing: bool) -> None:
        self.text = text
        self.now = now
        self.is_typing = is_typing
        self.spans: list[Span] = []
        self.at = 0
        self.negations = 0

    def read_any(self, depth: int) -> Node | None:
        """Read alternatives up to the end of the text or of the group."""
        if depth > _DEPTH_LIMIT:
            raise WrongUsage(f"More than {_DEPTH_LIMIT} open brackets are too many.")
        alternatives: list[Node] = []
        items: list[Node] = []
        while self._skip_space():
            if self.text[self.at] == ")":
                self.at += 1
                if depth:
                    break
            elif self._keyword("OR"):
                alternatives += _joined(items, And)
                items = []
            elif not self._keyword("AND"):
                item = self._read_item(depth)
                items += [] if item is None else [item]
        return next(iter(_joined(alternatives + _joined(items, And), Or)), None)

    def _skip_space(self) -> bool:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches the empty string
        return self.at < len(self.text)

    def _keyword(self, word: str) -> bool:
        end = self.at + len(word)
        if not self.text.startswith(word, self.at) or not (end == len(self.text) or self.text[end] in " \t\r\n()"):
            return False
        self._mark(self.at, end, "operator")
        self.at = end
        return True

    def _read_item(self, depth: int) -> Node | None:
        following = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at] == "-" and following not in ("", "-", ")") and not following.isspace():
            self.at += 1
            self.negations += 1
            item = self._read_item(depth)
            self.negations -= 1
            if isinstance(item, Not):
                return item.item
            return None if item is None else Not(item)
        if self.text[self.at] == "(":
            self.at += 1
            return self.read_any(depth + 1)
        return self._read_term(depth)

    def _read_term(self, depth: int) -> Node | None:
        start = self.at
        if phrase := _PHRASE.match(self.text, start):
            self.at = phrase.end()
            self._mark(start, self.at, "phrase")
            text = " ".join(_unquoted(phrase[1]).split())
            return Phrase(text) if text else None
        if pattern := _REGEX.match(self.text, start):
            self.at = pattern.end()
            self._mark(start, self.at, "regex")
            return Regex(_checked(pattern[1]))
        name = _NAME.match(self.text, start)
        if name and name[1].lower() in FILTERS:
            self.at = name.end()
            return self._read_filter(name[1].lower(), start, depth)
        if _UNKNOWN.match(self.text, start) and name:
            raise WrongUsage(
                f"There is no filter {name[0]} Filters are {', '.join(f'{known}:' for known in FILTERS)}. "
                "To search for the text itself, put it in quotes."
            )
        text = self._take(_WORD, depth)
        self._mark(start, self.at, "word")
        return Word(text, is_prefix=self.is_typing and self.at == len(self.text))

    def _take(self, pattern: re.Pattern[str], depth: int) -> str:
        """Take a run of text; inside a group it ends before the bracket that closes the group."""
        found = pattern.match(self.text, self.at)
        text = found[0] if found else ""
        if depth:
            text = text[: _closing_bracket(text)]
        self.at += len(text)
        return text

    def _read_filter(self, name: str, start: int, depth: int) -> Node | None:
        values: list[str] = []
        while True:
            if quoted := _PHRASE.match(self.text, self.at):
                values.append(_unquoted(quoted[1]))
                self.at = quoted.end()
            else:
                values.append(self._take(_VALUE, depth))
            if not self.text.startswith(",", self.at):
                break
            self.at += 1
        self._mark(start, self.at, "filter")
        values = [value for value in values if value]
        if values:
            return _filter(name, values, self.now)
        if self.is_typing and self.at == len(self.text):
            return None
        raise WrongUsage(f"The filter {name}: needs a value. {_allowed(name)}")

    def _mark(self, start: int, end: int, kind: SpanKind) -> None:
        self.spans.append(Span(start, end, kind, self.negations % 2 == 1))


def _closing_bracket(text: str) -> int:
    opened = 0
    for index, character in enumerate(text):
        opened += (character == "(") - (character == ")")
        if opened < 0:
            return index
    return len(text)


def _joined(items: list[Node], kind: type[And] | type[Or]) -> list[Node]:
    """Return no item, the only one, or one that joins all; what is of the same kind already is taken apart."""
    flat: list[Node] = []
    for item in items:
        flat += item.items if isinstance(item, kind) else (item,)
    return [kind(tuple(flat))] if len(flat) > 1 else flat


def _checked(pattern: str) -> str:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        raise WrongUsage(
            "This regular expression cannot be read. Groups and brackets must be closed; "
            "look-around and back-references do not exist.",
            detail=str(error),
        ) from error
    return pattern


def _filter(name: str, values: list[str], now: datetime) -> Filter:
    if name in DATE_FILTERS:
        limits = tuple(date_limit(name, value, now) for value in values)
        if None not in limits:
            return Filter(name, tuple(values), tuple(limit for limit in limits if limit))
    elif name in NUMBER_FILTERS:
        limits = tuple(number_limit(value) for value in values)
        if None not in limits:
            return Filter(name, tuple(values), tuple(limit for limit in limits if limit))
    else:
        allowed = FILTERS[name]
        if allowed is None:
            return Filter(name, tuple(values))
        lowered = tuple(value.lower() for value in values)
        if all(value in allowed for value in lowered):
            return Filter(name, lowered)
    raise WrongUsage(f"The filter {name}: does not take “{', '.join(values)}”. {_allowed(name)}")


def _allowed(name: str) -> str:
    if name in DATE_FILTERS:
        return "It takes 2026, 2026-11, 2026-11-20, today, yesterday, or an age like 12h, 7d, 2w, 3m, 1y."
    if name in NUMBER_FILTERS:
        return "It takes a number with <, <=, >, >= or = before it, or a range like 1k..5k."
    allowed = FILTERS[name]
    return f"It takes {', '.join(allowed)}." if allowed else "It takes text, in quotes if there are spaces in it."
