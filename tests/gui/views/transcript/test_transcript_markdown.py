"""Markdown is shown, and opens nothing, runs nothing and hides nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from holdfast_gui.views.transcript.document import SafeDocument
from holdfast_gui.views.transcript.markdown import prompt_document, prose_document, safe_link
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QUrl
from PySide6.QtGui import QImage, QPainter, QTextDocument, QTextTable

pytestmark = pytest.mark.usefixtures("qapp")


def anchors(document: QTextDocument) -> list[str]:
    found = []
    block = document.begin()
    while block.isValid():
        for fragment in block:
            if fragment.fragment().charFormat().anchorHref():
                found.append(fragment.fragment().charFormat().anchorHref())
        block = block.next()
    return found


def laid_out(source: str) -> SafeDocument:
    document = prose_document(source)
    document.setTextWidth(600)
    document.size()
    return document


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file that hangs whoever opens it."""
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    "template",
    [
        "![x](file://{0})",
        "![x]({0})",
        '<img src="file://{0}">',
        '<body background="{0}">',
        '<link rel="stylesheet" href="{0}">',
        "<style>@import url({0}); ul {{ list-style-image: url({0}) }}</style>",
        "![x](//host/share/x.png) ![x](\\\\host\\share) ![x](file://host/x)",
        "![x]: {0}\n\n![x]",
        "[x](file://{0})",
    ],
)
def test_nothing_that_text_names_is_opened(pipe: Path, template: str):
    document = laid_out(template.format(pipe))
    image = QImage(600, 200, QImage.Format.Format_ARGB32)
    painter = QPainter(image)

    document.drawContents(painter)
    painter.end()

    assert anchors(document) == []


def test_a_document_answers_every_request_for_a_resource_itself(pipe: Path):
    document = SafeDocument(prose_document("").defaultFont())

    document.setHtml(f'<img src="file://{pipe}"><img src="//host/share/x.png"><link rel=stylesheet href="{pipe}">')
    document.setTextWidth(300)
    picture = document.resource(QTextDocument.ResourceType.ImageResource.value, QUrl.fromLocalFile(str(pipe)))

    assert isinstance(picture, QImage)
    assert picture.width() == 1
    assert document.size().height() > 0


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "file:///etc/passwd", "vscode://x", "ms-word:x", "smb://host", "command:x", "//host/x",
        "http://", "https://[bad", "data:text/html,x", "C:\\x", "",
    ],
)  # fmt: skip
def test_only_web_addresses_are_links(target: str):
    assert safe_link(target) == ""
    assert anchors(prose_document(f"[x]({target})")) == []


def test_a_link_carries_its_real_target():
    document = prose_document("[github.com](https://github.com@evil.example/x) and https://example.org/a?b=c.")

    assert anchors(document) == ["https://github.com@evil.example/x", "https://example.org/a?b=c"]


def test_a_remote_picture_is_words_with_its_host():
    assert "chart (evil.example)" in prose_document("![chart](https://evil.example/x.png)").toPlainText()


def test_markup_is_shown_as_it_stands():
    source = "<b>bold</b> <script>alert(1)</script> &amp;lt;"

    assert "<b>bold</b> <script>alert(1)</script>" in prose_document(source).toPlainText()


@pytest.mark.parametrize(
    "source",
    [
        ">" * 10_000 + " deep",
        "".join("  " * depth + "- x\n" for depth in range(1_000)),
        "*" * 11_000 + "x",
        "[" * 10_000,
        "x " + "`" * 10_001,
        "|" + "a|" * 2_000 + "\n|" + "-|" * 2_000 + "\n|" + "b|" * 2_000,
        "<" * 20_000,
        "![" * 5_000,
        "a\u0301" + "\u0301" * 10_000,
    ],
    ids=["quotes", "lists", "stars", "brackets", "ticks", "table", "angles", "images", "marks"],
)
def test_what_is_made_to_be_slow_is_not(source: str):
    start = time.process_time()

    document = laid_out(source[:12_000])

    assert time.process_time() - start < 3
    assert document.toPlainText()


def test_deep_nesting_loses_nothing():
    assert "the bottom" in prose_document(">" * 40 + " the bottom").toPlainText()


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\U000e0041", "\ufeff"])
def test_what_hides_or_turns_text_is_made_visible(hidden: str):
    shown = prose_document(f"a{hidden}b `c{hidden}d`").toPlainText()

    assert hidden not in shown
    assert shown.count("\ufffd") == 2


def test_structure_becomes_structure():
    document = prose_document(
        "# Head\n\n1. one\n2. two\n   - in\n\n> said\n\n| a | b |\n|---|--:|\n| 1 | `2` |\n\n---\n"
    )

    items = []
    block = document.begin()
    while block.isValid():
        if block.textList():
            items.append((block.text(), block.textList().format().indent(), block.textList().itemNumber(block)))
        block = block.next()
    tables = [frame for frame in document.rootFrame().childFrames() if isinstance(frame, QTextTable)]
    assert items == [("one", 1, 0), ("two", 1, 1), ("in", 2, 0)]
    assert (tables[0].rows(), tables[0].columns()) == (2, 2)
    assert {mark.kind for mark in document.marks} == {"quote", "chip", "rule", "bullet"}


def test_what_a_person_typed_keeps_its_lines_and_spaces():
    typed = "# no heading\n  indented\n\n* no list `code`"

    assert prompt_document(typed).toPlainText() == typed.replace("`", "")


def test_a_link_can_be_hit():
    document = laid_out("[here](https://example.org)")

    assert document.documentLayout().anchorAt(QPointF(5, 12)) == "https://example.org"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab*_`#>-|[]()!<\n 1.\\&~:", max_size=200))
def test_no_source_fails(source: str):
    document = laid_out(source)

    assert anchors(document) == []
