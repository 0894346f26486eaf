"""Recorded sessions of agents that live in editors: whatever the manifest counts is there, and nothing raises."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading
from holdfast_core.errors import SourceError
from holdfast_core.model.usage import Usage

from tests.core.agents.support import Growing
from tests.corpus import ROOT
from tests.fakes.line_file import grows

KNOWN_UNKNOWNS = 8
_ROWS = ("cline", "roo", "kilo_legacy")  # their manifest counts rows of a window, of which only some are messages


class Row(NamedTuple):
    """One file of the corpus and what its manifest says of it."""

    folder: str
    path: PurePosixPath
    messages: int
    broken: int

    def __str__(self) -> str:
        return "/".join(self.path.parts[-4:])


def rows() -> Iterator[Row]:
    """Yield every file of the corpus; none if there is no corpus here."""
    manifest = ROOT / "MANIFEST.tsv"
    if not manifest.is_file():
        return
    for line in manifest.read_text("utf-8").splitlines()[1:]:
        folder, _repo, _kind, _version, _size, messages, broken, path = line.split("\t")
        yield Row(folder, PurePosixPath(path), int(messages), int(broken))


def copilot_cli(row: Row) -> str | None:
    """Return where a transcript would stand in a home; None for what is none."""
    if row.path.suffix != ".jsonl" or "rewind-snapshots" in row.path.parts:
        return None
    name = row.path.parent.name if row.path.name == "events.jsonl" else "-".join(row.path.parts[-4:-1])
    return f".copilot/session-state/{name}/events.jsonl"


def continue_dev(row: Row) -> str | None:
    return f".continue/sessions/{row.path.name}" if row.path.name != "sessions.json" else None


def cursor_cli(row: Row) -> str | None:
    name = "-".join(row.path.parts[-4:]).removesuffix(".jsonl")
    is_transcript = row.path.suffix == ".jsonl"
    return f".cursor/projects/p/agent-transcripts/{name}/{name}.jsonl" if is_transcript else None


def cursor(row: Row) -> str | None:
    return in_user_directory(row, "Cursor")


def in_extension(extension: str) -> Callable[[Row], str | None]:
    """Return what tells where a task's document would stand among those of an extension."""

    def place(row: Row) -> str | None:
        is_task = "tasks" in row.path.parts and row.path.name in ("ui_messages.json", "api_conversation_history.json")
        below = "/".join(row.path.parts[-3:])
        return f".config/Code/User/globalStorage/{extension}/{below}" if is_task else None

    return place


def in_user_directory(row: Row, program: str) -> str | None:
    """Return where a database would stand in an editor's own directory."""
    if row.path.suffix != ".vscdb":
        return None
    parts = row.path.parts
    below = parts[parts.index("User") + 1 :] if "User" in parts else ("workspaceStorage", "w", row.path.name)
    return "/".join((".config", program, "User", *below))


def antigravity(row: Row) -> str | None:
    if row.path.suffix != ".jsonl":
        return None
    if "code_tracker" in row.path.parts:
        return f".gemini/antigravity/code_tracker/p/{row.path.name}"
    return f".gemini/antigravity-cli/brain/{row.path.stem}/.system_generated/logs/transcript.jsonl"


def vscode_copilot(row: Row) -> str | None:
    is_chat = "chatSessions" in row.path.parts or row.path.name == "copilot-chat.json"
    return f".config/Code/User/workspaceStorage/w/chatSessions/{row.path.name}" if is_chat else None


PLACES: dict[str, tuple[tuple[str, ...], Callable[[Row], str | None]]] = {
    "copilot_cli": (("copilot-cli",), copilot_cli),
    "continue_dev": (("continue",), continue_dev),
    "cursor_cli": (("cursor", "cursor-agent"), cursor_cli),
    "cursor": (("cursor",), cursor),
    "vscode_copilot": (("vscode-copilot", "copilot-cli"), vscode_copilot),
    "antigravity": (("antigravity",), antigravity),
    "cline": (("cline",), in_extension("saoudrizwan.claude-dev")),
    "roo": (("roo",), in_extension("rooveterinaryinc.roo-cline")),
    "kilo_legacy": (("kilo",), in_extension("kilocode.kilo-code")),
}
CASES = [
    (agent, row, place)
    for agent, (folders, place_of) in PLACES.items()
    for row in rows()
    if row.folder in folders and (place := place_of(row)) is not None
]
every_transcript = pytest.mark.parametrize(
    ("agent", "row", "place"), CASES, ids=[f"{agent}-{row}" for agent, row, _ in CASES]
)


def read(agent: str, row: Row, place: str, home: Path) -> list[Reading]:
    """Return what is read of one file with what stands beside it."""
    target = home / place
    source = Path(ROOT, row.path)
    target.parent.mkdir(parents=True)
    for beside in source.parent.iterdir():
        if beside.is_file() and beside != source and agent not in _ROWS:
            shutil.copyfile(beside, target.parent / beside.name)
    shutil.copyfile(source, target)
    found = all_agents()[agent]
    return [found.read(ref, Home(home, {})) for ref in found.discover(Home(home, {})) if ref.path == str(target)]


@every_transcript
def test_a_transcript_gives_the_messages_that_were_counted(agent: str, row: Row, place: str, tmp_path: Path) -> None:
    (reading,) = read(agent, row, place, tmp_path)

    messages = [message for session in reading.sessions for message in session.messages]
    assert len(messages) >= (min(row.messages, 3) if agent in _ROWS else row.messages)
    assert len(reading.problems) <= row.broken
    assert sum(reading.unknown_records.values()) <= KNOWN_UNKNOWNS
    assert reading.unknown_fields == {}
    for session in reading.sessions:
        facts = session.facts
        assert facts.message_count == len(session.messages)
        assert facts.title or facts.is_empty
        assert sum((response.usage for response in session.responses), Usage()) == facts.usage
        msgspec.json.encode(session)


@every_transcript
def test_any_end_of_a_transcript_raises_nothing(agent: str, row: Row, place: str, tmp_path: Path) -> None:
    """A file that is being written may end anywhere."""
    read(agent, row, place, tmp_path)
    path = tmp_path / place
    whole, found = path.read_bytes(), all_agents()[agent]
    (ref,) = (ref for ref in found.discover(Home(tmp_path, {})) if ref.path == str(path))

    for part in range(8):
        path.write_bytes(whole[: len(whole) * part // 8])
        try:
            found.read(ref, Home(tmp_path, {}))
        except SourceError as error:
            assert error.reason == "wrong_format"


@pytest.mark.parametrize(
    ("agent", "row", "place"),
    [case for case in CASES if grows(case[0])],
    ids=[f"{agent}-{row}" for agent, row, _ in CASES if grows(agent)],
)
def test_pieces_give_what_the_whole_gives(agent: str, row: Row, place: str, tmp_path: Path) -> None:
    read(agent, row, place, tmp_path)
    file = Growing(all_agents()[agent], Home(tmp_path, {}), place)
    chance = random.Random(str(row))  # where a file is cut
    cuts = sorted(chance.randrange(len(file.data) + 1) for _ in range(6))

    assert file.in_pieces([*cuts, len(file.data)]).shown() == file.whole(file.data).shown()
