"""Paths as text that every store takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holdfast_core.paths import chosen_place, make_private, path_text, text_path
from hypothesis import example, given
from hypothesis import strategies as st

NAMES = st.binary(min_size=1).filter(lambda name: 0 not in name)


@given(NAMES)
@example(b"/home/\xff/\xf0\x9f\x8e\x89 \xed\xa0\x80")
def test_any_path_becomes_text_and_back(name: bytes) -> None:
    path = os.fsdecode(name)

    text = path_text(path)

    assert path == text_path(text)
    assert text == text.encode().decode()


@given(NAMES, NAMES)
def test_what_is_below_a_directory_stays_below_it(parent: bytes, name: bytes) -> None:
    path = os.fsdecode(parent + b"/" + name)

    assert path_text(path).startswith(path_text(os.fsdecode(parent)) + "/")


def test_a_setting_may_name_another_place() -> None:
    usual = Path("/usual")

    assert chosen_place("", usual) == usual
    assert chosen_place("/elsewhere/sessions", usual) == Path("/elsewhere/sessions")
    assert chosen_place("~/sessions", usual) == Path.home() / "sessions"


def test_directories_of_ours_are_private_whatever_is_above_them(tmp_path: Path) -> None:
    wanted = tmp_path / "a" / "b" / "c"

    make_private(wanted)
    make_private(wanted)

    assert {path.stat().st_mode & 0o777 for path in (wanted, wanted.parent, wanted.parent.parent)} == {0o700}


def test_what_has_the_name_of_a_directory_of_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for wanted in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            make_private(wanted)
