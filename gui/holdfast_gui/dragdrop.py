"""Drag sessions out of the window as files that are made when the target asks for them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDrag, QPixmap
from PySide6.QtWidgets import QWidget

URIS: Final = "text/uri-list"
PLAIN: Final = "text/plain"
_NAME_LIMIT: Final = 60


@dataclass(frozen=True, slots=True)
class Item:
    """One dragged session."""

    id: str
    title: str


class DragDirectory:
    """Where dragged files live until the program ends: its own directory, emptied at start and at exit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._drags = 0

    def empty(self) -> None:
        """Remove everything that earlier drags left behind."""
        shutil.rmtree(self.path, ignore_errors=True)

    def next(self) -> Path:
        """Return the directory of a new drag, which does not exist yet."""
        self._drags += 1
        return self.path / f"{os.getpid()}-{self._drags}"


class SessionFiles(QMimeData):
    """What a drop target receives: files as ``text/uri-list``, their paths as ``text/plain``.

    ``render`` gives the text of a session at once, None where there is none,
    and may be slow; targets may ask on entering and more than once, so that
    each file is made once.
    ``text/plain`` is paths and never content: some terminals would take a
    transcript for typed commands.
    """

    def __init__(
        self, items: Sequence[Item], suffix: str, directory: Path, render: Callable[[str], str | None]
    ) -> None:
        super().__init__()
        self._items = items
        self._suffix = suffix
        self._directory = directory
        self._render = render
        self._made: list[Path] | None = None

    @property
    def is_made(self) -> bool:
        """Whether a target has asked for the files."""
        return self._made is not None

    def formats(self) -> list[str]:
        return [URIS, PLAIN]

    def hasFormat(self, mime_type: str) -> bool:
        return mime_type in self.formats()

    def retrieveData(self, mime_type: str, _type: Any) -> Any:
        if mime_type == URIS:
            return [QUrl.fromLocalFile(str(path)) for path in self._files()]
        if mime_type == PLAIN:
            return "\n".join(str(path) for path in self._files())
        return None

    def _files(self) -> list[Path]:
        if self._made is None:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            names = file_names(self._items, self._suffix)
            texts = [self._render(item.id) for item in self._items]
            pairs = zip(names, texts, strict=True)
            self._made = [_written(self._directory / name, text) for name, text in pairs if text is not None]
        return self._made


def file_names(items: Sequence[Item], suffix: str) -> list[str]:
    """Return a file name for each session: from its title, safe on every system, no two the same."""
    names: list[str] = []
    taken: set[str] = set()
    for item in items:
        stem = re.sub(r"[^\w .,()+-]+", " ", item.title).strip(" .")[:_NAME_LIMIT].strip(" .") or "session"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem} ({number})"
        taken.add(name.casefold())
        names.append(f"{name}.{suffix}")
    return names


def drag(source: QWidget, files: SessionFiles, picture: QPixmap) -> Qt.DropAction:
    """Run one drag from a mouse handler until it is dropped or given up, and return what happened.

    The only nested loop of the window: it must not be called from a coroutine.
    """
    dragging = QDrag(source)
    dragging.setMimeData(files)
    dragging.setPixmap(picture)
    dragging.setHotSpot(QPoint(12, 12))
    return dragging.exec(Qt.DropAction.CopyAction)


def _written(path: Path, text: str) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path
