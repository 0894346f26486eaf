"""A person's home with invented sessions, written as the agents write them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NAMESPACE = uuid.UUID("6f1cf7c2-54a3-4f0e-9d2f-0d0f1f4e9a11")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool call in a turn, and what came of it."""

    name: str
    input: dict[str, Any]
    output: str = ""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A prompt, what the agent thought and did, and its answer."""

    prompt: str
    answer: str
    tools: Sequence[Tool] = ()
    thinking: str = ""


@dataclass(slots=True)
class FakeHome:
    """Writes sessions below ``path``; projects are real directories in it."""

    path: Path
    now: datetime
    written: dict[str, Path] = field(default_factory=dict)

    def project(self, name: str) -> Path:
        """Return a project's directory, made."""
        directory = self.path / "code" / name
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def claude(self, title: str, turns: Iterable[Turn], *, project: str, ago: timedelta, branch: str = "main") -> str:
        """Write a Claude Code session that was last used ``ago``; returns its id."""
        native_id = str(uuid.uuid5(NAMESPACE, title))
        directory = self.project(project)
        records = _ClaudeRecords(native_id, str(directory), branch, self.now - ago - timedelta(minutes=40))
        for turn in turns:
            records.add(turn)
        records.records.append({"type": "ai-title", "aiTitle": title, "sessionId": native_id})
        encoded = "".join(letter if letter.isalnum() else "-" for letter in str(directory))
        path = self.path / ".claude" / "projects" / encoded / f"{native_id}.jsonl"
        return self._keep("claude_code", native_id, path, records.records)

    def codex(self, title: str, turns: Iterable[Turn], *, project: str, ago: timedelta, branch: str = "main") -> str:
        """Write a Codex session that was last used ``ago``; returns its id."""
        native_id = str(uuid.uuid5(NAMESPACE, "codex " + title))
        started = self.now - ago - timedelta(minutes=40)
        records = _CodexRecords(native_id, str(self.project(project)), branch, started)
        for turn in turns:
            records.add(turn)
        records.event({"type": "thread_name_updated", "thread_name": title})
        folder = self.path / ".codex" / "sessions" / f"{started:%Y/%m/%d}"
        path = folder / f"rollout-{started:%Y-%m-%dT%H-%M-%S}-{native_id}.jsonl"
        return self._keep("codex", native_id, path, records.records)

    def append(self, session_id: str, turn: Turn) -> None:
        """Let the agent go on with a session that it wrote before."""
        path = self.written[session_id]
        agent, _, native_id = session_id.partition(":")
        kind = _ClaudeRecords if agent == "claude_code" else _CodexRecords
        records = kind.again(path, native_id, self.now)
        records.add(turn)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records.records)

    def _keep(self, agent: str, native_id: str, path: Path, records: list[dict[str, Any]]) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        session_id = f"{agent}:{native_id}"
        self.written[session_id] = path
        return session_id


class _ClaudeRecords:
    def __init__(self, native_id: str, directory: str, branch: str, started: datetime) -> None:
        self.records: list[dict[str, Any]] = []
        self._native_id = native_id
        self._directory = directory
        self._branch = branch
        self._moment = started
        self._parent: str | None = None
        self._number = 0

    @classmethod
    def again(cls, path: Path, native_id: str, now: datetime) -> _ClaudeRecords:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        last = next(line for line in reversed(lines) if "uuid" in line)
        records = cls(native_id, last["cwd"], last["gitBranch"], now)
        records._parent = last["uuid"]
        records._number = len(lines)
        return records

    def add(self, turn: Turn) -> None:
        self._line("user", {"role": "user", "content": turn.prompt})
        if turn.thinking:
            self._assistant({"type": "thinking", "thinking": turn.thinking, "signature": "c2lnbmF0dXJl"})
        for tool in turn.tools:
            call = f"toolu_{self._number:04d}{self._native_id[:8]}"
            self._assistant({"type": "tool_use", "id": call, "name": tool.name, "input": tool.input})
            result = {"tool_use_id": call, "type": "tool_result", "content": tool.output, "is_error": tool.is_error}
            self._line("user", {"role": "user", "content": [result]}, toolUseResult=tool.output)
        self._assistant({"type": "text", "text": turn.answer})

    def _assistant(self, block: dict[str, Any]) -> None:
        usage = {
            "input_tokens": 12,
            "cache_creation_input_tokens": 800,
            "cache_read_input_tokens": 14_000,
            "output_tokens": 240,
            "service_tier": "standard",
        }
        message = {
            "id": f"msg_{self._native_id[:8]}{self._number:04d}",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-4-5-20251101",
            "content": [block],
            "stop_reason": None,
            "usage": usage,
        }
        self._line("assistant", message, requestId=f"req_{self._number:04d}")

    def _line(self, kind: str, message: dict[str, Any], **more: Any) -> None:
        self._number += 1
        self._moment += timedelta(seconds=17)
        own = str(uuid.uuid5(NAMESPACE, f"{self._native_id} {self._number}"))
        self.records.append(
            {
                "parentUuid": self._parent,
                "isSidechain": False,
                "userType": "external",
                "cwd": self._directory,
                "sessionId": self._native_id,
                "version": "2.1.207",
                "gitBranch": self._branch,
                "type": kind,
                "message": message,
                "uuid": own,
                "timestamp": _iso(self._moment),
                **more,
            }
        )
        self._parent = own


class _CodexRecords:
    def __init__(self, native_id: str, directory: str, branch: str, started: datetime) -> None:
        self.records: list[dict[str, Any]] = []
        self._moment = started
        self._directory = directory
        self._number = 0
        self._total = 0
        git = {"branch": branch, "commit_hash": "0" * 40}
        self._line(
            "session_meta",
            {
                "id": native_id,
                "timestamp": _iso(started),
                "cwd": directory,
                "originator": "codex_cli_rs",
                "cli_version": "0.146.0",
                "source": "cli",
                "model_provider": "openai",
                "git": git,
            },
        )

    @classmethod
    def again(cls, path: Path, native_id: str, now: datetime) -> _CodexRecords:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        meta = lines[0]["payload"]
        records = cls(native_id, meta["cwd"], meta["git"]["branch"], now)
        records.records.clear()
        records._number = len(lines)
        return records

    def event(self, payload: dict[str, Any]) -> None:
        self._line("event_msg", payload)

    def add(self, turn: Turn) -> None:
        self._line(
            "turn_context", {"turn_id": f"turn-{self._number}", "cwd": self._directory, "model": "gpt-5.6-codex"}
        )
        self.event({"type": "user_message", "message": turn.prompt, "images": []})
        self._message("user", "input_text", turn.prompt)
        if turn.thinking:
            self._item({"type": "reasoning", "summary": [{"type": "summary_text", "text": turn.thinking}]})
        for tool in turn.tools:
            call = f"call_{self._number:04d}"
            self._item(
                {"type": "function_call", "name": tool.name, "arguments": json.dumps(tool.input), "call_id": call}
            )
            self._item({"type": "function_call_output", "call_id": call, "output": tool.output})
        self.event({"type": "agent_message", "message": turn.answer})
        self._message("assistant", "output_text", turn.answer)
        self._count_tokens()

    def _count_tokens(self) -> None:
        last = {"input_tokens": 9_000, "cached_input_tokens": 7_000, "output_tokens": 300, "total_tokens": 9_300}
        self._total += 1
        total = {name: value * self._total for name, value in last.items()}
        self.event({"type": "token_count", "info": {"total_token_usage": total, "last_token_usage": last}})

    def _message(self, role: str, kind: str, text: str) -> None:
        self._item({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})

    def _item(self, payload: dict[str, Any]) -> None:
        self._line("response_item", payload)

    def _line(self, kind: str, payload: dict[str, Any]) -> None:
        self._number += 1
        self._moment += timedelta(seconds=11)
        self.records.append({"timestamp": _iso(self._moment), "type": kind, "payload": payload})


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


_HEALTH = """async def health(request):
    async with pool.lock:
        return await pool.ping()
"""
_HEALTH_AFTER = """async def health(request):
    # Answers without the pool's lock: a migration may hold it for minutes.
    if pool.draining:
        return Response(status=503)
    return await pool.ping(timeout=2)
"""


def a_dozen(path: Path, now: datetime) -> FakeHome:
    """Write a home with a dozen sessions of two agents in three projects, the newest a few minutes old."""
    home = FakeHome(path, now)
    for agent, project, hours, title, turns in _dozen():
        write = home.claude if agent == "claude" else home.codex
        write(title, turns, project=project, ago=timedelta(hours=hours), branch="retry" if hours == 2 else "main")
    return home


def _dozen() -> list[tuple[str, str, float, str, list[Turn]]]:
    return [
        ("claude", "kelp-api", 0.06, "Why does the nightly deploy time out?", _deploy()),
        ("codex", "holdfast", 1, "Migrate the session index to contentless tables", _migrate()),
        ("claude", "kelp-api", 2, "Retry uploads after a dropped connection", _retry()),
        ("codex", "tidepool-web", 3, "Summarise the flaky tests of this week", _flaky()),
        ("claude", "kelp-api", 26, "Refactor the billing webhooks", _plain("Split into verify, parse, apply.")),
        ("codex", "holdfast", 28, "Port the colour tokens to Qt palettes", _plain("Light and dark share one table.")),
        ("claude", "kelp-api", 31, "Explain the retry policy of the SDK", _plain("It retries 408, 429 and 5xx.")),
        ("codex", "holdfast", 33, "Add a --json flag to every command", _plain("Every command prints one value.")),
        ("claude", "kelp-api", 80, "Write the incident report for the outage", _plain("Timeline, impact, what held.")),
        ("codex", "holdfast", 82, "Speed up the cold start of the desktop app", _plain("From 370 to 118 ms.")),
        ("claude", "tidepool-web", 90, "Ünïcödé: 日本語 と emoji 🚀 in file names", _plain("Normalised to NFC.")),
        ("claude", "tidepool-web", 100, "<img src='file:///dev/zero'> shows as text", _plain("It is <b>escaped</b>.")),
    ]


def _plain(answer: str) -> list[Turn]:
    thanks = Turn("Thanks, that is all.", "Done; the tests are green.")
    return [Turn(f"Please look into this. {answer[:24]}…", answer), thanks]


def _deploy() -> list[Turn]:
    return [
        Turn(
            "The nightly deploy has timed out three nights in a row. Find out why, and fix it if it is small.",
            "Found it: the health probe takes `pool.lock` before it answers, and the migration that runs first holds "
            "that lock for the whole of `VACUUM`. On Tuesday the table crossed 40 GB, so the probe now waits longer "
            "than the 120 s limit.",
            [
                Tool(
                    "Bash",
                    {"command": "journalctl -u deploy --since -3d | grep -i health_probe"},
                    "waiting for pool.lock\n" * 38,
                ),
                Tool("Grep", {"pattern": "health_probe", "path": "src/"}, "src/deploy/health.py:41\nsrc/app.py:12"),
                Tool(
                    "Edit",
                    {"file_path": "src/deploy/health.py", "old_string": _HEALTH, "new_string": _HEALTH_AFTER},
                    "The file src/deploy/health.py has been updated.",
                ),
                Tool("Bash", {"command": "pytest tests/deploy -q"}, "\x1b[32m48 passed\x1b[0m in 6.1s"),
            ],
            thinking="The probe and the migration compete for something. Look at what holds the lock.",
        ),
        Turn(
            "Good. Open a PR with just the probe, and leave VACUUM out of it.",
            "Opened it. The description names the lock and has the numbers:\n\n"
            "| night | waited |\n|---|---|\n| Sunday | 61 s |\n| Tuesday | 131 s |\n\n"
            "- the probe answers in **2 ms**\n- `VACUUM` runs later, see KELP-812",
            [
                Tool(
                    "TodoWrite",
                    {
                        "todos": [
                            {
                                "content": "Find what the probe waits for",
                                "status": "completed",
                                "activeForm": "Finding",
                            },
                            {"content": "Answer without the lock", "status": "completed", "activeForm": "Answering"},
                            {"content": "Watch one nightly run", "status": "in_progress", "activeForm": "Watching"},
                        ]
                    },
                    "Todos have been modified",
                )
            ],
        ),
    ]


def _migrate() -> list[Turn]:
    return [
        Turn(
            "Move the index to contentless full-text tables without losing snippets.",
            "The append benchmark is flat now; next is the snippet path.",
            [Tool("shell", {"command": ["rg", "contentless", "core/"]}, "core/index.py:88: contentless=1")],
            thinking="Snippets need the text; keep it compressed beside the postings.",
        ),
        Turn("And the size on disk?", "Half of what it was: 1.2 GB instead of 2.5 GB."),
    ]


def _retry() -> list[Turn]:
    return [
        Turn(
            "Uploads fail when the connection drops. Retry with jitter, capped.",
            "Yes, add the jitter, but keep the cap at 30 s. The retry loop is in `upload.py`:\n\n"
            "```python\nfor attempt in range(limit):\n    delay = min(30, 2**attempt) * random.random()\n```",
            [Tool("Read", {"file_path": "src/upload.py"}, "     1\tdef upload(): ...", is_error=False)],
        )
    ]


def _flaky() -> list[Turn]:
    return [
        Turn(
            "Which tests were flaky this week?",
            "Eleven failures, nine of them in one fixture: `tidepool_server` does not wait for the socket.",
            [Tool("shell", {"command": ["gh", "run", "list"]}, "failure\nsuccess\nfailure")],
        )
    ]
