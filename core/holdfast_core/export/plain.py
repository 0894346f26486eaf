"""Foreign text made harmless for terminals and documents: nothing that acts, hides or reorders."""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
TITLE_GRAPHEMES = 200
_MARKS_LIMIT = 8

_ESCAPES = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC: titles, links, clipboard
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|\x1b[ -/]*[0-~]?"
)
# Kept: joiners and direction marks, which many scripts and emoji need.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain_text(text: str) -> str:
    """Return ``text`` without escape sequences; other controls and hidden characters are shown as U+FFFD.

    Lines end with a newline alone; tabs stay.
    """
    text = text.replace("\r\n", "\n")
    if "\x1b" in text or not text.isprintable():
        text = _HIDDEN.sub(REPLACEMENT, _ESCAPES.sub("", text).replace("\r", "\n"))
    return text


def one_line(text: str, *, limit: int = TITLE_GRAPHEMES) -> str:
    """Return ``text`` as one line of at most ``limit`` graphemes, an ellipsis included."""
    line = " ".join(plain_text(text[: limit * 32]).split())
    if len(line) <= limit and line.isascii():
        return line
    graphemes: list[str] = []
    for letter in line:
        if graphemes and is_mark(letter):
            if len(graphemes[-1]) < _MARKS_LIMIT:
                graphemes[-1] += letter
        else:
            graphemes.append(letter)
    return "".join(graphemes if len(graphemes) <= limit else [*graphemes[: limit - 1], "…"])


def is_mark(letter: str) -> bool:
    """Whether a character takes no place of its own: accents, joiners, variation selectors."""
    return unicodedata.category(letter) in ("Mn", "Me", "Cf")
