"""Whatever happened before, the index gives the answers of one that is built from what there is now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from holdfast_core.index.change import Read
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.usage import ResponseUsage, Usage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.index.made import NOW_MS, found, query, read, session

# A step names a source and what it holds from now on: (session, words, first response, responses).
_CONTENT = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.lists(st.sampled_from(["apple", "pear", "plum", "quince"]), max_size=4),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=2,
    unique_by=lambda content: content[0],
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(["/a", "/b", "/c"]), _CONTENT),
        st.tuples(st.just("grow"), st.sampled_from(["/a", "/b", "/c"]), st.just([])),
        st.tuples(st.just("forget"), st.sampled_from(["/a", "/b", "/c"]), st.just([])),
        st.tuples(st.just("annotate"), st.sampled_from(["one", "two"]), st.just([])),
        st.tuples(st.just("reopen"), st.just(""), st.just([])),
        st.tuples(st.just("tidy"), st.just(""), st.just([])),
    ),
    min_size=1,
    max_size=8,
)


def _read(key: str, content: Sequence[tuple[str, list[str], int, int]]) -> Read:
    made = []
    for native_id, words, first, count in content:
        responses = [
            ResponseUsage(f"r{n}", Usage(input_tokens=1 + n), cost_usd=n / 8) for n in range(first, first + count)
        ]
        made.append(
            session(
                native_id,
                words,
                title=f"{native_id} of {key[1:]}",
                forked_from="one" if native_id == "two" else None,
                created_ms=NOW_MS - len(native_id) * 1000,
                updated_ms=NOW_MS + len(words),
                usage=sum((one.usage for one in responses), Usage()),
                cost_usd=sum(one.cost_usd or 0 for one in responses),
                responses=responses,
            )
        )
    return read(key, *made, agent="alpha")


def _grown(key: str, content: Sequence[Any]) -> tuple[Read, list[Any]]:
    """Return a continued reading that adds one word to each session, and what the source then holds."""
    after = [(name, [*words, "grown"], first, count) for name, words, first, count in content]
    whole = _read(key, after)
    for one, documents in zip(whole.reading.sessions, whole.documents, strict=True):
        one.first_index = len(documents) - 1
        del documents[:-1]
    whole.reading.was_continued = True
    return whole, after


def _answers(directory: Path) -> Any:
    reader = IndexReader.open(directory)
    entries = reader.entries(reader.keys(query("")))
    rows = sorted((msgspec.structs.replace(entry, key=0) for entry in entries), key=lambda entry: entry.id)
    words = {text: found(reader, text) for text in ("apple", "pear", "lum", "grown", "mine", "one", "of -a")}
    places = reader.places()
    reader.close()
    return rows, words, places


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_the_order_of_things_changes_no_answer(steps: list[tuple[str, str, list[Any]]]) -> None:
    sources: dict[str, list[Any]] = {}
    notes: dict[str, Annotation] = {}
    with TemporaryDirectory() as top:
        lived, fresh = Path(top, "lived"), Path(top, "fresh")
        writer = IndexWriter.open(lived, timeout_seconds=5, shard_text_bytes=200)
        for kind, name, content in steps:
            if kind == "write":
                sources[name] = content
                writer.apply([_read(name, content)])
            elif kind == "grow" and name in sources:
                grown, sources[name] = _grown(name, sources[name])
                writer.apply([grown])
            elif kind == "forget":
                sources.pop(name, None)
                writer.forget("alpha", [name])
            elif kind == "annotate":
                notes[name] = Annotation(session_id=f"alpha:{name}", title=f"mine {name}", tags=("t",), starred=True)
                writer.annotate([notes[name]])
            elif kind == "reopen":
                writer.close()
                writer = IndexWriter.open(lived, timeout_seconds=5, shard_text_bytes=200)
            elif kind == "tidy":
                writer.tidy(deadline_seconds=10)
        writer.close()
        with IndexWriter.open(fresh, timeout_seconds=5) as another:
            another.annotate(list(notes.values()))
            another.apply([_read(name, content) for name, content in sorted(sources.items(), reverse=True)])

        assert _answers(fresh) == _answers(lived)
