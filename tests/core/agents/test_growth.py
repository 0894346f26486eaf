"""A file that grows: reading what was appended gives what reading all of it gives."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.model.message import ToolCall
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.agents.support import DATA, Gathered, Growing, home_of, sources
from tests.fakes.line_file import MemoryReader, grows

GROWING = [
    (case, path)
    for case, path in sources()
    if grows(case.parent.name) and path.endswith(".jsonl") and (case / "home" / path).stat().st_size
]
every_source = pytest.mark.parametrize(
    ("case", "path"), GROWING, ids=[f"{case.parent.name}-{case.name}-{path[-18:-6]}" for case, path in GROWING]
)
PLAIN = [
    ("claude_code", ".claude/projects/-home-ada-work-lighthouse/a1a10000-0000-4000-8000-00000000000a.jsonl"),
    ("codex", ".codex/sessions/2026/03/03/rollout-2026-03-03T10-00-00-019cb000-0000-7000-8000-00000000000a.jsonl"),
]
both = pytest.mark.parametrize(("agent", "path"), PLAIN, ids=[agent for agent, _ in PLAIN])


def growing(case: Path, path: str, folder: Path) -> Growing:
    return Growing(all_agents()[case.parent.name], home_of(case, folder), path)


def line_ends(data: bytes) -> list[int]:
    return [place + 1 for place, byte in enumerate(data) if byte == 0x0A]


@every_source
def test_every_byte_prefix_reads_as_its_complete_records(case: Path, path: str, tmp_path: Path) -> None:
    """A record counts from its last byte on, with or without a line end, and never before."""
    file = growing(case, path, tmp_path)
    reader = MemoryReader(case.parent.name, file.path)
    start = 0
    for end in [*line_ends(file.data), len(file.data)]:
        checkpoint = reader.read(file.data[:start]).checkpoint
        for cut in range(start + 1, end):
            reading = reader.read(file.data[:cut], checkpoint)
            assert reading.checkpoint is not None
            if reading.checkpoint.offset == start:
                assert not reading.problems
                assert not any(session.messages for session in reading.sessions)
            else:
                assert reading.checkpoint.offset == cut
                assert file.data[:cut].rstrip(b"\r").endswith(b"}")
        start = end


@both
def test_a_prefix_gives_the_same_whatever_came_before(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    reader = MemoryReader(agent, file.path)

    for end in line_ends(file.data):
        for cut in (end - 2, end - 1, end, end + 1, end + 9):
            complete = file.data.rfind(b"\n", 0, cut) + 1 if cut not in (end - 1, end) else end
            found, expected = Gathered(), Gathered()
            found.take(reader.read(file.data[:cut]))
            expected.take(reader.read(file.data[:complete]))
            assert found.shown() == expected.shown()


@every_source
def test_every_line_read_by_itself_gives_the_whole(case: Path, path: str, tmp_path: Path) -> None:
    file = growing(case, path, tmp_path)

    found = file.in_pieces([*line_ends(file.data), len(file.data)])

    assert found.shown() == file.whole(file.data).shown()


@every_source
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_pieces_of_any_size_give_the_whole(
    case: Path, path: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = growing(case, path, tmp_path_factory.mktemp("growing"))
    reader = MemoryReader(case.parent.name, file.path)
    places = st.one_of(st.integers(0, len(file.data)), st.sampled_from([0, *line_ends(file.data)]))

    cuts = sorted(data.draw(st.lists(places, min_size=1, max_size=8)))

    gathered = Gathered()
    for cut in [*cuts, len(file.data)]:
        gathered.take(reader.read(file.data[:cut], gathered.checkpoint))
    whole = Gathered()
    whole.take(reader.read(file.data))
    assert gathered.shown() == whole.shown()


@both
def test_an_unchanged_file_gives_nothing_new(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    first = file.read(file.data)

    again = file.read(file.data, first.checkpoint)

    assert again.was_continued
    assert again.bytes_read == 0
    assert [session.messages for session in again.sessions] == [[]]
    assert [session.facts for session in again.sessions] == [session.facts for session in first.sessions]


@both
def test_what_is_read_grows_with_what_was_appended(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    lines = file.data.splitlines(keepends=True)
    long = lines[0] + b"".join(lines[1:]) * 200
    first = file.read(long)

    second = file.read(long + lines[-1], first.checkpoint)

    assert second.was_continued
    assert second.bytes_read < 20 * len(lines[-1])


@both
def test_the_state_stays_small(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    lines = file.data.splitlines(keepends=True)

    checkpoint = file.read(lines[0] + b"".join(lines[1:]) * 300).checkpoint

    assert checkpoint is not None
    assert len(checkpoint.state) < 16_000


@both
def test_a_rewritten_file_is_read_from_its_start(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    ends = line_ends(file.data)
    checkpoint = file.read(file.data).checkpoint
    changed = bytearray(file.data)
    changed[ends[-2] + 30] ^= 1

    shrunk, replaced = file.read(file.data[: ends[4]], checkpoint), file.read(bytes(changed), checkpoint)

    assert not shrunk.was_continued
    assert not replaced.was_continued
    assert shrunk.sessions[0].facts == file.whole(file.data[: ends[4]]).facts[shrunk.sessions[0].facts.id]


@both
def test_the_state_of_another_version_is_not_used(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    checkpoint = file.read(file.data).checkpoint
    assert checkpoint is not None
    for state in (b"", b"\x93\x01", checkpoint.state[:-3], b"\x80"):
        reading = file.read(file.data, type(checkpoint)(checkpoint.offset, checkpoint.tail_hash, state))

        assert not reading.was_continued
        assert reading.sessions[0].messages


@both
def test_a_file_replaced_while_it_is_open_is_read_as_it_was_opened(agent: str, path: str, tmp_path: Path) -> None:
    file = growing(DATA / agent / "plain", path, tmp_path)
    first = file.read(file.data)
    other = tmp_path / "other"
    other.write_bytes(b"{}\n")
    other.replace(file.path)

    reading = file.read(b"{}\n", first.checkpoint)

    assert not reading.was_continued
    assert reading.sessions[0].messages == []


def records_of(file: Growing) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.data.splitlines()]


def lines_of(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_a_fuller_row_gives_its_answer_again_and_no_more(tmp_path: Path) -> None:
    agent, path = PLAIN[0]
    file = growing(DATA / agent / "plain", path, tmp_path)
    records = records_of(file)
    (second,) = (place for place, record in enumerate(records) if "I will look" in json.dumps(record))
    first = file.read(lines_of(records[: second + 1]))

    reading = file.read(lines_of(records[: second + 2]), first.checkpoint)

    (session,) = reading.sessions
    assert reading.was_continued
    assert session.first_index == 1
    assert [message.usage is not None for message in session.messages] == [True, False, False]
    assert [response.key for response in session.responses] == ["msg_A:req_A"]


def test_a_call_is_linked_when_its_result_comes_later(tmp_path: Path) -> None:
    case = DATA / "claude_code" / "subagents"
    path = ".claude/projects/-home-ada-work-lighthouse/b2b20000-0000-4000-8000-00000000000b.jsonl"
    file = growing(case, path, tmp_path)
    records = [record for record in records_of(file) if record["type"] != "progress"]
    first = file.read(lines_of(records[:2]))

    reading = file.read(lines_of(records[:3]), first.checkpoint)

    (session,) = reading.sessions
    (call,) = session.messages[0].blocks
    assert reading.was_continued
    assert session.first_index == 1
    assert isinstance(call, ToolCall)
    assert call.session_id == "claude_code:agent-a1b2c3d4e5f6a7b8c"


def test_a_rollback_takes_messages_back_that_were_given(tmp_path: Path) -> None:
    case = DATA / "codex" / "rollback"
    path = ".codex/sessions/2026/03/03/rollout-2026-03-03T10-00-00-019cd000-0000-7000-8000-00000000000a.jsonl"
    file = growing(case, path, tmp_path)
    records = records_of(file)
    (rollback,) = (place for place, record in enumerate(records) if "thread_rolled_back" in json.dumps(record))
    first = file.read(lines_of(records[:rollback]))

    reading = file.read(lines_of(records[: rollback + 1]), first.checkpoint)

    (session,) = reading.sessions
    assert len(first.sessions[0].messages) == 6
    assert reading.was_continued
    assert (session.first_index, session.messages) == (2, [])
    assert session.facts.message_count == 2


def test_a_file_that_is_cut_while_it_is_read_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"{}\n" * 3_000_000)

    with LineFile(str(path), root=str(tmp_path)) as file:
        lines = file.lines()
        next(lines)
        os.truncate(path, 1000)

        assert sum(1 for _ in lines) > 1000
        assert not file.is_steady()
