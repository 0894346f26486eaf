"""A version is read by its agent's own reader as if it still lay where it did, and nothing of that stays behind."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, Reading, SourceRef
from holdfast_core.errors import NotFound
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.mirror import mirror, read_version
from holdfast_core.vault.vault import Vault, VaultOptions

from tests.core.agents.support import CASES, case_id, home_of, refs_of


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.open(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def vault(tmp_path: Path, keys: Keys) -> Iterator[Vault]:
    vault = Vault.open(tmp_path / "vault", lambda: keys, options=VaultOptions(reserve_bytes=0))
    yield vault
    vault.close()


def _capture(vault: Vault, agent: Agent, ref: SourceRef, home: Home) -> None:
    vault.capture(ref, companions=agent.companions(ref, home))
    vault.commit()


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_version_gives_the_messages_that_its_source_gave(case: Path, vault: Vault, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    refs = refs_of(agent, home).values()
    wanted = {ref.key: _ids(agent, ref, home) for ref in refs}
    for ref in refs:
        _capture(vault, agent, ref, home)
    for ref in refs:
        Path(ref.path).unlink()

    found = {ref.key: _said(read_version(vault, agent, ref, 1, home)) for ref in refs}

    # Some lists leave out what other sources tell better: alone they tell that too.
    assert {key: {name: told.get(name) for name in wanted[key]} for key, told in found.items()} == wanted


def _ids(agent: Agent, ref: SourceRef, home: Home) -> dict[str, list[str]]:
    return _said(agent.read(ref, home))


def _said(reading: Reading) -> dict[str, list[str]]:
    return {session.facts.id: [message.id for message in session.messages] for session in reading.sessions}


def test_what_tells_of_places_tells_of_the_agents_own(vault: Vault, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.parent.name == "aider")
    agent, home = all_agents()["aider"], home_of(case, tmp_path)
    (ref, *_) = refs_of(agent, home).values()
    projects = {session.facts.project_path for session in agent.read(ref, home).sessions}
    _capture(vault, agent, ref, home)

    reading = read_version(vault, agent, ref, 1, home)

    assert {session.facts.project_path for session in reading.sessions} == projects
    assert tempfile.gettempdir() not in json.dumps([repr(session) for session in reading.sessions]).replace(
        str(tmp_path), ""
    )


def test_variables_that_move_an_agent_move_it_in_the_mirror_too(vault: Vault, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    project = moved / "projects" / "-p"
    project.mkdir(parents=True)
    path = project / "0190a000-0000-4000-8000-000000000001.jsonl"
    said = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "apple"}}
    path.write_text(json.dumps(said) + "\n")
    home = Home(tmp_path / "home", {"CLAUDE_CONFIG_DIR": str(moved)})
    (ref,) = all_agents()["claude_code"].discover(home)
    _capture(vault, all_agents()["claude_code"], ref, home)

    with mirror(vault, all_agents()["claude_code"], ref, 1, home) as (inner, made):
        place = Path(inner.path)

        assert place.read_bytes() == path.read_bytes()
        assert made.home.environment["CLAUDE_CONFIG_DIR"] != str(moved)
        assert place.stat().st_mode & 0o077 == 0
        reading = all_agents()["claude_code"].read(inner, made.home)
    assert [message.id for message in reading.sessions[0].messages] == ["u1"]
    assert not place.exists()


def test_a_version_that_is_not_there_cannot_be_read(vault: Vault, tmp_path: Path) -> None:
    agent = all_agents()["claude_code"]
    case = next(case for case in CASES if case.parent.name == "claude_code")
    home = home_of(case, tmp_path)
    ref = next(iter(refs_of(agent, home).values()))
    _capture(vault, agent, ref, home)

    with pytest.raises(NotFound):
        read_version(vault, agent, ref, 2, home)


def test_a_source_is_read_in_the_form_that_it_had_then(vault: Vault, tmp_path: Path) -> None:
    agent = all_agents()["vscode_copilot"]
    case = next(case for case in CASES if case_id(case) == "vscode_copilot-log")
    home = home_of(case, tmp_path)
    before = {ref.key: ref for ref in refs_of(agent, home).values() if ref.path.endswith(".jsonl")}
    for ref in before.values():
        _capture(vault, agent, ref, home)
        Path(ref.path).unlink()
    after = {ref.key: ref for ref in refs_of(agent, home).values() if ref.key in before}
    for ref in after.values():
        _capture(vault, agent, ref, home)

    assert after
    for key, ref in after.items():
        first = read_version(vault, agent, ref, 1, home)
        assert _said(first) != _said(agent.read(ref, home)) or ref.path == before[key].path
