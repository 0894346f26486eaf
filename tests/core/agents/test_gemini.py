"""Gemini CLI: what its files may be, where its projects are, and when it throws sessions away."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading, ResumeTarget
from holdfast_core.errors import Refused

from tests.corpus import ROOT

AGENT = all_agents()["gemini"]
SESSION = "0a0a0a0a-0000-4000-8000-000000000001"
PROJECT = "/home/ada/work"
HASH = hashlib.sha256(PROJECT.encode()).hexdigest()


def head(**more: Any) -> dict[str, Any]:
    return {"sessionId": SESSION, "projectHash": HASH, "startTime": "2026-03-02T09:00:00Z", **more}


def said(name: str, text: str, kind: str = "user", **more: Any) -> dict[str, Any]:
    return {"id": name, "timestamp": "2026-03-02T09:00:01Z", "type": kind, "content": text, **more}


def write(folder: Path, name: str, content: str, project: str = HASH) -> Home:
    path = folder / ".gemini" / "tmp" / project / "chats" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return Home(folder, {})


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def readings(home: Home) -> list[Reading]:
    return [AGENT.read(ref, home) for ref in AGENT.discover(home)]


def words(reading: Reading) -> list[str]:
    (session,) = reading.sessions
    return [getattr(block, "text", "") for message in session.messages for block in message.blocks]


def test_a_document_may_have_the_name_of_a_file_of_lines(tmp_path: Path) -> None:
    document = json.dumps(head(messages=[said("u", "In a document")]), indent=2)

    (reading,) = readings(write(tmp_path, "session-2026-a.jsonl", document))

    assert words(reading) == ["In a document"]
    assert reading.checkpoint is None


def test_a_document_that_goes_on_as_lines_is_one_source(tmp_path: Path) -> None:
    write(tmp_path, "session-2026-a.json", json.dumps(head(messages=[said("u", "Before")])))
    (before,) = AGENT.discover(Home(tmp_path, {}))
    home = write(tmp_path, "session-2026-a.jsonl", lines(head(), said("u", "Before"), said("v", "After")))

    (after,) = AGENT.discover(home)

    assert before.key == after.key
    assert words(AGENT.read(after, home)) == ["Before", "After"]


def test_the_last_record_of_an_id_stands_where_the_first_stood(tmp_path: Path) -> None:
    grown = said("a", "Now", "gemini", toolCalls=[{"id": "t", "name": "ls", "result": "x", "status": "success"}])
    home = write(
        tmp_path,
        "session-a.jsonl",
        lines(head(), said("a", "Once", "gemini"), said("u", "Next"), grown, said("v", "!")),
    )

    (reading,) = readings(home)

    assert [message.id for message in reading.sessions[0].messages] == ["a", "a:results", "u", "v"]
    assert reading.sessions[0].facts.prompt_count == 2


def test_a_rewind_to_what_is_not_there_clears_all_as_the_agent_does(tmp_path: Path) -> None:
    home = write(tmp_path, "session-a.jsonl", lines(head(), said("u", "One"), {"$rewindTo": "x"}, said("v", "Two")))

    (reading,) = readings(home)

    assert words(reading) == ["Two"]
    assert reading.sessions[0].facts.prompt_count == 1


def test_growth_of_the_last_answer_costs_what_was_appended(tmp_path: Path) -> None:
    answer = said("a", "", "gemini", tokens={"input": 10, "output": 1})
    content = lines(head(), *(said(f"u{number}", "x" * 500) for number in range(200)), answer)
    home = write(tmp_path, "session-a.jsonl", content)
    (ref,) = AGENT.discover(home)
    first = AGENT.read(ref, home)

    write(tmp_path, "session-a.jsonl", content + lines(answer | {"content": "Done"}))
    second = AGENT.read(ref, home, checkpoint=first.checkpoint)

    assert second.was_continued
    assert second.bytes_read < 1000
    assert second.sessions[0].first_index == 200
    assert words(second) == ["Done"]


@pytest.mark.parametrize("project", [HASH, "work"])
def test_the_project_is_found_in_the_list_of_projects(tmp_path: Path, project: str) -> None:
    home = write(tmp_path, "session-a.jsonl", lines(head(), said("u", "Hi")), project)
    (tmp_path / ".gemini" / "projects.json").write_text(json.dumps({"projects": {PROJECT: "work"}}))

    (reading,) = readings(home)

    assert reading.sessions[0].facts.project_path == PROJECT


@pytest.mark.parametrize("path", [f"{PROJECT}/deep/in/a.py", PROJECT])
def test_a_hash_is_undone_by_the_paths_that_tools_were_given(tmp_path: Path, path: str) -> None:
    call = {"id": "t", "name": "read_file", "args": {"file_path": path}, "status": "success"}
    home = write(tmp_path, "session-a.jsonl", lines(head(), said("a", "", "gemini", toolCalls=[call])))

    (reading,) = readings(home)

    assert reading.sessions[0].facts.project_path == PROJECT


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ("{}", 30),
        ("not json", 30),
        ('{"general":{"sessionRetention":{"enabled":false}}}', None),
        ('{"general":{"sessionRetention":{"maxAge":"2w"}}}', 14),
        ('{"general":{"sessionRetention":{"maxAge":"36h"}}}', 2),
        ('{"general":{"sessionRetention":{"maxAge":"soon"}}}', 30),
    ],
)
def test_the_settings_say_when_sessions_go(tmp_path: Path, settings: str, days: int | None) -> None:
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(settings)

    assert AGENT.deletes_after_days(Home(tmp_path, {})) == days


def test_another_home_can_be_named(tmp_path: Path) -> None:
    moved = write(tmp_path / "moved", "session-a.jsonl", lines(head(), said("u", "Hi"))).path

    assert len(list(AGENT.discover(Home(tmp_path / "home", {"GEMINI_CLI_HOME": str(moved)})))) == 1


def test_a_session_is_continued_in_its_project_by_its_id() -> None:
    command = AGENT.resume_command(ResumeTarget(SESSION, "main", PROJECT, "/x/chats/session-a.jsonl"))

    assert command.argv == ("gemini", f"--resume={SESSION}")
    assert command.needs_project


@pytest.mark.parametrize("name", ["checkpoint-x.json", "logs.json"])
def test_what_is_no_session_of_the_agent_is_not_continued(name: str) -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget("checkpoint-x", "main", PROJECT, f"/x/{name}"))


def recorded() -> Iterator[tuple[Path, int]]:
    """Yield every recorded file of the agent with the number of messages that it is said to hold."""
    manifest = ROOT / "MANIFEST.tsv"
    for row in manifest.read_text("utf-8").splitlines()[1:] if manifest.is_file() else ():
        folder, *_, messages, _broken, path = row.split("\t")
        if folder == "gemini" and int(messages):
            yield ROOT / path, int(messages)


@pytest.mark.parametrize(("path", "messages"), list(recorded()), ids=lambda part: getattr(part, "name", None))
def test_recorded_files_give_sessions_with_their_messages(path: Path, messages: int, tmp_path: Path) -> None:
    folder = (
        tmp_path / ".gemini" / "tmp" / next((part for part in path.parts if re.fullmatch("[0-9a-f]{64}", part)), "p")
    )
    is_beside = path.name == "logs.json" or path.name.startswith("checkpoint-")
    target = folder / path.name if is_beside else folder / "chats" / f"session-{path.name}"
    target.parent.mkdir(parents=True)
    target.write_bytes(path.read_bytes())

    (reading,) = readings(Home(tmp_path, {}))

    assert reading.problems == []
    assert reading.unknown_records == {}
    found = [message for session in reading.sessions for message in session.messages]
    assert len([message for message in found if message.role != "tool"]) >= messages - sum(
        message.role == "tool" and message.parent_id is None for message in found
    )
    assert sum(session.facts.message_count for session in reading.sessions) == len(found)
