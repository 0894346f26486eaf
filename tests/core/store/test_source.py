"""Held sessions as a source: found by names alone, read as they are, and what was added costs what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from holdfast_core.agents.base import Home, Reading, ResumeTarget, SourceRef
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.held import HELD_AGENT, Origin
from holdfast_core.model.message import Message, Text
from holdfast_core.model.usage import Usage
from holdfast_core.store.journal import Journal
from holdfast_core.store.source import HeldSource
from holdfast_core.store.store import Store
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.support import a_store, files, made, said, some_id

ONE, TWO = some_id(1), some_id(2)
HOME = Home(Path("/nowhere"), {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with a_store(tmp_path) as opened:
        yield opened


def source_of(store: Store) -> HeldSource:
    return HeldSource(store.site.places.directory, lambda: store.site.keys)


def ref_of(store: Store, session_id: str = ONE) -> SourceRef:
    path = str(store.site.places.session(session_id))
    return next(ref for ref in source_of(store).discover(HOME) if ref.path == path)


def read(store: Store, before: Reading | None = None) -> Reading:
    return source_of(store).read(ref_of(store), HOME, checkpoint=before.checkpoint if before else None)


def test_sessions_are_found_by_their_names_alone(store: Store):
    made(store, 1), made(store, 2)
    (store.site.places.directory / "notes.txt").write_text("no session")
    source = source_of(store)

    assert len(list(source.discover(HOME))) == 2
    path = str(store.site.places.session(ONE))
    assert [ref.path for ref in source.refs_for(HOME, [path])] == [path]
    assert len(list(source.refs_for(HOME, [str(store.site.places.directory)]))) == 2
    assert list(source.refs_for(HOME, [str(store.site.places.backups / "x.hold")])) == []


def test_a_session_is_read_with_all_that_the_list_shows(store: Store):
    spent = Message("m9", "assistant", (Text("Done"),), 1_760_000_000_009, model="alpha-1", usage=Usage(10, 5))
    made(store, 1, title="Named", tags=("a",), starred=True, notes="n", origin=Origin(agent="alpha", branch="main"))
    store.append(ONE, [spent])

    session = read(store).sessions[0]

    facts = session.facts
    assert (facts.id, facts.agent, facts.title, facts.branch) == (ONE, "alpha", "Named", "main")
    assert (facts.preview, facts.last_text, facts.message_count) == ("Line 1", "Done", 2)
    assert (facts.usage, facts.model, facts.is_held, facts.is_live) == (Usage(10, 5), "alpha-1", True, False)
    assert [message.id for message in session.messages] == ["m1", "m9"]
    assert [response.key for response in session.responses] == ["holdfast:m9:1"]
    said_of = session.annotation
    assert said_of is not None
    assert (said_of.tags, said_of.starred, said_of.note, said_of.title) == (("a",), True, "n", None)


def test_what_was_added_costs_what_it_is(store: Store):
    made(store, 1, messages=tuple(said(number, "x" * 500) for number in range(300)))
    first = read(store)
    store.append(ONE, [said(1000)])
    store.star(ONE)

    second = read(store, first)

    session = second.sessions[0]
    assert second.was_continued
    assert second.bytes_read < 600
    assert (session.first_index, session.messages, session.facts.message_count) == (300, [said(1000)], 301)
    assert session.annotation is not None
    assert session.annotation.starred
    assert read(store, second).sessions[0].messages == []


def test_a_file_that_was_written_anew_is_read_from_its_start(store: Store):
    made(store, 1)
    first = read(store)
    store.close(ONE)

    second = read(store, first)

    assert (second.was_continued, second.sessions[0].first_index) == (False, 0)


def test_earlier_messages_that_were_replaced_are_read_from_the_start(store: Store):
    made(store, 1, messages=(said(1), said(2)))
    first = read(store)
    journal = Journal(store.site, ONE)
    journal.replace(1, [said(2, "other")])
    journal.close()

    second = read(store, first)

    assert second.was_continued is False
    assert second.sessions[0].messages == [said(1), said(2, "other")]


@settings(max_examples=100)
@given(parts=st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_reading_in_any_steps_gives_what_reading_at_once_gives(parts: list[int]):
    with a_store() as store:
        made(store, 1)
        reading = read(store)
        messages = list(reading.sessions[0].messages)
        number = 10
        for count in parts:
            if count:
                store.append(ONE, [said(number + step) for step in range(count)])
            else:
                store.rename(ONE, f"Title {number}")
            number += count
            reading = read(store, reading)
            session = reading.sessions[0]
            messages = [*messages[: session.first_index], *session.messages]

        whole = read(store).sessions[0]
        assert messages == whole.messages
        assert reading.sessions[0].facts == whole.facts


@pytest.mark.parametrize(
    ("harm", "reason"),
    [("cut", "truncated"), ("flip", "bad_tag"), ("text", "not_a_container"), ("swap", "wrong_identity")],
)
def test_a_bad_file_is_told_with_its_reason(store: Store, harm: str, reason: str):
    made(store, 1), made(store, 2)
    path = store.site.places.session(ONE)
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-1] ^= 1
    content = {
        "cut": bytes(data[:-10]),
        "text": b"hello" * 100,
        "swap": store.site.places.session(TWO).read_bytes(),
    }.get(harm, bytes(data))
    path.write_bytes(content)

    with pytest.raises(SourceError) as caught:
        read(store)

    assert caught.value.reason == reason


def test_of_an_encrypted_session_the_index_gets_a_stand_in(store: Store):
    store.site.keys.set_passphrase("correct horse")
    made(store, 1, title="Private", tags=("hidden",))

    for is_locked in (False, True):
        if is_locked:
            store.site.keys.lock()
        reading = read(store)
        assert reading.checkpoint is None
        session = reading.sessions[0]
        assert (session.facts.title, session.messages, session.facts.id) == ("Encrypted session", [], ONE)
        assert b"Private" not in msgspec.msgpack.encode(session)
        assert b"hidden" not in msgspec.msgpack.encode(session)

    store.site.keys.unlock("correct horse")
    wanted = HeldSource(store.site.places.directory, lambda: store.site.keys, encrypted_in_index="everything")
    assert wanted.read(ref_of(store), HOME).sessions[0].facts.title == "Private"


def test_reading_writes_nothing_and_no_program_continues_it(store: Store):
    made(store, 1)
    before = files(store)

    read(store)

    assert files(store) == before
    with pytest.raises(Refused):
        source_of(store).resume_command(ResumeTarget(ONE, "main", "/p", "/s"))
    assert source_of(store).id == HELD_AGENT
