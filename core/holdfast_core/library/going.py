"""The live sessions of a library: their host, and what resumes held sessions into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from holdfast_core.errors import NotFound, ProjectGone
from holdfast_core.live.host import Host, HostLimits
from holdfast_core.live.limits import RateLimits
from holdfast_core.model.keeping import ResumeOutcome
from holdfast_core.resume.held import HeldResume
from holdfast_core.resume.project import open_project
from holdfast_core.resume.repositories import Repositories

if TYPE_CHECKING:
    from holdfast_core.library.parts import Parts
    from holdfast_core.settings import Settings


class Going:
    """What is live in this process. ``projects`` are directories of other sessions, where a moved one may be."""

    def __init__(self, parts: Parts) -> None:
        self.projects: list[str] = []
        self._store = parts.store()
        settings = parts.settings
        self.host = Host(self._store, _limits(settings), locks=self._store.site.places.locks, metrics=parts.metrics)
        self._rate = RateLimits(**_rate(settings))
        self.resumer = HeldResume(
            self._store,
            self.host,
            self._rate,
            failures_limit=settings.resume_failures,
            known_projects=lambda: self.projects,
            repositories=Repositories(parts.paths.repositories),
        )

    def use_settings(self, settings: Settings) -> None:
        """Follow these settings from now on, in what is live too."""
        self.host.use_limits(_limits(settings))
        self._rate.use(**_rate(settings))
        self.resumer.use_failures_limit(settings.resume_failures)

    def is_live(self, session_id: str) -> bool:
        """Return whether a session is live in this process."""
        return any(entry.id == session_id for entry in self.host.entries())

    def checked(self, session_id: str, project: Path | None, *, is_trusted: bool) -> ResumeOutcome:
        """Return what a resume would make live, having checked the session and its directory; nothing has happened.

        Raises:
            ProjectGone: the directory is not there.
            Refused: it is unsafe.
        """
        session = self._store.load(session_id)
        path = session.project_path if project is None else str(project.absolute())
        try:
            with open_project(path, is_trusted=is_trusted) as opened:
                place = str(opened.path)
        except NotFound as error:
            raise ProjectGone(
                "The directory of this session is gone. Choose where the project is now.", path=path, candidates=()
            ) from error
        return ResumeOutcome(session.id, session.title, place, len(session.messages), is_live=False)


class _Rate(TypedDict):
    limit: int
    limit_all: int
    seconds: float


def _rate(settings: Settings) -> _Rate:
    return _Rate(
        limit=settings.resume_limit, limit_all=settings.resume_limit_all, seconds=settings.resume_window_seconds
    )


def _limits(settings: Settings) -> HostLimits:
    return HostLimits(
        live=settings.live_limit,
        autosave_seconds=settings.autosave_seconds,
        idle_minutes=settings.idle_minutes,
        idle_warning_minutes=settings.idle_warning_minutes,
    )
