"""Properties of keeping: what is made, changed and saved is there, in its place, whole, and dated."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core import clock
from holdfast_core.errors import Refused
from holdfast_core.live.host import Host, HostLimits
from holdfast_core.model.held import SCHEMA_VERSION, HeldSession, is_held_id
from holdfast_core.model.message import Message, Text
from holdfast_core.sealed.container import Container, Identity
from holdfast_core.store.document import encode
from holdfast_core.store.places import digest
from holdfast_core.store.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.core.store.support import a_store, made, said, some_id
from tests.fakes.timer import FakeTimer
from tests.fakes.waiting import until
from tests.faults import power
from tests.faults.disk import Disk
from tests.properties.shapes import any_messages, any_sessions, texts
from tests.properties.support import EXAMPLES, folder, path_of, sessions_on_disk, stored_as

ONE = some_id(1)
Change = Callable[[Store, str], object]
CHANGES: dict[str, Change] = {
    "append": lambda store, name: store.append(name, [said(7)]),
    "set": lambda store, name: store.set(name, notes="noted"),
    "rename": lambda store, name: store.rename(name, "renamed"),
    "tag": lambda store, name: store.tag(name, add=["one"]),
    "untag": lambda store, name: store.tag(name, remove=["one"]),
    "star": lambda store, name: store.star(name),
    "note": lambda store, name: store.note(name, "a note"),
    "save": lambda store, name: store.save(msgspec.structs.replace(store.load(name), title="saved")),
    "close": lambda store, name: store.close(name),
    "backup": lambda store, name: store.backup([name]) and store.restore(name),
    "recover": lambda store, name: store.recover(name),
    "discard": lambda store, name: store.discard_recovery(name),
}


@EXAMPLES
@given(st.lists(st.sampled_from(["new", "given", "taken", "fork", "undelete"]), min_size=1, max_size=8), any_sessions)
def test_p01_every_session_that_is_made_has_an_id_and_a_file_of_its_own(ways: list[str], session: HeldSession):
    with a_store() as store:
        ids = [store.create(session).id]
        for way in ways:
            before = {name: path_of(store, name).read_bytes() for name in ids}
            if way == "new":
                ids.append(store.create(title="new").id)
            elif way == "given":
                ids.append(store.create(HeldSession(id=some_id(len(ids)))).id)
            elif way == "fork":
                ids.append(store.fork(ids[-1]).id)
            elif way == "undelete":
                store.delete([ids[0]])
                store.undelete([ids[0]])
            else:
                with pytest.raises(Refused):
                    store.create(HeldSession(id=ids[-1], title="another"))
            assert {name: path_of(store, name).read_bytes() for name in before} == before

        assert len(set(ids)) == len(ids) and all(map(is_held_id, ids))
        assert sessions_on_disk(store) == {f"{digest(name)}.hold" for name in ids}
        assert sorted(entry.id for entry in store.entries()) == sorted(ids)


@contextmanager
def noted(path: Path) -> Iterator[list[str]]:
    """Write down, for every thread, when a file is written and when it is synced."""
    notes: list[str] = []

    def noting(name: str, what: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(descriptor: int, *arguments: Any) -> Any:
            result = real(descriptor, *arguments)
            try:
                is_it = os.path.samestat(os.fstat(descriptor), path.stat())
            except OSError:
                is_it = False
            if is_it:
                notes.append(what)
            return result

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name, what in {"write": "write", "writev": "write", "fsync": "sync", "fdatasync": "sync"}.items():
            patch.setattr(os, name, noting(name, what))
        yield notes


@EXAMPLES
@given(
    st.integers(5, 300),
    st.lists(st.sampled_from(["append", "set", "command"]), min_size=1, max_size=5),
    st.floats(0, 4.5),
)
def test_p02_every_change_is_durable_within_five_seconds(interval: int, changes: list[str], pause: float):
    async def live(store: Store, notes: list[str]) -> None:
        timer = FakeTimer()
        host = Host(store, HostLimits(autosave_seconds=interval), timer, locks=store.site.places.locks)
        await host.start(ONE)
        for change in changes:
            if change == "append":
                await host.append(ONE, said(2))
            elif change == "set":
                await host.set(ONE, notes=f"{len(notes)}")
            else:
                await asyncio.to_thread(store.append, ONE, [said(3)])
                assert notes[-1] == "sync"  # a command has it on the disk when it returns
            await timer.advance(pause)
        assert "write" in notes
        await timer.advance(5 - pause)
        await until(lambda: notes[-1] == "sync", what="the last change is durable")
        await host.close_all()

    with a_store() as store:
        made(store, 1)
        with noted(path_of(store, ONE)) as notes:
            asyncio.run(live(store, notes))


ACTS = ("append", "rename", "tag", "save", "close", "live", "create")


def _acts(store: Store, kinds: list[str]) -> Iterator[tuple[Callable[[], object], bool]]:
    """Yield what is done, one after the other, and whether it is promised to be kept when it returns."""
    for number, kind in enumerate(kinds):
        match kind:
            case "live":
                with closing(store.open_journal(ONE)) as journal:
                    yield (lambda: journal.set(is_live=True)), False
                    yield (lambda at=number: journal.append([said(100 + at)])), False
                    yield journal.flush, True
            case "create":
                yield (lambda at=number: made(store, 50 + at)), True
            case _:
                yield (lambda kind=kind: CHANGES[kind](store, ONE)), True


@EXAMPLES
@given(
    st.lists(st.sampled_from(ACTS), min_size=1, max_size=3),
    st.lists(st.integers(0, 1 << 20), min_size=3, max_size=3),
)
def test_p03_all_that_was_acknowledged_is_back_after_a_crash(
    caplog: pytest.LogCaptureFixture, kinds: list[str], moments: list[int]
):
    """The power goes at any moment of any history; content that was not synced is there, torn, zeros or missing."""
    with folder() as top:
        with a_store(top) as store:
            made(store, 1)
            before = {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
            folders = [path.relative_to(top) for path in top.rglob("*") if path.is_dir()]
            disk = Disk(top, records=True)
            kept = [contents(store)]
            with disk:
                for number, (act, is_promised) in enumerate(_acts(store, kinds), 1):
                    disk.say("try", number)
                    act()
                    if is_promised:
                        disk.say("ack", number)
                    kept.append(contents(store))
        states = power.states(before, [folder.as_posix() for folder in folders], disk.done)
    for moment in moments:
        state = states[moment % len(states)]
        with folder() as after:
            _put(after, [*folders, *map(Path, sorted(state.directories))], state.files)
            with a_store(after) as store:
                store.check()
                found = contents(store)
                assert all(found in kept[least : most + 1] for least, most in state.promises)
                assert store.verify().bad == ()
    caplog.clear()


def contents(store: Store) -> dict[str, Any]:
    """Every session that there is, whole."""
    return {entry.id: store.load(entry.id) for entry in store.entries()}


def _put(top: Path, folders: list[Path], files: Any) -> None:
    for place in folders:
        (top / place).mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (top / name).write_bytes(data)
        (top / name).chmod(0o600)


@EXAMPLES
@given(
    st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=6),
    st.one_of(st.sampled_from([0, 1, -1]), st.integers(-(10**12), 10**9)),
    st.booleans(),
)
def test_p04_updated_at_follows_every_change(changes: list[str], drift: int, is_live: bool):
    """Also where the clock has gone back since the last change; and it is the clock's where that has gone on."""
    with a_store() as store:
        before = made(store, 1, is_live=is_live, updated_ms=clock.now_ms() + drift).updated_ms
        for kind in changes:
            start = clock.now_ms()
            CHANGES[kind](store, ONE)
            after = store.load(ONE).updated_ms
            assert after > before
            assert start <= after <= max(clock.now_ms(), before + 2)
            assert store.entry(ONE).updated_ms == after
            before = after


@EXAMPLES
@given(any_sessions, st.lists(st.sampled_from(sorted(CHANGES)), max_size=4), st.lists(any_messages, max_size=2))
def test_p05_what_is_restored_is_exactly_what_was_saved(session: HeldSession, changes: list[str], more: list[Message]):
    with folder() as top, a_store(top) as store:
        wanted = msgspec.structs.replace(
            session, origin=msgspec.structs.replace(session.origin, is_verified=True), is_live=False
        )
        kept = store.create(wanted)
        assert stored_as(kept) == stored_as(wanted) | {"created_ms": kept.created_ms}
        if more:
            store.append(kept.id, more)
        saved = store.load(kept.id)
        assert saved.messages == (*kept.messages, *more)
        with a_store(top) as another:
            assert another.load(kept.id) == saved
        version = store.version(kept.id).generation
        store.backup([kept.id])
        for change in changes:
            CHANGES[change](store, kept.id)

        store.restore(kept.id, version)

        assert stored_as(store.load(kept.id)) == stored_as(saved)


@EXAMPLES
@given(any_sessions, st.lists(st.sampled_from(sorted(CHANGES)), max_size=4))
def test_p10_every_session_stands_in_its_place_and_in_the_present_schema(session: HeldSession, changes: list[str]):
    with a_store() as store:
        wanted = msgspec.structs.replace(session, origin=msgspec.structs.replace(session.origin, is_verified=True))
        name = store.create(wanted).id
        for change in changes:
            CHANGES[change](store, name)

        places = store.site.places
        assert sessions_on_disk(store) == {f"{digest(name)}.hold"}
        sealed = Container.open(places.directory / f"{digest(name)}.hold", store.site.keys, Identity("document", name))
        head = json.loads(next(sealed.frames()))
        assert (head["id"], head["schema_version"]) == (name, SCHEMA_VERSION)
        assert set(HeldSession.__struct_fields__) - set(head) <= {"messages", "unknown", "unknown_in_messages"}
        for path in (places.directory, *places.directory.rglob("*")):
            assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600), path
            top = path.relative_to(places.directory).parts[:1]
            assert not top or top[0] in ("backups", "quarantine", "trash", "locks") or path.stem in (
                digest(name), "manifest", "manifest.backup"
            )  # fmt: skip


ENVELOPE_BYTES = 1_024
FRAME_BYTES = 64


@EXAMPLES
@given(any_sessions, texts.filter(lambda text: len(text) > 3), st.integers(0, 400))
def test_p12_compression_shrinks_what_repeats_and_loses_nothing(session: HeldSession, text: str, times: int):
    many = tuple(Message(f"{number}", "user", (Text(text * 4),)) for number in range(times))
    wanted = msgspec.structs.replace(session, messages=session.messages + many)
    with a_store() as store:
        name = store.create(wanted).id

        plain = [len(frame) for frame in encode(store.load(name), limit_bytes=1 << 30)]
        stored = path_of(store, name).stat().st_size
        assert store.load(name).messages == wanted.messages
        assert stored <= sum(plain) + ENVELOPE_BYTES + FRAME_BYTES * len(plain)
        assert times < 20 or stored < sum(plain)
