from __future__ import annotations

import errno
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from holdfast_core.errors import Refused
from holdfast_core.sealed.container import Container, Position, Tail, write
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.locks import lock

from tests.core.sealed.conftest import IDENTITY
from tests.faults.disk import FAULTS, Died, Disk, Plan

PACKAGES = str(Path(__file__).parents[3] / "core")
APPENDER = """
import sys
from pathlib import Path
from holdfast_core.errors import Refused
from holdfast_core.sealed.container import Container, Identity, Tail, write
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.locks import lock

directory, name, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
path, identity = directory / "one.hold", Identity(*sys.argv[4:])
keys = Keys.open(directory / "keys")
for number in range(times):
    while True:
        seen = Container.open(path, keys, identity)  # without the lock: somebody else may come first
        try:
            with lock(directory / "one.lock", timeout_seconds=60):
                if number % 20 == 19:
                    records = [*seen.frames(), *seen.tail(), f"{name} {number}".encode()]
                    write(path, keys, identity, records, expected_generation=seen.header.generation,
                          expected_position=seen.position, encrypt=False)
                else:
                    tail = Tail.open(path, keys, identity, seen.position)
                    tail.append([f"{name} {number}".encode()])
                    tail.close()
            break
        except Refused as refused:
            assert "changed elsewhere" in refused.detail, refused.detail
"""


@pytest.fixture
def base(path: Path, keys: Keys) -> Position:
    return write(path, keys, IDENTITY, [b"head"], expected_generation=None, encrypt=False)


def _read(path: Path, keys: Keys) -> list[bytes]:
    return list(Container.open(path, keys, IDENTITY).tail())


def test_many_records_are_one_write_and_one_sync(path: Path, keys: Keys, base: Position):
    with Disk(path.parent) as disk:
        tail = Tail.open(path, keys, IDENTITY, base)
        disk.calls.clear()
        tail.append([b"%d" % number for number in range(50)])
        calls = list(disk.calls)
        tail.close()

    assert [name for name in calls if name != "fstat"] in (["writev", "fdatasync"], ["write", "fdatasync"])
    assert len(_read(path, keys)) == 50


def test_records_that_need_not_be_safe_at_once_are_synced_later(path: Path, keys: Keys, base: Position):
    with Disk(path.parent) as disk:
        tail = Tail.open(path, keys, IDENTITY, base)
        disk.calls.clear()
        tail.append([b"one"], sync=False)
        tail.append([b"two"], sync=False)
        assert "fdatasync" not in disk.calls
        tail.sync()
        assert disk.calls.count("fdatasync") == 1
        tail.close()

    assert _read(path, keys) == [b"one", b"two"]


def test_a_torn_record_is_cut_off_before_the_next_one(path: Path, keys: Keys, base: Position):
    tail = Tail.open(path, keys, IDENTITY, base)
    position = tail.append([b"one"])
    tail.append([b"two"])
    tail.close()
    path.write_bytes(path.read_bytes()[:-1])

    tail = Tail.open(path, keys, IDENTITY, position)
    tail.append([b"another two"])
    tail.close()

    assert _read(path, keys) == [b"one", b"another two"]


def test_who_comes_second_is_refused_and_changes_nothing(path: Path, keys: Keys, base: Position):
    first, second = (Tail.open(path, keys, IDENTITY, base) for _ in range(2))
    first.append([b"first"])
    before = path.read_bytes()

    with pytest.raises(Refused, match="changed elsewhere"):
        second.append([b"second"])
    with pytest.raises(Refused, match="changed elsewhere"):
        Tail.open(path, keys, IDENTITY, base)

    first.close()
    second.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("how", ["written anew", "gone"])
def test_nothing_is_appended_to_a_file_that_lost_its_name(path: Path, keys: Keys, base: Position, how: str):
    tail = Tail.open(path, keys, IDENTITY, base)
    if how == "gone":
        path.unlink()
    else:
        write(path, keys, IDENTITY, [b"new"], expected_generation=1, encrypt=False, backup=path.with_name("backup"))

    with pytest.raises(Refused):
        tail.append([b"lost"])

    tail.close()
    if how != "gone":
        assert list(Container.open(path.with_name("backup"), keys, IDENTITY).tail()) == []
        with pytest.raises(Refused):
            Tail.open(path, keys, IDENTITY, base)


def test_nothing_is_appended_after_closing(path: Path, keys: Keys, base: Position):
    tail = Tail.open(path, keys, IDENTITY, base)
    tail.close()
    tail.close()

    with pytest.raises(SealedError):
        tail.append([b"late"])


def test_after_a_sync_that_failed_the_file_is_never_synced_again(path: Path, keys: Keys, base: Position):
    with Disk(path.parent) as measured:
        Tail.open(path, keys, IDENTITY, base).append([b"one"])
        at = measured.calls.index("fdatasync")
    position = Container.open(path, keys, IDENTITY).position

    with Disk(path.parent, Plan(at, errno.EIO)) as disk:
        tail = Tail.open(path, keys, IDENTITY, position)
        with pytest.raises(OSError, match="Input/output"):
            tail.append([b"two"])
        for attempt in (lambda: tail.append([b"three"]), tail.sync):
            with pytest.raises(SealedError) as refused:
                attempt()
            assert refused.value.reason == "broken"
        assert disk.calls.count("fdatasync") == 1
        tail.close()

    assert _read(path, keys) == [b"one"]
    now = write(path, keys, IDENTITY, [b"head"], expected_generation=1, encrypt=False, tail=[b"one", b"two"])
    assert (now.generation, _read(path, keys)) == (2, [b"one", b"two"])


def test_an_append_that_fails_at_any_call_leaves_the_old_or_the_new_state(tmp_path: Path, keys: Keys):
    measured = _appended(tmp_path / "measured", keys, Plan())
    assert measured.said == [0, 1, 2]

    for at, name in enumerate(measured.calls):
        for fault in FAULTS[name]:
            story = _appended(tmp_path / f"{at} {fault}", keys, Plan(at, fault))

            opened = Container.open(story.path, keys, IDENTITY)
            kept = [int(record) for record in opened.tail() if len(record) == 1]
            assert kept[: len(story.said)] == story.said
            assert len(kept) <= len(story.said) + 1
            assert not opened.is_damaged


class _Appended(NamedTuple):
    path: Path
    said: list[int]
    calls: list[str]


def _appended(directory: Path, keys: Keys, plan: Plan) -> _Appended:
    """Append three times two records on a disk that fails by ``plan``; says which appends were acknowledged."""
    path, said = directory / "one.hold", []
    directory.mkdir()
    base = write(path, keys, IDENTITY, [b"head"], expected_generation=None, encrypt=False)
    with Disk(directory, plan) as disk, suppress(OSError, Died, SealedError):
        tail = Tail.open(path, keys, IDENTITY, base)
        for number in range(3):
            tail.append([b"%d" % number, b"more " * 200])
            said.append(number)
        tail.close()
    return _Appended(path, said, disk.calls)


def test_a_write_that_fails_at_any_call_leaves_the_old_or_the_new_state(tmp_path: Path, keys: Keys):
    def prepared(name: str) -> Path:
        path = tmp_path / name / "one.hold"
        path.parent.mkdir()
        write(path, keys, IDENTITY, [b"old"], expected_generation=None, encrypt=False)
        return path

    def save(path: Path) -> None:
        backup = path.with_name("backup.hold")
        write(path, keys, IDENTITY, [b"new" * 500], expected_generation=1, encrypt=False, backup=backup)

    measured = prepared("measured")
    with Disk(measured.parent) as disk:
        save(measured)

    for at, name in enumerate(disk.calls):
        for fault in FAULTS[name]:
            path = prepared(f"{at} {fault}")
            with Disk(path.parent, Plan(at, fault)) as broken:
                try:
                    save(path)
                except (OSError, Died, SealedError):
                    failed = True
                else:
                    failed = False

            frames = list(Container.open(path, keys, IDENTITY).frames())
            assert frames in ([b"old"], [b"new" * 500]) if failed else frames == [b"new" * 500]
            backup = path.with_name("backup.hold")
            if backup.exists():
                assert list(Container.open(backup, keys, IDENTITY).frames()) == [b"old"]
            if not broken.is_dead:
                assert not list(path.parent.glob("*.tmp"))


def test_processes_that_change_one_file_lose_nothing(tmp_path: Path, path: Path, keys: Keys):
    write(path, keys, IDENTITY, [], expected_generation=None, encrypt=False)
    command = [sys.executable, "-c", APPENDER, str(tmp_path)]

    running = [
        subprocess.Popen([*command, name, "40", *IDENTITY], env={"PYTHONPATH": PACKAGES}, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    ended = [(process.communicate(timeout=100)[1].decode(), process.returncode) for process in running]

    opened = Container.open(path, keys, IDENTITY)
    found = [record.decode() for record in (*opened.frames(), *opened.tail())]
    assert ended == [("", 0), ("", 0)]
    assert sorted(found) == sorted(f"{name} {number}" for name in ("one", "two") for number in range(40))
    for name in ("one", "two"):
        mine = [record for record in found if record.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(40)]


def test_a_lock_excludes_other_threads_and_lets_its_own_in_again(tmp_path: Path):
    place = tmp_path / "lock"
    refused: list[str] = []

    def other() -> None:
        try:
            with lock(place, timeout_seconds=0):
                refused.append("entered")
        except Refused as error:
            refused.append(error.detail)

    with lock(place, timeout_seconds=1), lock(place, timeout_seconds=1):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()

    assert refused == ["lock lock", "entered"]


def test_a_lock_excludes_other_processes_and_is_free_when_its_holder_dies(tmp_path: Path):
    program = (
        "import sys, pathlib\nfrom holdfast_core.sealed.locks import lock\n"
        "with lock(pathlib.Path(sys.argv[1]), timeout_seconds=5):\n print('held', flush=True)\n sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "lock")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": PACKAGES}
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"

        with pytest.raises(Refused, match="Try again"), lock(tmp_path / "lock", timeout_seconds=0.05):
            pass
        holder.kill()
        holder.wait()

        with lock(tmp_path / "lock", timeout_seconds=1):
            pass


def test_a_lock_whose_body_fails_is_free_again(tmp_path: Path):
    with pytest.raises(ValueError, match="mine"), lock(tmp_path / "lock", timeout_seconds=1):
        raise ValueError("mine")

    with lock(tmp_path / "lock", timeout_seconds=0):
        pass
