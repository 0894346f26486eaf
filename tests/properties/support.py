"""What the properties share: how often each is tried, real stores and libraries in memory, and what is harmed."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from holdfast_core.agents.base import Home, SessionRead
from holdfast_core.errors import HoldfastError
from holdfast_core.index.change import Read
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.library import Library
from holdfast_core.model.held import HeldSession
from holdfast_core.paths import find_paths
from holdfast_core.settings import Settings
from holdfast_core.store.source import HeldSource
from holdfast_core.store.store import Store
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = settings(
    max_examples=100,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,
    ],
)
"""Every property is tried with at least as many examples."""

HARMS = ("none", "flip", "cut", "empty", "noise", "unlink", "directory", "link", "pipe", "forget", "swap")
NOWHERE = Home(Path("/nowhere"), {})


@contextmanager
def folder() -> Iterator[Path]:
    """A directory of its own, in memory where the system has such."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def stored_as(session: HeldSession) -> dict[str, Any]:
    """Everything that a session says but when it was changed last, as plain values."""
    plain: dict[str, Any] = msgspec.to_builtins(session)
    del plain["updated_ms"]
    return plain


def path_of(store: Store, session_id: str) -> Path:
    """The file of a session."""
    return store.site.places.session(session_id)


def sessions_on_disk(store: Store) -> set[str]:
    """The names of what stands as a session's file."""
    return {path.name for path in store.site.places.directory.glob("*.hold")}


def everything_below(top: Path) -> dict[str, bytes]:
    """The content of every file below a directory, by its place there."""
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in top.rglob("*")
        if stat.S_ISREG(path.lstat().st_mode)
    }


def harm(store: Store, session_id: str, kind: str, place: int, noise: bytes, other: str = "") -> None:
    """Damage the file of one session, or what the list knows of it."""
    path = path_of(store, session_id)
    data = path.read_bytes()
    match kind:
        case "flip":
            at = place % len(data)
            path.write_bytes(data[:at] + bytes([data[at] ^ (noise[0] or 1)]) + data[at + 1 :])
        case "cut":
            os.truncate(path, place % len(data))
        case "empty":
            os.truncate(path, 0)
        case "noise":
            at = place % len(data)
            path.write_bytes(data[:at] + noise + data[at + len(noise) :])
        case "swap":
            path.write_bytes(path_of(store, other).read_bytes() if other else noise)
        case "forget":
            store.site.manifest.remove([session_id])
        case "none":
            pass
        case _:
            path.unlink()
            if kind == "directory":
                path.mkdir()
            elif kind == "link":
                path.symlink_to(path_of(store, other) if other else "/dev/zero")
            elif kind == "pipe":
                os.mkfifo(path)


harms = st.tuples(
    st.sampled_from(HARMS), st.integers(0, 1 << 20), st.binary(min_size=4, max_size=40).filter(lambda some: some[0])
)
"""A harm with its place and with what is put there; see `harm`."""


def is_touched(kind: str) -> bool:
    """Whether a harm changes the file itself."""
    return kind not in ("none", "forget")


def in_threads(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call returned or raised, all begun at once in threads of their own."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = calls[place]()
        except (HoldfastError, OSError) as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def read_for_index(store: Store, session_id: str) -> Read:
    """A session as the index takes it in."""
    source = HeldSource(store.site.places.directory, lambda: store.site.keys)
    (ref,) = source.refs_for(NOWHERE, [str(path_of(store, session_id))])
    return Read.of(ref, source.read(ref, NOWHERE))


def facts_of(read: Read) -> SessionRead:
    """What was read of one session."""
    (found,) = read.reading.sessions
    return found


@contextmanager
def indexed(directory: Path, reads: Sequence[Read]) -> Iterator[IndexReader]:
    """An index of what was read."""
    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.apply(list(reads))
    reader = IndexReader.open(directory)
    try:
        yield reader
    finally:
        reader.close()


def open_library(top: Path, **chosen: Any) -> Library:
    """A library whose files are below ``top``, without any agent."""
    return Library.open(
        find_paths(top / "holdfast"),
        agents_home=top,
        environment={},
        settings=Settings(use_keyring=False, **chosen),
        agents={},
        indexer_command=[sys.executable, "-c", ""],
    )


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """What was logged since the last time."""
    text = caplog.text
    caplog.clear()
    return text
