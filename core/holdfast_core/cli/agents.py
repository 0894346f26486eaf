"""`holdfast agents`: which agents there are on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from holdfast_core.cli.context import Context
from holdfast_core.cli.index import ensure_index
from holdfast_core.model.agent import AgentInfo

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    commands.add("agents", list_agents)


async def list_agents(context: Context, arguments: argparse.Namespace) -> None:
    """List the agents that are known, where their sessions are, and whether they are installed."""
    await ensure_index(context)
    agents = await context.library.agents()
    if context.is_json:
        context.print_json([_document(agent) for agent in agents])
        return
    rows = [
        [
            agent.name,
            agent.agent,
            "yes" if agent.installed else "no",
            f"{agent.sessions:,}",
            "never" if agent.deletes_after_days is None else f"after {agent.deletes_after_days} days",
            ", ".join(agent.roots),
        ]
        for agent in agents
    ]
    context.table(["Agent", "Id", "Installed", "Sessions", "Deletes", "Where"], rows, flexible=[5])


def _document(agent: AgentInfo) -> dict[str, Any]:
    return {
        "agent": agent.agent,
        "name": agent.name,
        "roots": agent.roots,
        "installed": agent.installed,
        "sessions": agent.sessions,
        "can_resume": agent.can_resume,
        "can_host": agent.can_host,
        "deletes_after_days": agent.deletes_after_days,
        "how_to_install": agent.how_to_install,
    }
