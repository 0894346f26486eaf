"""What is said of sessions that Holdfast itself keeps: whose they are, how they are saved, why a copy was kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.held import HELD_AGENT, is_held_id
from holdfast_core.model.keeping import Backup
from holdfast_core.model.live import LiveEntry

from holdfast_gui import text
from holdfast_gui.text import later, tr

HELD_INFO: Final = AgentInfo(
    agent=HELD_AGENT,
    name="Holdfast",
    mark="H",
    hue=168,
    roots=(),
    installed=True,
    sessions=0,
    can_resume=True,
    can_host=True,
    deletes_after_days=None,
)
"""As what a held session stands in lists if no agent's session is its origin."""

_REASONS: Final = later(
    {
        "save": "before a save",
        "migration": "before a new format",
        "restore": "before a restore",
        "delete": "before a deletion",
        "repair": "before a repair",
        "request": "as you asked",
    }
)
_STATES: Final = later(
    {
        "starting": "starting",
        "active": "live",
        "waiting": "waits for you",
        "idle": "idle",
        "closing": "closing",
        "closed": "closed",
        "crashed": "ended by itself",
    }
)


def with_held(agents: Iterable[AgentInfo]) -> list[AgentInfo]:
    """Return agents with the one for our own sessions at the end."""
    return [*(agent for agent in agents if agent.agent != HELD_AGENT), HELD_INFO]


def held_ids(session_ids: Iterable[str]) -> list[str]:
    """Return those of the sessions that Holdfast itself keeps."""
    return [session_id for session_id in session_ids if is_held_id(session_id)]


def saved_words(entry: LiveEntry, now: datetime) -> str:
    """Return how a live session is saved: ``Saved 10:42:07``, or why it is not."""
    if entry.save_error:
        return entry.save_error
    at = text.moment(entry.saved_ms)
    if at is None:
        return tr("Not saved yet")
    if at.date() != now.astimezone(at.tzinfo).date():
        return tr("Saved {when}").format(when=text.when(entry.saved_ms, now))
    return tr("Saved {time}").format(time=f"{at:%H:%M:%S}")


def state_words(entry: LiveEntry) -> str:
    """Return in what state a live session is."""
    return tr(_STATES[entry.state])


def reason_words(backup: Backup) -> str:
    """Return why an earlier state was kept."""
    return tr(_REASONS.get(backup.reason, backup.reason))
