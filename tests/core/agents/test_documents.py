"""Documents that are read whole: what is damaged in them costs one element, and is told with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.agents._documents import Document, decoded, read_document
from holdfast_core.errors import SourceError
from hypothesis import given
from hypothesis import strategies as st


class Said(msgspec.Struct):
    id: str = ""
    text: str = ""
    parts: list[Any] = []


class Talk(msgspec.Struct):
    name: str = ""
    messages: list[Said] = []


TALK = {
    "name": "n",
    "messages": [{"id": f"m{place}", "text": "hello, [x] {y}", "parts": [{"id": 1}]} for place in range(6)],
}
LINES = json.dumps(TALK, indent=1)
layouts = pytest.mark.parametrize("layout", [json.dumps(TALK), LINES], ids=["one line", "many lines"])


def ids(document: Document) -> list[str]:
    return [said.id for said in document.value.messages]


def reasons(document: Document) -> list[str]:
    return [problem.reason for problem in document.problems]


@layouts
@pytest.mark.parametrize(
    ("whole", "damaged", "lost", "reason"),
    [
        ('"id": "m3"', '"id": x3', "m3", "not_json"),
        ('"id": "m2"', '"id": "m2', "m2", "not_json"),
        ('"id": "m0", "text": "hello', '"id": "m0", "text": "hel"lo', "m0", "not_json"),
        ('"id": "m3"', '"id": ' + "[" * 5000 + "]" * 5000, "m3", "too_deep"),
        ('"id": "m3"', '"id": ' + "[" * 5000, "m3", "too_deep"),
        ('"id": "m5"', '"id": nothing', "m5", "not_json"),
    ],
)
def test_a_damaged_element_costs_itself(layout: str, whole: str, damaged: str, lost: str, reason: str) -> None:
    if whole not in layout:
        whole, damaged = whole.replace(", ", ",\n   "), damaged.replace(", ", ",\n   ")
    assert whole in layout

    document = decoded(layout.replace(whole, damaged, 1).encode(), Talk)

    assert ids(document) == [f"m{place}" for place in range(6) if f"m{place}" != lost]
    assert reasons(document) == [reason]


def test_a_problem_has_its_line() -> None:
    line = LINES[: LINES.index('"m4"')].count("\n") + 1

    (problem,) = decoded(LINES.replace('"m4"', "m4").encode(), Talk).problems

    assert problem.line == line


@layouts
def test_a_half_written_document_gives_its_whole_elements(layout: str) -> None:
    document = decoded(layout[: layout.index('"m4"') + 2].encode(), Talk)

    assert ids(document) == ["m0", "m1", "m2", "m3"]
    assert reasons(document) == ["truncated"]


def test_every_prefix_is_refused_or_gives_what_is_whole() -> None:
    given_before = 0
    for end in range(len(LINES)):
        try:
            document = decoded(LINES[:end].encode(), Talk)
        except SourceError as error:
            assert error.reason == "wrong_format"
            continue
        assert len(ids(document)) >= given_before
        given_before = len(ids(document))

    assert given_before == 6


def test_the_tail_of_a_longer_document_is_told() -> None:
    document = decoded((LINES + '"}]}').encode(), Talk)

    assert len(ids(document)) == 6
    assert reasons(document) == ["not_json"]


def test_what_can_be_mended_is_no_problem() -> None:
    text = LINES.replace("hello", "h\\ello", 1).replace('"n"', "NaN")

    document = decoded(b"\xef\xbb\xbf" + text.encode() + b"\0\0", Talk)

    assert len(ids(document)) == 6
    assert document.problems == []
    assert document.provider_data() == {"repaired": {"bad_escape": 1, "number": 1}}


def test_fields_of_another_kind_are_left_out() -> None:
    document = decoded(b'{"name":7,"messages":[{"id":"a","text":3}]}', Talk)

    assert document.value == Talk("", [Said("a")])


@pytest.mark.parametrize("content", [b"", b" \n", b"\0" * 50])
def test_nothing_is_an_empty_document(content: bytes) -> None:
    assert decoded(content, Talk).value == Talk()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe{\0}\0", "utf16"), (b"hello", "wrong_format"), (b"[1]", "wrong_format"), (b"{", "wrong_format")],
)
def test_what_is_no_document_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        decoded(content, Talk)

    assert caught.value.reason == reason


def test_a_document_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(LINES)

    with pytest.raises(SourceError) as caught:
        read_document(path, Talk, root=str(tmp_path), limit=100)

    assert caught.value.reason == "too_large"


def test_plain_json_is_given_where_no_kind_is_asked_for() -> None:
    assert decoded(b'[{"a":1},{"a":', None).value == [{"a": 1}]


@given(content=st.binary(max_size=300))
def test_random_bytes(content: bytes) -> None:
    check(content)


@given(data=st.data())
def test_damaged_bytes(data: st.DataObject) -> None:
    content = bytearray(LINES.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    check(bytes(content))


def check(content: bytes) -> None:
    try:
        document = decoded(content, Talk)
    except SourceError:
        return
    assert isinstance(document.value, Talk)
    msgspec.json.encode(document.value)
