"""What can be done to sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.model.held import is_held_id
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from holdfast_gui.actions import resuming
from holdfast_gui.actions.exporting import export_sessions
from holdfast_gui.actions.registry import action
from holdfast_gui.text import counted, tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


def _has_any(context: Context) -> bool:
    return bool(context.selected_ids)


def _has_one(context: Context) -> bool:
    return context.entry is not None


def _can_resume(context: Context) -> bool:
    entry = context.entry
    if entry is not None and is_held_id(entry.id):
        return context.keeping.live_entry(entry.id) is None
    info = context.reading.agents.get(entry.agent) if entry else None
    return info is not None and info.can_resume


def _can_use_terminal(context: Context) -> bool:
    return _can_resume(context) and not any(is_held_id(session_id) for session_id in context.selected_ids)


def _is_starred(context: Context) -> bool:
    return context.entry is not None and context.entry.starred


@action(
    "session.resume",
    "&Resume",
    menu="&Session",
    keys=("Ctrl+Return",),
    list_keys=("Return",),
    icon="play",
    in_context_menu=True,
    enabled=_can_resume,
)
async def resume(context: Context) -> None:
    """Continue the session: in its agent's own program, or live here if Holdfast keeps it."""
    for session_id in context.selected_ids:
        await resuming.resume(context, session_id)


@action(
    "session.fork", "Resume as a &copy", menu="&Session", icon="play", in_context_menu=True, enabled=_can_use_terminal
)
async def fork(context: Context) -> None:
    """Continue in a new session that begins with this one; the old one stays as it is."""
    for session_id in context.selected_ids:
        await resuming.resume(context, session_id, fork=True)


@action(
    "session.copy_command",
    "Copy resume co&mmand",
    menu="&Session",
    keys=("Ctrl+Shift+C",),
    icon="terminal",
    in_context_menu=True,
    enabled=_can_use_terminal,
)
async def copy_command(context: Context) -> None:
    """Put the command that continues the session on the clipboard."""
    await resuming.copy_command(context, context.selected_ids[0])


@action(
    "session.rename",
    "Re&name",
    menu="&Session",
    group=1,
    list_keys=("F2",),
    icon="pencil",
    in_context_menu=True,
    enabled=_has_one,
)
def rename(context: Context) -> None:
    """Give the session a name of your own; the agent's file stays as it is."""
    context.window.session_list.edit_current()


@action(
    "session.star",
    "&Star",
    menu="&Session",
    group=1,
    list_keys=("S",),
    icon="star",
    in_context_menu=True,
    enabled=_has_any,
    checked=_is_starred,
)
async def star(context: Context) -> None:
    """Keep the session among the starred ones, or no longer."""
    await context.library.annotate(context.selected_ids, starred=not _is_starred(context))


@action(
    "session.export",
    "&Export…",
    menu="&Session",
    group=2,
    keys=("Ctrl+E",),
    icon="export",
    in_context_menu=True,
    enabled=_has_any,
)
async def export(context: Context) -> None:
    """Write the session as Markdown, JSON or plain text to a file, several into a folder."""
    await export_sessions(context, context.selected_ids)


@action(
    "session.copy_markdown",
    "Copy as &Markdown",
    menu="&Session",
    group=2,
    icon="copy",
    in_context_menu=True,
    enabled=_has_any,
)
async def copy_markdown(context: Context) -> None:
    """Put the whole session on the clipboard, with headings and code blocks."""
    ids = context.selected_ids
    texts = [await context.library.export_text(id) for id in ids]
    context.copy(
        "\n\n".join(texts),
        tr("{sessions} copied as Markdown").format(sessions=counted(len(ids), "session", "sessions")),
    )


@action("session.copy_text", "Copy as plain &text", menu="&Session", group=2, icon="copy", enabled=_has_any)
async def copy_text(context: Context) -> None:
    """Put the whole session on the clipboard, without any markup."""
    texts = [await context.library.export_text(id, "txt") for id in context.selected_ids]
    context.copy(
        "\n\n".join(texts),
        tr("{sessions} copied as plain text").format(sessions=counted(len(texts), "session", "sessions")),
    )


@action(
    "session.copy_link", "Copy &link", menu="&Session", group=2, icon="link", in_context_menu=True, enabled=_has_any
)
def copy_link(context: Context) -> None:
    """Put a link on the clipboard that opens the session in Holdfast."""
    ids = context.selected_ids
    links = [bytes(QUrl.toPercentEncoding(id, b":").data()).decode() for id in ids]
    context.copy(
        "\n".join(f"holdfast:session/{link}" for link in links), f"{counted(len(ids), 'link', 'links')} copied"
    )


@action("session.open_folder", "Open project &folder", menu="&Session", group=3, icon="folder", enabled=_has_one)
def open_folder(context: Context) -> None:
    """Open the session's project in the desktop's file manager."""
    assert context.entry is not None
    QDesktopServices.openUrl(QUrl.fromLocalFile(context.entry.project_path))
