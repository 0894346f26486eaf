"""What a look at the agents' directories means for the vault: what is gone there and stays here, what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.agents.base import Agent, Fingerprint, Home, SourceRef
from holdfast_core.index.database import KEPT_INODE
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.scan.discover import Discovery, Kind, SourceChange, is_kept, is_visible
from holdfast_core.scan.homes import is_let_go, is_silent

if TYPE_CHECKING:
    from holdfast_core.vault.looks import Look, Looks

_MINUTE_MS = 60_000


class Adopting:
    """Goes through one look. ``is_wanted`` says whether a source is to be captured that the index knows already."""

    def __init__(
        self, found: Discovery, looks: Looks, is_wanted: Callable[[SourceRef], bool], *, database_minutes: float
    ) -> None:
        self._found = found
        self._looks = looks
        self._is_wanted = is_wanted
        self._database_ms = database_minutes * _MINUTE_MS
        self._now_ms = clock.now_ms()

    def agent(self, agent: Agent, home: Home, *, is_whole: bool) -> None:
        """Go through what was found of one agent; ``is_whole`` says that all of it was looked through."""
        if agent.id == HELD_AGENT:
            return
        if not is_whole:
            keys = self._found.gone.get(agent.id, ())
            self._keep(agent, {key: look for key in keys if (look := self._looks.at(agent.id, key))})
            return
        looks = self._looks.of(agent.id)
        self._keep(agent, looks)
        self._return(agent, home, looks)
        self._forget(agent, looks)
        self._capture(agent, looks)

    def _keep(self, agent: Agent, looks: Mapping[str, Look]) -> None:
        """Let what is gone at its source be read from the vault."""
        gone = self._found.gone.get(agent.id, [])
        for key in gone:
            if key in looks:
                self._add(agent.id, key, looks[key], "kept")
        left = [key for key in gone if key not in looks]
        if left:
            self._found.gone[agent.id] = left
        else:
            self._found.gone.pop(agent.id, None)

    def _return(self, agent: Agent, home: Home, looks: Mapping[str, Look]) -> None:
        """Show what the vault alone knows: the index is new, or a directory that was away is there again."""
        seen = {ref.key for ref in self._found.refs.get(agent.id, ())}
        unseen = self._found.unseen.get(agent.id, {})
        done = {change.ref.key for change in self._found.kept if change.ref.agent == agent.id}
        visible: dict[Path, bool] = {}
        for key, look in looks.items():
            if key in seen or key in done or is_let_go(agent, key):
                continue
            is_known = key in unseen
            if is_known and (look.is_gone or not is_kept(unseen[key])):
                continue
            if not visible:
                visible = dict.fromkeys(agent.away(home), False)
            is_gone = look.is_gone or (not is_silent(agent, key) and is_visible(Path(look.path).parent, visible))
            if is_gone or not is_known:
                self._add(agent.id, key, look, "kept" if is_gone else "away")

    def _forget(self, agent: Agent, looks: Mapping[str, Look]) -> None:
        """Let go of what the person took out of the vault."""
        unseen = self._found.unseen.get(agent.id, {})
        left = [key for key, known in unseen.items() if is_kept(known) and key not in looks]
        if left:
            self._found.gone.setdefault(agent.id, []).extend(left)

    def _capture(self, agent: Agent, looks: Mapping[str, Look]) -> None:
        """Read what the index knows and the vault does not, or not as it is now."""
        changed = {change.ref.key for change in self._found.changes if change.ref.agent == agent.id}
        for ref in self._found.refs.get(agent.id, ()):
            look = looks.get(ref.key)
            if ref.key in changed or (
                look is not None and (look.is_of(ref.fingerprint) or self._is_early(agent, look))
            ):
                continue
            if self._is_wanted(ref):
                self._found.changes.append(SourceChange(ref, "uncaptured", None))

    def _is_early(self, agent: Agent, look: Look) -> bool:
        """Return whether a database would not be captured yet."""
        return agent.continues_rewritten and self._now_ms - look.captured_ms < self._database_ms

    def _add(self, agent: str, key: str, look: Look, kind: Kind) -> None:
        self._found.kept.append(SourceChange(kept_ref(agent, key, look), kind, None))


def kept_ref(agent: str, key: str, look: Look) -> SourceRef:
    """Return the reference by which the index knows a source that is shown from the vault alone."""
    fingerprint = Fingerprint(look.content_bytes, look.fingerprint.modified_ns, KEPT_INODE)
    return SourceRef(agent, key, look.path, fingerprint)
