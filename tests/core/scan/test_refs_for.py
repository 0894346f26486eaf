"""A reader asked for some paths gives what a look everywhere gives below them, and looks nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, SourceRef

LAYOUTS = {
    "claude_code": (
        ".claude/projects/-p/one.jsonl",
        ".claude/projects/-p/one/subagents/agent-1.jsonl",
        ".claude/projects/-p/one/subagents/agent-1.meta.json",
        ".claude/projects/-p/one/subagents/other.jsonl",
        ".claude/projects/-p/one/subagents/workflows/w/agent-2.jsonl",
        ".claude/projects/-p/one/subagents/workflows/w/journal.jsonl",
        ".claude/projects/-p/one/tool-results/x.jsonl",
        ".claude/projects/-p/memory.md",
        ".claude/projects/-q/agent-3.jsonl",
        ".claude/projects/loose.jsonl",
        ".claude/history.jsonl",
        ".config/claude/projects/-r/two.jsonl",
        ".config/Claude/local-agent-mode-sessions/a/b/local_c/.claude/projects/-s/three.jsonl",
    ),
    "codex": (
        ".codex/sessions/2026/11/20/rollout-2026-11-20T10-00-00-0190a000-0000-7000-8000-000000000001.jsonl",
        ".codex/sessions/2026/11/20/rollout-2026-11-20T10-00-00-0190a000-0000-7000-8000-000000000002.jsonl.zst",
        ".codex/sessions/2026/11/20/other.txt",
        ".codex/sessions/rollout-2025-05-01-0190a000-0000-7000-8000-000000000003.json",
        ".codex/archived_sessions/rollout-2026-11-19T10-00-00-0190a000-0000-7000-8000-000000000004.jsonl",
        ".codex/history.jsonl",
        ".codex/session_index.jsonl",
    ),
}
AGENTS = [name for name in LAYOUTS if name in all_agents()]


def by_key(refs: Iterable[SourceRef]) -> list[SourceRef]:
    return sorted(refs, key=lambda ref: ref.key)


def make(home: Path, name: str) -> list[Path]:
    paths = [home / path for path in LAYOUTS[name]]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    return paths


def below(agent: Agent, home: Home, path: Path) -> list[SourceRef]:
    return by_key(ref for ref in agent.discover(home) if Path(ref.path).is_relative_to(path))


@pytest.mark.parametrize("name", AGENTS)
def test_each_path_gives_what_a_look_everywhere_gives_there(name: str, tmp_path: Path) -> None:
    agent, home = all_agents()[name], Home(tmp_path, {})
    files = make(tmp_path, name)
    paths = {*files, *(parent for path in files for parent in path.parents if parent.is_relative_to(tmp_path))}

    for path in sorted(paths):
        assert by_key(agent.refs_for(home, [str(path)])) == below(agent, home, path), path


@pytest.mark.parametrize("name", AGENTS)
def test_many_paths_give_each_source_that_is_there(name: str, tmp_path: Path) -> None:
    agent, home = all_agents()[name], Home(tmp_path, {})
    files = make(tmp_path, name)

    assert by_key(agent.refs_for(home, list(map(str, files)))) == by_key(agent.discover(home))


@pytest.mark.parametrize("name", AGENTS)
def test_what_is_gone_gives_nothing(name: str, tmp_path: Path) -> None:
    agent, home = all_agents()[name], Home(tmp_path, {})
    files = make(tmp_path, name)
    files[0].unlink()

    assert list(agent.refs_for(home, [str(files[0]), str(tmp_path / "nowhere")])) == []


@pytest.mark.parametrize("name", AGENTS)
def test_what_is_behind_a_link_gives_nothing(name: str, tmp_path: Path) -> None:
    agent, home = all_agents()[name], Home(tmp_path, {})
    files = make(tmp_path, name)
    linked = files[0].parent.with_name("linked")
    linked.symlink_to(files[0].parent, target_is_directory=True)
    link = files[0].with_name("link" + files[0].name)
    link.symlink_to(files[0])

    asked = [str(linked / files[0].name), str(linked), str(link)]

    assert list(agent.refs_for(home, asked)) == []
    assert len(by_key(agent.discover(home))) == len({ref.key for ref in agent.discover(home)})
