"""A task of Cline or a descendant as its window shows it: asks and says, one after the other."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents._cline_talk import folder_in, result_in
from holdfast_core.agents._documents import Document
from holdfast_core.agents._draft import Draft
from holdfast_core.agents._fields import names
from holdfast_core.agents._parts import given, image_at, objects_in, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
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

_PERSON = frozenset(("say:user_feedback", "say:user_feedback_diff"))
_MODEL = frozenset((
    "say:completion_result", "ask:completion_result", "ask:followup", "ask:plan_mode_respond", "ask:act_mode_respond",
    "say:plan_completion_result", "ask:new_task", "ask:report_bug", "say:image",
))  # fmt: skip
_CALLS = frozenset((
    "say:tool", "ask:tool", "say:command", "ask:command", "say:use_mcp_server", "ask:use_mcp_server",
    "say:browser_action", "say:browser_action_launch", "ask:browser_action_launch", "say:use_subagents",
    "ask:use_subagents",
))  # fmt: skip
_RESULTS = frozenset((
    "say:command_output", "ask:command_output", "say:mcp_server_response", "say:browser_action_result",
    "say:subtask_result", "say:codebase_search_result", "say:subagent",
))  # fmt: skip
_ERRORS = frozenset((
    "say:error", "say:diff_error", "say:clineignore_error", "say:rooignore_error", "ask:api_req_failed",
    "ask:mistake_limit_reached", "say:condense_context_error", "say:command_permission_denied",
))  # fmt: skip
_NOTES = frozenset((
    "say:info", "say:mcp_notification", "say:hook_output_stream", "say:api_req_retry_delayed",
    "say:shell_integration_warning", "say:shell_integration_warning_with_suggestion",
))  # fmt: skip
_USED = frozenset(("say:api_req_started", "say:deleted_api_reqs", "say:subagent_usage", "say:api_req_deleted"))
_COMPACTIONS = frozenset((
    "say:condense_context", "say:sliding_window_truncation", "say:compaction", "ask:condense", "ask:summarize_task",
))  # fmt: skip
_SILENT = frozenset((
    "say:checkpoint_created", "say:checkpoint_saved", "ask:resume_task", "ask:resume_completed_task",
    "say:api_req_finished", "say:api_req_retried", "say:api_req_rate_limited", "say:mcp_server_request_started",
    "say:load_mcp_documentation", "say:hook_status", "say:conditional_rules_applied", "say:browser_session_status",
    "ask:auto_approval_max_req_reached", "ask:use_skill",
))  # fmt: skip
# Of the rows of all the programs that were made from this one.
_ROW = names(
    "apiProtocol ask checkpoint contextCondense contextTruncation conversationHistoryIndex "
    "conversationHistoryDeletedRange files images isAnswered isCheckpointCheckedOut isProtected lastCheckpointHash "
    "metadata modelInfo partial progressStatus reasoning say text ts type"
)
_NO_TOOLS = frozenset(
    ("plan_mode_respond", "ask_followup_question", "attempt_completion", "new_task", "act_mode_respond")
)
_CHANGES = frozenset((
    "editedExistingFile", "newFileCreated", "appliedDiff", "fileDeleted", "insertContent", "searchAndReplace",
))  # fmt: skip
_STATUS: dict[str, TodoStatus] = {"in_progress": "in_progress", "completed": "completed"}


class Counting(NamedTuple):
    """How an agent counts its input, which changed: whether the cache is in it, by provider, protocol or moment."""

    with_cache_since_ms: int | None = None
    providers_with_cache: frozenset[str] = frozenset()

    def has_cache(self, told: dict[str, Any], moment: int | None, provider: str) -> bool:
        """Return whether the input of a request includes what came from the cache and went to it."""
        if self.with_cache_since_ms is not None and (moment or 0) >= self.with_cache_since_ms:
            return True
        return provider in self.providers_with_cache or told.get("apiProtocol") == "openai"


class Used(NamedTuple):
    """Which model was used from a moment on."""

    since_ms: int
    model: str
    provider: str


class Task:
    """Makes messages of a task's rows. ``used`` are the models, the first one first.

    What ``is_child`` was asked to do is no person's prompt.
    """

    def __init__(
        self, draft: Draft, document: Document, counting: Counting, used: list[Used], *, is_child: bool = False
    ) -> None:
        self.draft = draft
        self.folder = self.prompt = ""
        self._is_child = is_child
        self.todos: list[Todo] = []
        self._document = document
        self._counting = counting
        self._used = used
        self._call = ""
        self._is_asked = False
        self._pending = Usage()
        self._last_answer: int | None = None
        self._before: tuple[str, str, bool] = ("", "", False)

    def take(self, row: Any, number: int) -> None:
        """Take in one row."""
        if not isinstance(row, dict):
            self._document.count_unknown("none")
            self._add({}, "system", [Text(str(row))], number)
            return
        self._document.sample.compare(row, _ROW)
        way = text_in(row, "type")
        kind = f"{way}:{text_in(row, way) if way in ('say', 'ask') else ''}"
        text = text_in(row, "text")
        if self._is_same(kind, text):
            self._drop_last()
        index = self.draft.next_index
        self._take(row, kind, text, number)
        is_one = self.draft.next_index == index + 1
        self._before = (kind, text, row.get("partial") is True and is_one)

    def end(self) -> None:
        """Put tokens that no later message carries on the last answer."""
        if self._pending.total_tokens and self._last_answer is not None:
            message = self.draft.at(self._last_answer)
            usage = (message.usage or Usage()) + self._pending
            self.draft.put(self._last_answer, msgspec.structs.replace(message, usage=usage))

    def _is_same(self, kind: str, text: str) -> bool:
        """Return whether a row is a later state of the one before it, which was still being written."""
        before, earlier, is_partial = self._before
        return is_partial and before == kind and bool(earlier) and text.startswith(earlier.rstrip("."))

    def _drop_last(self) -> None:
        gathered, last = self.draft.gathered, self.draft.messages[-1]
        if last.usage is not None:
            self._pending += last.usage
        gathered.spoken_count -= last.role != "system"
        gathered.prompt_count -= last.role == "user"
        self.draft.cut(self.draft.next_index - 1)
        if self._last_answer == self.draft.next_index:
            self._last_answer = None

    def _take(self, row: dict[str, Any], kind: str, text: str, number: int) -> None:
        if kind == "say:text":
            self._take_text(row, text, number)
        elif kind == "say:task" or kind in _PERSON:
            is_injected = kind == "say:task" and self._is_child
            self._is_asked, self.prompt = True, self.prompt or text
            self._add(row, "system" if is_injected else "user", self._typed(row, text), number)
        elif kind == "say:reasoning":
            thought = text or text_in(row, "reasoning")
            self._add(row, "assistant", [Thinking(thought)] if thought else [], number)
        elif kind in _MODEL:
            said = given(text)
            text = text_in(said, "question", "response", "result") or ("" if isinstance(said, dict) else text)
            text = "" if self._before[1] == text and kind == "ask:completion_result" else text
            self._add(row, "assistant", [Text(text)] if text else self._images(row), number)
        elif kind in _CALLS:
            self._take_call(row, kind, text, number)
        elif kind in _RESULTS:
            self._take_result(row, text, number)
        elif kind in _USED:
            self._take_used(row, kind, text, number)
        elif kind in _COMPACTIONS:
            self._take_compaction(row, text, number)
        elif kind in _ERRORS:
            self._add(row, "system", [Error(text)] if text else [], number)
        elif kind in ("say:task_progress", "say:user_edit_todos"):
            self._take_plan(text)
        elif kind not in _SILENT:
            if kind not in _NOTES:
                self._document.count_unknown(kind)
            self._add(row, "system", [Text(text)] if text else [], number)

    def _take_text(self, row: dict[str, Any], text: str, number: int) -> None:
        """Take in a text: the first one is what the person asked for."""
        if not self._is_asked:
            self._is_asked = True
            self.prompt = text
            self._add(row, "system" if self._is_child else "user", self._typed(row, text), number)
            return
        blocks: list[Block] = [Thinking(row["reasoning"])] if text_in(row, "reasoning") else []
        blocks += [Text(text)] if text else []
        self._add(row, "assistant", blocks + self._images(row), number)

    def _typed(self, row: dict[str, Any], text: str) -> list[Block]:
        blocks: list[Block] = [Text(text)] if text else []
        files = row.get("files")
        for path in files if isinstance(files, list) else ():
            if isinstance(path, str) and path:
                self.draft.mention(path)
                blocks.append(File(path[:PATH_LIMIT]))
        return blocks + self._images(row)

    def _images(self, row: dict[str, Any]) -> list[Block]:
        images = row.get("images")
        return [image_at(one) for one in images if isinstance(one, str)] if isinstance(images, list) else []

    def _take_call(self, row: dict[str, Any], kind: str, text: str, number: int) -> None:
        name = kind.partition(":")[2]
        if name == "command":
            if self._call and self._before[0].endswith(":command") and self._before[1] == text:
                return  # asked for and then done
            arguments: Any = {"command": text}
        else:
            arguments = given(text)
        if isinstance(arguments, dict) and name == "tool":
            name = text_in(arguments, "tool") or name
            arguments = {key: value for key, value in arguments.items() if key != "tool"}
            path = text_in(arguments, "path")
            if name in _CHANGES and path:
                self.draft.touch(path, *_lines(text_in(arguments, "diff")))
            if name == "updateTodoList":
                self._take_steps(arguments.get("todos"))
        elif isinstance(arguments, dict) and name == "use_mcp_server":
            name = text_in(arguments, "toolName", "type") or name
        self._call = f"call-{number}"
        self._add(row, "assistant", [ToolCall(self._call, name, arguments)], number)

    def _take_result(self, row: dict[str, Any], text: str, number: int) -> None:
        value = given(text)
        shot = text_in(value, "screenshot") if isinstance(value, dict) else ""
        blocks: list[Block] = []
        if shot:
            blocks = [ToolResult(self._call, text_in(value, "logs", "currentUrl")), image_at(shot)]
        elif text:
            blocks = [ToolResult(self._call, text)]
        self._add(row, "tool", blocks, number)
        self._before = ("", "", False)
        self._call = self._call if row.get("partial") is True else ""

    def _take_used(self, row: dict[str, Any], kind: str, text: str, number: int) -> None:
        """Take in a request: what was used for it, and what it told the model."""
        told = given(text)
        if not isinstance(told, dict):
            return
        request = text_in(told, "request")
        self.folder = self.folder or folder_in(request)
        found = result_in(request)
        if found is not None and self._call and found[0] not in _NO_TOOLS and found[1]:
            self._add(row, "tool", [ToolResult(self._call, found[1])], number)
        self._call = "" if kind == "say:api_req_started" else self._call
        moment = moment_ms(row.get("ts"))
        model, provider = self._model(row, moment)
        read, written = count(told.get("cacheReads")), count(told.get("cacheWrites"))
        asked = count(told.get("tokensIn"))
        if self._counting.has_cache(told, moment, provider):
            asked = max(asked - read - written, 0)
        usage = Usage(asked, count(told.get("tokensOut")), read, written)
        cost = told.get("cost")
        cost = float(cost) if isinstance(cost, int | float) and 0 <= cost < 1e6 else None
        key = f"{self.draft.gathered.native_id}:{number}:{count(row.get('ts'))}"
        if usage.total_tokens and self.draft.respond(
            key, usage, model=model, timestamp_ms=moment, index=None, cost_usd=cost
        ):
            self._pending += usage
        failed = text_in(told, "streamingFailedMessage")
        self._add(row, "system", [Error(failed)] if failed else [], number)

    def _model(self, row: dict[str, Any], moment: int | None) -> tuple[str, str]:
        info = row.get("modelInfo")
        model, provider = text_in(info, "modelId"), text_in(info, "providerId")
        if not model and self._used:
            fitting = [one for one in self._used if one.since_ms <= (moment or 0) + 10_000]
            model, provider = (fitting[-1] if fitting else self._used[0])[1:]
        gathered = self.draft.gathered
        gathered.model, gathered.provider = model or gathered.model, provider or gathered.provider
        return model or gathered.model, provider

    def _take_compaction(self, row: dict[str, Any], text: str, number: int) -> None:
        told = row.get("contextCondense") or row.get("contextTruncation") or given(text)
        told = told if isinstance(told, dict) else {"summary": text}
        before = count(told.get("prevContextTokens")) or count(told.get("tokensBefore"))
        if text_in(told, "status") in ("", "completed") and (told.get("summary") or before):
            self._add(row, "system", [Compaction(text_in(told, "summary", "context"), before or None)], number)

    def _take_plan(self, text: str) -> None:
        steps = [line.strip() for line in text.split("\n")]
        found = [step for step in steps if step[:5].lower() in ("- [ ]", "- [x]")]
        if found:
            self.todos = [
                Todo(step[5:].strip(), "completed" if step[3].lower() == "x" else "pending") for step in found
            ]

    def _take_steps(self, value: Any) -> None:
        self.todos = [
            Todo(text_in(step, "content"), _STATUS.get(text_in(step, "status"), "pending"))
            for step in objects_in(value)
            if text_in(step, "content")
        ]

    def _add(self, row: dict[str, Any], role: Role, blocks: list[Block], number: int) -> None:
        if not blocks:
            return
        moment = moment_ms(row.get("ts"))
        model, usage = "", Usage()
        if role == "assistant":
            model, _provider = self._model(row, moment)
            usage, self._pending = self._pending, Usage()
            self._last_answer = self.draft.next_index
        carried = usage if usage.total_tokens else None
        name = f"row-{number}" if role in ("user", "assistant") else f"row-{number}-{role}"
        self.draft.add(Message(name, role, tuple(blocks), moment, None, model or None, carried, number))


def _lines(diff: str) -> tuple[int, int]:
    """Return how many lines a unified diff adds and removes; other forms of a change tell it of nobody."""
    lines = diff.split("\n") if "@@" in diff else []
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    return added, sum(line.startswith("-") and not line.startswith("---") for line in lines)
