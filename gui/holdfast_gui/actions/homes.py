"""More homes in which agents are looked for: added where the person chose one, or dropped something out of one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog

from holdfast_gui import text
from holdfast_gui.tasks import ask
from holdfast_gui.text import tr
from holdfast_gui.views.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast_gui.actions.context import Context

HOMES = "extra_homes"


async def homes(context: Context) -> list[str]:
    """Return the other homes that the settings name."""
    return list((await context.read_settings()).settings.extra_homes)


async def keep_homes(context: Context, paths: Sequence[str]) -> None:
    """Look in these homes from now on, beside the person's own."""
    from holdfast_core.settings import change_setting

    write = partial(change_setting, context.paths, HOMES, list(paths))
    await asyncio.get_running_loop().run_in_executor(None, write)
    await context.follow_settings()


async def add_home(context: Context, home: Path, agents: Sequence[str]) -> None:
    """Look in one more home, with what is known of the agents there."""
    known = await homes(context)
    if str(home) in known or home == context.library.survey.home:
        context.toast.say(tr("Agents are looked for there already"))
        return
    await keep_homes(context, [*known, str(home)])
    if agents:
        context.toast.say(tr("Sessions of {agents} are looked for there").format(agents=tr(" and ").join(agents)))
    else:
        context.toast.say(await _like(context, home) or tr("No agent has sessions there yet"))


async def offer_home(context: Context, paths: Sequence[Path]) -> bool:
    """Ask whether agents shall be looked for where these come from; False if no agent's directory is there."""
    survey = context.library.survey
    known = await homes(context)
    for path in paths:
        home, agents = await survey.home_at(path)
        if not agents or home == survey.home or str(home) in known:
            continue
        names = text.one_line(tr(" and ").join(agents))
        sheet = Sheet(
            context.window,
            title=tr("This looks like {agents}").format(agents=names),
            message=tr(
                "Agents have sessions in {home}. Holdfast can look there too: they are listed and searched where "
                "they are, and nothing is written there."
            ).format(home=text.one_line(str(home))),
            accept=tr("Look there too"),
        )
        if await ask(sheet) == QDialog.DialogCode.Accepted:
            await add_home(context, home, agents)
        return True
    return False


async def _like(context: Context, folder: Path) -> str:
    """Return whose the files in a folder look like, where no agent would look for them; empty for nobody's."""
    survey = context.library.survey
    found = sorted({agent for one in await survey.recognise([folder]) for agent in one.agents})
    if not found:
        return ""
    names = tr(" or ").join(survey.names()[agent] for agent in found)
    return tr("What is there looks like {agents}, and lies where none of them keeps sessions").format(agents=names)
