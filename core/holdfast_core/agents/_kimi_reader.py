"""What the readers of Kimi CLI and Kimi Code have in common: turns, steps, calls that come in pieces, subagents."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._kimi_records import (
    Part,
    Returned,
    blocks_of,
    call_of,
    is_whole,
    lines_changed,
    parts_of,
    todos_of,
)
from holdfast_core.agents._lines import SessionReader, SessionState, Source
from holdfast_core.agents._reading import Place
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, one_line
from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Block, Image, Message, Role, Text, Todo, ToolResult
from holdfast_core.model.usage import Usage

_PENDING_LIMIT = 64
_INJECTED = ("<system>", "<system-reminder>", "<git-context>", "<notification>")


class Lane(msgspec.Struct, array_like=True):
    """One conversation of a file: the session's own, or a subagent's. ``call`` is one whose arguments go on."""

    main: Gathered
    step: int | None = None
    call: tuple[int, str, str, str] | None = None
    asked: str = ""


class State(SessionState, array_like=True):
    """What must last. ``pending`` are changes to files whose result is still to come, ``calls`` the latest calls."""

    step: int | None = None
    call: tuple[int, str, str, str] | None = None
    asked: str = ""
    lanes: dict[str, Lane] = msgspec.field(default_factory=dict)
    pending: dict[str, tuple[str, int, int]] = msgspec.field(default_factory=dict)
    calls: dict[str, int] = msgspec.field(default_factory=dict)
    cwd: str = ""
    counted: tuple[int, ...] = ()


class Stored(msgspec.Struct, rename="camel"):
    """What stands in ``state.json``, in either program's spelling."""

    title: str = ""
    is_custom_title: bool = False
    work_dir: str = ""
    last_prompt: str = ""
    custom_title: str = msgspec.field(default="", name="custom_title")
    archived: bool = False
    todos: Any = None
    agents: dict[str, Any] = msgspec.field(default_factory=dict)


Record = TypeVar("Record", bound=msgspec.Struct)


class KimiReader(SessionReader[Record, State]):
    """Gathers what the records of both programs say. A lane is named by the call that began it, ours by nothing."""

    state_kind = State

    moment: int | None = None

    def begun(self) -> Gathered:
        parent_id = self.parent_id()
        return Gathered(self.own_id(), kind="main" if parent_id is None else "subagent", parent_id=parent_id)

    @abstractmethod
    def own_id(self) -> str:
        """Return the session's id, which is told by its path."""

    @abstractmethod
    def parent_id(self) -> str | None:
        """Return the id of the session that a subagent belongs to, None for a main one; the path tells it."""

    def adopted(self) -> None:
        self._drafts = {name: Draft(lane.main) for name, lane in self.kept.lanes.items()}

    def seed(self) -> bytes:
        return self.kept.main.model.encode("utf-8", "replace")

    def sow(self, seed: bytes) -> None:
        self.kept.main.model = seed.decode("utf-8", "replace")

    def place_before(self, index: int) -> Place | None:
        return None if self.kept.lanes else super().place_before(index)

    def lane(self, name: str) -> tuple[Draft, State | Lane]:
        """Return a conversation with its draft."""
        if not name:
            return self.draft, self.kept
        if name not in self._drafts:
            main = self.kept.main
            child = Gathered(f"{main.native_id}-{name}", kind="subagent", parent_id=main.native_id)
            self.kept.lanes[name] = Lane(child)
            self._drafts[name] = Draft(child)
        return self._drafts[name], self.kept.lanes[name]

    def add(self, name: str, role: Role, blocks: list[Block]) -> int:
        """Add a message to a conversation; returns its index."""
        line = self.line
        draft = self.lane(name)[0] if name else self.draft
        return draft.add(Message(f"line-{line}", role, tuple(blocks), self.moment, None, None, None, line))

    def blocks(self, parts: list[Part]) -> list[Block]:
        """Return the blocks of a content; what is unknown in it is counted."""
        unknown: list[str] = []
        blocks = blocks_of(parts, unknown)
        for kind in unknown:
            self.count_unknown(kind)
        return blocks

    def take_prompt(self, name: str, content: Any, *, is_person: bool = True) -> None:
        """Take what stands in the person's place."""
        draft, lane = self.lane(name)
        blocks = self.blocks(parts_of(content))
        first = next((block.text for block in blocks if isinstance(block, Text) and block.text.strip()), "")
        is_injected = first.lstrip().startswith(_INJECTED)
        is_ours = draft.gathered.kind == "main" and is_person and not is_injected
        if not lane.asked and not is_injected and (is_person or draft.gathered.kind == "subagent"):
            lane.asked = one_line(first, PREVIEW_LIMIT)
        self.add(name, "user" if is_ours else "system", blocks)

    def begin_step(self, name: str) -> None:
        """Note that the model begins to answer."""
        lane = self.lane(name)[1] if name else self.kept
        if not name:
            self.mark()
        lane.step = lane.call = None

    def take_said(self, name: str, *blocks: Block, id: str | None = None, model: str | None = None) -> int:
        """Take a part of an answer."""
        line = self.line
        message = Message(id or f"line-{line}", "assistant", blocks, self.moment, None, model, None, line)
        lane: State | Lane = self.kept
        if name:
            draft, lane = self.lane(name)
            index = draft.add(message)
        else:
            index = self.draft.add(message)
        if lane.step is None:
            lane.step = index
        return index

    def take_call(self, name: str, call_id: str, tool: str, arguments: str) -> None:
        """Take a call whose arguments may go on in other records."""
        call = call_of(call_id, tool, arguments)
        index = self.take_said(name, call)
        lane = self.lane(name)[1] if name else self.kept
        lane.call = None if is_whole(call, arguments) else (index, call_id, tool, arguments)
        if not name:
            calls = self.kept.calls
            calls[call_id] = index
            if len(calls) > _PENDING_LIMIT:
                del calls[next(iter(calls))]

    def start(self, name: str, call_id: str) -> None:
        """Link a subagent that is heard for the first time to the call that started it."""
        if name not in self._drafts:
            draft = self.lane(name)[0]
            if call_id in self.kept.calls:
                child = f"{self.source.agent}:{draft.gathered.native_id}"
                self.draft.link(self.kept.calls.pop(call_id), call_id, child)

    def take_more_arguments(self, name: str, more: str) -> None:
        """Take how the arguments of the last call go on."""
        draft, lane = self.lane(name)
        if lane.call is None:
            return
        index, call_id, tool, arguments = lane.call
        arguments += more
        call = call_of(call_id, tool, arguments)
        draft.put(index, msgspec.structs.replace(draft.at(index), blocks=(call,)))
        lane.call = None if is_whole(call, arguments) else (index, call_id, tool, arguments)

    def expect_change(self, call_id: str, path: object, old: object, new: object) -> None:
        """Note what a call will change, if it succeeds."""
        if isinstance(path, str) and path and call_id:
            lines = lines_changed(old if isinstance(old, str) else "", new if isinstance(new, str) else "")
            pending = self.kept.pending
            pending[call_id] = (path[:PATH_LIMIT], *lines)
            if len(pending) > _PENDING_LIMIT:
                del pending[next(iter(pending))]

    def take_result(self, name: str, call_id: str, given: Returned) -> None:
        """Take what a tool gave back."""
        draft = self.lane(name)[0] if name else self.draft
        is_error = bool(given.is_error or given.failed)
        output = given.output
        images: list[Block] = []
        if type(output) is str:
            text = output
        else:
            inner = self.blocks(parts_of(output))
            text = "\n".join([block.text for block in inner if isinstance(block, Text)])
            images += [block for block in inner if isinstance(block, Image)]
        text = text or given.message or given.note or ""
        for seen in given.display or ():
            if seen.items is not None:
                draft.gathered.todos = todos_of(seen.items)
            elif seen.type == "diff" and seen.path and not is_error:
                draft.touch(seen.path, *lines_changed(seen.old_text or "", seen.new_text or ""))
        pending = self.kept.pending
        expected = pending.pop(call_id, None) if pending else None
        if expected is not None and not is_error:
            draft.touch(*expected)
        line, blocks = self.line, (ToolResult(call_id, text, is_error), *images)
        draft.add(Message(f"line-{line}", "tool", blocks, self.moment, None, None, None, line))

    def take_usage(self, name: str, key: str, usage: Usage, model: str) -> None:
        """Take the counts of a step; they stand on its first message."""
        if not usage.total_tokens:
            return
        draft, lane = self.lane(name) if name else (self.draft, self.kept)
        index = lane.step
        is_first = draft.respond(key, usage, model=model, timestamp_ms=self.moment, index=index)
        if is_first and index is not None:
            draft.use(index, usage)

    # What stands beside it.

    def stored(self, folder: Path) -> Stored:
        """Return what the agent keeps of a session beside its records."""
        content = read_small(folder / "state.json", root=self.source.root)
        if content is None:
            return Stored()
        try:
            return msgspec.json.decode(content, type=Stored)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found, _ = Forgiving(Stored).several(content)
            return found[0] if found else Stored()

    def said(self, stored: Stored) -> dict[str, Any]:
        """Return the facts that both programs have."""
        kept, main = self.kept, self.kept.main
        todos: list[Todo] = main.todos or todos_of(stored.todos)
        return {
            "is_empty": not main.spoken_count,
            "is_archived": stored.archived,
            "preview": kept.asked or main.preview or main.first_text,
            "todos": tuple(todos),
        }

    def sessions(self) -> list[SessionRead]:
        (main,) = super().sessions()
        children = [
            draft.finish(
                agent=self.source.agent,
                title=self.kept.lanes[name].asked,
                is_empty=not draft.gathered.spoken_count,
                fallback_ms=self.file.modified_ms,
                project_path=main.facts.project_path,
            )
            for name, draft in self._drafts.items()
        ]
        return [main, *children]


class _WorkDir(msgspec.Struct):
    path: str = ""
    kaos: str = "local"


class _Metadata(msgspec.Struct):
    work_dirs: list[_WorkDir] = msgspec.field(default_factory=list)


def listed_project(source: Source) -> str:
    """Return the directory whose hash is the name of the folder that a session is in, by the agent's own list."""
    home = Path(source.root).parent
    content = read_small(home / "kimi.json", root=str(home))
    try:
        listed = msgspec.json.decode(content, type=_Metadata).work_dirs if content else []
        folder = Path(source.path).relative_to(source.root).parts[0]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, IndexError):
        return ""
    for one in listed:
        hashed = hashlib.md5(one.path.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        if folder in (hashed, f"{one.kaos}_{hashed}"):
            return one.path[:PATH_LIMIT]
    return ""
