"""What tests of held sessions do time and again."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.library import Library
from holdfast_core.model.held import HeldSession


async def listed(library: Library, query: str = "") -> list[str]:
    return [entry.id for entry in await library.entries(await library.keys(query))]


async def made(library: Library, project: Path, title: str = "A plan", *texts: str) -> HeldSession:
    session = await library.held.create(str(project), title=title)
    for text in texts:
        await library.held.append_text(session.id, "user", text)
    return session


def files_with(text: str, top: Path) -> list[str]:
    return [path.name for path in sorted(top.rglob("*")) if path.is_file() and text.encode() in path.read_bytes()]


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def move(path: Path, other: Path) -> None:
    path.rename(other)
