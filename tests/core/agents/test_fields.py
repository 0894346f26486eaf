"""Fields that no reader knows are found in a sample of the records, and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import apsw
import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents._fields import Sample, names
from holdfast_core.agents.base import Home

from tests.core.agents.support import CASES, case_id, home_of

PLAIN = [case for case in CASES if case.name == "plain"]
NEW = "hologram"
# Markdown; an envelope with a checksum; what nobody but its agent can read; compressed documents.
WITHOUT_FIELDS = ("aider", "theo_code", "windsurf", "zed")


class Inner(msgspec.Struct):
    text: str = ""


class Outer(msgspec.Struct, rename="camel"):
    type: str = ""
    is_new: bool = False
    parts: str | list[Inner] | None = None
    rest: Any = None
    not_read: ClassVar = names("passedOver")


def looked_at(**record: Any) -> dict[str, int]:
    sample = Sample()
    sample.count(json.dumps(record).encode(), Outer, "kind/")
    return sample.unknown


def test_fields_that_are_read_or_named_are_known() -> None:
    assert looked_at(type="a", isNew=True, passedOver=1, parts=[{"text": "b"}], rest={"any": "thing"}) == {}


def test_a_new_field_is_named_with_the_way_to_it() -> None:
    found = looked_at(is_new=True, parts=[{"text": "b", "hue": 3}, {"hue": 4}])

    assert found == {"kind/is_new": 1, "kind/parts.hue": 1}


def test_what_is_no_name_is_not_repeated() -> None:
    assert looked_at(**{"/home/ada/letter to Bob.txt": 1, "a b": 2}) == {"kind/?": 1}


def test_a_kind_is_looked_at_once_and_much_later_again() -> None:
    sample = Sample()
    line = b'{"type": "a", "hue": 1}'

    for number in range(100_000):
        if 24 * number >= sample.due.get("a", 0):
            sample.look(line, Outer, "a", 24 * number)

    assert sample.unknown == {"a/hue": 3}


def test_one_source_costs_little_whatever_stands_in_it() -> None:
    sample = Sample()

    for number in range(10_000):
        sample.look(b'{"hue": 1}', Outer, f"kind {number}", 11 * number)

    assert len(sample.due) < 10
    assert all(len(name) < 200 for name in sample.unknown)


def test_what_is_too_large_is_left_for_a_smaller_one() -> None:
    sample = Sample()

    sample.look(json.dumps({"hue": "x" * 100_000}).encode(), Outer, "a", 0)

    assert (sample.unknown, sample.due) == ({}, {})


def fields_in(home: Home, agent: str) -> dict[str, int]:
    """Return the unknown fields of everything in a home."""
    reader = all_agents()[agent]
    found: dict[str, int] = {}
    for ref in reader.discover(home):
        for name, number in reader.read(ref, home).unknown_fields.items():
            found[name] = found.get(name, 0) + number
    return found


def invent(home: Home) -> None:
    """Let every record, every document and every value of a database have a field that nobody knows."""
    for path in home.path.rglob("*.*"):
        if path.suffix == ".jsonl":
            path.write_bytes(b"\n".join(b'{"hologram":1,'.join(line.split(b"{", 1)) for line in lines_of(path)))
        elif path.suffix == ".json":
            value = json.loads(path.read_bytes())
            path.write_text(
                json.dumps([{NEW: 1} | one for one in value] if isinstance(value, list) else {NEW: 1} | value)
            )
        elif path.suffix in (".db", ".vscdb"):
            invent_in(path)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")


def invent_in(path: Path) -> None:
    connection = apsw.Connection(str(path))
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall()
    for (table,) in tables:
        for _, column, *_rest in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            text = f'CAST("{column}" AS TEXT)'
            connection.execute(
                f'UPDATE "{table}" SET "{column}"=substr({text}, 1, instr({text}, \'{{\')) || \'"hologram":1,\' '
                f"|| substr({text}, instr({text}, '{{') + 1) WHERE {text} LIKE '%{{\"%' AND json_valid({text})"
            ).fetchall()
    connection.close()


@pytest.mark.parametrize("case", PLAIN, ids=case_id)
def test_all_fields_of_plain_sessions_are_known(case: Path, tmp_path: Path) -> None:
    assert fields_in(home_of(case, tmp_path), case.parent.name) == {}


@pytest.mark.parametrize("case", [case for case in PLAIN if case.parent.name not in WITHOUT_FIELDS], ids=case_id)
def test_an_invented_field_is_counted(case: Path, tmp_path: Path) -> None:
    home = home_of(case, tmp_path)
    invent(home)

    found = fields_in(home, case.parent.name)

    assert found
    assert all(name.endswith(NEW) for name in found)
