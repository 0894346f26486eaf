"""A session's entry says what a list needs, and the same whether it was made at once or from what was added."""

from __future__ import annotations

import msgspec
import pytest
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.message import Message, Text
from holdfast_core.model.usage import Usage
from holdfast_core.store.listing import after_append, entry_of, stand_in
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.shapes import messages, sessions
from tests.core.store.support import said, some_id

ONE = some_id(1)
RULES = Message("s", "system", (Text("rules"),))


@settings(max_examples=100)
@given(session=sessions, added=st.lists(messages(), max_size=3))
def test_an_entry_grows_as_the_session_does(session: HeldSession, added: list[Message]):
    whole = msgspec.structs.replace(session, messages=(*session.messages, *added), updated_ms=9)

    grown = after_append(entry_of(session, size_bytes=1), added, updated_ms=9, size_bytes=2, usage=session.usage)

    assert grown == entry_of(whole, size_bytes=2)


@pytest.mark.parametrize(
    ("session", "title"),
    [
        (HeldSession(id=ONE, title="Own"), "Own"),
        (HeldSession(id=ONE, title=" two \n lines "), "two lines"),
        (
            HeldSession(id=ONE, messages=(Message("s", "system", (Text("rules"),)), said(1, "first words"))),
            "first words",
        ),
        (HeldSession(id=ONE), ""),
    ],
)
def test_a_title_is_the_own_one_or_the_first_words(session: HeldSession, title: str):
    assert entry_of(session, size_bytes=0).title == title


def test_the_agent_is_that_of_the_configuration_then_of_the_origin():
    both = HeldSession(id=ONE, config=SessionConfig(agent="beta"), origin=Origin(agent="alpha"))

    assert entry_of(both, size_bytes=0).agent == "beta"
    assert entry_of(msgspec.structs.replace(both, config=SessionConfig()), size_bytes=0).agent == "alpha"
    assert entry_of(HeldSession(id=ONE), size_bytes=0).agent == "holdfast"


@settings(max_examples=100)
@given(session=sessions)
def test_a_stand_in_holds_nothing_that_anybody_wrote(session: HeldSession):
    entry = entry_of(session, size_bytes=3, is_encrypted=True)

    assert entry == stand_in(entry)
    assert (entry.title, entry.preview, entry.project_path, entry.branch) == ("Encrypted session", "", "", "")
    assert (entry.tags, entry.context_files, entry.model, entry.provider) == ((), (), "", "")
    assert (entry.usage, entry.message_count) == (session.usage, len(session.messages))
    assert isinstance(entry.usage, Usage)
