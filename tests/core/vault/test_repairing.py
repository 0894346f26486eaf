"""A damaged transcript is mended so that its agent goes on with it: nothing readable goes, every change is told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.message import Text
from holdfast_core.vault.repairing import Repaired, repaired
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agents.support import CASES, case_id, home_of

CLAUDE, CODEX = all_agents()["claude_code"], all_agents()["codex"]
MOMENT = "2026-03-02T09:00:0{}.000Z"


def line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def said(own: str, parent: str | None, text: str = "hi") -> dict[str, Any]:
    return {"parentUuid": parent, "sessionId": "s", "type": "user", "message": {"role": "user", "content": text},
            "uuid": own, "timestamp": MOMENT.format(1)}  # fmt: skip


def asked(own: str, parent: str, *calls: str) -> dict[str, Any]:
    content = [{"type": "tool_use", "id": call, "name": "Bash", "input": {}} for call in calls]
    return {"parentUuid": parent, "sessionId": "s", "type": "assistant", "uuid": own, "timestamp": MOMENT.format(2),
            "message": {"id": f"m{own}", "role": "assistant", "content": content}}  # fmt: skip


def gave(own: str, parent: str, call: str) -> dict[str, Any]:
    content = [{"type": "tool_result", "tool_use_id": call, "content": "ok"}]
    return {"parentUuid": parent, "sessionId": "s", "type": "user", "uuid": own, "timestamp": MOMENT.format(3),
            "message": {"role": "user", "content": content}}  # fmt: skip


def whats(found: Repaired) -> list[tuple[int, str]]:
    return [(change.line, change.what) for change in found.changes]


def records(found: Repaired) -> list[dict[str, Any]]:
    return [json.loads(one) for one in found.data.split(b"\n") if one]


def test_what_is_whole_stays_byte_for_byte() -> None:
    data = b'{"type": "user",  "uuid":"a", "message": {"content":"\xc3\xa4"}}\r\n\n{"type":"x","n":1.0e2}\n'

    assert repaired(data, CLAUDE) == Repaired(data, ())


def test_runs_of_nul_are_cut() -> None:
    first, second = line(said("a", None)), line(said("b", "a"))

    found = repaired(first + b"\n" + b"\0" * 4096 + b"\n" + b"\0" * 100 + second + b"\n" + b"\0" * 50, CLAUDE)

    assert found.data == first + b"\n" + second + b"\n"
    assert whats(found) == [(2, "nul_cut"), (3, "nul_cut"), (4, "nul_cut")]


def test_glued_records_are_split() -> None:
    rows = [line(said("a", None)), line(said("b", "a")), line(said("c", "b"))]

    found = repaired(rows[0] + rows[1] + b" " + rows[2] + b"\n", CLAUDE, name="s.jsonl")

    assert found.data == b"\n".join(rows) + b"\n"
    assert whats(found) == [(1, "records_split")]


def test_a_stub_before_a_whole_record_is_cut_and_told() -> None:
    first, second = line(said("a", None)), line(said("b", "a"))
    stub = line(asked("x", "a", "t"))[:90]

    found = repaired(first + b"\n" + stub + second + b"\n", CLAUDE)

    assert found.data == first + b"\n" + second + b"\n"
    assert [(change.line, change.what, change.cut) for change in found.changes] == [(2, "stub_cut", stub)]


def test_a_half_written_last_record_is_cut_and_kept_in_the_list_of_changes() -> None:
    first, half = line(said("a", None)), line(said("b", "a"))[:40]

    found = repaired(first + b"\n" + half, CLAUDE)

    assert found.data == first + b"\n"
    assert [(change.line, change.what, change.cut) for change in found.changes] == [(2, "last_record_cut", half)]


def test_a_last_record_without_a_line_end_gets_one() -> None:
    data = line(said("a", None)) + b"\n" + line(said("b", "a"))

    found = repaired(data, CLAUDE)

    assert found.data == data + b"\n"
    assert whats(found) == [(2, "newline_added")]


def test_a_line_that_cannot_be_read_stays_or_goes_as_told() -> None:
    first, second = line(said("a", None)), line(said("b", "a"))
    data = first + b"\n%% no record %%\n" + second + b"\n"

    kept, dropped = repaired(data, CLAUDE), repaired(data, CLAUDE, drops_damaged=True)

    assert (kept.data, whats(kept), kept.is_changed) == (data, [(2, "line_left")], False)
    assert dropped.data == first + b"\n" + second + b"\n"
    assert [(change.line, change.what, change.cut) for change in dropped.changes] == [
        (2, "line_dropped", b"%% no record %%")
    ]


@pytest.mark.parametrize(
    ("damaged", "mended"),
    [
        (b'{"type":"user","path":"C:\\temp \\q"}', {"type": "user", "path": "C:\temp \\q"}),
        (b'{"type":"user","text":"a\tb"}', {"type": "user", "text": "a\tb"}),
        (b'{"type":"user","n":NaN,"m":1e999}', {"type": "user", "n": None, "m": None}),
        (b'{"type":"user","text":"\xff"}', {"type": "user", "text": "\ufffd"}),
    ],
)
def test_what_a_strict_decoder_refuses_is_written_anew(damaged: bytes, mended: dict[str, Any]) -> None:
    found = repaired(line(said("a", None)) + b"\n" + damaged + b"\n", CLAUDE)

    assert records(found)[1] == mended
    assert whats(found) == [(2, "record_rewritten")]


def test_a_call_without_an_end_is_ended_behind_it_in_the_agents_own_form() -> None:
    rows = [said("a", None), asked("b", "a", "t1"), gave("c", "b", "t1"), asked("d", "c", "t2")]

    found = repaired(b"".join(line(row) + b"\n" for row in rows), CLAUDE)

    assert whats(found) == [(4, "call_ended")]
    end = records(found)[4]
    assert (end["type"], end["parentUuid"], end["sessionId"]) == ("user", "d", "s")
    assert end["message"]["content"][0]["tool_use_id"] == "t2"
    assert end["message"]["content"][0]["is_error"] is True


def test_what_followed_a_call_follows_its_end() -> None:
    rows = [said("a", None), asked("b", "a", "t1", "t2"), gave("c", "b", "t1"), said("d", "c"), said("e", "b")]

    found = repaired(b"".join(line(row) + b"\n" for row in rows), CLAUDE)

    shown = records(found)
    end = shown[2]
    assert end["message"]["content"][0]["tool_use_id"] == "t2"
    assert [row["parentUuid"] for row in shown] == [None, "a", "b", end["uuid"], "c", end["uuid"]]


def test_two_calls_of_one_answer_are_ended_one_after_the_other() -> None:
    rows = [said("a", None), asked("b", "a", "t1", "t2"), said("c", "b")]

    shown = records(repaired(b"".join(line(row) + b"\n" for row in rows), CLAUDE))

    assert [row["parentUuid"] for row in shown[2:]] == ["b", shown[2]["uuid"], shown[3]["uuid"]]


def test_a_chain_that_a_lost_record_broke_is_closed() -> None:
    rows = [line(said("a", None)), b"\0" * 300, line(said("c", "lost")), line(said("d", "c"))]

    found = repaired(b"\n".join(rows) + b"\n", CLAUDE)
    damaged = repaired(b"\n".join([rows[0], b"{half", *rows[2:]]) + b"\n", CLAUDE)

    assert [row["parentUuid"] for row in records(found)] == [None, "a", "c"]
    assert (3, "record_linked") in whats(found)
    assert (3, "record_linked") in whats(damaged)


def test_a_loose_record_where_nothing_was_lost_is_left_alone() -> None:
    data = line(said("a", None)) + b"\n" + line(said("c", "elsewhere")) + b"\n"

    assert repaired(data, CLAUDE) == Repaired(data, ())


def test_calls_of_codex_are_ended_in_both_generations() -> None:
    call = {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c1"}
    patch = {"type": "custom_tool_call", "name": "apply_patch", "input": "", "call_id": "c2"}
    done = {"type": "function_call_output", "call_id": "c0", "output": "ok"}
    rows: list[dict[str, Any]] = [{"timestamp": MOMENT.format(1), "type": "response_item", "payload": item}
                                  for item in (call, done, patch)]  # fmt: skip

    new = records(repaired(b"".join(line(row) + b"\n" for row in rows), CODEX))
    old = records(repaired(line({"id": "x"}) + b"\n" + line(call) + b"\n", CODEX))

    end = {"type": "function_call_output", "call_id": "c1", "output": "aborted"}
    assert new[1] == {"timestamp": MOMENT.format(1), "type": "response_item", "payload": end}
    assert new[4]["payload"] == {"type": "custom_tool_call_output", "call_id": "c2", "output": "aborted"}
    assert old[2] == end


def test_a_document_is_closed_where_it_was_cut() -> None:
    data = json.dumps({"id": "T", "messages": [{"text": "one"}, {"text": "two"}]}, indent=2).encode()

    found = repaired(data[:-20], all_agents()["amp"])

    assert json.loads(found.data) == {"id": "T", "messages": [{"text": "one"}]}
    assert [change.what for change in found.changes] == ["part_cut"]
    assert found.data.startswith(b'{\n  "id"')


def test_a_whole_document_loses_only_its_nuls() -> None:
    data = b'{"id":"T",\n"messages":[]}\n'

    assert repaired(data + b"\0" * 9, all_agents()["amp"]).data == data
    assert repaired(data, all_agents()["amp"]) == Repaired(data, ())


def test_text_loses_only_its_nuls() -> None:
    found = repaired(b"# aider chat started\n\0\0#### hi\n", all_agents()["aider"])

    assert found.data == b"# aider chat started\n#### hi\n"
    assert whats(found) == [(2, "nul_cut")]


@pytest.mark.parametrize(
    ("data", "agent"),
    [
        (b"SQLite format 3\0" + b"\0" * 84, "goose"),
        (b"\x28\xb5\x2f\xfd\0\0", "codex"),
        (b'{"version":1}', "jido_code"),
        (b'{"version":"1.0.0"}', "theo_code"),
        (b"\xff\xfe{\0", "claude_code"),
        (b'{"a', "amp"),
    ],
)
def test_what_cannot_be_repaired_is_refused_in_words(data: bytes, agent: str) -> None:
    with pytest.raises(Refused) as refused:
        repaired(data, all_agents()[agent], name="")

    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_repaired_copy_of_what_agents_wrote_reads_with_every_message(case: Path, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    for ref in list(agent.discover(home)):
        path = Path(ref.path)
        try:
            found = repaired(path.read_bytes(), agent, name=path.name)
            before = texts_in(agent, home, ref)
        except (Refused, SourceError):
            continue

        path.write_bytes(found.data)

        assert before <= texts_in(agent, home, ref)
        again = repaired(found.data, agent, name=path.name)
        assert again.data == found.data
        assert not again.is_changed


def texts_in(agent: Agent, home: Home, ref: SourceRef) -> Counter[tuple[str, str]]:
    """Return what was said in each session: ids may tell of lines, which move."""
    sessions = agent.read(ref, home).sessions
    blocks = [
        (read.facts.native_id, block) for read in sessions for message in read.messages for block in message.blocks
    ]
    return Counter((native_id, block.text) for native_id, block in blocks if isinstance(block, Text))


RECORDS = st.sampled_from([said("a", None), said("b", "a"), asked("d", "b", "t1"), gave("e", "d", "t1"),
                           asked("f", "e", "t2", "t3"), said("g", "f"), said("h", "lost")])  # fmt: skip
PIECES = st.one_of(
    RECORDS.map(line),
    st.tuples(RECORDS.map(line), st.integers(1, 60)).map(lambda pair: pair[0][: pair[1]]),
    st.integers(1, 20).map(lambda count: b"\0" * count),
    st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b" ", b"{}", b"[1]", b"\xff", b"}{", b'"', b"\\", b"7"]),
    st.binary(max_size=6),
)


@given(st.lists(PIECES, max_size=14).map(b"".join), st.booleans(), st.sampled_from([CLAUDE, CODEX]))
def test_repairing_again_changes_nothing_and_no_nul_is_left(data: bytes, drops: bool, agent: Any) -> None:
    found = repaired(data, agent, name="s.jsonl", drops_damaged=drops)

    again = repaired(found.data, agent, name="s.jsonl", drops_damaged=drops)

    assert again.data == found.data
    assert not again.is_changed
    assert b"\0" not in found.data


@given(st.lists(st.tuples(RECORDS, st.sampled_from([b"\n", b"", b"\0\0\n", b"\n\0\0", b" "])), max_size=10))
def test_every_whole_record_is_in_the_copy_in_its_order(rows: list[tuple[dict[str, Any], bytes]]) -> None:
    data = b"".join(line(record) + after for record, after in rows)

    found = repaired(data, CLAUDE, name="s.jsonl")

    kept = [record["uuid"] for record in records(found)]
    wanted = [record["uuid"] for record, _ in rows]
    assert [own for own in kept if own in {"a", "b", "d", "e", "f", "g", "h"}] == wanted
