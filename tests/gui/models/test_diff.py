"""An edit's change is read, whichever way a tool was asked for it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from holdfast_gui.models.diff import compare, is_edit_input, parse_patch, read_diffs
from hypothesis import given
from hypothesis import strategies as st

PATCH = (
    "*** Begin Patch\n*** Update File: a.py\n@@ def f\n x\n-old\n+new\n*** Add File: b.py\n+one\n+two\n*** End Patch\n"
)
UNIFIED = "--- a/a.py\n+++ b/a.py\n@@ -10,2 +10,2 @@ def f\n x\n-old\n+new\n"


def said(diffs: list[Any]) -> list[tuple[str, str]]:
    return [(diff.path, diff.as_text()) for diff in diffs]


@pytest.mark.parametrize(
    "tool_input",
    [
        {"file_path": "a.py", "old_string": "x\nold\n", "new_string": "x\nnew\n"},
        {"path": "a.py", "old_str": "x\nold\n", "new_str": "x\nnew\n"},
        {"path": "a.py", "edits": [{"oldText": "x\nold\n", "newText": "x\nnew\n"}]},
        {"file_path": "a.py", "patch": UNIFIED},
        {"changes": {"a.py": {"type": "update", "unified_diff": UNIFIED}}},
        {"changes": [{"path": "a.py", "kind": "update", "diff": UNIFIED}]},
        UNIFIED,
    ],
)
def test_forms_of_one_edit_give_one_change(tool_input: Any):
    assert said(read_diffs(tool_input)) == [("a.py", " x\n-old\n+new\n")]


def test_a_patch_text_names_its_files():
    changed, added = parse_patch(PATCH)

    assert (changed.path, changed.added, changed.removed) == ("a.py", 1, 1)
    assert (added.path, added.added, added.removed) == ("b.py", 2, 0)
    assert [line.number for line in added.lines] == [1, 2]
    assert is_edit_input(PATCH)


@pytest.mark.parametrize(
    "tool_input",
    [
        {"input": PATCH},
        {"patch": UNIFIED},
        {"command": ["apply_patch", PATCH]},
        {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}EOF\n"]},
        {"cmd": f"cd x && apply_patch <<'EOF'\n{PATCH}EOF"},
    ],
)
def test_a_patch_is_found_where_it_is_handed_over(tool_input: Any):
    assert is_edit_input(tool_input)
    assert read_diffs(tool_input)[0].as_text() == " x\n-old\n+new\n"


def test_texts_of_lines_that_are_all_alike_are_not_compared_for_long():
    start = time.process_time()

    compare("f", "}\n" * 1_500 + "a", "}\n" * 1_400 + "b")

    assert time.process_time() - start < 1


def test_line_numbers_are_those_of_the_hunk():
    (diff,) = parse_patch(UNIFIED)

    assert [(line.kind, line.number) for line in diff.lines] == [("context", 10), ("removed", 11), ("added", 11)]


def test_line_numbers_come_from_the_answer_where_it_tells():
    answer = "Updated. A snippet:\n    40\u2192before\n    41\u2192x\n    42\u2192new\n"

    (diff,) = read_diffs({"file_path": "a.py", "old_string": "x\nold\n", "new_string": "x\nnew\n"}, answer)

    assert diff.lines[0].number == 41


def test_a_removed_line_of_dashes_is_no_header():
    (diff,) = parse_patch("--- a/a.sql\n+++ b/a.sql\n@@ -1,2 +1 @@\n--- a comment\n x\n")

    assert [(line.kind, line.text) for line in diff.lines] == [("removed", "-- a comment"), ("context", "x")]


def test_a_whole_file_is_all_added_but_no_edit():
    tool_input = {"file_path": "a.py", "content": "one\ntwo\n"}

    (diff,) = read_diffs(tool_input)

    assert (diff.added, diff.removed) == (2, 0)
    assert not is_edit_input(tool_input)


@pytest.mark.parametrize("tool_input", [None, 3, "text", [], {}, {"command": "ls"}, {"old_string": 3}, {"edits": "x"}])
def test_what_is_no_edit_gives_nothing(tool_input: Any):
    assert read_diffs(tool_input) == []


@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.sampled_from("abc"), max_size=30))
def test_what_is_added_and_removed_turns_old_into_new(old: list[str], new: list[str]):
    diff = compare("f", "\n".join(old), "\n".join(new))

    assert diff.added - diff.removed == len(new) - len(old)


def test_very_long_texts_are_not_compared():
    old, new = "x\n" * 5_000, "y\n" * 5_000

    diff = compare("f", old, new)

    assert (diff.added, diff.removed) == (5_000, 5_000)
