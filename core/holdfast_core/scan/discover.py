"""Finds what changed at the agents' sources, from directory entries alone."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from holdfast_core.agents.base import Agent, Checkpoint, Fingerprint, Home, SourceRef
from holdfast_core.index.database import KEPT_INODE
from holdfast_core.index.writer import IndexWriter, Known
from holdfast_core.model.changes import ScanFailure
from holdfast_core.scan.homes import InHomes, is_let_go, is_silent

log = logging.getLogger(__name__)

RECENT = 500
DOES_NOT_ANSWER = "does not answer"
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})

# grown: also a file that only moved; uncaptured: the index has it and the vault has not; kept: it is gone and stands in
# the vault; away: likewise, but it may only not be seen now.
Kind = Literal["new", "grown", "changed", "shrunk", "uncaptured", "kept", "away"]


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A source to be read. ``checkpoint`` is None where it must be read from its start.

    ``before`` is what it looked like when it gave that.
    """

    ref: SourceRef
    kind: Kind
    checkpoint: Checkpoint | None
    before: Fingerprint | None = None

    @property
    def bytes_to_read(self) -> int:
        """The bytes that reading it takes, as far as its size tells."""
        start = 0 if self.checkpoint is None else self.checkpoint.offset
        return max(0, self.ref.fingerprint.size_bytes - start)


@dataclass(slots=True)
class Discovery:
    """What one look at the agents' directories gave.

    ``changes`` stand newest first. ``gone`` are keys by agent of sources that
    are certainly no more; ``let_go`` those in homes that the person wants to be
    looked in no more. ``recent`` are the newest sources, changed or not.
    ``refs`` are all that were seen, by agent, ``unseen`` the keys of those that
    the index knows and that were not; ``kept`` are read from the vault;
    ``moved`` are keys by which sources are known that have another one now.
    """

    changes: list[SourceChange] = field(default_factory=list)
    gone: dict[str, list[str]] = field(default_factory=dict)
    let_go: dict[str, list[str]] = field(default_factory=dict)
    failures: list[ScanFailure] = field(default_factory=list)
    recent: list[SourceRef] = field(default_factory=list)
    refs: dict[str, list[SourceRef]] = field(default_factory=dict)
    unseen: dict[str, dict[str, Known]] = field(default_factory=dict)
    kept: list[SourceChange] = field(default_factory=list)
    moved: dict[str, list[str]] = field(default_factory=dict)

    @property
    def bytes_total(self) -> int:
        """The bytes that reading all changes takes at most."""
        return sum(change.bytes_to_read for change in self.changes)


def discover(agents: Mapping[str, Agent], home: Home, writer: IndexWriter, *, full: bool = False) -> Discovery:
    """Compare everything at the agents' roots with what the index knows.

    With ``full`` every source counts as changed. An agent whose directories
    cannot be read is a failure; none of its sources below them is gone.
    """
    found = Discovery()
    for name, agent in agents.items():
        refs, failures, is_complete = _refs_of(agent, home)
        found.failures.extend(failures)
        unseen = _compare(found, agent, refs, writer.known(name), full=full)
        _judge(found, agent, home, unseen, is_complete=is_complete)
        found.recent.extend(refs)
    found.failures.extend(_silent_homes(agents))
    return _ordered(found)


def discover_at(paths: Sequence[str], agents: Mapping[str, Agent], home: Home, writer: IndexWriter) -> Discovery:
    """Compare what is at or below ``paths`` with what the index knows; the cost grows with them alone.

    Where something seems gone its agent is looked through whole: it may only
    have moved.
    """
    found = Discovery()
    for name, agent in agents.items():
        own = _below(paths, [str(root) for root in agent.roots(home)])
        if not own:
            continue
        try:
            refs = list(agent.refs_for(home, own))
        except OSError as error:
            found.failures.append(_failure(name, error.errno))
            continue
        known = writer.known(name, at=list(dict.fromkeys((*own, *(ref.key for ref in refs)))))
        is_complete = True
        if {key for key, one in known.items() if not is_kept(one)} - {ref.key for ref in refs}:
            refs, failures, is_complete = _refs_of(agent, home)
            found.failures.extend(failures)
            known = writer.known(name)
        unseen = _compare(found, agent, refs, known, full=False)
        _judge(found, agent, home, unseen, is_complete=is_complete)
        found.recent.extend(refs)
    return _ordered(found)


def is_kept(known: Known) -> bool:
    """Return whether a source is shown from the vault alone."""
    return known.fingerprint.inode == KEPT_INODE


def is_missing(path: str) -> bool:
    """Return whether nothing stands at ``path`` any more; False if that cannot be told."""
    try:
        Path(path).lstat()
    except OSError as error:
        return error.errno in _GONE
    return False


def _refs_of(agent: Agent, home: Home) -> tuple[list[SourceRef], list[ScanFailure], bool]:
    """Return an agent's sources, what could not be looked through, and whether the look came to its end."""
    refs: list[SourceRef] = []
    looks = agent.each(home, _troubles) if isinstance(agent, InHomes) else _troubles(agent, home)
    troubles = set(looks)
    is_complete = True
    try:
        refs.extend(agent.discover(home))  # what came before a failure is kept and read
    except OSError as error:
        troubles.add(error.errno or errno.EIO)
        is_complete = False
    return refs, [_failure(agent.id, trouble) for trouble in sorted(troubles)], is_complete


def _troubles(agent: Agent, home: Home) -> list[int]:
    """Return why roots of an agent cannot be read."""
    roots = [] if agent.is_scattered else agent.roots(home)
    return [trouble for root in roots if (trouble := _trouble_at(root))]


def _silent_homes(agents: Mapping[str, Agent]) -> list[ScanFailure]:
    silent = [path for agent in agents.values() if isinstance(agent, InHomes) for path in agent.silent_homes()]
    return [ScanFailure("", DOES_NOT_ANSWER, str(path)) for path in dict.fromkeys(silent)]


def _trouble_at(root: Path) -> int | None:
    """Return why a root, or a directory right below it, cannot be read: a reader passes such over in silence."""
    try:
        with os.scandir(root) as entries:
            directories = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.errno
    return None if all(os.access(directory, os.R_OK | os.X_OK) for directory in directories) else errno.EACCES


def _failure(agent: str, number: int | None) -> ScanFailure:
    reason = errno.errorcode.get(number or 0, "unreadable")
    log.info("a place of %s cannot be looked through: %s", agent, reason)
    return ScanFailure(agent, reason)


def _compare(
    found: Discovery, agent: Agent, refs: Iterable[SourceRef], known: dict[str, Known], *, full: bool
) -> dict[str, Known]:
    """Add what is to be read to ``found``; return what is known and was not seen."""
    unseen = dict(known)
    found.refs[agent.id] = list(refs)
    for ref in found.refs[agent.id]:
        before = unseen.pop(ref.key, None)
        change = _change(ref, before, keeps_checkpoint=agent.continues_rewritten)
        if full:
            change = SourceChange(ref, "changed" if before else "new", None)
        if change is not None:
            found.changes.append(change)
    return unseen


def _change(ref: SourceRef, before: Known | None, *, keeps_checkpoint: bool) -> SourceChange | None:
    if before is None:
        return SourceChange(ref, "new", None)
    old, new = before.fingerprint, ref.fingerprint
    if old == new:
        return None if before.path == ref.path else SourceChange(ref, "grown", before.checkpoint, old)
    if old.inode == new.inode and new.size_bytes > old.size_bytes:
        return SourceChange(ref, "grown", before.checkpoint, old)
    # Another file under the same name, or rewritten in place: what stood before its end may differ.
    checkpoint = before.checkpoint if keeps_checkpoint and old.inode == new.inode else None
    return SourceChange(ref, "shrunk" if new.size_bytes < old.size_bytes else "changed", checkpoint, old)


def _judge(found: Discovery, agent: Agent, home: Home, unseen: Mapping[str, Known], *, is_complete: bool) -> None:
    """Sort unseen sources into those that are wanted no more, that are gone, and that merely cannot be seen."""
    found.unseen[agent.id] = dict(unseen)
    let_go = [key for key in unseen if is_let_go(agent, key)]
    if let_go:
        found.let_go[agent.id] = let_go
    if is_complete:
        away = agent.away(home)
        rest = {key: known for key, known in unseen.items() if not (is_let_go(agent, key) or is_silent(agent, key))}
        rest = {key: known for key, known in rest.items() if not is_kept(known)}
        _judge_gone(found, agent.id, rest, away)


def _judge_gone(found: Discovery, agent: str, unseen: Mapping[str, Known], away: Iterable[Path]) -> None:
    """Note which unseen sources are gone, and whether others merely cannot be seen."""
    seen = dict.fromkeys(away, False)
    gone = [key for key, known in unseen.items() if is_visible(Path(known.path).parent, seen)]
    if len(gone) < len(unseen) and all(failure.agent != agent for failure in found.failures):
        found.failures.append(_failure(agent, None))
    if gone:
        found.gone[agent] = gone


def is_visible(directory: Path, seen: dict[Path, bool]) -> bool:
    """Return whether the absence of something in ``directory`` can be believed."""
    if directory not in seen:
        try:
            os.scandir(directory).close()
            seen[directory] = True
        except OSError as error:
            is_top = directory == directory.parent
            seen[directory] = error.errno in _GONE and (is_top or is_visible(directory.parent, seen))
    return seen[directory]


def _ordered(found: Discovery) -> Discovery:
    found.changes.sort(key=lambda change: change.ref.fingerprint.modified_ns, reverse=True)
    found.recent.sort(key=lambda ref: ref.fingerprint.modified_ns, reverse=True)
    del found.recent[RECENT:]
    return found


def _below(paths: Sequence[str], roots: Sequence[str]) -> list[str]:
    """Return the paths that concern one of ``roots``: below it, or above it (a parent came or went)."""
    return [
        path
        for path in paths
        if any(path == root or path.startswith(root + os.sep) or root.startswith(path + os.sep) for root in roots)
    ]
