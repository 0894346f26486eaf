"""What the menu of a version and a press on it lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_gui.actions.comparing import Comparing
from holdfast_gui.actions.vault_work import (
    export_version,
    name_version,
    open_version,
    restore_as_held,
    restore_to_agent,
    restore_to_file,
)

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


async def do_with_version(context: Context, what: str, number: int) -> None:
    """Do what was chosen for a version of the open session, by its menu or a press on it."""
    session_id = context.reading.session_id
    match what:
        case "open":
            if context.guarding.read_number == number:
                context.reading.back_to_now()
            else:
                await open_version(context, session_id, number)
        case "compare":
            await Comparing.of(context).open(session_id, number)
        case "agent":
            await restore_to_agent(context, session_id, number)
        case "held":
            await restore_as_held(context, session_id, number)
        case "file":
            await restore_to_file(context, session_id, number)
        case "name":
            await name_version(context, session_id, number)
        case "export":
            await export_version(context, session_id, number)
