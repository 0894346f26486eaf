"""Colours for code: which stretches of which line are what, and in which ink that is drawn."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtGui import QTextCharFormat, QTextDocument, QTextLayout

from holdfast_gui.theme import theme

SIZE_LIMIT: Final = 50_000  # characters; Pygments reads 0.3 to 0.7 MB/s
Stretch = tuple[int, int, str]  # start and length in UTF-16 units of a line, ink

# The first row whose name the token's type begins with wins.
_INKS: Final = (
    ("Token.Comment.Preproc", "wait"),
    ("Token.Comment", "text3"),
    ("Token.Literal.String.Doc", "text3"),
    ("Token.Literal.String.Interpol", "wait"),
    ("Token.Literal.String", "added"),
    ("Token.Literal.Number", "wait"),
    ("Token.Keyword", "info"),
    ("Token.Operator.Word", "info"),
    ("Token.Name.Function", "accent"),
    ("Token.Name.Class", "accent"),
    ("Token.Name.Decorator", "wait"),
    ("Token.Name.Builtin", "info"),
    ("Token.Name.Tag", "info"),
    ("Token.Name.Attribute", "accent"),
    ("Token.Name.Exception", "accent"),
    ("Token.Generic.Deleted", "removed"),
    ("Token.Generic.Inserted", "added"),
    ("Token.Generic.Heading", "info"),
    ("Token.Generic.Subheading", "info"),
)


def stretches(code: str, language: str) -> list[list[Stretch]]:
    """Return the coloured stretches of every line; none for a language that is not known or too much code.

    Slow: to be called in a thread. Touches no Qt object.
    """
    if not language or len(code) > SIZE_LIMIT:
        return []
    from pygments.lexers import get_lexer_by_name  # 30 ms, and not before there is code to colour
    from pygments.util import ClassNotFound

    try:
        lexer: Any = get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return []
    lines: list[list[Stretch]] = [[]]
    column = 0
    for kind, text in lexer.get_tokens(code):
        ink = _ink(str(kind))
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append([])
                column = 0
            length = len(piece) if piece.isascii() else len(piece.encode("utf-16-le", "replace")) // 2
            if ink and piece.strip():
                lines[-1].append((column, length, ink))
            column += length
    return lines


def apply(document: QTextDocument, lines: list[list[Stretch]]) -> None:
    """Colour a document whose blocks are the lines; layout and heights stay."""
    formats: dict[str, QTextCharFormat] = {}
    block = document.begin()
    for line in lines:
        if not block.isValid():
            return
        if line:
            block.layout().setFormats([_range(stretch, formats) for stretch in line])
            document.markContentsDirty(block.position(), block.length())
        block = block.next()


def _range(stretch: Stretch, formats: dict[str, QTextCharFormat]) -> QTextLayout.FormatRange:
    start, length, ink = stretch
    if ink not in formats:
        formats[ink] = QTextCharFormat()
        formats[ink].setForeground(getattr(theme().tokens, ink))
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = start, length, formats[ink]
    return made


def _ink(kind: str) -> str:
    return next((ink for prefix, ink in _INKS if kind.startswith(prefix)), "")
