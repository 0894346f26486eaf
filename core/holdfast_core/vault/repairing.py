"""A copy of a damaged transcript that its agent can go on with: what cannot be read goes, what was begun is ended.

Nothing of what can be read is left out, and every change is told. The original stays as it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents._documents import decoded
from holdfast_core.agents._json import is_too_deep
from holdfast_core.agents._jsonl import UTF8_BOM
from holdfast_core.agents.base import Agent
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.repair import RepairChange, Repaired, RepairKind
from holdfast_core.vault.linking import Row, end_calls, link_again

SIZE_LIMIT = 256 << 20
_CUT_LIMIT = 64 << 10
_SQLITE = b"SQLite format 3\0"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SPACE = " \t\r"
_SPACE_BYTES = b" \t\r\n\0"
_HEAD_LINES = 50
_MENDING_LIMIT = 16 << 20
_STARTS = 64
_OPENING = re.compile(r'\{\s*"((?:[^"\\]|\\.)*)"\s*:')
_BAD_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')


def repaired(data: bytes, agent: Agent, *, name: str = "", drops_damaged: bool = False) -> Repaired:
    """Return a repaired copy of a source's content, and what was changed; the same copy for the same content.

    Runs of NUL are cut, records on one line split, a record that was being
    written last is cut, calls of tools without an end are ended in the
    agent's own form. Lines that cannot be read at all stay, or are left out
    with ``drops_damaged``. ``name`` is the file's own, where it is known.

    Raises:
        Refused: it is a database, compressed, sealed by its agent, too large, or nothing of it can be read.
    """
    _check(data, agent)
    is_json = data.removeprefix(UTF8_BOM).lstrip(_SPACE_BYTES)[:1] in (b"{", b"[")
    found = _repaired_document(data) if is_json and not _holds_lines(data, name) else None
    if found is not None:
        return found
    if name.endswith(".jsonl") or _holds_lines(data, name):
        return _Lines(agent, drops_damaged=drops_damaged).repaired(data)
    if is_json:
        raise Refused("Nothing of this session's file can be read. Restore an earlier version.")
    return _repaired_text(data)


def _check(data: bytes, agent: Agent) -> None:
    if data.startswith(_SQLITE):
        raise Refused("This agent keeps its sessions in a database, which is not repaired. Open an earlier version.")
    if data.startswith(_ZSTD):
        raise Refused("This session's file is compressed, and is not repaired. Open an earlier version.")
    if agent.is_sealed:
        raise Refused("This agent seals its files and would refuse a repaired one. Restore an earlier version.")
    if data.startswith(_UTF16):
        raise Refused("This session's file is in an encoding that its agent never writes.")
    if len(data) > SIZE_LIMIT:
        raise Refused("This session's file is too large to be repaired at once. Restore an earlier version.")


def _holds_lines(data: bytes, name: str) -> bool:
    """Return whether content is of one record a line: whole records stand at the beginning of lines."""
    lines = [line for line in data.replace(b"\0", b"").split(b"\n", _HEAD_LINES)[:_HEAD_LINES] if line.strip()]
    if name.endswith(".jsonl"):
        return not lines or lines[0].removeprefix(UTF8_BOM).strip() not in (b"{", b"[")
    found = [_records_on(line.removeprefix(UTF8_BOM).rstrip()) for line in lines]
    return any(found) if len(lines) > 1 else found == [2]


def _records_on(line: bytes) -> int:
    """Return how many records a line begins with, 2 for more."""
    first = None if len(line) > _MENDING_LIMIT or is_too_deep(line) else _record_at(line.decode("utf-8", "replace"), 0)
    if first is None:
        return 0
    rest = line.decode("utf-8", "replace")[first[2] :].lstrip()
    return 1 if not rest else 2 if rest.startswith("{") else 0


def _is_whole(line: bytes) -> bool:
    if is_too_deep(line):
        return False
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class _Part(NamedTuple):
    """A piece of a line: a whole record as bytes, or what stands between; ``is_rewritten`` if bytes had to change."""

    data: bytes
    is_record: bool
    is_rewritten: bool = False


class _Lines:
    """Repairs content of one record a line."""

    def __init__(self, agent: Agent, *, drops_damaged: bool) -> None:
        self._closing = agent.closing
        self._drops_damaged = drops_damaged
        self._changes: list[RepairChange] = []
        self._rows: list[Row] = []
        self._first_keys: set[str] = set()
        self._is_after_loss = False

    def repaired(self, data: bytes) -> Repaired:
        lines = data.split(b"\n")
        self._first_keys = {found.decode("utf-8", "replace") for line in lines for found in _first_keys(line)}
        for number, line in enumerate(lines, 1):
            self._take(line, number, is_last=number == len(lines))
        if self._closing is not None:
            for row, what in (*link_again(self._rows, self._closing), *end_calls(self._rows, self._closing)):
                self._change(row, what)
        self._changes.sort(key=lambda change: change.line)
        return Repaired(b"\n".join(row.data for row in self._rows), tuple(self._changes))

    def _take(self, line: bytes, number: int, *, is_last: bool) -> None:
        if b"\0" in line:
            self._change(number, "nul_cut")
            self._is_after_loss = True
            line = line.replace(b"\0", b"")
            if not line.strip(b" \t\r") and not is_last:
                return
        bare = line.removeprefix(UTF8_BOM) if number == 1 else line
        if not bare.strip(b" \t\r"):
            self._rows.append(Row(line, number))
        elif _is_whole(bare):
            self._add(line, number)
            self._end(number, is_last=is_last)
        else:
            self._mend(bare, number, is_last=is_last)

    def _mend(self, line: bytes, number: int, *, is_last: bool) -> None:
        """Take what can be read of a line that is no record."""
        parts = list(_parts(line, self._first_keys))
        records = [part for part in parts if part.is_record]
        if not records:
            self._lose(line, number, is_last=is_last)
            return
        for part in parts:
            if part.is_record:
                self._add(part.data, number)
                if part.is_rewritten:
                    self._change(number, "record_rewritten")
            else:
                self._change(number, "last_record_cut" if is_last and part is parts[-1] else "stub_cut", part.data)
                self._is_after_loss = True
        if len(records) > 1:
            self._change(number, "records_split")
        self._end(number, is_last=is_last)

    def _lose(self, line: bytes, number: int, *, is_last: bool) -> None:
        self._is_after_loss = True
        if is_last:
            self._change(number, "last_record_cut", line)
            self._rows.append(Row(b"", number))
        elif self._drops_damaged:
            self._change(number, "line_dropped", line)
        else:
            self._change(number, "line_left")
            self._rows.append(Row(line, number))

    def _add(self, record: bytes, number: int) -> None:
        self._rows.append(Row.of(record, number, self._closing, is_after_loss=self._is_after_loss))
        self._is_after_loss = False

    def _end(self, number: int, *, is_last: bool) -> None:
        """End the last record with a line end: else the agent would write its next one on the same line."""
        if is_last:
            self._change(number, "newline_added")
            self._rows.append(Row(b"", number))

    def _change(self, line: int, what: RepairKind, cut: bytes = b"") -> None:
        self._changes.append(RepairChange(line, what, cut[:_CUT_LIMIT]))


_FIRST = re.compile(rb'\s*\{\s*"((?:[^"\\]|\\.)*)"\s*:')
_GLUED = re.compile(rb'\}\s*\{\s*"((?:[^"\\]|\\.)*)"\s*:')


def _first_keys(line: bytes) -> Iterator[bytes]:
    """Yield the names with which the records on a line begin."""
    line = line.replace(b"\0", b"").removeprefix(UTF8_BOM)
    if (found := _FIRST.match(line)) is not None:
        yield found[1]
    yield from _GLUED.findall(line)


def _parts(line: bytes, first_keys: set[str]) -> Iterator[_Part]:
    """Yield the records on a line, and what stands before, between and behind them, in order."""
    if len(line) > _MENDING_LIMIT or is_too_deep(line):
        yield _Part(line, is_record=False)
        return
    text = line.decode("utf-8", "replace")
    position = begin = 0
    while (position := _skip(text, position)) < len(text):
        found = _record_at(text, position)
        if found is None:
            position = _next_start(text, position, first_keys)
            continue
        if text[begin:position].strip(_SPACE):
            yield _Part(text[begin:position].encode("utf-8", "replace"), is_record=False)
        data, is_rewritten, position = found
        yield _Part(data, is_record=True, is_rewritten=is_rewritten)
        begin = position
    if text[begin:].strip(_SPACE):
        yield _Part(text[begin:].encode("utf-8", "replace"), is_record=False)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _next_start(text: str, position: int, first_keys: set[str]) -> int:
    """Return where the next record begins behind a stub: it begins as others here do, and ends where one can end."""
    for tried, start in enumerate(_OPENING.finditer(text, position + 1)):
        if tried >= _STARTS:
            break
        if start[1] in first_keys and (found := _record_at(text, start.start())) is not None:
            behind = _skip(text, found[2])
            if behind == len(text) or text[behind] == "{":
                return start.start()
    return len(text)


def _record_at(text: str, position: int) -> tuple[bytes, bool, int] | None:
    """Return the record that begins at a position, whether it had to be written anew, and where it ends."""
    if not text.startswith("{", position):
        return None
    try:
        value, end = _DECODER.raw_decode(text, position)
        data = text[position:end].encode("utf-8", "surrogatepass")
    except RecursionError:
        return None
    except ValueError as error:
        if "escape" not in str(error):
            return None
        return _with_escapes(text, position)
    return (data, "\ufffd" in text[position:end], end) if _is_whole(data) else (_written(value), True, end)


def _with_escapes(text: str, position: int) -> tuple[bytes, bool, int] | None:
    """Return the record up to the end of the text, with signs that escape nothing as themselves."""
    mended = _BAD_ESCAPE.sub(lambda match: match[0] if len(match[0]) > 1 else "\\\\", text[position:])
    try:
        value, end = _DECODER.raw_decode(mended)
    except (ValueError, RecursionError):
        return None
    return None if mended[end:].strip(_SPACE) else (_written(value), True, len(text))


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None, parse_float=_finite)


def _written(value: Any) -> bytes:
    """Return a value as a strict decoder takes it, without lone surrogates."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _repaired_document(data: bytes) -> Repaired | None:
    """Return a repaired document, None if nothing of it can be read."""
    clean, changes = _without_nuls(data)
    bare = clean.removeprefix(UTF8_BOM)
    if _is_whole(bare):
        return Repaired(clean, changes)
    try:
        document = decoded(bare, None)
    except SourceError:
        return None
    indent = re.match(rb"[\[{]\r?\n( +)", bare.lstrip())
    told = tuple(RepairChange(problem.line, "part_cut") for problem in document.problems)
    rewritten = (RepairChange(1, "record_rewritten"),)
    text = json.dumps(document.value, ensure_ascii=False, indent=len(indent[1]) if indent else None)
    return Repaired(text.encode("utf-8", "replace") + b"\n", (*changes, *(told or rewritten)))


def _repaired_text(data: bytes) -> Repaired:
    clean, changes = _without_nuls(data)
    return Repaired(clean, changes)


def _without_nuls(data: bytes) -> tuple[bytes, tuple[RepairChange, ...]]:
    if b"\0" not in data:
        return data, ()
    lines = (number for number, line in enumerate(data.split(b"\n"), 1) if b"\0" in line)
    return data.replace(b"\0", b""), tuple(RepairChange(number, "nul_cut") for number in lines)
