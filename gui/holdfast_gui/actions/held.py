"""What can be done to sessions that Holdfast itself keeps, and where they stand among the places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.model.held import is_held_id

from holdfast_gui.actions.registry import action
from holdfast_gui.models.places import LIVE, PROBLEMS, RECOVERY, TRASH
from holdfast_gui.text import tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

# What takes a moment to load is loaded when it is used.


def _held(context: Context) -> list[str]:
    return [session_id for session_id in context.selected_ids if is_held_id(session_id)]


def _has_any(context: Context) -> bool:
    return bool(context.selected_ids)


def _has_held(context: Context) -> bool:
    return bool(_held(context))


def _has_one_held(context: Context) -> bool:
    return len(_held(context)) == 1 == len(context.selected_ids)


def _live(context: Context) -> list[str]:
    live = {entry.id for entry in context.keeping.live if entry.state in ("active", "waiting", "idle")}
    return [session_id for session_id in _held(context) if session_id in live]


def _unverified(context: Context) -> list[str]:
    unverified = context.keeping.unverified
    return [session_id for session_id in _held(context) if session_id in unverified]


def _is_encrypted(context: Context) -> bool:
    return context.keeping.keys is not None and context.keeping.keys.is_encrypted


@action("held.new", "&New held session…", menu="&File", group=1, keys=("Ctrl+N",), icon="plus")
async def new(context: Context) -> None:
    """Begin a session that Holdfast keeps, in a project and under a title of your own."""
    from holdfast_gui.actions.held_work import begin_session

    await begin_session(context)


@action("held.import_files", "&Import files…", menu="&File", group=2, keys=("Ctrl+O",), icon="import")
async def import_files(context: Context) -> None:
    """Keep sessions from files: exported ones, or those that another program stored; you see them first."""
    from holdfast_gui.actions.importing import choose_import

    await choose_import(context, is_folder=False)


@action("held.import_folder", "Import a f&older…", menu="&File", group=2, icon="import")
async def import_folder(context: Context) -> None:
    """Keep all sessions that another program or an export has put in a folder; you see them first."""
    from holdfast_gui.actions.importing import choose_import

    await choose_import(context, is_folder=True)


@action(
    "held.unlock", "&Unlock held sessions…", menu="&File", group=3, icon="lock", enabled=lambda c: c.keeping.is_locked
)
async def unlock(context: Context) -> None:
    """Make encrypted sessions readable until Holdfast ends."""
    from holdfast_gui.actions import protecting

    await protecting.unlock(context)


@action(
    "held.lock",
    "Loc&k held sessions",
    menu="&File",
    group=3,
    icon="lock",
    enabled=lambda context: _is_encrypted(context) and not context.keeping.is_locked,
)
async def lock(context: Context) -> None:
    """Forget the passphrase: nothing of encrypted sessions can be read until it is given again."""
    from holdfast_gui.actions import protecting

    await protecting.lock(context)


@action(
    "held.encrypt",
    "&Encrypt held sessions…",
    menu="&File",
    group=3,
    icon="shield",
    enabled=lambda context: context.keeping.keys is not None and not _is_encrypted(context),
)
async def encrypt(context: Context) -> None:
    """Write all that Holdfast keeps so that only your passphrase or your recovery code opens it."""
    from holdfast_gui.actions import protecting

    await protecting.choose_passphrase(context)


@action("held.passphrase", "Change pass&phrase…", menu="&File", group=3, icon="shield", enabled=_is_encrypted)
async def passphrase(context: Context) -> None:
    """Choose another passphrase, and get another recovery code."""
    from holdfast_gui.actions import protecting

    await protecting.choose_passphrase(context)


@action("held.decrypt", "Re&move the encryption…", menu="&File", group=3, icon="shield", enabled=_is_encrypted)
async def decrypt(context: Context) -> None:
    """Write held sessions without encryption again."""
    from holdfast_gui.actions import protecting

    await protecting.remove_passphrase(context)


@action("held.repair", "&Repair held sessions", menu="&File", group=4, icon="shield-check")
async def repair(context: Context) -> None:
    """Check every session that Holdfast keeps, byte for byte, and put right what can be."""
    found = await context.library.held.repair()
    context.keeping.summary = found
    context.keeping.bar.hide()
    context.keeping.look()
    if found:
        await context.keeping.show_summary()
    else:
        context.toast.say(tr("All held sessions are whole"))


@action(
    "held.summary",
    "What the &check found",
    menu="&File",
    group=4,
    icon="info",
    enabled=lambda context: context.keeping.summary is not None,
)
async def summary(context: Context) -> None:
    """See what the check at the start found in held sessions, and what was done."""
    await context.keeping.show_summary()


@action(
    "held.copy",
    "Continue as held cop&y",
    menu="&Session",
    group=4,
    keys=("Ctrl+D",),
    icon="copy",
    in_context_menu=True,
    enabled=_has_any,
)
async def copy(context: Context) -> None:
    """Keep a copy of the session here and go on with that; the session itself stays as it is."""
    from holdfast_gui.actions.held_work import copy_sessions

    await copy_sessions(context, context.selected_ids)


@action(
    "held.save",
    "Sa&ve now",
    menu="&Session",
    group=4,
    keys=("Ctrl+S",),
    icon="check",
    in_context_menu=True,
    enabled=lambda context: bool(_live(context)),
)
async def save(context: Context) -> None:
    """Write the live session whole now; it is saved by itself all the same."""
    from holdfast_gui.actions.held_work import save_held

    await save_held(context, _live(context))


@action(
    "held.close",
    "C&lose session",
    menu="&Session",
    group=4,
    keys=("Ctrl+W",),
    icon="close",
    in_context_menu=True,
    enabled=lambda context: bool(_live(context)),
)
async def close(context: Context) -> None:
    """Save the live session and close it; it can be resumed at any time."""
    from holdfast_gui.actions.held_work import close_held

    await close_held(context, _live(context))


@action(
    "held.versions",
    "Earlier versi&ons…",
    menu="&Session",
    group=4,
    icon="history",
    in_context_menu=True,
    enabled=_has_one_held,
)
async def versions(context: Context) -> None:
    """See earlier states of the held session, and go back to one."""
    from holdfast_gui.actions.held_work import show_versions

    await show_versions(context, _held(context)[0])


@action(
    "held.adopt",
    "&Adopt import",
    menu="&Session",
    group=4,
    icon="shield-check",
    in_context_menu=True,
    enabled=lambda context: bool(_unverified(context)),
)
async def adopt(context: Context) -> None:
    """Trust an import whose origin is not proven, so that it can be changed and continued."""
    from holdfast_gui.actions.held_work import adopt_sessions

    await adopt_sessions(context, _unverified(context))


@action(
    "held.delete",
    "&Delete…",
    menu="&Session",
    group=5,
    list_keys=("Del",),
    icon="trash",
    in_context_menu=True,
    enabled=_has_held,
)
async def delete(context: Context) -> None:
    """Move held sessions to the trash, from which they can be put back; agents' own sessions stay."""
    from holdfast_gui.actions.trashing import delete_sessions

    await delete_sessions(context, context.selected_ids)


@action(
    "held.undo",
    "&Undo",
    menu="&Edit",
    group=3,
    keys=("Ctrl+Z",),
    icon="history",
    enabled=lambda context: bool(context.keeping.deleted or context.keeping.restored or context.keeping.given_back),
)
async def undo(context: Context) -> None:
    """Put back what was deleted last, or take back that a session went to an earlier version or back to its agent."""
    if context.keeping.given_back:
        from holdfast_gui.actions.vault_work import undo_restore as undo_giving_back

        await undo_giving_back(context, context.keeping.given_back)
        return
    if context.keeping.restored is not None:
        from holdfast_gui.actions.held_work import undo_restore

        await undo_restore(context)
        return
    from holdfast_gui.actions.trashing import undo_deletion

    await undo_deletion(context)


@action("view.live", "&Live sessions", menu="&Go", group=2, keys=("Ctrl+L",), icon="live")
def live(context: Context) -> None:
    """See what is live, how it is saved, and keep or close it."""
    context.window.places.choose(LIVE)


@action("view.problems", "P&roblems", menu="&Go", group=2, icon="problem")
def problems(context: Context) -> None:
    """See what cannot be used as it is, why, and what can be done about it."""
    context.window.places.choose(PROBLEMS)


@action(
    "view.recovery",
    "Sessions to &recover",
    menu="&Go",
    group=2,
    icon="history",
    enabled=lambda context: bool(context.keeping.unclean),
)
def recovery(context: Context) -> None:
    """See the sessions that were cut off, and recover them."""
    context.window.places.choose(RECOVERY)


@action("view.trash", "&Trash", menu="&Go", group=2, icon="trash")
def trash(context: Context) -> None:
    """See what was deleted and can still be put back."""
    context.window.places.choose(TRASH)
