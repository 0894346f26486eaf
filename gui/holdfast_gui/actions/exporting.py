"""Write sessions to files that the person names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QDialog, QFileDialog

from holdfast_gui.dragdrop import Item, file_names
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, later, tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

FILTERS = later({"Markdown (*.md)": "md", "JSON (*.json)": "json", "Plain text (*.txt)": "txt"})


async def export_sessions(context: Context, session_ids: Sequence[str]) -> None:
    """Ask for a file, or for a folder where there are several, and write there."""
    if not session_ids:
        return
    place = _usual_place()
    if len(session_ids) == 1:
        target, form = await _ask_for_file(context, place, session_ids[0])
    else:
        target, form = await _ask_for_folder(context, place)
    if target is None:
        return
    # The dialog has asked before it gave the name of a file that is there.
    written = await context.library.export(session_ids, target, form, overwrite=len(session_ids) == 1)
    context.toast.say(
        tr("{sessions} exported to {name}").format(
            sessions=counted(len(written), "session", "sessions"), name=target.name
        )
    )


def _usual_place() -> Path:
    """Return where a person keeps documents."""
    documents = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    return documents if documents.is_absolute() and documents.is_dir() else Path.home()


async def _ask_for_file(context: Context, place: Path, session_id: str) -> tuple[Path | None, str]:
    entry = await context.library.entry(session_id)
    dialog = QFileDialog(context.window, tr("Export session"))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    filters = {tr(words): form for words, form in FILTERS.items()}
    dialog.setNameFilters(list(filters))
    dialog.setDefaultSuffix("md")
    dialog.setDirectory(str(place))
    dialog.filterSelected.connect(lambda chosen: _take_suffix(dialog, filters[chosen]))
    dialog.selectFile(file_names([Item(entry.id, entry.title)], "md")[0])
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return None, ""
    target = Path(dialog.selectedFiles()[0])
    by_name = {f".{form}": form for form in FILTERS.values()}
    return target, by_name.get(target.suffix.lower(), filters[dialog.selectedNameFilter()])


def _take_suffix(dialog: QFileDialog, form: str) -> None:
    """Let the name follow the chosen format."""
    dialog.setDefaultSuffix(form)
    named = Path(dialog.selectedFiles()[0])
    if named.suffix.removeprefix(".") in FILTERS.values():
        dialog.selectFile(named.with_suffix(f".{form}").name)


async def _ask_for_folder(context: Context, place: Path) -> tuple[Path | None, str]:
    dialog = QFileDialog(context.window, tr("Export sessions into a folder"))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setDirectory(str(place))
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return None, ""
    form = context.settings.export_format if context.settings else "md"
    return Path(dialog.selectedFiles()[0]), form
