"""A host, a store and projects for resuming held sessions, with time that a test moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.live.host import Host
from holdfast_core.live.limits import RateLimits
from holdfast_core.model.held import HeldSession
from holdfast_core.resume.held import HeldResume
from holdfast_core.store.store import Store

from tests.core.live.world import World, said


class HeldWorld(World):
    """A `World` of live sessions whose sessions have projects, and what resumes them."""

    def __init__(self, store: Store, path: Path, **limits: Any) -> None:
        super().__init__(store)
        self.path = path
        self.live = self.host(**limits)
        self.resumes = self.resumer()

    def resumer(self, host: Host | None = None, **rate: Any) -> HeldResume:
        return HeldResume(self.store, host or self.live, RateLimits(**rate), seconds=self.timer.seconds)

    def project(self, name: str = "project") -> Path:
        path = self.path / name
        path.mkdir()
        return path

    def stored(self, name: str = "project", **fields: Any) -> HeldSession:
        fields = {"title": name, "messages": (said("a"), said("b")), "closed_ms": 5} | fields
        fields.setdefault("project_path", str(self.project(name)))
        return self.inner.create(**fields)

    def failures(self, session_id: str) -> int:
        return self.inner.entry(session_id).failures

    def wear_out(self, session_id: str) -> None:
        """Let a session have failed as often as may be."""
        for _ in range(3):
            self.inner.failed(session_id)

    def move_away(self, session: HeldSession) -> Path:
        """Take the project of a session from its place; returns where it is then."""
        project = Path(session.project_path)
        place = self.path / "elsewhere" / project.name
        place.parent.mkdir(exist_ok=True)
        return project.rename(place)
