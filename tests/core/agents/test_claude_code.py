"""What is true of Claude Code alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.agents.claude_code import AGENT

from tests.core.agents.support import DATA, home_of

SESSION = "a1a10000-0000-4000-8000-00000000000a"


def put(folder: Path, name: str = "s.jsonl") -> Path:
    path = folder / "projects" / "-p" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"type":"user","message":{"content":"hi"}}\n', encoding="utf-8")
    return path


def found(home: Home) -> set[str]:
    return {str(Path(ref.path).relative_to(home.path)) for ref in AGENT.discover(home)}


def test_resume_needs_the_project_and_fork_adds_an_option() -> None:
    target = ResumeTarget(SESSION, "main", "/home/ada", "/x")

    plain, fork = AGENT.resume_command(target), AGENT.resume_command(target, fork=True)

    assert plain.argv == ("claude", "--resume", SESSION)
    assert fork.argv == ("claude", "--resume", SESSION, "--fork-session")
    assert plain.needs_project


def test_all_configuration_directories_are_searched_once(tmp_path: Path) -> None:
    put(tmp_path / ".claude")
    put(tmp_path / ".config" / "claude")
    put(tmp_path / "one")
    put(tmp_path / "two")
    (tmp_path / "three").symlink_to(tmp_path / "two")
    home = Home(tmp_path, {"CLAUDE_CONFIG_DIR": f"{tmp_path / 'one'},~/two,{tmp_path / 'three'}"})

    assert found(home) == {f"{base}/projects/-p/s.jsonl" for base in (".claude", ".config/claude", "one", "two")}


def test_the_variable_may_be_a_path_list(tmp_path: Path) -> None:
    put(tmp_path / "one")
    put(tmp_path / "two")

    assert len(found(Home(tmp_path, {"CLAUDE_CONFIG_DIR": f"{tmp_path / 'one'}:{tmp_path / 'two'}"}))) == 2


@pytest.mark.parametrize("base", ["Library/Application Support", ".config", "AppData/Roaming"])
def test_sessions_of_the_desktop_application_are_found_and_read(tmp_path: Path, base: str) -> None:
    inner = tmp_path / base / "Claude" / "local-agent-mode-sessions" / "a" / "b" / "local_1" / ".claude"
    path = put(inner)
    home = Home(tmp_path, {})

    (ref,) = AGENT.discover(home)

    assert ref.path == str(path)
    assert AGENT.read(ref, home).sessions[0].facts.title == "hi"


def test_only_transcripts_are_sources(tmp_path: Path) -> None:
    home = home_of(DATA / "claude_code" / "subagents", tmp_path)

    names = {Path(ref.path).name for ref in AGENT.discover(home)}

    assert "journal.jsonl" not in names
    assert all(name.endswith(".jsonl") for name in names)
    assert len(names) == 4


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        (None, 30),
        ("{}", 30),
        ('{"cleanupPeriodDays": 90}', 90),
        ('{"cleanupPeriodDays": 0}', 0),
        ('{"cleanupPeriodDays": -1}', 30),
        ('{"cleanupPeriodDays": "x"}', 30),
        ("broken", 30),
    ],
)
def test_retention_is_the_agents_own_setting(tmp_path: Path, settings: str | None, days: int) -> None:
    if settings is not None:
        path = tmp_path / ".claude" / "settings.json"
        path.parent.mkdir()
        path.write_text(settings, encoding="utf-8")

    assert AGENT.deletes_after_days(Home(tmp_path, {})) == days


def test_a_moved_result_is_read_from_the_sessions_own_folder_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("private", encoding="utf-8")
    path = put(tmp_path / ".claude")
    results = path.with_suffix("") / "tool-results"
    results.mkdir(parents=True)
    (results / "link.txt").symlink_to(secret)
    texts = [
        "Full output saved to: /x/s/tool-results/link.txt",
        "Full output saved to: /x/s/tool-results/../../../../secret.txt",
        "Full output saved to: /x/../tool-results/secret.txt",
    ]
    content = [{"type": "tool_result", "tool_use_id": str(n), "content": text} for n, text in enumerate(texts)]
    path.write_text(json.dumps({"type": "user", "message": {"content": content}}) + "\n", encoding="utf-8")
    home = Home(tmp_path, {})
    (ref,) = AGENT.discover(home)

    (message,) = AGENT.read(ref, home).sessions[0].messages

    assert [getattr(block, "text", None) for block in message.blocks] == texts


def test_the_project_of_a_long_path_is_recognised_by_its_beginning(tmp_path: Path) -> None:
    cwd = "/home/ada/" + "x" * 300
    folder = tmp_path / ".claude" / "projects" / ("-home-ada-" + "x" * 190 + "-1a2b3c")
    folder.mkdir(parents=True)
    rows = [{"type": "user", "cwd": place, "message": {"content": "hi"}} for place in ("/tmp", cwd)]
    (folder / "s.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    home = Home(tmp_path, {})
    (ref,) = AGENT.discover(home)

    assert AGENT.read(ref, home).sessions[0].facts.project_path == cwd
