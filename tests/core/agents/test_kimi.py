"""Kimi: which of its files is the session, where its project is, and what is held until it is whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading, ResumeTarget
from holdfast_core.errors import Refused
from holdfast_core.model.message import ToolCall

AGENT = all_agents()["kimi"]
PROJECT = "/home/ada/work"
FOLDER = hashlib.md5(PROJECT.encode(), usedforsecurity=False).hexdigest()


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": 1772590682.5, "message": {"type": kind, "payload": payload}}


def write(folder: Path, *records: dict[str, Any], name: str = "wire.jsonl", below: str = FOLDER) -> Home:
    path = folder / ".kimi" / "sessions" / below / "s-1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return Home(folder, {})


def reading(home: Home) -> Reading:
    (ref,) = AGENT.discover(home)
    return AGENT.read(ref, home)


def called(*arguments: str) -> list[dict[str, Any]]:
    first = event("ToolCall", id="t", function={"name": "Shell", "arguments": arguments[0]})
    return [event("StepBegin", n=1), first, *(event("ToolCallPart", arguments_part=part) for part in arguments[1:])]


def calls(found: Reading) -> list[Any]:
    blocks = [block for message in found.sessions[0].messages for block in message.blocks]
    return [block.input for block in blocks if isinstance(block, ToolCall)]


def test_the_log_of_events_takes_the_place_of_the_messages(tmp_path: Path) -> None:
    home = write(tmp_path, {"role": "user", "content": "Hi"}, name="context.jsonl")
    (before,) = AGENT.discover(home)

    write(tmp_path, event("TurnBegin", user_input="Hi"))
    (after,) = AGENT.discover(home)

    assert (Path(before.path).name, Path(after.path).name) == ("context.jsonl", "wire.jsonl")
    assert before.key == after.key
    assert AGENT.read(before, home).sessions[0].facts.id == AGENT.read(after, home).sessions[0].facts.id


@pytest.mark.parametrize("below", [FOLDER, f"box_{FOLDER}"])
def test_the_project_is_the_listed_directory_with_this_hash(tmp_path: Path, below: str) -> None:
    home = write(tmp_path, event("TurnBegin", user_input="Hi"), below=below)
    listed = {"work_dirs": [{"path": "/else"}, {"path": PROJECT, "kaos": "box"}]}
    (tmp_path / ".kimi" / "kimi.json").write_text(json.dumps(listed))

    assert reading(home).sessions[0].facts.project_path == PROJECT


def test_arguments_that_come_in_pieces_are_one_call(tmp_path: Path) -> None:
    found = reading(write(tmp_path, *called('{"command": ', '"ls', ' -l"}')))

    assert calls(found) == [{"command": "ls -l"}]


def test_arguments_that_go_on_after_a_reading_are_read_again_from_their_step(tmp_path: Path) -> None:
    records = [event("TurnBegin", user_input="x" * 5000), *called('{"command": ', '"ls"}')]
    home = write(tmp_path, *records[:-1])
    (ref,) = AGENT.discover(home)
    first = AGENT.read(ref, home)

    write(tmp_path, *records)
    second = AGENT.read(ref, home, checkpoint=first.checkpoint)

    assert calls(first) == ['{"command": ']
    assert calls(second) == [{"command": "ls"}]
    assert second.was_continued
    assert second.bytes_read < 2000


def test_counts_stand_on_the_first_message_of_their_step(tmp_path: Path) -> None:
    counts = {"input_other": 5, "output": 2, "input_cache_read": 7, "input_cache_creation": 1}
    status = event("StatusUpdate", token_usage=counts, message_id="m")

    (session,) = reading(write(tmp_path, *called("{}"), event("ContentPart", type="text", text="a"), status)).sessions

    first, second = (message.usage for message in session.messages)
    assert first == session.facts.usage
    assert second is None
    assert (first.input_tokens, first.cache_read_tokens, first.cache_write_tokens) == (5, 7, 1)


@pytest.mark.parametrize(
    ("variable", "inner"),
    [
        ("KIMI_SHARE_DIR", "sessions/0/s/wire.jsonl"),
        ("KIMI_CODE_HOME", "sessions/wd_0/session_1/agents/main/wire.jsonl"),
    ],
)
def test_other_directories_can_be_named(tmp_path: Path, variable: str, inner: str) -> None:
    path = tmp_path / "moved" / inner
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")

    assert [ref.path for ref in AGENT.discover(Home(tmp_path, {variable: str(tmp_path / "moved")}))] == [str(path)]


def test_a_session_is_continued_in_its_project_and_not_as_a_copy() -> None:
    target = ResumeTarget("session_1", "main", PROJECT, "/x/wire.jsonl")

    assert AGENT.resume_command(target).argv == ("kimi", "--session=session_1")
    assert AGENT.resume_command(target).needs_project
    with pytest.raises(Refused):
        AGENT.resume_command(target, fork=True)
