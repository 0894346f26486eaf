"""An agent that works and exists only here: its sessions are files of JSON lines below ``.fake``.

The first line is ``{"session": native id}``, every other ``{"role": …,
"text": …}``. ``{"crash": true}`` makes the reader fail as a bug would.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from holdfast_core.agents.base import (
    Agent,
    Checkpoint,
    Fingerprint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    safe_id,
)
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Message, Text
from holdfast_core.model.session import Problem, SessionFacts
from holdfast_core.model.usage import ResponseUsage, Usage

_TAIL = 64


class FakeAgent(Agent):
    """Reads ``<home>/.<id>/<any directory>/<any name>.jsonl``; continues from a checkpoint."""

    name = "Fake"
    mark = "F"
    hue = 200
    program = "fake-agent"
    how_to_install = "It cannot be installed."

    def __init__(self, name: str = "fake") -> None:
        self.id = name  # type: ignore[misc]  # a fake may have several names

    def roots(self, home: Home) -> list[Path]:
        """Return the one root."""
        return [home.path / f".{self.id}"]

    def discover(self, home: Home) -> Iterator[SourceRef]:
        """Yield every file below the root."""
        for root in self.roots(home):
            if root.exists():
                yield from self._below(str(root))

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        """Yield the files at or below ``paths``, looking at nothing else."""
        root = str(self.roots(home)[0])
        for path in paths:
            if path.startswith(root):
                yield from self._at(path)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        """Read the lines from ``checkpoint`` on, or all."""
        try:
            with Path(ref.path).open("rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise SourceError("This is no file.", reason="not_regular")
                checkpoint = checkpoint if checkpoint and _fits(file, checkpoint) else None
                start = checkpoint.offset if checkpoint else 0
                file.seek(start)
                data = file.read()
        except FileNotFoundError as error:
            raise SourceError("The file is gone.", reason="gone") from error
        except OSError as error:
            raise SourceError("The file cannot be read.", reason="unreadable") from error
        whole = data[: data.rfind(b"\n") + 1]
        reading = _Lines(self.id, checkpoint)
        reading.take(whole)
        tail = _tail_of(ref.path, start + len(whole))
        return Reading(
            sessions=[] if reading.native_id is None else [reading.session()],
            problems=reading.problems,
            unknown_records={},
            checkpoint=Checkpoint(start + len(whole), tail, reading.state()),
            bytes_read=len(data),
            was_continued=checkpoint is not None,
        )

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        """Return the command that nothing answers to."""
        return ResumeCommand((self.program, "--resume", safe_id(facts.native_id)), needs_project=True)

    def _at(self, path: str) -> Iterator[SourceRef]:
        try:
            status = Path(path).lstat()
        except FileNotFoundError:
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._below(path)
        elif path.endswith(".jsonl"):
            yield self._ref(path, status)

    def _below(self, directory: str) -> Iterator[SourceRef]:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from self._below(entry.path)
                elif entry.name.endswith(".jsonl"):
                    try:
                        yield self._ref(entry.path, entry.stat(follow_symlinks=False))
                    except FileNotFoundError:
                        continue

    def _ref(self, path: str, status: os.stat_result) -> SourceRef:
        return SourceRef(self.id, path, path, Fingerprint(status.st_size, status.st_mtime_ns, status.st_ino))


class _Lines:
    """The session in one file, as far as it was read."""

    def __init__(self, agent: str, checkpoint: Checkpoint | None) -> None:
        self.agent = agent
        before = json.loads(checkpoint.state) if checkpoint else {}
        self.native_id: str | None = before.get("id")
        self.count: int = before.get("count", 0)
        self.line: int = before.get("line", 0)
        self.preview: str = before.get("preview", "")
        self.first = self.count
        self.messages: list[Message] = []
        self.problems: list[Problem] = []

    def take(self, data: bytes) -> None:
        """Read whole lines."""
        for line in data.split(b"\n")[:-1]:
            self.line += 1
            try:
                self._record(json.loads(line))
            except ValueError:
                self.problems.append(Problem(self.line, "not_json"))

    def session(self) -> SessionRead:
        """Return what was read."""
        usage = Usage(output_tokens=self.count)
        facts = SessionFacts(
            agent=self.agent,
            native_id=self.native_id or "",
            title=self.preview,
            preview=self.preview,
            project_path="/project",
            model="fake-1",
            created_ms=1,
            updated_ms=self.count,
            message_count=self.count,
            usage=usage,
            is_empty=not self.count,
        )
        responses = [
            ResponseUsage(f"{self.native_id}-{message.id}", Usage(output_tokens=1)) for message in self.messages
        ]
        return SessionRead(facts, self.messages, self.first, responses)

    def state(self) -> bytes:
        """Return what is needed to go on."""
        state = {"id": self.native_id, "count": self.count, "line": self.line, "preview": self.preview}
        return json.dumps(state).encode()

    def _record(self, record: dict[str, object]) -> None:
        if "crash" in record:
            raise ZeroDivisionError("a bug in a reader")
        if "session" in record:
            self.native_id = str(record["session"])
            return
        text = str(record["text"])
        role = "user" if record["role"] == "user" else "assistant"
        self.preview = self.preview or text
        message = Message(str(self.count), role, (Text(text),), timestamp_ms=self.count, line=self.line)
        self.messages.append(message)
        self.count += 1


def _fits(file: BinaryIO, checkpoint: Checkpoint) -> bool:
    file.seek(max(0, checkpoint.offset - _TAIL))
    return hashlib.sha256(file.read(min(_TAIL, checkpoint.offset))).digest() == checkpoint.tail_hash


def _tail_of(path: str, offset: int) -> bytes:
    with Path(path).open("rb") as file:
        file.seek(max(0, offset - _TAIL))
        return hashlib.sha256(file.read(min(_TAIL, offset))).digest()


def header(native_id: str) -> str:
    """Return the first line of a session."""
    return json.dumps({"session": native_id}) + "\n"


def said(text: str, role: str = "user") -> str:
    """Return one line of a session."""
    return json.dumps({"role": role, "text": text}) + "\n"


def write_session(home: Path, native_id: str, *texts: str, agent: str = "fake", directory: str = "project") -> Path:
    """Write a session file and return its path."""
    path = home / f".{agent}" / directory / f"{native_id}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header(native_id) + "".join(said(text) for text in texts))
    return path


def append(path: Path, *texts: str) -> None:
    """Add lines to a session file as an agent does."""
    with path.open("a") as file:
        file.write("".join(said(text, "assistant") for text in texts))
