"""Reading other programs' SQLite databases: from a private copy, with every door of the engine shut.

Even a read-only connection writes beside a database in WAL mode, and one that
does not would not see what is in the WAL. So the database, its WAL and its
journal are copied first (`_copies.py`). What is asked of the copy are columns of real tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from holdfast_core.agents._copies import copied, places
from holdfast_core.agents._jsonl import refusal
from holdfast_core.agents._tap import sweep, tap_at
from holdfast_core.clock import monotonic_seconds
from holdfast_core.model.session import Problem
from holdfast_core.paths import database_name

CELL_LIMIT = 8 << 20
_SECONDS = 1.0
_BYTES_A_SECOND = 100 << 20
_WITHIN_LIMIT = 500
_ROW_BYTES = 2
_SPARE_BYTES = 1 << 20
_ALLOWED = frozenset((apsw.SQLITE_SELECT, apsw.SQLITE_READ))
_SETTINGS = (
    (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
    (apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
    (apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0),
    (apsw.SQLITE_DBCONFIG_DQS_DML, 0),
    (apsw.SQLITE_DBCONFIG_DQS_DDL, 0),
)
_DAMAGED = (apsw.CorruptError, apsw.TooBigError)
_PLACES = 32
_PRAGMA = "table_info"
# What we ask with, and what tables of agents have as defaults of their columns.
_FUNCTIONS = frozenset(
    ("typeof", "octet_length", "count", "max", "total", "current_timestamp", "datetime", "strftime", "unixepoch")
)

Value = str | bytes | int | float | None


class Database:
    """A private copy of a database, of which columns can be asked and nothing else.

    ``problems`` are rows that could not be read, told by their number;
    ``bytes_given`` is the size of those that were.
    """

    def __init__(self, connection: apsw.Connection, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.bytes_given = 0
        self.problems: list[Problem] = []
        self._connection = connection
        self._end = 0.0
        self._seconds = _SECONDS + size_bytes / _BYTES_A_SECOND
        self._columns: dict[str, dict[str, str]] = {}
        _shut(connection)
        connection.set_progress_handler(lambda: monotonic_seconds() > self._end, 10_000)
        self._allow_more_time()
        found = connection.execute("PRAGMA encoding").fetchone()
        self._encoding = "utf-8" if found is None else str(found[0]).lower()
        connection.authorizer = _authorize

    def columns(self, table: str) -> frozenset[str]:
        """Return the columns of a real table by lower-case name; none for a view, a virtual table or nothing."""
        return frozenset(self._names(table))

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        *,
        raw: Sequence[str] = (),
        within: tuple[str, Sequence[str]] | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """Yield (number, values…) of every row of a table, in its own order.

        A column that is not there is None in every row. Text comes as text,
        in the columns ``raw`` as bytes. ``within`` asks only for rows in which
        a column has one of some values; it may be passed over where there are many.
        A row with a value over ``CELL_LIMIT`` is a problem instead.
        """
        names = self._names(table)
        if not names:
            return
        known = [column for column in columns if column in names]
        parts = [
            f"CASE WHEN typeof({q}) IN ('text', 'blob') THEN CAST({q} AS BLOB) ELSE {q} END" for q in _quoted(known)
        ]
        long = " OR ".join(f"octet_length({q})>{CELL_LIMIT}" for q in _quoted(known)) or "0"
        shown = [f"CASE WHEN {long} THEN NULL ELSE {part} END" for part in parts]
        number = self._number(table)
        select = f"SELECT {', '.join([number or '0', long, *shown])} FROM {_quote(table)}"  # names are quoted
        places = [(known.index(column) + 2 if column in known else None, column in raw) for column in columns]
        is_plain = self._encoding == "utf-8"
        for at, row in enumerate(self._found(select, number, self._within(names, within)), 1):
            line = row[0] if number and isinstance(row[0], int) and row[0] > 0 else at
            if row[1]:
                self.problem(line, "line_too_long")
                continue
            found: list[Value] = [line]
            for place, is_raw in places:
                value = None if place is None else row[place]
                if type(value) is bytes and not (is_raw and is_plain):
                    value = self._value(value, is_raw=is_raw)
                found.append(value)
            yield tuple(found)

    def stamps(self, table: str, by: str, *, sized: Sequence[str], latest: Sequence[str]) -> dict[str, str]:
        """Return for each value of a column what tells whether its rows changed, without reading them.

        That is their number, the size of the columns ``sized`` and the largest value of ``latest``.
        """
        names = self._names(table)
        if by not in names:
            return {}
        number = self._number(table)
        parts = ["count(*)", f"max({number})" if number else "0"]
        parts += [f"total(octet_length({_quote(column)}))" for column in sized if column in names]
        parts += [f"max({_quote(column)})" for column in latest if column in names and column not in sized]
        sql = (
            f"SELECT CAST({_quote(by)} AS BLOB), {', '.join(parts)} FROM {_quote(table)} GROUP BY 1"  # names are quoted
        )
        found: dict[str, str] = {}
        with suppress(*_DAMAGED):  # told when the rows are read
            for row in self._asked(sql, ()):
                found[str(self._value(row[0], is_raw=False))] = repr(row[1:])
        return found

    def problem(self, row: int, reason: str) -> None:
        """Note that a row could not be read."""
        if len(self.problems) < 1000:
            self.problems.append(Problem(row, reason))

    def _found(self, select: str, number: str, within: tuple[str, tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
        """Yield rows, those behind a damaged place too where rows have numbers."""
        seen: set[Value] = set()
        try:
            for row in self._asked(select + within[0], within[1]):
                if number:
                    seen.add(row[0])
                yield row
            return
        except _DAMAGED:
            if not number:
                self.problem(len(seen) + 1, "damaged")
                return
        start = -(1 << 62)
        for _ in range(_PLACES):
            try:
                for row in self._asked(f"{select} WHERE {number}>? ORDER BY {number}", (start,)):
                    start = row[0] if isinstance(row[0], int) else start
                    if start not in seen:
                        yield row
                return
            except _DAMAGED:
                self.problem(max(start, 0) + 1, "damaged")
            behind = self._behind(f"{select} WHERE {number}>? ORDER BY {number} LIMIT 1", max(start, 0))
            if behind is None:
                return
            start = behind

    def _behind(self, ask: str, start: int) -> int | None:
        """Return the nearest number behind which rows can be read again."""
        low, step = start, 1
        while not self._can_read(ask, start + step):
            low, step = start + step, step * 2
            if step > 1 << 40:
                return None
        high = start + step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._can_read(ask, middle) else (middle, high)
        return high

    def _can_read(self, ask: str, number: int) -> bool:
        try:
            self._allow_more_time()
            self._connection.execute(ask, (number,)).fetchall()
        except _DAMAGED:
            return False
        return True

    def _asked(self, sql: str, values: tuple[Value, ...]) -> Iterator[tuple[Value, ...]]:
        """Yield rows. No table holds more bytes than its file, unless it is damaged or meant to seem so."""
        left = self.size_bytes + _SPARE_BYTES
        self._allow_more_time()
        for row in self._connection.execute(sql, values):
            given = _ROW_BYTES + sum([len(value) for value in row if type(value) is bytes])
            self.bytes_given += given
            left -= given
            if left < 0:
                raise apsw.CorruptError("more than the file can hold")
            yield row
            self._allow_more_time()

    def _allow_more_time(self) -> None:
        self._end = monotonic_seconds() + self._seconds

    def _value(self, value: Value, *, is_raw: bool) -> Value:
        if not isinstance(value, bytes):
            return value
        if self._encoding == "utf-8":
            return value if is_raw else value.decode("utf-8", "replace")
        text = value.decode(self._encoding, "replace")
        return text.encode("utf-8", "replace") if is_raw else text

    def _names(self, table: str) -> dict[str, str]:
        """Return a real table's columns: their names as the table has them by lower-case name."""
        if table not in self._columns:
            self._allow_more_time()
            try:
                self._columns[table] = self._asked_names(table)
            except (apsw.SQLError, UnicodeDecodeError):
                self._columns[table] = {}
        return self._columns[table]

    def _asked_names(self, table: str) -> dict[str, str]:
        execute = self._connection.execute
        head = execute(
            "SELECT CAST(type AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema WHERE name=?", (table,)
        ).fetchall()
        if len(head) != 1 or self._value(head[0][0], is_raw=False) != "table":
            return {}
        if str(self._value(head[0][1], is_raw=False)).lstrip().upper().startswith("CREATE VIRTUAL"):
            return {}
        rows = execute(f"PRAGMA table_info({_quote(table)})").fetchall()  # quoted; generated columns are not told
        names = [str(row[1]) for row in rows]
        if not self._can_ask(table, names):  # a column can have a default that is not allowed
            names = [name for name in names if self._can_ask(table, [name])]
        return {name.lower(): name for name in names}

    def _can_ask(self, table: str, columns: Sequence[str]) -> bool:
        try:
            self._connection.execute(f"SELECT {', '.join(_quoted(columns))} FROM {_quote(table)} LIMIT 0")  # quoted
        except apsw.SQLError:
            return False
        return True

    def _number(self, table: str) -> str:
        """Return the name of a table's row number, nothing if it has none."""
        names = self._names(table)
        return next((name for name in ("rowid", "_rowid_") if name not in names and self._can_ask(table, [name])), "")

    def _within(self, names: dict[str, str], within: tuple[str, Sequence[str]] | None) -> tuple[str, tuple[Value, ...]]:
        if within is None or within[0] not in names or len(within[1]) > _WITHIN_LIMIT:
            return "", ()
        column, values = within
        return f" WHERE {_quote(column)} IN ({', '.join('?' * len(values))})", tuple(values)


@contextmanager
def private_copy(path: str | Path, *, root: str | Path) -> Iterator[Database]:
    """Give a copy of a database, which can only be asked, and for a second at most from one row to the next.

    Raises:
        SourceError: the database cannot be copied; it is none, or damaged or
            hostile in a way that nothing can be asked of it.
    """
    path = Path(path)
    for place in places():
        sweep(place)
    copy = copied(path, str(root))
    try:
        connection = apsw.Connection(
            database_name(copy.path),
            flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI,
        )
        try:
            yield Database(connection, copy.size_bytes)
        finally:
            connection.close()  # what stood in the WAL is in the copy then
    except (apsw.Error, UnicodeDecodeError) as error:
        copy.remove()
        raise refusal("wrong_format", repr(error)) from error
    except BaseException:
        copy.remove()
        raise
    tap = tap_at(path)
    if tap is None:
        copy.give_back()
    else:
        tap.take_copy(copy.path, copy.give_back)


def _shut(connection: apsw.Connection) -> None:
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, CELL_LIMIT + (1 << 16))
    connection.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, 100_000)
    connection.limit(apsw.SQLITE_LIMIT_VDBE_OP, 25_000)
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
    for setting, value in _SETTINGS:
        connection.config(setting, value)
    for pragma in ("trusted_schema=off", "cell_size_check=on", "mmap_size=0", "query_only=on", "temp_store=memory"):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _authorize(operation: int, first: str | None, second: str | None, _place: str | None, inner: str | None) -> int:
    """Allow reading of columns and a few harmless functions, nothing from within a view or a trigger."""
    is_allowed = operation in _ALLOWED
    if operation == apsw.SQLITE_FUNCTION:
        is_allowed = (second or "").lower() in _FUNCTIONS
    elif operation == apsw.SQLITE_PRAGMA:
        is_allowed = first == _PRAGMA
    return apsw.SQLITE_OK if is_allowed and inner is None else apsw.SQLITE_DENY


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(names: Sequence[str]) -> list[str]:
    return [_quote(name) for name in names]
