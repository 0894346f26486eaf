from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.atomic import read_file, remove_stale, write_all, write_file, write_vector
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.disk import FAULTS, Died, Disk, Plan


def test_the_whole_content_is_there_and_private(tmp_path: Path):
    path = tmp_path / "file"

    size = write_file(path, [b"one ", b"two"])

    assert (size, path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (7, b"one two", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_half_way_leaves_the_old_content_and_no_other_file(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="gone"):
        write_file(path, chunks())

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling link"])
def test_what_is_there_is_not_replaced_unasked(tmp_path: Path, kind: str):
    path = tmp_path / "taken"
    other = tmp_path / "other"
    if kind == "file":
        path.write_bytes(b"old")
    elif kind == "directory":
        path.mkdir()
    else:
        if kind == "link":
            other.write_bytes(b"old")
        path.symlink_to(other)

    with pytest.raises(FileExistsError):
        write_file(path, [b"new"], overwrite=False)

    assert not any(tmp_path.glob(".holdfast-*"))
    assert not other.exists() or other.read_bytes() == b"old"


def test_what_comes_while_we_write_is_not_replaced_either(tmp_path: Path):
    path = tmp_path / "file"

    def chunks() -> Iterator[bytes]:
        path.write_bytes(b"theirs")
        yield b"ours"

    with pytest.raises(FileExistsError):
        write_file(path, chunks(), overwrite=False)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"theirs", [path])


def test_a_link_is_replaced_and_never_followed(tmp_path: Path):
    other = tmp_path / "other"
    other.write_bytes(b"old")
    path = tmp_path / "link"
    path.symlink_to(other)

    write_file(path, [b"new"])

    assert (other.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"old", b"new", False)


def test_a_free_name_is_taken(tmp_path: Path):
    write_file(tmp_path / "free", [b"new"], overwrite=False)

    assert (tmp_path / "free").read_bytes() == b"new"
    assert (tmp_path / "free").stat().st_nlink == 1


@pytest.mark.parametrize("backup", ["file.bak", "backups/file.1"])
def test_a_backup_is_the_former_file_itself(tmp_path: Path, backup: str):
    path, kept = tmp_path / "file", tmp_path / backup
    kept.parent.mkdir(exist_ok=True)
    path.write_bytes(b"one")
    inode = path.stat().st_ino

    write_file(path, [b"two"], backup=kept)
    write_file(path, [b"three"], backup=kept)

    assert (path.read_bytes(), kept.read_bytes()) == (b"three", b"two")
    assert (kept.stat().st_nlink, path.stat().st_nlink) == (1, 1)
    assert kept.stat().st_ino != inode
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_backup_that_is_the_same_file_already_leaves_no_third_name(tmp_path: Path):
    path, kept = tmp_path / "file", tmp_path / "kept"
    path.write_bytes(b"one")
    os.link(path, kept)

    write_file(path, [b"two"], backup=kept)

    assert (path.read_bytes(), kept.read_bytes()) == (b"two", b"one")
    assert {found.name for found in tmp_path.iterdir()} == {"file", "kept"}


def test_there_is_no_backup_of_what_was_not_there(tmp_path: Path):
    write_file(tmp_path / "file", [b"one"], backup=tmp_path / "kept")

    assert {found.name for found in tmp_path.iterdir()} == {"file"}


def test_a_backup_whose_directory_is_missing_stops_the_write(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"one")

    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "file", [b"two"], backup=tmp_path / "missing" / "kept")

    assert (tmp_path / "file").read_bytes() == b"one"


@pytest.mark.parametrize("error", [errno.EPERM, errno.EXDEV, errno.EMLINK])
def test_without_hard_links_a_backup_is_a_copy_and_a_free_name_is_taken_all_the_same(tmp_path: Path, error: int):
    path, kept = tmp_path / "file", tmp_path / "kept"
    write_file(path, [b"one"])
    with Disk(tmp_path) as measured:
        write_file(path, [b"two"], backup=kept)
    kept.unlink()

    with Disk(tmp_path, Plan(measured.calls.index("link"), error)):
        write_file(path, [b"three"], backup=kept)
    with Disk(tmp_path) as measured:
        write_file(tmp_path / "free", [b"x"], overwrite=False)
    with Disk(tmp_path, Plan(measured.calls.index("link"), error)):
        write_file(tmp_path / "also free", [b"new"], overwrite=False)

    assert (path.read_bytes(), kept.read_bytes()) == (b"three", b"two")
    assert kept.stat().st_ino != path.stat().st_ino
    assert (tmp_path / "also free").read_bytes() == b"new"
    assert not list(tmp_path.glob("*.tmp"))


def test_a_file_is_on_the_disk_before_it_has_its_name_and_never_synced_twice(tmp_path: Path):
    path = tmp_path / "file"
    write_file(path, [b"old"])

    with Disk(tmp_path, records=True) as disk:
        write_file(path, [b"one", b"two"], backup=tmp_path / "kept")

    steps = [
        (done.what, "temporary" if done.path.endswith(".tmp") else done.path, done.other)
        for done in disk.done
        if done.what in ("sync", "rename", "create")
    ]
    assert [step for step in steps if "kept" not in step] == [
        ("create", "temporary", ""),
        ("sync", "temporary", ""),
        ("rename", "temporary", "file"),
        ("sync", ".", ""),
    ]
    assert ("rename", "temporary", "kept") in steps


def test_a_sync_that_fails_is_not_tried_again(tmp_path: Path):
    with Disk(tmp_path) as measured:
        write_file(tmp_path / "measured", [b"x"])

    with Disk(tmp_path, Plan(measured.calls.index("fsync"), errno.EIO)) as disk, pytest.raises(OSError, match="Input"):
        write_file(tmp_path / "file", [b"x"])

    assert disk.calls.count("fsync") == 1
    assert {found.name for found in tmp_path.iterdir()} == {"measured"}


@pytest.mark.parametrize("overwrite", [True, False])
def test_whatever_call_fails_the_file_is_the_old_or_the_new_one(tmp_path: Path, overwrite: bool):
    new = b"new " * 5000

    def prepared(name: str) -> Path:
        (tmp_path / name).mkdir()
        if overwrite:
            (tmp_path / name / "file").write_bytes(b"old")
        return tmp_path / name / "file"

    def save(path: Path) -> None:
        write_file(path, [new[:100], new[100:]], overwrite=overwrite, backup=path.with_name("kept"))

    measured = prepared("measured")
    with Disk(measured.parent) as disk:
        save(measured)

    for at, name in enumerate(disk.calls):
        for fault in FAULTS[name]:
            path = prepared(f"{at} {fault}")
            with Disk(path.parent, Plan(at, fault)) as broken:
                try:
                    save(path)
                    is_saved = True
                except (OSError, Died):
                    is_saved = False

            found = path.read_bytes() if path.exists() else None
            assert found == new if is_saved else found in (new, b"old" if overwrite else None)
            if name != "unlink" and not broken.is_dead:
                assert not list(path.parent.glob("*.tmp"))
            remove_stale(path.parent)
            assert not list(path.parent.glob("*.tmp"))


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = [f".holdfast-{number:x}-0123abcd.tmp" for number in (dead.pid, os.getpid())]
    others = [f".holdfast-{os.getppid():x}-0123abcd.tmp", ".holdfast-notes.tmp", "holdfast.tmp", "file"]
    for name in (*mine, *others):
        (tmp_path / name).write_bytes(b"x")
    seen: list[bool] = []

    def chunks() -> Iterator[bytes]:
        yield b"x"
        remove_stale(tmp_path)
        seen.append(any(tmp_path.glob(f".holdfast-{os.getpid():x}-*.tmp")))

    write_file(tmp_path / "file", chunks())

    assert {found.name for found in tmp_path.iterdir()} == set(others)
    assert seen == [True]
    assert remove_stale(tmp_path / "nowhere") == 0


def test_what_is_left_for_a_day_belongs_to_nobody(tmp_path: Path):
    left = tmp_path / f".holdfast-{os.getppid():x}-0123abcd.tmp"
    left.write_bytes(b"x")
    os.utime(left, (0, 0))

    assert remove_stale(tmp_path) == 1


def test_only_a_plain_file_is_read(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")

    assert read_file(tmp_path / "file", limit_bytes=7) == b"content"
    for odd in (tmp_path / "link", tmp_path / "directory", tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(IsADirectoryError):
            read_file(odd, limit_bytes=7)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "nothing", limit_bytes=7)
    with pytest.raises(ValueError, match="7 bytes are more than 6"):
        read_file(tmp_path / "file", limit_bytes=6)


@given(parts=st.lists(st.binary(max_size=50), max_size=100))
def test_parts_are_written_one_after_the_other(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]):
    path = tmp_path_factory.mktemp("parts") / "file"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        assert write_vector(descriptor, parts) == len(b"".join(parts))
    finally:
        os.close(descriptor)

    assert path.read_bytes() == b"".join(parts)


@pytest.mark.parametrize("call", ["write", "writev"])
def test_short_writes_are_continued(tmp_path: Path, call: str):
    with Disk(tmp_path, Plan(1, "short")) as disk:
        descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
        if call == "write":
            write_all(descriptor, b"a long text")
        else:
            write_vector(descriptor, [b"a long", b" text"])
        os.close(descriptor)

    assert disk.calls[:3] == ["open", call, "write"]
    assert (tmp_path / "file").read_bytes() == b"a long text"
