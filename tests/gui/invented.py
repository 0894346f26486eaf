"""Invented sessions, agents and places for tests and pictures of the window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.message import Todo
from holdfast_core.model.places import Count, Places
from holdfast_core.model.search import Hit
from holdfast_core.model.session import FileTouched, SessionEntry
from holdfast_core.model.usage import Usage

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
HOME = "/home/ada"

_AGENTS = (
    ("claude_code", "Claude Code", "C", 15, 7204),
    ("codex", "Codex", "X", 230, 3117),
    ("gemini", "Gemini CLI", "G", 212, 988),
    ("opencode", "OpenCode", "O", 275, 611),
    ("kimi", "Kimi", "K", 295, 301),
    ("aider", "Aider", "A", 148, 197),
)
_ROWS = (
    (
        0,
        "10:55",
        "claude_code",
        "Retry uploads after a dropped connection",
        "Yes, add the jitter, but keep the cap at 30 s",
        "kelp-api",
        "retry",
    ),
    (
        0,
        "10:50",
        "codex",
        "Migrate the session index to contentless FTS",
        "The append benchmark is flat now; next is the reader",
        "holdfast",
        "fts",
    ),
    (
        0,
        "10:42",
        "claude_code",
        "Why does the nightly deploy time out?",
        "Found it: the health probe waits on a lock that the migration holds",
        "kelp-api",
        "main",
    ),
    (
        0,
        "09:15",
        "gemini",
        "Summarise the flaky tests of this week",
        "Eleven failures, nine of them in one fixture",
        "tidepool-web",
        "main",
    ),
    (
        1,
        "18:30",
        "claude_code",
        "Refactor the billing webhooks",
        "Split into verify, parse, apply. Tests are green",
        "kelp-api",
        "billing-v2",
    ),
    (
        1,
        "16:04",
        "opencode",
        "Port the colour tokens to Qt palettes",
        "Light and dark now share one table; the accent is the same",
        "holdfast",
        "look",
    ),
    (
        1,
        "11:20",
        "kimi",
        "Explain the retry policy of the SDK",
        "It retries 408, 429 and 5xx with full jitter",
        "kelp-api",
        "main",
    ),
    (1, "09:58", "aider", "Add a --json flag to every command", "Applied edit to cli/sessions.py", "holdfast", "cli"),
    (
        4,
        "17:11",
        "claude_code",
        "Write the incident report for the outage",
        "Timeline, impact, what held, what we change",
        "kelp-api",
        "main",
    ),
    (
        4,
        "14:47",
        "codex",
        "Speed up cold start of the desktop app",
        "First paint went from 370 ms to 118 ms",
        "holdfast",
        "perf",
    ),
)
_HARD = (
    "Заголовок на кириллице и \u202eobratno\u202c, с переопределением направления",
    "日本語のとても長いタイトル：ナイトリーデプロイがタイムアウトする理由を調べて修正する、そして報告する",
    "لماذا يتجاوز النشر الليلي المهلة المحددة كل ليلة منذ ثلاثة أيام؟",
    "👩🏽‍🚀🚀 Emoji 🧑‍💻 and flags 🇨🇭🏳️‍🌈 in a title that is far too long to be shown whole in a row of this width",
    "<b>Not bold</b> <img src='file:///nowhere'> & as it was written",
    "z̷̢̛͕̰̪͓̟̈́̓̐̏a̸̧̛͓̪͔̘͑̄̌͒l̴͙͍̦̎̐͑̚ģ̸̛̞̦̹͛̓̈́ơ̵̗̲̤̘̄̾͂ " * 4,
    "\x1b[31mred\x1b[0m alert\x07 and a\ttab",
    "W" * 400,
)


def agents() -> list[AgentInfo]:
    """Return six agents with sessions and one without."""
    found = [
        agent_info(agent, name=name, mark=mark, hue=hue, sessions=sessions)
        for agent, name, mark, hue, sessions in _AGENTS
    ]
    return [*found, agent_info("goose", name="Goose", mark="G", hue=40, sessions=0, installed=False)]


def agent_info(agent: str, **facts: Any) -> AgentInfo:
    """Return an agent."""
    given: dict[str, Any] = {
        "name": agent.title(), "mark": "A", "hue": 15, "roots": (f"{HOME}/.{agent}/sessions",), "installed": True,
        "sessions": 1, "can_resume": True, "can_host": False, "deletes_after_days": None,
    } | facts  # fmt: skip
    return AgentInfo(agent=agent, **given)


def places() -> Places:
    """Return counts as a busy person has them."""
    return Places(
        total=12418,
        starred=41,
        problems=4,
        agents=tuple(Count(agent, sessions) for agent, _, _, _, sessions in _AGENTS),
        projects=(
            Count(f"{HOME}/code/kelp-api", 2310),
            Count(f"{HOME}/code/holdfast", 1872),
            Count(f"{HOME}/code/tidepool-web", 640),
            *(Count(f"{HOME}/code/project-{number:02}", 200 - number) for number in range(30)),
        ),
        tags=(Count("deploy", 23), Count("incident", 9)),
    )


def entry(number: int, **facts: Any) -> SessionEntry:
    """Return session ``number``: the same each time, different from all others."""
    days, clock, agent, title, last, project, branch = _ROWS[number % len(_ROWS)]
    hour, minute = clock.split(":")
    updated = NOW.replace(hour=int(hour), minute=int(minute)) - timedelta(days=days)
    updated_ms = int(updated.timestamp() * 1000)
    given: dict[str, Any] = {
        "key": number, "id": f"{agent}:session-{number}", "agent": agent, "native_id": f"session-{number}",
        "kind": "main", "title": title, "preview": title, "last_text": last, "summary": "",
        "project_path": f"{HOME}/code/{project}", "branch": branch, "provider": "", "model": "opus-4.5",
        "agent_version": "2.1.207", "created_ms": updated_ms - 2_400_000, "updated_ms": updated_ms,
        "message_count": 143, "prompt_count": 9, "usage": Usage(38_204, 42_310, 1_121_880), "cost_usd": 2.84,
        "tags": ("deploy", "incident") if number == 2 else (), "starred": number in (2, 5),
        "note": "The VACUUM half is KELP-812." if number == 2 else "", "context_files": (),
        "files_touched": (
            FileTouched(f"{HOME}/code/{project}/src/deploy/health.py", 4, 2),
            FileTouched(f"{HOME}/code/{project}/tests/deploy/test_health.py", 31),
        ),
        "todos": (
            Todo("Find what the probe waits for", "completed"), Todo("Answer without the lock", "completed"),
            Todo("Watch one nightly run", "in_progress"), Todo("Move VACUUM out of the deploy"),
        ),
        "size_bytes": 3_140_000, "state": "live" if number == 1 else "archived", "parent_id": None,
        "source_path": f"{HOME}/.{agent}/sessions/{number}.jsonl", "problem_count": 3 if number == 4 else 0,
    } | facts  # fmt: skip
    return SessionEntry(**given)


def entries(number: int = len(_ROWS)) -> list[SessionEntry]:
    """Return the first ``number`` sessions."""
    return [entry(each) for each in range(number)]


def hard_entries() -> list[SessionEntry]:
    """Return sessions whose titles are long, hostile or in other scripts."""
    return [
        entry(100 + number, title=title, last_text=title, project_path=f"{HOME}/code/{title[:40]}")
        for number, title in enumerate(_HARD)
    ]


def hit(of: SessionEntry, snippet: str, *words: str, message_index: int = 3) -> Hit:
    """Return a hit in a session whose snippet holds ``words``."""
    marks = tuple((snippet.index(word), snippet.index(word) + len(word)) for word in words)
    return Hit(of.id, of.key, of.agent, of.title, message_index, "text", snippet, marks, 1.0, of.updated_ms)
