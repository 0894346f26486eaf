"""Agents that keep sessions as Holdfast itself does: a JSON document each, with a sign that it is whole."""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from holdfast_core.agents._documents import DOCUMENT_LIMIT, Document, decoded
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._files import FileAgent
from holdfast_core.agents._jsonl import open_regular, refusal
from holdfast_core.agents._kept_fields import Kept
from holdfast_core.agents._tap import tap_at
from holdfast_core.agents._values import text_of_name
from holdfast_core.agents.base import Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SessionRead, SourceRef
from holdfast_core.errors import Refused
from holdfast_core.model.message import Message
from holdfast_core.model.usage import Usage

_HEX = "[0-9a-fA-F]"
_UUID = "-".join(_HEX * count for count in (8, 4, 4, 4, 12))


class KeptAgent(FileAgent):
    """An agent each of whose sources is a document named by the session's UUID; copies have longer names."""

    folder: ClassVar[str]
    not_read: ClassVar[frozenset[str]] = frozenset()
    """The fields of a document that are known and not taken."""
    patterns = (f"sessions/{_UUID}.json",)
    listed = ("index.json",)
    is_sealed = True

    @abstractmethod
    def kept(self, document: Document, content: bytes) -> tuple[Kept, dict[str, Any]]:
        """Return the session in a document, and what the facts tell of its sign.

        Raises:
            SourceError: it is of another version, or cannot be unpacked.
        """

    def roots(self, home: Home) -> list[Path]:
        return [home.path / self.folder]

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        descriptor = open_regular(ref.path, root=self.root_of(ref.path, home), limit=DOCUMENT_LIMIT)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            try:
                content = file.read(DOCUMENT_LIMIT)
            except OSError as error:
                raise refusal("not_readable", str(error)) from error
        if (tap := tap_at(ref.path)) is not None:
            tap.opened(status)
            tap.take(0, content)
        document = decoded(content, None, modified_ms=status.st_mtime_ns // 1_000_000, path=ref.path)
        if not isinstance(document.value, dict):
            raise refusal("wrong_format", ref.path)
        if not document.value:
            return document.reading([])
        kept, told = self.kept(document, content)
        document.sample.compare(kept.fields.left, self.not_read)
        return document.reading([_session(self.id, kept, document, told, text_of_name(Path(ref.path).stem))])

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused(f"{self.name} goes on with a session from within: start it in the project and type /resume.")


def _session(agent: str, kept: Kept, document: Document, told: dict[str, Any], stem: str) -> SessionRead:
    native_id = kept.native_id or stem
    draft = Draft(Gathered(native_id, provider=kept.provider, model=kept.model, project_path=kept.project_path))
    for number, message in enumerate(kept.conversation.messages, 1):
        if message.blocks:
            _add(draft, message, number, kept)
    _count_rest(draft, kept)
    gathered = draft.gathered
    gathered.todos = list(kept.todos)
    for path in kept.files_accessed:
        draft.touch(path, 0, 0)
    for path in kept.context_files:
        draft.mention(path)
    created = kept.created_ms if kept.created_ms is not None else gathered.created_ms
    updated = kept.updated_ms if kept.updated_ms is not None else gathered.updated_ms
    moments = {"created_ms": created, "updated_ms": updated}
    said = {"tags": list(kept.tags), "notes": kept.notes}
    return draft.finish(
        agent=agent,
        title=kept.title,
        is_empty=gathered.spoken_count == 0,
        fallback_ms=document.modified_ms,
        provider_data=document.provider_data() | told | {name: value for name, value in said.items() if value},
        **{name: moment for name, moment in moments.items() if moment is not None},
    )


def _add(draft: Draft, message: Message, number: int, kept: Kept) -> None:
    used = message.usage
    model = message.model or kept.model
    if used is not None:
        left = kept.conversation.left.get(message.id, {}).get("usage")
        cost = left.get("total_cost") if isinstance(left, dict) else None
        draft.respond(
            f"{draft.gathered.native_id}:{message.id}",
            used,
            model=model,
            timestamp_ms=message.timestamp_ms,
            index=draft.next_index,
            cost_usd=float(cost) if isinstance(cost, int | float) and cost > 0 else None,
        )
    model_told = model if message.role == "assistant" and model else None
    draft.add(Message(message.id, message.role, message.blocks, message.timestamp_ms, None, model_told, used, number))


def _count_rest(draft: Draft, kept: Kept) -> None:
    """Count what the session took in all and its messages do not tell."""
    gathered = draft.gathered
    rest = Usage(
        max(kept.usage.input_tokens - gathered.input_tokens, 0),
        max(kept.usage.output_tokens - gathered.output_tokens, 0),
    )
    if not rest.total_tokens:
        return
    told = sum(response.cost_usd or 0 for response in draft.responses.values())
    cost = None if kept.cost_usd is None or kept.cost_usd <= told else kept.cost_usd - told
    draft.respond(
        f"{gathered.native_id}:rest",
        rest,
        model=kept.model,
        timestamp_ms=kept.updated_ms,
        index=None,
        cost_usd=cost,
    )
