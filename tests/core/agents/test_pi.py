"""What is Pi's own: where its sessions are, what they cost, which copies are counted once."""

from __future__ import annotations

import json
from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget

from tests.core.agents.support import DATA, home_of, read_only

PI = all_agents()["pi"]


def test_variables_move_the_sessions(tmp_path: Path) -> None:
    home = Home(tmp_path, {"PI_CODING_AGENT_DIR": "~/elsewhere", "PI_CODING_AGENT_SESSION_DIR": "/srv/pi"})

    assert PI.roots(home) == [Path("/srv/pi"), tmp_path / "elsewhere/sessions", tmp_path / ".pi/agent/sessions"]


def test_a_session_is_continued_by_its_id_in_its_project() -> None:
    target = ResumeTarget("019c0000-0000-7000-8000-00000000000a", "main", "/p", "/s")

    found = PI.resume_command(target), PI.resume_command(target, fork=True)

    assert found[0].argv == ("pi", "--session", "019c0000-0000-7000-8000-00000000000a")
    assert found[1].argv == ("pi", "--fork", "019c0000-0000-7000-8000-00000000000a")
    assert all(command.needs_project for command in found)


def test_a_fork_repeats_no_response(tmp_path: Path) -> None:
    home = home_of(DATA / "pi" / "plain", tmp_path)
    (ref,) = PI.discover(home)
    first = PI.read(ref, home)
    lines = Path(ref.path).read_bytes().splitlines()
    lines[0] = json.dumps(json.loads(lines[0]) | {"id": "019c0000-0000-7000-8000-0000000000ff"}).encode()
    Path(ref.path).write_bytes(b"\n".join(lines) + b"\n")

    copy = read_only(PI, home)

    assert copy.sessions[0].facts.native_id != first.sessions[0].facts.native_id
    assert [one.key for one in copy.sessions[0].responses] == [one.key for one in first.sessions[0].responses]


def test_a_price_of_zero_is_no_price(tmp_path: Path) -> None:
    facts = read_only(PI, home_of(DATA / "pi" / "first_version", tmp_path)).sessions[0].facts

    assert facts.usage.total_tokens
    assert facts.cost_usd is None


def test_a_head_that_comes_late_gives_the_session_its_id(tmp_path: Path) -> None:
    home = home_of(DATA / "pi" / "odd", tmp_path)
    (ref,) = PI.discover(home)
    content = Path(ref.path).read_bytes()
    Path(ref.path).write_bytes(content.partition(b"\n")[0] + b"\n")
    first = PI.read(ref, home)
    Path(ref.path).write_bytes(content.replace(b"8000-00000000000c", b"8000-0000000000ee"))

    second = PI.read(ref, home, checkpoint=first.checkpoint)

    assert not second.was_continued
    assert second.sessions[0].facts.native_id == "019c0000-0000-7000-8000-0000000000ee"
