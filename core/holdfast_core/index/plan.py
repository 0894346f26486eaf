"""How a query is carried out: what the index is asked, and what is then looked at in the texts.

Every condition is met by a message of a session, or by what is searched of
the session itself. The index gives candidates newest first, never too few;
`Plan.is_exact` says that there are not too many either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from holdfast_core.index.documents import blocks_of, kind_mark, role_mark, session_mark, tool_mark
from holdfast_core.index.folding import fold
from holdfast_core.index.heads import ROLES
from holdfast_core.index.needles import Needle
from holdfast_core.index.patterns import compiled, required_letters
from holdfast_core.index.vocabulary import Frequent, Words
from holdfast_core.model.query import MESSAGE_FILTERS, And, Filter, Node, Not, Or, Phrase, Query, Regex, Word

# Up to so many sessions are named to the index one by one; more are looked up afterwards.
_NAMED_SESSIONS: Final = 256
_MANY_WORDS, _WORDS_AT_ONCE = 64, 24
SessionKeys = Callable[[Node], Collection[int]]


class Candidate:
    """A message that may meet the query. Its text is read when it is first asked for."""

    __slots__ = ("_blocks", "_read", "role", "session")

    def __init__(self, session: int, role: int | None, read: Callable[[], str]) -> None:
        self.session = session
        self.role = role
        self._read = read
        self._blocks: list[tuple[str, str, str]] | None = None

    @property
    def blocks(self) -> list[tuple[str, str, str]]:
        """(kind, words, folded words) of each block."""
        if self._blocks is None:
            self._blocks = [(kind, words, fold(words)) for kind, words in blocks_of(self._read())]
        return self._blocks


class Plan(NamedTuple):
    """What to ask the index. ``match`` is None for everything, empty for nothing.

    ``parts`` ask the same together, one after the other: one question of
    thousands of words costs each of its words for each message.
    """

    match: str | None
    is_exact: bool
    parts: tuple[str, ...] = ()


NOTHING: Final = Plan("", True)
_EVERYTHING: Final = Plan(None, False)


class _Lists(NamedTuple):
    """The words of a shard in which letters are looked for, and those that what is being typed may become."""

    all: Words | None
    beginnings: Words | None


class Conditions:
    """A query that looks into messages. ``session_keys`` tells which sessions meet a condition on sessions.

    ``sessions`` are those in which to look, None for all.
    """

    def __init__(self, query: Query, session_keys: SessionKeys, *, is_negated: bool = False) -> None:
        self._is_negated = is_negated
        self._root, of_sessions = _taken_apart(query.root)
        self.sessions = None if of_sessions is None else session_keys(of_sessions)
        self._session_keys = session_keys
        self._keys: dict[Filter, Collection[int]] = {}
        self._needles: dict[tuple[Word | Phrase, bool], Needle] = {}
        self.needles = [
            self._needle(node, is_negated)
            for node, is_left_out in query.nodes()
            if isinstance(node, Word | Phrase) and not is_left_out
        ]
        self.marks = () if is_negated else tuple(self._marks(self._root))
        """Punctuation without which nothing meets the query, as it stands in texts that are ASCII."""
        self.patterns = [compiled(pattern) for pattern in query.patterns()]

    def _marks(self, node: Node) -> Iterator[bytes]:
        if isinstance(node, And):
            for item in node.items:
                yield from self._marks(item)
        elif isinstance(node, Word | Phrase) and (mark := self._needle(node, False).mark):
            yield mark

    def exact_plan(self, frequent: Words | None = None) -> Plan:
        """Return the plan that finds words where they stand alone: not all there is, but what is best.

        With ``frequent`` the last word, if it is being typed, begins one of these only.
        """
        return self._within(self._plan(self._root, _Lists(None, frequent), self._is_negated))

    def whole_plan(self, words: Words) -> Plan:
        """Return the plan that finds everything in one shard, if ``words`` are all of it; else a part of that."""
        return self._within(self._plan(self._root, _Lists(words, None), self._is_negated))

    def meets(self, candidate: Candidate) -> bool:
        """Say whether a message meets the query."""
        return self._meets(self._root, candidate, self._is_negated)

    def stands_in(self, candidate: Candidate, kinds: Collection[str]) -> bool:
        """Say whether anything that is looked for stands in a block of one of these kinds."""
        return any(
            any(needle.is_in(folded) for needle in self.needles)
            or any(pattern.search(words) for pattern in self.patterns)
            for kind, words, folded in candidate.blocks
            if kind in kinds
        )

    def is_usual(self, frequent: Frequent) -> bool:
        """Say whether all that is looked for are words that stand in very many messages of a shard."""
        words = [needle.word for needle in self.needles]
        return bool(words) and not self.patterns and all(word and frequent.is_usual(word) for word in words)

    @property
    def is_typed(self) -> bool:
        """Whether a word is being typed, and may become many."""
        return any(needle.is_typed for needle in self.needles)

    @property
    def needs_vocabulary(self) -> bool:
        """Whether letters inside words are looked for, so that the exact plan finds less than all."""
        return bool(self.patterns) or any(needle.looks_inside for needle in self.needles)

    def _within(self, plan: Plan) -> Plan:
        if self.sessions is None or not plan.match or len(self.sessions) > _NAMED_SESSIONS:
            return plan
        if not self.sessions:
            return NOTHING
        return Plan(f"({plan.match}) AND {_marks([session_mark(key) for key in self.sessions])}", plan.is_exact)

    def _needle(self, node: Word | Phrase, is_negated: bool) -> Needle:
        # What is left out is left out as a whole word: "-log" keeps "catalog".
        found = self._needles.get((node, is_negated))
        if found is None:
            found = self._needles[(node, is_negated)] = Needle(node, is_whole=is_negated)
        return found

    def _keys_of(self, wanted: Filter) -> Collection[int]:
        if wanted not in self._keys:
            self._keys[wanted] = self._session_keys(wanted)
        return self._keys[wanted]

    def _plan(self, node: Node, lists: _Lists, is_negated: bool) -> Plan:
        if isinstance(node, And):
            return self._plan_all(node.items, lists, is_negated)
        if isinstance(node, Or):
            return _either([self._plan(item, lists, is_negated) for item in node.items])
        if isinstance(node, Not):
            return _EVERYTHING
        if isinstance(node, Regex):
            return self._plan_regex(node, lists)
        if isinstance(node, Filter):
            return self._plan_filter(node)
        return self._plan_needle(self._needle(node, is_negated), lists)

    def _plan_all(self, items: Sequence[Node], lists: _Lists, is_negated: bool) -> Plan:
        plans, without = [], []
        is_exact = True
        for item in items:
            if isinstance(item, Not):
                excluded = self._plan(item.item, lists, not is_negated)
                is_exact &= excluded.is_exact and excluded.match is not None
                if excluded.is_exact and excluded.match:
                    without.append(excluded.match)
            else:
                plans.append(self._plan(item, lists, is_negated))
        if any(plan.match == "" for plan in plans):
            return NOTHING
        wanted = [plan.match for plan in plans if plan.match is not None]
        is_exact &= all(plan.is_exact for plan in plans)
        if not wanted:
            return Plan(None, is_exact and not without)
        match = " AND ".join(f"({one})" for one in wanted)
        return Plan(f"({match}) NOT ({' OR '.join(without)})" if without else match, is_exact)

    def _plan_needle(self, needle: Needle, lists: _Lists) -> Plan:
        if needle.is_empty:
            return NOTHING
        if not needle.has_tokens:
            return _EVERYTHING
        matches = needle.exact_matches(lists.beginnings) if lists.all is None else needle.matches(lists.all)
        if not matches:
            return NOTHING
        starts = range(0, len(matches), _WORDS_AT_ONCE) if len(matches) > _MANY_WORDS else ()
        parts = tuple(_words(matches[start : start + _WORDS_AT_ONCE]) for start in starts)
        return Plan(_words(matches), needle.is_plain, parts)

    @staticmethod
    def _plan_regex(node: Regex, lists: _Lists) -> Plan:
        if lists.all is None:
            return _EVERYTHING
        parts = []
        for letters in required_letters(node.pattern):
            words = lists.all.words(letters, "inside")
            if not words:
                return NOTHING
            parts.append(_words([f'"{word}"' for word in words]))
        return Plan(" AND ".join(parts) or None, False)

    def _plan_filter(self, node: Filter) -> Plan:
        if node.name in MESSAGE_FILTERS:
            mark = {"role": role_mark, "kind": kind_mark, "tool": tool_mark}[node.name]
            return Plan(_marks([mark(value) for value in node.values]), True)
        keys = self._keys_of(node)
        if not keys:
            return NOTHING
        if len(keys) <= _NAMED_SESSIONS:
            return Plan(_marks([session_mark(key) for key in keys]), True)
        return _EVERYTHING

    def _meets(self, node: Node, candidate: Candidate, is_negated: bool) -> bool:
        if isinstance(node, And):
            return all(self._meets(item, candidate, is_negated) for item in node.items)
        if isinstance(node, Or):
            return any(self._meets(item, candidate, is_negated) for item in node.items)
        if isinstance(node, Not):
            return not self._meets(node.item, candidate, not is_negated)
        if isinstance(node, Filter):
            return self._meets_filter(node, candidate)
        if isinstance(node, Regex):
            pattern = compiled(node.pattern)
            return any(pattern.search(words) for _, words, _ in candidate.blocks)
        needle = self._needle(node, is_negated)
        return any(needle.is_in(folded) for _, _, folded in candidate.blocks)

    def _meets_filter(self, node: Filter, candidate: Candidate) -> bool:
        if node.name == "role":
            return candidate.role is not None and ROLES[candidate.role] in node.values
        if node.name == "kind":
            return any(kind in node.values for kind, _, _ in candidate.blocks)
        if node.name == "tool":
            names = {tool_mark(value) for value in node.values}
            return any(
                kind == "tool_call" and tool_mark(words.partition("\n")[0]) in names
                for kind, words, _ in candidate.blocks
            )
        return candidate.session in self._keys_of(node)


def _taken_apart(root: Node | None) -> tuple[Node, Node | None]:
    """Return what is asked of messages, and what is asked of sessions besides."""
    assert root is not None
    if not isinstance(root, And):
        return root, None
    of_sessions = tuple(item for item in root.items if asks_sessions_only(item))
    of_messages = tuple(item for item in root.items if not asks_sessions_only(item))
    return _all(of_messages), _all(of_sessions) if of_sessions else None


def _all(items: tuple[Node, ...]) -> Node:
    return And(items) if len(items) > 1 else items[0]


def asks_sessions_only(node: Node) -> bool:
    """Say whether a condition is met by a session as a whole or not at all."""
    if isinstance(node, And | Or):
        return all(map(asks_sessions_only, node.items))
    if isinstance(node, Not):
        return asks_sessions_only(node.item)
    return isinstance(node, Filter) and node.name not in MESSAGE_FILTERS


def _either(plans: Sequence[Plan]) -> Plan:
    if any(plan.match is None for plan in plans):
        return _EVERYTHING
    found = [plan.match for plan in plans if plan.match]
    return Plan(" OR ".join(f"({match})" for match in found), all(plan.is_exact for plan in plans))


def _words(matches: Sequence[str]) -> str:
    return f"{{prose tool}} : ({' OR '.join(matches)})"


def _marks(marks: Sequence[str]) -> str:
    return f"meta : ({' OR '.join(marks)})"
