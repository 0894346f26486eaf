"""Hostile files, each as a real one: refused at once or read as far as it can be, and never with much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import zstandard
from holdfast_core.agents import all_agents
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents.base import Home, Reading, SourceRef
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Text

SECONDS = 10  # a second on an idle machine; tests share theirs
CODEX = "rollout-2026-03-03T10-00-00-019cb000-0000-7000-8000-00000000000a"


def said(number: int) -> bytes:
    record = {
        "type": "user",
        "uuid": f"u{number}",
        "sessionId": "s",
        "timestamp": "2026-03-02T09:00:00.000Z",
        "message": {"role": "user", "content": f"Line {number}"},
    }
    return json.dumps(record).encode()


def claude_file(folder: Path, content: bytes = b"") -> Path:
    path = folder / ".claude" / "projects" / "-p" / "s.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def codex_file(folder: Path, ending: str, content: bytes) -> Path:
    path = folder / ".codex" / "sessions" / f"{CODEX}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(folder: Path, agent: str = "claude_code") -> Reading:
    home = Home(folder, {})
    (ref,) = all_agents()[agent].discover(home)
    started = time.monotonic()
    try:
        return all_agents()[agent].read(ref, home)
    finally:
        assert time.monotonic() - started < SECONDS


def refusal(folder: Path, agent: str = "claude_code") -> str:
    with pytest.raises(SourceError) as caught:
        read(folder, agent)
    return caught.value.reason


def words(reading: Reading) -> list[str]:
    return [
        block.text for message in reading.sessions[0].messages for block in message.blocks if isinstance(block, Text)
    ]


def reasons(reading: Reading) -> list[str]:
    return [problem.reason for problem in reading.problems]


def codex_said(number: int) -> bytes:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"Line {number}"}]}
    return json.dumps({"timestamp": "2026-03-03T09:00:00Z", "type": "response_item", "payload": item}).encode()


def test_a_compressed_rollout_is_read(tmp_path: Path) -> None:
    lines = b"\n".join(map(codex_said, range(9))) + b"\n"
    codex_file(tmp_path, ".jsonl.zst", zstandard.ZstdCompressor(level=3).compress(lines))

    reading = read(tmp_path, "codex")

    assert words(reading) == [f"Line {number}" for number in range(9)]
    assert reading.checkpoint is None
    assert reading.problems == []
    assert reading.bytes_read < len(lines)


def test_a_compressed_rollout_with_a_torn_tail_shows_what_is_whole(tmp_path: Path) -> None:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    data = b""
    for number in range(50):
        data += compressor.compress(codex_said(number) + b"\n") + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    whole = data + compressor.flush()
    codex_file(tmp_path, ".jsonl.zst", whole[: len(whole) // 2])

    reading = read(tmp_path, "codex")

    assert words(reading)[:2] == ["Line 0", "Line 1"]
    assert 10 < len(words(reading)) < 50
    assert reasons(reading) == ["truncated"]


def test_a_bomb_that_says_its_size_is_refused(tmp_path: Path) -> None:
    codex_file(tmp_path, ".jsonl.zst", zstandard.ZstdCompressor(level=19).compress(b"0" * (500 << 20)))

    assert refusal(tmp_path, "codex") == "compressed"


def test_a_frame_that_declares_terabytes_is_refused(tmp_path: Path) -> None:
    codex_file(tmp_path, ".jsonl.zst", bytes.fromhex("28b52ffd") + b"\xe0" + (1 << 42).to_bytes(8, "little"))

    assert refusal(tmp_path, "codex") == "compressed"


def test_a_window_that_is_too_wide_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = compressor.compress(codex_said(1) + b"\n") + compressor.flush()
    codex_file(tmp_path, ".jsonl.zst", data)

    assert refusal(tmp_path, "codex") == "compressed"


def test_random_bytes_are_no_compressed_rollout(tmp_path: Path) -> None:
    codex_file(tmp_path, ".jsonl.zst", b"random bytes")

    assert refusal(tmp_path, "codex") == "wrong_format"


def test_plain_wins_over_compressed_and_both_keep_one_key(tmp_path: Path) -> None:
    home, agent = Home(tmp_path, {}), all_agents()["codex"]
    compressed = codex_file(tmp_path, ".jsonl.zst", zstandard.ZstdCompressor().compress(codex_said(1) + b"\n"))
    (before,) = agent.discover(home)
    plain = codex_file(tmp_path, ".jsonl", codex_said(2) + b"\n")

    (after,) = agent.discover(home)

    assert (before.path, after.path) == (str(compressed), str(plain))
    assert before.key == after.key
    assert words(agent.read(after, home)) == ["Line 2"]


def test_a_line_over_the_limit_is_skipped_and_the_next_is_read(tmp_path: Path) -> None:
    huge = b'{"type":"user","message":{"content":"' + b"x" * (65 << 20) + b'"}}'
    claude_file(tmp_path, said(1) + b"\n" + huge + b"\n" + said(2) + b"\n")

    reading = read(tmp_path)

    assert words(reading) == ["Line 1", "Line 2"]
    assert [(problem.line, problem.reason) for problem in reading.problems] == [(2, "line_too_long")]


def test_a_line_of_900_megabytes_costs_little_memory(tmp_path: Path) -> None:
    path = claude_file(tmp_path)
    with path.open("wb") as file:
        file.write(said(1) + b"\n")
        file.truncate(900 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + said(2) + b"\n")
    script = f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parents[3] / "core")!r})
        from pathlib import Path
        from holdfast_core.agents import all_agents
        from holdfast_core.agents.base import Home
        home, agent = Home(Path({str(tmp_path)!r}), {{}}), all_agents()["claude_code"]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (ref,) = agent.discover(home)
        messages = agent.read(ref, home).sessions[0].messages
        print(len(messages), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """

    found = subprocess.run(  # our own interpreter
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=60
    )

    messages, kilobytes = map(int, found.stdout.split())
    assert messages == 2
    assert kilobytes < 256 << 10


@pytest.mark.parametrize("depth", [5_000, 200_000])
@pytest.mark.parametrize("pair", [b"[]", b"{}"])
def test_deep_nesting_is_skipped(tmp_path: Path, depth: int, pair: bytes) -> None:
    opening = b"[" if pair == b"[]" else b'{"a":'
    deep = b'{"type":"user","x":' + opening * depth + b"1" + pair[1:] * depth + b"}"
    claude_file(tmp_path, said(1) + b"\n" + deep + b"\n" + said(2) + b"\n")

    reading = read(tmp_path)

    assert words(reading) == ["Line 1", "Line 2"]
    assert reasons(reading) == ["too_deep"]


def test_the_last_of_two_equal_keys_wins(tmp_path: Path) -> None:
    claude_file(tmp_path, b'{"type":"x","type":"user","message":{"content":"a","content":"b"}}\n')

    assert words(read(tmp_path)) == ["b"]


def test_utf16_is_refused_and_a_bom_is_not(tmp_path: Path) -> None:
    claude_file(tmp_path, said(1).decode().encode("utf-16"))
    assert refusal(tmp_path) == "utf16"

    claude_file(tmp_path, b"\xef\xbb\xbf" + said(1) + b"\n")
    assert words(read(tmp_path)) == ["Line 1"]


def test_a_tail_of_zeros_is_passed_over_when_the_file_goes_on(tmp_path: Path) -> None:
    claude_file(tmp_path, said(1) + b"\n" + b"\0" * 9000)
    first = read(tmp_path)

    claude_file(tmp_path, said(1) + b"\n" + b"\0" * 9000 + said(2) + b"\n")

    assert (words(first), first.problems) == (["Line 1"], [])
    assert (words(read(tmp_path)), read(tmp_path).problems) == (["Line 1", "Line 2"], [])


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_one_block_may_stand_without_its_list(tmp_path: Path, role: str) -> None:
    said_in = {"role": role, "id": "m", "content": {"type": "text", "text": "alone"}}
    claude_file(tmp_path, json.dumps({"type": role, "uuid": "u", "message": said_in}).encode() + b"\n")

    assert words(read(tmp_path)) == ["alone"]


def test_a_message_without_content_says_nothing_whatever_else_is_wrong_with_it(tmp_path: Path) -> None:
    record = {"type": "user", "uuid": "u", "cwd": 7, "message": {"role": "user", "content": None}}
    claude_file(tmp_path, said(1) + b"\n" + json.dumps(record).encode() + b"\n")

    assert words(read(tmp_path)) == ["Line 1"]


def test_separators_within_strings_end_no_line(tmp_path: Path) -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf"
    record = {"type": "user", "message": {"content": text}}
    claude_file(tmp_path, json.dumps(record, ensure_ascii=False).encode() + b"\r\n" + said(2) + b"\r\n")

    assert words(read(tmp_path)) == [text, "Line 2"]


def test_many_tiny_lines_are_read_without_keeping_their_problems_for_ever(tmp_path: Path) -> None:
    claude_file(tmp_path, b"x\n" * 20_000 + said(1) + b"\n")

    reading = read(tmp_path)

    assert words(reading) == ["Line 1"]
    assert len(reading.problems) == 1000


def test_a_run_of_empty_lines_is_counted_and_costs_nothing(tmp_path: Path) -> None:
    path = claude_file(tmp_path, said(1) + b"\n" * 20_000_000 + b"bad\n\n\n" + said(2) + b"\n")

    reading = read(tmp_path)
    with LineFile(str(path), root=str(tmp_path)) as file:
        looked_at = sum(1 for _ in file.lines())

    assert words(reading) == ["Line 1", "Line 2"]
    assert [problem.line for problem in reading.problems] == [20_000_001]
    assert looked_at < 20


def test_a_sparse_file_of_a_terabyte_is_refused(tmp_path: Path) -> None:
    path = claude_file(tmp_path)
    os.truncate(path, 1 << 40)

    assert refusal(tmp_path) == "too_large"


def test_a_sparse_file_below_the_cap_is_refused_by_its_blocks(tmp_path: Path) -> None:
    path = claude_file(tmp_path)
    os.truncate(path, 3 << 29)

    assert refusal(tmp_path) == "too_large"


def test_a_hole_of_a_gigabyte_is_one_line_that_is_too_long(tmp_path: Path) -> None:
    path = claude_file(tmp_path, said(1) + b"\n")
    os.truncate(path, (1 << 30) + 4096)
    with path.open("ab") as file:
        file.write(b"\n" + said(2) + b"\n")

    reading = read(tmp_path)

    assert words(reading) == ["Line 1", "Line 2"]
    assert [problem.reason for problem in reading.problems] == ["line_too_long"]


def test_a_chain_of_links_is_no_source(tmp_path: Path) -> None:
    path = claude_file(tmp_path, said(1) + b"\n")
    for number in range(40):
        link = path.with_name(f"l{number}.jsonl")
        link.symlink_to(path if number == 0 else path.with_name(f"l{number - 1}.jsonl"))

    assert [Path(ref.path).name for ref in all_agents()["claude_code"].discover(Home(tmp_path, {}))] == ["s.jsonl"]


def test_devices_are_refused(tmp_path: Path) -> None:
    path = claude_file(tmp_path, said(1))
    home, agent = Home(tmp_path, {}), all_agents()["claude_code"]
    (ref,) = agent.discover(home)
    path.unlink()
    for device in ("/dev/zero", "/dev/tty"):
        path.symlink_to(device)
        with pytest.raises(SourceError) as caught:
            agent.read(ref, home)
        assert caught.value.reason == "symlink"
        path.unlink()


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    folder = os.fsencode(claude_file(tmp_path, said(1) + b"\n").parent)
    Path(os.fsdecode(folder), "s.jsonl").rename(os.fsdecode(folder + b"/\xff\xfe.jsonl"))
    long = folder + b"/" + b"n" * 249 + b".jsonl"
    Path(os.fsdecode(long)).write_bytes(said(2) + b"\n")
    home, agent = Home(tmp_path, {}), all_agents()["claude_code"]

    found = {os.fsencode(Path(ref.path).name): words(agent.read(ref, home)) for ref in agent.discover(home)}

    assert found == {b"\xff\xfe.jsonl": ["Line 1"], b"n" * 249 + b".jsonl": ["Line 2"]}


def test_a_hard_link_is_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(said(1) + b"\n")
    path = claude_file(tmp_path)
    path.unlink()
    path.hardlink_to(outside)

    assert words(read(tmp_path)) == ["Line 1"]


@pytest.mark.parametrize("name", ["..", "../x", "a\0b"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    claude_file(tmp_path, said(1))
    home, agent = Home(tmp_path, {}), all_agents()["claude_code"]
    (ref,) = agent.discover(home)
    other = SourceRef(ref.agent, ref.key, f"{Path(ref.path).parent}/{name}/../s.jsonl", ref.fingerprint)

    with pytest.raises(SourceError):
        agent.read(other, home)


def test_a_working_directory_of_a_million_characters_is_cut(tmp_path: Path) -> None:
    record = {"type": "user", "cwd": "/" + "x" * 1_000_000, "message": {"content": "hi"}}
    claude_file(tmp_path, json.dumps(record).encode() + b"\n")

    assert len(read(tmp_path).sessions[0].facts.project_path) == 4096
