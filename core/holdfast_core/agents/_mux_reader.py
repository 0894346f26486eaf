"""Makes a session of Mux's messages, each of which holds its parts, with tools and their results among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, moment_ms, one_line, storable, text_of_name
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
    Image,
    Message,
    Text,
    Thinking,
    Todo,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.usage import Usage

_PATHS = ("path", "file_path")


class Part(msgspec.Struct, rename="camel", gc=False):
    """One part of a message."""

    type: str | None = None
    text: str | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    input: Any = None
    state: str | None = None
    output: Any = None
    failed: bool | None = None
    url: str | None = None
    media_type: str | None = None
    filename: str | None = None

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Details(msgspec.Struct, rename="camel", gc=False):
    """What the input or the output was made of."""

    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class Counts(msgspec.Struct, rename="camel", gc=False):
    """The counts of one answer; the input has the cache within it, the output the reasoning."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_token_details: Details | None = None
    output_token_details: Details | None = None
    not_read: ClassVar = names("totalTokens")


class Anthropic(msgspec.Struct, rename="camel", gc=False):
    """What one provider tells beside the counts."""

    cache_creation_input_tokens: int | None = None


class Provider(msgspec.Struct, gc=False):
    """What providers tell beside the counts."""

    anthropic: Anthropic | None = None


class Metadata(msgspec.Struct, rename="camel", gc=False):
    """What is known of a message."""

    timestamp: Any = None
    model: str | None = None
    usage: Counts | None = None
    provider_metadata: Provider | None = None
    compacted: Any = None
    compaction_boundary: bool | None = None
    synthetic: bool | None = None
    kind: str | None = None
    file_at_mention_snapshot: list[str] | None = None
    error: str | None = None
    not_read: ClassVar = names("errorType historySequence partial")

    def counted(self) -> Usage:
        """Return the counts in our meaning."""
        counts = self.usage or Counts()
        taken, given = counts.input_token_details or Details(), counts.output_token_details or Details()
        told = (self.provider_metadata or Provider()).anthropic or Anthropic()
        read = count(counts.cached_input_tokens or taken.cache_read_tokens)
        written = count(told.cache_creation_input_tokens or taken.cache_write_tokens)
        reasoning = count(counts.reasoning_tokens or given.reasoning_tokens)
        output = count(counts.output_tokens)
        # Older rows of one gateway have the reasoning apart.
        output += 0 if output >= reasoning else reasoning
        return Usage(max(count(counts.input_tokens) - read - written, 0), output, read, written, reasoning)


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    id: str | None = None
    role: str | None = None
    parts: list[Part] | None = None
    metadata: Metadata | None = None
    created_at: Any = None
    not_read: ClassVar = names("workspaceId")


class State(SessionState, array_like=True):
    """What was found so far; these files are read whole."""

    asked: str = ""


class Reader(SessionReader[Record, State]):
    """Reads one session: what was put away of it, then what is active."""

    record = Record
    state_kind = State

    def adopted(self) -> None:
        self._is_older = False
        self._seen: set[str] = set()

    def begun(self) -> Gathered:
        folder = Path(self.source.path).parent
        if folder.parent.name == "subagent-transcripts":
            return Gathered(
                text_of_name(folder.name), kind="subagent", parent_id=text_of_name(folder.parent.parent.name)
            )
        return Gathered(text_of_name(folder.name))

    def run_older(self, older: LineFile) -> None:
        """Read the file of messages that were put away, which have no line in the session's own file."""
        newer, self.file, self._is_older = self.file, older, True
        self.run()
        self.file, self._is_older, self.line = newer, False, 1

    def take(self, record: Record) -> None:
        told = record.metadata or Metadata()
        self._moment = moment_ms(told.timestamp if told.timestamp is not None else record.created_at)
        name = record.id or f"{'older' if self._is_older else 'line'}-{self.line}"
        if name in self._seen:  # moved by a step that was cut off
            return
        self._seen.add(name)
        if record.role == "assistant":
            self._take_answer(record, told, name)
        elif record.role == "user":
            self._take_prompt(record, told, name)
        else:
            if record.role != "system":
                self.count_unknown(f"role/{record.role or 'none'}")
            self._add("system", self._blocks(record.parts or [])[0], name)

    def _add(self, role: Any, blocks: list[Block], name: str, **more: Any) -> int:
        line = 0 if self._is_older else self.line
        return self.draft.add(Message(name, role, tuple(blocks), self._moment, line=line, **more))

    def _take_prompt(self, record: Record, told: Metadata, name: str) -> None:
        blocks, _ = self._blocks(record.parts or [])
        first = next((block.text for block in blocks if isinstance(block, Text) and block.text.strip()), "")
        is_subagent = self.kept.main.kind == "subagent"
        if told.synthetic or told.kind or told.file_at_mention_snapshot is not None or is_subagent:
            if is_subagent and not self.kept.asked:
                self.kept.asked = one_line(first, PREVIEW_LIMIT)
            self._add("system", blocks, name)
            return
        if not self.kept.asked and not first.lstrip().startswith("/"):
            self.kept.asked = one_line(first, PREVIEW_LIMIT)
        self._add("user", blocks, name)

    def _take_answer(self, record: Record, told: Metadata, name: str) -> None:
        blocks, results = self._blocks(record.parts or [])
        if told.compacted or told.compaction_boundary:
            text = "\n".join(block.text for block in blocks if isinstance(block, Text))
            self._add("system", [Compaction(text)], name)
        else:
            provider, _, model = (told.model or "").rpartition(":")
            main = self.kept.main
            main.model, main.provider = model or main.model, provider or main.provider
            if told.error:
                blocks.append(Error(told.error))
            self._add("assistant", blocks, name, model=model or None)
            if results:
                self._add("tool", results, f"{name}:results", parent_id=name)
        self._count(told, name)

    def _count(self, told: Metadata, name: str) -> None:
        usage = told.counted()
        if usage.total_tokens:
            index = next(at for at in range(self.draft.next_index - 1, -1, -1) if self.draft.at(at).id == name)
            model = (told.model or "").rpartition(":")[2]
            self.draft.respond(name, usage, model=model, timestamp_ms=self._moment, index=index)
            self.draft.put(index, msgspec.structs.replace(self.draft.at(index), usage=usage))

    def _blocks(self, parts: list[Part]) -> tuple[list[Block], list[Block]]:
        """Return the blocks of a message, and the results of its tools."""
        blocks: list[Block] = []
        results: list[Block] = []
        for part in parts:
            if part.type == "dynamic-tool":
                blocks.append(ToolCall(part.tool_call_id or "", part.tool_name or "", storable(part.input)))
                if part.state in ("output-available", "output-redacted") or part.output is not None:
                    results.append(self._result(part))
            elif part.type == "reasoning":
                blocks.append(Thinking(part.text or ""))
            elif part.type == "file":
                blocks.append(_attached(part))
            elif part.text is not None:
                blocks.append(Text(part.text))
            else:
                self.count_unknown(f"part/{part.type or 'none'}")
                blocks.append(Text(f"[{part.type or 'unknown'}]"))
        return blocks, results

    def _result(self, part: Part) -> ToolResult:
        output = part.output
        given = output if isinstance(output, dict) else {}
        is_error = bool(part.failed) or given.get("success") is False
        arguments = part.input if isinstance(part.input, dict) else {}
        diff, path = given.get("diff"), next((arguments[name] for name in _PATHS if name in arguments), None)
        if isinstance(diff, str) and isinstance(path, str) and not is_error:
            lines = [line for line in diff.split("\n") if not line.startswith(("+++", "---"))]
            self.draft.touch(
                path, sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)
            )
        if part.tool_name == "todo_write" and not is_error:
            self.kept.main.todos = _todos(arguments.get("todos")) or self.kept.main.todos
        text = next((given[name] for name in ("output", "content", "error") if isinstance(given.get(name), str)), None)
        if text is None:
            text = "" if output is None else shown(output)
        return ToolResult(part.tool_call_id or "", text, is_error)

    def facts(self) -> dict[str, Any]:
        kept, main = self.kept, self.kept.main
        workspace = main.parent_id or main.native_id
        project, title = self._listed(workspace)
        return {
            "title": (title if main.kind == "main" else "") or kept.asked,
            "is_empty": not main.spoken_count,
            "project_path": project,
            "preview": kept.asked or main.preview or main.first_text,
        }

    def _listed(self, workspace: str) -> tuple[str, str]:
        """Return the directory and the title of a workspace, by the program's own list."""
        home = Path(self.source.root).parent
        content = read_small(home / "config.json", root=str(home))
        try:
            listed = msgspec.json.decode(content)["projects"] if content else []
            for project, settings in listed:
                for one in settings["workspaces"]:
                    if isinstance(one, dict) and one.get("id") == workspace:
                        path = one.get("path") or project
                        return str(path)[:PATH_LIMIT], one_line(str(one.get("title") or ""), PREVIEW_LIMIT)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError, TypeError, ValueError):
            return "", ""
        return "", ""


def _attached(part: Part) -> Block:
    url, kind = part.url or "", part.media_type or ""
    data = url.partition(";base64,")[2] if url.startswith("data:") else ""
    path = part.filename or ("" if url.startswith("data:") else url)
    if kind.startswith("image/"):
        return Image(kind, len(data) * 3 // 4 - data[-2:].count("="), data, path)
    return File(path, kind)


def _todos(listed: Any) -> list[Todo]:
    return [
        Todo(
            one_line(item["content"], PREVIEW_LIMIT),
            item["status"] if item.get("status") in ("in_progress", "completed") else "pending",
        )
        for item in (listed[:200] if isinstance(listed, list) else ())
        if isinstance(item, dict) and isinstance(item.get("content"), str)
    ]
