"""Qwen Code: where its sessions are, what became of them, and what is told apart in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading, ResumeTarget
from holdfast_core.errors import Refused

AGENT = all_agents()["qwen"]
SESSION = "0a0a0a0a-0000-4000-8000-000000000001"


def record(number: int, kind: str, text: str = "", **more: Any) -> dict[str, Any]:
    message = {"role": kind, "parts": [{"text": text}]} if text else None
    return {"uuid": f"r{number}", "parentUuid": f"r{number - 1}", "type": kind, "message": message, **more}


def write(folder: Path, *records: dict[str, Any], below: str = ".qwen") -> Home:
    path = folder / below / "projects" / "-p" / "chats" / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return Home(folder, {})


def reading(home: Home) -> Reading:
    (ref,) = AGENT.discover(home)
    return AGENT.read(ref, home)


def words(found: Reading) -> list[str]:
    return [getattr(block, "text", "") for message in found.sessions[0].messages for block in message.blocks]


@pytest.mark.parametrize(("variable", "below"), [("QWEN_HOME", "q"), ("QWEN_RUNTIME_DIR", "r")])
def test_other_directories_can_be_named(tmp_path: Path, variable: str, below: str) -> None:
    write(tmp_path, record(1, "user", "Hi"), below=below)

    assert [ref.agent for ref in AGENT.discover(Home(tmp_path, {variable: str(tmp_path / below)}))] == ["qwen"]


def test_a_rewind_over_several_readings_takes_away_what_was_given(tmp_path: Path) -> None:
    said = [record(number, "user", f"Line {number}") for number in range(1, 6)]
    rewind = record(6, "system", subtype="rewind", systemPayload={"targetUuid": "r2"})
    home = write(tmp_path, *said)
    (ref,) = AGENT.discover(home)
    first = AGENT.read(ref, home)

    write(tmp_path, *said, rewind, record(7, "user", "Line 7"))
    second = AGENT.read(ref, home, checkpoint=first.checkpoint)

    assert second.was_continued
    assert second.sessions[0].first_index == 2
    assert words(second) == ["Line 7"]
    assert second.sessions[0].facts.prompt_count == 3


def test_statistics_of_subagents_count_where_they_have_no_files(tmp_path: Path) -> None:
    event = {"event.name": "qwen-code.api_response", "response_id": "x", "prompt_id": f"{SESSION}#Explore-1#0"}
    payload = {"uiEvent": {**event, "input_token_count": 7, "output_token_count": 2}}
    home = write(tmp_path, record(1, "user", "Hi"), record(2, "system", subtype="ui_telemetry", systemPayload=payload))
    alone = reading(home).sessions[0].facts.usage

    folder = tmp_path / ".qwen" / "projects" / "-p" / "subagents" / SESSION
    folder.mkdir(parents=True)
    beside = reading(home).sessions[0].facts.usage

    assert (alone.input_tokens, alone.output_tokens) == (7, 2)
    assert beside.total_tokens == 0


def test_thoughts_are_counted_once_wherever_they_were_counted(tmp_path: Path) -> None:
    counts = {"promptTokenCount": 100, "candidatesTokenCount": 50, "thoughtsTokenCount": 20}
    inside = record(1, "assistant", "a", usageMetadata={**counts, "totalTokenCount": 150})
    apart = record(2, "assistant", "b", usageMetadata={**counts, "totalTokenCount": 170})

    usages = [message.usage for message in reading(write(tmp_path, inside, apart)).sessions[0].messages]

    assert [(usage.output_tokens, usage.reasoning_tokens) for usage in usages if usage] == [(50, 20), (70, 20)]


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ("{}", None),
        ('{"general":{"sessionRetention":{"maxAge":"7d"}}}', None),
        ('{"general":{"sessionRetention":{"enabled":true}}}', 30),
        ('{"general":{"sessionRetention":{"enabled":true,"maxAge":"7d"}}}', 7),
    ],
)
def test_sessions_stay_unless_the_settings_say_otherwise(tmp_path: Path, settings: str, days: int | None) -> None:
    (tmp_path / ".qwen").mkdir()
    (tmp_path / ".qwen" / "settings.json").write_text(settings)

    assert AGENT.deletes_after_days(Home(tmp_path, {})) == days


def test_a_session_or_a_copy_is_continued_in_its_project() -> None:
    target = ResumeTarget(SESSION, "main", "/p", f"/x/projects/-p/chats/{SESSION}.jsonl")

    assert AGENT.resume_command(target).argv == ("qwen", f"--resume={SESSION}")
    assert AGENT.resume_command(target, fork=True).argv == ("qwen", f"--resume={SESSION}", "--fork-session")
    assert AGENT.resume_command(target).needs_project


def test_an_archived_session_is_not_continued() -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget(SESSION, "main", "/p", f"/x/chats/archive/{SESSION}.jsonl"))
