"""The messages that Cline and its descendants send to a model, as they are stored: roles, and blocks of content."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from holdfast_core.agents._documents import Document
from holdfast_core.agents._draft import Draft
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import base64_image, given, image_at, objects_in, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms
from holdfast_core.model.message import Block, File, Message, Role, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_SAID = re.compile(r"<(task|feedback|user_message|answer|user_input)(?:\s[^>]*)?>(.*?)</\1>", re.DOTALL)
_DETAILS = re.compile(r"<environment_details>.*?(?:</environment_details>|\Z)", re.DOTALL)
_CALL_RESULT = re.compile(r"\[(\w+)(?: for [^\]]*)?\] Result:\s*")
_FOLDER = re.compile(r"# Current (?:Working|Workspace) Directory \(([^)\n]{1,4096})\) Files")
_INJECTED = ("[TASK RESUMPTION]", "[ERROR]", "<", "[The user", "# task_progress", "# Todo", "# TODO")


def folder_in(text: str) -> str:
    """Return the directory that an injected text tells."""
    found = _FOLDER.search(text)
    return "" if found is None else found[1]


def result_in(request: str) -> tuple[str, str] | None:
    """Return the tool that a request answers and what it gave back, None if it answers none."""
    found = _CALL_RESULT.match(request)
    return None if found is None else (found[1], _DETAILS.sub("", request[found.end() :]).strip())


_MESSAGE = names(
    "condenseId condenseParent content id isSummary isTruncationMarker metrics modelInfo reasoning_content "
    "reasoning_details role text truncationId truncationParent ts type encrypted_content summary"
)


class Talk:
    """Makes messages of a conversation as it was sent to the model."""

    def __init__(self, draft: Draft, document: Document, *, is_child: bool = False) -> None:
        self.draft = draft
        self.folder = self.prompt = ""
        self._document = document
        self._is_child = is_child
        self._tool = ""

    def take(self, message: Any, number: int) -> None:
        """Take in one message."""
        if isinstance(message, dict):
            self._document.sample.compare(message, _MESSAGE)
        role, content = text_in(message, "role"), message.get("content") if isinstance(message, dict) else message
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else objects_in(content)
        if role == "assistant":
            self._take_answer(message, parts, number)
        else:
            if role != "user":
                self._document.count_unknown(f"role:{role}")
            is_injected = self._is_child or role != "user"
            self._take_asked(message if isinstance(message, dict) else {}, parts, number, is_injected=is_injected)

    def _take_answer(self, message: dict[str, Any], parts: list[dict[str, Any]], number: int) -> None:
        blocks: list[Block] = []
        for part in parts:
            if part.get("type") == "tool_use":
                call = ToolCall(text_in(part, "id"), text_in(part, "name"), given(part.get("input")))
                blocks.append(call)
                path = text_in(call.input, "path", "file_path", "absolutePath")
                if path and call.name in ("editor", "write_to_file", "replace_in_file", "apply_diff", "apply_patch"):
                    self.draft.touch(path, 0, 0)
            else:
                blocks += self._block(part)
        model = text_in(message.get("modelInfo"), "modelId", "id")
        self.draft.gathered.model = model or self.draft.gathered.model
        provider = text_in(message.get("modelInfo"), "providerId", "provider")
        self.draft.gathered.provider = provider or self.draft.gathered.provider
        self._add(message, "assistant", blocks, number, model=model)

    def _take_asked(
        self, message: dict[str, Any], parts: list[dict[str, Any]], number: int, *, is_injected: bool
    ) -> None:
        typed: list[Block] = []
        context: list[Block] = []
        results: list[Block] = []
        for part in parts:
            if part.get("type") == "tool_result":
                results += self._result(part, typed)
            elif part.get("type") == "text":
                self._take_text(text_in(part, "text"), typed, context, results)
            else:
                typed += self._block(part)
        prompt = next((block.text for block in typed if isinstance(block, Text)), "")
        if results and not prompt:  # a file or a picture that a tool gave back
            results += typed
            typed.clear()
        self.prompt = self.prompt or prompt
        self._add(message, "tool", results, number)
        self._add(message, "system", context + typed if is_injected else context, number)
        self._add(message, "user", [] if is_injected else typed, number)

    def _take_text(self, text: str, typed: list[Block], context: list[Block], results: list[Block]) -> None:
        self.folder = self.folder or folder_in(text)
        found = result_in(text)
        said = [match[2].strip() for match in _SAID.finditer(text)]
        typed += [Text(one) for one in said if one]
        if found is not None:
            self._tool = found[0]
            if found[1] and not said:
                results.append(ToolResult("", found[1]))
            return
        rest = _SAID.sub("", text).strip() if said else text
        if not rest:
            return
        if self._tool and not said and not rest.startswith("<environment_details>"):
            results.append(ToolResult("", rest))  # what a tool gave back is a text of its own behind its name
        elif said or rest.lstrip().startswith(_INJECTED):
            context.append(Text(rest))
        else:
            typed.append(Text(rest))
        self._tool = ""

    def _result(self, part: dict[str, Any], typed: list[Block]) -> list[Block]:
        content = part.get("content")
        texts, images = [], []
        for inner in [{"type": "text", "text": content}] if isinstance(content, str) else objects_in(content):
            if inner.get("type") == "image":
                images += self._block(inner)
            else:
                texts.append(text_in(inner, "text") or shown({k: v for k, v in inner.items() if k != "type"}))
        text = "\n".join(texts)
        typed += [Text(match[2].strip()) for match in _SAID.finditer(text) if match[1] in ("feedback", "user_message")]
        return [ToolResult(text_in(part, "tool_use_id"), text, part.get("is_error") is True), *images]

    def _block(self, part: dict[str, Any]) -> list[Block]:
        kind, text = part.get("type"), text_in(part, "text", "thinking", "content")
        if kind == "image":
            source = part.get("source") if isinstance(part.get("source"), dict) else part
            data = text_in(source, "data", "image")
            return [base64_image(text_in(source, "media_type", "mediaType"), data)] if data else []
        if kind == "image_url":
            return [image_at(text_in(part.get("image_url"), "url"))]
        if kind == "file":
            self.draft.mention(text_in(part, "path"))
            return [File(text_in(part, "path", "filename")[:PATH_LIMIT], "", text_in(part, "content"))]
        if kind in ("thinking", "reasoning"):
            return [Thinking(text)] if text else []
        if kind not in ("text", "redacted_thinking"):
            self._document.count_unknown(f"block:{kind}")
        return [Text(text)] if text else []

    def _add(self, message: dict[str, Any], role: Role, blocks: list[Block], number: int, *, model: str = "") -> None:
        if not blocks:
            return
        moment = moment_ms(message.get("ts"))
        name = text_in(message, "id") or f"message-{number}"
        usage, cost = _usage(message.get("metrics")), None
        metrics = message.get("metrics")
        if role == "assistant" and isinstance(metrics, dict) and usage.total_tokens:
            told = metrics.get("cost")
            cost = float(told) if isinstance(told, int | float) and 0 <= told < 1e6 else None
            index = self.draft.next_index
            key = name if "id" in message else f"{self.draft.gathered.native_id}:{name}"
            if not self.draft.respond(key, usage, model=model, timestamp_ms=moment, index=index, cost_usd=cost):
                usage = Usage()
        else:
            usage = Usage()
        name = name if role in ("user", "assistant") else f"{name}-{role}"
        self.draft.add(
            Message(
                name, role, tuple(blocks), moment, None, model or None, usage if usage.total_tokens else None, number
            )
        )


def _usage(metrics: Any) -> Usage:
    """Return what a message counts: its input includes what came from the cache."""
    if not isinstance(metrics, dict):
        return Usage()
    tokens = metrics.get("tokens")
    if isinstance(tokens, dict):  # the last versions of the first generation, whose input is without the cache
        return Usage(count(tokens.get("prompt")), count(tokens.get("completion")), count(tokens.get("cached")))
    read, written = count(metrics.get("cacheReadTokens")), count(metrics.get("cacheWriteTokens"))
    asked = count(metrics.get("inputTokens"))
    return Usage(max(asked - read - written, 0), count(metrics.get("outputTokens")), read, written)


class Manifest(msgspec.Struct):
    """What stands beside a conversation of the second generation."""

    started_at: str | None = None
    ended_at: str | None = None
    provider: str | None = None
    model: str | None = None
    cwd: str | None = None
    workspace_root: str | None = None
    source: str | None = None
    metadata: Any = None
