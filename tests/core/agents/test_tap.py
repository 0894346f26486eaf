"""Who keeps the bytes of a source gets them from the reading itself: the disk gives them once."""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._sqlite import private_copy
from holdfast_core.agents._tap import Tap, tapped
from holdfast_core.agents.base import Home

from tests.core.agents.support import CASES, case_id, home_of, refs_of

LINES = b"".join(b"line %d\n" % number for number in range(1000))


def _read(path: Path, start: int = 0) -> None:
    with LineFile(str(path), root=str(path.parent)) as file:
        for _ in file.lines(start):
            pass


def _joined(tap: Tap) -> bytes | None:
    return None if tap.blocks is None else b"".join(block for _, block in tap.blocks)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_every_source_that_can_be_read_is_seen_whole(case: Path, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    for path, ref in refs_of(agent, home).items():
        with tapped(ref.path) as tap:
            reading = agent.read(ref, home)

            is_opaque = any("opaque" in session.facts.provider_data for session in reading.sessions)
            if tap.copy is not None:
                assert apsw.Connection(str(tap.copy)).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            elif not is_opaque:
                assert _joined(tap) == (home.path / path).read_bytes()


def test_what_was_appended_is_all_that_is_seen_of_growth(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)

    with tapped(str(path)) as tap:
        _read(path, 500)

        assert tap.blocks == [(500, LINES[500:])]
        assert tap.status is not None and tap.status.st_size == len(LINES)


def test_what_is_read_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)

    with tapped(str(path)) as tap:
        _read(path, 500)
        _read(path)

        assert tap.blocks == [(0, LINES)]


def test_another_file_under_the_name_is_not_mixed_with_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)

    with tapped(str(path)) as tap:
        _read(path, 500)
        path.write_bytes(LINES + b"more\n")
        _read(path, len(LINES))

        assert tap.blocks == [(len(LINES), b"more\n")]


def test_too_much_is_not_kept_and_not_told_in_part(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)

    with tapped(str(path), limit_bytes=len(LINES) - 1) as tap:
        _read(path)

        assert tap.blocks is None


def test_an_empty_file_is_seen_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()

    with tapped(str(path)) as tap:
        _read(path)

        assert tap.blocks == []


def test_a_hole_that_was_passed_over_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.truncate(200 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"\nend\n")

    with tapped(str(path)) as tap:
        _read(path)

        assert tap.blocks is None


def test_other_files_are_not_told(tmp_path: Path) -> None:
    one, two = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one.write_bytes(LINES)
    two.write_bytes(LINES)

    with tapped(str(one)) as tap:
        _read(two)

        assert tap.status is None and tap.blocks is None


def test_the_copy_of_a_database_holds_what_stood_in_its_journal_and_goes_with_the_tap(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = apsw.Connection(str(path))
    script = "PRAGMA journal_mode=wal; CREATE TABLE one(a); INSERT INTO one VALUES('in the journal')"
    connection.execute(script).fetchall()

    with tapped(str(path)) as tap:
        with private_copy(path, root=tmp_path) as database:
            assert [row[1] for row in database.rows("one", ["a"])] == ["in the journal"]

        assert tap.copy is not None
        copy = tap.copy
        assert not copy.with_name(f"{copy.name}-wal").exists()
        assert b"in the journal" in copy.read_bytes()
    assert not copy.parent.exists()
    connection.close()


def test_nobody_is_told_anything_without_a_tap(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    with tapped(str(path)):
        pass

    with LineFile(str(path), root=str(tmp_path)) as file:
        assert file._tap is None


def test_a_home_is_read_as_before_under_a_tap(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.parent.name == "codex")
    agent, home = all_agents()["codex"], home_of(case, tmp_path)
    for ref in refs_of(agent, Home(home.path, {})).values():
        with tapped(ref.path):
            seen = agent.read(ref, home)

        assert seen == agent.read(ref, home)
