from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from holdfast_core.export import markdown
from holdfast_core.model.export import ExportOptions
from holdfast_core.model.message import Compaction, Error, File, Image, Message, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.core.export.sessions import SESSIONS, entry_of, said, session_of

HOSTILE = [
    "```\nunclosed",
    "~~~~\nunclosed",
    "`````\n```\n",
    "</details>",
    "</summary></details><script>alert(1)</script>",
    "<!-- swallowed",
    "<![CDATA[",
    "<plaintext>",
    "<style>*{display:none}",
    "text <img src=x onerror=alert(1)> text",
    "---\ntitle: forged\n---\n",
    "# Heading\n\n## Assistant\n\nforged",
    "forged\n======",
    "forged\n---",
    "[Session]: http://evil.example",
    "[x]: <\n```",
    "![beacon](http://evil.example/x.png)",
    "- a\n\n  ```\n<script>\n",
    "1. a\n   ```html\n<b>\n",
    "> quoted\n```\n",
    "    ```\n<div>\n    ```",
    "\t<div>",
    "-\t<div>",
    "a\rb\n```\r</details>",
    "> " * 200 + "<div>",
    "[" * 200 + "<script>",
    "*a _b " * 200 + "<script>",
    "![" * 200 + "<script>",
    "- " * 200 + "<div>",
    "\x1b]52;c;AAAA\x07\x1b[31mred",
    "\u202e</details>",
    "`unclosed\n\n## You",
    "\\",
    "<",
    "*" * 5_000,
    "[" * 100,
    "a  \n" * 100,
    "| a | b |\n|---|---|\n| <b> | c |",
    "&lt;script&gt; &#60;script&#62;",
    "<https://ok.example> and `<code>`",
    "\n\n\n",
]
PIECES = st.sampled_from([
    "```", "~~~", "`", "\n", "\n\n", "> ", "- ", "1. ", "   ", "    ", "\t", "<b>", "</details>", "<!--", "-->",
    "<script>", "# ", "---", "===", "[a]: b", "![", "](", ")", "text", "\\", "\r", "\x1b[0m", "<", ">", "|", "*", "é",
    "\u3000", "\x00",
])  # fmt: skip
SNIPPETS = st.lists(PIECES, max_size=14).map("".join)
TAGS = ("details", "summary")


class _Tags(HTMLParser):
    """The balance of our own tags, and every other tag or attribute of note."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.foreign: list[str] = []
        self.is_balanced = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TAGS:
            self.open.append(tag)
        elif tag in ("script", "style", "img", "div", "b", "plaintext", "iframe", "form"):
            self.foreign.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in TAGS and (not self.open or self.open.pop() != tag):
            self.is_balanced = False


def tags_of(text: str) -> _Tags:
    """Return what a viewer that allows HTML makes of a document."""
    tags = _Tags()
    tags.feed(MarkdownIt("commonmark", {"html": True, "maxNesting": 500}).render(text))
    tags.close()
    return tags


def headings_of(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark", {"html": True, "maxNesting": 500}).parse(text)
    return [
        tokens[index + 1].content
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0
    ]


def _markdown(session: Session, **options: bool) -> str:
    return "".join(markdown.render(session, ExportOptions(**options)))


def _around(text: str) -> Session:
    blocks = (
        Text(text),
        Thinking(text),
        ToolCall("c", text[:50], {"command": text, "other": text}),
        Image(text, 3, text, text),
        File(text, text, text),
        Error(text),
        Compaction(text),
        ToolResult("alone", text),
    )
    return session_of(
        Message("1", "user", (Text(text),)),
        Message("2", "assistant", blocks, model=text),
        Message("3", "tool", (ToolResult("c", text),)),
        Message("4", "system", (Text(text),)),
        said("The end", "user"),
        title=text,
        branch=text,
        project_path=text,
        model=text,
    )


def _assert_contained(session: Session) -> None:
    text = _markdown(session)
    headings = headings_of(text)

    assert headings[1] == "You"
    assert headings[2].startswith("Assistant")
    assert headings[3:] == ["Context", "You"]
    tags = tags_of(text)
    assert (tags.foreign, tags.open, tags.is_balanced) == ([], [], True)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_was_said_ends_its_block(text: str):
    _assert_contained(_around(f"a{text}" if not text.strip() else text))


@given(SNIPPETS)
@settings(max_examples=300, deadline=None)
def test_no_combination_of_markup_ends_its_block(text: str):
    _assert_contained(_around("a" + text if text.strip() and text[0].isspace() else text or "a"))


@given(SESSIONS)
@settings(deadline=None)
def test_every_session_can_be_written(session: Session):
    text = _markdown(session)

    assert text.startswith("# ")
    assert tags_of(text).is_balanced


def test_prose_stands_as_it_is_and_prompts_are_quoted():
    text = _markdown(session_of(said("Do *this*", "user"), said("Done:\n\n```py\nx = 1\n```\n\n- a\n- b")))

    assert "> Do *this*\n" in text
    assert "\nDone:\n\n```py\nx = 1\n```\n\n- a\n- b\n" in text


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_a_link_definition_does_not_reach_other_messages(role: str):
    text = _markdown(session_of(said("[Bash]: http://evil.example", role), said("See [Bash] here")))

    assert 'evil.example"' not in MarkdownIt("commonmark", {"html": True}).render(text)


def test_prose_with_html_in_it_is_shown_letter_by_letter():
    assert "```\nUse <b>bold</b>\n```" in _markdown(session_of(said("Use <b>bold</b>")))


def test_prose_with_html_in_code_alone_stands_as_it_is():
    assert "\nUse `<b>` here\n" in _markdown(session_of(said("Use `<b>` here")))


def test_a_tool_call_and_its_output_stand_together():
    call = Message("1", "assistant", (ToolCall("c", "Bash", {"command": "ls -l"}),))
    result = Message("2", "tool", (ToolResult("c", "a\nb"),))

    text = _markdown(session_of(call, result))

    assert text.count("<details>") == 1
    assert "<details><summary>Bash: ls -l</summary>" in text
    assert text.index("ls -l") < text.index("Output:\n\n```\na\nb\n```") < text.index("</details>")


def test_options_leave_out_thinking_output_and_pictures():
    blocks = (Thinking("deep"), ToolCall("c", "Bash", {}), Image("image/png", 4, "iVBORw0K"))
    session = session_of(Message("1", "assistant", blocks), Message("2", "tool", (ToolResult("c", "printed"),)))

    full, bare = _markdown(session), _markdown(session, thinking=False, tool_output=False, images=False)

    assert all(part in full for part in ("deep", "printed", "data:image/png;base64,iVBORw0K"))
    assert not any(part in bare for part in ("deep", "printed", "base64"))
    assert "*Image: image/png, 4 bytes*" in bare


def test_a_picture_that_is_no_picture_is_only_named():
    image = Image("image/svg+xml", 9, "PHN2Zz4=")

    assert "base64" not in _markdown(session_of(Message("1", "assistant", (image,))))


def test_what_the_person_said_is_in_it():
    session = session_of(said("x"), title="theirs")

    text = "".join(markdown.render(session, entry=entry_of(session, title="mine")))

    assert text.startswith("# mine\n")
    assert "- Tags: a, b\n" in text
    assert "## Notes\n\na *note*\n" in text


def test_terminal_escapes_and_hidden_characters_are_gone():
    text = _markdown(_around("a\x1b]8;;http://x\x07link\x1b]8;;\x07 \x9b31mred \u202eevil \U000e0041"))

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_long_hostile_text_takes_no_time_of_note():
    session = session_of(
        said("<" * 150_000), said("> " * 50_000 + "<b>"), said("[" * 150_000 + "<"), said("`" * 150_000 + "<")
    )

    assert tags_of(_markdown(session)).foreign == []
