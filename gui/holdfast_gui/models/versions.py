"""The versions of one session in words, and in groups where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from holdfast_core.model.session import SessionEntry
from holdfast_core.model.vault import WITHOUT_CONTENT, Version, VersionReason

from holdfast_gui import text
from holdfast_gui.text import later, tr

MANY: Final = 8
LOSING: Final[frozenset[VersionReason]] = frozenset(("truncated", "zeroed", "corrupted", "deleted", "replaced"))
BROKEN: Final = frozenset(("zeroed", "corrupted", "replaced"))
"""What became of a file whose session is called damaged."""

_REASONS: Final = later(
    {
        "first": "first kept",
        "grown": "grown",
        "rewritten": "rewritten by the agent",
        "truncated": "truncated by the agent",
        "zeroed": "filled with zeros",
        "corrupted": "damaged at the source",
        "deleted": "deleted at the source",
        "replaced": "replaced by something else",
        "moved": "moved by the agent",
        "restored": "restored",
    }
)


class VersionGroup(NamedTuple):
    """Versions that are shown in one row, the newest first; nearly always one."""

    versions: tuple[Version, ...]
    is_shown: bool = False
    """Whether it is what the transcript of the session shows."""

    @property
    def newest(self) -> Version:
        """The version that the row is about."""
        return self.versions[0]


def shown_version(versions: Sequence[Version], entry: SessionEntry) -> Version | None:
    """Return the version whose messages the session shows: the fullest where the source has lost some."""
    if entry.lost_messages or entry.is_gone:
        return next((one for one in versions if one.is_best), None)
    return next((one for one in versions if one.reason not in WITHOUT_CONTENT), None)


def grouped(versions: Sequence[Version], shown: Version | None, *, zone: tzinfo | None = None) -> list[VersionGroup]:
    """Return rows: what is shown, then the others, the newest first; growth of one day is one row where there are many.

    A version that has a name, a loss or a damage stands alone.
    """
    others = [one for one in versions if shown is None or one.number != shown.number]
    groups = [] if shown is None else [VersionGroup((shown,), is_shown=True)]
    if len(others) <= MANY:
        return groups + [VersionGroup((one,)) for one in others]
    run: list[Version] = []
    for one in others:
        if run and not (_is_plain(one) and _is_plain(run[-1]) and _day(one, zone) == _day(run[-1], zone)):
            groups.append(VersionGroup(tuple(run)))
            run = []
        run.append(one)
    return [*groups, VersionGroup(tuple(run))]


def version_title(version: Version) -> str:
    """Return how much a version holds."""
    if version.reason in WITHOUT_CONTENT:
        return tr("no file")
    return text.counted(version.messages, "message", "messages")


def version_words(group: VersionGroup) -> str:
    """Return why a version began, and what is known of it."""
    version = group.newest
    name = f"“{text.one_line(version.tag, limit=60)}”" if version.tag else ""
    if version.is_damaged:
        parts = [tr("damaged here")]
    elif group.is_shown:
        parts = [tr("shown"), tr("signed"), tr("verified") if version.is_verified else tr("not verified yet")]
    else:
        parts = [_reason(group)]
    return " · ".join(part for part in (name, *parts) if part)


def spoken_version(group: VersionGroup, now: datetime) -> str:
    """Return the whole row for a screen reader and a tooltip."""
    version = group.newest
    parts = [
        tr("Version {number}").format(number=version.number),
        version_title(version),
        version_words(group),
        reason_words(version) if group.is_shown else "",
        _gone(version),
        text.when(version_ms(version), now),
        text.size(version.size_bytes) if version.size_bytes else "",
        tr("{count} more of this day").format(count=len(group.versions) - 1) if len(group.versions) > 1 else "",
    ]
    return ", ".join(part for part in parts if part)


def reason_words(version: Version) -> str:
    """Return why a version began."""
    return tr(_REASONS[version.reason])


def version_ms(version: Version) -> int:
    """Return when a version became what it is: when the agent wrote it, or when it was found gone."""
    return version.captured_ms if version.reason in WITHOUT_CONTENT or not version.modified_ms else version.modified_ms


def version_line(version: Version, total: int, now: datetime) -> str:
    """Return which version of how many is read: ``Version 3 of 7, from Thu 18:30.``."""
    words = tr("Version {number} of {total}, from {when}.")
    return words.format(number=version.number, total=total, when=text.when(version_ms(version), now))


def _reason(group: VersionGroup) -> str:
    version = group.newest
    added = sum(one.added_messages for one in group.versions)
    if version.reason == "grown" and added:
        words = tr("grown by {count}").format(count=text.count(added))
        steps = len(group.versions)
        return words if steps == 1 else tr("{grown} in {count} steps").format(grown=words, count=steps)
    return reason_words(version)


def _gone(version: Version) -> str:
    return text.counted(version.lost, "message gone", "messages gone") if version.lost else ""


def _is_plain(version: Version) -> bool:
    return version.reason == "grown" and not (version.tag or version.lost or version.is_damaged)


def _day(version: Version, zone: tzinfo | None) -> object:
    at = text.moment(version_ms(version), zone=zone)
    return at.date() if at else None
