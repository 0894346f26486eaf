"""Sessions that another program stored in a form of its own, made into held sessions.

Adding a form means adding a file here and its golden data; nothing else. A
file is known by its content, never by its name, and its form is checked
before anything is made of it. Nothing of the source is changed.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from holdfast_core.agents._values import text_of_name
from holdfast_core.agents._walk import files_below
from holdfast_core.errors import SourceError
from holdfast_core.store.importing._missing import missing_here
from holdfast_core.store.importing._source import Source, read_source
from holdfast_core.store.importing.base import Draft, Here, Importer, Unread

__all__ = ["Draft", "Here", "Importer", "Unread", "importers", "missing_here", "read"]

_FILES_LIMIT = 100_000
_ENDING = ".json"


@cache
def importers() -> dict[str, type[Importer]]:
    """Return every importer by its id, in id order. An importer's id is its file's name."""
    names = sorted(
        info.name for info in pkgutil.iter_modules(__path__) if info.name != "base" and not info.name.startswith("_")
    )
    return {name: importlib.import_module(f"{__name__}.{name}").IMPORTER for name in names}


def read(path: Path, here: Here) -> Iterator[Draft | Unread]:
    """Yield what a file, or the files of a folder and of its folder ``sessions``, can be made into, by name.

    One session at a time is in memory. What could not be read is yielded too,
    with the reason; a draft's warnings tell what of it is missing here.
    """
    at_work = [kind(here) for kind in importers().values()]
    try:
        files = _files(path)
    except OSError:
        yield Unread(text_of_name(path.name), "not_readable", "This folder cannot be read.")
        return
    for file in files[:_FILES_LIMIT]:
        try:
            source = read_source(file)
            importer = next((one for one in at_work if one.recognises(source.document)), None)
            if importer is not None and importer.is_only_list(source):
                continue
            yield _unknown(file) if importer is None else _complete(importer.session(source), source, here)
        except SourceError as error:
            yield Unread(text_of_name(file.name), error.reason, str(error))
    if len(files) > _FILES_LIMIT:
        left = len(files) - _FILES_LIMIT
        yield Unread(text_of_name(path.name), "too_many", f"{left} files more than can be looked at were left out.")
    for importer in at_work:
        yield from importer.left_over()


def _files(path: Path) -> list[Path]:
    """Return the files to look at; a link within a folder leads out of it and is left alone."""
    if not path.is_dir():
        return [path]
    os.scandir(path).close()
    inner = path / "sessions"
    folders = [path] if inner.is_symlink() else [path, inner]
    return sorted(Path(entry.path) for folder in folders for entry in files_below(str(folder), _ENDING))


def _unknown(file: Path) -> Unread:
    known = " or ".join(kind.name for kind in importers().values())
    return Unread(text_of_name(file.name), "unknown_format", f"This file is no session of {known}.")


def _complete(draft: Draft, source: Source, here: Here) -> Draft:
    mended = ("Bytes in it that are no text were replaced.",) if source.is_mended else ()
    return draft._replace(
        source=text_of_name(source.path.name),
        warnings=(*draft.warnings, *mended, *missing_here(draft.session, here)),
    )
