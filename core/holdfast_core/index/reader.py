"""Reads the index: lists, single sessions, counts and searches, from any number of processes at once."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import apsw
import msgspec

from holdfast_core import clock
from holdfast_core.agents.base import Fingerprint, SourceRef
from holdfast_core.errors import IndexBroken
from holdfast_core.index.database import BROKEN, select
from holdfast_core.index.documents import storable
from holdfast_core.index.drift import versions_read
from holdfast_core.index.files import Files
from holdfast_core.index.filters import LOST, NEVER, Condition, session_condition
from holdfast_core.index.folding import fold
from holdfast_core.index.rows import ENTRY_COLUMNS, ENTRY_TABLES, decoded_annotation, session_entry
from holdfast_core.model.agent import VersionRead
from holdfast_core.model.places import Count, Places
from holdfast_core.model.query import MESSAGE_FILTERS, And, Filter, Node, Not, Or, Query, Sort
from holdfast_core.model.search import Hit, SearchResult
from holdfast_core.model.session import Problem, SessionEntry
from holdfast_core.paths import text_path

if TYPE_CHECKING:
    # What only a search needs is loaded with the first search: a list is there without it.
    from holdfast_core.index.plan import Conditions
    from holdfast_core.index.pursuit import Pursuit

_SEARCH_SECONDS: Final = 2.0
_LISTED: Final = "NOT is_shadow AND NOT is_empty"
_MAIN: Final = f"{_LISTED} AND NOT is_subagent"
_COLUMNS: Final[dict[Sort, str]] = {
    "updated": "updated_ms",
    "created": "created_ms",
    "title": "title_folded",
    "messages": "message_count",
    "tokens": "total_tokens",
    "cost": "cost_usd",
    "size": "session.size_bytes",
    "project": "project_folded",
    "agent": "agent",
}
_decode_problems = msgspec.msgpack.Decoder(list[Problem]).decode
Answer = TypeVar("Answer")


class Interrupted(Exception):  # no error: nobody waits for the answer any more
    """The call was ended by `IndexReader.interrupt`."""


class IndexReader:
    """What the index says at each moment. One object for one thread; only `interrupt` may come from others."""

    def __init__(self, directory: Path) -> None:
        self._files = Files(directory)
        self._is_interrupted = False

    @classmethod
    def open(cls, directory: Path) -> IndexReader:
        """Return a reader; an index that is not there yet is an empty one."""
        return cls(directory)

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def interrupt(self) -> None:
        """End the running call, which raises `Interrupted`; from any thread."""
        self._is_interrupted = True
        self._files.interrupt()

    def keys(
        self, query: Query, *, sort: Sort = "updated", descending: bool = True, subagents: bool = False
    ) -> array[int]:
        """Return the keys of all sessions that meet a query, in order; ascending is descending read backwards.

        But by project or agent the last updated of each come first in both directions.
        A session meets what is asked of messages if one of its messages does.
        Empty ones are left out, and subagents too, unless ``subagents`` or the
        query asks for them.
        """
        return self._ask(
            lambda catalog: self._keys(catalog, query, sort=sort, descending=descending, subagents=subagents),
            array("q"),
        )

    def entries(self, keys: Sequence[int]) -> list[SessionEntry]:
        """Return the rows of these keys, in the order asked; those that are no more are left out."""

        return self._ask(lambda catalog: _entries(catalog, keys), [])

    def entry(self, session_id: str) -> SessionEntry | None:
        """Return the row of a session, None if there is none."""
        found = self._select("session.id=? AND NOT is_shadow", (session_id,))
        return found[0] if found else None

    def find(self, text: str, *, limit: int = 20) -> list[SessionEntry]:
        """Return the sessions that ``text`` may name.

        Best first: an id, an agent's own id, the beginning of one, a title, its beginning.
        Within one kind the last updated come first.
        """
        if not text or storable(text) != text:
            return []
        title, after = fold(text), text[:-1] + chr(min(ord(text[-1]) + 1, 0x10FFFF))
        title_after = title[:-1] + chr(min(ord(title[-1]) + 1, 0x10FFFF)) if title else ""
        kinds: list[tuple[str, tuple[Any, ...]]] = [
            ("session.id=?", (text,)),
            ("session.native_id=?", (text,)),
            ("session.id>=? AND session.id<?", (text, after)),
            ("session.native_id>=? AND session.native_id<?", (text, after)),
            ("title_folded=?", (title,)),
            ("title_folded>=? AND title_folded<?", (title, title_after)),
        ]
        found: dict[int, SessionEntry] = {}
        for condition, values in kinds:
            order = f"{_LISTED} AND {condition} ORDER BY is_subagent, updated_ms DESC, session.id LIMIT {int(limit)}"
            for entry in self._select(order, values):
                found.setdefault(entry.key, entry)
        return list(found.values())[:limit]

    def times(self, keys: Sequence[int], sort: Sort) -> list[int | None]:
        """Return when each of these sessions was updated or created, in milliseconds, for headings over a long list."""
        return self._facts(keys, "created_ms" if sort == "created" else "updated_ms")

    def runs(self, keys: Sequence[int], field: Literal["project", "agent"]) -> list[tuple[str, int]]:
        """Return the projects or agents of these keys in order, each with how many neighbours share it."""
        values = self._facts(keys, "project_path" if field == "project" else "agent")
        return [(value or "", len(list(run))) for value, run in groupby(values)]

    def source(self, session_id: str) -> SourceRef | None:
        """Return where a session is read from, None if there is none."""

        def read(catalog: apsw.Connection) -> SourceRef | None:
            rows = select(
                catalog,
                "SELECT source.agent, source.key, source.path, source.size_bytes, modified_ns, inode FROM session "
                "JOIN source ON source.id=session.source WHERE session.id=? AND NOT is_shadow",
                (session_id,),
            )
            return next(
                (
                    SourceRef(agent, text_path(key), text_path(path), Fingerprint(*seen))
                    for agent, key, path, *seen in rows
                ),
                None,
            )

        return self._ask(read, None)

    def problems(self, session_id: str) -> list[Problem]:
        """Return what could not be read of a session's source, the whole source included; the first thousand."""

        def read(catalog: apsw.Connection) -> list[Problem]:
            rows = select(
                catalog,
                "SELECT problems, failure FROM session JOIN source ON source.id=session.source "
                "WHERE session.id=? AND NOT is_shadow",
                (session_id,),
            )
            found: list[Problem] = []
            for data, failure in rows:
                found += [Problem(0, failure)] if failure else []
                found += _decode_problems(data) if data else []
            return found

        return self._ask(read, [])

    def places(self) -> Places:
        """Return how many sessions are where; subagents and empty ones are not counted."""
        return self._ask(_places, Places())

    def source_bytes(self) -> dict[str, int]:
        """Return how many bytes there are at each agent's sources."""
        sql = "SELECT agent, sum(size_bytes) FROM source GROUP BY agent ORDER BY agent"
        return self._ask(lambda catalog: dict(select(catalog, sql)), {})

    def sessions_by_source(self) -> dict[tuple[str, str], list[str]]:
        """Return the ids of listed sessions by agent and key of the source that each is read from."""
        sql = (
            "SELECT source.agent, source.key, session.id FROM session JOIN source ON source.id=session.source "
            f"WHERE {_MAIN}"
        )

        def read(catalog: apsw.Connection) -> dict[tuple[str, str], list[str]]:
            found: dict[tuple[str, str], list[str]] = {}
            for agent, key, session_id in select(catalog, sql):
                found.setdefault((agent, text_path(key)), []).append(session_id)
            return found

        return self._ask(read, {})

    def versions_read(self) -> list[VersionRead]:
        """Return what reading each agent's sources gave, by the version of the agent that wrote them."""
        return self._ask(versions_read, [])

    def children(self, session_id: str) -> list[SessionEntry]:
        """Return the subagents of a session, first ones first."""
        agent, _, native_id = session_id.partition(":")
        return self._select(
            f"session.parent_id=? AND session.agent=? AND is_subagent AND {_LISTED} ORDER BY created_ms, session.id",
            (native_id, agent),
        )

    def search(
        self, query: Query, *, limit: int, sort: Literal["relevance", "time"] = "relevance", snippets: bool = True
    ) -> SearchResult:
        """Return the messages that meet a query, best or newest first, subagents' included.

        A query that asks nothing of messages gives its sessions, one hit each,
        last updated first. After two seconds what was found by then is given.
        """
        started = clock.monotonic_seconds()
        empty = SearchResult((), 0, 0, 0.0)
        found = self._ask(
            lambda catalog: self._search(catalog, query, limit=limit, sort=sort, snippets=snippets, started=started),
            empty,
        )
        return msgspec.structs.replace(found, wall_seconds=clock.monotonic_seconds() - started)

    def count(self, query: Query) -> tuple[int, int]:
        """Return exactly how many sessions and messages meet a query.

        What is found in the facts of a session counts as a message; a query
        that asks nothing of messages counts all of its sessions.
        """

        def read(catalog: apsw.Connection) -> tuple[int, int]:
            if query.asks_messages():
                counts = self._pursuit(catalog, query)[1].counts()
                return len(counts), sum(counts.values())
            return self._count_sessions(catalog, query)

        return self._ask(read, (0, 0))

    def complete(self, text: str, position: int) -> list[str]:
        """Return what the word that ends at ``position`` may become, each whole, likeliest first."""
        from holdfast_core.index.complete import completions

        typed = text[:position]

        def read(catalog: apsw.Connection) -> list[str]:
            return completions(catalog, [shard.connection for shard in self._files.shards()], typed)

        return self._ask(read, completions(None, (), typed))

    def _ask(self, read: Callable[[apsw.Connection], Answer], empty: Answer) -> Answer:
        """Return what ``read`` gives; if the index was replaced meanwhile, what it gives of the new one."""
        self._is_interrupted = False
        for is_last in (False, True):
            try:
                self._files.refresh()
                catalog = self._files.catalog
                return empty if catalog is None else read(catalog)
            except (apsw.InterruptError, Interrupted) as error:
                # While a statement that was cut off lives, SQLite interrupts new ones too; the trace holds it.
                clear_frames(error.__traceback__)
                raise Interrupted from error
            except (*BROKEN, IndexBroken) as error:
                self._files.close()
                if is_last:
                    raise IndexBroken("The index is damaged. It is built again at the next start.") from error
        raise AssertionError("unreachable")

    def _facts(self, keys: Sequence[int], column: str) -> list[Any]:
        """Return a column of these keys, None for those that are no more. One pass, however many there are."""

        def read(catalog: apsw.Connection) -> list[Any]:
            found: dict[int, Any] = dict(select(catalog, f"SELECT key, {column} FROM session"))
            return [found.get(key) for key in keys]

        return self._ask(read, [])

    def _check(self) -> None:
        if self._is_interrupted:
            raise Interrupted

    def _select(self, condition: str, values: Sequence[Any]) -> list[SessionEntry]:
        sql = f"SELECT {ENTRY_COLUMNS} FROM {ENTRY_TABLES} WHERE {condition}"
        return self._ask(lambda catalog: [session_entry(row) for row in select(catalog, sql, values)], [])

    def _keys(
        self, catalog: apsw.Connection, query: Query, *, sort: Sort, descending: bool, subagents: bool
    ) -> array[int]:
        listed = self._listed(query, subagents=subagents)
        if sort in _GROUPING:
            rows = self._rows(catalog, query, listed, f"key, {_COLUMNS[sort]}", _order_in_groups(sort))
            return _turned(rows) if descending else array("q", [key for key, _ in rows])
        rows = self._rows(catalog, query, listed, "key", _order(sort, descending=descending))
        return array("q", [key for (key,) in rows])

    def _rows(self, catalog: apsw.Connection, query: Query, listed: str, columns: str, order: str) -> list[Any]:
        """Return ``columns``, the key first, of what meets a query, in order."""
        ordered = f"SELECT {columns} FROM session WHERE {listed} ORDER BY {order}"
        if query.root is None:
            return list(select(catalog, ordered))
        found = self._matching(catalog, query, listed)
        if len(found) <= _FEW:
            few = f"SELECT {columns} FROM session WHERE {listed} AND {_KEYS} ORDER BY {order}"
            return list(select(catalog, few, (_json(found),)))
        return [row for row in select(catalog, ordered) if row[0] in found]

    def _matching(self, catalog: apsw.Connection, query: Query, listed: str) -> Collection[int]:
        """Return the keys that meet a query, in no order."""
        if query.asks_messages():
            return self._pursuit(catalog, query)[1].counts()
        assert query.root is not None
        condition, values = self._condition(catalog, query.root)
        # One walk over the rows as they lie; along an index each would have to be looked up.
        sql = f"SELECT key FROM session NOT INDEXED WHERE {condition} AND {listed}"
        return {key for (key,) in select(catalog, sql, values)}

    @staticmethod
    def _listed(query: Query, *, subagents: bool) -> str:
        """Return the condition of the sessions that are shown for a query at all."""
        asked = {
            value
            for node, _ in query.nodes()
            if isinstance(node, Filter) and node.name == "is"
            for value in node.values
        }
        listed = _LISTED if subagents or "subagent" in asked else _MAIN
        if "empty" in asked and not query.asks_messages():
            return listed.replace(" AND NOT is_empty", "")
        return listed

    def _condition(self, catalog: apsw.Connection, node: Node) -> Condition:
        """Return the condition of SQL for what is asked of sessions. Words stand below a `Not` here."""
        if isinstance(node, And | Or):
            parts = [self._condition(catalog, item) for item in node.items]
            joint = " AND " if isinstance(node, And) else " OR "
            return f"({joint.join(sql for sql, _ in parts)})", tuple(value for _, values in parts for value in values)
        if isinstance(node, Not):
            sql, values = self._condition(catalog, node.item)
            return f"NOT ifnull({sql}, 0)", values
        if isinstance(node, Filter) and node.name not in MESSAGE_FILTERS:
            return session_condition(node)
        # What is not shown counts as well here: the list may ask for it.
        found = self._pursuit(catalog, Query(node), is_negated=True, hidden=frozenset())[1].counts()
        return (_KEYS, (_json(found),)) if found else NEVER

    def _session_keys(self, catalog: apsw.Connection, node: Node) -> frozenset[int]:
        sql, values = self._condition(catalog, node)
        return frozenset(key for (key,) in select(catalog, f"SELECT key FROM session WHERE {sql}", values))

    def _pursuit(
        self,
        catalog: apsw.Connection,
        query: Query,
        *,
        is_negated: bool = False,
        hidden: frozenset[int] | None = None,
        deadline_seconds: float = math.inf,
    ) -> tuple[Conditions, Pursuit]:
        from holdfast_core.index.plan import Conditions
        from holdfast_core.index.pursuit import Pursuit

        conditions = Conditions(query, lambda node: self._session_keys(catalog, node), is_negated=is_negated)
        return conditions, Pursuit(
            conditions,
            self._files.shards(),
            self._files.hidden if hidden is None else hidden,
            check=self._check,
            deadline_seconds=deadline_seconds,
        )

    def _search(
        self,
        catalog: apsw.Connection,
        query: Query,
        *,
        limit: int,
        sort: Literal["relevance", "time"],
        snippets: bool,
        started: float,
    ) -> SearchResult:
        if not query.asks_messages():
            return self._search_sessions(catalog, query, limit)
        from holdfast_core.index.search import search_messages

        deadline_seconds = started + _SEARCH_SECONDS
        conditions, pursuit = self._pursuit(catalog, query, deadline_seconds=deadline_seconds)
        return search_messages(
            pursuit,
            conditions,
            catalog,
            limit=limit,
            sort=sort,
            snippets=snippets,
            deadline_seconds=deadline_seconds,
        )

    def _search_sessions(self, catalog: apsw.Connection, query: Query, limit: int) -> SearchResult:
        keys = self._keys(catalog, query, sort="updated", descending=True, subagents=False)
        sessions, messages = self._count_sessions(catalog, query)
        hits = tuple(_session_hit(entry) for entry in _entries(catalog, keys[:limit]))
        return SearchResult(hits, sessions, messages, 0.0)

    def _count_sessions(self, catalog: apsw.Connection, query: Query) -> tuple[int, int]:
        condition, values = ("1", ()) if query.root is None else self._condition(catalog, query.root)
        sql = f"SELECT count(*), total(message_count) FROM session NOT INDEXED WHERE {condition} AND "
        sessions, messages = select(catalog, sql + self._listed(query, subagents=False), values)[0]
        return sessions, int(messages)


_GROUPING: Final = ("project", "agent")


def _order(sort: Sort, *, descending: bool) -> str:
    return f"{_COLUMNS[sort]} DESC, id" if descending else f"{_COLUMNS[sort]}, id DESC"


def _order_in_groups(sort: Sort) -> str:
    return f"{_COLUMNS[sort]}, updated_ms DESC, id DESC"


def _turned(rows: Sequence[tuple[int, str]]) -> array[int]:
    """Return the keys of ``rows``, their groups from the last to the first, each as it is within itself."""
    groups = [[key for key, _ in run] for _, run in groupby(rows, itemgetter(1))]
    return array("q", chain.from_iterable(reversed(groups)))


# Up to so many keys are put in order by themselves; more are picked from the whole list, which is in order already.
_FEW: Final = 500
_KEYS: Final = "session.key IN (SELECT value FROM json_each(?))"


def _json(keys: Iterable[int]) -> str:
    return msgspec.json.encode(list(keys)).decode()


def _entries(catalog: apsw.Connection, keys: Sequence[int]) -> list[SessionEntry]:
    sql = f"SELECT {ENTRY_COLUMNS} FROM {ENTRY_TABLES} WHERE {_KEYS}"
    found = {row[0]: session_entry(row) for row in select(catalog, sql, (_json(keys),))}
    return [found[key] for key in keys if key in found]


def _session_hit(entry: SessionEntry) -> Hit:
    from holdfast_core.index.snippet import LENGTH

    text = " ".join((entry.preview or entry.summary or entry.title).split())
    return Hit(
        session_id=entry.id,
        session_key=entry.key,
        agent=entry.agent,
        title=entry.title,
        message_index=-1,
        block_kind="title",
        snippet=text if len(text) <= LENGTH else text[:LENGTH].rstrip() + "…",
        highlights=(),
        score=1.0,
        timestamp_ms=entry.updated_ms,
    )


def _places(catalog: apsw.Connection) -> Places:
    total, starred, problems, lost = (
        select(catalog, f"SELECT count(*) FROM session WHERE {condition} AND {_MAIN}")[0][0]
        for condition in ("1", "starred", "state='problem'", LOST)
    )
    tags: dict[str, int] = {}
    rows = select(
        catalog,
        # CROSS JOIN: from the few that the person said something of.
        "SELECT DISTINCT session.id, annotation FROM annotation CROSS JOIN session ON session.id=session_id "
        f"WHERE {_MAIN}",
    )
    for session_id, data in rows:
        for tag in decoded_annotation(data, session_id).tags:
            tags[tag] = tags.get(tag, 0) + 1
    return Places(
        total=total,
        starred=starred,
        problems=problems,
        lost=lost,
        agents=_counts(catalog, "agent"),
        projects=_counts(catalog, "project_path"),
        tags=tuple(Count(tag, count) for tag, count in sorted(tags.items(), key=lambda item: (-item[1], item[0]))),
    )


def _counts(catalog: apsw.Connection, column: str) -> tuple[Count, ...]:
    rows = select(
        catalog, f"SELECT {column}, count(*) FROM session WHERE {_MAIN} AND {column}<>'' GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return tuple(Count(value, count) for value, count in rows)
