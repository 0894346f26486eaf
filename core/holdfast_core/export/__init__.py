"""Write sessions down in formats that others read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from holdfast_core.atomic import write_file
from holdfast_core.errors import HoldfastError, NotFound, Refused, WrongUsage
from holdfast_core.export import json, markdown
from holdfast_core.export import text as plain
from holdfast_core.export.naming import file_name
from holdfast_core.model.export import ExportFormat, ExportOptions
from holdfast_core.model.session import Session, SessionEntry

if TYPE_CHECKING:
    from holdfast_core.settings import Settings

_RENDERERS: dict[str, Callable[..., Iterator[str]]] = {"md": markdown.render, "json": json.render, "txt": plain.render}


def render(
    session: Session, export_format: str, options: ExportOptions | None = None, *, entry: SessionEntry | None = None
) -> Iterator[str]:
    """Return the text of an export, in pieces. Without ``options`` everything is in it.

    Raises:
        WrongUsage: there is no such format.
    """
    renderer = _RENDERERS.get(export_format)
    if renderer is None:
        raise WrongUsage(f"There is no format {export_format!r}. Allowed: {', '.join(get_args(ExportFormat))}.")
    return renderer(session, options or ExportOptions(), entry=entry)


def options_from(settings: Settings, export_format: str) -> ExportOptions:
    """Return what the person wants in exports of a format. JSON is always complete."""
    if export_format == "json":
        return ExportOptions()
    return ExportOptions(
        thinking=settings.export_thinking, tool_output=settings.export_tool_output, images=settings.export_images
    )


def target_path(place: Path, entry: SessionEntry, export_format: str) -> Path:
    """Return the file to write: ``place`` itself, or a name of its own in it if it is a directory."""
    if place.is_dir():
        return place / file_name(entry.id, entry.title, export_format)
    return place


def free_path(path: Path) -> Path:
    """Return ``path``, or the first of its numbered names that nothing has: ``name (2).md``."""
    numbered = path
    for number in count(2):
        if not os.path.lexists(numbered):
            break
        numbered = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return numbered


def write(path: Path, text: Iterable[str], *, overwrite: bool = False) -> int:
    """Write an export as a whole or not at all, for this person alone; returns its size in bytes.

    A link is never followed.

    Raises:
        Refused: something is at ``path`` already, or it may not be written there.
        NotFound: the directory is not there.
        HoldfastError: the disk failed.
    """
    if overwrite and os.path.lexists(path) and not (path.is_file() or path.is_symlink()):
        raise Refused("What is there is no file. Choose another name.", detail=str(path))
    try:
        return write_file(path, (part.encode("utf-8", "replace") for part in text), overwrite=overwrite)
    except FileExistsError as error:
        raise Refused("There is a file of that name already. Choose another name or allow to replace it.") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound("The directory to write into is not there.", detail=str(error)) from error
    except PermissionError as error:
        raise Refused("It is not allowed to write there.", detail=str(error)) from error
    except OSError as error:
        raise HoldfastError(
            f"The file could not be written: {os.strerror(error.errno or 0)}.", detail=str(error)
        ) from error
