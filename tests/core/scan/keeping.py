"""A home, an index and a vault, all real: what a scan captures, shows and finds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from holdfast_core.agents.base import Agent, Home
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.query import parse
from holdfast_core.model.session import Session, SessionEntry
from holdfast_core.scan.capturing import CaptureStatus, Capturing
from holdfast_core.scan.ingest import Outcome, update
from holdfast_core.scan.kept import Keeping, with_vault
from holdfast_core.scan.load import load
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.looks import Looks
from holdfast_core.vault.vault import Vault, VaultOptions

from tests.core.scan.answers import Answers, answers_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WORD = re.compile(r"[A-Za-z]{5,}")


@dataclass
class Kept:
    """Agents' sources in a home, indexed and captured. ``told`` are the states that capturing told of itself."""

    top: Path
    keys: Keys
    agents: Mapping[str, Agent]
    home: Home
    options: VaultOptions = field(default_factory=lambda: VaultOptions(reserve_bytes=0, database_minutes=0))
    left_out: tuple[str, ...] = ()
    told: list[CaptureStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Begin anew, as a program does that is started."""
        self.vault = Vault.open(self.top / "vault", lambda: self.keys, options=self.options)
        self.keeping = Keeping(Looks(self.top / "vault", lambda: self.vault), lambda: self.vault)
        self.capturing = Capturing(
            self.keeping,
            database_minutes=self.options.database_minutes,
            left_out=self.left_out,
            on_status=self.told.append,
        )

    def close(self) -> None:
        self.keeping.looks.close()
        self.vault.close()

    def update(self, *paths: Path, full: bool = False) -> Outcome:
        """Look everywhere, or at some paths, and capture."""
        told = [str(path) for path in paths] or None
        with IndexWriter.open(self.top / "index", timeout_seconds=5) as writer:
            return update(writer, self.agents, self.home, paths=told, full=full, capturing=self.capturing)

    def rebuild(self) -> Outcome:
        """Remove the index and build it again."""
        shutil.rmtree(self.top / "index")
        return self.update()

    def answers(self) -> Answers:
        with closing(IndexReader.open(self.top / "index")) as reader:
            return answers_of(reader)

    def entries(self) -> dict[str, SessionEntry]:
        """Return the list by id, subagents included."""
        with closing(IndexReader.open(self.top / "index")) as reader:
            found = reader.entries(reader.keys(parse("", now=NOW), subagents=True))
        return {entry.id: entry for entry in found}

    def ids(self, query: str) -> set[str]:
        """Return the sessions that meet a query."""
        with closing(IndexReader.open(self.top / "index")) as reader:
            keys = reader.keys(parse(query, now=NOW), subagents=True)
            return {entry.id for entry in reader.entries(keys)}

    def found(self, word: str) -> set[str]:
        """Return the sessions in which a search finds a word."""
        with closing(IndexReader.open(self.top / "index")) as reader:
            hits = reader.search(parse(word, now=NOW), limit=10_000, sort="time").hits
        return {hit.session_id for hit in hits}

    def source_of(self, session_id: str) -> tuple[str, str]:
        """Return the agent and the key of the source that a listed session is read from."""
        with closing(IndexReader.open(self.top / "index")) as reader:
            ref = reader.source(session_id)
        assert ref is not None
        return ref.agent, ref.key

    def session(self, session_id: str) -> Session:
        """Open a session as the window does."""
        agents = with_vault(self.agents, self.keeping)
        with closing(IndexReader.open(self.top / "index")) as reader:
            entry, ref = reader.entry(session_id), reader.source(session_id)
        assert entry is not None and ref is not None
        return load(entry, ref, agents[ref.agent], self.home).session

    def sessions(self) -> dict[str, Session]:
        """Open all sessions that have messages."""
        return {name: self.session(name) for name, entry in self.entries().items() if entry.message_count}

    @property
    def stored_bytes(self) -> int:
        """How much the strands take on the disk."""
        return sum(path.stat().st_size for path in (self.top / "vault").rglob("*.hold"))
