"""Write large invented sessions in the formats of agents whose recorded ones are few or small.

Each form turns the same talk into the records that its agent writes; sizes of
texts are those of recorded sessions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.words import Words

_ID = "a0b0c0d0-0000-4000-8000-00000000000a"
_START_MS = 1_772_500_000_000
_STEPS = 6  # answers to one prompt
_PROJECT = "home-ada-work-lighthouse"
_Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One answer of a model with a call and what came back; ``prompt`` stands before the first one of a turn."""

    number: int
    prompt: str
    thought: str
    text: str
    arguments: _Record
    result: str

    @property
    def call(self) -> str:
        """The id of the call."""
        return f"call_{self.number:06d}"

    def moment(self, part: int) -> int:
        """Return when one of its parts was written, in milliseconds."""
        return _START_MS + self.number * 9_000 + part * 1_000

    def text_of(self, part: int) -> str:
        """Return the same moment in the form of ISO 8601."""
        moment = datetime.fromtimestamp(self.moment(part) / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_talk(agent: str, home: Path, megabytes: float) -> Path:
    """Write a session of about a size where the agent would have it; returns its file."""
    place, form = FORMS[agent]
    path = home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    written, limit = 0, megabytes * 1e6
    with path.open("wb") as file:
        for record in form(_steps()):
            written += file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            if written > limit:
                break
    return path


def _steps() -> Iterator[Step]:
    words, number = Words(7), 0
    while True:
        prompt = "" if number % _STEPS else words.prose(300)
        size = words.random.choice((200, 400, 800, 1_600, 4_000))
        yield Step(
            number=number,
            prompt=prompt,
            thought=words.prose(350),
            text=words.prose(250),
            arguments={"path": f"/home/ada/work/lighthouse/lamp_{number % 40}.py", "text": words.code(200)},
            result=words.code(size) if number % 2 else words.log(size),
        )
        number += 1


def _kimi(steps: Iterator[Step]) -> Iterator[_Record]:
    yield {"type": "metadata", "protocol_version": "1.3"}
    for step in steps:
        arguments = json.dumps(step.arguments)
        call = {"type": "function", "id": step.call, "function": {"name": "ReadFile", "arguments": arguments}}
        counts = {"input_other": 544, "output": 216, "input_cache_read": 55_808, "input_cache_creation": 0}
        back = {"is_error": False, "output": step.result, "message": "", "display": []}
        events: list[tuple[str, _Record]] = [
            ("StepBegin", {"n": step.number}),
            ("ContentPart", {"type": "think", "think": step.thought, "encrypted": None}),
            ("ContentPart", {"type": "text", "text": step.text}),
            ("ToolCall", call | {"extras": None}),
            ("StatusUpdate", {"context_usage": 0.2, "token_usage": counts, "message_id": f"chatcmpl-{step.number}"}),
            ("ToolResult", {"tool_call_id": step.call, "return_value": back}),
        ]
        if step.prompt:
            events.insert(0, ("TurnBegin", {"user_input": step.prompt}))
        for part, (kind, payload) in enumerate(events):
            yield {"timestamp": step.moment(part) / 1000, "message": {"type": kind, "payload": payload}}


def _hermes(steps: Iterator[Step]) -> Iterator[_Record]:
    yield {"role": "session_meta", "tools": [], "model": "glm-5", "platform": "cli"}
    for step in steps:
        function = {"name": "read_file", "arguments": json.dumps(step.arguments)}
        if step.prompt:
            yield {"role": "user", "content": step.prompt, "timestamp": step.text_of(0)}
        yield {
            "role": "assistant",
            "content": step.text,
            "reasoning": step.thought,
            "finish_reason": "tool_calls",
            "tool_calls": [{"id": step.call, "call_id": step.call, "type": "function", "function": function}],
            "timestamp": step.text_of(1),
        }
        yield {"role": "tool", "content": step.result, "tool_call_id": step.call, "timestamp": step.text_of(2)}


def _cursor_cli(steps: Iterator[Step]) -> Iterator[_Record]:
    for step in steps:
        if step.prompt:
            query = {"type": "text", "text": f"<user_query>\n{step.prompt}\n</user_query>"}
            yield {"role": "user", "message": {"content": [query]}}
        call = {"type": "tool_use", "name": "Read", "input": step.arguments}
        yield {"role": "assistant", "message": {"content": [{"type": "text", "text": step.text}, call]}}


def _grok(steps: Iterator[Step]) -> Iterator[_Record]:
    yield {"type": "system", "content": "You are a keeper."}
    for step in steps:
        if step.prompt:
            text = f"<user_query>\n{step.prompt}\n</user_query>"
            yield {"type": "user", "content": [{"type": "text", "text": text}], "prompt_index": step.number // _STEPS}
        summary = [{"type": "summary_text", "text": step.thought}]
        yield {"type": "reasoning", "id": f"rs_{step.number}", "summary": summary, "encrypted_content": "b3Bh" * 80}
        call = {"id": step.call, "name": "read_file", "arguments": json.dumps(step.arguments)}
        yield {"type": "assistant", "content": step.text, "tool_calls": [call], "model_id": "grok-4.5"}
        yield {"type": "tool_result", "tool_call_id": step.call, "content": step.result}


def _factory(steps: Iterator[Step]) -> Iterator[_Record]:
    yield {"type": "session_start", "id": _ID, "title": "The lamp", "version": 2, "cwd": "/home/ada/work/lighthouse"}
    for step in steps:
        parts: list[tuple[str, list[_Record]]] = [
            (
                "assistant",
                [
                    {"type": "thinking", "thinking": step.thought, "signature": "c2ln" * 60},
                    {"type": "text", "text": step.text},
                    {"type": "tool_use", "id": step.call, "name": "Read", "input": step.arguments},
                ],
            ),
            ("user", [{"type": "tool_result", "tool_use_id": step.call, "content": step.result}]),
        ]
        if step.prompt:
            parts.insert(0, ("user", [{"type": "text", "text": step.prompt}]))
        for part, (role, content) in enumerate(parts):
            said = {"role": role, "content": content}
            yield {
                "type": "message",
                "id": f"m{step.number}-{part}",
                "timestamp": step.text_of(part),
                "message": said,
                "parentId": f"m{step.number}-{part - 1}",
            }


def _mistral_vibe(steps: Iterator[Step]) -> Iterator[_Record]:
    for step in steps:
        if step.prompt:
            yield {"role": "user", "content": step.prompt, "injected": False, "message_id": f"u{step.number}"}
        function = {"name": "read_file", "arguments": json.dumps(step.arguments)}
        yield {
            "role": "assistant",
            "content": step.text,
            "injected": False,
            "reasoning_content": step.thought,
            "message_id": f"m{step.number}",
            "tool_calls": [{"id": step.call, "index": 0, "function": function, "type": "function"}],
        }
        yield {"role": "tool", "content": step.result, "injected": False, "name": "read", "tool_call_id": step.call}


def _antigravity(steps: Iterator[Step]) -> Iterator[_Record]:
    for step in steps:
        asked = {"source": "USER_EXPLICIT", "type": "USER_INPUT", "content": step.prompt}
        call = {"name": "view_file", "args": {name: json.dumps(value) for name, value in step.arguments.items()}}
        plan = {
            "source": "MODEL",
            "type": "PLANNER_RESPONSE",
            "thinking": step.thought,
            "content": step.text,
            "tool_calls": [call],
        }
        seen = {"source": "MODEL", "type": "VIEW_FILE", "content": step.result}
        for part, record in enumerate((asked, plan, seen)):
            if part or step.prompt:
                yield {
                    "step_index": step.number * 3 + part,
                    "status": "DONE",
                    "created_at": step.text_of(part),
                } | record


def _vscode_copilot(steps: Iterator[Step]) -> Iterator[_Record]:
    head = {"version": 3, "sessionId": _ID, "creationDate": _START_MS, "requests": [], "initialLocation": "panel"}
    yield {"kind": 0, "v": head}
    for step in steps:
        place = step.number // _STEPS
        if step.prompt:
            request = {
                "requestId": f"request_{place}",
                "timestamp": step.moment(0),
                "message": {"text": step.prompt, "parts": [{"kind": "text", "text": step.prompt}]},
                "response": [],
                "modelId": "copilot/gpt-5",
            }
            yield {"kind": 2, "k": ["requests"], "v": [request]}
        call = {
            "kind": "toolInvocationSerialized",
            "toolCallId": step.call,
            "toolId": "copilot_readFile",
            "invocationMessage": {"value": "Reading a file", "isTrusted": False},
            "pastTenseMessage": {"value": "Read a file"},
            "isComplete": True,
            "resultDetails": {"output": [{"type": "embed", "value": step.result}]},
        }
        said = [{"kind": "thinking", "value": step.thought}, {"value": step.text}, call]
        yield {"kind": 2, "k": ["requests", place, "response"], "v": said}


_CHATS = ".config/Code/User/globalStorage/emptyWindowChatSessions"
FORMS: dict[str, tuple[str, Callable[[Iterator[Step]], Iterator[_Record]]]] = {
    "antigravity": (
        f".gemini/antigravity-cli/brain/{_ID}/.system_generated/logs/transcript.jsonl",
        _antigravity,
    ),
    "cursor_cli": (f".cursor/projects/{_PROJECT}/agent-transcripts/{_ID}/{_ID}.jsonl", _cursor_cli),
    "factory": (f".factory/sessions/-{_PROJECT}/{_ID}.jsonl", _factory),
    "grok": (f".grok/sessions/%2Fhome%2Fada/{_ID}/chat_history.jsonl", _grok),
    "hermes": (".hermes/sessions/20260501_090000_cc22dd33.jsonl", _hermes),
    "kimi": (f".kimi/sessions/9fcbb61d3c5d11c6245fe401485a8e9d/{_ID}/wire.jsonl", _kimi),
    "mistral_vibe": (".vibe/logs/session/session_20260302_090000_a0a00000/messages.jsonl", _mistral_vibe),
    "vscode_copilot": (f"{_CHATS}/{_ID}.jsonl", _vscode_copilot),
}
