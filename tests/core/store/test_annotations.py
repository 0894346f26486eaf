"""The person's names, stars, tags and notes are durable, normalised and refused where they make no sense."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import apsw
import msgspec
import pytest
from holdfast_core.errors import HoldfastError, Refused, WrongUsage
from holdfast_core.model.annotation import Annotation
from holdfast_core.store.annotations import NOTE_LIMIT, TAG_LIMIT, Annotations, normalised, normalised_tag
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "annotations.db"


def say(store: Annotations, *names: str, now_ms: int = 1, **said: object) -> list[Annotation]:
    return store.change(names, lambda before: msgspec.structs.replace(before, **said), now_ms=now_ms)


def test_what_was_said_is_there_after_opening_again(path: Path) -> None:
    with Annotations.open(path) as store:
        said = say(store, "a:1", title="My  name", tags=("B", "a"), starred=True, note="line\nline", now_ms=7)

    with Annotations.open(path) as store:
        assert store.get("a:1") == said[0]
        assert said[0] == Annotation(
            session_id="a:1", title="My name", tags=("a", "b"), starred=True, note="line\nline", updated_ms=7
        )


def test_a_session_of_which_nothing_was_said_has_the_empty_annotation(path: Path) -> None:
    with Annotations.open(path) as store:
        assert store.get("a:1") == Annotation(session_id="a:1")
        assert store.all() == []


def test_the_file_is_readable_by_its_owner_alone(path: Path) -> None:
    Annotations.open(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_changes_since_a_revision_are_those_after_it(path: Path) -> None:
    with Annotations.open(path) as store:
        say(store, "a:1", starred=True)
        seen = store.revision()
        say(store, "a:2", "a:3", starred=True)
        say(store, "a:2", starred=False)

        assert [one.session_id for one in store.changed_since(seen)] == ["a:3", "a:2"]
        assert store.changed_since(store.revision()) == []


def test_a_newer_file_is_refused_and_left_as_it_is(path: Path) -> None:
    Annotations.open(path).close()
    apsw.Connection(str(path)).execute("PRAGMA user_version=2")
    before = path.read_bytes()

    with pytest.raises(Refused):
        Annotations.open(path)

    assert path.read_bytes() == before


def test_a_damaged_file_is_reported_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"nonsense" * 1000)

    with pytest.raises(HoldfastError, match="left as they are"):
        Annotations.open(path)

    assert path.read_bytes() == b"nonsense" * 1000


def test_one_wrong_tag_changes_nothing_at_all(path: Path) -> None:
    with Annotations.open(path) as store:
        say(store, "a:1", tags=("good",))

        with pytest.raises(WrongUsage):
            store.change(["a:1", "a:2"], lambda one: msgspec.structs.replace(one, tags=("x" * 65,)), now_ms=2)

        assert [one.tags for one in store.all()] == [("good",)]


def test_many_sessions_are_read_in_one_call(path: Path) -> None:
    names = [f"a:{number}" for number in range(1200)]

    with Annotations.open(path) as store:
        say(store, *names, starred=True)

        assert len(store.get_many([*names, "a:unknown"])) == 1200


@pytest.mark.parametrize("text", ["", " ", "#", "a,b", 'a"b', "(a)", "x" * (TAG_LIMIT + 1), "\u202e"])
def test_a_tag_that_cannot_be_searched_for_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage):
        normalised_tag(text)


@pytest.mark.parametrize(
    ("text", "tag"),
    [("#Work", "work"), ("two  words", "two-words"), ("e\u0301te\u0301", "été"), ("a\u202eb", "ab"), ("👩‍🔧", "👩‍🔧")],
)
def test_a_tag_has_one_form(text: str, tag: str) -> None:
    assert normalised_tag(text) == tag


def test_what_is_too_long_is_refused() -> None:
    for said in ({"title": "x" * 201}, {"note": "x" * (NOTE_LIMIT + 1)}, {"tags": tuple(map(str, range(65)))}):
        with pytest.raises(WrongUsage):
            normalised(Annotation(session_id="a:1", **said))
    with pytest.raises(WrongUsage):
        normalised(Annotation(session_id=""))


@given(st.text(max_size=150), st.text(max_size=300))
def test_what_is_kept_is_kept_the_same_again(title: str, note: str) -> None:
    once = normalised(Annotation(session_id="a:1", title=title, note=note))

    assert normalised(once) == once
    assert "\n" not in (once.title or "")
    (once.title or "").encode()
    once.note.encode()


def _add_tags(path: Path, worker: int) -> None:
    with Annotations.open(path) as store:
        for number in range(20):
            store.change(
                ["a:1"],
                lambda one, tag=f"t{worker}-{number}": msgspec.structs.replace(one, tags=(*one.tags, tag)),
                now_ms=1,
            )


def test_two_processes_that_add_tags_lose_none(path: Path) -> None:
    Annotations.open(path).close()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_tags, args=(path, number)) for number in range(2)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    with Annotations.open(path) as store:
        assert len(store.get("a:1").tags) == 40


def test_a_moved_project_is_remembered_and_forgotten(path: Path) -> None:
    with Annotations.open(path) as store:
        store.remember_move("/old", "/new", now_ms=1)
        store.remember_move("/old", "/newer", now_ms=2)

        assert store.moved_to("/old") == "/newer"
        assert store.moves() == {"/old": "/newer"}

        store.forget_move("/old")

        assert store.moved_to("/old") is None
