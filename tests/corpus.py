"""Recorded sessions of other people, kept outside the repository; tests over them are empty where they are not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

ROOT = Path(os.environ.get("HOLDFAST_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
_FOLDERS = {"claude_code": "claude", "codex": "codex"}
_NO_TRANSCRIPTS = ("history.jsonl", "session_index.jsonl", "journal.jsonl")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One transcript and what the manifest says of it.

    ``messages`` counts the records of a conversation by kind alone, before
    anything is known of their meaning; ``broken_lines`` those that are no JSON.
    """

    agent: str
    path: Path
    bytes: int
    messages: int
    broken_lines: int

    def __str__(self) -> str:
        return f"{self.agent}-{'/'.join(self.path.parts[-5:])}"


def recorded(agent: str) -> Iterator[Recorded]:
    """Yield every transcript of an agent that `put_into_home` can place; none if there is no corpus here."""
    manifest = ROOT / "MANIFEST.tsv"
    if not manifest.is_file():
        return
    for line in manifest.read_text("utf-8").splitlines()[1:]:
        folder, _repo, _kind, _version, size, messages, broken, path = line.split("\t")
        if folder == _FOLDERS.get(agent) and path.endswith(".jsonl") and not path.endswith(_NO_TRANSCRIPTS):
            yield Recorded(agent, ROOT / path, int(size), int(messages), int(broken))


def put_into_home(session: Recorded, home: Path) -> Path:
    """Copy a transcript, with what stands beside it, to where its agent would have it; returns its new path."""
    if session.agent == "codex":
        target = home / ".codex" / "sessions" / session.path.name
    else:
        parts = session.path.parts
        below = (
            parts[parts.index("projects") + 1 :] if "projects" in parts else ("-flat", f"{_session_id(session)}.jsonl")
        )
        target = home.joinpath(".claude", "projects", *below)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(session.path, target)
    for beside in (session.path.with_suffix(".meta.json"), session.path.with_suffix("")):
        if beside.is_file():
            shutil.copyfile(beside, target.parent / beside.name)
        elif beside.is_dir():
            shutil.copytree(beside, target.with_suffix(""), dirs_exist_ok=True)
    return target


class _Named(msgspec.Struct, rename="camel"):
    session_id: str = ""


def _session_id(session: Recorded) -> str:
    """Return the id that the records tell, for a file whose own name was lost."""
    for line in session.path.read_bytes().split(b"\n"):
        try:
            found = msgspec.json.decode(line, type=_Named).session_id
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if found:
            return found
    return session.path.stem


def transcripts(folder: str, ending: str) -> Iterator[Recorded]:
    """Yield every file of a corpus folder with a name like this that has messages by the manifest's count."""
    manifest = ROOT / "MANIFEST.tsv"
    lines = manifest.read_text("utf-8").splitlines()[1:] if manifest.is_file() else []
    for line in lines:
        found, _repo, _kind, _version, size, messages, broken, path = line.split("\t")
        if found == folder and ending in path.rpartition("/")[2] and messages != "0":
            yield Recorded(found, ROOT / path, int(size), int(messages), int(broken))
