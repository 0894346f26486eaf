"""Write an archive of invented sessions of a wanted size, with needles whose places are known."""

from __future__ import annotations

import base64
import itertools
import json
import math
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.words import Words
from tests.fakes.pens import ClaudeCodePen, CodexPen, Pen

_NEWEST = datetime(2026, 11, 20, 8, tzinfo=UTC)
_DAYS = 540
_FORMAT = 6
PROSE, OUTPUT, INNER = "zp", "zq", "Zr"  # What the needles of each place begin with.


@dataclass(frozen=True, slots=True)
class Shape:
    """What an archive is like; equal shapes give equal archives.

    ``records`` are lines of files. Shares are between 0 and 1: of sessions
    for ``codex_share`` and ``cjk_share``, of prompts for ``picture_share``.
    """

    sessions: int = 600
    megabytes: int = 196
    records: int = 104_000
    codex_share: float = 0.3
    cjk_share: float = 0.04
    picture_share: float = 0.01
    seed: int = 1

    @property
    def name(self) -> str:
        """A directory name that no other shape has."""
        return f"v{_FORMAT}-{self.sessions}-{self.megabytes}mb-{self.records}-{self.seed}"


@dataclass(slots=True)
class Manifest:
    """What was written: totals, and queries by class, each with the sessions that must be found."""

    sessions: int = 0
    size_bytes: int = 0
    records: int = 0
    queries: dict[str, list[str]] = field(default_factory=dict)
    needles: dict[str, str] = field(default_factory=dict)


def make_corpus(directory: Path, shape: Shape) -> tuple[Path, Manifest]:
    """Return the home and manifest of an archive below ``directory``, written only once for each shape."""
    home = directory / shape.name
    manifest_path = home / "manifest.json"
    if manifest_path.exists():
        return home, Manifest(**json.loads(manifest_path.read_text("utf-8")))
    manifest = write_corpus(home, shape)
    manifest_path.write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    return home, manifest


def write_corpus(home: Path, shape: Shape) -> Manifest:
    """Write the whole archive below ``home`` as the agents lay it out."""
    words = Words(shape.seed)
    chance = random.Random(shape.seed)
    projects = [
        f"/home/robin/code/{words.name().replace('_', '-')}" for _ in range(max(3, min(60, shape.sessions // 8)))
    ]
    writer = _Writer(words=words, chance=chance, picture_share=shape.picture_share)
    lengths = _lengths(shape, chance)
    ages = sorted((chance.random() ** 1.6 * _DAYS for _ in lengths), reverse=True)
    manifest = Manifest(sessions=shape.sessions)
    for number, (length, age) in enumerate(zip(lengths, ages, strict=True)):
        writer.aim_at(shape.megabytes * 1_000_000 - manifest.size_bytes, shape.records - manifest.records)
        kind = CodexPen if chance.random() < shape.codex_share else ClaudeCodePen
        pen = kind(
            home,
            project=projects[min(len(projects) - 1, int(chance.paretovariate(0.7)) - 1)],
            started=_NEWEST - timedelta(days=age, seconds=length * 9),
            branch=chance.choice(["main", "main", f"fix-{words.vocabulary[number + 900]}"]),
            seed=number,
        )
        needle = f"{number:05d}needle"
        writer.session(pen, length, needle=needle, is_cjk=chance.random() < shape.cjk_share)
        pen.save()
        manifest.needles[needle] = pen.session_id
        manifest.size_bytes += pen.size_bytes
        manifest.records += len(pen.records)
    manifest.queries = _queries(words, writer, manifest)
    return manifest


def _lengths(shape: Shape, chance: random.Random) -> list[int]:
    """Return the records of each session: very unequal, and together what the shape says."""
    raw = [math.exp(chance.gauss(0, 1.1)) for _ in range(shape.sessions)]
    return [max(6, round(value * shape.records / sum(raw))) for value in raw]


class _Writer:
    """Fills sessions, correcting the size of its texts so that the archive gets the wanted size."""

    def __init__(self, *, words: Words, chance: random.Random, picture_share: float) -> None:
        self.words = words
        self.chance = chance
        self.picture_share = picture_share
        self.phrases: list[str] = []
        self._scale = 1.0
        self._last_mean = 0.0

    def aim_at(self, bytes_left: int, records_left: int) -> None:
        """Set the size of the next texts so that ``bytes_left`` fill ``records_left``."""
        wanted = max(400.0, bytes_left / max(1, records_left))
        if self._last_mean:
            step = min(1.5, max(0.67, wanted / self._last_mean))
            self._scale = min(6.0, max(0.15, self._scale * step**0.2))

    def session(self, pen: Pen, length: int, *, needle: str, is_cjk: bool) -> None:
        """Write about ``length`` records, with a needle in prose, one in a tool's output, one inside a name."""
        prose = self.words.cjk if is_cjk else self.words.prose
        first = f"{prose(self._size(160))} {PROSE}{needle}"
        self.phrases.append(" ".join(first.split()[1:4]))
        pen.prompt(first)
        pen.run(
            f"grep -rn {self.words.name()}",
            f"{self.words.log(self._size(300))}\n{OUTPUT}{needle} here\n{_inner(needle)}()",
        )
        while len(pen.records) < length:
            pen.wait(self.chance.expovariate(1 / 9))
            self._step(pen, prose)
        pen.say(prose(self._size(300)))
        self._last_mean = 0.7 * (self._last_mean or 1_900) + 0.3 * pen.size_bytes / len(pen.records)

    def _step(self, pen: Pen, prose: Callable[[int], str]) -> None:
        kind = self.chance.choices(_STEPS, weights=_STEP_WEIGHTS)[0]
        if kind == "prompt" and self.chance.random() < self.picture_share:
            pixels = base64.b64encode(self.chance.randbytes(self._size(90_000))).decode()
            pen.picture(prose(self._size(90)), pixels)
        elif kind == "prompt":
            pen.prompt(prose(self._size(160)))
        elif kind == "think":
            pen.think(prose(self._size(500)))
        elif kind == "say":
            pen.say(f"{prose(self._size(330))}\n\n```python\n{self.words.code(self._size(300))}\n```")
        elif kind == "run":
            pen.run(f"pytest -q -k {self.words.name()}", self.words.log(self._size(900)))
        elif kind == "read":
            pen.read(f"{pen.project}/src/{self.words.name()}.py", self.words.code(self._size(1_800)))
        elif kind == "edit":
            old, new = self.words.code(self._size(300)), self.words.code(self._size(450))
            path, line = f"{pen.project}/src/{self.words.name()}.py", self.chance.randrange(1, 900)
            pen.edit(path, old, new, line=line, original=self.words.code(self._size(5_000)))
        elif kind == "search":
            pen.search(self.words.name(), "src", self.words.log(self._size(500)))
        else:
            steps = [prose(40) for _ in range(5)]
            pen.todos(zip(steps, ["completed", "completed", "in_progress", "pending", "pending"], strict=True))

    def _size(self, median: int) -> int:
        """Return a size around ``median``: most are near, a few are fifty times that."""
        return int(min(400_000, max(12, self._scale * median * math.exp(self.chance.gauss(0, 1.05)))))


_STEPS = ["prompt", "think", "say", "run", "read", "edit", "search", "todos"]
_STEP_WEIGHTS = [8, 14, 22, 22, 16, 11, 5, 2]


def _inner(needle: str) -> str:
    """Return an identifier with the needle inside, which only a search for parts of words finds."""
    return f"camelCase{INNER}{needle.title()}Tail"


def _queries(words: Words, writer: _Writer, manifest: Manifest) -> dict[str, list[str]]:
    """Return twenty queries of each class, from what was written."""
    needles = list(itertools.islice(manifest.needles, 0, None, max(1, len(manifest.needles) // 20)))[:20]
    phrases = [phrase for phrase in writer.phrases if phrase.isascii() and "." not in phrase][:20]
    ranks = words.vocabulary
    return {
        "rare": [f"{PROSE}{needle}" for needle in needles],
        "rare in output": [f"{OUTPUT}{needle}" for needle in needles],
        "middle": ranks[4_000:8_000:200],
        "common": ranks[0:40:2],
        "two common": [f"{first} {second}" for first, second in zip(ranks[40:60], ranks[60:80], strict=True)],
        "phrase": [f'"{phrase}"' for phrase in phrases],
        "prefix": [word[:4] for word in ranks[1_000:3_000:100]],
        "substring": [f"{INNER}{needle.title()}" for needle in needles],
        "absent": [f"xvq{number:04d}jzk" for number in range(20)],
    }
