"""`FORMAT.md` is enough to read a strand: this reader knows the container, the page, and nothing else of the vault."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.sealed.container import Container, Identity
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.vault import Mark

from tests.core.vault.support import AGENT, World, transcript


def _name(agent: str, key: str) -> str:
    return hashlib.sha256(b"\0".join((b"strand", agent.encode(), key.encode()))).hexdigest()[:40]


def _read(directory: Path, name: str, keys: Keys) -> tuple[dict[str, Any], dict[int, bytes]]:
    """Return the table of a strand and the content of its versions."""
    container = Container.open(directory / name[:2] / f"{name}.hold", keys, Identity("vault", name))
    strand: dict[int, bytes] = {}
    frames = list(container.frames())
    records = list(container.tail())
    table = json.loads(records[0][1:])
    assert table["type"] == "table"
    for payload, (place, size, plain, *_) in zip(frames, table.get("data", []), strict=True):
        _take(strand, payload, place, size, plain)
    waiting: list[bytes] = []
    for record in records[1:]:
        if record[:1] == b"D":
            waiting.append(record)
            continue
        told = json.loads(record[1:])
        data = told.get("data", [])
        for payload, (place, size, plain, *_) in zip(waiting[len(waiting) - len(data) :], data, strict=True):
            _take(strand, payload, place, size, plain)
        waiting = []
        _apply(table, told)
    row = b"".join(strand[place] for place in sorted(strand))
    contents: dict[int, bytes] = {}
    former: list[list[int]] = []
    for version in table["versions"]:
        pieces: list[list[int]] = []
        for place, size in version[7]:
            pieces += former[-1 - place : -1 - place + size] if place < 0 else [[place, size]]
        assert not version[12:13] or not version[12] or version[13] == len(former)
        former = pieces
        contents[version[0]] = b"".join(row[place : place + size] for place, size in pieces)
        assert len(contents[version[0]]) == version[4]
    return table, contents


def _take(strand: dict[int, bytes], payload: bytes, place: int, size: int, plain: str) -> None:
    assert payload[:1] == b"D"
    assert int.from_bytes(payload[1:9], "little") == place
    assert len(payload) - 9 == size
    assert hashlib.sha256(payload[9:]).digest()[:16] == base64.b64decode(plain)
    strand[place] = payload[9:]


def _apply(table: dict[str, Any], told: dict[str, Any]) -> None:
    if told["type"] == "version":
        table["versions"].append(told["version"])
    elif told["type"] == "grown":
        newest = table["versions"][-1]
        assert newest[0] == told["number"]
        newest[7] += [data[:2] for data in told.get("data", [])]
        newest[2:6] = [told["captured_ms"], told["modified_ms"], told["size"], told["messages"]]
    elif told["type"] == "tag":
        for version in table["versions"]:
            if version[0] == told["number"]:
                version[10] = told["text"]
    elif told["type"] == "moved":
        table["key"], table["path"] = told["key"], told["path"]
    elif told["type"] == "lost":
        table.setdefault("lost", {})[told["native_id"]] = told["messages"]


def test_a_reader_that_knows_the_page_alone_reads_every_version(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(6000)
    shown = {1: text, 2: text[:5000], 3: transcript(40, first=3000) + text[9000:19_000]}
    world.capture("a.jsonl", text[:1_100_000], marks=[Mark("one", 10)])
    world.capture("a.jsonl", text, marks=[Mark("one", 6000)])
    for number in (2, 3):
        world.capture("a.jsonl", shown[number], marks=[Mark("one", 40)])
    world.vault.lose(AGENT, world.key("a.jsonl"), "one", 5960)
    world.vault.tag(AGENT, world.key("a.jsonl"), 1, "all of it")
    world.put("b.jsonl", shown[3])
    world.vault.moved(AGENT, world.key("a.jsonl"), world.ref("b.jsonl"))
    world.vault.commit()

    table, contents = _read(tmp_path / "vault", _name(AGENT, world.key("a.jsonl")), world.keys)

    assert contents == {**shown, 4: shown[3]}
    assert [(version[0], version[6], version[10]) for version in table["versions"]] == [
        (1, "first", "all of it"),
        (2, "truncated", ""),
        (3, "rewritten", ""),
        (4, "moved", ""),
    ]
    assert (table["agent"], table["key"], table["lost"]) == (AGENT, world.key("b.jsonl"), {"one": 5960})


def test_so_it_reads_a_database_of_many_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_core.vault.pieces.BLOCK_BYTES", 64)
    world = World(tmp_path)
    blocks = [b"SQLite format 3\0".ljust(64, b"h"), *(b"%064d" % number for number in range(300))]
    shown = {}
    for number in range(1, 80):
        blocks[3 + number * 7 % 290] = b"x%063d" % number
        world.capture("a.db", b"".join(blocks))
        shown[number] = b"".join(blocks)

    table, contents = _read(tmp_path / "vault", _name(AGENT, world.key("a.db")), world.keys)

    assert contents == shown
    assert max(version[12] for version in table["versions"]) > 1


def test_the_same_after_folding(tmp_path: Path) -> None:
    world = World(tmp_path)
    shown = {1: transcript(300), 2: transcript(7), 3: transcript(90, first=50)}
    for number in shown:
        world.capture("a.jsonl", shown[number])
    name = _name(AGENT, world.key("a.jsonl"))
    world.vault._access.begin().reopened(name, whole=True)
    world.vault.commit()

    table, contents = _read(tmp_path / "vault", name, world.keys)

    assert contents == shown
    assert len(table["data"]) == 1


def test_the_roll_says_how_far_every_strand_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("a.jsonl", "b.jsonl"):
        world.capture(name, transcript(9))
    world.capture("a.jsonl", transcript(10))
    world.vault.tidy(10)

    roll = Container.open(tmp_path / "vault" / "roll.hold", world.keys, Identity("vault", "roll"))

    lines = [line for frame in roll.frames() for line in json.loads(frame)]
    names = {_name(AGENT, world.key(name)): sequence for name, sequence in (("a.jsonl", 3), ("b.jsonl", 1))}
    assert lines == [[name, 1, names[name]] for name in sorted(names)]
