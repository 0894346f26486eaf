"""Mux: a conversation that lies in two files, and what was counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading, ResumeTarget
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.message import Text
from hypothesis import given, settings
from hypothesis import strategies as st

AGENT = all_agents()["mux"]


def said(name: str, text: str, role: str = "user", **metadata: Any) -> dict[str, Any]:
    return {"id": name, "role": role, "parts": [{"type": "text", "text": text}], "metadata": metadata}


def write(folder: Path, *records: dict[str, Any], name: str = "chat.jsonl", below: str = ".mux") -> Home:
    path = folder / below / "sessions" / "w" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return Home(folder, {})


def reading(home: Home) -> Reading:
    (ref,) = AGENT.discover(home)
    return AGENT.read(ref, home)


def words(found: Reading) -> list[str]:
    blocks = [block for message in found.sessions[0].messages for block in message.blocks]
    return [block.text for block in blocks if isinstance(block, Text)]


def test_what_was_put_away_comes_first_and_nothing_twice(tmp_path: Path) -> None:
    write(tmp_path, said("a", "One"), said("b", "Two"), name="chat-archive.jsonl")

    found = reading(write(tmp_path, said("b", "Two"), said("c", "Three")))

    assert words(found) == ["One", "Two", "Three"]
    assert [message.line for message in found.sessions[0].messages] == [0, 0, 2]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"inputTokens": 100, "outputTokens": 20, "cachedInputTokens": 60, "reasoningTokens": 5}, (40, 20, 60, 5)),
        ({"inputTokens": 100, "outputTokens": 3, "reasoningTokens": 5}, (100, 8, 0, 5)),
        ({"inputTokens": 10, "outputTokens": 1, "cachedInputTokens": 60}, (0, 1, 60, 0)),
        ({"inputTokens": 100, "outputTokens": 1, "inputTokenDetails": {"cacheReadTokens": 70}}, (30, 1, 70, 0)),
    ],
)
def test_counts_of_several_versions(tmp_path: Path, counts: dict[str, Any], expected: tuple[int, ...]) -> None:
    usage = reading(write(tmp_path, said("a", "x", "assistant", usage=counts))).sessions[0].facts.usage

    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.reasoning_tokens) == expected


@pytest.mark.parametrize(
    ("variables", "below"), [({}, ".cmux"), ({}, ".xum"), ({"MUX_ROOT": "~/m"}, "m"), ({"XUM_ROOT": "~/x"}, "x")]
)
def test_sessions_are_in_several_places(tmp_path: Path, variables: dict[str, str], below: str) -> None:
    write(tmp_path, said("a", "Hi"), below=below)

    assert len(list(AGENT.discover(Home(tmp_path, variables)))) == 1


def test_a_session_is_continued_in_the_application() -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget("w", "main", "/p", "/x/chat.jsonl"))


@settings(max_examples=60, deadline=None, database=None)
@given(content=st.binary(max_size=300), cut=st.integers(0, 400))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int) -> None:
    home = write(tmp_path_factory.mktemp("mux"), said("a", "One"), said("b", "Two", "assistant"))
    path = home.path / ".mux" / "sessions" / "w" / "chat.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:cut] + content + data[cut:])

    try:
        found = reading(home)
    except SourceError as error:
        assert error.reason == "utf16"
        return
    assert all(session.facts.message_count == len(session.messages) for session in found.sessions)
