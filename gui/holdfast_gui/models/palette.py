"""What the palette lists: entries that match a few typed letters, best first, with the letters that matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from holdfast_gui.text import later, tr

Kind = Literal["action", "session", "command"]

HEADINGS: Final[dict[Kind, str]] = later({"action": "Actions", "session": "Sessions", "command": "Commands"})
ENTRY_ROLE: Final = Qt.ItemDataRole.UserRole + 1
LETTERS_ROLE: Final = Qt.ItemDataRole.UserRole + 2
LIMIT_OF_KIND: Final = 8

_START_SCORE: Final = 8.0
_RUN_SCORE: Final = 3.0
_LETTER_SCORE: Final = 1.0
_LENGTH_COST: Final = 0.02
_SPREAD: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be chosen. ``detail`` stands behind the title, ``keys`` at the right.

    ``icon`` names a drawing; a session has ``mark`` and ``hue`` of its agent instead.
    """

    kind: Kind
    id: str
    title: str
    detail: str = ""
    icon: str = ""
    mark: str = ""
    hue: int = 0
    keys: str = ""

    @property
    def text(self) -> str:
        """All that is searched: the title, then the detail."""
        return f"{self.title} {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text matches; ``letters`` are positions in it, ascending."""

    score: float
    letters: tuple[int, ...]


def fuzzy(query: str, text: str) -> Match | None:
    """Return how ``text`` matches, or None: each word of ``query`` is found in it, in any order.

    A word stands together, best at the start of a word; else its letters
    stand in order, the first of them at the start of a word.
    """
    folded = _folded(text)
    score = -_LENGTH_COST * len(text)
    letters: set[int] = set()
    for word in _folded(query).split():
        found = _together(word, folded) or _scattered(word, folded)
        if found is None:
            return None
        score += found.score
        letters.update(found.letters)
    return Match(score, tuple(sorted(letters)))


def _folded(text: str) -> str:
    """Return ``text`` in lower case, letter for letter, so that positions stay."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def ranked(query: str, entries: Iterable[Entry], *, limit: int = LIMIT_OF_KIND) -> list[tuple[Entry, Match]]:
    """Return the best entries of each kind; where nothing is typed, the first of each, as they came."""
    kinds: dict[Kind, list[tuple[Entry, Match]]] = {kind: [] for kind in HEADINGS}
    for entry in entries:
        match = fuzzy(query, entry.text)
        if match is not None:
            kinds[entry.kind].append((entry, match))
    if query.strip():
        for found in kinds.values():
            found.sort(key=lambda pair: -_rank(*pair))
    return [pair for found in kinds.values() for pair in found[:limit]]


def _rank(entry: Entry, match: Match) -> int:
    """What is about as good stays in order; that a session is newer counts more than that its title is short."""
    return round(_worth(entry, match) * (1 if entry.kind == "session" else 2))


def _worth(entry: Entry, match: Match) -> float:
    in_detail = sum(position > len(entry.title) for position in match.letters)
    # How much stands behind the title does not make it a worse answer.
    return match.score - in_detail * _RUN_SCORE + _LENGTH_COST * len(entry.detail)


def _together(word: str, text: str) -> Match | None:
    best: Match | None = None
    at = text.find(word)
    while at >= 0:
        starts = _START_SCORE if _is_start(text, at) else 0.0
        score = starts + len(word) * (_LETTER_SCORE + _RUN_SCORE)
        if best is None or score > best.score:
            best = Match(score, tuple(range(at, at + len(word))))
        if starts:
            break
        at = text.find(word, at + 1)
    return best


def _scattered(word: str, text: str) -> Match | None:
    for first in re.finditer(re.escape(word[0]), text):
        if not _is_start(text, first.start()):
            continue
        positions = [first.start()]
        for letter in word[1:]:
            at = _next(letter, text, positions[-1] + 1)
            if at < 0:
                break
            positions.append(at)
        if len(positions) == len(word) and _is_near(positions, text):
            return Match(_scattered_score(positions, text), tuple(positions))
    return None


def _is_near(positions: Sequence[int], text: str) -> bool:
    """Letters that lie far apart match only by chance, unless each begins a word."""
    close = positions[-1] - positions[0] < len(positions) * _SPREAD
    return close or all(_is_start(text, at) for at in positions)


def _next(letter: str, text: str, start: int) -> int:
    """Prefer the letter right here, then one that starts a word, then any."""
    if text.startswith(letter, start):
        return start
    at = first = text.find(letter, start)
    while at >= 0 and not _is_start(text, at):
        at = text.find(letter, at + 1)
    return at if at >= 0 else first


def _scattered_score(positions: Sequence[int], text: str) -> float:
    score = 0.0
    for index, at in enumerate(positions):
        score += _LETTER_SCORE
        if _is_start(text, at):
            score += _START_SCORE / 2
        elif index and positions[index - 1] == at - 1:
            score += _RUN_SCORE / 2
    return score


def _is_start(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()


class PaletteModel(QAbstractListModel):
    """Headings and entries; only entries can be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Entry, Match] | str] = []

    def show(self, found: Sequence[tuple[Entry, Match]]) -> None:
        """Replace what is listed; ``found`` is in order of kind."""
        self.beginResetModel()
        self._rows = []
        kind: Kind | None = None
        for entry, match in found:
            if entry.kind != kind:
                kind = entry.kind
                self._rows.append(tr(HEADINGS[kind]))
            self._rows.append((entry, match))
        self.endResetModel()

    def entry(self, row: int) -> Entry | None:
        """Return the entry of a row, None for a heading or beyond the end."""
        found = self._rows[row] if 0 <= row < len(self._rows) else ""
        return None if isinstance(found, str) else found[0]

    def step(self, row: int, by: int) -> int:
        """Return the next row with an entry, round the ends; -1 if there is none."""
        for distance in range(1, len(self._rows) + 1):
            candidate = (row + by * distance) % len(self._rows)
            if self.entry(candidate) is not None:
                return candidate
        return -1

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        if self.entry(index.row()) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found = self._rows[index.row()] if 0 <= index.row() < len(self._rows) else ""
        if isinstance(found, str):
            return found if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole) else None
        entry, match = found
        answers: dict[int, Any] = {
            Qt.ItemDataRole.DisplayRole: entry.title,
            Qt.ItemDataRole.AccessibleTextRole: ", ".join(filter(None, (entry.title, entry.detail, entry.keys))),
            ENTRY_ROLE: entry,
            LETTERS_ROLE: match.letters,
        }
        return answers.get(role)
