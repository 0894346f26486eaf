"""What holds for every text: nothing is left, nothing is removed twice, JSON stays JSON."""

from __future__ import annotations

import json

from holdfast_core.redact.assigned import _GIVEN, _MAY_BE_GIVEN
from holdfast_core.redact.engine import Redactor
from holdfast_core.redact.stream import Stream
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.redact.made import EXAMPLES, github_token, made

REDACTOR = Redactor(key=b"key")
SECRETS = st.builds(
    made, st.sampled_from(sorted(text for example in EXAMPLES.values() for text in example["yes"])), st.integers(0, 99)
)
AROUND = st.text(alphabet=" \n\t\"'`\\=:;,.-_/&%$(){}[]<>abkKeyntoxs019é😀\x1b", max_size=24)
WORDS = st.sampled_from(
    ["password=", "token: ", "[removed:jwt:3f9a]", 'api_key="', "://", "Bearer ", "\\n", "\\u002d", "\x1b[31m", "@host"]
)
TEXTS = st.lists(st.one_of(SECRETS, AROUND, WORDS, st.text(max_size=12)), max_size=7).map("".join)
VALUES = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(TEXTS, st.sampled_from(["password", "text", "apiKey"])), inner, max_size=3),
    ),
    max_leaves=8,
)
SOME = settings(max_examples=150, deadline=None)


@SOME
@given(TEXTS)
def test_a_second_look_finds_nothing_and_changes_nothing(text: str):
    cleaned = REDACTOR.text(text)

    assert [found for found in REDACTOR.scan(cleaned) if found.tier >= REDACTOR.tier] == []
    assert REDACTOR.text(cleaned) == cleaned


@SOME
@given(VALUES)
def test_json_stays_json(value):
    text = json.dumps(value)

    cleaned = json.loads(REDACTOR.text(text))

    assert _shape(cleaned) == _shape(value)


@SOME
@given(VALUES)
def test_a_value_keeps_everything_but_its_strings(value):
    cleaned = REDACTOR.value(value)

    assert _shape(cleaned) == _shape(value)
    assert REDACTOR.value(cleaned) == cleaned


@SOME
@given(TEXTS, st.data())
def test_chunks_give_what_the_whole_gives(text: str, data: st.DataObject):
    borders = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream = Stream(REDACTOR)

    given_out = "".join(stream.feed(text[a:b]) for a, b in zip([0, *borders], [*borders, len(text)], strict=True))

    assert given_out + stream.finish() == REDACTOR.text(text)


def test_no_border_lets_a_secret_through():
    token = github_token()
    text = f"{'some words before it ' * 9}\n{token} and after\n{'more words ' * 20}"

    for hold in (16, 64, 200):
        for border in range(len(text)):
            stream = Stream(REDACTOR, hold=hold)
            out = stream.feed(text[:border]) + stream.feed(text[border:]) + stream.finish()
            assert out == REDACTOR.text(text)


def test_a_stream_remembers_what_it_removed():
    token = github_token()
    stream = Stream(REDACTOR, hold=100)

    out = "".join(stream.feed(chunk) for chunk in [f"x {token} ", *["words " * 50] * 9, f"y{token}y ", "end " * 60])

    assert token[5:] not in out + stream.finish()


@SOME
@given(st.text(max_size=200))
def test_any_text_goes_through(text: str):
    assert isinstance(REDACTOR.text(text), str)
    assert isinstance(REDACTOR.scan(text), list)


def _shape(value):
    if isinstance(value, dict):
        return sorted(repr(_shape(part)) for part in value.values())
    if isinstance(value, list):
        return [_shape(part) for part in value]
    return str if isinstance(value, str) else value


@settings(max_examples=1_000, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["=", ":", " = ", "=>", "->", " string", "*char", "[str]", '"', "',", "?.=", ">", "const "]
            ),
            st.text(alphabet="aZ0_.$-\\\"'`]) \t:=?+|>*&,sx", max_size=6),
        ),
        max_size=6,
    ).map("".join)
)
def test_the_quick_look_passes_over_nothing_that_is_given_to_a_name(text: str):
    data = text.encode() + b'"Zx9kQ7wLm2"'

    assert _MAY_BE_GIVEN.match(data) or not _GIVEN.match(data)
