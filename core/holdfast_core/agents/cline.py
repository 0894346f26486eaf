"""Cline: tasks of the editor's extension, and since 2026 sessions under ``~/.cline/data``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._cline_family import ClineFamilyAgent
from holdfast_core.agents._cline_talk import Manifest, Talk
from holdfast_core.agents._cline_task import Counting
from holdfast_core.agents._documents import Document, read_document
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._parts import text_in
from holdfast_core.agents._values import PATH_LIMIT, moment_ms, text_of_name
from holdfast_core.agents.base import (
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)

_ENDING = ".messages.json"
_OWN = "*/*.messages.json"


class _Conversation(msgspec.Struct, rename="camel"):
    agent: str | None = None
    messages: list[Any] = msgspec.field(default_factory=list)
    not_read: ClassVar = names("sessionId system_prompt updated_at version")


class Cline(ClineFamilyAgent):
    """Reads both generations; only those of the second can be continued by a command."""

    id = "cline"
    name = "Cline"
    mark = "L"
    hue = 345
    program = "cline"
    how_to_install = "https://docs.cline.bot/getting-started/installing-cline"
    extension = "saoudrizwan.claude-dev"
    counting = Counting(
        None, frozenset(("openai", "litellm", "doubao", "fireworks", "hicap", "lmstudio", "qwen", "xai", "zai"))
    )

    def roots(self, home: Home) -> list[Path]:
        data = _data_directories(home)
        apart = [folder for folder in directories(home, ["CLINE_SESSION_DATA_DIR"]) if folder.parent not in data]
        return [*super().roots(home), *data, *apart]

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        return (*self.patterns, f"sessions/{_OWN}", _OWN)

    def key_of(self, path: str) -> str:
        return path if path.endswith(_ENDING) else super().key_of(path)

    def is_source(self, path: str) -> bool:
        return path.endswith(_ENDING) or super().is_source(path)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        if not ref.path.endswith(_ENDING):
            return super().read(ref, home)
        root = self.root_of(ref.path, home)
        document = read_document(ref.path, _Conversation, root=root)
        return document.reading([self._conversation(document, Path(ref.path), root)])

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        if ref.path.endswith(_ENDING):
            return [*self.found_beside(ref, home, ("*.compaction.json",)), *self.indexes(ref, home)]
        return super().companions(ref, home)

    def lists_of(self, ref: SourceRef) -> Sequence[str]:
        """Return the lists of the editor, or what a session and its subagents have together."""
        return ("{folder}.json",) if ref.path.endswith(_ENDING) else self.listed

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        if ref.path.endswith(_ENDING):
            return ("Cline's own database of sessions was left as it is. It may not show this session.",)
        return super().restore_notes(ref, home)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        native_id = safe_id(facts.native_id)
        refuse_copy(fork)
        if f"{os.sep}globalStorage{os.sep}" in facts.source_path:
            return super().resume_command(facts)
        return ResumeCommand((self.program, "--id", native_id), needs_project=True)

    def _conversation(self, document: Document, path: Path, root: str) -> SessionRead:
        folder, stem = text_of_name(path.parent.name), text_of_name(path.name.removesuffix(_ENDING))
        is_child = stem != folder
        draft = Draft(Gathered(f"{folder}__{stem}" if is_child else stem))
        talk = Talk(draft, document, is_child=is_child)
        for number, message in enumerate(document.value.messages, 1):
            talk.take(message, number)
        manifest = _manifest(path.with_name(f"{path.parent.name}.json"), root)
        metadata = manifest.metadata if isinstance(manifest.metadata, dict) else {}
        gathered = draft.gathered
        gathered.model, gathered.provider = gathered.model or manifest.model or "", manifest.provider or ""
        started = moment_ms(manifest.started_at)
        if started is not None and not is_child:
            gathered.created_ms = min(started, gathered.created_ms or started)
        return draft.finish(
            agent=self.id,
            title=talk.prompt if is_child else text_in(metadata, "title"),
            is_empty=gathered.spoken_count == 0,
            fallback_ms=document.modified_ms,
            kind="subagent" if is_child else "main",
            parent_id=folder if is_child else None,
            forked_from=None if is_child else text_in(metadata.get("fork"), "forkedFromSessionId") or None,
            project_path=(manifest.cwd or manifest.workspace_root or talk.folder)[:PATH_LIMIT],
            surface=manifest.source or "",
            provider_data=document.provider_data(),
        )


def _data_directories(home: Home) -> list[Path]:
    moved = [folder / "data" for folder in directories(home, ["CLINE_DIR"], ".cline")]
    return list(dict.fromkeys([*directories(home, ["CLINE_DATA_DIR"]), *moved]))


def _manifest(path: Path, root: str) -> Manifest:
    try:
        return msgspec.json.decode(read_small(path, root=root) or b"{}", type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Manifest()


AGENT = Cline()
