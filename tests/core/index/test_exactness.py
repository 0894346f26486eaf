"""Every query gives all that meets it and nothing else, compared with looking at everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast_core.agents.base import SessionRead
from holdfast_core.index.reader import IndexReader
from holdfast_core.model.query import Filter, Query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.index import worlds
from tests.core.index.made import found, query, read, write
from tests.core.index.worlds import Facts, archives, query_texts

_SETTINGS = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _index(directory: str, sessions: Sequence[SessionRead], *, tidy: bool = False) -> IndexReader:
    write(Path(directory), [read(f"/{one.facts.native_id}", one) for one in sessions], tidy=tidy)
    return IndexReader.open(Path(directory))


def _asks(asked: Query, name: str, value: str) -> bool:
    return any(isinstance(node, Filter) and node.name == name and value in node.values for node, _ in asked.nodes())


def _expected_list(asked: Query, facts: Sequence[Facts]) -> set[str]:
    assert asked.root is not None
    shown = [
        one
        for one in facts
        if (one.facts.kind == "main" or _asks(asked, "is", "subagent"))
        and (not one.facts.is_empty or (_asks(asked, "is", "empty") and not asked.asks_messages()))
    ]
    if asked.asks_messages():
        return {native_id for native_id, _ in worlds.matches(asked, shown)}
    return {one.facts.native_id for one in shown if worlds.meets_session(asked.root, one)}


@_SETTINGS
@given(archives(), st.lists(query_texts(), min_size=1, max_size=8))
def test_a_list_holds_every_session_that_meets_a_query_and_no_other(
    sessions: list[SessionRead], texts: list[str]
) -> None:
    facts = [Facts(one) for one in sessions]
    with TemporaryDirectory() as directory:
        reader = _index(directory, sessions)
        for text in texts:
            actual = [entry.native_id for entry in reader.entries(reader.keys(query(text)))]

            assert len(actual) == len(set(actual))
            assert _expected_list(query(text), facts) == set(actual), text
        reader.close()


@_SETTINGS
@given(archives(), st.lists(query_texts(), min_size=1, max_size=8), st.booleans())
def test_a_search_finds_every_message_that_meets_a_query_and_no_other(
    sessions: list[SessionRead], texts: list[str], tidy: bool
) -> None:
    facts = [Facts(one) for one in sessions]
    with TemporaryDirectory() as directory:
        reader = _index(directory, sessions, tidy=tidy)
        for text in texts:
            asked = query(text)
            if not asked.asks_messages():
                continue
            expected = worlds.matches(asked, facts)

            assert expected == found(reader, text), text
            assert (len({native_id for native_id, _ in expected}), len(expected)) == reader.count(asked), text
        reader.close()


@_SETTINGS
@given(archives(3), st.sampled_from(worlds.TERMS), st.integers(1, 3))
def test_a_page_shows_part_of_all_there_is(sessions: list[SessionRead], text: str, limit: int) -> None:
    with TemporaryDirectory() as directory:
        reader = _index(directory, sessions)
        everything = found(reader, text)

        page = reader.search(query(text), limit=limit)

        hits = {(hit.session_id.partition(":")[2], hit.message_index) for hit in page.hits}
        assert hits <= everything
        assert min(limit, len(everything)) == len(page.hits)
        assert page.total_messages == len(everything) or not page.is_exact
        reader.close()
