"""How many sessions each agent had when it last had any: one that yields none now has changed, or lost them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from holdfast_core import clock
from holdfast_core.atomic import write_file
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.paths import path_text

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000


class Seen(msgspec.Struct, frozen=True):
    """An agent's sessions, as many as a list shows, and when they were last counted."""

    sessions: int
    at_ms: int


class _File(msgspec.Struct, frozen=True):
    home: str
    agents: dict[str, Seen]


def agents_seen(path: Path, home: Path) -> dict[str, Seen]:
    """Return what is remembered of the agents in a home; nothing where nothing can be read."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return kept.agents if kept.home == path_text(str(home)) else {}


def remember_agents(path: Path, home: Path, sessions: Mapping[str, int], *, let_go: Collection[str] = ()) -> None:
    """Keep how many sessions each agent has, of those that have any; a disk that takes no more loses only this.

    Those of ``let_go`` have fewer because the person wanted it: what they had before is forgotten.
    """
    kept, now = agents_seen(path, home), clock.now_ms()
    before = {agent: seen for agent, seen in kept.items() if agent not in let_go}
    found = {agent: Seen(count, now) for agent, count in sessions.items() if count and agent != HELD_AGENT}
    if before.keys() == kept.keys() and all(_is_told(before.get(agent), seen) for agent, seen in found.items()):
        return
    try:
        write_file(path, [msgspec.json.encode(_File(path_text(str(home)), before | found))])
    except OSError as error:
        log.info("the numbers of sessions are not kept: %s", error.strerror)


def _is_told(before: Seen | None, now: Seen) -> bool:
    return before is not None and before.sessions == now.sessions and now.at_ms - before.at_ms < _DAY_MS
