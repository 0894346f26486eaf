from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest
from holdfast_core.errors import Ambiguous, NotFound, WrongUsage
from holdfast_core.model.session import SessionEntry
from holdfast_core.resume.target import resolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.export.sessions import entry_of, said, session_of


class Shelf:
    """Sessions in a list, found as an index finds them."""

    def __init__(self, *entries: SessionEntry) -> None:
        self.all = entries

    def find(self, text: str, *, limit: int = 20) -> list[SessionEntry]:
        folded = text.casefold()
        found = [
            entry
            for entry in self.all
            if entry.id.startswith(text)
            or entry.native_id.startswith(text)
            or entry.title.casefold().startswith(folded)
        ]
        return found[:limit]

    def entries(self, keys: Sequence[int]) -> list[SessionEntry]:
        return [self.all[key] for key in keys]

    def resolve(self, text: str) -> str:
        return resolve(text, self, listed=lambda: array("q", range(len(self.all)))).id


def an(native_id: str, title: str = "", *, agent: str = "one", kind: str = "main") -> SessionEntry:
    return entry_of(
        session_of(said("x")), id=f"{agent}:{native_id}", native_id=native_id, title=title, agent=agent, kind=kind
    )


SHELF = Shelf(
    an("0199aa-1", "Fix the parser"),
    an("0199aa-2", "Fix the printer"),
    an("77", "2"),
    an("same", "Twice"),
    an("same", "twice", agent="two"),
    an("sub", "Write docs", kind="subagent"),
    an("main", "Write docs and tests"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "one:0199aa-1"),
        ("2", "one:0199aa-2"),
        (" 7 ", "one:main"),
        ("77", "one:77"),
        ("one:0199aa-2", "one:0199aa-2"),
        ("one:0199aa-", None),
        ("0199aa-2", "one:0199aa-2"),
        ("0199aa", None),
        ("two:", "two:same"),
        ("same", None),
        ("fix the PARSER", "one:0199aa-1"),
        ("Fix", None),
        ("fix the pa", "one:0199aa-1"),
        ("twice", None),
        ("Write docs", "one:sub"),
        ("Write", "one:main"),
        ("main", "one:main"),
        ("m", "one:main"),
    ],
)
def test_a_target_is_number_id_title_or_the_beginning_of_one(text: str, expected: str | None):
    if expected is None:
        with pytest.raises(Ambiguous) as raised:
            SHELF.resolve(text)
        assert len(raised.value.candidates) >= 2
    else:
        assert SHELF.resolve(text) == expected


@pytest.mark.parametrize("text", ["8", "00", "-1", "zzz", "٣", "1.0", "9" * 30, "%", "*", "ain"])
def test_what_names_nothing_is_not_found(text: str):
    with pytest.raises(NotFound) as raised:
        SHELF.resolve(text)

    assert not isinstance(raised.value, Ambiguous)


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_nothing_at_all_is_wrong_usage(text: str):
    with pytest.raises(WrongUsage):
        SHELF.resolve(text)


def test_candidates_are_those_that_fit_best():
    with pytest.raises(Ambiguous) as raised:
        SHELF.resolve("0199aa")

    assert raised.value.candidates == (("one:0199aa-1", "Fix the parser"), ("one:0199aa-2", "Fix the printer"))
    assert raised.value.exit_code == 3


@given(st.text(max_size=20))
def test_any_text_names_one_session_or_is_refused(text: str):
    try:
        found = SHELF.resolve(text)
    except (NotFound, WrongUsage):
        return
    assert found in {entry.id for entry in SHELF.all}
