"""What changes many held sessions in one go, as the fault programme sees it: migration, encryption, import, limits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError
from holdfast_core.export import json as export
from holdfast_core.library.exchange import KEY, extra_of, row_of
from holdfast_core.library.taking import take_in
from holdfast_core.model.export import ExportOptions
from holdfast_core.model.held import HeldSession
from holdfast_core.model.message import Message, Text
from holdfast_core.scan.load import load
from holdfast_core.sealed import container, passphrase
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.resealing import in_the_clear, reseal, reseal_rest, scrub
from holdfast_core.store.source import HeldSource
from holdfast_core.store.store import Store

from tests.faults.held_writers import HeldTrash, StoreWriter, quiet
from tests.faults.story import Writer

_DATA = Path(__file__).parents[1] / "core" / "store" / "data"
_PASSPHRASE = "correct horse"
_CHEAP = passphrase.Cost(time=1, memory_kib=32, lanes=4)
_ASIDE = b"this was put aside"


def old_sessions(store: Store, *, versions: Sequence[int]) -> list[HeldSession]:
    """Put sessions of earlier schemas into a store and return them as they are read."""
    ids = []
    for version in versions:
        plain = json.loads((_DATA / f"v{version}" / "plain.json").read_text("utf-8"))
        messages = plain.pop("messages")
        ids.append(plain["id"])
        container.write(
            store.site.places.session(plain["id"]),
            store.site.keys,
            container.Identity(RECORD_TYPE, plain["id"]),
            [json.dumps(plain).encode(), json.dumps(messages).encode()],
            expected_generation=None,
            encrypt=False,
        )
    store.check()
    return [store.load(one) for one in ids]


class HeldMigration(StoreWriter):
    """Sessions of earlier schemas: each is as it was, byte for byte, or whole in the present form."""

    saves = 1
    most = 1

    def begin(self, store: Store, ids: list[str]) -> None:
        ids += [one.id for one in old_sessions(store, versions=(1, 3))]

    def prepare(self, root: Path) -> None:
        super().prepare(root)
        store = self.store(root)
        ids = self.ids(root) + [entry.id for entry in store.entries() if entry.id not in self.ids(root)]
        (root / "ids").write_text("\n".join(ids))
        (root / "before.json").write_bytes(msgspec.json.encode([store.load(one) for one in ids]))
        store.shut()

    def save(self, store: Store, ids: list[str], number: int) -> None:
        with quiet():
            migrated = store.migrate()
        if migrated != len(ids) - 1:
            raise HoldfastError("a session was not migrated")

    def found(self, store: Store, ids: list[str]) -> int | None:
        before = msgspec.json.decode(
            (store.site.places.directory.parent / "before.json").read_bytes(), type=list[HeldSession]
        )
        if [store.load(one) for one in ids] != before:
            return None
        if not all(one.is_valid for session_id in ids for one in store.backups(session_id)):
            return None
        seen = [store.site.manifest.seen(one) for one in ids]
        return int(all(one is not None and one.base_bytes >= 0 for one in seen))


class HeldEncryption(StoreWriter):
    """Encryption that begins: whatever is cut off can be read, and is finished the next time."""

    sessions = 2
    saves = 1
    most = 1

    def begin(self, store: Store, ids: list[str]) -> None:
        store.backup(ids[:1])
        store.delete(ids[1:])
        (store.site.places.quarantine / "aside-1.hold").write_bytes(_ASIDE)

    def store(self, root: Path) -> Store:
        keys = Keys.open(root / "keys")
        keys.unlock(_PASSPHRASE)
        return Store.open(root / "sessions", keys)

    def save(self, store: Store, ids: list[str], number: int) -> None:
        store.set(ids[0], title=str(number))
        if store.site.keys.is_encrypted:
            store.site.keys.remove_passphrase()
        else:
            _set_passphrase(store.site.keys)
        self._write_anew(store)

    def found(self, store: Store, ids: list[str]) -> int | None:
        self._write_anew(store)
        aside = [path.name for path in store.site.places.quarantine.iterdir()]
        ending = ".sealed" if store.site.keys.is_encrypted else ""
        if in_the_clear(store.site) or aside != ["aside-1.hold" + ending]:
            return None
        with suppress(HoldfastError):  # it is back from an earlier look
            store.undelete(ids[1:])
        is_whole = all(one.is_valid for one in store.backups(ids[0])) and store.load(ids[1]).title == "0"
        return int(store.load(ids[0]).title) if is_whole else None

    def _write_anew(self, store: Store) -> None:
        if not all(reseal(store.site, entry.id) for entry in store.entries()):
            raise HoldfastError("a session was not sealed anew")
        reseal_rest(store.site)
        scrub(store.site)


class HeldDecryption(HeldEncryption):
    """Encryption that ends."""

    def begin(self, store: Store, ids: list[str]) -> None:
        super().begin(store, ids)
        _set_passphrase(store.site.keys)
        self._write_anew(store)


def _set_passphrase(keys: Keys) -> None:
    """Encrypt with a passphrase that is cheap to try: it is tried thousands of times."""
    usual, passphrase.USUAL = passphrase.USUAL, _CHEAP
    try:
        keys.set_passphrase(_PASSPHRASE)
    finally:
        passphrase.USUAL = usual


class HeldImport(StoreWriter):
    """Sessions that come in from files: each is there whole, or not at all."""

    def prepare(self, root: Path) -> None:
        super().prepare(root)
        (root / "given").mkdir()
        other = Store.open(root / "other" / "sessions", Keys.open(root / "other" / "keys"))
        source = HeldSource(other.site.places.directory, lambda: other.site.keys)
        for number in range(1, self.saves + 1):
            kept = other.create(title=str(number), messages=(Message("1", "user", (Text("word " * 900),)),))
            path = str(other.site.places.session(kept.id))
            (ref,) = source.refs_for(Home(root, {}), [path])
            loaded = load(row_of(other.entry(kept.id), path), ref, source, Home(root, {}))
            pieces = export.render(
                loaded.session, ExportOptions(), entry=loaded.entry, extra={KEY: extra_of(other.load(kept.id))}
            )
            (root / "given" / f"{number}.json").write_text("".join(pieces), "utf-8")
        other.shut()

    def save(self, store: Store, ids: list[str], number: int) -> None:
        given = store.site.places.directory.parent / "given" / f"{number}.json"
        report = take_in(store, given, agents=frozenset())
        if len(report.imported) != 1:
            raise HoldfastError("a session did not come in")

    def found(self, store: Store, ids: list[str]) -> int | None:
        came = [store.load(entry.id) for entry in store.entries() if entry.id not in ids]
        if not all(len(session.messages) == 1 for session in came):
            return None
        return max((int(session.title) for session in came), default=0)


class HeldRetention(HeldTrash):
    """A limit of how many are kept, lowered again and again: what is too much is whole in the trash."""

    def save(self, store: Store, ids: list[str], number: int) -> None:
        keep = self.sessions - number
        store.site.limits = msgspec.structs.replace(store.site.limits, stored_sessions=keep, at_limit="clean")
        store.retention(apply=True)
        if len(store.entries()) > keep:
            raise HoldfastError("more are kept than the limit allows")

    def found(self, store: Store, ids: list[str]) -> int | None:
        return None if super().found(store, ids) is None else len(store.trash())


KEEPING_WRITERS: tuple[type[Writer], ...] = (HeldMigration, HeldEncryption, HeldDecryption, HeldImport, HeldRetention)
