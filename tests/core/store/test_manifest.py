"""The manifest keeps what it is told, all or nothing, for every thread and process, and lists ten thousand at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest
from holdfast_core.errors import Refused
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.usage import Usage
from holdfast_core.sealed.container import Position
from holdfast_core.store.manifest import FAILING, FileMark, Manifest, Seen, Trouble, open_manifest

from tests.core.store.support import some_id

ONE, TWO = some_id(1), some_id(2)


def seen(number: int, **fields: object) -> Seen:
    entry = HeldEntry(id=some_id(number), title=f"Session {number}", updated_ms=number, usage=Usage(number, 2))
    entry = msgspec.structs.replace(entry, **fields)
    return Seen(entry, Position(3, 1000 + number, 2, b"t" * 32), FileMark(7, 1000 + number, 2**62), 900, 5000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.db"


@pytest.fixture
def manifest(path: Path) -> Iterator[Manifest]:
    with closing(Manifest.open(path)) as opened:
        yield opened


def test_what_was_put_is_there_after_the_next_opening(manifest: Manifest, path: Path):
    manifest.put(seen(1), seen(2))

    with closing(Manifest.open(path)) as other:
        assert other.seen(ONE) == seen(1)
        assert [entry.id for entry in other.entries()] == [TWO, ONE]
        assert other.count() == 2
        assert other.seen(some_id(3)) is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_change_that_fails_changes_nothing(manifest: Manifest):
    manifest.put(seen(1))
    before = manifest.changes()

    with pytest.raises(ZeroDivisionError), manifest.changing():
        manifest.put(seen(2))
        manifest.remove([ONE])
        raise ZeroDivisionError

    assert [entry.id for entry in manifest.entries()] == [ONE]
    assert manifest.changes() == before


def test_every_change_is_counted_and_the_count_never_falls(manifest: Manifest):
    manifest.put(seen(1))
    manifest.put(seen(1))
    assert manifest.changes() == 2

    manifest.count_from(50)
    manifest.count_from(7)

    assert manifest.changes() >= 50


def test_what_was_settled_is_there_without_the_log_beside_the_file(manifest: Manifest, path: Path, tmp_path: Path):
    manifest.put(seen(1))
    (tmp_path / "before.db").write_bytes(path.read_bytes())

    manifest.settle()
    (tmp_path / "after.db").write_bytes(path.read_bytes())

    counts = []
    for name in ("before.db", "after.db"):
        with closing(Manifest.open(tmp_path / name)) as copy:
            counts.append(copy.changes())
    assert counts == [0, 1]


def test_a_problem_shows_in_the_list_until_the_file_is_well_again(manifest: Manifest):
    manifest.put(seen(1))
    manifest.trouble(Trouble(ONE, "bad_tag", "It is damaged.", 5, "Session 1", 10))
    assert [entry.state for entry in manifest.entries()] == ["problem"]

    manifest.put(seen(1))

    assert [entry.state for entry in manifest.entries()] == ["closed"]
    assert manifest.troubles() == []


def test_a_session_that_keeps_failing_is_a_problem_although_its_file_is_well(manifest: Manifest):
    manifest.put(seen(1))
    manifest.trouble(Trouble(ONE, FAILING, "It failed.", 5, "Session 1", 10))

    manifest.put(seen(1))

    entry = manifest.entry(ONE)
    assert entry is not None
    assert entry.state == "problem"
    manifest.no_trouble(ONE)
    assert manifest.entry(ONE) == seen(1).entry


def test_threads_share_it(manifest: Manifest):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: manifest.put(seen(number)), range(60)))

    assert len(manifest.entries()) == 60
    assert manifest.changes() == 60


def test_a_copy_is_whole_and_takes_the_place_of_an_earlier_one(manifest: Manifest, tmp_path: Path):
    copy = tmp_path / "copy.db"
    for number in (1, 2):
        manifest.put(seen(number))
        manifest.copy_to(copy)

    with closing(Manifest.open(copy)) as other:
        assert other.count() == 2
    assert not list(tmp_path.glob(".*"))
    assert copy.stat().st_mode & 0o777 == 0o600


def test_one_of_a_newer_version_is_left_alone(path: Path):
    Manifest.open(path).close()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(Refused, match="newer"):
        open_manifest(path, path.parent)

    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_one_is_put_aside_and_made_anew(path: Path, content: bytes, caplog: pytest.LogCaptureFixture):
    path.write_bytes(content)
    aside = path.parent / "aside"
    aside.mkdir()

    with closing(open_manifest(path, aside)) as manifest:
        assert manifest.entries() == []

    assert [kept.read_bytes() for kept in aside.iterdir()] == [content]
    caplog.clear()
