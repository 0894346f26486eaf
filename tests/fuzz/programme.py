"""Feeds every reader files that are wrong, and looks at what it raises, how long it takes and what it loses."""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, NamedTuple
from zlib import crc32

import msgspec
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, Reading, SourceRef
from holdfast_core.errors import SourceError

from tests.core.agents.support import CASES, home_of
from tests.corpus import ROOT
from tests.faults.programme import fast_directory
from tests.fuzz.mutate import LIMIT_BYTES, mutate_database, mutated

SECONDS: Final = 1.0
MEMORY_BYTES: Final = 256 << 20
_HANG_SECONDS: Final = 10
_DATABASES: Final = (".db", ".sqlite", ".vscdb", ".sqlite3")
_LINES: Final = (".jsonl",)
_GARBAGE: Final = (b'{"broken": ', b"\x80\xff garbage", b"}{", b'"' + b"x" * 500)
_FOLDERS: Final = {
    "claude_code": "claude",
    "continue_dev": "continue",
    "cursor_cli": "cursor-agent",
    "kilo_legacy": "kilo",
    "copilot_cli": "copilot-cli",
}


@dataclass(slots=True)
class Report:
    """How much was tried, and what was found: sentences that name the case and the seed."""

    runs: int = 0
    broken: list[str] = field(default_factory=list)
    slowest: float = 0.0


class Hang(BaseException):
    """A reader did not come back; no handler of its own may swallow this."""


class Case(NamedTuple):
    """One file of one home to be spoilt. ``content`` replaces it first, where that is given."""

    agent: str
    home: Path
    path: str
    name: str
    content: Path | None = None
    reader: Agent | None = None
    """Another one than the agent's own."""


def _reader(case: Case) -> Agent:
    return case.reader or all_agents()[case.agent]


def cases(agent: str | None = None) -> Iterator[Case]:
    """Yield every file of every home of the golden data."""
    for folder in CASES:
        if agent in (None, folder.parent.name):
            for path in sorted((folder / "home").rglob("*")):
                if path.is_file():
                    inner = path.relative_to(folder / "home").as_posix().removesuffix(".sql")
                    yield Case(folder.parent.name, folder, inner, f"{folder.parent.name}/{folder.name}/{inner}")


def recorded_cases(agent: str | None = None) -> Iterator[Case]:
    """Yield recorded files of others, where there are any, in the place of an invented one that has the same ending."""
    places: dict[tuple[str, str], Case] = {}
    for case in cases(agent):
        places.setdefault((case.agent, Path(case.path).suffix), case)
    for (name, ending), case in places.items():
        folder = ROOT / _FOLDERS.get(name, name.replace("_", "-"))
        for path in sorted(folder.rglob(f"*{ending}")) if ending and folder.is_dir() else ():
            if path.is_file():
                yield case._replace(name=f"{name}/recorded/{path.name} as {case.path}", content=path)


def spoil(case: Case, *, seed: int, times: int, report: Report) -> None:
    """Read a case's home with its file spoilt in ``times`` ways."""
    with _laid_out(case) as (home, path, whole):
        for number in range(times):
            chance = Random(crc32(f"{case.name}:{seed}:{number}".encode()))
            if path.suffix in _DATABASES:
                path.write_bytes(whole)
                mutate_database(path, chance)
            else:
                path.write_bytes(mutated(whole, chance))
            _read_all(case, home, f"{case.name} seed {seed} number {number}", report)


def break_lines(case: Case, *, seed: int, lines: int, report: Report) -> None:
    """Put garbage in the place of single lines: each costs one problem with its number, and nothing else."""
    if not case.path.endswith(_LINES):
        return
    with _laid_out(case) as (home, path, whole):
        found = whole.split(b"\n")
        chance = Random(crc32(f"{case.name}:{seed}".encode()))
        full = [number for number, line in enumerate(found) if number and _is_record(line)]
        if 2 * len(full) < sum(bool(line.strip()) for line in found):
            return  # one document over several lines, whatever its name says
        for number in chance.sample(full, min(lines, len(full))):
            what = f"{case.name} seed {seed} line {number + 1}"
            report.runs += 2
            try:
                path.write_bytes(_with_line(found, number, b""))
                without = _read_one(case, home, path)
                path.write_bytes(_with_line(found, number, chance.choice(_GARBAGE)))
                spoilt = _read_one(case, home, path)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                report.broken.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
            else:
                report.broken += [] if without is None else _lost(without, spoilt, number + 1, what)


def peak_bytes() -> int:
    """Return how much memory this process has had at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _with_line(lines: list[bytes], number: int, line: bytes) -> bytes:
    return b"\n".join([*lines[:number], line, *lines[number + 1 :], b""])


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lost(without: Reading, spoilt: Reading | None, line: int, what: str) -> Iterator[str]:
    if spoilt is None:
        yield f"{what}: one broken line cost the whole file"
        return
    if _said(without) != _said(spoilt):
        yield f"{what}: one broken line cost more than itself"
    before = Counter((problem.line, problem.reason) for problem in without.problems)
    more = Counter((problem.line, problem.reason) for problem in spoilt.problems) - before
    if [number for number, _ in more.elements()] != [line]:
        yield f"{what}: told as {sorted(more.elements())}"


def _said(reading: Reading) -> list[list[tuple[str, bytes]]]:
    return [
        [(message.role, msgspec.json.encode(message.blocks)) for message in session.messages]
        for session in reading.sessions
    ]


@contextmanager
def _laid_out(case: Case) -> Iterator[tuple[Home, Path, bytes]]:
    """Yield a copy of a case's home, the file to be spoilt, and what it holds."""
    with fast_directory() as folder:
        home = home_of(case.home, folder)
        path = home.path / case.path
        if case.content is not None:
            with case.content.open("rb") as file:
                path.write_bytes(file.read(LIMIT_BYTES))
        yield home, path, path.read_bytes()


def _read_all(case: Case, home: Home, what: str, report: Report) -> None:
    agent = _reader(case)
    report.runs += 1
    before = peak_bytes()
    try:
        with _watched():
            started = time.process_time()
            for ref in agent.discover(home):
                _read(case, ref, home)
            seconds = time.process_time() - started
    except Hang:
        report.broken.append(f"{what}: did not come back in {_HANG_SECONDS} s")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        report.broken.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
    else:
        report.slowest = max(report.slowest, seconds)
        if seconds > SECONDS:
            report.broken.append(f"{what}: took {seconds:.1f} s")
    if peak_bytes() - before > MEMORY_BYTES:
        report.broken.append(f"{what}: took {(peak_bytes() - before) >> 20} MB")


def _read(case: Case, ref: SourceRef, home: Home) -> Reading | None:
    try:
        reading = _reader(case).read(ref, home)
    except SourceError:
        return None
    for session in reading.sessions:
        msgspec.json.encode(session)
    msgspec.json.encode((reading.problems, reading.unknown_records))
    return reading


def _read_one(case: Case, home: Home, path: Path) -> Reading | None:
    """Return the reading of the source that is a file; None if the file is none, or is refused."""
    for ref in _reader(case).discover(home):
        if ref.path == str(path):
            return _read(case, ref, home)
    return None


@contextmanager
def _watched() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
