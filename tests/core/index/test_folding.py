"""What the tokenizer is given."""

from __future__ import annotations

from holdfast_core.index.folding import tokenizable, tokenizable_bytes
from hypothesis import given
from hypothesis import strategies as st

_TEXTS = st.text(st.sampled_from("aZ9_ .\x1e\x02éßİ→—│…中文かけ\u200b\u0301\U0001f600\U0001f3fdﬁ"), max_size=40)


@given(st.one_of(_TEXTS, st.text()))
def test_bytes_become_the_same_words_as_text(text: str) -> None:
    assert tokenizable_bytes(text.encode()) == tokenizable(text).encode()
