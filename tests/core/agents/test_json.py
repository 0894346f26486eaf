"""How deep a line's values may stand in each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from holdfast_core.agents._json import is_too_deep
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_what_stands_in_each_other(pair: tuple[bytes, bytes]) -> None:
    opening, closing = pair

    assert not is_too_deep(opening * 900 + b"1" + closing * 900)
    assert is_too_deep(opening * 901 + b"1" + closing * 901)


def test_what_stands_beside_each_other_is_not_deep() -> None:
    assert not is_too_deep(json.dumps([{"a": [1]}] * 5000).encode())


@given(st.text())
def test_brackets_in_texts_do_not_count(text: str) -> None:
    line: Any = {"text": text + "[{" * 2000 + '\\"' + text}

    assert not is_too_deep(json.dumps(line).encode())
