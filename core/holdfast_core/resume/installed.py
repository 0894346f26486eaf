"""What is said of an agent: who it is, where its sessions are, and whether its program is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from holdfast_core.agents.base import Agent, Home, ResumeTarget
from holdfast_core.errors import Refused
from holdfast_core.model.agent import AgentInfo
from holdfast_core.resume.programs import find_program


def agent_info(agent: Agent, home: Home, *, sessions: int) -> AgentInfo:
    """Return an agent as the application shows it; looks for its program on PATH.

    Its roots are those that are there; where none is, the one that its program would make here.
    """
    roots = agent.roots(home)
    return AgentInfo(
        agent=agent.id,
        name=agent.name,
        mark=agent.mark,
        hue=agent.hue,
        roots=tuple(str(root) for root in [root for root in roots if _is_there(root)] or roots[:1]),
        installed=find_program(agent.program, home) is not None,
        sessions=sessions,
        can_resume=_can_resume(agent),
        can_host=agent.can_host,
        deletes_after_days=agent.deletes_after_days(home),
        how_to_install=agent.how_to_install,
    )


def agent_infos(
    agents: Iterable[Agent], held: Agent | None, home: Home, sessions: Mapping[str, int]
) -> list[AgentInfo]:
    """Return agents as the application shows them; ``held``, Holdfast itself, comes last and is always here."""
    found = [agent_info(agent, home, sessions=sessions.get(agent.id, 0)) for agent in agents]
    if held is not None:
        info = agent_info(held, home, sessions=sessions.get(held.id, 0))
        found.append(msgspec.structs.replace(info, installed=True, can_resume=True))
    return found


def _can_resume(agent: Agent) -> bool:
    """Tell whether the agent's program continues any session by its id."""
    try:
        agent.resume_command(ResumeTarget(native_id="id", kind="main", project_path="", source_path=""))
    except Refused:
        return False
    return True


def _is_there(root: Path) -> bool:
    """Tell whether a directory is there, even if this person may not look into it."""
    try:
        return root.is_dir()
    except PermissionError:
        return True
