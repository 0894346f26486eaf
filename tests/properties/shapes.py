"""Held sessions of every shape: all scripts, halves of characters, directions, huge numbers, empty and long ones."""

from __future__ import annotations

import msgspec
from holdfast_core.model.held import HeldSession
from holdfast_core.model.message import Message, Text, ToolCall
from hypothesis import strategies as st

from tests.core.store.shapes import json_objects, messages, moments, sessions, usages

_SCRIPTS = (
    "Latin ÀÉîøů ßǅ", "Русский ЁЖ", "Ελληνικά ς", "עברית", "العربية", "हिन्दी", "ไทย", "日本語 ひらがな カタカナ",
    "漢字 简体", "한국어", "አማርኛ", "ᏣᎳᎩ", "𝒜𝔞 𐍈", "🎉👍🏽👨‍👩‍👧", "e\u0301\u0323", "ﬁ ﬃ", "ı İ",
    "\u200dzero\u200cwidth\ufeff",
    "\u202eright to left\u202c", "\u2066isolated\u2069", "half \ud800 of", "\udc80\udcff", "\x00\x01\x1b[31mred\x1b[0m",
    "a\r\nb\u2028c\u2029d\x85e", "<img src='file:///x'><script>", "{{}} %s %n ${x} $(x) `x`", "../../etc/passwd",
    "C:\\con\\nul", "'; DROP TABLE held; --", "1e400", "9" * 200, "\ufffd\uffff\U0010ffff", " ", "",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(_SCRIPTS),
    st.text(max_size=20),
    st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, categories=None), max_size=12),
    st.lists(st.sampled_from(_SCRIPTS), min_size=2, max_size=4).map(" ".join),
)
"""Text of every script, halves of characters and what is no text for most programs."""

_HUGE = {"integer": 2**200, "negative": -(2**100), "small": 5e-324, "large": 1.7976931348623157e308, "zero": -0.0}
opaque = json_objects | st.just(_HUGE) | st.dictionaries(texts, texts, max_size=2)
ids = st.sampled_from(["", "m", "m", "__init__", "../x", "\x00", "id\ud800", "0" * 300]) | st.text(max_size=6)
any_messages = st.one_of(
    messages(ids),
    st.builds(
        lambda one, text: msgspec.structs.replace(one, blocks=(*one.blocks, Text(text), ToolCall("c", "t", _HUGE))),
        messages(ids),
        texts,
    ),
)


def _of_any_length(some: list[Message], times: int) -> tuple[Message, ...]:
    return tuple(some * times)


any_sessions: st.SearchStrategy[HeldSession] = st.builds(
    msgspec.structs.replace,
    sessions,
    title=texts,
    notes=texts,
    project_path=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    context_files=st.lists(texts, max_size=3).map(tuple),
    messages=st.builds(_of_any_length, st.lists(any_messages, max_size=4), st.sampled_from([0, 1, 1, 1, 40])),
    provider_data=opaque,
    created_ms=moments,
    usage=usages,
)
"""Whole sessions; what of them goes into a store comes out of it again."""
