"""Homes for readers, and what they give, in a form that can be compared."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw
import msgspec
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Checkpoint, Home, Reading, SourceRef
from holdfast_core.model.message import Message
from holdfast_core.model.session import Problem, SessionFacts
from holdfast_core.model.usage import ResponseUsage

DATA = Path(__file__).parent / "data"
CASES = sorted(path.parent for path in DATA.glob("*/*/home"))
WRITTEN_NS = 1_772_500_000_000_000_000


def case_id(case: Path) -> str:
    """Return a case's name in a report."""
    return f"{case.parent.name}-{case.name}"


def home_of(case: Path, folder: Path) -> Home:
    """Return a copy of a case's home whose files were all written at the same moment.

    A database stands there as the statements that make it, in a file with ``.sql`` behind its name.
    """
    target = folder / "home"
    shutil.copytree(case / "home", target)
    for script in list(target.rglob("*.sql")):
        connection = apsw.Connection(str(script.with_suffix("")))
        connection.execute("PRAGMA synchronous=off").fetchall()
        connection.execute(f"BEGIN; {script.read_text('utf-8')} COMMIT").fetchall()
        connection.close()
        script.unlink()
    for path in target.rglob("*"):
        os.utime(path, ns=(WRITTEN_NS, WRITTEN_NS))
    return Home(target, {})


def refs_of(agent: Agent, home: Home) -> dict[str, SourceRef]:
    """Return the sources in a home by their path within it."""
    found = sorted(agent.discover(home), key=lambda ref: ref.path)
    return {Path(ref.path).relative_to(home.path).as_posix(): ref for ref in found}


def sources() -> list[tuple[Path, str]]:
    """Return every source of every case: the case, and the path within its home."""
    found = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            home = home_of(case, Path(folder)) if any(case.rglob("*.sql")) else Home(case / "home", {})
            found += [(case, path) for path in refs_of(all_agents()[case.parent.name], home)]
    return found


def read_only(agent: Agent, home: Home) -> Reading:
    """Return the reading of the one source in a home."""
    (ref,) = agent.discover(home)
    return agent.read(ref, home)


def rendered(agent: Agent, home: Home) -> dict[str, Any]:
    """Return everything that a reader gives of a home, as plain data without this machine's paths."""
    return {path: _plain(agent.read(ref, home), home) for path, ref in refs_of(agent, home).items()}


def _plain(reading: Reading, home: Home) -> Any:
    shown = {
        "problems": reading.problems,
        "unknown_records": dict(sorted(reading.unknown_records.items())),
        "sessions": [
            {"facts": session.facts, "responses": session.responses, "messages": session.messages}
            for session in reading.sessions
        ],
    }
    text = msgspec.json.encode(shown).decode().replace(str(home.path), "{home}")
    plain = msgspec.json.decode(text)
    for session in plain["sessions"]:
        # What only Holdfast's own sessions can be, and what only the vault tells.
        kept = [session["facts"].pop(name) for name in ("is_held", "is_live", "is_gone", "lost_messages", "damage")]
        assert not any(kept)
    return plain


class Gathered:
    """What an index would hold after several readings of one source."""

    def __init__(self) -> None:
        self.facts: dict[str, SessionFacts] = {}
        self.messages: dict[str, list[Message]] = {}
        self.responses: dict[str, ResponseUsage] = {}
        self.problems: list[Problem] = []
        self.unknown: dict[str, int] = {}
        self.fields: dict[str, int] = {}
        self.checkpoint: Checkpoint | None = None

    def take(self, reading: Reading) -> None:
        """Take in one reading as the contract says."""
        if not reading.was_continued:
            vars(self).update(vars(Gathered()))
        for session in reading.sessions:
            name = session.facts.id
            self.facts[name] = session.facts
            self.messages[name] = self.messages.get(name, [])[: session.first_index] + session.messages
            self.responses |= {response.key: response for response in session.responses}
        self.problems += reading.problems
        for kind, count in reading.unknown_records.items():
            self.unknown[kind] = self.unknown.get(kind, 0) + count
        for name, count in reading.unknown_fields.items():
            self.fields[name] = self.fields.get(name, 0) + count
        self.checkpoint = reading.checkpoint

    def shown(self) -> tuple[Any, ...]:
        """Return all of it, to be compared."""
        return (self.facts, self.messages, self.responses, self.problems, self.unknown, self.fields)


class Growing:
    """One source of a home that is written piece by piece and read after each."""

    def __init__(self, agent: Agent, home: Home, path: str) -> None:
        self.agent, self.home = agent, home
        self.path = home.path / path
        self.data = self.path.read_bytes()
        self._ref = refs_of(agent, home)[path]

    def read(self, data: bytes, checkpoint: Checkpoint | None = None) -> Reading:
        """Write these bytes as the whole file and read it."""
        with self.path.open("r+b") as file:
            file.truncate(0)
            file.write(data)
        os.utime(self.path, ns=(WRITTEN_NS, WRITTEN_NS))
        return self.agent.read(self._ref, self.home, checkpoint=checkpoint)

    def whole(self, data: bytes) -> Gathered:
        """Return what one reading of these bytes gives."""
        gathered = Gathered()
        gathered.take(self.read(data))
        return gathered

    def in_pieces(self, cuts: Iterable[int]) -> Gathered:
        """Return what is known after a reading at each of some sizes."""
        gathered = Gathered()
        for cut in cuts:
            gathered.take(self.read(self.data[:cut], gathered.checkpoint))
        return gathered
