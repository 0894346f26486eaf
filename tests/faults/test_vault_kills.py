"""A capture that is killed at any moment keeps what was acknowledged; `dev.py faults --only vault` kills 500."""

from __future__ import annotations

from tests.faults.kills import every_kill
from tests.faults.vault_writers import VAULT_WRITERS


def test_no_kill_during_a_capture_breaks_a_promise():
    report = every_kill([kind() for kind in VAULT_WRITERS], 48)

    assert report.broken == []
    assert report.runs == 48
