"""What belongs to a source: enough of it to read the same elsewhere, nothing through a link, never without bounds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents._beside import FILES_LIMIT, files_beside
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.model.usage import Usage

from tests.core.agents.support import CASES, case_id, home_of, refs_of

SESSION = "a1a10000-0000-4000-8000-00000000000a"
# The first looks which sessions have a file; what the second does not tell stands in another one.
LOOKS_AT_OTHERS = {"logs.json", "state.vscdb"}
# Whether a call leads to a subagent's session depends on whether that has a file.
LEADS_TO_OTHERS = {"omp-tasks"}


def said(agent: Agent, ref: SourceRef, home: Home) -> object:
    reading = agent.read(ref, home)
    # Whether a subagent's tokens are counted here depends on whether its own file is there.
    plain = [msgspec.structs.replace(read.facts, usage=Usage(), cost_usd=None) for read in reading.sessions]
    return plain, [read.messages for read in reading.sessions]


@pytest.mark.parametrize("case", [case for case in CASES if case_id(case) not in LEADS_TO_OTHERS], ids=case_id)
def test_a_source_and_its_companions_alone_read_as_in_the_whole_home(case: Path, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    kept = home.path.rename(tmp_path / "kept")
    shutil.copytree(kept, home.path)

    for ref in list(refs_of(agent, home).values()):
        if Path(ref.path).name in LOOKS_AT_OTHERS:
            continue
        whole, needed = said(agent, ref, home), agent.companions(ref, home)
        shutil.rmtree(home.path)
        for path in [Path(ref.path), *needed]:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(kept / path.relative_to(home.path), path)
        alone = said(agent, ref, home)
        shutil.rmtree(home.path)
        shutil.copytree(kept, home.path)

        assert alone == whole


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_no_source_is_a_companion_and_indexes_are(case: Path, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    sources = {ref.path for ref in agent.discover(home)}

    for ref in agent.discover(home):
        found = agent.companions(ref, home)

        assert len(set(found)) == len(found)
        assert not sources & set(map(str, found))
        assert set(agent.indexes(ref, home)) <= set(found)
        assert all(path.is_file() and not path.is_symlink() for path in found)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_source_outside_of_its_agents_directories_has_none(case: Path, tmp_path: Path) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, tmp_path)
    (tmp_path / "elsewhere").mkdir()

    for ref in agent.discover(home):
        assert agent.indexes(ref, Home(tmp_path / "elsewhere", {})) == []


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x", "utf-8")
    return path


def test_what_claude_code_keeps_of_a_session_is_found(tmp_path: Path) -> None:
    config = tmp_path / ".claude"
    source = config / "projects" / "-p" / f"{SESSION}.jsonl"
    put(source).write_text('{"type":"user","slug":"calm-blue-sea","message":{"content":"hi"}}\n', "utf-8")
    own = [
        put(config / "file-history" / SESSION / "0a@v1"),
        put(config / "plans" / "calm-blue-sea.md"),
        put(config / "projects" / "-p" / SESSION / "tool-results" / "toolu_1.txt"),
        put(config / "tasks" / SESSION / "1.json"),
        put(config / "todos" / f"{SESSION}-agent-{SESSION}.json"),
    ]
    listed = put(config / "projects" / "-p" / "sessions-index.json")
    put(config / "todos" / "another-agent-another.json")
    put(config / "plans" / "another.md")
    agent, home = all_agents()["claude_code"], Home(tmp_path, {})
    (ref,) = agent.discover(home)

    assert agent.companions(ref, home) == [*own, listed]
    assert agent.indexes(ref, home) == [listed]
    assert len(agent.restore_notes(ref, home)) == 1


def test_what_codex_keeps_of_all_threads_is_found_beside_each(tmp_path: Path) -> None:
    config = tmp_path / ".codex"
    put(config / "sessions" / "2026" / "03" / "03" / f"rollout-2026-03-03T10-00-00-{SESSION}.jsonl")
    put(config / "archived_sessions" / f"rollout-2026-03-03T10-00-00-{SESSION[:-1]}b.jsonl")
    listed = [put(config / "history.jsonl"), put(config / "session_index.jsonl")]
    put(config / "auth.json")
    agent, home = all_agents()["codex"], Home(tmp_path, {})

    found = [agent.companions(ref, home) for ref in agent.discover(home)]

    assert found == [listed, listed]


def test_a_link_is_no_companion_and_leads_to_none(tmp_path: Path) -> None:
    config = tmp_path / ".claude"
    put(config / "projects" / "-p" / f"{SESSION}.jsonl")
    put(tmp_path / "secret" / "1.json")
    (config / "tasks").mkdir()
    (config / "tasks" / SESSION).symlink_to(tmp_path / "secret")
    (config / "projects" / "-p" / "sessions-index.json").symlink_to(tmp_path / "secret" / "1.json")
    agent, home = all_agents()["claude_code"], Home(tmp_path, {})
    (ref,) = agent.discover(home)

    assert agent.companions(ref, home) == []


def test_companions_are_bounded_and_sorted(tmp_path: Path) -> None:
    source = put(tmp_path / "root" / "s.jsonl")
    folder = tmp_path / "root" / "s"
    folder.mkdir()
    for number in range(FILES_LIMIT + 5):
        os.close(os.open(folder / f"{number:05}.txt", os.O_CREAT | os.O_WRONLY))

    found = files_beside(str(source), ("{stem}/*",), root=str(tmp_path / "root"))

    assert found == [folder / f"{number:05}.txt" for number in range(FILES_LIMIT)]


def test_a_pattern_leads_no_higher_than_the_folder_above_the_root(tmp_path: Path) -> None:
    put(tmp_path / "a" / "above.json")
    put(tmp_path / "a" / "b" / "in.json")
    source = put(tmp_path / "a" / "b" / "root" / "p" / "s.jsonl")

    found = files_beside(str(source), ("../../in.json", "../../../above.json"), root=str(tmp_path / "a" / "b" / "root"))

    assert found == [tmp_path / "a" / "b" / "in.json"]


def test_the_name_of_a_source_is_no_pattern(tmp_path: Path) -> None:
    source = put(tmp_path / "root" / "[ab].jsonl")
    put(tmp_path / "root" / "a.json")
    own = put(tmp_path / "root" / "[ab].json")

    assert files_beside(str(source), ("{stem}.json",), root=str(tmp_path / "root")) == [own]


def test_a_session_is_in_use_while_its_process_says_so(tmp_path: Path) -> None:
    config = tmp_path / ".claude"
    put(config / "projects" / "-p" / f"{SESSION}.jsonl")
    mark = put(config / "sessions" / f"{os.getpid()}.json")
    agent, home = all_agents()["claude_code"], Home(tmp_path, {})
    (ref,) = agent.discover(home)

    assert not agent.is_in_use(ref, home)
    mark.write_text(f'{{"sessionId":"{SESSION}"}}', "utf-8")
    assert agent.is_in_use(ref, home)
    mark.rename(mark.with_name("4194304.json"))  # more than any process here
    assert not agent.is_in_use(ref, home)


def test_a_lock_of_a_process_that_is_gone_locks_nothing(tmp_path: Path) -> None:
    folder = tmp_path / ".copilot" / "session-state" / SESSION
    put(folder / "events.jsonl")
    agent, home = all_agents()["copilot_cli"], Home(tmp_path, {})
    (ref,) = agent.discover(home)
    lock = put(folder / "inuse.4194304.lock")

    assert not agent.is_in_use(ref, home)
    lock.rename(folder / f"inuse.{os.getpid()}.lock")
    assert agent.is_in_use(ref, home)


@pytest.mark.parametrize(
    ("agent", "place", "expected"),
    [
        ("claude_code", ".claude/projects/-old/s.jsonl", ".claude/projects/-home-ada-new-place/s.jsonl"),
        ("claude_code", ".claude/projects/-old/agent-1.jsonl", None),
        ("kode", ".kode/projects/-old/s.jsonl", ".kode/projects/-home-ada-new-place/s.jsonl"),
        ("qoder", ".qoder/projects/-old/s.jsonl", ".qoder/projects/-home-ada-new-place/s.jsonl"),
        ("qwen", ".qwen/projects/-old/chats/s.jsonl", ".qwen/projects/-home-ada-new-place/chats/s.jsonl"),
        ("qwen", ".qwen/projects/-old/chats/archive/s.jsonl", None),
        (
            "kimi",
            ".kimi/sessions/9fcbb61d3c5d11c6245fe401485a8e9d/s/wire.jsonl",
            ".kimi/sessions/60b55ce5e1c0477cb5dbe9abe9f7626b/s/wire.jsonl",
        ),
        ("kimi", ".kimi-code/sessions/wd_a_0123456789ab/session_1/agents/main/wire.jsonl", None),
        (
            "grok",
            ".grok/sessions/%2Fold/s/chat_history.jsonl",
            ".grok/sessions/%2Fhome%2Fada%2Fnew.place/s/chat_history.jsonl",
        ),
        ("codex", ".codex/sessions/2026/03/03/rollout-1.jsonl", None),
    ],
)  # fmt: skip
def test_where_an_agent_looks_from_another_directory_is_told(
    agent: str, place: str, expected: str | None, tmp_path: Path
) -> None:
    put(tmp_path / place)
    home = Home(tmp_path, {})
    (ref,) = all_agents()[agent].discover(home)

    found = all_agents()[agent].place_in_project(ref, home, "/home/ada/new.place")

    assert found == (expected and tmp_path / expected)


@pytest.mark.parametrize(
    ("path", "head", "ending"),
    [
        ("a.jsonl", b'{"timestamp"', "a.jsonl"),
        ("a.jsonl.zst", b'{"timestamp"', "a.jsonl"),
        ("a.jsonl", b"\x28\xb5\x2f\xfd\0", "a.jsonl.zst"),
        ("a.json", b'{"session"', "a.json"),
    ],
)
def test_a_rollout_belongs_where_its_form_is_looked_for(path: str, head: bytes, ending: str, tmp_path: Path) -> None:
    put(tmp_path / ".codex" / "sessions" / path)
    agent = all_agents()["codex"]
    (ref,) = agent.discover(Home(tmp_path, {}))

    assert agent.place_for(ref, head).name == ending
