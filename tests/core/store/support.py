"""Real stores in a temporary directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from holdfast_core.model.held import HeldSession
from holdfast_core.model.message import Message, Text
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.limits import Limits
from holdfast_core.store.store import Store

NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000
_MEMORY = Path("/dev/shm")  # a sync costs nothing there


def said(number: int, text: str = "") -> Message:
    return Message(f"m{number}", "user", (Text(text or f"Line {number}"),), NOW_MS + number)


def some_id(number: int) -> str:
    return f"{number:08x}-1111-4111-8111-111111111111"


def made(store: Store, number: int, **fields: Any) -> HeldSession:
    defaults: dict[str, Any] = {"title": f"Session {number}", "updated_ms": NOW_MS + number, "created_ms": NOW_MS}
    session = HeldSession(id=some_id(number), messages=(said(1),))
    return store.create(msgspec.structs.replace(session, **defaults | fields))


@contextmanager
def a_store(folder: Path | None = None, **limits: Any) -> Iterator[Store]:
    """A store in ``folder``, in a new one unless given."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as temporary:
        top = folder or Path(temporary)
        store = Store.open(top / "sessions", Keys.open(top / "keys"), limits=Limits(**limits))
        try:
            yield store
        finally:
            store.shut()


def limit(store: Store, **limits: Any) -> None:
    """Set limits that hold from now on."""
    store.site.limits = msgspec.structs.replace(store.site.limits, **limits)


def files(store: Store) -> dict[str, bytes]:
    """Everything that stands below a store's directory but the manifest and the locks, by its place there."""
    top = store.site.places.directory
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in top.rglob("*")
        if path.is_file() and not path.name.startswith("manifest") and path.parent != store.site.places.locks
    }
