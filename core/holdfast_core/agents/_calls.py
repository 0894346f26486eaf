"""What the records of several agents have in common where calls of tools are begun and ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

INTERRUPTED = "This call was interrupted. What it gave back is missing."


def blocks_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in a list; none for anything else."""
    yield from (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))


def text_at(record: dict[str, Any], name: str) -> str:
    """Return a field that is text, else nothing."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def object_at(record: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a field that is an object, else an empty one."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def made_id(record_id: str, call: str) -> str:
    """Return the id of a record that ends a call: always the same one for it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{record_id}\0{call}"))
