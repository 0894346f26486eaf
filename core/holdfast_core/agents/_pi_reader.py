"""Makes a session of the Pi family's entries: a head, then a tree of entries in the order of their writing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from holdfast_core.agents._draft import TooEarly
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._pi_records import (
    EDITS,
    Entry,
    Said,
    blocks_of,
    edited,
    executed,
    joined,
    mentioned,
    plan_in,
    result_blocks,
)
from holdfast_core.agents._values import PATH_LIMIT, datetime_ms, moment_ms
from holdfast_core.model.message import Block, Compaction, Error, Message, Role, Text, ToolCall
from holdfast_core.model.usage import Usage

_STEM = re.compile(r"(?:.*[/\\])?(?:[^/\\_]*_)?([^/\\]*?)(?:\.jsonl)?")
_SILENT = frozenset(
    (
        "archive", "credential_pin", "custom", "label", "mode_change", "model_usage", "reset_boundary",
        "service_tier_change", "thinking_level_change", "title", "ttsr_injection",
    )
)  # fmt: skip


class State(SessionState, array_like=True):
    """What must last until the next reading."""

    has_head: bool = False
    name: str = ""


class Reader(SessionReader[Entry, State]):
    """Reads one session. An agent of the family with ways of its own makes a subclass."""

    record = Entry
    state_kind = State
    is_restored = False
    moment: int | None = None
    blobs = ""  # the directory of what was too large for the file, if the agent has one
    takes: ClassVar[dict[str, Callable[[Any, Entry], None]]] = {}

    def restore(self, state: bytes) -> None:
        super().restore(state)
        self.is_restored = True

    def take(self, record: Entry) -> None:
        said = record.message
        moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        if moment is None and said is not None and said.timestamp is not None:
            moment = moment_ms(said.timestamp)
        self.moment = moment
        if said is not None and record.type == "message":
            self._take_message(record, said)
            return
        take = self.takes.get(record.type)
        if take is not None:
            take(self, record)
        elif record.type not in _SILENT:
            self.count_unknown(record.type)
            text = joined(record.content) or record.summary or record.note or ""
            self._add(record, "system", [Text(text)] if text else [])

    def facts(self) -> dict[str, Any]:
        main = self.draft.gathered
        return {"title": self.kept.name, "is_empty": main.spoken_count == 0}

    def split(self, text: str, said: Said) -> list[tuple[Role, str]]:
        """Return what stands in the person's place as what the agent put there and what the person wrote."""
        return [("user", text)]

    # Entries.

    def take_head(self, entry: Entry) -> None:
        """Take up the head; only the first one is the session's own."""
        if self.kept.has_head:
            return
        main = self.draft.gathered
        if self.is_restored and entry.id and entry.id != main.native_id:
            raise TooEarly(-1)  # an earlier reading, before the head was written, gave it another id
        self.kept.has_head = True
        main.native_id = entry.id or main.native_id
        main.created_ms = self.moment
        main.project_path = (entry.cwd or "")[:PATH_LIMIT]
        main.provider, main.model = entry.provider or "", entry.model_id or ""
        self.kept.name = entry.title or ""
        origin = entry.parent_session or entry.branched_from
        found = _STEM.fullmatch(origin) if origin else None
        if found is not None and main.kind == "main":
            main.forked_from = found[1] or None

    def take_model(self, entry: Entry) -> None:
        """Take up another model; one that is only for side work does not count."""
        main = self.draft.gathered
        if entry.model_id:
            main.provider, main.model = entry.provider or main.provider, entry.model_id
        elif entry.model and entry.role in (None, "default"):
            provider, _, model = entry.model.partition("/")
            main.provider, main.model = (provider, model) if model else (main.provider, entry.model)

    def take_name(self, entry: Entry) -> None:
        """Take up the title that a person or the agent gave."""
        self.kept.name = (entry.name or entry.title or "").strip() or self.kept.name

    def take_compaction(self, entry: Entry) -> None:
        """Show where earlier messages were replaced by a summary."""
        self._add(entry, "system", [Compaction(entry.summary or "", entry.tokens_before)])

    def take_summary(self, entry: Entry) -> None:
        """Show what is told of a branch that was left."""
        self._add(entry, "system", [Text(entry.summary)] if entry.summary else [])

    def take_custom(self, entry: Entry) -> None:
        """Show what an extension put into the conversation."""
        self._add(entry, "system", blocks_of(entry.content, self.blobs))

    # Messages.

    def _take_message(self, entry: Entry, said: Said) -> None:
        role = said.role
        if role == "assistant":
            self._take_answer(entry, said)
        elif role == "toolResult":
            if said.tool_name is None or "todo" in said.tool_name:
                plan = plan_in(said.details)
                if plan is not None and not said.is_error:
                    self.draft.gathered.todos = plan
            self._add(entry, "tool", result_blocks(said, self.blobs))
        elif role == "user":
            self._take_prompt(entry, said)
        elif role in ("bashExecution", "pythonExecution"):
            self._add(entry, "system", executed(said))
        elif role == "fileMention":
            for file in said.files or ():
                self.draft.mention(file.path)
            self._add(entry, "system", mentioned(said))
        elif role == "compactionSummary":
            self._add(entry, "system", [Compaction(said.summary or "", said.tokens_before)])
        elif role == "branchSummary":
            self._add(entry, "system", [Text(said.summary)] if said.summary else [])
        else:
            if role not in ("custom", "hookMessage", "system", "developer"):
                self.count_unknown(f"message/{role}")
            self._add(entry, "system", blocks_of(said.content, self.blobs))

    def _take_prompt(self, entry: Entry, said: Said) -> None:
        blocks = blocks_of(said.content, self.blobs)
        first = blocks[0] if blocks else None
        rest = blocks[1:] if isinstance(first, Text) else blocks
        parts = self.split(first.text, said) if isinstance(first, Text) else []
        *before, (role, text) = [part for part in parts if part[1]] or [("user", "")]
        if rest and role == "system":
            before, role, text = [*before, (role, text)], "user", ""
        for earlier, words in before:
            self._add(entry, earlier, [Text(words)], id=f"{entry.id or f'line-{self.line}'}:context")
        if self.draft.gathered.kind == "subagent" and role == "user":
            role = "system"  # its parent speaks there
        self._add(entry, role, [*([Text(text)] if text else []), *rest])

    def _take_answer(self, entry: Entry, said: Said) -> None:
        main = self.draft.gathered
        main.model, main.provider = said.model or main.model, said.provider or main.provider
        blocks = blocks_of(said.content, self.blobs)
        for block in blocks:
            if type(block) is ToolCall and block.name in EDITS:
                for path, added, removed in edited(block):
                    self.draft.touch(path, added, removed)
        if said.error_message or said.stop_reason == "error":
            blocks.append(Error(said.error_message or "Error"))
        counts = said.usage
        usage = None if counts is None else counts.usage()
        if counts is None or usage is None or not usage.total_tokens:
            self._add(entry, "assistant", blocks, model=said.model)
            return
        # Entries' ids are only unique in their file; forks copy the rest unchanged.
        key = said.response_id or f"{said.timestamp or self.moment}:{said.model}:{usage.total_tokens}"
        is_new = self.draft.respond(
            key,
            usage,
            model=said.model or "",
            timestamp_ms=self.moment,
            index=self.draft.next_index,
            cost_usd=counts.cost_usd(),
        )
        self._add(entry, "assistant", blocks, model=said.model, usage=usage if is_new else None)

    def _add(
        self,
        entry: Entry,
        role: Role,
        blocks: list[Block],
        *,
        id: str | None = None,
        model: str | None = None,
        usage: Usage | None = None,
    ) -> None:
        if blocks or usage is not None:
            line = self.line
            name = id or entry.id or f"line-{line}"
            self.draft.add(Message(name, role, tuple(blocks), self.moment, entry.parent_id, model, usage, line))


Reader.takes = {
    "session": Reader.take_head,
    "model_change": Reader.take_model,
    "session_info": Reader.take_name,
    "title_change": Reader.take_name,
    "compaction": Reader.take_compaction,
    "branch_summary": Reader.take_summary,
    "custom_message": Reader.take_custom,
}
