"""CodeBuddy: where its sessions are, and which of them it can continue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused
from holdfast_core.model.message import ToolResult

AGENT = all_agents()["codebuddy"]


@pytest.mark.parametrize(
    ("variables", "below"),
    [({}, ".codebuddy"), ({}, ".workbuddy"), ({"CODEBUDDY_CONFIG_DIR": "~/moved"}, "moved")],
)
def test_sessions_are_in_several_places(tmp_path: Path, variables: dict[str, str], below: str) -> None:
    path = tmp_path / below / "projects" / "p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")

    assert [ref.path for ref in AGENT.discover(Home(tmp_path, variables))] == [str(path)]


def test_a_result_without_an_id_belongs_to_the_call_before_it(tmp_path: Path) -> None:
    path = tmp_path / ".codebuddy" / "projects" / "p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    call = {"type": "function_call", "name": "ls", "arguments": "{}"}
    path.write_text(json.dumps(call) + "\n" + json.dumps({"type": "function_call_result", "output": "a"}) + "\n")
    (ref,) = AGENT.discover(Home(tmp_path, {}))

    _, message = AGENT.read(ref, Home(tmp_path, {})).sessions[0].messages

    assert message.blocks == (ToolResult("call-1", "a"),)


def test_a_session_is_continued_in_its_project() -> None:
    command = AGENT.resume_command(ResumeTarget("s-1", "main", "/p", "/h/.codebuddy/projects/p/s-1.jsonl"))

    assert command.argv == ("codebuddy", "--resume", "s-1")
    assert command.needs_project


def test_a_session_of_the_application_is_continued_there() -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget("s-1", "main", "/p", "/h/.workbuddy/projects/p/s-1.jsonl"))


@pytest.mark.parametrize("tokens", [2**70, -5, 1e300, "7"])
def test_counts_that_are_none_cost_nothing_else(tmp_path: Path, tokens: object) -> None:
    path = tmp_path / ".codebuddy" / "projects" / "p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    told = {"rawUsage": {"prompt_tokens": tokens, "completion_tokens": 3}}
    path.write_text(json.dumps({"type": "message", "role": "assistant", "content": "a", "providerData": told}) + "\n")
    (ref,) = AGENT.discover(Home(tmp_path, {}))

    reading = AGENT.read(ref, Home(tmp_path, {}))

    assert reading.problems == []
    assert reading.sessions[0].facts.usage.output_tokens == 3
    assert reading.checkpoint is not None
