"""One suite for all agents: a folder ``data/<agent>/<case>`` is a test."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, ResumeTarget, SourceRef
from holdfast_core.errors import HoldfastError, Refused, SourceError
from holdfast_core.model.usage import Usage

from tests.core.agents.support import CASES, DATA, case_id, home_of, refs_of, rendered, sources

AGENTS = list(all_agents().values())
every_agent = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
every_case = pytest.mark.parametrize("case", CASES, ids=case_id)
HOSTILE_IDS = (
    "--dangerously-skip-permissions",
    "-c",
    "a\nb",
    "$(x)",
    "%PATH%",
    '"&calc',
    "..",
    "/etc/x",
    "a/b",
    "",
    "x" * 300,
)


def agent_of(case: Path) -> Agent:
    return all_agents()[case.parent.name]


@every_agent
def test_an_agent_says_who_it_is(agent: Agent) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", agent.id)
    assert agent.name
    assert len(agent.mark) == 1
    assert 0 <= agent.hue < 360
    assert agent.program
    assert agent.how_to_install


@every_agent
def test_an_agent_has_golden_data(agent: Agent) -> None:
    assert any(case.parent.name == agent.id for case in CASES)


@every_agent
def test_an_empty_home_has_no_sources(agent: Agent, tmp_path: Path) -> None:
    home = Home(tmp_path, {})

    assert list(agent.discover(home)) == []
    assert all(str(root).startswith(str(tmp_path)) for root in agent.roots(home))


@every_case
def test_a_home_is_read_as_it_was_checked_by_hand(case: Path, tmp_path: Path) -> None:
    expected = msgspec.json.decode((case / "expected.json").read_bytes())

    found = rendered(agent_of(case), home_of(case, tmp_path))

    assert found == expected


@every_case
def test_facts_agree_with_the_messages(case: Path, tmp_path: Path) -> None:
    agent, home = agent_of(case), home_of(case, tmp_path)

    for ref in agent.discover(home):
        for session in agent.read(ref, home).sessions:
            facts, messages = session.facts, session.messages
            assert facts.agent == agent.id
            assert facts.message_count == len(messages)
            assert facts.prompt_count == sum(message.role == "user" for message in messages)
            assert facts.title or facts.is_empty or not messages
            assert sum((response.usage for response in session.responses), Usage()) == facts.usage
            assert [message.line for message in messages] == sorted(message.line for message in messages) or (
                case.name == "queued"
            )
            msgspec.json.encode(session.messages)


@every_case
def test_reading_writes_nothing(case: Path, tmp_path: Path) -> None:
    agent, home = agent_of(case), home_of(case, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in home.path.rglob("*")}

    rendered(agent, home)

    assert {path: path.stat().st_mtime_ns for path in home.path.rglob("*")} == before


@every_case
def test_discovery_gives_unique_keys_and_fingerprints(case: Path, tmp_path: Path) -> None:
    agent, home = agent_of(case), home_of(case, tmp_path)

    refs = list(agent.discover(home))

    assert len({ref.key for ref in refs}) == len(refs)
    for ref in refs:
        status = Path(ref.path).stat()
        assert ref.agent == agent.id
        assert (ref.fingerprint.size_bytes, ref.fingerprint.modified_ns) == (status.st_size, status.st_mtime_ns)
        assert ref.fingerprint.inode == status.st_ino


@every_case
def test_the_sources_at_given_paths_are_those_that_discovery_finds(case: Path, tmp_path: Path) -> None:
    agent, home = agent_of(case), home_of(case, tmp_path)
    refs = list(agent.discover(home))

    for ref in refs:
        assert list(agent.refs_for(home, [ref.path])) == [ref]
    found = [ref for root in agent.roots(home) for ref in agent.refs_for(home, [str(root)])]
    assert sorted(ref.key for ref in found) == sorted(ref.key for ref in refs)


@pytest.mark.parametrize(("case", "path"), sources(), ids=lambda part: getattr(part, "name", None))
def test_what_is_no_regular_file_is_refused_at_once(case: Path, path: str, tmp_path: Path) -> None:
    agent, home = agent_of(case), home_of(case, tmp_path)
    ref = refs_of(agent, home)[path]
    file = Path(ref.path)
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    reasons = [_refusal(agent, ref, home)]

    os.mkfifo(file)
    reasons.append(_refusal(agent, ref, home))
    file.unlink()
    file.mkdir()
    reasons.append(_refusal(agent, ref, home))
    file.rmdir()
    file.symlink_to(elsewhere)
    reasons.append(_refusal(agent, ref, home))
    assert path not in refs_of(agent, home)
    file.unlink()
    file.symlink_to("/dev/zero")
    reasons.append(_refusal(agent, ref, home))
    file.unlink()
    file.symlink_to(file)
    reasons.append(_refusal(agent, ref, home))

    assert reasons == ["gone", "not_a_file", "not_a_file", "symlink", "symlink", "symlink"]


def _refusal(agent: Agent, ref: SourceRef, home: Home) -> str:
    with pytest.raises(SourceError) as caught:
        agent.read(ref, home)
    return caught.value.reason


@every_agent
def test_a_socket_is_no_source(agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path, {})
    folder = agent.roots(home)[0] / "p"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("s.jsonl")

        assert list(agent.discover(home)) == []


@every_agent
def test_a_linked_folder_is_neither_walked_nor_read(agent: Agent, tmp_path: Path) -> None:
    case = DATA / agent.id / "plain"
    home = home_of(case, tmp_path)
    (ref,) = agent.discover(home)
    root = next(root for root in agent.roots(home) if ref.path.startswith(f"{root}{os.sep}"))
    folder = next(root for root in root.iterdir())
    outside = tmp_path / "outside"
    folder.rename(outside)
    folder.symlink_to(outside)

    assert list(agent.discover(home)) == []
    assert _refusal(agent, ref, home) == ("outside" if outside.is_dir() else "symlink")


@every_agent
def test_a_linked_root_is_followed(agent: Agent, tmp_path: Path) -> None:
    home = home_of(DATA / agent.id / "plain", tmp_path)
    (ref,) = agent.discover(home)
    root = next(root for root in agent.roots(home) if ref.path.startswith(f"{root}{os.sep}"))
    moved = tmp_path / "moved"
    root.rename(moved)
    root.symlink_to(moved)

    (found,) = agent.discover(home)

    assert agent.read(found, home).sessions


@every_agent
def test_an_id_that_could_be_taken_for_something_else_is_never_handed_over(agent: Agent) -> None:
    for native_id in HOSTILE_IDS:
        with pytest.raises(Refused):
            agent.resume_command(ResumeTarget(native_id, "main", "/p", "/s"))


@every_agent
def test_a_subagent_is_not_resumed(agent: Agent) -> None:
    with pytest.raises(HoldfastError):
        agent.resume_command(ResumeTarget("agent-1", "subagent", "/p", "/s"))


@every_agent
def test_a_resume_command_starts_the_agents_program(agent: Agent) -> None:
    """An agent that cannot continue a session, or not as a copy, says so by refusing."""
    target = ResumeTarget("019cb000-0000-7000-8000-00000000000a", "main", "/p", "/s")
    found = []
    for fork in (False, True):
        try:
            found.append(agent.resume_command(target, fork=fork).argv)
        except Refused:
            continue

    assert all(argv[0] == agent.program for argv in found)
    assert all(target.native_id in " ".join(argv) for argv in found) or not agent.resumes_by_id
    assert len(set(found)) == len(found)
