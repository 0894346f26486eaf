"""Recorded sessions of other people: nothing raises, nothing is lost, nothing is counted twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading
from holdfast_core.model.message import Image, Text, ToolCall
from holdfast_core.model.usage import Usage

from tests.core.agents.support import Growing
from tests.corpus import ROOT, Recorded, put_into_home, recorded

CLAUDE = list(recorded("claude_code"))
CODEX = list(recorded("codex"))
every_session = pytest.mark.parametrize("session", [*CLAUDE, *CODEX], ids=str)
KNOWN_UNKNOWNS = 8
TOKENS_OF_A_RESPONSE = 2_500_000


def read(session: Recorded, folder: Path) -> Reading:
    home = Home(folder, {})
    path = put_into_home(session, folder)
    (ref,) = (ref for ref in all_agents()[session.agent].discover(home) if ref.path == str(path))
    return all_agents()[session.agent].read(ref, home)


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a transcript by line, as the standard library reads them."""
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield number, value


def test_the_corpus_is_used_where_there_is_one() -> None:
    assert bool(CLAUDE) == bool(CODEX) == (ROOT / "MANIFEST.tsv").is_file()


@every_session
def test_no_more_is_broken_than_the_manifest_says(session: Recorded, tmp_path: Path) -> None:
    reading = read(session, tmp_path)

    broken = [problem for problem in reading.problems if problem.reason != "not_an_object"]
    assert len(broken) <= session.broken_lines
    assert len(reading.problems) - len(broken) <= 3
    assert sum(reading.unknown_records.values()) <= KNOWN_UNKNOWNS


@every_session
def test_the_fields_of_recorded_sessions_are_known(session: Recorded, tmp_path: Path) -> None:
    """One recording has a field that its owner put there to see what happens."""
    unknown = read(session, tmp_path).unknown_fields

    assert unknown.keys() <= {"silly"}


@every_session
def test_facts_agree_with_the_messages(session: Recorded, tmp_path: Path) -> None:
    for found in read(session, tmp_path).sessions:
        facts = found.facts
        assert facts.message_count == len(found.messages)
        assert facts.prompt_count == sum(message.role == "user" for message in found.messages)
        assert sum((response.usage for response in found.responses), Usage()) == facts.usage
        assert all(response.usage.total_tokens < TOKENS_OF_A_RESPONSE for response in found.responses)
        carried = sum((message.usage for message in found.messages if message.usage), Usage())
        assert carried == facts.usage or not any(message.role == "assistant" for message in found.messages)
        assert facts.title or facts.is_empty or not any(message.role == "user" for message in found.messages)
        assert facts.cost_usd is None or 0 <= facts.cost_usd < 200


@pytest.mark.parametrize("session", CLAUDE, ids=str)
def test_every_record_of_a_conversation_is_one_message(session: Recorded, tmp_path: Path) -> None:
    """The manifest counts user and assistant records; what is added are notes of the program and queued prompts."""
    kinds = {number: record.get("type") for number, record in objects(session.path)}

    messages = [message for found in read(session, tmp_path).sessions for message in found.messages]

    said = [message for message in messages if kinds.get(message.line, "user") in ("user", "assistant")]
    assert len(said) == session.messages
    others = {kinds[message.line] for message in messages if message not in said}
    assert others <= {"system", "attachment", "queue-operation", "tool_use", "tool_result"}


@pytest.mark.parametrize("session", CODEX, ids=str)
def test_every_message_item_is_one_message(session: Recorded, tmp_path: Path) -> None:
    """The manifest counts message items; one that an event said already is not repeated."""
    items = {
        number
        for number, record in objects(session.path)
        if record.get("type") == "response_item" and isinstance(record.get("payload"), dict)
        if record["payload"].get("type") == "message"
    }
    events = sum(
        record["payload"].get("type") in ("agent_message", "user_message")
        for _, record in objects(session.path)
        if record.get("type") == "event_msg" and isinstance(record.get("payload"), dict)
    )

    messages = [message for found in read(session, tmp_path).sessions for message in found.messages]

    shown = [message for message in messages if any(isinstance(block, Text | Image) for block in message.blocks)]
    assert len(items) == session.messages
    assert len([message for message in messages if message.line in items]) <= session.messages
    assert session.messages <= len(shown) <= session.messages + events + 8


@pytest.mark.parametrize("session", CLAUDE, ids=str)
def test_each_response_is_counted_by_its_fullest_row(session: Recorded, tmp_path: Path) -> None:
    output: dict[tuple[Any, Any], int] = {}
    for _, record in objects(session.path):
        said = record.get("message")
        if record.get("type") != "assistant" or not isinstance(said, dict) or said.get("model") == "<synthetic>":
            continue
        usage = said.get("usage")
        if isinstance(usage, dict) and said.get("id") and not record.get("isApiErrorMessage"):
            key = (said["id"], record.get("requestId"))
            output[key] = max(output.get(key, 0), usage.get("output_tokens") or 0)

    responses = [
        response
        for found in read(session, tmp_path).sessions
        for response in found.responses
        if not response.key.startswith("uuid:")
    ]

    repaired = 20_000 if any(found.facts.provider_data for found in read(session, tmp_path / "again").sessions) else 0
    counted = sum(response.usage.output_tokens for response in responses)
    assert 0 <= counted - sum(output.values()) <= repaired


@pytest.mark.parametrize("session", CODEX, ids=str)
def test_the_last_total_is_the_sum_of_the_requests(session: Recorded, tmp_path: Path) -> None:
    """Totals only grow unless a session was resumed or compacted: then the sum is larger."""
    totals = [
        info["total_token_usage"]["output_tokens"]
        for _, record in objects(session.path)
        if isinstance(record.get("payload"), dict) and record["payload"].get("type") == "token_count"
        if isinstance(info := record["payload"].get("info"), dict)
        and "output_tokens" in (info.get("total_token_usage") or {})
    ]

    (found,) = read(session, tmp_path).sessions

    output = found.facts.usage.output_tokens
    assert not totals or output == totals[-1] or totals != sorted(totals) or found.facts.kind == "subagent"


def test_subagents_are_linked_to_the_calls_that_started_them(tmp_path: Path) -> None:
    """A call whose result names its agent leads to that agent's session."""
    linked = 0
    for number, session in enumerate(CLAUDE):
        named = {
            result["agentId"]
            for _, record in objects(session.path)
            if isinstance(result := record.get("toolUseResult"), dict) and isinstance(result.get("agentId"), str)
        }
        if not named:
            continue
        reading = read(session, tmp_path / str(number))
        blocks = [block for found in reading.sessions for message in found.messages for block in message.blocks]
        links = {block.session_id for block in blocks if isinstance(block, ToolCall) and block.session_id}
        assert {f"claude_code:agent-{name}" for name in named} <= links
        linked += len(links)
    assert linked > 10 or not CLAUDE


@every_session
def test_pieces_give_what_the_whole_gives(session: Recorded, tmp_path: Path) -> None:
    path = put_into_home(session, tmp_path)
    file = Growing(all_agents()[session.agent], Home(tmp_path, {}), path.relative_to(tmp_path).as_posix())
    chance = random.Random(session.bytes)  # where a file is cut
    cuts = sorted(chance.randrange(len(file.data) + 1) for _ in range(6))

    assert file.in_pieces([*cuts, len(file.data)]).shown() == file.whole(file.data).shown()
