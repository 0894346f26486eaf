"""What is said of lost messages, of sessions that agents will delete, and of the vault as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from holdfast_core.model.session import SessionEntry
from holdfast_core.model.vault import Expiring, VaultStatus, Version

from holdfast_gui import text
from holdfast_gui.models.versions import BROKEN, LOSING, version_ms
from holdfast_gui.text import later, tr

COMPARE: Final = "vault.compare"
REPAIR: Final = "vault.repair"
RESTORE: Final = "vault.restore"
KEEP: Final = "vault.keep_now"
_HOUR_MS: Final = 3_600_000

_HAPPENED: Final = later(
    {
        "truncated": "{agent} cut its file {when}.",
        "rewritten": "{agent} wrote its file anew {when}.",
        "zeroed": "Its file was filled with zeros {when}.",
        "corrupted": "Its file was damaged {when}.",
        "deleted": "The file of {agent} was deleted {when}.",
        "replaced": "Something else stands in place of its file, since {when}.",
    }
)
_HAPPENED_ONCE: Final = later(
    {
        "truncated": "{agent} cut its file.",
        "rewritten": "{agent} wrote its file anew.",
        "zeroed": "Its file was filled with zeros.",
        "corrupted": "Its file was damaged.",
        "deleted": "The file of {agent} was deleted.",
        "replaced": "Something else stands in place of its file.",
    }
)


class Way(NamedTuple):
    """A button of a notice: the action that it runs, and its words."""

    action: str
    label: str
    is_primary: bool = False


class LossNotice(NamedTuple):
    """What happened to a session, what is safe, what can be done."""

    headline: str
    detail: str
    ways: tuple[Way, ...]


class StatusLines(NamedTuple):
    """How the vault stands: icon, colour of the theme, the lines of it."""

    icon: str
    colour: str
    lines: tuple[str, ...]


def is_lost(entry: SessionEntry) -> bool:
    """Return whether something of a session is here and not with its agent any more."""
    return bool(entry.lost_messages or entry.is_gone)


def is_damaged(entry: SessionEntry) -> bool:
    """Return whether a session's file is damaged, as against cut or deleted."""
    return entry.damage in BROKEN


def badge_words(entry: SessionEntry) -> str:
    """Return the chip of a session of which something is gone at the source; empty for all others."""
    if is_damaged(entry):
        return tr("damaged, safe here")
    if entry.is_gone:
        return tr("gone, safe here")
    return tr("{count} lost, safe here").format(count=text.count(entry.lost_messages)) if entry.lost_messages else ""


def spoken_loss(entry: SessionEntry) -> str:
    """Return the same for a screen reader, with all that there is to say."""
    parts = []
    if is_damaged(entry):
        parts.append(tr("its file is damaged"))
    elif entry.is_gone:
        parts.append(tr("its file is gone"))
    if entry.lost_messages:
        lost = text.counted(entry.lost_messages, "message", "messages")
        parts.append(tr("{messages} lost at the source, safe here").format(messages=lost))
    elif parts:
        parts.append(tr("safe here"))
    return ", ".join(parts)


def loss_notice(
    entry: SessionEntry, agent: str, now: datetime, versions: Sequence[Version] = (), *, zone: tzinfo | None = None
) -> LossNotice | None:
    """Return what to say above the transcript of a session with losses; None where there is none.

    ``agent`` is the agent's name, ``versions`` tell when it happened as soon as they are known.
    """
    if not is_lost(entry):
        return None
    restore = Way(RESTORE, tr("Restore to {agent}").format(agent=agent), is_primary=True)
    happened = _happened(entry, agent, now, versions, zone)
    if entry.is_gone and not is_damaged(entry):
        return LossNotice(tr("The file of this session is gone."), f"{happened} {_all_safe(entry)}", (restore,))
    gone = text.counted(entry.lost_messages, "message is gone", "messages are gone")
    gone = tr("{messages} at the source.").format(messages=gone)
    safe = tr("All {count} are safe here.").format(count=text.count(entry.message_count))
    compare = Way(COMPARE, tr("Compare"))
    if is_damaged(entry):
        # Of a file that is gone there is nothing left that could be mended or compared.
        ways = (restore,) if entry.is_gone else (compare, Way(REPAIR, tr("Repair…")), restore)
        return LossNotice(tr("The file of this session is damaged."), f"{happened} {gone} {safe}", ways)
    return LossNotice(gone, f"{happened} {safe}", (compare, restore))


def expiry_notice(expiring: Expiring, agent: str) -> LossNotice:
    """Return what to say above the transcript of a session that its agent will delete."""
    headline = tr("{agent} deletes this session {when}.").format(agent=agent, when=days_words(expiring))
    if expiring.is_safe:
        return LossNotice(headline, tr("It is safe here, and stays."), ())
    return LossNotice(headline, tr("It is not kept here yet as it is now."), (Way(KEEP, tr("Keep now"), True),))


def days_words(expiring: Expiring) -> str:
    """Return when an agent deletes a session: ``in 2 days``, ``today``, ``when it starts next``."""
    if expiring.days_left <= 0:
        return tr("when it starts next")
    days = math.floor(expiring.days_left)
    if not days:
        return tr("within a day")
    return tr("in {days}").format(days=text.counted(days, "day", "days"))


def status_lines(status: VaultStatus, sessions: int, now: datetime, *, unkept: int = 0, lost: int = 0) -> StatusLines:
    """Return how safe ``sessions`` listed ones are, of which ``unkept`` are not in the vault, ``lost`` have losses."""
    size = text.size(status.stored_bytes)
    kept = tr("{size} kept").format(size=size)
    if not status.is_enabled:
        return StatusLines("shield", "wait", (tr("The vault is switched off"), kept if status.versions else ""))
    if status.is_locked:
        return StatusLines("lock", "wait", (tr("The vault is locked"), tr("nothing new is kept")))
    if status.is_paused_for_space:
        free = tr("{size} free, nothing new is kept").format(size=text.size(status.free_bytes))
        return StatusLines("pause", "wait", (tr("The vault needs space"), free))
    told = tr("{count} lost at the source").format(count=text.count(lost)) if lost else ""
    if status.damaged:
        damaged = tr("{count} damaged in the vault").format(count=text.count(status.damaged))
        return StatusLines("problem", "bad", (damaged, tr("verify it to mend it"), told))
    return StatusLines("shield-check", "live", (_safe(sessions, unkept), _proved(status, now), told))


def _safe(sessions: int, unkept: int) -> str:
    listed = text.counted(sessions, "session", "sessions")
    if unkept:
        return tr("{safe} of {count} are safe").format(safe=text.count(max(0, sessions - unkept)), count=listed)
    return tr("All {count} are safe").format(count=listed)


def _proved(status: VaultStatus, now: datetime) -> str:
    size = text.size(status.stored_bytes)
    if not status.last_verified_ms:
        return tr("not verified yet · {size}").format(size=size)
    return tr("verified {ago} · {size}").format(ago=text.ago(status.last_verified_ms, now), size=size)


def _all_safe(entry: SessionEntry) -> str:
    if entry.message_count < 2:
        return tr("It is safe here.")
    return tr("All {count} messages are safe here.").format(count=text.count(entry.message_count))


def _happened(entry: SessionEntry, agent: str, now: datetime, versions: Sequence[Version], zone: tzinfo | None) -> str:
    reason = entry.damage or ("deleted" if entry.is_gone else "truncated")
    version = next((one for one in versions if one.reason == reason), None)
    version = version or next((one for one in versions if one.lost or one.reason in LOSING), None)
    if entry.is_gone and versions and versions[0].reason == "deleted":
        reason, version = "deleted", versions[0]
    if version is None:
        return tr(_HAPPENED_ONCE.get(reason, _HAPPENED_ONCE["truncated"])).format(agent=agent)
    words = tr(_HAPPENED.get(reason, _HAPPENED["truncated"]))
    return words.format(agent=agent, when=text.within(version_ms(version), now, zone=zone))
