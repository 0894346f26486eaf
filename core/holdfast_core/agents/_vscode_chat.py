"""A conversation of the editor's chat, as it is stored: requests with what was answered to each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from holdfast_core.agents._documents import Document
from holdfast_core.agents._draft import Draft
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import given, objects_in, path_of_uri, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms
from holdfast_core.model.message import (
    Block,
    Error,
    File,
    Image,
    Message,
    Role,
    Text,
    Thinking,
    Todo,
    TodoStatus,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.usage import Usage

_SILENT = frozenset((
    "undoStop", "codeblockUri", "mcpServersStarting", "prepareToolInvocation", "progressMessage", "progressTask",
    "progressTaskSerialized", "command", "treeData", "references", "codeCitation", "usedContext", "extensions",
    "multiDiffData", "clearToPreviousToolInvocation", "move", "pullRequest", "hook",
))  # fmt: skip
_ASKED = frozenset(("confirmation", "elicitation", "elicitationSerialized", "elicitation2", "questionCarousel"))
_TEXTS = ("", "markdownContent", "markdownVuln", "asyncContent")
_STATUS: dict[str, TodoStatus] = {"in-progress": "in_progress", "completed": "completed"}
_NODES_LIMIT = 100_000
_AUTOMATIC = ("", "auto", "default")


class Chat:
    """Makes messages of a conversation's requests."""

    def __init__(self, draft: Draft, document: Document) -> None:
        self.draft = draft
        self.todos: tuple[Todo, ...] = ()
        self._document = document

    def take(self, request: Any, number: int) -> None:
        """Take in one request and its answer."""
        if not isinstance(request, dict):
            self._document.count_unknown("none")
            self.draft.add(Message(f"request-{number}", "system", (Text(shown(request)),), line=number))
            return
        _Turn(self, request, number, self._document).take()


class _Turn:
    """One request while it is read. ``blocks`` wait to be said together."""

    def __init__(self, chat: Chat, request: dict[str, Any], number: int, document: Document) -> None:
        self.chat, self.draft, self.request, self.number = chat, chat.draft, request, number
        self.document = document
        result = request.get("result")
        self.result: dict[str, Any] = result if isinstance(result, dict) else {}
        metadata = self.result.get("metadata")
        self.metadata: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
        self.name = text_in(request, "requestId") or f"request-{number}"
        self.blocks: list[Block] = []
        self.parts = 0
        self.first: int | None = None
        rounds = objects_in(self.metadata.get("toolCallRounds"))
        self.calls = [(call, one.get("timestamp")) for one in rounds for call in objects_in(one.get("toolCalls"))]
        self.has_calls = bool(self.calls)
        self.moment: int | None = None
        self.model = self._model()

    def take(self) -> None:
        request, draft = self.request, self.draft
        self._add("user", self._asked(), moment_ms(request.get("timestamp")))
        draft.gathered.model = self.model or draft.gathered.model
        items = request.get("response")
        for item in items if isinstance(items, list) else []:
            self._take_item(item if isinstance(item, dict) else {"value": item})
        self._flush()
        error = self.result.get("errorDetails")
        message = text_in(error, "message") or (shown(error) if error else "")
        self._add("system", [Error(message)] if message else [], None)
        self._count()
        agent = request.get("agent")
        draft.gathered.agent_version = text_in(agent, "extensionVersion") or draft.gathered.agent_version
        for event in objects_in(request.get("editedFileEvents")):
            self._touch(event.get("uri"))

    def _model(self) -> str:
        """Return which model answered: where one was chosen automatically, it is told in passing."""
        model = text_in(self.metadata, "resolvedModel") or text_in(self.request, "modelId").rpartition("/")[2]
        if model in _AUTOMATIC:
            model = text_in(self.result, "details").partition("•")[0].strip()
        provider = text_in(self.request, "modelId").rpartition("/")[0]
        self.draft.gathered.provider = provider or self.draft.gathered.provider
        return model

    def _asked(self) -> list[Block]:
        message = self.request.get("message")
        parts = objects_in(message.get("parts")) if isinstance(message, dict) else []
        text = message if isinstance(message, str) else text_in(message, "text")
        text = text or "".join(text_in(part, "text") for part in parts)
        blocks: list[Block] = [Text(text)] if text else []
        data = self.request.get("variableData")
        for variable in objects_in(data.get("variables") if isinstance(data, dict) else None):
            blocks += self._variable(variable)
        return blocks

    def _variable(self, variable: dict[str, Any]) -> list[Block]:
        value = variable.get("value")
        path = _path(value.get("uri") if isinstance(value, dict) and "uri" in value else value)
        if variable.get("kind") == "image":
            return [Image(text_in(variable, "mimeType"), 0, "", path or text_in(variable, "fullName", "name"))]
        if not path:
            name = text_in(variable, "name")
            text = value if isinstance(value, str) else ""
            return [File(name[:PATH_LIMIT], "", text)] if name and text else []
        self.draft.mention(path)
        return [File(path)]

    def _take_item(self, item: dict[str, Any]) -> None:
        kind = item.get("kind")
        if type(kind) is not str:
            kind = ""
        if kind in _TEXTS:
            self._say(_text(item.get("value")) or _text(item.get("content")))
        elif kind == "inlineReference":
            self._say(_reference(item))
        elif kind == "thinking":
            text = item.get("value")
            if type(text) is not str:
                text = "".join(part for part in text if isinstance(part, str)) if type(text) is list else _text(text)
            self.blocks += [Thinking(text)] if text else []
        elif kind in ("toolInvocationSerialized", "toolInvocation"):
            self._take_call(item)
        elif kind in ("textEditGroup", "notebookEditGroup"):
            self._take_edit(item)
        elif kind in _ASKED or kind == "warning":
            self._flush()
            told = "\n".join(found for name in ("title", "message", "content") if (found := _text(item.get(name))))
            self._add("system", [Text(told)] if told else [], None)
        elif kind not in _SILENT:
            self.document.count_unknown(kind)
            self._flush()
            told = _text(item.get("value")) or _text(item.get("content"))
            self._add("system", [Text(told)] if told else [], None)

    def _say(self, text: str) -> None:
        """Add to what is said: a text is stored in pieces, with references between them."""
        if not text:
            return
        last = self.blocks[-1] if self.blocks else None
        if type(last) is Text:
            self.blocks[-1] = Text(last.text + text)
        else:
            self.blocks.append(Text(text))

    def _take_edit(self, item: dict[str, Any]) -> None:
        path = self._touch(item.get("uri"))
        if path and not self.has_calls:  # else a call tells what was written
            edits = item.get("edits")
            groups = edits if isinstance(edits, list) else []
            text = "".join(text_in(edit, "text") for group in groups for edit in objects_in(group))
            self.blocks.append(File(path, "", text))

    def _touch(self, uri: Any) -> str:
        path = _path(uri)
        if path:
            self.draft.touch(path, 0, 0)
        return path

    def _take_call(self, item: dict[str, Any]) -> None:
        its_id = text_in(item, "toolCallId")
        call, told = self._matching(its_id) if self.calls else ({}, None)
        call_id = (call and text_in(call, "id")) or its_id
        self.moment = None if told is None else moment_ms(told)
        arguments = given(call.get("arguments")) if call else None
        data, details = item.get("toolSpecificData"), item.get("resultDetails")
        if arguments is None:
            arguments = given(details.get("input")) if isinstance(details, dict) and "input" in details else None
        if arguments is None:
            arguments = _described(item, data)
        if (type(data) is dict and "todoList" in data) or (type(arguments) is dict and "todoList" in arguments):
            self._plan(data, arguments)
        name = (call and text_in(call, "name")) or text_in(item, "toolId")
        self.blocks.append(ToolCall(call_id, name, arguments))
        self._flush()
        results = self.metadata.get("toolCallResults")
        stored = results.get(text_in(call, "id")) if type(results) is dict else None
        text, is_error = "" if stored is None else _result(stored), False
        if isinstance(details, dict):
            text = text or _output(details.get("output"))
            is_error = details.get("isError") is True
        if text or is_error:
            is_error = is_error or text.startswith("ERROR while calling tool")
            self._add("tool", [ToolResult(call_id, text, is_error)], self.moment)
        self.moment = None

    def _matching(self, call_id: str) -> tuple[dict[str, Any], Any]:
        """Return the call that an invocation shows: by its id, else the next one whose id tells nothing else."""
        if call_id:
            for place, (call, _told) in enumerate(self.calls):
                if text_in(call, "id").partition("__")[0] == call_id.partition("__")[0]:
                    found = self.calls[place]
                    del self.calls[: place + 1]
                    return found
        return ({}, None) if call_id.startswith(("call_", "toolu_")) else self.calls.pop(0)

    def _plan(self, data: Any, arguments: Any) -> None:
        steps = objects_in(data.get("todoList")) if isinstance(data, dict) else []
        if not steps and isinstance(arguments, dict):
            steps = objects_in(arguments.get("todoList"))
        if steps:
            self.chat.todos = tuple(
                Todo(text_in(step, "title"), _STATUS.get(text_in(step, "status"), "pending"))
                for step in steps
                if text_in(step, "title")
            )

    def _flush(self) -> None:
        if self.blocks:
            blocks = [block for block in self.blocks if type(block) is not Text or block.text.strip()]
            self.blocks = []
            self._add("assistant", blocks, self.moment)

    def _count(self) -> None:
        """Count what the request used on its first message that the model said."""
        usage = Usage(count(self.metadata.get("promptTokens")), count(self.metadata.get("outputTokens")))
        if not usage.total_tokens:
            return
        draft, index = self.draft, self.first
        key = text_in(self.request, "responseId") or f"{draft.gathered.native_id}:{self.name}"
        moment = moment_ms(self.request.get("timestamp"))
        if draft.respond(key, usage, model=self.model, timestamp_ms=moment, index=index) and index is not None:
            draft.use(index, usage)

    def _add(self, role: Role, blocks: list[Block], moment: int | None) -> None:
        if not blocks:
            return
        if role == "assistant" and self.first is None:
            self.first = self.draft.next_index
        name = self.name if role == "user" else f"{self.name}-{self.parts}"
        self.parts += 1
        model = self.model if role == "assistant" else ""
        self.draft.add(Message(name, role, tuple(blocks), moment, None, model or None, None, self.number))


def _path(uri: Any) -> str:
    if isinstance(uri, str):
        return path_of_uri(uri) if "://" in uri else ""
    return text_in(uri, "fsPath", "path")[:PATH_LIMIT]


def _text(value: Any) -> str:
    """Return a text that may be wrapped as Markdown."""
    return value if isinstance(value, str) else text_in(value, "value")


def _reference(item: dict[str, Any]) -> str:
    reference = item.get("inlineReference")
    inner = reference.get("location") if isinstance(reference, dict) and "location" in reference else reference
    inner = inner.get("uri") if isinstance(inner, dict) and "uri" in inner else inner
    name = text_in(item, "name") or text_in(reference, "name")
    return name or re.split(r"[\\/]", _path(inner))[-1]


def _described(item: dict[str, Any], data: Any) -> Any:
    """Return what is told of a call whose arguments are not stored."""
    raw = None
    if isinstance(data, dict):
        line, raw = data.get("commandLine"), data.get("rawInput")
        command = line if isinstance(line, str) else text_in(line, "toolEdited", "userEdited", "original")
        command = command or text_in(data, "command")
        if command:
            return {"command": command}
    told = _text(item.get("invocationMessage")) or _text(item.get("pastTenseMessage"))
    return given(raw) if raw is not None else {"message": told} if told else None


def _result(stored: Any) -> str:
    """Return what a tool gave back: texts, or trees of texts."""
    texts: list[str] = []
    for part in objects_in(stored.get("content") if isinstance(stored, dict) else None):
        value = part.get("value")
        texts.append(value if isinstance(value, str) else "".join(_leaves(value)).strip("\n"))
    return "\n".join(text for text in texts if text)


def _leaves(tree: Any) -> Iterator[str]:
    """Yield the texts of a tree in order, without going down by calls: it may be deep."""
    stack: list[Any] = [tree]
    for _ in range(_NODES_LIMIT):
        if not stack:
            return
        node = stack.pop()
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("text"), str):
            yield "\n" + node["text"] if node.get("lineBreakBefore") is True else node["text"]
        children = node.get("children")
        stack += reversed(children) if isinstance(children, list) else ()
        stack += [node["node"]] if "node" in node else []


def _output(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "\n".join([text for part in objects_in(value) if (text := text_in(part, "value", "text"))])
