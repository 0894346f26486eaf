"""Whatever happens to the files, in whatever order: the index that followed says what a fresh one would."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.scan.conftest import Place
from tests.fakes.agent import header, said

FILES = ("a", "b", "c")
SESSIONS = ("one", "two", "three")
WORDS = ("apple", "pear", "plum")

files = st.sampled_from(FILES)
lines = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 10**6)), max_size=6)
steps = st.one_of(
    st.tuples(st.just("write"), files, st.sampled_from(SESSIONS), lines),
    st.tuples(st.just("replace"), files, st.sampled_from(SESSIONS), lines),
    st.tuples(st.just("append"), files, lines),
    st.tuples(st.just("append_part"), files, st.integers(1, 20)),
    st.tuples(st.just("truncate"), files, st.integers(0, 400)),
    st.tuples(st.just("delete"), files),
    st.tuples(st.just("rename"), files, files),
    st.tuples(st.just("update")),
    st.tuples(st.just("update_paths")),
)


class History:
    """Applies steps to files, with a time that always moves on."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.directory = place.home / ".fake" / "project"
        self.directory.mkdir(parents=True)
        self.touched: set[Path] = set()
        self.time = 1_000_000_000

    def do(self, step: tuple[object, ...]) -> None:
        kind, *rest = step
        if kind == "update":
            self.place.update()
            self.touched.clear()
        elif kind == "update_paths":
            self.place.update(paths=sorted(self.touched))
            self.touched.clear()
        else:
            path = self._path(rest[0])
            getattr(self, f"_{kind}")(path, *rest[1:])
            self._touch(path)

    def _path(self, name: object) -> Path:
        return self.directory / f"{name}.jsonl"

    def _touch(self, path: Path) -> None:
        self.touched.add(path)
        self.time += 1
        if path.exists():
            os.utime(path, (self.time, self.time))

    def _write(self, path: Path, session: str, texts: list[tuple[str, int]]) -> None:
        path.write_text(header(session) + _text(texts))

    def _replace(self, path: Path, session: str, texts: list[tuple[str, int]]) -> None:
        new = path.with_suffix(".tmp")
        self._write(new, session, texts)
        new.replace(path)

    def _append(self, path: Path, texts: list[tuple[str, int]]) -> None:
        if path.exists():
            with path.open("a") as file:
                file.write(_text(texts))

    def _append_part(self, path: Path, length: int) -> None:
        if path.exists():
            with path.open("a") as file:
                file.write(said("apple")[:length])

    def _truncate(self, path: Path, size: int) -> None:
        if path.exists():
            os.truncate(path, min(size, path.stat().st_size))

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def _rename(self, path: Path, name: str) -> None:
        if path.exists():
            path.replace(self._path(name))
            self._touch(self._path(name))


def _text(texts: list[tuple[str, int]]) -> str:
    return "".join(said(f"{word} {number}") for word, number in texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=25))
def test_an_index_that_followed_says_what_a_fresh_one_says(history: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as top:
        followed = Place(Path(top))
        past = History(followed)

        for step in history:
            past.do(step)
        followed.update()

        fresh = Place(followed.top, index_name="fresh")
        fresh.update()
        assert followed.answers() == fresh.answers()
