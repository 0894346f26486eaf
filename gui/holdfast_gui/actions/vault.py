"""What can be done with the versions of agents' sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.model.held import is_held_id

from holdfast_gui.actions.registry import action
from holdfast_gui.models.places import EXPIRING, LOST

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

# What takes a moment to load is loaded when it is used.


def _is_agents(context: Context) -> bool:
    entry = context.entry
    return entry is not None and not is_held_id(entry.id)


def _id(context: Context) -> str:
    assert context.entry is not None
    return context.entry.id


def _number(context: Context) -> int | None:
    """Return the version that is read, if it is one of the session that is meant."""
    return context.guarding.read_number if _id(context) == context.reading.session_id else None


@action(
    "vault.restore",
    "Restore to the a&gent…",
    menu="&Session",
    group=6,
    icon="history",
    in_context_menu=True,
    enabled=_is_agents,
)
async def restore(context: Context) -> None:
    """Give the version that is read, else the fullest one, back to the session's agent; what it has now is kept."""
    from holdfast_gui.actions.vault_work import restore_to_agent

    await restore_to_agent(context, _id(context), _number(context))


@action("vault.restore_held", "Restore as a &held session", menu="&Session", group=6, icon="anchor", enabled=_is_agents)
async def restore_held(context: Context) -> None:
    """Keep the version that is read, else the fullest one, as a session of Holdfast's own."""
    from holdfast_gui.actions.vault_work import restore_as_held

    await restore_as_held(context, _id(context), _number(context))


@action("vault.restore_file", "Restore to a &file…", menu="&Session", group=6, icon="file", enabled=_is_agents)
async def restore_file(context: Context) -> None:
    """Write the version that is read, else the fullest one, as its agent wrote it to a file of your choice."""
    from holdfast_gui.actions.vault_work import restore_to_file

    await restore_to_file(context, _id(context), _number(context))


@action("vault.undo", "&Undo restore", menu="&Session", group=6, icon="history", enabled=_is_agents)
async def undo(context: Context) -> None:
    """Put back what the agent had of the session before its last restoring."""
    from holdfast_gui.actions.vault_work import undo_restore

    await undo_restore(context, _id(context))


@action(
    "vault.compare",
    "Com&pare versions",
    menu="&Session",
    group=6,
    keys=("Ctrl+Shift+D",),
    icon="diff",
    in_context_menu=True,
    enabled=_is_agents,
)
async def compare(context: Context) -> None:
    """See message by message what two versions of the session do not share."""
    from holdfast_gui.actions.comparing import Comparing

    await Comparing.of(context).open(_id(context), _number(context))


@action("vault.repair", "Repair damage&d transcript…", menu="&Session", group=6, icon="tool", enabled=_is_agents)
async def repair(context: Context) -> None:
    """Mend the session's file so that its agent can go on with it; every change is listed before."""
    from holdfast_gui.actions.vault_work import repair_transcript

    await repair_transcript(context, _id(context))


@action("vault.keep_now", "&Keep now", menu="&Session", group=6, icon="shield", enabled=_is_agents)
async def keep_now(context: Context) -> None:
    """Take the session as it is now into the vault, without waiting for the next look."""
    from holdfast_gui.actions.vault_work import keep_session_now

    await keep_session_now(context, _id(context))


@action(
    "vault.back_to_now",
    "Bac&k to now",
    menu="&Go",
    group=3,
    icon="clock",
    enabled=lambda context: context.reading.version is not None,
)
def back_to_now(context: Context) -> None:
    """Read the session as it is, in place of one of its versions."""
    context.reading.back_to_now()


@action("view.lost", "Lost at the s&ource", menu="&Go", group=2, icon="problem")
def lost(context: Context) -> None:
    """See the sessions of which something is here that their agents do not have any more."""
    context.window.places.choose(LOST)


@action("view.expiring", "&About to be deleted", menu="&Go", group=2, icon="clock")
def expiring(context: Context) -> None:
    """See which sessions agents are about to delete, by which rules, and whether they are safe here."""
    context.window.places.choose(EXPIRING)


@action(
    "vault.verify",
    "&Verify the vault",
    menu="&File",
    group=4,
    icon="shield-check",
    enabled=lambda context: not context.guarding.is_verifying,
)
async def verify(context: Context) -> None:
    """Check every byte of every version that is kept, and mend what the agents' files still have; it can be stopped."""
    from holdfast_gui.actions.vault_work import verify_vault

    await verify_vault(context)
