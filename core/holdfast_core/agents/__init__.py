"""Every agent we know. Adding one means adding a file here and its golden data; nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from holdfast_core.agents.base import Agent


@cache
def agent_ids() -> tuple[str, ...]:
    """Return the id of every agent, in order, without loading any: a query needs to know no more."""
    return tuple(
        sorted(
            info.name
            for info in pkgutil.iter_modules(__path__)
            if info.name != "base" and not info.name.startswith("_")
        )
    )


@cache
def all_agents() -> dict[str, Agent]:
    """Return every agent by id, in id order. An agent's id is its file's name."""
    return {name: importlib.import_module(f"{__name__}.{name}").AGENT for name in agent_ids()}
