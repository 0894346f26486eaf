"""What the vault captures of a source, and gives back."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents.base import fingerprint_at
from holdfast_core.errors import Locked, NotFound
from holdfast_core.vault.vault import Mark, NoSpaceKept, Seen, VaultOptions

from tests.core.vault.support import AGENT, World, record, transcript


def test_the_first_capture_gives_back_what_was_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(50)

    taken = world.capture("a.jsonl", text, marks=[Mark("one", 50)])

    assert (taken.reason, taken.version, taken.is_new_version) == ("first", 1, True)
    assert world.content("a.jsonl") == text
    assert [(one.reason, one.size_bytes, one.messages) for one in world.versions("a.jsonl")] == [
        ("first", len(text), 50)
    ]


def test_nothing_is_made_before_the_first_capture(tmp_path: Path) -> None:
    world = World(tmp_path)

    assert world.vault.state(AGENT, "x") is None
    assert world.vault.states(AGENT) == {}
    assert world.vault.status().sources == 0
    assert world.vault.versions(AGENT, "x") == []
    assert world.vault.usage() == []
    assert world.vault.verify().checked == 0
    assert world.vault.tidy(1.0)
    assert not (tmp_path / "vault").exists()


def test_growth_costs_what_was_added(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(5000)
    world.capture("a.jsonl", text)

    taken = world.capture("a.jsonl", text + record(5000))

    assert (taken.reason, taken.version, taken.is_new_version) == ("grown", 1, False)
    assert taken.stored_bytes < len(record(5000)) + 400
    assert world.content("a.jsonl") == text + record(5000)


def test_growth_takes_the_blocks_that_a_reading_has_seen(tmp_path: Path) -> None:
    """The file has more by then: what the reading did not see is for the next time."""
    world = World(tmp_path)
    text, more = transcript(20), record(20)
    world.capture("a.jsonl", text)
    path = world.put("a.jsonl", text + more)
    seen = Seen(fingerprint_at(str(path)), [(len(text), more)])
    path.write_bytes(text + more + record(21))

    world.capture("a.jsonl", seen=seen)

    assert world.content("a.jsonl") == text + more


def test_blocks_that_do_not_follow_on_what_is_known_are_not_believed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    other = transcript(40, first=100)
    path = world.put("a.jsonl", other)
    start = len(transcript(20))

    world.capture("a.jsonl", seen=Seen(fingerprint_at(str(path)), [(start, other[start:])]))

    assert world.content("a.jsonl") == other


def test_an_unchanged_source_is_no_new_version(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20), marks=[Mark("one", 20)])

    taken = world.capture("a.jsonl", transcript(20), marks=[Mark("one", 20)])

    assert (taken.reason, taken.version, taken.stored_bytes) == (None, 1, 0)
    state = world.vault.state(AGENT, world.key("a.jsonl"))
    assert state is not None
    assert state.fingerprint.modified_ns == fingerprint_at(world.key("a.jsonl")).modified_ns


def test_each_thing_that_happens_to_a_file_has_its_reason(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(200)
    zeroed = text[:10_000] + bytes(4096) + text[14_096:]
    rewritten = transcript(30, first=70) + transcript(50)

    reasons = [world.capture("a.jsonl", data).reason for data in (text, text[:9000], text, zeroed, rewritten)]
    contents = [world.content("a.jsonl", number) for number in range(1, 6)]

    assert reasons == ["first", "truncated", "grown", "zeroed", "rewritten"]
    assert contents == [text, text[:9000], text, zeroed, rewritten]


def test_what_stays_is_stored_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(4000)
    world.capture("a.jsonl", text)
    lines = text.splitlines(keepends=True)
    moved = b"".join(lines[1500:] + lines[:1200] + [record(9999)])

    taken = world.capture("a.jsonl", moved)

    assert world.content("a.jsonl") == moved
    assert taken.stored_bytes < len(text) / 20


def test_what_comes_back_after_a_cut_is_not_stored_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(4000)
    world.capture("a.jsonl", text)
    world.capture("a.jsonl", text[:5000])

    taken = world.capture("a.jsonl", text)

    assert taken.stored_bytes < 1000
    assert world.content("a.jsonl") == text


def test_a_deleted_source_keeps_its_versions(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(30)
    path = world.put("a.jsonl", text)
    world.capture("a.jsonl", marks=[Mark("one", 30)])
    path.unlink()

    world.vault.gone(AGENT, world.key("a.jsonl"))
    world.vault.commit()

    state = world.vault.state(AGENT, world.key("a.jsonl"))
    assert state is not None
    assert (state.is_gone, state.best_version, state.newest_version) == (True, 1, 2)
    assert world.content("a.jsonl") == text
    with pytest.raises(NotFound):
        world.content("a.jsonl", 2)


def test_a_source_that_comes_back_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(30)
    world.capture("a.jsonl", text)
    world.vault.gone(AGENT, world.key("a.jsonl"))
    world.vault.commit()

    taken = world.capture("a.jsonl", text)

    assert (taken.reason, taken.version) == ("restored", 3)
    assert [one.reason for one in world.versions("a.jsonl")] == ["first", "deleted", "restored"]


def test_a_moved_source_is_the_same_strand(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(300)
    world.capture("a.jsonl", text, marks=[Mark("one", 300)])
    new = world.put("b.jsonl", text)
    stored = world.vault.status().stored_bytes

    is_moved = world.vault.moved(AGENT, world.key("a.jsonl"), world.ref("b.jsonl"))
    world.vault.commit()

    assert is_moved
    assert world.vault.state(AGENT, world.key("a.jsonl")) is None
    assert world.content("b.jsonl") == text
    assert [one.reason for one in world.versions("b.jsonl")] == ["first", "moved"]
    assert world.vault.status().stored_bytes < stored + 1000
    assert world.vault.strands_of(f"{AGENT}:one") == [(AGENT, str(new))]
    assert world.capture("b.jsonl", text + record(300)).reason == "grown"


def test_a_new_source_at_the_place_of_a_moved_one_has_its_own_strand(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(30))
    world.put("b.jsonl", transcript(30))
    world.vault.moved(AGENT, world.key("a.jsonl"), world.ref("b.jsonl"))

    world.capture("a.jsonl", transcript(5, first=500))

    assert world.content("a.jsonl") == transcript(5, first=500)
    assert world.content("b.jsonl") == transcript(30)
    assert world.vault.verify().bad == ()


def test_lost_messages_are_counted_and_forgiven(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(177), marks=[Mark("one", 177)])
    world.put("a.jsonl", transcript(16))
    world.vault.capture(world.ref("a.jsonl"), marks=[Mark("one", 16)])
    world.vault.lose(AGENT, world.key("a.jsonl"), "one", 161)
    world.vault.commit()

    lost = world.vault.lost(AGENT, world.key("a.jsonl"))
    versions = [(one.messages, one.lost, one.reason, one.is_best) for one in world.versions("a.jsonl")]
    status = world.vault.status()
    world.put("a.jsonl", transcript(177))
    world.vault.capture(world.ref("a.jsonl"))
    world.vault.lose(AGENT, world.key("a.jsonl"), "one", 0)
    world.vault.commit()

    assert lost == {"one": 161}
    assert versions == [(177, 0, "first", True), (16, 161, "truncated", False)]
    assert status.lost_at_source == 161
    assert world.vault.status().lost_at_source == 0


def test_a_tagged_version_stays_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = transcript(10)
    world.capture("a.jsonl", text)
    world.capture("a.jsonl", text[:900])

    world.vault.tag(AGENT, world.key("a.jsonl"), 1, "before the cut")
    world.vault.tag(AGENT, world.key("a.jsonl"), 2, "after it")
    world.capture("a.jsonl", text[:1000])
    world.reopen()

    assert [(one.number, one.tag) for one in world.versions("a.jsonl")] == [
        (1, "before the cut"),
        (2, "after it"),
        (3, ""),
    ]
    assert world.content("a.jsonl", 2) == text[:900]
    with pytest.raises(NotFound):
        world.vault.tag(AGENT, world.key("a.jsonl"), 9, "none")


def test_companions_come_with_their_source(tmp_path: Path) -> None:
    world = World(tmp_path)
    todo = world.put("todo.json", b'{"todo":1}')
    tool = world.put("tool.txt", b"output")
    world.capture("a.jsonl", transcript(5), companions=[todo, tool])
    todo.write_bytes(b'{"todo":2, "more":true}')
    tool.unlink()

    world.capture("a.jsonl", companions=[todo, tool])

    found = {state.path: state for state in world.vault.companions(AGENT, world.key("a.jsonl"))}
    assert found.keys() == {str(todo), str(tool)}
    assert found[str(tool)].is_gone
    assert found[str(todo)].owner == world.key("a.jsonl")
    assert b"".join(world.vault.content(AGENT, str(todo), 1)) == b'{"todo":1}'
    assert b"".join(world.vault.content(AGENT, str(todo))) == b'{"todo":2, "more":true}'
    assert b"".join(world.vault.content(AGENT, str(tool))) == b"output"


def test_a_database_stores_the_blocks_that_changed(tmp_path: Path) -> None:
    world = World(tmp_path)
    pages = [b"SQLite format 3\0".ljust(16384, b"h"), *(record(number, 16384)[:16384] for number in range(200))]
    first = b"".join(pages)
    world.capture("a.db", first)
    pages[77] = record(5000, 16384)[:16384]
    pages.append(pages[3])

    taken = world.capture("a.db", b"".join(pages))

    assert world.content("a.db") == b"".join(pages)
    assert world.content("a.db", 1) == first
    assert taken.stored_bytes < 20_000


def test_a_database_that_changes_is_not_taken_each_time(tmp_path: Path) -> None:
    world = World(tmp_path, VaultOptions(reserve_bytes=0, database_minutes=5))
    first = b"SQLite format 3\0" + bytes(5000)
    world.capture("a.db", first)

    taken = world.capture("a.db", first + b"more")
    urgent = world.vault.capture(world.ref("a.db"), is_urgent=True)
    world.vault.commit()

    assert (taken.is_postponed, taken.reason) == (True, None)
    assert (urgent.is_postponed, urgent.reason) == (False, "rewritten")


def test_a_full_disk_stops_captures_and_loses_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    world.options = VaultOptions(reserve_bytes=1 << 62)
    world.reopen()

    with pytest.raises(NoSpaceKept):
        world.capture("a.jsonl", transcript(30))

    assert world.vault.status().is_paused_for_space
    assert world.content("a.jsonl") == transcript(20)


def test_a_locked_vault_waits_and_tells(tmp_path: Path) -> None:
    world = World(tmp_path, VaultOptions(reserve_bytes=0, is_encrypted=True))
    world.keys.set_passphrase("a passphrase")
    secret = b'{"text":"nobody may read this %d"}\n'
    text = b"".join(secret % number for number in range(500))
    world.capture("a.jsonl", text)
    world.keys.lock()

    with pytest.raises(Locked):
        world.capture("a.jsonl", text + secret % 500)
    with pytest.raises(Locked):
        world.content("a.jsonl")

    world.vault.discard()
    assert world.vault.status().is_locked
    stored = b"".join(path.read_bytes() for path in (tmp_path / "vault").rglob("*") if path.is_file())
    assert b"nobody may" not in stored
    assert world.vault.verify().bad == ()
    world.keys.unlock("a passphrase")
    assert world.capture("a.jsonl", text + secret % 500).reason == "grown"
    assert world.content("a.jsonl") == text + secret % 500


def test_what_was_plain_is_encrypted_once_it_should_be(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = b'{"text":"plain as day"}\n' * 10
    world.capture("a.jsonl", text)
    world.keys.set_passphrase("a passphrase")
    world.options = VaultOptions(reserve_bytes=0, is_encrypted=True)
    world.reopen()

    world.capture("a.jsonl", text + b"more")

    assert world.content("a.jsonl") == text + b"more"
    assert b"plain as day" not in world.strand("a.jsonl").read_bytes()


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    side = world.put("side.txt", b"beside")
    world.capture("a.jsonl", transcript(20), companions=[side], marks=[Mark("one", 20)])
    world.capture("b.jsonl", transcript(20, first=50))
    world.vault.tidy(10)

    freed = world.vault.forget(AGENT, world.key("a.jsonl"))

    assert freed > 0
    assert not world.strand("a.jsonl").exists()
    assert world.vault.state(AGENT, str(side)) is None
    assert world.vault.strands_of(f"{AGENT}:one") == []
    assert world.vault.verify().bad == ()
    assert world.vault.forget(AGENT, world.key("a.jsonl")) == 0
    left = b"".join(path.read_bytes() for path in (tmp_path / "vault").rglob("*") if path.is_file())
    assert b"a.jsonl" not in left


def test_what_was_not_committed_never_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    world.put("a.jsonl", transcript(21))
    world.put("b.jsonl", transcript(5))
    world.vault.capture(world.ref("a.jsonl"))
    world.vault.capture(world.ref("b.jsonl"))

    world.vault.discard()

    assert world.vault.state(AGENT, world.key("b.jsonl")) is None
    assert world.capture("a.jsonl", transcript(22)).reason in ("grown", None)
    assert world.content("a.jsonl") == transcript(22)


def test_one_batch_may_hold_a_source_several_times(tmp_path: Path) -> None:
    world = World(tmp_path)
    for count in (5, 6, 3, 9):
        world.put("a.jsonl", transcript(count))
        world.vault.capture(world.ref("a.jsonl"))

    world.vault.commit()

    assert [one.reason for one in world.versions("a.jsonl")] == ["first", "truncated", "grown"]
    assert world.content("a.jsonl", 1) == transcript(6)
    assert world.content("a.jsonl") == transcript(9)


def test_a_catalogue_that_is_gone_is_made_of_the_strands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20), marks=[Mark("one", 20, b"tip", "/project", "main")])
    world.capture("a.jsonl", transcript(7), marks=[Mark("one", 7, b"pit", "/project", "main")])
    before = world.versions("a.jsonl"), world.vault.state(AGENT, world.key("a.jsonl"))
    world.vault.close()
    for path in (tmp_path / "vault").glob("vault.db*"):
        path.unlink()

    world.open()

    assert (world.versions("a.jsonl"), world.vault.state(AGENT, world.key("a.jsonl"))) == before
    assert world.vault.marks(AGENT, world.key("a.jsonl")) == [Mark("one", 7, b"pit", "/project", "main")]
    assert world.capture("a.jsonl", transcript(8)).reason == "grown"
    assert "made anew of 1 strands" in caplog.text
    caplog.clear()


def test_another_process_may_have_gone_on(tmp_path: Path) -> None:
    world, other = World(tmp_path), World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    world.put("a.jsonl", transcript(21))
    world.vault.capture(world.ref("a.jsonl"))
    world.vault.discard()  # the record is there, the catalogue does not know

    other.capture("a.jsonl", transcript(23))
    world.capture("a.jsonl", transcript(24))

    assert world.content("a.jsonl") == other.content("a.jsonl") == transcript(24)


def test_what_takes_space_is_told_by_agent_project_and_kind(tmp_path: Path) -> None:
    world = World(tmp_path)
    side = world.put("side.txt", bytes(1000))
    world.capture("a.jsonl", transcript(40), companions=[side], marks=[Mark("one", 40, b"", "/kelp", "main")])
    world.capture("b.jsonl", transcript(20), marks=[Mark("two", 20, b"", "/kelp", "subagent")])
    world.vault.verify()

    rows = {(row.project, row.kind): row for row in world.vault.usage()}

    assert rows.keys() == {("/kelp", "main"), ("/kelp", "companion"), ("/kelp", "subagent")}
    assert rows["/kelp", "main"].source_bytes == rows["/kelp", "main"].free_bytes == len(transcript(40))
    assert rows["/kelp", "companion"].source_bytes == 1000


def test_a_tail_is_folded_at_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_core.vault.upkeep.RESTED_MS", -1)
    world = World(tmp_path)
    for count in range(1, 40):
        world.capture("a.jsonl", transcript(count))
    before = world.strand("a.jsonl").stat().st_size

    assert world.vault.tidy(10)

    assert world.strand("a.jsonl").stat().st_size < before * 0.75
    assert world.content("a.jsonl") == transcript(39)
    assert world.capture("a.jsonl", transcript(40)).reason == "grown"
    assert world.vault.verify().bad == ()


def test_a_large_tail_is_folded_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_core.vault.capturing.FOLD_BYTES", 10_000)
    world = World(tmp_path)
    for count in range(1, 100):
        world.capture("a.jsonl", transcript(count))

    assert world.content("a.jsonl") == transcript(99)
    assert world.vault.verify().bad == ()
    assert world.strand("a.jsonl").stat().st_size < 99 * 250


def test_a_version_can_be_written_to_a_file(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    world.capture("a.jsonl", transcript(3))

    size = world.vault.write_to(tmp_path / "out.jsonl", AGENT, world.key("a.jsonl"), 1)

    assert size == len(transcript(20))
    assert (tmp_path / "out.jsonl").read_bytes() == transcript(20)


def test_an_empty_source_is_a_version_too(tmp_path: Path) -> None:
    world = World(tmp_path)

    reasons = [world.capture("a.jsonl", data).reason for data in (b"", transcript(3), b"")]

    assert reasons == ["first", "grown", "truncated"]
    assert [world.content("a.jsonl", number) for number in (1, 2)] == [transcript(3), b""]


def test_names_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    world = World(tmp_path)
    name, side = "caf\udce9.jsonl", world.put("r\udcffle.txt", b"beside")
    marks = [Mark("one\udcff", 9, b"", "/home/caf\udce9", "main")]
    world.capture(name, transcript(9), companions=[side], marks=marks)
    world.put(name, transcript(4))
    world.vault.capture(world.ref(name), marks=[Mark("one\udcff", 4, b"", "/home/caf\udce9", "main")])
    world.vault.lose(AGENT, world.key(name), "one\udcff", 5)
    world.vault.commit()
    world.reopen()

    assert world.vault.states(AGENT).keys() == {world.key(name), str(side)}
    assert [state.path for state in world.vault.companions(AGENT, world.key(name))] == [str(side)]
    assert world.vault.lost(AGENT, world.key(name)) == {"one\udcff": 5}
    assert world.vault.marks(AGENT, world.key(name))[0].project == "/home/caf\udce9"
    assert world.vault.strands_of(f"{AGENT}:one\udcff") == [(AGENT, world.key(name))]
    assert [world.content(name, number) for number in (1, 2)] == [transcript(9), transcript(4)]
    assert world.vault.verify().bad == ()
    assert world.vault.forget(AGENT, world.key(name)) > 0


def test_what_comes_back_to_a_version_that_grew_is_put_together_right(tmp_path: Path) -> None:
    """The bytes that come back are kept already, so there is nothing to append: it is no plain growth."""
    world = World(tmp_path)
    text = transcript(2000)
    shown = [text, text[:5000], text[:9000], text]

    taken = [world.capture("a.jsonl", data) for data in shown]

    assert [one.reason for one in taken] == ["first", "truncated", "grown", "grown"]
    assert [world.content("a.jsonl", one.version) for one in taken] == shown
    assert taken[-1].stored_bytes < 1000
