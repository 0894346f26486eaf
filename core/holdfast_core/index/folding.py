"""One spelling for all: what is indexed, what is looked for and what is compared go through here.

Letters lose case and accents; characters of scripts that put no space between
words, and emoji, become words of their own. The tokenizer of SQLite then sees
the same words in the text and in the query.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache

from holdfast_core.model.terminal import without_codes

# Not ASCII, but for dashes, quotes, arrows and drawing: they are common, and stay as they are.
_OTHER_CHARACTER = "[^\x00-\x7f\u2010-\u2027\u2030-\u205e\u2190-\u2194\u2500-\u259f\u2800-\u28ff]"
_OTHER = re.compile(f"{_OTHER_CHARACTER}{_OTHER_CHARACTER}*")  # with a plus the search is three times as slow
_ASCII = bytes(range(128))
_MARK = re.compile(r"[!-/:-@\[-`{-~]")
TOKEN = re.compile("[^\\W_]+|[\ue000-\uf8ff]")

# Han, Kana, Hangul, and the scripts of South-East Asia that are written without spaces.
UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3031-\u3035\u3038-\u303c\u3040-\u30ff\u3100-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
# Lines, blocks and braille draw tables and progress bars: nobody looks for them, and there are many.
_DRAWING = re.compile("[\u2500-\u259f\u2800-\u28ff]")
_JOINERS = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_PRIVATE_FIRST, _PRIVATE_COUNT = 0xE000, 6400


def is_unspaced(character: str) -> bool:
    """Say whether ``character`` is a word of its own."""
    return _UNSPACED_CHARACTER.match(character) is not None


def fold(text: str) -> str:
    """Return ``text`` without case and accents; its length may differ."""
    if text.isascii():
        return text.lower()
    return _OTHER.sub(lambda run: _folded_run(run[0]), text).lower()


def folds_to_marks(text: bytes) -> bool:
    """Say whether folding brings ASCII punctuation together that does not stand so in ``text``, which is UTF-8."""
    others = text.translate(None, _ASCII)
    return any(map(_is_mark, set(others.decode())))


def origins(text: str) -> Callable[[int], int]:
    """Return what maps a place in the folded text to the place in ``text``."""
    folded_starts, starts = [0], [0]
    shift = 0
    for run in _OTHER.finditer(text) if not text.isascii() else ():
        if len(_folded_run(run[0])) == len(run[0]):
            continue
        for place, character in enumerate(run[0], run.start()):
            folded_starts.append(place + shift)
            starts.append(place)
            shift += len(_folded(character)) - 1
        folded_starts.append(run.end() + shift)
        starts.append(run.end())

    def origin(place: int) -> int:
        known = bisect_right(folded_starts, place) - 1
        limit = starts[known + 1] if known + 1 < len(starts) else len(text)
        return min(starts[known] + place - folded_starts[known], limit)

    return origin


def tokenizable(text: str) -> str:
    """Return ``text`` as the tokenizer is given it, at indexing and in queries alike."""
    return text if text.isascii() else _OTHER.sub(lambda run: _tokenizable_run(run[0]), text)


def tokenizable_bytes(text: bytes) -> bytes:
    """Do the same for UTF-8; most texts hold nothing that changes, which is quickly seen."""
    if text.isascii() or _OTHER.search(text.translate(None, _ASCII).decode()) is None:
        return text
    return tokenizable(text.decode()).encode()


def tokens(text: str) -> list[str]:
    """Return the words of a text as the index knows them."""
    return TOKEN.findall(tokenizable(fold(text)).lower())


def clean(text: str) -> str:
    """Return ``text`` without terminal colours and with what cannot be stored replaced."""
    if "\x1b" in text or "\x1e" in text or "\x00" in text:
        return without_codes(text).replace("\x1e", " ").replace("\x00", " ")
    return text


@lru_cache(maxsize=65_536)
def _folded_run(run: str) -> str:
    return "".join(map(_folded, run))


@lru_cache(maxsize=65_536)
def _is_mark(character: str) -> bool:
    folded = _folded(character)
    return _OTHER.match(character) is not None and (not folded or _MARK.search(folded) is not None)


@lru_cache(maxsize=65_536)
def _tokenizable_run(run: str) -> str:
    return "".join(map(_tokenizable, run))


@lru_cache(maxsize=65_536)
def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Mn" or character in _JOINERS or ord(character) in _SKIN_TONES:
        return ""
    if is_unspaced(character):
        return character
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(part for part in decomposed if unicodedata.category(part) != "Mn") or " "


@lru_cache(maxsize=65_536)
def _tokenizable(character: str) -> str:
    folded = _folded(character)
    if is_unspaced(character):
        return f" {character} "
    if len(folded) == 1 and unicodedata.category(folded) in ("So", "Co") and not _DRAWING.match(folded):
        return f" {chr(_PRIVATE_FIRST + ord(folded) % _PRIVATE_COUNT)} "
    return folded
