"""Locks whose files stay open exclude others all the same, whatever becomes of the names of these files."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from holdfast_core.errors import Refused
from holdfast_core.sealed.locks import lock

CORE = str(Path(__file__).parents[3] / "core")
TRY = """
import sys
from pathlib import Path
from holdfast_core.errors import Refused
from holdfast_core.sealed.locks import lock
try:
    with lock(Path(sys.argv[1]), timeout_seconds=0.05):
        print("taken")
except Refused:
    print("refused")
"""
HOLD = """
import sys
from pathlib import Path
from holdfast_core.sealed.locks import lock
for _ in range(3):
    with lock(Path(sys.argv[1]), timeout_seconds=1):
        pass
with lock(Path(sys.argv[1]), timeout_seconds=1):
    print("held", flush=True)
    sys.stdin.read()
"""


def another_tries(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", TRY, str(path)], env={"PYTHONPATH": CORE}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def open_files() -> int:
    """Return how many files this process has open, 0 where the system does not say."""
    descriptors = Path("/proc/self/fd")
    return sum(1 for _ in descriptors.iterdir()) if descriptors.exists() else 0


def test_between_two_takes_others_may_have_it(tmp_path: Path):
    path = tmp_path / "one.lock"

    for _ in range(3):
        with lock(path, timeout_seconds=1):
            assert another_tries(path) == "refused"
        assert another_tries(path) == "taken"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lock_whose_file_was_removed_is_taken_on_the_new_one(tmp_path: Path):
    path = tmp_path / "one.lock"
    with lock(path, timeout_seconds=1):
        pass

    path.unlink()

    with lock(path, timeout_seconds=1):
        assert another_tries(path) == "refused"


def test_a_directory_that_took_the_place_of_another_has_locks_of_its_own(tmp_path: Path):
    path = tmp_path / "store" / "one.lock"
    path.parent.mkdir()
    with lock(path, timeout_seconds=1):
        pass
    path.parent.rename(tmp_path / "before")
    path.parent.mkdir()

    with lock(path, timeout_seconds=1):
        assert another_tries(path) == "refused"
        assert another_tries(tmp_path / "before" / "one.lock") == "taken"


def test_a_directory_that_is_gone_is_not_made_again(tmp_path: Path):
    path = tmp_path / "store" / "one.lock"
    path.parent.mkdir()
    with lock(path, timeout_seconds=1):
        pass
    path.unlink()
    path.parent.rmdir()

    with pytest.raises(FileNotFoundError), lock(path, timeout_seconds=1):
        pass

    assert not path.parent.exists()


def test_the_lock_of_a_holder_that_was_killed_is_free_within_a_second(tmp_path: Path):
    path = tmp_path / "one.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        env={"PYTHONPATH": CORE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Refused), lock(path, timeout_seconds=0.05):
        pass

    holder.kill()
    killed = time.monotonic()

    with lock(path, timeout_seconds=1):
        assert time.monotonic() - killed < 1
    holder.communicate()


def test_many_locks_do_not_keep_many_files_open(tmp_path: Path):
    before = open_files()

    for number in range(300):
        with lock(tmp_path / f"{number}.lock", timeout_seconds=1):
            pass

    after = open_files()
    assert after - before <= 70
