"""A long and mixed use of Holdfast as one writer: many sessions, and all that is kept beside them.

What each step must leave is told by a model of plain values that is made before the first step. What is on the disk
is held against it: it has to be the state after a step that was promised or the one that was begun.
"""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from holdfast_core.audit import AuditLog
from holdfast_core.model.held import HeldSession
from holdfast_core.model.message import Message, Text
from holdfast_core.sealed.keys import Keys
from holdfast_core.settings import change_setting, read_settings, reset_settings
from holdfast_core.store.annotations import Annotations, editing, keep
from holdfast_core.store.journal import Journal
from holdfast_core.store.limits import Limits
from holdfast_core.store.store import Store

from tests.faults.database import recorded_database
from tests.faults.held_writers import quiet
from tests.faults.keeping_writers import old_sessions
from tests.faults.story import Save, Story, Writer
from tests.faults.writers import paths_below

_STEPS: Final = 24
_MOST_BYTES: Final = 3000
_AUDIT_KEY: Final = b"k" * 32
_AUDIT_FILE_BYTES: Final = 700
_NOTED: Final = "claude_code:one"
_DAMAGED: Final = 0
_YEARS_DAYS: Final = 3650
_SESSIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """What must be found of one session."""

    title: str = ""
    tags: tuple[str, ...] = ()
    starred: bool = False
    notes: str = ""
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that must be found after a step. What is in the trash has to come back as it was."""

    sessions: dict[str, Kept] = field(default_factory=dict)
    trash: dict[str, Kept] = field(default_factory=dict)
    keys: int = 1
    setting: int = 0
    audited: int = 0
    note: str = ""

    def with_session(self, session_id: str, kept: Kept) -> Facts:
        """Return the facts with a session as it is now."""
        return replace(self, sessions={**self.sessions, session_id: kept})


@dataclass(slots=True)
class Opened:
    """What one process has open while it works."""

    root: Path
    store: Store
    keys: Keys
    log: AuditLog
    journal: Journal | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and what must be found after it; without a promise only when a later step was acknowledged."""

    work: Callable[[Opened], object]
    after: Facts
    is_promised: bool = True


class LongUse(Writer):
    """Several sessions and what stands beside them, changed in every way that there is, in an order that is drawn."""

    seconds = 0.3
    databases = ("sessions/manifest.db", "sessions/manifest.db-wal")

    def __init__(self, seed: int) -> None:
        """Draw by ``seed``."""
        self._seed = seed
        self._steps: list[Step] = []
        self._before = Facts()

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"LongUse {self._seed}"

    @property
    def saves(self) -> int:  # type: ignore[override]  # known when it is prepared
        """How many steps there are."""
        return len(self._steps)

    @property
    def most(self) -> int:  # type: ignore[override]  # known when it is prepared
        """How many steps there are."""
        return len(self._steps)

    def prepare(self, root: Path) -> None:
        """Make some sessions, one of an earlier schema and one that is damaged and has a backup."""
        chance = random.Random(self._seed)
        paths_below(root).create()
        change_setting(paths_below(root), "tray_sessions", 0)
        keep(root / "annotations.db", [_NOTED], editing({"note": ""}))
        opened = _opened(root)
        self._before = Facts()
        for number in range(_SESSIONS):
            made, title = str(uuid.UUID(int=chance.getrandbits(128), version=4)), f"first {number}"
            opened.store.create(id=made, title=title, messages=_messages(chance, number, 2))
            kept = Kept(title=title, messages=(f"{number}.0", f"{number}.1"))
            self._before = self._before.with_session(made, kept)
        damaged = list(self._before.sessions)[_DAMAGED]
        opened.store.backup([damaged])
        for old in old_sessions(opened.store, versions=(1, 3)):
            self._before = self._before.with_session(old.id, _kept(old))
        place = opened.store.site.places.session(damaged)
        opened.store.shut()
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.write_bytes(content)
        self._steps = list(_Plan(chance, self._before).steps())

    def open(self, root: Path) -> Save:
        """Return what takes one step after the other."""
        opened = _opened(root)

        def save(number: int) -> bool:
            step = self._steps[number - 1]
            with quiet():
                step.work(opened)
            return step.is_promised

        return save

    def read(self, root: Path) -> int | None:
        """Return the last step after which it looks like what is there."""
        return self.reads(root, Story())

    def reads(self, root: Path, story: Story) -> int | None:
        """Return the step after which it looks like what is there, if possible one that may be there."""
        found = _found(root)
        same = [number for number in range(len(self._steps) + 1) if self._after(number) == found]
        allowed = [number for number in same if story.lowest <= number <= story.highest]
        return (allowed or same or [None])[-1]

    def _after(self, number: int) -> Facts:
        return self._steps[number - 1].after if number else self._before


class _Plan:
    """Draws steps that make sense where they stand."""

    def __init__(self, chance: random.Random, before: Facts) -> None:
        self._chance = chance
        self._facts = before
        self._steps: list[Step] = []
        self._number = 0

    def steps(self) -> list[Step]:
        kinds = [
            self._create, self._append, self._set, self._whole, self._annotate, self._journal, self._delete,
            self._undelete, self._empty, self._restore, self._rotate, self._setting, self._audit, self._note,
            self._again, self._retire, self._migrate, self._rescue, self._close, self._prune,
        ]  # fmt: skip
        self._chance.shuffle(kinds)
        for number in range(_STEPS):
            self._number = number + 1
            kinds[number % len(kinds)]()
        return self._steps

    def _add(self, work: Callable[[Opened], object], after: Facts | None = None, *, is_promised: bool = True) -> None:
        self._facts = after or self._facts
        self._steps.append(Step(work, self._facts, is_promised))

    def _change(self, work: Callable[[Opened, str], object], *, is_promised: bool = True, **changes: Any) -> str:
        """Change one session that is in the list, with what must be found of it afterwards."""
        chosen = self._chance.choice(list(self._facts.sessions))
        self._change_this(chosen, work, is_promised=is_promised, **changes)
        return chosen

    def _change_this(
        self, chosen: str, work: Callable[[Opened, str], object], *, is_promised: bool = True, **changes: Any
    ) -> None:
        after = self._facts.with_session(chosen, replace(self._facts.sessions[chosen], **changes))
        self._add(lambda opened: work(opened, chosen), after, is_promised=is_promised)

    def _text(self) -> str:
        return f"step {self._number}"

    def _create(self) -> None:
        made, title = str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), self._text()
        messages = _messages(self._chance, self._number, self._chance.randrange(4))
        kept = Kept(title=title, messages=tuple(one.id for one in messages))
        self._add(
            lambda opened: opened.store.create(id=made, title=title, messages=messages),
            self._facts.with_session(made, kept),
        )

    def _append(self) -> None:
        chosen = self._chance.choice(list(self._facts.sessions))
        for part in range(2):
            messages = _messages(self._chance, self._number * 10 + part, self._chance.randrange(1, 4))
            self._appended(chosen, messages, lambda opened, one, more: opened.store.append(one, more))

    def _appended(
        self,
        chosen: str,
        messages: tuple[Message, ...],
        work: Callable[[Opened, str, tuple[Message, ...]], object],
        *,
        is_promised: bool = True,
    ) -> None:
        all_of_it = (*self._facts.sessions[chosen].messages, *(one.id for one in messages))
        self._change_this(
            chosen, lambda opened, one: work(opened, one, messages), is_promised=is_promised, messages=all_of_it
        )

    def _set(self) -> None:
        text = self._text()
        self._change(lambda opened, one: opened.store.set(one, notes=text), notes=text)

    def _whole(self) -> None:
        text = self._text()

        def work(opened: Opened, one: str) -> None:
            opened.store.save(msgspec.structs.replace(opened.store.load(one), title=text))

        self._change(work, title=text)

    def _annotate(self) -> None:
        title, tag = self._text(), f"tag-{self._number}"
        chosen = self._change(lambda opened, one: opened.store.rename(one, title), title=title)
        tags = tuple(sorted((*self._facts.sessions[chosen].tags, tag)))
        self._change_this(chosen, lambda opened, one: opened.store.tag(one, add=[tag]), tags=tags)
        self._change_this(chosen, lambda opened, one: opened.store.star(one), starred=True)

    def _journal(self) -> None:
        """Add to a session that is open: what was not flushed may be lost, together or in part."""
        chosen = self._chance.choice(list(self._facts.sessions))
        self._add(lambda opened: _open_journal(opened, chosen))
        for part in range(self._chance.randrange(2, 5)):
            messages = _messages(self._chance, self._number * 10 + part, self._chance.randrange(1, 3))
            self._appended(
                chosen, messages, lambda opened, _, more: _journal_of(opened).append(more), is_promised=False
            )
        self._add(lambda opened: _journal_of(opened).flush())
        if self._chance.random() < 0.5:
            self._add(lambda opened: _journal_of(opened).fold(always=True))
        self._add(_close_journal)

    def _delete(self) -> None:
        if len(self._facts.sessions) > 2:
            chosen = self._chance.choice(list(self._facts.sessions))
            self._add(lambda opened: opened.store.delete([chosen]), self._thrown(chosen))

    def _thrown(self, chosen: str) -> Facts:
        left = {one: kept for one, kept in self._facts.sessions.items() if one != chosen}
        return replace(self._facts, sessions=left, trash={**self._facts.trash, chosen: self._facts.sessions[chosen]})

    def _undelete(self) -> None:
        self._delete()
        chosen, left = self._taken_out()
        after = replace(self._facts, trash=left).with_session(chosen, self._facts.trash[chosen])
        self._add(lambda opened: opened.store.undelete([chosen]), after)

    def _empty(self) -> None:
        self._delete()
        chosen, left = self._taken_out()
        self._add(lambda opened: opened.store.empty_trash([chosen]), replace(self._facts, trash=left))

    def _taken_out(self) -> tuple[str, dict[str, Kept]]:
        chosen = self._chance.choice(list(self._facts.trash))
        return chosen, {one: kept for one, kept in self._facts.trash.items() if one != chosen}

    def _restore(self) -> None:
        """Back up, change, and take the change back."""
        text, before = self._text(), self._facts
        chosen = self._chance.choice(list(before.sessions))
        self._add(lambda opened: opened.store.backup([chosen]))
        self._change_this(chosen, lambda opened, one: opened.store.set(one, notes=text), notes=text)
        self._add(lambda opened: opened.store.restore(chosen), before)

    def _rotate(self) -> None:
        self._add(lambda opened: opened.keys.rotate(), replace(self._facts, keys=self._facts.keys + 1))

    def _setting(self) -> None:
        number = self._number
        self._add(
            lambda opened: change_setting(paths_below(opened.root), "tray_sessions", number),
            replace(self._facts, setting=number),
        )

    def _audit(self) -> None:
        for _ in range(5):  # some fill a file
            count = self._facts.audited + 1
            self._add(partial(_record, count), replace(self._facts, audited=count))

    def _note(self) -> None:
        text = self._text()
        self._add(partial(_keep_note, text), replace(self._facts, note=text))

    def _again(self) -> None:
        self._add(_start_again)

    def _retire(self) -> None:
        """Make a session of long ago, and let the limit of age send it to the trash."""
        made, title = str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), self._text()
        after = self._facts.with_session(made, Kept(title=title))
        self._add(lambda opened: opened.store.create(id=made, title=title, created_ms=1, updated_ms=1), after)
        self._add(_clean, self._thrown(made))

    def _migrate(self) -> None:
        self._add(lambda opened: opened.store.migrate())

    def _rescue(self) -> None:
        """Read every session: the damaged one gives way to its backup if nothing else came upon it before."""
        wanted = list(self._facts.sessions)
        self._add(lambda opened: [opened.store.load(one) for one in wanted])

    def _close(self) -> None:
        self._change(lambda opened, one: opened.store.close(one))

    def _prune(self) -> None:
        self._add(lambda opened: opened.store.prune_backups())


def _opened(root: Path) -> Opened:
    keys = Keys.open(root / "keys")
    log = AuditLog.open(root / "audit.log", _AUDIT_KEY, limit_bytes=_AUDIT_FILE_BYTES, keep_files=100)
    return Opened(root, Store.open(root / "sessions", keys, limits=Limits(backups_kept=3)), keys, log)


def _messages(chance: random.Random, number: int, count: int) -> tuple[Message, ...]:
    """Return messages that no compression makes smaller."""
    return tuple(
        Message(f"{number}.{part}", "user", (Text(_noise(chance, chance.randrange(_MOST_BYTES))),))
        for part in range(count)
    )


def _noise(chance: random.Random, size: int) -> str:
    return base64.b64encode(chance.randbytes(size)).decode()


def _open_journal(opened: Opened, session_id: str) -> None:
    opened.journal = opened.store.open_journal(session_id)


def _journal_of(opened: Opened) -> Journal:
    assert opened.journal is not None
    return opened.journal


def _close_journal(opened: Opened) -> None:
    _journal_of(opened).close()
    opened.journal = None


def _record(number: int, opened: Opened) -> None:
    opened.log.record("save", str(number))


def _keep_note(text: str, opened: Opened) -> None:
    with recorded_database():
        keep(opened.root / "annotations.db", [_NOTED], editing({"note": text}))


def _start_again(opened: Opened) -> None:
    """End the process and start it anew, as far as the disk knows."""
    opened.store.shut()
    again = _opened(opened.root)
    opened.store, opened.keys, opened.log = again.store, again.keys, again.log
    opened.store.check()


def _clean(opened: Opened) -> None:
    site = opened.store.site
    usual, site.limits = site.limits, msgspec.structs.replace(site.limits, stored_age_days=_YEARS_DAYS)
    opened.store.retention(apply=True)
    site.limits = usual


def _found(root: Path) -> Facts | None:
    """Start anew and return what is there; None if something does not verify."""
    with quiet():
        opened = _opened(root)
        opened.store.check()
        facts = _facts(opened)
        opened.store.shut()
    return facts


def _facts(opened: Opened) -> Facts | None:
    store, root = opened.store, opened.root
    trashed = [entry.id for entry in store.trash()]
    sessions = {entry.id: _kept(store.load(entry.id)) for entry in store.entries()}
    backups = [one for session_id in sessions for one in store.backups(session_id)]
    if sessions.keys() & set(trashed) or store.verify().bad or not all(one.is_valid for one in backups):
        return None
    store.undelete(trashed)
    read = read_settings(paths_below(root), {})
    reset_settings(paths_below(root), ())  # the next change takes away what a killed one left
    newest = opened.log.read(1)
    if read.problems or opened.log.verify() is not None:
        return None
    with Annotations.open(root / "annotations.db") as notes:
        note = notes.get(_NOTED).note
    return Facts(
        sessions=sessions,
        trash={one: _kept(store.load(one)) for one in trashed},
        keys=len(opened.keys.states()),
        setting=read.settings.tray_sessions,
        audited=int(newest[0].subject) if newest else 0,
        note=note,
    )


def _kept(session: HeldSession) -> Kept:
    return Kept(session.title, session.tags, session.starred, session.notes, tuple(one.id for one in session.messages))
