from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.atomic import write_file


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
