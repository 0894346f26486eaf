"""The one place that makes rich text: Markdown becomes a tree of tokens, the tree a document, never HTML.

Nothing in the text can open, fetch or name a resource: images are words, links
carry their target only if it is http or https, markup is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTableFormat,
)

from holdfast_gui.text import clean
from holdfast_gui.theme import theme
from holdfast_gui.views.transcript.document import CHIP_SPACE, Mark, SafeDocument, lift

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DEEPEST = 16  # nesting beyond it is shown as plain text, for the parser drops what lies below 20
MOST_CELLS, MOST_COLUMNS = 1_000, 24
_URL = re.compile(r"https?://[^\s<>\"'`\u2026|]+[^\s<>\"'`\u2026|.,;:!?)\]}*_]")
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_HEADINGS = {"h1": 19.0, "h2": 17.0, "h3": 15.5}
_LINE_BREAK = "\u2028"


def prose_document(source: str) -> SafeDocument:
    """Return a document of Markdown; what is nested too deep or tabled too wide comes as plain text."""
    source = clean(source)
    tokens = _parser().parse(source)
    document = SafeDocument(theme().font("transcript"))
    builder = _Builder(document)
    if any(token.level >= DEEPEST for token in tokens) or _widest_table(tokens) > MOST_COLUMNS:
        builder.add_plain(source)
    else:
        builder.add(tokens)
    return document


def prompt_document(source: str) -> SafeDocument:
    """Return a document of what a person typed: line by line as written, with code and addresses marked."""
    document = SafeDocument(theme().font("transcript"))
    _Builder(document).add_plain(clean(source).strip("\n"))
    return document


def prepare() -> bool:
    """Load what reading Markdown needs, so that the first session does not wait for it; for a thread."""
    return _parser() is not None


def safe_link(target: str) -> str:
    """Return the target if it is an http or https address with a host, else an empty text."""
    try:
        parts = urlsplit(target)
        has_host = bool(parts.hostname) and "%" not in parts.netloc
        return target if parts.scheme in ("http", "https") and has_host else ""
    except ValueError:
        return ""


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 40 ms, and not before there is prose to show

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _widest_table(tokens: Sequence[Token]) -> int:
    widest = columns = cells = 0
    for token in tokens:
        if token.type == "tr_open":
            columns = 0
        elif token.type in ("th_open", "td_open"):
            columns, cells = columns + 1, cells + 1
            widest = max(widest, columns)
    return widest if cells <= MOST_CELLS else cells


class _Builder:
    """Writes tokens into a document. One of its methods per kind of token; unknown ones are left out."""

    def __init__(self, document: SafeDocument) -> None:
        self._document = document
        self._cursor = QTextCursor(document)
        self._is_empty = True
        document.setIndentWidth(theme().px(20))
        document.lift = lift(document.defaultFont(), theme().line("transcript"))
        self._lists: list[tuple[QTextListFormat, QTextList | None]] = []
        self._item_is_new = False
        self._quotes: list[int] = []
        self._formats: list[QTextCharFormat] = [QTextCharFormat()]
        self._gap = 0
        self._code = QTextCharFormat()
        self._code.setFont(theme().font("code"))

    def add(self, tokens: Sequence[Token]) -> None:
        """Write all tokens."""
        self._cursor.beginEditBlock()
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.type == "table_open":
                position = self._add_table(tokens, position)
                continue
            writer = _WRITERS.get(token.type)
            if writer is not None:
                writer(self, token)
            position += 1
        self._cursor.endEditBlock()

    def add_plain(self, text: str) -> None:
        """Write text as it stands, with code between backticks and web addresses marked."""
        self._cursor.beginEditBlock()
        for line in text.split("\n"):
            self._start_block(0)
            self._add_marked(line)
        self._cursor.endEditBlock()

    # Blocks

    def _start_block(self, margin: float, *, line: float | None = None) -> QTextBlockFormat:
        """Begin a block ``margin`` px below the one before it, indented as its list and quote say."""
        made = QTextBlockFormat()
        height = line or theme().line("transcript")
        made.setLineHeight(height, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        made.setTopMargin(0 if self._is_empty else theme().px(margin + self._gap))
        self._gap = 0
        made.setLeftMargin(theme().px(16) * len(self._quotes))
        if self._lists and not self._item_is_new:
            made.setIndent(len(self._lists))
        if self._is_empty:
            self._cursor.setBlockFormat(made)
            self._cursor.setBlockCharFormat(QTextCharFormat())
        else:
            self._cursor.insertBlock(made, QTextCharFormat())
        self._is_empty = False
        if self._lists and self._item_is_new:
            self._item_is_new = False
            self._join_list()
        return made

    def _join_list(self) -> None:
        """Make the block that was just begun an item of the innermost list."""
        made, items = self._lists[-1]
        if items is None:
            self._lists[-1] = (made, self._cursor.createList(made))
        else:
            items.add(self._cursor.block())
        if made.style() != QTextListFormat.Style.ListDecimal:
            at = self._cursor.position()
            self._document.marks.append(Mark("bullet", at, at, len(self._lists) - 1))

    def _paragraph(self, token: Token) -> None:
        is_first_item = bool(self._lists) and self._item_is_new and self._lists[-1][1] is None
        self._start_block(6 if is_first_item else 3 if self._item_is_new or token.hidden else 10)

    def _heading(self, token: Token) -> None:
        size = _HEADINGS.get(token.tag, 14.0)
        self._start_block(14, line=max(theme().line("transcript"), theme().px(size * 1.45)))
        font = QFont(theme().font("transcript"))
        font.setPointSizeF(font.pointSizeF() * size / 14)
        font.setWeight(QFont.Weight.DemiBold)
        bold = QTextCharFormat()
        bold.setFont(font)
        self._formats.append(bold)

    def _leave_format(self, _token: Token) -> None:
        if len(self._formats) > 1:
            self._formats.pop()

    def _list(self, token: Token) -> None:
        made = QTextListFormat()
        style = QTextListFormat.Style
        made.setStyle(style.ListDecimal if token.type == "ordered_list_open" else style.ListStyleUndefined)
        made.setIndent(len(self._lists) + 1)
        start = token.attrGet("start")
        if isinstance(start, int):
            made.setStart(start)
        self._lists.append((made, None))

    def _leave_list(self, _token: Token) -> None:
        self._lists.pop()

    def _item(self, _token: Token) -> None:
        self._item_is_new = True

    def _leave_item(self, _token: Token) -> None:
        if self._item_is_new:
            self._start_block(2)

    def _quote(self, _token: Token) -> None:
        self._quotes.append(self._cursor.position() + (not self._is_empty))
        muted = QTextCharFormat(self._formats[-1])
        muted.setForeground(theme().tokens.text2)
        self._formats.append(muted)

    def _leave_quote(self, token: Token) -> None:
        start = self._quotes.pop()
        end = self._cursor.position()
        self._document.marks.append(Mark("quote", start, end, len(self._quotes)))
        self._leave_format(token)

    def _fence(self, token: Token) -> None:
        """Write a code block that stands in a list or quote; those at the margin are cards of their own."""
        start = -1
        for line in token.content.rstrip("\n").split("\n"):
            made = self._start_block(0 if start >= 0 else 8, line=theme().line("code"))
            made.setLeftMargin(made.leftMargin() + theme().px(10))
            made.setNonBreakableLines(False)
            self._cursor.setBlockFormat(made)
            if start < 0:
                start = self._cursor.position()
            self._cursor.insertText(line, self._code)
        self._document.marks.append(Mark("code", start, self._cursor.position()))
        self._gap = 6

    def _rule(self, _token: Token) -> None:
        self._start_block(6, line=theme().px(12))
        self._document.marks.append(Mark("rule", self._cursor.position(), self._cursor.position()))

    def _add_table(self, tokens: Sequence[Token], position: int) -> int:
        """Write a table and return the position after its tokens."""
        end = next(at for at in range(position, len(tokens)) if tokens[at].type == "table_close")
        rows = _rows(tokens[position:end])
        made = QTextTableFormat()
        made.setBorderCollapse(True)
        made.setBorder(1)
        made.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        made.setBorderBrush(theme().tokens.line)
        made.setCellPadding(theme().px(5))
        made.setTopMargin(theme().px(8))
        made.setBottomMargin(theme().px(2))
        made.setWidth(QTextLength())
        self._start_block(0, line=1)
        table = self._cursor.insertTable(len(rows), max(len(row) for row in rows), made)
        for row, cells in enumerate(rows):
            for column, (inline, alignment) in enumerate(cells):
                cursor = table.cellAt(row, column).firstCursorPosition()
                self._add_cell(cursor, inline, alignment, is_head=row == 0)
        self._cursor = table.lastCursorPosition()
        self._cursor.movePosition(QTextCursor.MoveOperation.NextBlock)
        after = QTextBlockFormat()
        after.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        self._cursor.setBlockFormat(after)
        return end + 1

    def _add_cell(self, cursor: QTextCursor, inline: Token, alignment: str, *, is_head: bool) -> None:
        made = QTextBlockFormat()
        made.setLineHeight(theme().px(20), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        sides = {"right": Qt.AlignmentFlag.AlignRight, "center": Qt.AlignmentFlag.AlignHCenter}
        made.setAlignment(sides.get(alignment, Qt.AlignmentFlag.AlignLeft))
        cursor.setBlockFormat(made)
        outer, self._cursor = self._cursor, cursor
        cell = QTextCharFormat()
        cell.setFont(theme().font("bold" if is_head else "body"))
        self._formats.append(cell)
        self._inline(inline)
        self._formats.pop()
        self._cursor = outer

    # What stands in a line

    def _inline(self, token: Token) -> None:
        links: list[str] = []
        depth = len(self._formats)
        for child in token.children or ():
            match child.type:
                case "text" | "text_special" | "html_inline":
                    self._add_text(child.content, links[-1] if links else "")
                case "softbreak" | "hardbreak":
                    self._cursor.insertText(_LINE_BREAK, self._formats[-1])
                case "code_inline":
                    self._add_code(child.content)
                case "image":
                    self._add_image(child)
                case "link_open":
                    links.append(safe_link(str(child.attrGet("href") or "")))
                case "link_close" if links:
                    links.pop()
                case "strong_open" | "em_open" | "s_open":
                    self._formats.append(self._emphasised(child.type))
                case "strong_close" | "em_close" | "s_close" if len(self._formats) > depth:
                    self._formats.pop()
        del self._formats[depth:]

    def _emphasised(self, kind: str) -> QTextCharFormat:
        made = QTextCharFormat(self._formats[-1])
        if kind == "strong_open":
            made.setFontWeight(QFont.Weight.DemiBold)
        elif kind == "em_open":
            made.setFontItalic(True)
        else:
            made.setFontStrikeOut(True)
        return made

    def _add_text(self, text: str, link: str) -> None:
        if link:
            self._cursor.insertText(text, self._linked(link))
            return
        position = 0
        for address in _URL.finditer(text):
            self._cursor.insertText(text[position : address.start()], self._formats[-1])
            target = safe_link(address.group())
            self._cursor.insertText(address.group(), self._linked(target) if target else self._formats[-1])
            position = address.end()
        self._cursor.insertText(text[position:], self._formats[-1])

    def _add_marked(self, line: str) -> None:
        position = 0
        for code in _CODE.finditer(line):
            self._add_text(line[position : code.start()], "")
            self._add_code(code.group(2))
            position = code.end()
        self._add_text(line[position:], "")

    def _add_code(self, code: str) -> None:
        start = self._cursor.position()
        made = QTextCharFormat(self._code)
        if self._formats[-1].fontWeight() > QFont.Weight.Normal:
            made.setFontWeight(QFont.Weight.Medium)
        if not self._cursor.atBlockStart():
            self._widen(start - 1, start)
        self._cursor.insertText(code, made)
        self._widen(self._cursor.position() - 1, self._cursor.position())
        self._document.marks.append(Mark("chip", start, self._cursor.position()))

    def _widen(self, start: int, end: int) -> None:
        """Put some room after a character, for the ground of a chip; no character is added."""
        wide = QTextCharFormat()
        wide.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
        wide.setFontLetterSpacing(CHIP_SPACE)
        cursor = QTextCursor(self._document)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeCharFormat(wide)

    def _add_image(self, token: Token) -> None:
        host = urlsplit(safe_link(str(token.attrGet("src") or "")) or "//").hostname
        shown = token.content or QCoreApplication.translate("transcript", "picture")
        note = QCoreApplication.translate("transcript", "picture, not loaded")
        self._add_code(f"{shown} ({host or note})")

    def _linked(self, target: str) -> QTextCharFormat:
        made = QTextCharFormat(self._formats[-1])
        made.setAnchor(True)
        made.setAnchorHref(target)
        made.setForeground(theme().tokens.accent)
        made.setFontUnderline(True)
        return made


def _rows(tokens: Sequence[Token]) -> list[list[tuple[Token, str]]]:
    rows: list[list[tuple[Token, str]]] = []
    alignment = ""
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            alignment = str(token.attrGet("style") or "").rpartition(":")[2]
        elif token.type == "inline" and rows:
            rows[-1].append((token, alignment))
    return rows


_WRITERS: dict[str, Callable[[_Builder, Token], None]] = {
    "paragraph_open": _Builder._paragraph,
    "heading_open": _Builder._heading,
    "heading_close": _Builder._leave_format,
    "bullet_list_open": _Builder._list,
    "ordered_list_open": _Builder._list,
    "bullet_list_close": _Builder._leave_list,
    "ordered_list_close": _Builder._leave_list,
    "list_item_open": _Builder._item,
    "list_item_close": _Builder._leave_item,
    "blockquote_open": _Builder._quote,
    "blockquote_close": _Builder._leave_quote,
    "fence": _Builder._fence,
    "code_block": _Builder._fence,
    "hr": _Builder._rule,
    "inline": _Builder._inline,
}
