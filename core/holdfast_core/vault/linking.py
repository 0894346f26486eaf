"""Records that follow each other: a chain that a lost one broke is closed, a call that nothing ended is ended."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, Self

import msgspec

from holdfast_core.agents._jsonl import UTF8_BOM
from holdfast_core.agents.base import Calls, Closing

Linked = tuple[int, Literal["record_linked", "call_ended"]]


class Row(msgspec.Struct):
    """One line of a transcript. ``is_after_loss``: what stood just before it could not be read."""

    data: bytes
    line: int
    own: str = ""
    parent: str = ""
    calls: Calls = Calls()
    is_after_loss: bool = False

    @classmethod
    def of(cls, data: bytes, line: int, closing: Closing | None, *, is_after_loss: bool = False) -> Self:
        """Return the row of a whole record."""
        row = cls(data, line, is_after_loss=is_after_loss)
        if closing is None:
            return row
        record = _record(data)
        if record is not None:
            row.calls = closing.calls(record)
            if closing.links is not None:
                row.own, row.parent = (_text(record.get(name)) for name in closing.links)
        return row


def link_again(rows: list[Row], closing: Closing) -> Iterator[Linked]:
    """Let a record whose forerunner was lost follow the one that stands before it."""
    known = {row.own for row in rows if row.own}
    last = before = ""  # one record may be there several times: it never follows itself
    is_after_loss = False
    for row in rows:
        is_after_loss = is_after_loss or row.is_after_loss
        if row.own and row.own != last:
            last, before = row.own, last
        is_loose = bool(row.own and row.parent) and row.parent not in known
        if is_after_loss and before and is_loose and _follow(row, before, closing):
            yield row.line, "record_linked"


def end_calls(rows: list[Row], closing: Closing) -> Iterator[Linked]:
    """End each call that nothing ends, right behind the record that made it; what followed that follows the end."""
    ended = {call for row in rows for call in row.calls.ended}
    last: dict[str, tuple[int, str]] = {}
    for index, row in enumerate(rows):
        last |= {call: (index, name) for call, name in row.calls.opened if call and call not in ended}
    made: dict[int, list[Row]] = {}
    for call, (index, name) in last.items():
        record = _record(rows[index].data)
        if record is not None:
            made.setdefault(index, []).append(_end(record, call, name, rows[index].line, closing))
            yield rows[index].line, "call_ended"
    children = _children(rows) if made else {}
    for index, ends in made.items():
        own = rows[index].own
        if not own or not ends[-1].own:
            continue
        for before, after in itertools.pairwise(ends):
            _follow(after, before.own, closing)
        for child in children.get(own, ()):
            if child > index and rows[child].own != own:
                _follow(rows[child], ends[-1].own, closing)
    rows[:] = [one for index, row in enumerate(rows) for one in (row, *made.get(index, ()))]


def _children(rows: list[Row]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if row.parent:
            found.setdefault(row.parent, []).append(index)
    return found


def _end(record: dict[str, Any], call: str, name: str, line: int, closing: Closing) -> Row:
    data = json.dumps(closing.end(record, call, name), ensure_ascii=False, separators=(",", ":"))
    return Row.of(data.encode("utf-8", "replace"), line, closing)


def _follow(row: Row, forerunner: str, closing: Closing) -> bool:
    """Let a record follow another one: only the name in that field of it is changed."""
    assert closing.links is not None
    name, old, new = (json.dumps(text).encode() for text in (closing.links[1], row.parent, forerunner))
    field = re.compile(re.escape(name) + rb"(\s*:\s*)" + re.escape(old))
    changed = field.sub(lambda found: name + found[1] + new, row.data, count=1)
    if changed == row.data or _text((_record(changed) or {}).get(closing.links[1])) != forerunner:
        return False  # it stands there in another way: the record is left alone
    row.data, row.parent = changed, forerunner
    return True


def _record(data: bytes) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(data.removeprefix(UTF8_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
