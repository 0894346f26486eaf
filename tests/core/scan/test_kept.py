"""No agent can lose a session any more: whatever becomes of a source, all that was in it stays listed and found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, Reading
from holdfast_core.errors import SourceError
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.message import Message, Text, ToolCall, ToolResult
from holdfast_core.sealed.keys import Keys

from tests.core.agents.support import CASES, home_of, refs_of
from tests.core.scan.keeping import WORD, Kept
from tests.fakes.line_file import grows

NUMBERED = re.compile(r"(?:[a-z]+-)?\d{0,9}(?:[:-][a-z-]+)?")
SQLITE = b"SQLite format 3\0"


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _zero(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def _rewrite(path: Path) -> None:
    if path.read_bytes().startswith(SQLITE):
        connection = apsw.Connection(str(path))
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'")
        for (table,) in tables.fetchall():
            connection.execute(f'DELETE FROM "{table}"')
        connection.execute("VACUUM").fetchall()
        connection.close()
    else:
        path.write_text('{"type": "nothing", "text": "other words"}\n')


def _replace(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _add_nuls(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(4096))


def _glue(path: Path) -> None:
    first, end, rest = path.read_bytes().partition(b"}\n")
    if path.suffix == ".jsonl" and end:
        path.write_bytes(first + b"}" + rest)


def _rename(path: Path) -> None:
    path.rename(path.with_name(f"zz{path.name}"))


TREATMENTS: dict[str, Callable[[Path], None]] = {
    "truncate": _truncate,
    "zero": _zero,
    "delete": Path.unlink,
    "rewrite": _rewrite,
    "rename": _rename,
    "replace": _replace,
    "nuls": _add_nuls,
    "glue": _glue,
}


def _richest() -> dict[str, Path]:
    """Return of each agent the case that says most."""
    found: dict[str, Path] = {}
    for case in CASES:
        size = (case / "expected.json").stat().st_size
        best = found.get(case.parent.name)
        if case.parent.name in all_agents() and (best is None or size > (best / "expected.json").stat().st_size):
            found[case.parent.name] = case
    return found


RICHEST = _richest()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.open(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def made(tmp_path: Path, keys: Keys) -> Iterator[Callable[[str], Kept]]:
    places: list[Kept] = []

    def make(agent: str) -> Kept:
        kept = Kept(tmp_path, keys, {agent: all_agents()[agent]}, home_of(RICHEST[agent], tmp_path))
        places.append(kept)
        return kept

    yield make
    for place in places:
        place.close()


def _sources(agent: Agent, home: Home) -> list[Path]:
    return [Path(ref.path) for ref in refs_of(agent, home).values()]


def _said(message: Message) -> tuple[str, str]:
    """Return what a message says, without ids that a reader makes up and what other files tell."""
    return message.role, repr([_bare(block) for block in message.blocks])


def _bare(block: object) -> object:
    if isinstance(block, ToolCall):
        return block.name, block.input
    return (block.text, block.is_error) if isinstance(block, ToolResult) else block


def _at_source(kept: Kept, session_id: str) -> Sequence[Message]:
    """Return what the reader of an agent finds of a session without any vault."""
    name, key = kept.source_of(session_id)
    agent = kept.agents[name]
    for ref in agent.discover(kept.home):
        if ref.key == key:
            try:
                reading: Reading = agent.read(ref, kept.home)
            except SourceError:
                return ()
            return next((one.messages for one in reading.sessions if one.facts.id == session_id), ())
    return ()


def _gone(before: Sequence[Message], now: Sequence[Message]) -> list[Message]:
    """Return which messages are no more: neither under their own id nor by what they say."""
    ids = {message.id for message in now if message.blocks and not NUMBERED.fullmatch(message.id)}
    ids &= {message.id for message in before}
    said = Counter(_said(message) for message in now if message.id not in ids)
    rest = [message for message in before if message.id not in ids]
    said.subtract(_said(message) for message in rest)
    return [message for message in reversed(rest) if _is_over(said, _said(message))]


def _is_over(said: Counter[tuple[str, str]], one: tuple[str, str]) -> bool:
    """Return whether something was said more often than it is now; each time that counts once."""
    said[one] += 1
    return said[one] <= 0


def _is_in(before: Sequence[Message], now: Sequence[Message]) -> bool:
    said = {_said(message) for message in now}
    return all(_said(message) in said for message in before)


def _word_of(messages: Sequence[Message]) -> str | None:
    texts = (block.text for message in messages for block in message.blocks if isinstance(block, Text))
    return next((word for text in texts for word in WORD.findall(text)), None)


@pytest.mark.parametrize("agent", sorted(RICHEST))
@pytest.mark.parametrize("treatment", TREATMENTS)
def test_whatever_becomes_of_a_source_its_sessions_stay(
    agent: str, treatment: str, made: Callable[[str], Kept]
) -> None:
    kept = made(agent)
    kept.update()
    before = kept.sessions()
    for path in _sources(kept.agents[agent], kept.home):
        TREATMENTS[treatment](path)

    outcome = kept.update()

    entries, lost = kept.entries(), set()
    for name, session in before.items():
        if treatment == "rename" and name not in entries:  # it is named by its file
            assert any(_is_in(session.messages, one.messages) for one in kept.sessions().values())
            continue
        now = kept.session(name)
        assert _is_in(session.messages, now.messages)
        assert entries[name].message_count == len(now.messages) >= len(session.messages)
        gone = _gone(session.messages, _at_source(kept, name))
        assert (entries[name].lost_messages, entries[name].state == "lost") == (len(gone), bool(gone))
        word = _word_of(gone)
        assert word is None or name in kept.found(word)
        lost |= {name} if gone else set()
    assert kept.ids("is:lost") & before.keys() == lost
    assert {loss.id for loss in outcome.changes.lost} == lost
    answers = kept.answers()
    kept.rebuild()
    assert kept.answers() == answers


@pytest.mark.parametrize("agent", [name for name in sorted(RICHEST) if grows(name)])
def test_a_session_that_grows_line_by_line_loses_nothing_and_nobody_is_told(
    agent: str, made: Callable[[str], Kept]
) -> None:
    kept = made(agent)
    wanted = {path: path.read_bytes() for path in _sources(kept.agents[agent], kept.home) if path.suffix == ".jsonl"}
    steps = 100 if agent in ("claude_code", "codex") else 8
    parts = {path: _parts(content, steps) for path, content in wanted.items()}
    for path in parts:
        path.write_bytes(b"")
    losses: list[object] = []
    for step in range(steps):
        for path, pieces in parts.items():
            with path.open("ab") as file:
                file.write(pieces[step])
        losses += kept.update(*parts).changes.lost
    kept.update()
    grown = kept.answers()

    kept.rebuild()

    assert losses == []
    assert kept.ids("is:lost") == set()
    assert {path.read_bytes() for path in wanted} == set(wanted.values())
    for path, content in wanted.items():
        key = next(ref.key for ref in kept.agents[agent].refs_for(kept.home, [str(path)]))
        assert b"".join(kept.vault.content(agent, key)) == content
        reasons = {version.reason for version in kept.vault.versions(agent, key)}
        assert reasons <= {"first", "grown"}
    assert {name: entry["message_count"] for name, entry in kept.answers().entries.items()} == {
        name: entry["message_count"] for name, entry in grown.entries.items()
    }


def _parts(content: bytes, steps: int) -> list[bytes]:
    """Return some bytes in so many parts, cut anywhere."""
    cuts = [len(content) * step // steps for step in range(steps + 1)]
    return [content[start:end] for start, end in pairwise(cuts)]


@pytest.mark.parametrize("agent", sorted(RICHEST))
def test_what_was_lost_and_is_there_again_is_lost_no_more(agent: str, made: Callable[[str], Kept]) -> None:
    kept = made(agent)
    kept.update()
    before = kept.entries()
    contents = {path: path.read_bytes() for path in _sources(kept.agents[agent], kept.home)}
    for path in contents:
        path.unlink()
    kept.update()
    for path, content in contents.items():
        path.write_bytes(content)

    outcome = kept.update()

    assert outcome.changes.lost == ()
    assert kept.ids("is:lost") == set()
    assert {name: entry.message_count for name, entry in kept.entries().items()} == {
        name: entry.message_count for name, entry in before.items()
    }


@pytest.mark.parametrize("agent", ["claude_code", "codex"])
def test_a_transcript_in_which_a_crash_left_nuls_is_damaged_for_as_long_as_they_are_there(
    agent: str, made: Callable[[str], Kept]
) -> None:
    kept = made(agent)
    kept.update()
    paths = [path for path in _sources(kept.agents[agent], kept.home) if path.suffix == ".jsonl"]
    contents = {path: path.read_bytes() for path in paths}
    before = kept.ids("is:damaged")
    for path in paths:
        _add_nuls(path)
    kept.update()
    damaged = kept.ids("is:damaged") - before
    for path in paths:
        with path.open("ab") as file:
            file.write(b"\n" + contents[path].splitlines()[-1] + b"\n")

    kept.update()

    assert damaged and kept.ids("is:damaged") >= damaged
    kept.rebuild()
    assert kept.ids("is:damaged") >= damaged
    for path, content in contents.items():
        path.write_bytes(content)
    kept.update()
    assert kept.ids("is:damaged") == before


def test_a_second_look_changes_nothing_and_reads_nothing(made: Callable[[str], Kept]) -> None:
    kept = made("claude_code")
    kept.update()
    for path in _sources(kept.agents["claude_code"], kept.home)[:2]:
        path.unlink()
    kept.update()

    outcome = kept.update()

    assert (outcome.changes, outcome.bytes_read, outcome.discovery.kept) == (ChangeSet(), 0, [])
