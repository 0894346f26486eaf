"""Words and phrases of a query: how they are found in the index, and where they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Final

from holdfast_core.index.folding import UNSPACED, fold, is_unspaced, tokens
from holdfast_core.index.vocabulary import Part, Words
from holdfast_core.model.query import Phrase, Word

# Shorter ones only count as whole words: inside others they stand everywhere.
INSIDE_LENGTH: Final = 3

_RUN: Final = rf"[^\W_{UNSPACED}]"
_PLAIN_PHRASE = re.compile(rf"(?:{_RUN}|[{UNSPACED}]|\s)+")


class Needle:
    """One word or phrase. ``is_whole``: parts of longer words do not count."""

    def __init__(self, node: Word | Phrase, *, is_whole: bool) -> None:
        self._text = " ".join(fold(node.text).split())
        self._tokens = tokens(node.text)
        is_whole = is_whole or isinstance(node, Phrase)
        is_prefix = isinstance(node, Word) and node.is_prefix and len(self._text) > 1
        self._is_phrase = isinstance(node, Phrase) and _PLAIN_PHRASE.fullmatch(self._text) is not None
        self.is_typed = is_prefix
        self.opens_left = self._opens(0, 0, is_whole=is_whole)
        self.opens_right = (is_prefix and self._is_run(-1)) or self._opens(-1, -1, is_whole=is_whole)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it, so that it stands nowhere: an accent without a letter."""
        return not self._text

    @property
    def has_tokens(self) -> bool:
        """Whether the index can find it at all; punctuation alone it cannot."""
        return bool(self._tokens)

    @property
    def is_plain(self) -> bool:
        """Whether the index alone tells exactly where it is: one word of letters and digits."""
        return len(self._tokens) == 1 and self._tokens[0] == self._text and not _is_symbol(self._text)

    @property
    def mark(self) -> bytes:
        """The punctuation that it is, if it is that alone; empty if it is more, or may be written in several ways."""
        is_mark = not self._tokens and self._text.isascii() and " " not in self._text
        return self._text.encode() if is_mark else b""

    @property
    def word(self) -> str:
        """The word that it is, empty if it is not one whole word."""
        return self._tokens[0] if self.is_plain and not self.is_typed else ""

    @property
    def looks_inside(self) -> bool:
        """Whether it may be a part of longer words, which only the list of all words can tell."""
        return self.opens_left or (self.opens_right and not self.is_typed)

    def exact_matches(self, frequent: Words | None = None) -> list[str]:
        """Return what finds it where it is a whole word, or the beginning of one if it is being typed.

        With ``frequent`` only the beginning of these words: all others begin a thousand times too slowly.
        """
        is_beginning = self.is_typed and self._is_run(-1)
        if is_beginning and frequent is not None and len(self._tokens) == 1:
            return [_phrase([word], is_prefix=False) for word in frequent.words(self._tokens[0], "start")]
        return [_phrase(self._tokens, is_prefix=is_beginning)]

    def matches(self, vocabulary: Words) -> list[str]:
        """Return what finds it everywhere, none if it is nowhere; some may have to be looked at again."""
        first = self._tokens[0]
        if len(self._tokens) > 1:
            firsts = vocabulary.words(first, "end") if self.opens_left else [first]
            return [_phrase([word, *self._tokens[1:]], is_prefix=self.opens_right) for word in firsts]
        if not self.opens_left:
            return [_phrase(self._tokens, is_prefix=self.opens_right)]
        part: Part = "inside" if self.opens_right else "end"
        return [_phrase([word], is_prefix=False) for word in vocabulary.words(first, part)]

    def is_in(self, folded: str) -> bool:
        """Say whether it stands in folded text."""
        return next(self._found(folded), None) is not None

    def spans(self, folded: str, limit: int) -> list[tuple[int, int]]:
        """Return where it stands in folded text, first ones first."""
        return list(islice(self._found(folded), limit))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self._loose() if self._is_phrase else r"\s+".join(map(re.escape, self._text.split())))

    def _found(self, folded: str) -> Iterator[tuple[int, int]]:
        # Where words end is checked here: in a pattern it costs more to compile than a whole search.
        is_bound_left = not self.opens_left and self._is_run(0)
        is_bound_right = not self.opens_right and self._is_run(-1)
        match = self._pattern.search(folded) if self._text else None
        while match:
            start, end = match.span()
            is_whole_left = not is_bound_left or start == 0 or not _is_run(folded[start - 1])
            if is_whole_left and (not is_bound_right or end == len(folded) or not _is_run(folded[end])):
                yield start, end
                match = self._pattern.search(folded, end)
            else:
                match = self._pattern.search(folded, start + 1)

    def _loose(self) -> str:
        """Return the pattern of the words in this order, whatever punctuation stands between them."""
        pattern = re.escape(self._tokens[0])
        for before, token in zip(self._tokens, self._tokens[1:], strict=False):
            is_apart = not is_unspaced(before) and not is_unspaced(token)
            pattern += (r"[\W_]+" if is_apart else r"[\W_]*") + re.escape(token)
        return pattern

    def _is_run(self, place: int) -> bool:
        return bool(self._text) and _is_run(self._text[place])

    def _opens(self, place: int, token: int, *, is_whole: bool) -> bool:
        return not is_whole and self._is_run(place) and len(self._tokens[token]) >= INSIDE_LENGTH


def _phrase(words: list[str], *, is_prefix: bool) -> str:
    # Words are letters, digits and symbols only: nothing has to be escaped.
    return '"' + " ".join(words) + ('"*' if is_prefix else '"')


def _is_run(character: str) -> bool:
    """Say whether a character joins others to a word."""
    return character.isalnum() and not (character > "\u0dff" and is_unspaced(character))


def _is_symbol(text: str) -> bool:
    return len(text) == 1 and not text.isalnum()
