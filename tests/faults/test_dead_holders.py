"""Whoever dies while holding a lock of ours holds up nobody: it is free within a second (POSIX)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.store import Store

from tests.faults.dead_holders import HOLDS
from tests.faults.writers import paths_below

FREE_SECONDS: Final = 1.0
ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("what", HOLDS)
def test_what_a_dead_process_held_is_free_in_a_second(tmp_path: Path, what: str):
    store = Store.open(tmp_path / "sessions", Keys.open(tmp_path / "keys"))
    session_id = store.create(title="x").id
    store.shut()
    paths_below(tmp_path).create()

    command = [sys.executable, "-m", "tests.faults.dead_holders", str(tmp_path), session_id, what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert float(done.stdout) < FREE_SECONDS
