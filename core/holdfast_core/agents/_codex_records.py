"""The records of Codex's rollouts, as far as they are read, and the blocks that they become.

Since 0.32 every line is an envelope with a payload; before, the payload alone.
Evidence for each fact: `README.md`.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._values import count, storable
from holdfast_core.model.message import Block, Image, Text, Todo, TodoStatus, ToolResult
from holdfast_core.model.usage import Usage

NOTHING = msgspec.Raw()
_MANY = 1 << 53
_INJECTED = (
    "# AGENTS.md",
    "<environment_context>",
    "<user_instructions>",
    "<permissions",
    "<turn_aborted>",
    "<subagent_notification>",
    "<skill>",
    "<INSTRUCTIONS>",
    "<recommended_plugins>",
    "<collaboration_mode>",
    "<apps_instructions>",
    "<skills_instructions>",
    "<plugins_instructions>",
    "<user_action>",
    "<user_shell_command>",
    "<model_switch>",
    "<personality_spec>",
)
_WRAPPED = re.compile(r"<([A-Za-z][\w-]*)(?:\s[^>]*)?>.*</\1>", re.DOTALL)
_REQUEST = "## My request for Codex:"
_CWD = re.compile(r"<cwd>\s*(.*?)\s*</cwd>|Current working directory: (.+)")
_EXIT_CODE = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_DATA_URL = re.compile(r"data:([\w.+/-]{1,80});base64,")
_PLAN_STATUS: dict[object, TodoStatus] = {"in_progress": "in_progress", "completed": "completed"}


class Part(msgspec.Struct, gc=False):
    """A part of a message, of a reasoning or of what a tool gave back."""

    type: str = ""
    text: str | None = None
    image_url: str | None = None
    not_read: ClassVar = names("detail")

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class TokenCounts(msgspec.Struct, gc=False):
    """Counts whose input includes the cache."""

    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    total_tokens: int | None = None

    def numbers(self) -> tuple[int, int, int, int, int]:
        """Return the counts, those that are missing as 0."""
        taken, given, reasoning = self.input_tokens or 0, self.output_tokens or 0, self.reasoning_output_tokens or 0
        cached, written = self.cached_input_tokens or 0, self.cache_write_input_tokens or 0
        if min(taken, cached, written, given, reasoning) >= 0 and taken + cached + written + given + reasoning < _MANY:
            return taken, cached, written, given, reasoning
        return (
            count(self.input_tokens),
            count(self.cached_input_tokens),
            count(self.cache_write_input_tokens),
            count(self.output_tokens),
            count(self.reasoning_output_tokens),
        )


class TokenInfo(msgspec.Struct, gc=False):
    """Cumulative counts, and those of the last request."""

    total_token_usage: TokenCounts | None = None
    last_token_usage: TokenCounts | None = None
    not_read: ClassVar = names("completion model_context_window prompt")


class Git(msgspec.Struct, gc=False):
    """The repository when the session began."""

    branch: str | None = None
    not_read: ClassVar = names("commit_hash repository_url")


class Payload(msgspec.Struct, gc=False):
    """All that any kind of payload says. Parts that few need stay undecoded."""

    type: str | None = None
    id: str | None = None
    role: str | None = None
    content: str | list[Part] | None = None
    summary: str | list[Part] | None = None
    name: str | None = None
    arguments: Any = None
    input: Any = None
    call_id: str | None = None
    output: Any = None
    action: Any = None
    message: Any = None
    text: str | None = None
    info: TokenInfo | None = None
    turn_id: str | None = None
    cwd: str | None = None
    model: str | None = None
    reason: str | None = None
    thread_name: str | None = None
    num_turns: int | None = None
    originator: str | None = None
    cli_version: str | None = None
    source: Any = None
    thread_source: str | None = None
    model_provider: str | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    agent_nickname: str | None = None
    agent_role: str | None = None
    git: Git | None = None
    new_thread_id: str | None = None
    success: bool | None = None
    author: str | None = None
    changes: msgspec.Raw = NOTHING
    item: msgspec.Raw = NOTHING
    images: msgspec.Raw = NOTHING
    local_images: msgspec.Raw = NOTHING
    error: msgspec.Raw = NOTHING
    review_output: msgspec.Raw = NOTHING
    result: msgspec.Raw = NOTHING
    tools: msgspec.Raw = NOTHING
    not_read: ClassVar = names(
        "aggregated_output approval_policy approvals_reviewer audio base_instructions client_id codex_error_info "
        "collaboration_mode collaboration_mode_kind command comp_hash completed_at completed_at_ms context "
        "context_window current_date duration duration_ms dynamic_tools effort encrypted_content execution "
        "exit_code file_system_sandbox_policy first_window_id formatted_output full function ghost_commit "
        "history_mode input_tokens instructions internal_chat_message_metadata_passthrough invocation kind "
        "last_agent_message local_audio memory_citation memory_mode metadata model_context_window multi_agent_mode "
        "multi_agent_version namespace new_agent_nickname new_agent_role output_tokens parsed_cmd payload "
        "permission_profile personality phase previous_window_id process_id prompt query rate_limits "
        "realtime_active recipient replacement_history results sandbox_policy sender_thread_id session_id "
        "started_at state status stderr stdout target text_elements thread_id thread_settings "
        "time_to_first_token_ms timestamp timezone truncation_policy usage user_instructions window_id "
        "window_number workspace_roots"
    )


class Record(Payload, gc=False):
    """One line: an envelope, or in the old format a payload."""

    timestamp: datetime | None = None
    payload: Payload | None = None
    record_type: str | None = None
    instructions: msgspec.Raw = NOTHING
    not_read: ClassVar = names("created_at encrypted_content function thread_id usage")


def opened(raw: msgspec.Raw) -> Any:
    """Return what stands in an undecoded part, None if nothing does."""
    if raw is NOTHING:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_injected(text: str) -> bool:
    """Return whether a text in the person's place was put there by the program."""
    text = text.strip()
    return text.startswith(_INJECTED) or (text.startswith("<") and _WRAPPED.fullmatch(text) is not None)


def typed_part(text: str) -> str:
    """Return what a person typed without the context that an editor put before it."""
    return text.rpartition(_REQUEST)[2] if text.lstrip().startswith("# ") else text


def cwd_in(text: str) -> str:
    """Return the working directory that an injected text tells."""
    found = _CWD.search(text[:20_000])
    return "" if found is None else found[1] or found[2] or ""


def joined(parts: str | list[Part] | None) -> str:
    """Return the texts of some parts as one."""
    if isinstance(parts, str):
        return parts
    return "\n".join(part.text for part in parts or () if part.text)


def blocks_of(parts: str | list[Part] | None) -> list[Block]:
    """Return the blocks of a message."""
    if isinstance(parts, str):
        return [Text(parts)]
    blocks: list[Block] = []
    for part in parts or ():
        if part.image_url is not None or part.type == "input_image":
            blocks.append(image(part.image_url or ""))
        elif part.text:
            blocks.append(Text(part.text))
    return blocks


def image(url: str) -> Image:
    """Return an image by its address, which may hold all of it."""
    found = _DATA_URL.match(url)
    if found is None:
        return Image("", 0, "", url)
    data = url[found.end() :]
    return Image(found[1], len(data) * 3 // 4 - data[-2:].count("="), data)


def asked(value: Any) -> Any:
    """Return a tool's arguments, which are JSON within JSON, decoded where that works."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return value
    return storable(value)


def result_blocks(call_id: str, output: Any) -> list[Block]:
    """Return a tool's result and its images; it is an error if its program ended with anything but 0."""
    images: list[Block] = []
    is_error = False
    if isinstance(output, str) and output.startswith('{"output":'):
        output = asked(output)
    if isinstance(output, dict):
        metadata = output.get("metadata")
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        is_error = output.get("success") is False or (isinstance(code, int) and code != 0)
        output = output.get("output", output.get("content", output))
    if isinstance(output, list):
        parts = [part for part in output if isinstance(part, dict)]
        images = [image(part["image_url"]) for part in parts if isinstance(part.get("image_url"), str)]
        output = "\n".join(part["text"] for part in parts if isinstance(part.get("text"), str))
    text = output if isinstance(output, str) else "" if output is None else json.dumps(output, ensure_ascii=False)
    head = text[:400]
    found = _EXIT_CODE.search(head) if "code" in head else None
    return [ToolResult(call_id, text, is_error or (found is not None and found[1] != "0")), *images]


def plan_of(arguments: Any) -> list[Todo] | None:
    """Return the steps of an ``update_plan`` call, None if it has none."""
    steps = arguments.get("plan") if isinstance(arguments, dict) else None
    if not isinstance(steps, list):
        return None
    return [
        Todo(str(step["step"]), _PLAN_STATUS.get(step.get("status"), "pending"))
        for step in steps
        if isinstance(step, dict) and step.get("step") and isinstance(step.get("status", ""), str)
    ]


def usage_of(numbers: tuple[int, int, int, int, int]) -> Usage:
    """Return counts in our meaning: input without what came from or went to the cache."""
    input_tokens, cached, written, output_tokens, reasoning = numbers
    return Usage(max(input_tokens - cached - written, 0), output_tokens, cached, written, reasoning)


def patched_files(patch: str) -> list[tuple[str, int, int]]:
    """Return the files that a patch in the agent's own format changes, with lines added and removed."""
    found: list[tuple[str, int, int]] = []
    for line in patch.split("\n"):
        if line.startswith("*** ") and " File: " in line:
            found.append((line.split(" File: ", 1)[1].strip(), 0, 0))
        elif found and line[:1] in ("+", "-") and line:
            path, added, removed = found[-1]
            found[-1] = (path, added + (line[0] == "+"), removed + (line[0] == "-"))
    return found


def changed_files(changes: Any) -> list[tuple[str, int, int]]:
    """Return the files of a ``patch_apply_end`` event, with lines added and removed."""
    found: list[tuple[str, int, int]] = []
    for path, made in changes.items() if isinstance(changes, dict) else ():
        change = made if isinstance(made, dict) else {}
        content, diff = change.get("content"), change.get("unified_diff")
        lines = content.splitlines() if isinstance(content, str) else []
        added = len(lines) if change.get("type") == "add" else 0
        removed = len(lines) if change.get("type") == "delete" else 0
        for line in diff.split("\n") if isinstance(diff, str) else ():
            added += line.startswith("+")
            removed += line.startswith("-")
        found.append((path, added, removed))
    return found
