"""What writes held sessions, as the fault programme sees it: containers, keys, the audit log, the store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from holdfast_core.atomic import remove_stale
from holdfast_core.audit import AuditLog
from holdfast_core.model.message import Message, Text
from holdfast_core.sealed.container import Container, write
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import Identity
from holdfast_core.sealed.tail import Tail
from holdfast_core.store.store import Store

from tests.faults.seeded import decoded, encoded
from tests.faults.story import Save, Writer

IDENTITY = Identity("document", "0")
_AUDIT_KEY = b"k" * 32
_AUDIT_FILE_BYTES = 400


class KeyFiles(Writer):
    """The keys: each save makes a new one the active one."""

    def prepare(self, root: Path) -> None:
        Keys.open(root / "keys")

    def open(self, root: Path) -> Save:
        keys = Keys.open(root / "keys")

        def save(number: int) -> None:
            while len(keys.states()) - 1 < number:
                keys.rotate()

        return save

    def read(self, root: Path) -> int | None:
        keys = Keys.open(root / "keys", may_create=False)
        states = keys.states()
        usable = [keys.key("documents", info.id) for info in states]
        return len(usable) - 1 if sum(info.state == "active" for info in states) == 1 else None


class SealedWhole(Writer):
    """A container that is written anew each time."""

    def prepare(self, root: Path) -> None:
        keys = Keys.open(root / "keys")
        write(root / "one.hold", keys, IDENTITY, [encoded(0)], expected_generation=None, encrypt=False)

    def open(self, root: Path) -> Save:
        keys, path = Keys.open(root / "keys"), root / "one.hold"

        def save(number: int) -> None:
            generation = Container.open(path, keys, IDENTITY).header.generation
            write(
                path,
                keys,
                IDENTITY,
                [encoded(number)],
                expected_generation=generation,
                backup=root / "one.bak",
                encrypt=False,
            )

        return save

    def read(self, root: Path) -> int | None:
        remove_stale(root)
        return self._saved(root / "one.hold", root)

    def former(self, root: Path) -> int | None:
        return self._saved(root / "one.bak", root) if (root / "one.bak").exists() else None

    def _saved(self, path: Path, root: Path) -> int | None:
        (frame,) = Container.open(path, Keys.open(root / "keys", may_create=False), IDENTITY).frames()
        return decoded(frame)


class SealedTail(Writer):
    """A container that grows by a record each time."""

    def prepare(self, root: Path) -> None:
        keys = Keys.open(root / "keys")
        write(root / "one.hold", keys, IDENTITY, [b"base"], expected_generation=None, encrypt=False)

    def open(self, root: Path) -> Save:
        keys, path = Keys.open(root / "keys"), root / "one.hold"

        def save(number: int) -> None:
            tail = Tail.open(path, keys, IDENTITY, Container.open(path, keys, IDENTITY).position)
            try:
                tail.append([encoded(number)])
            finally:
                tail.close()

        return save

    def read(self, root: Path) -> int | None:
        container = Container.open(root / "one.hold", Keys.open(root / "keys", may_create=False), IDENTITY)
        saves = [decoded(record) for record in container.tail()]
        return None if None in saves else max((save for save in saves if save is not None), default=0)


class Audit(Writer):
    """The chained log; every other record begins a new file."""

    saves = 4

    def prepare(self, root: Path) -> None:
        self._log(root).record("start", "", "done")

    def open(self, root: Path) -> Save:
        log = self._log(root)
        return lambda number: log.record("save", str(number), "done")

    def read(self, root: Path) -> int | None:
        log = self._log(root)
        newest = next((line for line in log.read(100) if line.event == "save"), None)
        return None if log.verify() is not None else int(newest.subject) if newest else 0

    def _log(self, root: Path) -> AuditLog:
        return AuditLog.open(root / "audit.log", _AUDIT_KEY, limit_bytes=_AUDIT_FILE_BYTES, keep_files=9)


@contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be said of what was found at a start: that is another test's matter."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class StoreWriter(Writer):
    """A store with a few sessions. Reading it is what happens at a start: the check, then the session itself."""

    sessions = 1
    databases = ("sessions/manifest.db", "sessions/manifest.db-wal")

    def prepare(self, root: Path) -> None:
        store = self.store(root)
        ids = [store.create(title="0", project_path=str(root)).id for _ in range(self.sessions)]
        (root / "ids").write_text("\n".join(ids))
        self.begin(store, ids)
        store.shut()

    def begin(self, store: Store, ids: list[str]) -> None:
        """Bring the sessions into the state in which the saves find them."""

    def store(self, root: Path) -> Store:
        """Open the store as a new process does."""
        return Store.open(root / "sessions", Keys.open(root / "keys"))

    def ids(self, root: Path) -> list[str]:
        """Return the sessions that were there from the beginning."""
        return (root / "ids").read_text().split("\n")

    def open(self, root: Path) -> Save:
        store, ids = self.store(root), self.ids(root)
        return lambda number: self.save(store, ids, number)

    def save(self, store: Store, ids: list[str], number: int) -> None:
        """Make one save."""
        raise NotImplementedError

    def found(self, store: Store, ids: list[str]) -> int | None:
        """Return which save is there."""
        raise NotImplementedError

    def read(self, root: Path) -> int | None:
        with quiet():
            store = self.store(root)
            store.check()
            found = self.found(store, self.ids(root))
            bad = store.verify().bad
            store.shut()
        return None if bad else found


class HeldAppend(StoreWriter):
    """Messages that are added to a session one by one."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.append(ids[0], [_message(number)])

    def found(self, store: Store, ids: list[str]) -> int | None:
        return max((int(message.id) for message in store.load(ids[0]).messages), default=0)


class HeldFields(StoreWriter):
    """A title that is changed."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.set(ids[0], title=str(number))

    def found(self, store: Store, ids: list[str]) -> int | None:
        return int(store.load(ids[0]).title)


class HeldWhole(StoreWriter):
    """A session that is saved as a whole document."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.save(msgspec.structs.replace(store.load(ids[0]), title=str(number)))

    def found(self, store: Store, ids: list[str]) -> int | None:
        return int(store.load(ids[0]).title)


class HeldJournal(StoreWriter):
    """What a live session does: messages into the journal, flushed, folded from time to time."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        journal = store.open_journal(ids[0])
        try:
            journal.append([_message(number)])
            journal.flush()
            if number % 2 == 0:
                journal.fold(always=True)
        finally:
            journal.close()

    def found(self, store: Store, ids: list[str]) -> int | None:
        return max((int(message.id) for message in store.load(ids[0]).messages), default=0)


class HeldCreate(StoreWriter):
    """New sessions."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.create(title=str(number))

    def found(self, store: Store, ids: list[str]) -> int | None:
        return max(int(store.load(entry.id).title) for entry in store.entries())


class HeldTrash(StoreWriter):
    """Sessions that are thrown away: each is whole in the list or whole in the trash."""

    sessions = 4
    most = 3

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.delete([ids[number]])

    def found(self, store: Store, ids: list[str]) -> int | None:
        listed = {entry.id for entry in store.entries()}
        thrown = {entry.id for entry in store.trash()}
        if listed & thrown or listed | thrown != set(ids) or not all(store.load(one) for one in listed):
            return None
        return max((ids.index(one) for one in thrown), default=0)


class HeldUndelete(HeldTrash):
    """Sessions that are put back out of the trash."""

    def begin(self, store: Store, ids: list[str]) -> None:
        store.delete(ids[1:])

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.undelete([ids[number]])

    def found(self, store: Store, ids: list[str]) -> int | None:
        if super().found(store, ids) is None:
            return None
        return max(ids.index(entry.id) for entry in store.entries())


class HeldBackup(StoreWriter):
    """Backups that a person asks for."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.set(ids[0], title=str(number))
        store.backup(ids)

    def found(self, store: Store, ids: list[str]) -> int | None:
        return int(store.load(ids[0]).title) if all(one.is_valid for one in store.backups(ids[0])) else None


class HeldRestore(StoreWriter):
    """An earlier generation that takes the place of the present one, which stays as a backup."""

    saves = 1
    most = 1

    def begin(self, store: Store, ids: list[str]) -> None:
        store.set(ids[0], title="1")
        store.backup(ids)
        store.set(ids[0], title="0")

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.restore(ids[0], max(one.version for one in store.backups(ids[0])))

    def found(self, store: Store, ids: list[str]) -> int | None:
        return int(store.load(ids[0]).title)


def _message(number: int) -> Message:
    return Message(id=str(number), role="user", blocks=(Text("word " * 900),))


HELD_WRITERS: tuple[type[Writer], ...] = (
    KeyFiles,
    SealedWhole,
    SealedTail,
    Audit,
    HeldAppend,
    HeldFields,
    HeldWhole,
    HeldJournal,
    HeldCreate,
    HeldTrash,
    HeldUndelete,
    HeldBackup,
    HeldRestore,
)
