"""The vault as a person or another program works with it: real processes, real files, every exit code."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.core.cli.conftest import Person

NATIVE = "5b0f4f6e-20c1-4f2e-9a77-6f3c1d2e4a10"
SESSION = f"claude_code:{NATIVE}"
MESSAGES, LEFT = 40, 6


def records(count: int) -> list[bytes]:
    """Return lines of a transcript as Claude Code writes them, prompts and answers in turn."""
    lines, parent = [], None
    for number in range(count):
        name = f"00000000-0000-4000-8000-{number:012d}"
        said: dict[str, Any] = {"role": "user", "content": f"prompt {number} about the harbour"}
        if number % 2:
            text = [{"type": "text", "text": f"answer {number}"}]
            said = {"role": "assistant", "id": f"msg_{number}", "model": "claude-opus-4-5", "content": text}
        record = {
            "type": said["role"],
            "uuid": name,
            "parentUuid": parent,
            "sessionId": NATIVE,
            "timestamp": f"2026-11-19T10:{number:02d}:00.000Z",
            "cwd": "/work/kelp",
            "version": "2.1.198",
            "message": said,
        }
        lines.append(json.dumps(record).encode() + b"\n")
        parent = name
    return lines


@pytest.fixture
def keeper(person: Person) -> Person:
    """Someone whose one session of interest is whole and kept."""
    person.environment |= {"HOLDFAST_USE_KEYRING": "false", "HOLDFAST_VAULT_RESERVE_MB": "0"}
    path = transcript(person)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(records(MESSAGES)))
    person.json("index", "update")
    return person


@pytest.fixture
def robbed(keeper: Person) -> Person:
    """The same after the agent has cut the file."""
    transcript(keeper).write_bytes(b"".join(records(LEFT)))
    keeper.json("index", "update")
    return keeper


def transcript(person: Person) -> Path:
    return person.sessions.path / ".claude" / "projects" / "-work-kelp" / f"{NATIVE}.jsonl"


def test_everything_that_was_found_is_kept(keeper: Person):
    status = keeper.json("vault", "status")

    listed = keeper.json("sessions", "list", "--subagents", "--limit", "1000")
    assert status["sessions"] >= len(listed)
    assert status["versions"] == status["sources"]
    assert 0 < status["stored_bytes"] < status["source_bytes"]
    assert status["lost_at_source"] == 0
    assert keeper.json("vault", "verify")["bad"] == []


def test_a_cut_session_stays_whole(robbed: Person):
    (row,) = robbed.json("sessions", "list", "--filter", "is:lost")
    shown = robbed.json("sessions", "show", SESSION)
    found = robbed.json("sessions", "search", f"prompt {MESSAGES - 2}", "--limit", "1")

    assert (row["id"], row["state"], row["message_count"]) == (SESSION, "lost", MESSAGES)
    assert len(shown["messages"]) == MESSAGES
    assert found["hits"][0]["session_id"] == SESSION
    assert robbed.json("vault", "status")["lost_at_source"] == MESSAGES - LEFT


def test_versions_say_what_happened(robbed: Person):
    newest, first = robbed.json("vault", "versions", SESSION)

    assert (newest["reason"], newest["lost"], newest["messages"]) == ("truncated", MESSAGES - LEFT, LEFT)
    assert (first["reason"], first["lost"], first["messages"]) == ("first", 0, MESSAGES)
    assert first["bytes"] == len(b"".join(records(MESSAGES)))
    assert first["is_best"]
    assert first["captured_at"] <= newest["captured_at"]


def test_versions_are_compared_message_by_message(robbed: Person):
    compared = robbed.json("vault", "compare", SESSION)

    assert (compared["old"], compared["new"], compared["same"]) == (1, 2, LEFT)
    assert [one["kind"] for one in compared["differences"]] == ["only_old"] * (MESSAGES - LEFT)
    assert compared["differences"][0]["text"] == f"prompt {LEFT} about the harbour"


def test_a_version_is_given_back_to_the_agent_and_taken_away_again(robbed: Person):
    path = transcript(robbed)

    done = robbed.json("vault", "restore", SESSION, "--yes")
    assert path.read_bytes() == b"".join(records(MESSAGES))
    assert (done["path"], done["bytes"]) == (str(path), path.stat().st_size)
    assert robbed.json("sessions", "list", "--filter", "is:lost") == []

    robbed.json("vault", "undo", SESSION, "--yes")
    assert path.read_bytes() == b"".join(records(LEFT))
    assert len(robbed.json("sessions", "show", SESSION)["messages"]) == MESSAGES
    assert robbed.run("vault", "undo", SESSION, "--yes").returncode == 3


def test_nothing_is_given_back_unasked(robbed: Person):
    assert robbed.run("vault", "restore", SESSION).returncode == 4
    assert transcript(robbed).read_bytes() == b"".join(records(LEFT))


def test_a_version_is_written_to_a_file_but_never_over_one(robbed: Person):
    place = robbed.top / "back.jsonl"

    assert robbed.json("vault", "restore", SESSION, "--version", "1", "--to", str(place))["path"] == str(place)
    assert place.read_bytes() == b"".join(records(MESSAGES))
    assert robbed.run("vault", "restore", SESSION, "--to", str(place)).returncode == 4
    assert robbed.run("vault", "restore", SESSION, "--version", "9", "--to", str(robbed.top / "x")).returncode == 3


def test_a_version_becomes_a_session_of_our_own(robbed: Person):
    made = robbed.json("vault", "restore", SESSION, "--to", "held")

    (held,) = robbed.json("sessions", "list", "--filter", "is:held")
    assert (held["id"], held["message_count"]) == (made["id"], MESSAGES)


def test_a_deleted_session_stays_and_comes_back(keeper: Person):
    path = transcript(keeper)
    path.unlink()
    keeper.json("index", "update")

    assert len(keeper.json("sessions", "show", SESSION)["messages"]) == MESSAGES
    keeper.json("vault", "restore", SESSION, "--yes")
    assert path.read_bytes() == b"".join(records(MESSAGES))


def test_a_damaged_transcript_is_mended(keeper: Person):
    path = transcript(keeper)
    lines = records(MESSAGES)
    path.write_bytes(b"".join(lines[:20]) + bytes(4096) + b"".join(lines[20:]).rstrip(b"\n"))
    keeper.json("index", "update")

    told = keeper.run("vault", "repair", SESSION)
    assert (told.returncode, "zeros are cut out" in told.stdout) == (4, True)
    assert path.read_bytes().count(b"\0") == 4096
    done = keeper.json("vault", "repair", SESSION, "--yes")

    assert done["changes"]
    assert b"\0" not in path.read_bytes()
    assert len(keeper.json("sessions", "show", SESSION)["messages"]) == MESSAGES


def test_a_version_gets_a_name(robbed: Person):
    robbed.ok("vault", "tag", SESSION, "1", "before the cut")

    assert robbed.json("vault", "versions", SESSION)[-1]["tag"] == "before the cut"


def test_every_changed_byte_is_found_and_put_right(keeper: Person):
    strand = max((keeper.top / "ours" / "data" / "vault").rglob("*.hold"), key=lambda path: path.stat().st_size)
    data = bytearray(strand.read_bytes())
    data[len(data) // 2] ^= 1
    strand.write_bytes(data)

    bad = keeper.run("vault", "verify", "--no-repair", "--json")
    assert bad.returncode == 1
    assert len(json.loads(bad.stdout)["bad"]) >= 1
    assert keeper.json("vault", "verify")["repaired"] >= 1
    assert keeper.json("vault", "verify")["bad"] == []


def test_what_is_left_out_is_not_kept(person: Person):
    person.environment |= {"HOLDFAST_VAULT_LEFT_OUT": '["agent:claude_code", "agent:codex"]'}
    person.json("index", "update")

    assert person.json("vault", "status")["versions"] == 0
    assert person.json("sessions", "list") != []


def test_a_vault_that_is_switched_off_keeps_nothing_and_says_so(person: Person):
    person.environment["HOLDFAST_VAULT_ENABLED"] = "false"
    person.json("index", "update")

    done = person.run("vault", "status")
    assert "vault_enabled is off" in done.stderr
    assert person.json("vault", "status")["versions"] == 0


def test_what_takes_space_is_told(keeper: Person):
    uses = keeper.json("vault", "usage")

    assert {use["agent"] for use in uses} >= {"claude_code"}
    assert sum(use["source_bytes"] for use in uses) == keeper.json("vault", "status")["source_bytes"]


def test_what_agents_are_about_to_delete_is_told(keeper: Person):
    found = keeper.json("vault", "expiring")

    assert set(found) == {"expiring", "removed", "kept"}


def test_without_its_keys_the_vault_makes_no_new_ones(keeper: Person):
    keys = keeper.top / "ours" / "data" / "keys"
    for file in keys.iterdir():
        file.rename(keeper.top / file.name)

    done = keeper.run("vault", "verify")
    assert done.returncode != 0
    assert not [path for path in keys.iterdir() if path.suffix == ".key"]

    for name in ("root.key", "keys.json", "keys.second.json"):
        (keeper.top / name).rename(keys / name)
    assert keeper.json("vault", "verify")["bad"] == []


def test_what_was_cut_just_before_a_restoring_is_a_version_too(keeper: Person):
    transcript(keeper).write_bytes(b"".join(records(LEFT)))

    keeper.json("vault", "restore", SESSION, "--version", "1", "--yes")

    reasons = [(one["reason"], one["messages"], one["lost"]) for one in keeper.json("vault", "versions", SESSION)]
    assert ("truncated", LEFT, MESSAGES - LEFT) in reasons
    assert transcript(keeper).read_bytes() == b"".join(records(MESSAGES))


def test_what_is_verified_here_can_go_at_the_agent_and_come_back(keeper: Person):
    path, data = transcript(keeper), transcript(keeper).read_bytes()

    assert keeper.run("vault", "free", SESSION).returncode == 4
    assert path.exists()
    done = keeper.json("vault", "free", SESSION, "--yes")

    assert (done["paths"], done["bytes"], done["notes"]) == ([str(path)], len(data), [])
    assert not path.exists()
    (trashed,) = keeper.sessions.path.rglob(f"Trash/files/{path.name}")
    assert trashed.read_bytes() == data
    assert keeper.run("vault", "free", SESSION, "--yes").returncode == 4
    assert len(keeper.json("sessions", "show", SESSION)["messages"]) == MESSAGES
    keeper.json("vault", "restore", SESSION, "--yes")
    assert path.read_bytes() == data


def test_sessions_that_an_agent_is_about_to_delete_are_safe_before_and_proved_after(keeper: Person):
    path = transcript(keeper)
    grown_before(path, MESSAGES + 1, days=28.5)
    keeper.json("index", "update")

    (one,) = [found for found in keeper.json("vault", "expiring")["expiring"] if found["session_id"] == SESSION]
    assert one["is_safe"]
    assert 1 < one["days_left"] < 2

    grown_before(path, MESSAGES + 2, days=31)
    keeper.json("index", "update")
    path.unlink()
    keeper.json("index", "update")

    after = keeper.json("vault", "expiring")
    assert (after["removed"], after["kept"]) == (1, 1)
    assert SESSION not in {found["session_id"] for found in after["expiring"]}


def grown_before(path: Path, count: int, *, days: float) -> None:
    """Write a longer transcript, as if that had been some days ago."""
    path.write_bytes(b"".join(records(count)))
    then = time.time() - days * 86_400
    os.utime(path, (then, then))


def test_what_keeps_the_vault_from_taking_anything_is_told(keeper: Person):
    transcript(keeper).write_bytes(b"".join(records(MESSAGES + 1)))
    reserve, keeper.environment["HOLDFAST_VAULT_RESERVE_MB"] = "0", "10000000"
    assert "The disk is nearly full: no version was kept." in keeper.run("index", "update").stderr
    assert "are to stay free" in keeper.run("vault", "status").stderr
    assert keeper.json("vault", "status")["is_paused_for_space"]
    keeper.environment["HOLDFAST_VAULT_RESERVE_MB"] = reserve

    in_the_way = keeper.top / "a file"
    in_the_way.touch()
    told = keeper.run("index", "update", "--set", f"vault_directory={in_the_way / 'vault'}")
    assert (told.returncode, "The vault cannot be written: no version was kept." in told.stderr) == (0, True)

    keeper.ok("index", "update")
    assert keeper.json("vault", "versions", SESSION)[0]["messages"] == MESSAGES + 1


def test_an_encrypted_vault_captures_with_the_passphrase_and_is_never_plain_unsaid(keeper: Person):
    unsaid = "There is no passphrase yet, so the vault is not encrypted."
    assert unsaid in keeper.run("config", "set", "vault_encrypted", "true").stderr
    assert unsaid in keeper.run("vault", "status").stderr
    given = {"HOLDFAST_PASSPHRASE": "correct horse"}
    keeper.ok("keys", "encrypt", "--yes", env=keeper.environment | given)
    assert unsaid not in keeper.run("vault", "status").stderr
    whole = b"".join(records(MESSAGES + 1)).replace(b"prompt 40", b"prompt bergamot")
    transcript(keeper).write_bytes(whole)

    locked = keeper.run("index", "update")
    assert (locked.returncode, "The vault is locked: no version was kept." in locked.stderr) == (0, True)
    assert keeper.json("vault", "versions", SESSION)[0]["messages"] == MESSAGES

    keeper.environment |= given
    assert "holdfast:" not in keeper.run("index", "update").stderr
    assert keeper.json("vault", "versions", SESSION)[0]["messages"] == MESSAGES + 1
    keeper.ok("vault", "restore", SESSION, "--to", str(keeper.top / "again.jsonl"))
    assert (keeper.top / "again.jsonl").read_bytes() == whole
    for part in ("data", "log"):
        for path in (keeper.top / "ours" / part).rglob("*"):
            assert not path.is_file() or b"bergamot" not in path.read_bytes(), path
