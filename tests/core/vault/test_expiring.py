"""What an agent will delete is told before it does, with whether it is safe here; what went is proved to be here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holdfast_core import clock
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, SourceRef
from holdfast_core.model.vault import Removed
from holdfast_core.vault.expiring import expiring, removed, removed_sessions

from tests.core.vault.agent_world import World

DAY = 86_400.0
SESSION = "a1a10000-0000-4000-8000-00000000000{}"


def put(path: Path, data: bytes, *, age_days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    moment = clock.now_ms() / 1000 - age_days * DAY
    os.utime(path, (moment, moment))
    return path


def transcript(home: Path, number: int, *, age_days: float, config: str = ".claude") -> Path:
    data = f'{{"type":"user","uuid":"u","sessionId":"{SESSION.format(number)}","message":{{"content":"hi"}}}}\n'
    return put(home / config / "projects" / "-p" / f"{SESSION.format(number)}.jsonl", data.encode(), age_days=age_days)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Sessions of Claude Code that are 25, 29 and 31 days old, and one of today, captured."""
    for number, age in enumerate((25, 29, 31, 0), 1):
        transcript(tmp_path / "home", number, age_days=age)
    found = World(tmp_path, all_agents()["claude_code"], Home(tmp_path / "home", {}))
    found.capture()
    return found


def test_what_will_be_deleted_is_listed_the_next_first_with_the_days_left(world: World) -> None:
    found = expiring(world.vault, [world.agent], world.home)

    assert [one.session_id for one in found] == [f"claude_code:{SESSION.format(number)}" for number in (3, 2, 1)]
    assert [round(one.days_left) for one in found] == [-1, 1, 5]
    assert all(one.is_safe for one in found)
    assert abs(found[1].deletes_at_ms - clock.now_ms() - DAY * 1000) < 60_000


def test_the_persons_own_setting_counts_and_no_rule_lists_nothing(world: World) -> None:
    put(world.home.path / ".claude" / "settings.json", b'{"cleanupPeriodDays": 365}', age_days=0)

    assert expiring(world.vault, [world.agent], world.home) == []
    assert expiring(world.vault, [all_agents()["codex"]], world.home) == []


def test_what_changed_since_it_was_captured_is_not_safe(world: World) -> None:
    path = transcript(world.home.path, 2, age_days=28)
    path.write_bytes(path.read_bytes() + b"{}\n")
    os.utime(path, (clock.now_ms() / 1000 - 28 * DAY,) * 2)

    found = {one.session_id[-1]: one.is_safe for one in expiring(world.vault, [world.agent], world.home)}

    assert found == {"3": True, "2": False, "1": True}


def test_what_the_vault_does_not_know_is_listed_by_what_the_index_knows(world: World, tmp_path: Path) -> None:
    transcript(tmp_path / "home", 7, age_days=29.5)

    def known(ref: SourceRef) -> list[str]:
        return [f"claude_code:{Path(ref.path).stem}"]

    unknown = [one for one in expiring(world.vault, [world.agent], world.home, sessions_at=known) if not one.is_safe]
    without = expiring(None, [world.agent], world.home, sessions_at=known)

    assert [one.session_id for one in unknown] == [f"claude_code:{SESSION.format(7)}"]
    assert len(without) == 4
    assert not any(one.is_safe for one in without)


def test_what_went_by_the_rule_is_counted_and_here(world: World) -> None:
    for number in (3, 4):  # the second one is too young: a person deleted it
        Path(world.ref(SESSION.format(number)).path).unlink()
    world.capture()

    assert list(removed_sessions(world.vault, [world.agent], world.home)) == [
        (f"claude_code:{SESSION.format(3)}", True)
    ]
    assert removed(world.vault, [world.agent], world.home) == Removed(1, 1)


def test_what_a_person_saved_does_not_expire(tmp_path: Path) -> None:
    chats = tmp_path / "home" / ".gemini" / "tmp" / "p"
    session = b'{"sessionId":"6e110000-0000-4000-8000-00000000000c","projectHash":"p","messages":[]}'
    put(chats / "chats" / "session-2026-03-02T09-00-6e110000.json", session, age_days=28)
    put(chats / "checkpoint-mine.json", b"[]", age_days=28)
    put(chats / "logs.json", b"[]", age_days=28)
    world = World(tmp_path, all_agents()["gemini"], Home(tmp_path / "home", {}))
    world.capture()

    found = expiring(world.vault, [world.agent], world.home)

    assert [one.session_id for one in found] == ["gemini:6e110000-0000-4000-8000-00000000000c"]


@pytest.mark.parametrize(("settings", "days"), [(None, 30), (b'{"cleanupPeriodDays": 7}', 7), (b"broken", 30)])
def test_codebuddy_has_the_same_rule_for_its_terminal_alone(tmp_path: Path, settings: bytes | None, days: int) -> None:
    if settings is not None:
        put(tmp_path / ".codebuddy" / "settings.json", settings, age_days=0)
    transcript(tmp_path, 1, age_days=days - 1, config=".codebuddy")
    transcript(tmp_path, 2, age_days=days - 1, config=".workbuddy")
    agent, home = all_agents()["codebuddy"], Home(tmp_path, {})

    found = expiring(None, [agent], home, sessions_at=lambda ref: [ref.path])

    assert agent.deletes_after_days(home) == days
    assert [Path(one.session_id).parts[-4] for one in found] == [".codebuddy"]
