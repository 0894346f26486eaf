"""What is true of Cline and what descends from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading, ResumeTarget
from holdfast_core.agents.cline import AGENT
from holdfast_core.errors import Refused
from holdfast_core.model.message import Text
from holdfast_core.model.usage import Usage

from tests.core.agents.support import DATA, home_of, read_only

EXTENSION = "Code/User/globalStorage/saoudrizwan.claude-dev"


def asked(agent: str, folder: Path, told: dict[str, object], moment: int, provider: str = "") -> Usage:
    """Return what is counted of a request that an agent noted at some moment."""
    extension = type(all_agents()[agent]).extension  # type: ignore[attr-defined]  # of the family
    task = folder / ".config/Code/User/globalStorage" / extension / "tasks" / "t"
    task.mkdir(parents=True)
    request = {"ts": moment, "type": "say", "say": "api_req_started", "text": json.dumps(told)}
    first = {"ts": moment, "type": "say", "say": "text", "text": "Hello"}
    rows = [first, request | {"modelInfo": {"modelId": "m", "providerId": provider}}, first | {"text": "Hi"}]
    (task / "ui_messages.json").write_text(json.dumps(rows))
    (session,) = read_only(all_agents()[agent], Home(folder, {})).sessions
    assert sum((message.usage for message in session.messages if message.usage), Usage()) == session.facts.usage
    return session.facts.usage


WITH = Usage(100, 10, 600, 300)
WITHOUT = Usage(1000, 10, 600, 300)
BEFORE, AFTER = 1_761_900_000_000, 1_763_000_000_000


@pytest.mark.parametrize(
    ("agent", "protocol", "moment", "provider", "usage"),
    [
        ("cline", "", AFTER, "anthropic", WITHOUT),
        ("cline", "", AFTER, "litellm", WITH),
        ("roo", "anthropic", BEFORE, "", WITHOUT),
        ("roo", "openai", BEFORE, "", WITH),
        ("roo", "anthropic", AFTER, "", WITH),
        ("kilo_legacy", "anthropic", BEFORE, "", WITHOUT),
        ("kilo_legacy", "anthropic", AFTER, "", WITH),
    ],
)
def test_the_cache_is_in_the_input_or_not(
    agent: str, protocol: str, moment: int, provider: str, usage: Usage, tmp_path: Path
) -> None:
    told: dict[str, object] = {"tokensIn": 1000, "tokensOut": 10, "cacheReads": 600, "cacheWrites": 300}
    told |= {"apiProtocol": protocol} if protocol else {}

    assert asked(agent, tmp_path, told, moment, provider) == usage


def test_only_sessions_of_the_command_line_are_continued() -> None:
    native_id = "1784000000000_abcde"
    own = ResumeTarget(native_id, "main", "/p", f"/h/.cline/data/sessions/{native_id}/{native_id}.messages.json")
    task = ResumeTarget("1750000000000", "main", "/p", f"/h/.config/{EXTENSION}/tasks/1750000000000/ui_messages.json")

    command = AGENT.resume_command(own)

    assert command.argv == ("cline", "--id", native_id)
    assert command.needs_project
    for agent, target in ((AGENT, task), (all_agents()["roo"], own), (all_agents()["kilo_legacy"], own)):
        with pytest.raises(Refused):
            agent.resume_command(target)


@pytest.mark.parametrize(
    ("variable", "place"),
    [("CLINE_DIR", "x/data/sessions"), ("CLINE_DATA_DIR", "x/sessions"), ("CLINE_SESSION_DATA_DIR", "x")],
)
def test_the_home_can_be_moved(variable: str, place: str, tmp_path: Path) -> None:
    home = home_of(DATA / "cline" / "sdk", tmp_path)
    target = home.path / place
    target.parent.mkdir(parents=True, exist_ok=True)
    (home.path / ".cline/data/sessions").rename(target)

    found = list(AGENT.discover(Home(home.path, {variable: str(home.path / "x")})))

    assert len(found) == len({ref.key for ref in found}) == 2


def test_sessions_named_twice_are_found_once(tmp_path: Path) -> None:
    home = home_of(DATA / "cline" / "sdk", tmp_path)
    named = {"CLINE_SESSION_DATA_DIR": str(home.path / ".cline/data/sessions")}

    assert len(list(AGENT.discover(Home(home.path, named)))) == 2


def test_a_task_keeps_its_key_when_its_file_gets_another_name(tmp_path: Path) -> None:
    home = home_of(DATA / "cline" / "plain", tmp_path)
    (before,) = AGENT.discover(home)
    path = Path(before.path)
    path.rename(path.with_name("claude_messages.json"))

    (after,) = AGENT.discover(home)

    assert after.key == before.key
    assert texts(AGENT.read(after, home))[0] == "Turn the lamp on."


def test_a_list_that_is_just_being_written_gives_what_is_whole(tmp_path: Path) -> None:
    home = home_of(DATA / "cline" / "plain", tmp_path)
    (ref,) = AGENT.discover(home)
    whole = Path(ref.path).read_text()
    Path(ref.path).write_text(whole[: whole.index("Then bright.")])

    reading = AGENT.read(ref, home)

    assert texts(reading)[-1] == "Bright."
    assert [problem.reason for problem in reading.problems] == ["truncated"]


def texts(reading: Reading) -> list[str]:
    messages = reading.sessions[0].messages
    return [block.text for message in messages for block in message.blocks if isinstance(block, Text)]


@pytest.mark.parametrize(
    "place",
    [
        ".config/Some Fork/User",
        "Library/Application Support/Code/User",
        "AppData/Roaming/Another/User",
        ".vscode-server/data/User",
        ".some-server-insiders/data/User",
    ],
)
def test_tasks_are_found_in_every_editor_of_the_family(place: str, tmp_path: Path) -> None:
    home = home_of(DATA / "cline" / "plain", tmp_path)
    target = home.path / place
    target.parent.mkdir(parents=True, exist_ok=True)
    (home.path / ".config/Code/User").rename(target)

    (ref,) = AGENT.discover(home)

    assert ref.path.startswith(str(target))
