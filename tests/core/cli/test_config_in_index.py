"""What of encrypted sessions stands in the index follows the setting at once, from the command line too."""

from __future__ import annotations

from tests.core.cli.conftest import Person
from tests.core.cli.test_held import holder, made

__all__ = ["holder"]


def hits(person: Person) -> list[str]:
    return [hit["session_id"] for hit in person.json("sessions", "search", "jam")["hits"]]


def test_the_setting_counts_at_once(holder: Person) -> None:
    session_id = made(holder, "Persimmon plan", "persimmon jam")
    holder.environment["HOLDFAST_PASSPHRASE"] = "correct horse"
    holder.ok("keys", "encrypt", "--yes")
    assert hits(holder) == []

    told = holder.run("config", "set", "encrypted_in_index", "everything")
    assert "keys unlock" in told.stderr
    holder.ok("keys", "unlock")
    assert hits(holder) == [session_id]

    holder.ok("config", "set", "encrypted_in_index", "nothing")
    assert hits(holder) == []
    index = holder.top / "ours" / "cache"
    assert [path for path in index.rglob("*") if path.is_file() and b"ersimmon" in path.read_bytes()] == []
