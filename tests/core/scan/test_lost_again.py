"""A session that has lost something goes on, and loses again: what was ever captured of it stays listed and found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home
from holdfast_core.sealed.keys import Keys
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.agents.support import home_of
from tests.core.scan.conftest import Place
from tests.core.scan.keeping import Kept
from tests.core.scan.test_any_history import FILES, History, _text, lines
from tests.core.scan.test_kept import RICHEST
from tests.fakes.agent import FakeAgent, header

SESSION = "fake:one"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    (tmp_path / "home").mkdir()
    place = Kept(tmp_path, Keys.open(tmp_path / "keys"), {"fake": FakeAgent()}, Home(tmp_path / "home", {}))
    yield place
    place.close()


def write(kept: Kept, *words: str) -> Path:
    path = kept.home.path / ".fake" / "project" / "one.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header("one") + _text([(word, 0) for word in words]))
    return path


def shown(kept: Kept) -> tuple[int, int, list[int]]:
    """Return how many messages there are, how many are lost, and of each version how many went with it."""
    entry = kept.entries()[SESSION]
    assert len(kept.session(SESSION).messages) == entry.message_count
    return entry.message_count, entry.lost_messages, [one.lost for one in kept.vault.versions(*kept.source_of(SESSION))]


def test_what_came_after_a_loss_and_went_too_stays(kept: Kept) -> None:
    write(kept, "apple", "pear", "plum")
    kept.update()
    write(kept, "apple")
    kept.update()
    write(kept, "apple", "kiwi")
    kept.update()
    write(kept, "apple")
    kept.update()

    assert shown(kept) == (4, 3, [0, 2, 0, 1])
    assert kept.found("kiwi") == {SESSION}
    kept.rebuild()
    assert shown(kept) == (4, 3, [0, 2, 0, 1])


def test_what_goes_while_something_else_comes_back_stays(kept: Kept) -> None:
    write(kept, "apple", "pear", "plum")
    kept.update()
    write(kept, "apple")
    kept.update()
    write(kept, "apple", "kiwi")
    kept.update()
    write(kept, "apple", "pear", "plum")
    kept.update()

    assert shown(kept) == (4, 1, [0, 2, 0, 1])
    kept.rebuild()
    assert shown(kept) == (4, 1, [0, 2, 0, 1])


def test_what_a_crash_spoilt_twice_is_lost_once_and_stays_when_it_is_deleted(tmp_path: Path) -> None:
    home = home_of(RICHEST["amp"], tmp_path)
    kept = Kept(tmp_path, Keys.open(tmp_path / "keys"), {"amp": all_agents()["amp"]}, home)
    kept.update()
    before = {name: one.message_count for name, one in kept.entries().items()}
    paths = [Path(ref.path) for ref in kept.agents["amp"].discover(home)]
    for nonsense in (b"nonsense", b"more nonsense"):
        for path in paths:
            path.write_bytes(nonsense)
        kept.update()
    assert {name: one.lost_messages for name, one in kept.entries().items()} == before

    for path in paths:
        path.unlink()
    kept.update()

    assert {name: len(kept.session(name).messages) for name in kept.entries()} == before
    assert [one.lost for one in kept.vault.versions(*kept.source_of(next(iter(before))))] == [0, *before.values(), 0, 0]
    kept.rebuild()
    assert {name: one.message_count for name, one in kept.entries().items()} == before
    kept.close()


def test_what_cannot_be_looked_at_is_shown_with_what_it_had_lost(kept: Kept) -> None:
    write(kept, "apple", "pear", "plum")
    kept.update()
    path = write(kept, "apple")
    kept.update()
    top = path.parents[1]
    top.rename(top.with_name(".elsewhere"))
    top.symlink_to(top.with_name(".nowhere"))

    kept.rebuild()

    assert kept.entries()[SESSION].message_count == 3
    assert len(kept.session(SESSION).messages) == 3


files = st.sampled_from(FILES)
steps = st.one_of(
    st.tuples(st.just("write"), files, lines),
    st.tuples(st.just("append"), files, lines),
    st.tuples(st.just("append_part"), files, st.integers(1, 20)),
    st.tuples(st.just("truncate"), files, st.integers(0, 400)),
    st.tuples(st.just("delete"), files),
    st.tuples(st.just("update")),
    st.tuples(st.just("rebuild")),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=20))
def test_what_was_seen_once_stays_whatever_becomes_of_the_files(history: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as top:
        (Path(top) / "home").mkdir()
        kept = Kept(Path(top), Keys.open(Path(top) / "keys"), {"fake": FakeAgent()}, Home(Path(top) / "home", {}))
        past = History(Place(Path(top)))
        seen: dict[str, set[str]] = {}
        for kind, *rest in (*history, ("update",), ("rebuild",)):
            if kind not in ("update", "rebuild"):
                past.do((kind, rest[0], rest[0], rest[1]) if kind == "write" else (kind, *rest))
                continue
            kept.update() if kind == "update" or not seen else kept.rebuild()
            for name, entry in kept.entries().items():
                said = kept.session(name).messages
                assert len(said) == entry.message_count
                seen.setdefault(name, set()).update(block.text for one in said for block in one.blocks)
                assert seen[name] == {block.text for one in said for block in one.blocks}
            assert seen.keys() == kept.entries().keys()
        kept.close()
