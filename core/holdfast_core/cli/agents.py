"""`holdfast agents` and `holdfast recognise`: which agents are here, how well they are understood, whose a file is."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast_core.cli.context import Context
from holdfast_core.cli.index import ensure_index
from holdfast_core.model.agent import AgentDrift, AgentInfo

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands

_TOLD = ("version", "sources", "sessions", "problems", "unknown_records", "unknown_fields")


def add(commands: Commands) -> None:
    """Add the commands."""
    commands.add("agents", list_agents)
    parser = commands.add("recognise", recognise)
    parser.add_argument("path", metavar="PATH", type=Path, nargs="*", help="a file or directory; none for your homes")


async def list_agents(context: Context, arguments: argparse.Namespace) -> None:
    """List the agents that are known, where their sessions are, and whether they are installed.

    Tells what an agent writes that this version of Holdfast does not know, by
    the agent's version, and warns of an agent that had sessions and has none now.
    """
    await ensure_index(context)
    agents = await context.library.agents()
    drift = await context.library.survey.drift()
    if context.is_json:
        context.print_json([_document(agent, drift.get(agent.agent)) for agent in agents])
    else:
        _print_table(context, agents, drift)
    for agent in agents:
        one = drift.get(agent.agent, AgentDrift(agent.agent))
        if one.alarm:
            context.warn(one.alarm_words(agent.name))
        if not context.is_json:
            for words in one.drift_words(agent.name):
                context.print(words)


def _print_table(context: Context, agents: Sequence[AgentInfo], drift: Mapping[str, AgentDrift]) -> None:
    """Print a row for each agent, those first that have anything here."""
    rows = []
    for agent in sorted(agents, key=lambda agent: not (agent.sessions or agent.installed or agent.agent in drift)):
        one = drift.get(agent.agent, AgentDrift(agent.agent))
        rows.append(
            [
                agent.name,
                agent.agent,
                "yes" if agent.installed else "no",
                f"{agent.sessions:,}",
                f"{one.problems:,}",
                f"{sum(one.unknown_records.values()) + sum(one.unknown_fields.values()):,}",
                "never" if agent.deletes_after_days is None else f"after {agent.deletes_after_days} days",
                ", ".join(_shown(root, context.agents_home) for root in agent.roots),
            ]
        )
    titles = ["Agent", "Id", "Installed", "Sessions", "Problems", "Unknown", "Deletes", "Where"]
    context.table(titles, rows, flexible=[7])


def _shown(root: str, home: Path) -> str:
    path = Path(root)
    return f"~/{path.relative_to(home).as_posix()}".removesuffix("/.") if path.is_relative_to(home) else root


async def recognise(context: Context, arguments: argparse.Namespace) -> None:
    """Tell whose sessions files look like, by what is in them.

    Without a path your homes are looked through for sessions in places where
    no known agent keeps any. Only the beginnings of files are read.
    """
    found = await context.library.survey.recognise([path.expanduser().absolute() for path in arguments.path])
    if context.is_json:
        context.print_json([msgspec.to_builtins(one) for one in found])
        return
    names = context.library.survey.names()
    for one in found:
        files = "1 file" if one.files == 1 else f"{one.files:,} files"
        whose = " or ".join(names.get(agent, agent) for agent in one.agents)
        context.print(f"{one.path}: {files}, looks like {whose}" if whose else f"{one.path}: {files}, not recognised")
    if not found:
        context.warn("Nothing that looks like sessions was found.")


def _document(agent: AgentInfo, drift: AgentDrift | None) -> dict[str, Any]:
    drift = drift or AgentDrift(agent.agent)
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
        "sources": drift.sources,
        "problems": drift.problems,
        "unknown_records": drift.unknown_records,
        "unknown_fields": drift.unknown_fields,
        "versions": [{name: getattr(one, name) for name in _TOLD} for one in drift.versions],
        "last_seen_sessions": drift.last_seen_sessions,
        "alarm": drift.alarm or None,
    }
