"""Resume a held session: everything is checked, then it is live; or nothing has changed and the person has choices."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, NotFound, NotNow, ProjectGone, Refused, Untrusted
from holdfast_core.model.held import HeldEntry, HeldSession, SessionConfig, is_held_id
from holdfast_core.model.keeping import Choice, ResumeOutcome
from holdfast_core.model.live import LiveEntry
from holdfast_core.paths import text_path
from holdfast_core.resume import moved
from holdfast_core.resume.place import Place
from holdfast_core.resume.project import Project, chosen_directory, within
from holdfast_core.resume.repositories import Repositories

log = logging.getLogger(__name__)

_SEARCH_SECONDS = 3.0
_NOT_RESUMED = "This session could not be resumed. It is as it was. Check the disk and its permissions, then try again."

_RETRY = Choice("retry", "Try again", "The session is resumed once more. If that fails, too, it stays as it is.")
_PROJECT = Choice(
    "project",
    "Choose its directory",
    "You say where the project is now, and the session is resumed there from now on.",
)
_ADOPT = Choice(
    "adopt", "Adopt it", "You say that the session is to be trusted although its origin is not proven; it can go on."
)
_OTHER = Choice("other", "Pick another session", "The list of sessions opens. This session stays as it is.")
_NEW = Choice(
    "new",
    "Start a new session",
    "A new, empty session starts in the same project if that is there. This session stays as it is.",
)
_SKIP = Choice("skip", "Skip restoring", "Nothing is resumed. The session stays as it is, in the list.")


class NotAdopted(NotNow):
    """An imported session that the person has not adopted."""


class ResumeStore(Protocol):
    """What a resume asks of the store. Used from many threads."""

    def load(self, session_id: str) -> HeldSession:
        """Return a whole session, verified."""

    def create(self, **fields: Any) -> HeldSession:
        """Make a new session."""

    def entry(self, session_id: str) -> HeldEntry:
        """Return what a list knows of a session: how often resuming it has failed in a row, too."""

    def failed(self, session_id: str) -> int:
        """Count one failure more; returns how many there are now."""

    def succeeded(self, session_id: str) -> None:
        """Count from 0 again."""


class ResumeHost(Protocol):
    """What a resume asks of the host of live sessions."""

    async def start(self, session_id: str, *, project: Project | None = None) -> LiveEntry:
        """Make a new session live."""

    async def resume(
        self,
        session_id: str,
        *,
        project: Project | None = None,
        confirm: Callable[[HeldSession], None],
        fields: dict[str, Any],
    ) -> LiveEntry:
        """Make a stored session live if ``confirm``, called when nobody else can, agrees; all or nothing."""


class RateLimit(Protocol):
    """How often sessions may be resumed."""

    def admit(self, key: str, now: float) -> float:
        """Return 0 and count it if ``key`` may go on, else after how many seconds it may."""


class HeldResume:
    """Resumes held sessions, each on one request and never again by itself.

    After ``failures_limit`` failures in a row a session is a problem: it is
    resumed on a person's own request only, never in `restore`.
    ``known_projects`` are directories of other sessions: a project that moved
    may be among them, and ``repositories`` remembers what it is known by.
    """

    def __init__(
        self,
        store: ResumeStore,
        host: ResumeHost,
        rate: RateLimit,
        *,
        failures_limit: int = 3,
        seconds: Callable[[], float] = clock.monotonic_seconds,
        known_projects: Callable[[], Iterable[str]] = tuple,
        repositories: Repositories | None = None,
    ) -> None:
        self._store = store
        self._host = host
        self._rate = rate
        self._failures_limit = failures_limit
        self._seconds = seconds
        self._known_projects = known_projects
        self._repositories = repositories

    def use_failures_limit(self, limit: int) -> None:
        """Follow this limit from now on."""
        self._failures_limit = limit

    async def resume(self, session_id: str, *, project: Path | None = None, is_trusted: bool = False) -> ResumeOutcome:
        """Make a session live: verified, in a directory that was checked before and after, with all that was stored.

        ``project`` is a directory that the person chose: the session has it
        from then on. ``is_trusted`` accepts a directory of someone else. If
        anything is raised nothing is live and the stored session is as before.

        Raises:
            NotNow: it may be resumed, but not now; this counts as no failure.
            Untrusted: its directory is not this person's alone; no failure either.
            ProjectGone: the directory is not there; its candidates are offered.
            NotFound: there is no such session.
            HoldfastError: anything else; the failure was counted.
        """
        _check_id(session_id)
        self._check_rate(session_id)
        try:
            entry = await self._resume(session_id, project, is_trusted=is_trusted)
        except (NotNow, Untrusted):
            raise
        except HoldfastError as error:
            await self._count_failure(session_id, error)
            raise
        except OSError as error:
            await self._count_failure(session_id, error)
            raise HoldfastError(_NOT_RESUMED, detail=str(error)) from error
        await asyncio.to_thread(self._count_success, session_id)
        return _outcome(entry)

    async def restore(self, session_id: str, *, project: str = "") -> ResumeOutcome:
        """Resume a session without being asked, once; after too many failures start a new one in ``project`` instead.

        Raises:
            HoldfastError: as `resume`; it is for the person to choose then.
        """
        _check_id(session_id)
        if (await asyncio.to_thread(self._store.entry, session_id)).failures >= self._failures_limit:
            return await self.new(project=project)
        return await self.resume(session_id)

    async def new(
        self, *, project: str = "", title: str = "", config: SessionConfig | None = None, is_trusted: bool = False
    ) -> ResumeOutcome:
        """Make a new session, whatever is wrong with others; no rate limit and no failure holds it up.

        In ``project`` if that can be used, else in none. If no session can
        become live now it is stored and closed; the outcome says so.

        Raises:
            HoldfastError: nothing can be stored.
        """
        place = await asyncio.to_thread(_usable, project, is_trusted=is_trusted)
        try:
            path = str(place.project.path) if place else ""
            fields = {"title": title, "project_path": path, "config": config or SessionConfig()}
            session = await asyncio.to_thread(lambda: self._store.create(**fields))
            try:
                return _outcome(await self._host.start(session.id, project=place.project if place else None))
            except (HoldfastError, OSError) as error:
                log.info("new session %s is not live: %s", session.id, error)
                return ResumeOutcome(session.id, session.title, session.project_path, 0, is_live=False)
        finally:
            if place:
                place.project.close()

    def choices(self, session_id: str, error: HoldfastError | None = None) -> tuple[Choice, ...]:
        """Return what a person may do after ``error``, likeliest first. Reads a file: not for the thread of a window.

        After too many failures to try again is no longer among them.
        """
        is_astray = isinstance(error, ProjectGone) or self._has_no_project(session_id)
        first = (_ADOPT,) if isinstance(error, NotAdopted) else (_PROJECT,) if is_astray else ()
        if self._is_worn(session_id):
            return (*first, _NEW, _OTHER, _SKIP)
        return (*first, _RETRY, _OTHER, _NEW, _SKIP)

    def automatic(self, entries: Iterable[HeldEntry]) -> list[HeldEntry]:
        """Return which of ``entries`` may be restored by themselves: no problem, adopted, not too many failures."""
        return [
            entry
            for entry in entries
            if entry.state != "problem" and entry.is_verified and entry.failures < self._failures_limit
        ]

    async def _resume(self, session_id: str, project: Path | None, *, is_trusted: bool) -> LiveEntry:
        document = await asyncio.to_thread(self._load, session_id)
        if not document.origin.is_verified:
            raise NotAdopted("It is not proven where this session comes from. Adopt it first, then it can go on.")
        place = await asyncio.to_thread(self._place, document, project, is_trusted=is_trusted)
        path = str(place.project.path)

        def confirm(stored: HeldSession) -> None:
            if stored.project_path != document.project_path:
                raise NotNow("This session was moved to another directory just now. Try again.")
            place.check_again()

        with place.project:
            return await self._host.resume(
                session_id,
                project=place.project,
                confirm=confirm,
                fields={} if path == document.project_path else {"project_path": path},
            )

    def _load(self, session_id: str) -> HeldSession:
        try:
            return self._store.load(session_id)
        except Refused as error:  # locked, or of a newer version: nothing of it has failed
            raise NotNow(str(error), detail=error.detail) from error

    def _place(self, document: HeldSession, project: Path | None, *, is_trusted: bool) -> Place:
        path = document.project_path if project is None else chosen_directory(project)
        try:
            return Place.open(path, is_trusted=is_trusted)
        except NotFound as error:
            raise ProjectGone(
                "The directory of this session is gone. Choose where the project is now.",
                path=path,
                candidates=self._candidates(path, document),
            ) from error

    def _candidates(self, path: str, document: HeldSession) -> tuple[str, ...]:
        files = [touched.path for touched in document.files_accessed]
        known = list(self._known_projects())
        repository = self._repositories.of(path) if self._repositories is not None else None
        try:
            return within(
                _SEARCH_SECONDS,
                lambda: moved.find_candidates(
                    path, known_projects=known, files=files, branch=document.origin.branch, repository=repository
                ),
            )
        except TimeoutError:
            return ()

    def _is_worn(self, session_id: str) -> bool:
        try:
            return is_held_id(session_id) and self._store.entry(session_id).failures >= self._failures_limit
        except (HoldfastError, OSError):
            return False

    def _check_rate(self, session_id: str) -> None:
        wait = self._rate.admit(session_id, self._seconds())
        if wait > 0:
            raise NotNow(f"Sessions were resumed too often. Try again in {math.ceil(wait)} seconds.")

    def _has_no_project(self, session_id: str) -> bool:
        try:
            return is_held_id(session_id) and not self._store.entry(session_id).project_path
        except (HoldfastError, OSError):
            return False

    async def _count_failure(self, session_id: str, error: HoldfastError | OSError) -> None:
        detail = error.detail if isinstance(error, HoldfastError) else ""
        log.info("session %s was not resumed: %s", session_id, detail or error)
        try:
            await asyncio.to_thread(self._store.failed, session_id)
        except NotFound:
            return
        except (HoldfastError, OSError) as another:
            log.error("the failure of session %s could not be counted: %s", session_id, another)

    def _count_success(self, session_id: str) -> None:
        try:
            self._store.succeeded(session_id)
        except (HoldfastError, OSError) as error:
            log.error("the failures of session %s could not be set back: %s", session_id, error)


def resumable(entries: Iterable[HeldEntry], live: Iterable[LiveEntry]) -> list[HeldEntry]:
    """Return the sessions that can be resumed now: not live, no problem, their project in no live session."""
    lives = list(live)
    ids = {entry.id for entry in lives}
    projects = {entry.project_path for entry in lives if entry.project_path}
    return [
        entry
        for entry in entries
        if entry.state not in ("live", "problem")
        and entry.id not in ids
        and text_path(entry.project_path) not in projects
    ]


def _usable(path: str, *, is_trusted: bool) -> Place | None:
    if not path:
        return None
    try:
        return Place.open(path, is_trusted=is_trusted)
    except (HoldfastError, OSError) as error:
        log.info("a new session has no project: %s", error)
        return None


def _check_id(session_id: str) -> None:
    if not is_held_id(session_id):
        raise NotFound("There is no such session.", detail=repr(session_id)[:200])


def _outcome(entry: LiveEntry) -> ResumeOutcome:
    return ResumeOutcome(entry.id, entry.title, entry.project_path, entry.message_count)
