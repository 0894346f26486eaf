"""What is remembered of projects' repositories, so that one is known again in another place when its own is gone."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from holdfast_core import clock
from holdfast_core.agents.base import Home
from holdfast_core.atomic import read_file, write_file
from holdfast_core.paths import make_private
from holdfast_core.resume.repository import Repository, is_directory, repository_of, root_commits

log = logging.getLogger(__name__)

_FILE_LIMIT = 16 << 20
_PROJECTS = 5_000
_SECONDS = 0.5
_AGAIN_MS = 24 * 3_600_000


class _Seen(msgspec.Struct, frozen=True):
    repository: Repository
    seen_ms: int


class Repositories:
    """The projects that were seen, in one file; what cannot be read there is begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, project: str) -> Repository | None:
        """Return what is remembered of a project that may be gone, None if it never was seen in a repository."""
        seen = self._all().get(project)
        return seen.repository if seen is not None and seen.repository.is_known else None

    def see(self, projects: Iterable[str], *, seconds: float = _SECONDS) -> int:
        """Look at projects that were not looked at for a day, for so long at most; returns how many were looked at.

        Reads a few small files of each and runs nothing. What is known of one
        that is not there stays. Where it cannot be written nothing is remembered.
        """
        known, now, end = self._all(), clock.now_ms(), clock.monotonic_seconds() + seconds
        due = [one for one in dict.fromkeys(projects) if one and _is_due(known.get(one), now)]
        found: dict[str, _Seen] = {}
        for project in sorted(due, key=lambda one: known[one].seen_ms if one in known else 0):
            if clock.monotonic_seconds() >= end:
                break
            if is_directory(Path(project)):
                found[project] = _Seen(_joined(repository_of(Path(project)), known.get(project)), now)
        if found:
            self._keep(known | found)
        return len(found)

    def see_roots(self, project: str, home: Home) -> Repository | None:
        """Look at a project and ask git for its first commits too; only where a person asks for it."""
        seen = repository_of(Path(project))
        if seen is None:
            return None
        known = self._all()
        whole = msgspec.structs.replace(_joined(seen, known.get(project)), roots=root_commits(Path(project), home))
        self._keep(known | {project: _Seen(whole, clock.now_ms())})
        return whole

    def _all(self) -> dict[str, _Seen]:
        try:
            data = read_file(self._path, limit_bytes=_FILE_LIMIT)
            return msgspec.json.decode(data, type=dict[str, _Seen])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            log.info("what was known of projects' repositories cannot be read: %s", type(error).__name__)
            return {}

    def _keep(self, known: dict[str, _Seen]) -> None:
        latest = sorted(known.items(), key=lambda item: item[1].seen_ms)[-_PROJECTS:]
        try:
            make_private(self._path.parent)
            write_file(self._path, [msgspec.json.encode(dict(latest))])
        except OSError as error:
            log.info("projects' repositories were not remembered: %s", type(error).__name__)


def _is_due(seen: _Seen | None, now_ms: int) -> bool:
    return seen is None or now_ms - seen.seen_ms >= _AGAIN_MS


def _joined(seen: Repository | None, before: _Seen | None) -> Repository:
    """Keep what was known where there is none now, and the first commits that were asked for: they never change."""
    known = Repository() if before is None else before.repository
    return known if seen is None else msgspec.structs.replace(seen, roots=known.roots)
