"""Invented text whose words are as unequal as those of people: prose, code, logs, CJK."""

from __future__ import annotations

import itertools
import random

_COMMON = (
    "the of and to a in is that it for on with as be by this are or from at not have an we was if can but all will "
    "you which there when then so no out up one do does into only also test file error return value path line time "
    "read write index query server client user data cache build run check list set get call"
)
_ONSETS = "b br c ch d dr f fl g gr h j k l m n p pl qu r s sh sl st t th tr v w z"
_NUCLEI = "a e i o u ai ea ee ou oo"
_CODAS = ["", "n", "r", "s", "t", "l", "m", "ck", "nd", "st", "x"]
VOCABULARY = 60_000
_CJK = [chr(code) for code in range(0x4E00, 0x4E00 + 2_500)]
_KANA = [chr(code) for code in range(0x3042, 0x3094)]


class Words:
    """A source of text; the same seed gives the same text. Sizes are in characters, roughly."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.vocabulary = _vocabulary()
        # Zipf's law with Mandelbrot's shift: rank r comes up in proportion to 1 / (r + 2.7).
        self._weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(self.vocabulary))))
        self._code = self._code_pool()

    def prose(self, size: int) -> str:
        """Return sentences and paragraphs."""
        words = self._draw(max(2, size // 6))
        for place in range(11, len(words), 12):
            words[place] += ".\n\n" if place % 96 == 95 else "."
        text = " ".join(words)
        return f"{text[:1].upper()}{text[1:]}."

    def code(self, size: int) -> str:
        """Return lines of a program."""
        start = self.random.randrange(len(self._code))
        end = self._code.find("\n", start + size)
        return self._code[self._code.find("\n", start) + 1 : end if end > 0 else None]

    def log(self, size: int) -> str:
        """Return the output of a test run."""
        lines = []
        for _ in range(max(1, size // 70)):
            first, second = self._draw(2)
            number = self.random.randrange(10_000)
            lines.append(f"tests/test_{first}.py::test_{second}_{number:04d} PASSED [{number % 101:3d}%] {number}ms")
        return "\n".join(lines)

    def cjk(self, size: int) -> str:
        """Return Chinese and Japanese characters without spaces."""
        letters = self.random.choices(_CJK, k=size)
        letters[3::7] = self.random.choices(_KANA, k=len(letters[3::7]))
        letters[29::30] = "。" * len(letters[29::30])
        return "".join(letters)

    def name(self) -> str:
        """Return an identifier of two words."""
        first, second = self._draw(2)
        return f"{first}_{second}"

    def _draw(self, count: int) -> list[str]:
        return self.random.choices(self.vocabulary, cum_weights=self._weights, k=count)

    def _code_pool(self) -> str:
        lines = []
        while len(lines) < 90_000:
            name, first, second, third, fourth = self._draw(5)
            lines += [
                f"def {name}_{first}({second}: int, *, {third}_{fourth}: str) -> dict[str, int]:",
                f"    if {second} > len({third}_{fourth}):",
                f'        raise ValueError(f"{fourth} {first} of {{{second}}}")',
                f"    {first}{fourth.title()} = self.{third}.{name}({second})",
                f"    return {{'{first}': {first}{fourth.title()}.{second}_{third}}}",
                "",
            ]
        return "\n".join(lines)


def _vocabulary() -> list[str]:
    """Return the words by rank: the commonest are English, the rest are made of syllables."""
    syllables = [a + b + c for a, b, c in itertools.product(_ONSETS.split(), _NUCLEI.split(), _CODAS)]
    random.Random("syllables").shuffle(syllables)
    pairs = random.Random("pairs")
    words = dict.fromkeys(_COMMON.split())
    while len(words) < VOCABULARY:
        words[pairs.choice(syllables) + pairs.choice(syllables)] = None
    return list(words)
