"""Ways in which a file may be wrong: bytes, lines, JSON values, rows of a database. All follow from a seed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw

LIMIT_BYTES: Final = 1 << 20
_LONG: Final = 70_000
_DEEP: Final = 3_000
_PIECES: Final = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b'"',
    b"{",
    b"}",
    b"[" * _DEEP,
    b'{"a":' * _DEEP,
    b"\\ud800",
    b"\\u0000",
    b"1e999",
    b"-0",
    b"9" * 400,
    b"NaN",
    b"null",
    "\u202e\U0001f9ff".encode(),
    b"x" * _LONG,
)
_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    10**30,
    -(10**400),
    1e308,
    "",
    "\0",
    "\ud800",
    "../../../etc/passwd",
    "9" * 400,
    "2026-13-45T99:99:99Z",
    "x" * _LONG,
    [],
    {},
    [[]],
    {"": {"": []}},
    ["x"] * 2000,
    {str(number): number for number in range(500)},
)


def mutated(data: bytes, chance: Random) -> bytes:
    """Return a file's content changed in one to four ways."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_WAYS)(data, chance)[:LIMIT_BYTES]
    return data


def mutate_database(path: Path, chance: Random) -> None:
    """Change some values, columns or tables of a database in place, or bytes of its file."""
    if chance.random() < 0.3:
        path.write_bytes(_bytes(path.read_bytes(), chance))
        return
    connection = apsw.Connection(str(path))
    try:
        sql = "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        tables = [name for (name,) in connection.execute(sql)]
        for _ in range(chance.randint(1, 4)):
            _change_table(connection, _quoted(chance.choice(tables)), chance)
    except (apsw.Error, IndexError):
        return
    finally:
        connection.close()


def _change_table(connection: apsw.Connection, table: str, chance: Random) -> None:
    columns = [_quoted(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    column = chance.choice(columns)
    what = chance.random()
    if what < 0.1:
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO gone")
    elif what < 0.2:
        connection.execute(f"DELETE FROM {table} WHERE rowid%2")
    else:
        rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
        rowid, value = chance.choice(rows)
        if isinstance(value, str | bytes) and chance.random() < 0.7:
            data = value.encode("utf-8", "replace") if isinstance(value, str) else value
            changed = mutated(data, chance)
            value = changed.decode("utf-8", "replace") if isinstance(value, str) else changed
        else:
            value = chance.choice((None, -1, 2**63 - 1, 1e300, "", "x" * _LONG, b"\xff\0", "[]"))
        connection.execute(f"UPDATE {table} SET {column}=? WHERE rowid=?", (value, rowid))


def _bytes(data: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 1, 2, 16, 300)))
    return data[:start] + chance.choice((*_PIECES, chance.randbytes(8), data[end : end + 64])) + data[end:]


def _cut(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _lines(data: bytes, chance: Random) -> bytes:
    lines = data.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    if chance.random() < 0.5:
        lines.insert(one, lines[other])
    return b"\n".join(lines)


def _values(data: bytes, chance: Random) -> bytes:
    """Change a value in one of the JSON records, or in the whole if that is one."""
    lines = data.split(b"\n")
    number = chance.randrange(len(lines))
    for content, put in ((data, lambda new: new), (lines[number], lambda new: _with(lines, number, new))):
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            continue
        _change(value, chance)
        return put(json.dumps(value).encode("utf-8", "surrogatepass"))
    return _numbers(data, chance)


def _with(lines: list[bytes], number: int, new: bytes) -> bytes:
    return b"\n".join([*lines[:number], new, *lines[number + 1 :]])


def _change(value: Any, chance: Random) -> None:
    while isinstance(value, dict | list) and value:
        key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.4:
            what = chance.random()
            if what < 0.2:
                del value[key]
            elif what < 0.3 and isinstance(value, list):
                value.insert(0, inner)
            else:
                value[key] = chance.choice(_VALUES)
            return
        value = inner


def _numbers(data: bytes, chance: Random) -> bytes:
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return _bytes(data, chance)
    one = chance.choice(found)
    return data[: one.start()] + chance.choice((b"0", b"-1", b"1" * 40, b"1e999")) + data[one.end() :]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_WAYS: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    _bytes,
    _bytes,
    _cut,
    _lines,
    _values,
    _values,
    _values,
    _numbers,
)
