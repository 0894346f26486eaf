"""What is true of Copilot Chat in VS Code alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.agents.vscode_copilot import AGENT
from holdfast_core.errors import Refused
from holdfast_core.model.message import Text, ToolResult
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.agents.support import DATA, home_of, read_only

OWN = "05c00000-0000-4000-8000-00000000000b"
FOLDER = ".config/Code/User/globalStorage/emptyWindowChatSessions"


def written(folder: Path, changes: list[Any]) -> Home:
    path = folder / FOLDER / f"{OWN}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(change) + "\n" for change in changes))
    return Home(folder, {})


def texts(home: Home) -> list[str]:
    messages = read_only(AGENT, home).sessions[0].messages
    return [block.text for message in messages for block in message.blocks if isinstance(block, Text | ToolResult)]


def asked(*texts: str) -> list[dict[str, Any]]:
    return [{"message": {"text": text}} for text in texts]


def test_a_conversation_is_continued_in_its_editor_alone() -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget(OWN, "main", "/p", "/s"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": 2, "k": ["requests"], "v": asked("d")}, ["a", "b", "c", "d"]),
        ({"kind": 2, "k": ["requests"], "v": asked("d"), "i": 1}, ["a", "d"]),
        ({"kind": 2, "k": ["requests"], "i": 2}, ["a", "b"]),
        ({"kind": 2, "k": ["requests"], "v": asked("d"), "i": 99}, ["a", "b", "c", "d"]),
        ({"kind": 1, "k": ["requests", 1, "message", "text"], "v": "B"}, ["a", "B", "c"]),
        ({"kind": 3, "k": ["requests", 1, "message"]}, ["a", "c"]),
        ({"kind": 3, "k": ["requests"]}, []),
        ({"kind": 0, "v": {"requests": asked("z")}}, ["z"]),
        ({"kind": 0, "v": None}, []),
    ],
)
def test_a_log_is_done_again(change: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    home = written(tmp_path, [{"kind": 0, "v": {"requests": asked("a", "b", "c")}}, change])

    assert texts(home) == expected


def test_a_half_written_change_is_held_back(tmp_path: Path) -> None:
    home = written(tmp_path, [{"kind": 0, "v": {"requests": asked("a")}}])
    path = tmp_path / FOLDER / f"{OWN}.jsonl"
    path.write_text(path.read_text() + '{"kind":2,"k":["requests"],"v":[{"mess')

    reading = read_only(AGENT, home)

    assert reading.problems == []
    assert texts(home) == ["a"]


def test_a_deep_tree_of_a_tools_result(tmp_path: Path) -> None:
    """The tree is gone through without calls, so that it may be as deep as a document may be."""
    tree: dict[str, Any] = {"type": 2, "text": "leaf"}
    for _ in range(300):
        tree = {"type": 1, "children": [tree]}
    metadata = {
        "toolCallRounds": [{"toolCalls": [{"id": "t", "name": "x", "arguments": "{}"}]}],
        "toolCallResults": {"t": {"content": [{"value": {"node": tree}}]}},
    }
    call = {"kind": "toolInvocationSerialized", "toolCallId": "t", "toolId": "x"}
    request = {"response": [call], "result": {"metadata": metadata}}

    assert texts(written(tmp_path, [{"kind": 0, "v": {"requests": [request]}}])) == ["leaf"]


def test_a_document_that_became_a_log_keeps_its_key(tmp_path: Path) -> None:
    home = home_of(DATA / "vscode_copilot" / "plain", tmp_path)
    (before,) = AGENT.discover(home)
    Path(before.path).with_suffix(".jsonl").write_text('{"kind":0,"v":{}}\n')

    (after,) = AGENT.discover(home)

    assert (after.key, after.path) == (before.key, before.path.replace(".json", ".jsonl"))


keys = st.lists(st.sampled_from(["requests", "response", "message", "text", 0, 1, -1, None, 1.5]), max_size=4)
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["requests", "text"]), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, database=None)
@given(
    changes=st.lists(
        st.fixed_dictionaries({"kind": st.integers(-1, 4), "k": keys, "v": values, "i": st.none() | st.integers(-2, 9)})
    )
)
def test_any_changes_in_any_order(changes: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    home = written(tmp_path_factory.mktemp("log"), [{"kind": 0, "v": {"requests": asked("a")}}, *changes])

    for session in read_only(AGENT, home).sessions:
        assert session.facts.message_count == len(session.messages)
