"""A tool call is told in one line, from its name and input alone."""

from __future__ import annotations

from typing import Any

import pytest
from holdfast_core.model.message import Todo, ToolCall, ToolResult
from holdfast_gui.models.steps import describe, input_text, plan_of


@pytest.mark.parametrize(
    ("name", "tool_input", "verb", "argument"),
    [
        ("Bash", {"command": "ls -la", "description": "List"}, "Run", "ls -la"),
        ("shell", {"command": ["bash", "-lc", "make test"]}, "Run", "make test"),
        ("exec_command", '{"cmd": "git status"}', "Run", "git status"),
        ("run_shell_command", {"command": "a\nb"}, "Run", "a b"),
        ("Read", {"file_path": "/code/kelp/src/a.py"}, "Read", "src/a.py"),
        ("read_file", {"absolute_path": "/elsewhere/a.py"}, "Read", "/elsewhere/a.py"),
        ("Grep", {"pattern": "probe", "path": "src/"}, "Search", "probe in src/"),
        ("WebSearch", {"query": "tides"}, "Search", "tides"),
        ("WebFetch", {"url": "https://example.org", "prompt": "read"}, "Fetch", "https://example.org"),
        ("str_replace_editor", {"path": "a.py", "old_str": "x", "new_str": "y"}, "Edit", "a.py"),
        ("apply_patch", "*** Begin Patch\n*** Update File: a.py\n+x\n*** End Patch", "Edit", "a.py"),
        ("shell", {"command": ["apply_patch", "*** Begin Patch\n*** Add File: b.py\n+x"]}, "Edit", "b.py"),
        ("Write", {"file_path": "a.py", "content": "x"}, "Write", "a.py"),
        ("Task", {"description": "Find leaks", "prompt": "long"}, "Task", "Find leaks"),
        ("spawn_agent", {"message": "Look"}, "Task", "Look"),
        ("mcp__charts__drawTide", {"place": "Brest"}, "draw tide", "Brest"),
        ("mystery", None, "mystery", ""),
        ("", {}, "Tool", ""),
    ],
)
def test_a_call_is_named_for_what_it_does(name: str, tool_input: Any, verb: str, argument: str):
    step = describe(ToolCall("c", name, tool_input), None, project_path="/code/kelp")

    assert (step.verb, step.argument) == (verb, argument)


@pytest.mark.parametrize(
    ("name", "text", "is_error", "seconds", "outcome"),
    [
        ("bash", "a\nb\n", False, 0.4, ["0.4 s", "2 lines"]),
        ("bash", "....\n48 passed in 5.9s\n", False, 6.1, ["6.1 s", "48 passed"]),
        ("bash", "Exit code: 2\nboom", False, None, ["exit 2"]),
        ("bash", "boom", True, None, ["error"]),
        ("bash", "", False, None, []),
        ("grep", "a:1\nb:2\n", False, 3.0, ["2 hits"]),
        ("grep", "No files found", False, None, ["no hits"]),
        ("read", "one line", False, 3.0, ["1 line"]),
    ],
)
def test_the_outcome_is_told_at_the_right(
    name: str, text: str, is_error: bool, seconds: float | None, outcome: list[str]
):
    step = describe(ToolCall("c", name, {"command": "x"}), ToolResult("c", text, is_error), seconds=seconds)

    assert [part.text for part in step.outcome] == outcome
    assert step.is_error == is_error


def test_an_edit_tells_its_lines():
    step = describe(ToolCall("c", "edit", {"path": "a", "old_string": "x\ny", "new_string": "x\nz\nw"}), None)

    assert [(part.text, part.tone) for part in step.outcome] == [("+2", "added"), ("−1", "removed")]


def test_foreign_text_in_a_line_cannot_hide_or_turn_it():
    step = describe(ToolCall("c", "bash", {"command": "echo \u202egnp.exe \x1b[31mred"}), None)

    assert not set("\u202e\x1b") & set(step.argument)


@pytest.mark.parametrize(
    "tool_input",
    [
        {"todos": [{"content": "a", "status": "completed"}, {"content": "b", "status": "in_progress"}]},
        {"plan": [{"step": "a", "status": "done"}, {"step": "b", "status": "in-progress"}]},
        '{"items": [{"title": "a", "completed": true}, {"title": "b", "status": "active"}]}',
    ],
)
def test_a_plan_is_read_in_every_form(tool_input: Any):
    assert plan_of(tool_input) == [Todo("a", "completed"), Todo("b", "in_progress")]


@pytest.mark.parametrize("tool_input", [None, "x", [], {"todos": []}, {"todos": ["a"]}, {"plan": [{"x": 1}]}])
def test_what_is_no_plan_gives_none(tool_input: Any):
    assert plan_of(tool_input) == []


@pytest.mark.parametrize(
    ("tool_input", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ({"command": "ls"}, "ls"),
        ({"a": 1, "b": "x\ny"}, "a: 1\nb:\nx\ny"),
        ([1], "[\n  1\n]"),
    ],
)
def test_an_input_is_shown_as_people_read_it(tool_input: Any, text: str):
    assert input_text(tool_input) == text
