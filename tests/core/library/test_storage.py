"""What we take on the disk, in parts, and the warnings before a limit is reached."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from holdfast_core.library.storage import measure
from holdfast_core.model.health import Storage
from holdfast_core.paths import Paths, find_paths


def put(path: Path, size_bytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size_bytes)


def measured(paths: Paths, **given: Any) -> Storage:
    values = {"sessions": 0, "limit_sessions": 0, "limit_bytes": 0, "by_agent": {}} | given
    return measure(paths, paths.sessions, paths.audit, **values)


def parts(storage: Storage) -> dict[str, tuple[int, int]]:
    return {part.name: (part.files, part.bytes) for part in storage.parts}


def test_every_file_of_ours_counts_once_in_its_part(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)
    put(paths.sessions / "a.hold", 100)
    put(paths.sessions / "manifest.db", 10)
    put(paths.sessions / "trash" / "b.hold", 20)
    put(paths.sessions / "backups" / "a" / "1-save.hold", 30)
    put(paths.sessions / "quarantine" / "c.hold", 40)
    put(paths.index / "shards" / "one.db", 50)
    put(paths.log / "holdfast.log", 60)
    put(paths.audit, 70)
    put(paths.data / "audit.log.1", 7)
    put(paths.annotations, 80)

    found = measured(paths)

    assert parts(found) == {
        "sessions": (2, 110),
        "backups": (1, 30),
        "trash": (1, 20),
        "quarantine": (1, 40),
        "vault": (0, 0),
        "index": (1, 50),
        "logs": (1, 60),
        "audit": (2, 77),
        "other": (1, 80),
    }
    assert found.total_bytes == 467


def test_a_backup_that_is_the_same_file_as_its_session_takes_nothing(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)
    put(paths.sessions / "a.hold", 100)
    (paths.sessions / "backups").mkdir()
    os.link(paths.sessions / "a.hold", paths.sessions / "backups" / "1-save.hold")

    assert measured(paths).total_bytes == 100


def test_sessions_in_another_directory_count_and_its_neighbours_do_not(tmp_path: Path) -> None:
    paths = find_paths(tmp_path / "ours")
    put(tmp_path / "elsewhere" / "mine" / "a.hold", 100)
    put(tmp_path / "elsewhere" / "others.txt", 1000)
    put(tmp_path / "logs" / "holdfast-audit.log", 10)
    put(tmp_path / "logs" / "others.log", 1000)

    found = measure(
        paths,
        tmp_path / "elsewhere" / "mine",
        tmp_path / "logs" / "holdfast-audit.log",
        sessions=1,
        limit_sessions=0,
        limit_bytes=0,
        by_agent={"alpha": 5},
    )

    assert (parts(found)["sessions"], parts(found)["audit"], found.total_bytes) == ((1, 100), (1, 10), 110)
    assert found.by_agent == {"alpha": 5}


def test_where_nothing_is_nothing_is_taken(tmp_path: Path) -> None:
    found = measured(find_paths(tmp_path / "nothing"))

    assert (found.total_bytes, found.warnings) == (0, ())
    assert found.disk_free_bytes > 0


def test_links_and_what_is_behind_them_do_not_count(tmp_path: Path) -> None:
    paths = find_paths(tmp_path / "ours")
    put(tmp_path / "large", 1000)
    paths.sessions.mkdir(parents=True)
    (paths.sessions / "a.hold").symlink_to(tmp_path / "large")
    (paths.sessions / "loop").symlink_to(paths.sessions)

    assert measured(paths).total_bytes == 0
