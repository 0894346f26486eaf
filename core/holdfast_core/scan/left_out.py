"""What the person does not want in the vault: ``agent:…``, ``project:…``, ``kind:…``, as in the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from holdfast_core.agents.base import Reading, SourceRef
from holdfast_core.index.writer import IndexWriter


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The texts of the setting."""

    texts: tuple[str, ...] = ()

    def has_agent(self, agent: str) -> bool:
        """Return whether all of an agent is left out."""
        return f"agent:{agent}" in self.texts

    def has_all(self, reading: Reading) -> bool:
        """Return whether all that was read of a source is left out: what holds anything else too is captured whole."""
        return self.has_sessions((one.facts.kind, one.facts.project_path) for one in reading.sessions)

    def has_sessions(self, sessions: Iterable[tuple[str, str]]) -> bool:
        """Return whether each of these, by its kind and project, is left out; False for none."""
        return bool(self.texts) and self._has_each(sessions)

    def wanted(self, writer: IndexWriter) -> Callable[[SourceRef], bool]:
        """Return what says of a source that the index knows whether it is to be captured."""
        if not self.texts:
            return lambda ref: True
        known: dict[str, dict[str, list[tuple[str, str]]]] = {}

        def is_wanted(ref: SourceRef) -> bool:
            if self.has_agent(ref.agent):
                return False
            if ref.agent not in known:
                known[ref.agent] = writer.sessions_in(ref.agent)
            return not self._has_each(known[ref.agent].get(ref.key, ()))

        return is_wanted

    def _has_each(self, sessions: Iterable[tuple[str, str]]) -> bool:
        found = list(sessions)
        return bool(found) and all(self._has(kind, project) for kind, project in found)

    def _has(self, kind: str, project: str) -> bool:
        if f"kind:{kind}" in self.texts:
            return True
        places = [text.removeprefix("project:") for text in self.texts if text.startswith("project:")]
        return bool(project) and any(Path(project).is_relative_to(place) for place in places)
