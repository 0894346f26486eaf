"""Whatever is done to a store in whatever order: what is read is what was written, and the list says so."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.errors import NotFound, Refused, WrongUsage
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.held import HeldSession, Version
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.fitting import MAX_MS
from holdfast_core.store.store import Store
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tests.core.store.shapes import messages, sessions, texts
from tests.core.store.support import a_store, made, said, some_id
from tests.core.store.test_journal import listed_as_stored

ONE = some_id(1)
NOWHERE = "0b8f2f4e-94b1-4d0a-9c33-5d6a3c1e7f00"


class AnyOrder(RuleBasedStateMachine):
    """A store and what is known to be in it."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.known: dict[str, HeldSession] = {}
        self.deleted: dict[str, HeldSession] = {}
        self.store = self._open()

    def _open(self) -> Store:
        top = Path(self.folder.name)
        return Store.open(top / "sessions", Keys.open(top / "keys"))

    def teardown(self) -> None:
        self.store.shut()
        self.folder.cleanup()

    @rule(target=ids, session=sessions)
    def create(self, session: HeldSession) -> str:
        if session.id in self.known or session.id in self.deleted:
            return session.id
        verified = msgspec.structs.replace(session.origin, is_verified=True)
        given_ms = {"created_ms": session.created_ms or 1, "updated_ms": session.updated_ms or 1}
        session = msgspec.structs.replace(session, origin=verified, **given_ms)
        self.known[session.id] = self.store.create(session)
        assert self.known[session.id] == session
        return session.id

    def _changed(self, session_id: str, **fields: Any) -> None:
        before = self.known[session_id]
        now = self.store.load(session_id)
        assert now.updated_ms > before.updated_ms or now.updated_ms == MAX_MS
        assert now == msgspec.structs.replace(before, updated_ms=now.updated_ms, **fields)
        self.known[session_id] = now

    @rule(session_id=ids, added=st.lists(messages(), min_size=1, max_size=3))
    def append(self, session_id: str, added: list[Any]) -> None:
        if session_id in self.known:
            entry = self.store.append(session_id, added)
            before = self.known[session_id].messages
            self._changed(session_id, messages=(*before, *added), usage=entry.usage)

    @rule(session_id=ids, starred=st.booleans(), text=texts)
    def change(self, session_id: str, starred: bool, text: str) -> None:
        if session_id in self.known:
            self.store.set(session_id, starred=starred, notes=text)
            self._changed(session_id, starred=starred, notes=text)

    @rule(session_id=ids, text=texts)
    def save(self, session_id: str, text: str) -> None:
        if session_id in self.known:
            self.store.save(msgspec.structs.replace(self.known[session_id], title=text))
            self._changed(session_id, title=text)

    @rule(session_id=ids)
    def close(self, session_id: str) -> None:
        if session_id in self.known:
            entry = self.store.close(session_id)
            self._changed(session_id, is_live=False, closed_ms=entry.closed_ms)

    @rule(session_id=consumes(ids))
    def delete(self, session_id: str) -> None:
        if session_id in self.known and self.store.state(session_id) != "live":
            self.store.delete([session_id])
            self.deleted[session_id] = self.known.pop(session_id)

    @rule()
    def undelete(self) -> None:
        if self.deleted:
            self.store.undelete(list(self.deleted))
            self.known |= self.deleted
            self.deleted = {}

    @rule()
    def open_again(self) -> None:
        self.store.shut()
        self.store = self._open()
        found = self.store.check()
        assert (found.orphaned_files, found.orphaned_entries, found.truncated, found.rolled_back) == ((), (), (), False)

    @invariant()
    def everything_is_there(self) -> None:
        assert {entry.id for entry in self.store.entries()} == set(self.known)
        for session_id, session in self.known.items():
            assert self.store.load(session_id) == session
        listed_as_stored(self.store)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=100, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize(
    "session_id", ["../../etc/passwd", "", "x" * 500, "0B8F2F4E-94B1-4D0A-9C33-5D6A3C1E7F00", "/etc", "a\x00b", "-rf"]
)
def test_g5_what_is_no_id_is_refused_before_anything_is_opened(tmp_path: Path, session_id: str):
    with a_store(tmp_path) as store:
        before = sorted(path.name for path in tmp_path.rglob("*"))
        for use in (store.load, store.open_journal, store.close, store.entry, store.backups, store.fork):
            with pytest.raises(WrongUsage, match="not the id"):
                use(session_id)
        with pytest.raises(WrongUsage):
            store.create(HeldSession(id=session_id))

        assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_what_is_not_there_is_not_found(tmp_path: Path):
    with a_store(tmp_path) as store:
        for use in (store.load, store.open_journal, store.close, store.entry, store.fork, store.failed, store.restore):
            with pytest.raises(NotFound):
                use(NOWHERE)


def test_an_id_is_used_once(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)

        with pytest.raises(Refused):
            made(store, 1, title="Other")

        assert store.load(ONE).title == "Session 1"


def test_a_save_of_what_somebody_has_changed_is_refused_if_that_is_asked_for(tmp_path: Path):
    with a_store(tmp_path) as store:
        session = made(store, 1)
        seen = store.version(ONE)
        store.rename(ONE, "Changed")

        with pytest.raises(Refused, match="changed elsewhere"):
            store.save(session, expected=seen)

        assert store.load(ONE).title == "Changed"
        assert store.save(session, expected=store.version(ONE)).title == "Session 1"
        assert store.version(ONE) == Version(2, 0)


def test_a_fork_has_an_id_of_its_own_and_knows_where_it_came_from(tmp_path: Path):
    with a_store(tmp_path) as store:
        before = made(store, 1, messages=tuple(said(number) for number in range(4)), starred=True)

        copy = store.fork(ONE, at=2)

        assert store.load(copy.id) == copy
        assert (copy.messages, copy.title) == (before.messages[:2], before.title)
        assert (copy.origin.kind, copy.origin.parent_id) == ("forked", ONE)
        assert not copy.starred
        assert store.load(ONE) == before


def test_what_is_said_of_a_session_is_kept_in_one_form(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)

        store.annotate(ONE, title=" A \n title ", tags=["#Two", "one two"], note="Note\n", starred=True)
        store.tag(ONE, add=["three"], remove=["two"])

        found = store.load(ONE)
        assert (found.title, found.tags, found.notes, found.starred) == (
            "A title",
            ("one-two", "three"),
            "Note\n",
            True,
        )
        with pytest.raises(WrongUsage):
            store.tag(ONE, add=["a,b"])


def test_every_change_is_told(tmp_path: Path):
    with a_store(tmp_path) as store:
        told: list[ChangeSet] = []
        store.changes.add(told.append)
        made(store, 1)
        store.rename(ONE, "x")
        store.delete([ONE])
        store.undelete([ONE])

        assert told == [
            ChangeSet(added=(ONE,)),
            ChangeSet(changed=(ONE,)),
            ChangeSet(removed=(ONE,)),
            ChangeSet(added=(ONE,)),
        ]


def test_a_directory_that_is_not_there_is_made_for_this_person_alone(tmp_path: Path):
    with a_store(tmp_path / "deep" / "er") as store:
        made(store, 1)

        modes = {path.stat().st_mode & 0o777 for path in store.site.places.directory.rglob("*") if path.is_file()}
        assert modes == {0o600}
        assert store.site.places.directory.stat().st_mode & 0o777 == 0o700


def test_tags_that_nobody_could_give_here_stand_in_the_way_of_nothing(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, tags=("a, b", "Plan"))

        store.note(ONE, "A note")
        store.tag(ONE, add=["new"], remove=["plan"])

        assert (store.load(ONE).notes, store.load(ONE).tags) == ("A note", ("new", "a, b"))
        store.annotate(ONE, tags=["one"])
        assert store.load(ONE).tags == ("one",)
