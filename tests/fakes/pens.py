"""Write sessions as agents write them: one pen for each layout, for tests, measurements and pictures.

A pen keeps its own clock, so that what it writes is the same whenever it runs.
"""

from __future__ import annotations

import os
import random
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

Todos = Iterable[tuple[str, str]]
_encode = msgspec.json.Encoder().encode


class Pen(ABC):
    """One session that is being written; `save` puts it where its agent would."""

    def __init__(self, home: Path, *, project: str, started: datetime, branch: str = "main", seed: int = 0) -> None:
        self.home = home
        self.project = project
        self.branch = branch
        self.now = started.astimezone(UTC)
        self.random = random.Random(f"{project}:{started.isoformat()}:{seed}")
        self.session_id = self.uuid()
        self.records: list[bytes] = []
        self.size_bytes = 0

    @abstractmethod
    def prompt(self, text: str) -> None:
        """Write what a person typed."""

    @abstractmethod
    def think(self, text: str) -> None:
        """Write reasoning of the model."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Write an answer of the model."""

    @abstractmethod
    def run(self, command: str, output: str, *, is_error: bool = False) -> None:
        """Write a shell command and what it printed."""

    @abstractmethod
    def read(self, path: str, text: str) -> None:
        """Write that a file was looked at."""

    @abstractmethod
    def edit(self, path: str, old: str, new: str, *, line: int = 1, original: str = "") -> None:
        """Write that a part of a file was replaced; ``line`` is where it stands, 1-based.

        ``original`` is the whole file before, which some agents keep too.
        """

    @abstractmethod
    def picture(self, text: str, png_base64: str) -> None:
        """Write a prompt with a picture."""

    @abstractmethod
    def todos(self, steps: Todos) -> None:
        """Write the plan as it stands: (step, pending | in_progress | completed)."""

    @abstractmethod
    def path(self) -> Path:
        """Return the file that the agent would have made."""

    @abstractmethod
    def title(self, text: str) -> None:
        """Write the agent's own name of the session."""

    @abstractmethod
    def search(self, pattern: str, path: str, output: str) -> None:
        """Write a search in files and what it found."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def save(self) -> Path:
        """Write the file, with the time of its last record as its own."""
        path = self.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(self.records))
        os.utime(path, (self.now.timestamp(), self.now.timestamp()))
        return path

    def uuid(self) -> str:
        """Return the next id, in the form of a random UUID."""
        text = f"{self.random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def stamp(self) -> str:
        """Return the present moment of this session as ISO 8601, UTC, milliseconds."""
        return f"{self.now:%Y-%m-%dT%H:%M:%S}.{self.now.microsecond // 1000:03d}Z"

    def write(self, record: dict[str, Any]) -> None:
        """Add one record as a line."""
        line = _encode(record) + b"\n"
        self.records.append(line)
        self.size_bytes += len(line)


class ClaudeCodePen(Pen):
    """Claude Code: a tree of records, one content block each, tool results as user records."""

    model = "claude-opus-4-5-20251101"
    version = "2.1.207"

    def __init__(self, home: Path, **facts: Any) -> None:
        super().__init__(home, **facts)
        self._parent: str | None = None
        self._response = ""
        self._output_tokens = 0
        self._cached_tokens = 9_000

    def path(self) -> Path:
        folder = re.sub(r"[^A-Za-z0-9]", "-", self.project)
        return self.home / ".claude" / "projects" / folder / f"{self.session_id}.jsonl"

    def title(self, text: str) -> None:
        self.write({"type": "custom-title", "customTitle": text, "sessionId": self.session_id})

    def prompt(self, text: str) -> None:
        self._user(text)

    def picture(self, text: str, png_base64: str) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": png_base64}
        self._user([{"type": "text", "text": text}, {"type": "image", "source": source}])

    def think(self, text: str) -> None:
        signature = f"{self.random.getrandbits(3_200):0800x}"
        self._assistant({"type": "thinking", "thinking": text, "signature": signature})

    def say(self, text: str) -> None:
        self._assistant({"type": "text", "text": text})

    def run(self, command: str, output: str, *, is_error: bool = False) -> None:
        details = {"stdout": output, "stderr": "", "interrupted": False, "isImage": False}
        self._tool("Bash", {"command": command}, output, details=details, is_error=is_error)

    def read(self, path: str, text: str) -> None:
        lines = text.split("\n")
        numbered = "\n".join(f"{number:6d}\u2192{line}" for number, line in enumerate(lines, 1))
        file = {"filePath": path, "content": text, "numLines": len(lines), "startLine": 1, "totalLines": len(lines)}
        self._tool("Read", {"file_path": path}, numbered, details={"type": "text", "file": file})

    def edit(self, path: str, old: str, new: str, *, line: int = 1, original: str = "") -> None:
        removed, added = old.splitlines(), new.splitlines()
        lines = [*(f"-{text}" for text in removed), *(f"+{text}" for text in added)]
        counts = {"oldStart": line, "oldLines": len(removed), "newStart": line, "newLines": len(added)}
        details = {
            "filePath": path,
            "oldString": old,
            "newString": new,
            "originalFile": original,
            "structuredPatch": [{**counts, "lines": lines}],
            "userModified": False,
            "replaceAll": False,
        }
        snippet = "\n".join(f"{number:6d}\u2192{text}" for number, text in enumerate(added, line))
        said = (
            f"The file {path} has been updated. Here's the result of running `cat -n` on a snippet of the edited file:"
        )
        request = {"file_path": path, "old_string": old, "new_string": new}
        self._tool("Edit", request, f"{said}\n{snippet}", details=details)

    def todos(self, steps: Todos) -> None:
        plan = [{"content": step, "status": status, "activeForm": step} for step, status in steps]
        details = {"oldTodos": [], "newTodos": plan}
        self._tool("TodoWrite", {"todos": plan}, "Todos have been modified successfully.", details=details)

    def search(self, pattern: str, path: str, output: str) -> None:
        details = {"mode": "content", "content": output, "numLines": output.count("\n") + 1}
        request = {"pattern": pattern, "path": path, "output_mode": "content"}
        self._tool("Grep", request, output, details=details)

    def _tool(self, name: str, request: Any, output: str, *, details: Any, is_error: bool = False) -> None:
        call_id = f"toolu_01{self.random.getrandbits(100):025x}"
        self._assistant({"type": "tool_use", "id": call_id, "name": name, "input": request}, stop="tool_use")
        result = {"tool_use_id": call_id, "type": "tool_result", "content": output, "is_error": is_error}
        self._user([result], toolUseResult=details)

    def _user(self, content: Any, **more: Any) -> None:
        self._response = ""
        self.write({**self._envelope("user"), "message": {"role": "user", "content": content}, **more})

    def _assistant(self, block: dict[str, Any], stop: str | None = None) -> None:
        if not self._response:
            self._response = f"msg_01{self.random.getrandbits(88):022x}"
            self._output_tokens = 0
            self._cached_tokens += self.random.randrange(200, 1_400)
        self._output_tokens += len(_encode(block)) // 4
        message = {
            "model": self.model,
            "id": self._response,
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": stop,
            "usage": {
                "input_tokens": 12,
                "cache_creation_input_tokens": 640,
                "cache_read_input_tokens": self._cached_tokens,
                "output_tokens": self._output_tokens,
                "service_tier": "standard",
            },
        }
        self.write({**self._envelope("assistant"), "message": message, "requestId": f"req_{self._response[4:]}"})

    def _envelope(self, kind: str) -> dict[str, Any]:
        parent, self._parent = self._parent, self.uuid()
        return {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": self.project,
            "sessionId": self.session_id,
            "version": self.version,
            "gitBranch": self.branch,
            "type": kind,
            "uuid": self._parent,
            "timestamp": self.stamp(),
        }


class CodexPen(Pen):
    """Codex: a flat log of items, with what people and model said in a second stream of events."""

    model = "gpt-5.2-codex"
    version = "0.139.0"

    def __init__(self, home: Path, **facts: Any) -> None:
        super().__init__(home, **facts)
        self._started = self.now
        self._totals = {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "reasoning_output_tokens": 0}
        meta = {
            "id": self.session_id,
            "timestamp": self.stamp(),
            "cwd": self.project,
            "originator": "codex_cli_rs",
            "cli_version": self.version,
            "source": "cli",
            "model_provider": "openai",
            "git": {"branch": self.branch},
        }
        self._line("session_meta", meta)

    def path(self) -> Path:
        day = f"{self._started:%Y/%m/%d}"
        name = f"rollout-{self._started:%Y-%m-%dT%H-%M-%S}-{self.session_id}.jsonl"
        return self.home / ".codex" / "sessions" / day / name

    def title(self, text: str) -> None:
        self._event("thread_name_updated", thread_name=text)

    def prompt(self, text: str) -> None:
        self._turn()
        self._message("user", [{"type": "input_text", "text": text}])
        self._event("user_message", message=text, images=[])

    def picture(self, text: str, png_base64: str) -> None:
        self._turn()
        url = f"data:image/png;base64,{png_base64}"
        self._message("user", [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": url}])
        self._event("user_message", message=text, images=[url])

    def think(self, text: str) -> None:
        summary = [{"type": "summary_text", "text": text}]
        self._item("reasoning", summary=summary, encrypted_content=f"{self.random.getrandbits(6_400):01600x}")
        self._event("agent_reasoning", text=text)

    def say(self, text: str) -> None:
        self._message("assistant", [{"type": "output_text", "text": text}])
        self._event("agent_message", message=text)
        self._tokens(len(text) // 4)

    def run(self, command: str, output: str, *, is_error: bool = False) -> None:
        wrapped = f"Exit code: {int(is_error)}\nWall time: 0.4 seconds\nOutput:\n{output}"
        self._call("shell", {"command": ["bash", "-lc", command], "workdir": self.project}, wrapped)

    def read(self, path: str, text: str) -> None:
        self.run(f"cat {path}", text)

    def search(self, pattern: str, path: str, output: str) -> None:
        self.run(f"rg -n {pattern} {path}", output)

    def edit(self, path: str, old: str, new: str, *, line: int = 1, original: str = "") -> None:
        lines = [*(f"-{text}" for text in old.splitlines()), *(f"+{text}" for text in new.splitlines())]
        patch = "\n".join(["*** Begin Patch", f"*** Update File: {path}", "@@", *lines, "*** End Patch"])
        call_id = self._call_id()
        self._item("custom_tool_call", name="apply_patch", call_id=call_id, input=patch, status="completed")
        self._item(
            "custom_tool_call_output", call_id=call_id, output="Success. Updated the following files:\nM " + path
        )
        self._tokens(len(patch) // 4)

    def todos(self, steps: Todos) -> None:
        plan = [{"step": step, "status": status} for step, status in steps]
        self._call("update_plan", {"plan": plan}, "Plan updated")

    def _turn(self) -> None:
        self._line("turn_context", {"cwd": self.project, "model": self.model, "approval_policy": "on-request"})

    def _call(self, name: str, arguments: dict[str, Any], output: str) -> None:
        call_id = self._call_id()
        self._item("function_call", name=name, arguments=_encode(arguments).decode(), call_id=call_id)
        self._item("function_call_output", call_id=call_id, output=output)
        self._tokens(60)

    def _call_id(self) -> str:
        return f"call_{self.random.getrandbits(96):024x}"

    def _tokens(self, output_tokens: int) -> None:
        last = {
            "input_tokens": 11_000 + self._totals["output_tokens"],
            "cached_input_tokens": 10_000,
            "output_tokens": output_tokens,
            "reasoning_output_tokens": output_tokens // 3,
        }
        self._totals = {name: count + last[name] for name, count in self._totals.items()}
        info = {"total_token_usage": {**self._totals}, "last_token_usage": last, "model_context_window": 258_400}
        self._event("token_count", info=info, rate_limits=None)

    def _message(self, role: str, content: list[dict[str, Any]]) -> None:
        self._item("message", role=role, content=content)

    def _item(self, kind: str, **payload: Any) -> None:
        self._line("response_item", {"type": kind, **payload})

    def _event(self, kind: str, **payload: Any) -> None:
        self._line("event_msg", {"type": kind, **payload})

    def _line(self, kind: str, payload: dict[str, Any]) -> None:
        self.write({"timestamp": self.stamp(), "type": kind, "payload": payload})
