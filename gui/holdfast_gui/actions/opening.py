"""What a start of the program asks for: a session by link, id or title, a resume, a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from holdfast_core.errors import NotFound

from holdfast_gui.actions import resuming
from holdfast_gui.text import tr

if TYPE_CHECKING:
    from holdfast_core.model.session import SessionEntry

    from holdfast_gui.actions.context import Context

SCHEME: Final = "holdfast:"
_SESSION: Final = "session/"
_ID_LENGTH: Final = 36


async def carry_out(context: Context, arguments: Sequence[str], directory: str) -> None:
    """Do what ``arguments`` ask for, relative paths being in ``directory``; nothing asked only raises the window.

    A link shows a session and starts nothing: anyone may have written it.
    """
    context.raise_window()
    if not arguments:
        return
    first, *rest = arguments
    if first == "resume" and rest:
        entry = await context.library.resolve(rest[0])
        context.browser.reveal(entry.id)
        await resuming.resume(context, entry.id)
    else:
        await show(context, first, directory)


async def show(context: Context, target: str, directory: str) -> None:
    """Open the session that a link, path, id or title names.

    Raises:
        NotFound: it names none.
    """
    path = Path(directory) / target
    if target.startswith(SCHEME):
        entry = await context.library.resolve(linked_session(target))
    elif path.is_file():
        entry = await _session_of(context, path)
    else:
        entry = await context.library.resolve(target)
    context.browser.reveal(entry.id)
    context.reading.open(entry.id)


async def _session_of(context: Context, path: Path) -> SessionEntry:
    """Return the session that an agent keeps in a file: agents put its id at the end of the name."""
    for name in (path.stem, path.stem[-_ID_LENGTH:]):
        try:
            entry = await context.library.resolve(name)
        except NotFound:
            continue
        if Path(entry.source_path).name == path.name:
            return entry
    raise NotFound(tr("This file holds no session that Holdfast knows."), detail=str(path))


def link_to(session_id: str) -> str:
    """Return the link that opens a session."""
    return f"{SCHEME}{_SESSION}{quote(session_id, safe=':')}"


def linked_session(link: str) -> str:
    """Return the id in a ``holdfast:session/<id>`` link.

    Raises:
        NotFound: it is another kind of link.
    """
    rest = link.removeprefix(SCHEME).removeprefix("//")
    if not rest.startswith(_SESSION) or len(rest) == len(_SESSION):
        raise NotFound(tr("This link leads to nothing in Holdfast."), detail=link[:200])
    return unquote(rest.removeprefix(_SESSION))
