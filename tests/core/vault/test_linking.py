"""Whatever agent was interrupted in a call: its own reader finds the call ended in the repaired copy."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Calls, Closing
from holdfast_core.model.message import ToolCall, ToolResult
from holdfast_core.vault.repairing import repaired

from tests.core.agents.support import CASES, case_id, home_of

CLOSING = [case for case in CASES if all_agents()[case.parent.name].closing is not None]


def calls_in(closing: Closing, line: bytes) -> Calls:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Calls()
    return closing.calls(record) if isinstance(record, dict) else Calls()


def cuts(closing: Closing, data: bytes) -> list[tuple[bytes, set[str]]]:
    """Return what was there when each call had just been begun, and which calls had no end then."""
    found, opened, length = [], set[str](), 0
    for line in data.splitlines(keepends=True):
        length += len(line)
        calls = calls_in(closing, line)
        begun = {call for call, _ in calls.opened if call}
        opened = (opened | begun) - set(calls.ended)
        if begun & opened and line.endswith(b"\n"):
            found.append((data[:length], set(opened)))
    return found


def test_agents_of_every_form_that_is_known_are_tried() -> None:
    tried = {
        case.parent.name
        for case in CLOSING
        for path in case.rglob("*.jsonl")
        if cuts(closing_of(all_agents()[case.parent.name]), path.read_bytes())
    }

    assert tried >= {
        "claude_code", "codex", "copilot_cli", "factory", "kode", "mistral_vibe", "omp", "pi", "qoder", "qwen",
    }  # fmt: skip


def closing_of(agent: Agent) -> Closing:
    assert agent.closing is not None
    return agent.closing


@pytest.mark.parametrize("case", CLOSING, ids=case_id)
def test_a_call_that_was_interrupted_is_ended_for_the_agents_own_reader(case: Path, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    for ref in [ref for ref in agent.discover(home) if ref.path.endswith(".jsonl")]:
        path = Path(ref.path)
        for data, opened in cuts(closing_of(agent), path.read_bytes()):
            found = repaired(data, agent, name=path.name)
            path.write_bytes(found.data)
            sessions = agent.read(ref, home).sessions

            blocks = [block for read in sessions for message in read.messages for block in message.blocks]
            begun = {block.call_id for block in blocks if isinstance(block, ToolCall)}
            ended = {block.call_id for block in blocks if isinstance(block, ToolResult)}
            assert {change.what for change in found.changes} >= {"call_ended"}
            assert opened & begun <= ended
            assert not repaired(found.data, agent, name=path.name).is_changed
