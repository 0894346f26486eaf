"""What is said of an agent: who it is, where its sessions are, and whether its program is here."""

from __future__ import annotations

from holdfast_core.agents.base import Agent, Home
from holdfast_core.model.agent import AgentInfo
from holdfast_core.resume.programs import find_program


def agent_info(agent: Agent, home: Home, *, sessions: int) -> AgentInfo:
    """Return an agent as the application shows it; looks for its program on PATH."""
    return AgentInfo(
        agent=agent.id,
        name=agent.name,
        mark=agent.mark,
        hue=agent.hue,
        roots=tuple(str(root) for root in agent.roots(home)),
        installed=find_program(agent.program, home) is not None,
        sessions=sessions,
        can_resume=bool(agent.program),
        can_host=agent.can_host,
        deletes_after_days=agent.deletes_after_days(home),
        how_to_install=agent.how_to_install,
    )
