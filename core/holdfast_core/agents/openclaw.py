"""OpenClaw: sessions in Pi's format under ``~/.openclaw/agents/<agent>/sessions``, with a map of them beside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._pi_calls import PiClosing
from holdfast_core.agents._pi_reader import Reader
from holdfast_core.agents._pi_records import Said
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PREVIEW_LIMIT, one_line, text_of_name
from holdfast_core.agents._walk import subdirectories
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, safe_id
from holdfast_core.errors import Refused
from holdfast_core.model.message import Role

_RESET = ".jsonl.reset."
_COPIES = (".checkpoint.", ".trajectory.")
_TOPIC = re.compile(r"-topic-[^/\\]*$")
_SENT_AT = r"\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{4}-\d\d-\d\d \d\d:\d\d[^\]\n]{0,20}\] "
_DATED = re.compile(_SENT_AT)
_EVENT_THEN_PERSON = re.compile(r"(?s)(System(?: \(untrusted\))?: .*)\n\n" + _SENT_AT)
_METADATA = re.compile(r"\(untrusted metadata\):\n```json\n.*?\n```\s*", re.DOTALL)
_WARNING = "\n\n[Bootstrap truncation warning]\n"
_CRON = re.compile(r"\[cron:\S+ ([^\]\n]{1,200})\]")
_NOT_TYPED = ("[cron:", "System: ", "System (untrusted): ", "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>")
_SUBAGENT = "[Subagent Context]"
_TASK = "[Subagent Task]:"


class _Listed(msgspec.Struct, rename="camel", gc=False):
    """What the map says of a session."""

    session_id: str = ""
    label: str | None = None
    display_name: str | None = None
    spawned_by: str | None = None
    channel: str | None = None
    last_channel: str | None = None


class _OpenClawReader(Reader):
    """Reads one transcript; what a channel put around a person's words is told from them."""

    listed = _Listed()

    def begun(self) -> Gathered:
        name = Path(self.source.path).name
        gathered = Gathered(_TOPIC.sub("", text_of_name(name.partition(".jsonl")[0])))
        sessions = _map_beside(self.source)
        key, self.listed = next(
            ((key, one) for key, one in sessions.items() if one.session_id == gathered.native_id), ("", _Listed())
        )
        gathered.surface = self.listed.channel or self.listed.last_channel or ""
        if self.listed.spawned_by or ":subagent:" in key:
            gathered.kind = "subagent"
            gathered.parent_id = sessions.get(self.listed.spawned_by or "", _Listed()).session_id or None
        return gathered

    def facts(self) -> dict[str, Any]:
        title = self.listed.display_name or self.listed.label or self.kept.name
        return super().facts() | {"title": title, "is_archived": _RESET in Path(self.source.path).name}

    def split(self, text: str, said: Said) -> list[tuple[Role, str]]:
        body, _, warning = text.partition(_WARNING)
        context, typed = self._told_apart(body, said)
        if warning:
            context = f"{context}{_WARNING}{warning}".strip()
        return [("system", context), ("user", typed)] if context else [("user", typed)]

    def _told_apart(self, text: str, said: Said) -> tuple[str, str]:
        metadata = list(_METADATA.finditer(text))
        if metadata:
            end = metadata[-1].end()
            return text[:end].rstrip(), text[end:]
        event = _EVENT_THEN_PERSON.match(text)
        if event is not None:
            return event[1], text[event.end() :]
        dated = _DATED.match(text)
        typed = text if dated is None else text[dated.end() :]
        if typed.startswith(_SUBAGENT):
            gathered = self.draft.gathered
            gathered.kind = "subagent"
            gathered.preview = gathered.preview or one_line(typed.rpartition(_TASK)[2], PREVIEW_LIMIT)
        cron = _CRON.match(typed)
        if cron is not None:
            self.kept.name = self.kept.name or cron[1]
        is_another = said.provenance is not None and said.provenance.kind not in (None, "external_user")
        if is_another or typed.startswith((*_NOT_TYPED, _SUBAGENT)):
            return text, ""
        return "", typed


class OpenClaw(LineAgent):
    """Reads the transcripts of every one of its agents, also under its earlier names."""

    id = "openclaw"
    name = "OpenClaw"
    mark = "O"
    hue = 5
    program = "openclaw"
    how_to_install = "https://docs.openclaw.ai/install"
    patterns = ("*/sessions/*.jsonl", f"*/sessions/*{_RESET}*")
    listed = ("sessions.json",)
    notes = ("OpenClaw's own list of which channel goes on with which session was left as it is.",)
    closing = PiClosing()

    def roots(self, home: Home) -> list[Path]:
        usual = directories(
            home, ("OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR"), ".openclaw", ".clawdbot", ".moltbot", ".moldbot"
        )
        moved = [folder / ".openclaw" for folder in directories(home, ("OPENCLAW_HOME",))]
        profiles = sorted(
            Path(entry.path) for entry in subdirectories(str(home.path)) if entry.name.startswith(".openclaw-")
        )
        return [folder / "agents" for folder in dict.fromkeys([*moved, *usual, *profiles])]

    def is_source(self, path: str) -> bool:
        """Copies from before a compaction are none; one that was reset counts while no other is in its place."""
        name = Path(path).name
        if _RESET in name:
            return not Path(path[: path.rindex(_RESET)] + ".jsonl").exists()
        return not any(copy in name for copy in _COPIES)

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _OpenClawReader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        safe_id(facts.native_id)
        raise Refused("OpenClaw goes on with a session in the channel that it belongs to. Write to it there.")


def _map_beside(source: Source) -> dict[str, _Listed]:
    content = read_small(Path(source.path).parent / "sessions.json", root=source.root)
    try:
        return {} if content is None else msgspec.json.decode(content, type=dict[str, _Listed])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


AGENT = OpenClaw()
