"""How the vault stands, and what the storage page adds up: by agent, project and kind, at the agents and here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from holdfast_core.model.vault import PartShares, VaultReport, VaultStatus, VaultUse

from holdfast_gui import text
from holdfast_gui.models.places import quoted
from holdfast_gui.text import later, tr

State = Literal["good", "wait", "bad"]
ALL: Final = "place:all"
COMPANION: Final = "companion"
_KINDS: Final[dict[str, tuple[str, str]]] = later(
    {
        "main": ("Sessions", ALL),
        "subagent": ("Subagents", "is:subagent"),
        COMPANION: ("Files of sessions", ""),
    }
)


class Sum(NamedTuple):
    """What one thing takes. ``query_text`` is the list behind it, empty for none."""

    name: str
    query_text: str
    there: int
    here: int
    free: int

    @property
    def words(self) -> str:
        """The figures: at the agent, and here."""
        return tr("{there} there · {here} here").format(there=text.size(self.there), here=text.size(self.here))


def by_agent(uses: Iterable[VaultUse], names: Mapping[str, str]) -> list[Sum]:
    """Return what each agent's sessions take, the largest first; ``names`` are the agents'."""
    return _sums(uses, lambda use: use.agent, lambda agent: (names.get(agent, agent), f"agent:{agent}"))


def by_project(uses: Iterable[VaultUse]) -> list[Sum]:
    """Return what each project's sessions take, the largest first."""
    return _sums(uses, lambda use: use.project, _project)


def by_kind(uses: Iterable[VaultUse]) -> list[Sum]:
    """Return what sessions, subagents and the files that belong to them take, the largest first."""
    return _sums(uses, lambda use: use.kind or "main", _kind)


def total(uses: Iterable[VaultUse]) -> Sum:
    """Return what all of it takes."""
    found = list(uses)
    return Sum(
        "",
        ALL,
        sum(use.source_bytes for use in found),
        sum(use.stored_bytes for use in found),
        sum(use.free_bytes for use in found),
    )


def share_words(parts: PartShares, part_bytes: int) -> str:
    """Return how much of what was sampled something is: ``36 %``, ``under 1 %``."""
    share = 100 * part_bytes / parts.total if parts.total else 0
    return tr("under 1 %") if 0 < share < 1 else f"{share:.0f} %"


def vault_state(status: VaultStatus, report: VaultReport | None, now: datetime) -> tuple[str, State]:
    """Return how the vault is in one line; ``report`` is what verifying has found last, if that was of late."""
    if status.damaged:
        return text.counted(status.damaged, "source is not whole here", "sources are not whole here"), "bad"
    if waits := _waits(status):
        return waits, "wait"
    if not status.versions:
        return tr("nothing is kept yet"), "good"
    versions = text.counted(status.versions, "version", "versions")
    if not status.last_verified_ms:
        return tr("{versions}, not verified yet").format(versions=versions), "good"
    words = tr("{versions}, verified {ago}").format(versions=versions, ago=text.ago(status.last_verified_ms, now))
    if report is not None and report.repaired:
        words = tr("{words}, {count} mended").format(words=words, count=text.count(report.repaired))
    return words, "good"


def rest_of(sums: Sequence[Sum], shown: int) -> str:
    """Return a line about what is not shown; empty if all is."""
    hidden = sums[shown:]
    if not hidden:
        return ""
    size = text.size(sum(one.there for one in hidden))
    return tr("and {count} more, {size} at the agents").format(count=text.count(len(hidden)), size=size)


def _waits(status: VaultStatus) -> str:
    """Return why nothing new is kept; empty if it is."""
    if not status.is_enabled:
        return tr("switched off, nothing new is kept")
    if status.is_locked:
        return tr("locked, nothing new is kept")
    if status.is_paused_for_space or status.free_bytes < status.reserve_bytes:
        return tr("{size} free, nothing new is kept").format(size=text.size(status.free_bytes))
    return ""


def _project(path: str) -> tuple[str, str]:
    if not path:
        return tr("No project"), ""
    return text.project_name(path), f"project:{quoted(path)}"


def _kind(kind: str) -> tuple[str, str]:
    name, query_text = _KINDS.get(kind, (kind, ""))
    return tr(name), query_text


def _sums(
    uses: Iterable[VaultUse], key_of: Callable[[VaultUse], str], told: Callable[[str], tuple[str, str]]
) -> list[Sum]:
    found: dict[str, list[int]] = {}
    for use in uses:
        amounts = found.setdefault(key_of(use), [0, 0, 0])
        for place, amount in enumerate((use.source_bytes, use.stored_bytes, use.free_bytes)):
            amounts[place] += amount
    sums = [Sum(*told(key), *amounts) for key, amounts in found.items()]
    return sorted(sums, key=lambda one: (-one.there - one.here, one.name))
