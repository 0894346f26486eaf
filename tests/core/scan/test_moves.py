"""An agent that archives and compresses its own files loses nothing by it; what moved is not read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard
from holdfast_core.agents import all_agents

from tests.core.scan.conftest import Place

NATIVE_ID = "0190a000-0000-7000-8000-000000000001"
NAME = f"rollout-2026-11-20T10-00-00-{NATIVE_ID}.jsonl"


@pytest.fixture
def rollout(place: Place) -> Path:
    place.agents = all_agents()
    path = place.home / ".codex" / "sessions" / "2026" / "11" / "20" / NAME
    path.parent.mkdir(parents=True)
    records = [
        {"type": "session_meta", "payload": {"id": NATIVE_ID, "cwd": "/p", "timestamp": "2026-11-20T10:00:00Z"}},
        _said("apple"),
        _said("pear"),
    ]
    path.write_text("".join(json.dumps({"timestamp": "2026-11-20T10:00:00Z", **record}) + "\n" for record in records))
    return path


def _said(text: str) -> dict[str, object]:
    return {
        "type": "response_item",
        "payload": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
    }


@pytest.mark.parametrize("told", ["everything", "both", "old", "new"])
def test_an_archived_rollout_keeps_its_session(place: Place, rollout: Path, told: str) -> None:
    place.update()
    archived = place.home / ".codex" / "archived_sessions" / NAME
    archived.parent.mkdir()
    rollout.rename(archived)
    paths = {"everything": None, "both": [rollout, archived], "old": [rollout], "new": [archived]}[told]

    outcome = place.update(paths=paths)

    assert (outcome.changes.lost, outcome.changes.removed, outcome.bytes_read) == ((), (), 0)
    assert place.answers().entries[f"codex:{NATIVE_ID}"]["source_path"] == str(archived)


@pytest.mark.parametrize("told", ["everything", "both", "old", "new"])
def test_a_compressed_rollout_keeps_its_session(place: Place, rollout: Path, told: str) -> None:
    place.update()
    before = place.listed()
    packed = rollout.with_name(NAME + ".zst")
    packed.write_bytes(zstandard.compress(rollout.read_bytes()))
    rollout.unlink()
    paths = {"everything": None, "both": [rollout, packed], "old": [rollout], "new": [packed]}[told]

    outcome = place.update(paths=paths)

    assert (outcome.changes.lost, outcome.changes.removed) == ((), ())
    assert place.listed() == before
    assert place.answers().entries[f"codex:{NATIVE_ID}"]["source_path"] == str(packed)


def test_a_rollout_that_is_being_compressed_stays_the_plain_one(place: Place, rollout: Path) -> None:
    place.update()
    packed = rollout.with_name(NAME + ".zst")
    packed.write_bytes(zstandard.compress(rollout.read_bytes())[:40])

    outcome = place.update(paths=[packed])

    assert not outcome.changes
    assert place.answers().entries[f"codex:{NATIVE_ID}"]["state"] == "closed"
