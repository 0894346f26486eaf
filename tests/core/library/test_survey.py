"""What is told of an agent whose format moved on: unknown kinds by version, silence, sessions in unknown places."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from holdfast_core.agents.base import Home
from holdfast_core.errors import NotFound, WrongUsage
from holdfast_core.library import Library
from holdfast_core.library.survey import drift_of, health_of
from holdfast_core.model.agent import Recognised, VersionRead
from holdfast_core.paths import find_paths
from holdfast_core.scan.seen import Seen, agents_seen, remember_agents
from holdfast_core.settings import Settings

from tests.fakes.agent import FakeAgent, write_session

DAY_MS = 86_400_000


def claude_lines(session: str, version: str, *unknown: str) -> str:
    """Return a session of Claude Code with a prompt, and records of unknown kinds."""
    shared = {"sessionId": session, "version": version, "cwd": "/work", "timestamp": "2026-11-01T10:00:00.000Z"}
    prompt = {
        "type": "user",
        "uuid": f"{session}-1",
        "parentUuid": None,
        "isSidechain": False,
        "message": {"role": "user", "content": "Hello"},
    }
    records = [prompt, *({"type": kind, "uuid": f"{session}-{kind}"} for kind in unknown)]
    return "".join(json.dumps(shared | record) + "\n" for record in records)


def write_claude(home: Path, session: str, version: str, *unknown: str, below: str = ".claude") -> Path:
    path = home / below / "projects" / "-work" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(claude_lines(session, version, *unknown), "utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
async def library(tmp_path: Path, home: Path) -> AsyncIterator[Library]:
    library = Library.open(find_paths(tmp_path / "ours"), agents_home=home, environment={}, settings=Settings())
    yield library
    await library.close()


async def test_unknown_kinds_are_counted_by_the_version_that_writes_them(library: Library, home: Path) -> None:
    write_claude(home, "one", "2.1.0")
    write_claude(home, "two", "2.2.0", "hologram", "hologram", "tachyon")
    write_claude(home, "three", "2.2.0", "hologram")
    await library.update()

    drift = (await library.survey.drift())["claude_code"]

    assert drift.unknown_records == {"hologram": 3, "tachyon": 1}
    assert [(one.version, one.sources, one.sessions, one.unknown_records) for one in drift.versions] == [
        ("2.1.0", 1, 1, {}),
        ("2.2.0", 2, 2, {"hologram": 3, "tachyon": 1}),
    ]
    assert (drift.last_seen_sessions, drift.alarm) == (3, "")
    assert drift.drift_words("Claude Code") == [
        "Claude Code 2.2.0 writes 2 kinds of record that this version of Holdfast does not know."
    ]


async def test_growth_adds_to_what_is_counted_and_tells_the_newer_version(library: Library, home: Path) -> None:
    path = write_claude(home, "one", "2.1.0", "hologram")
    await library.update()
    with path.open("a", encoding="utf-8") as file:
        file.write(claude_lines("one", "2.2.0", "hologram").replace("one-1", "one-2"))
    await library.update()

    drift = (await library.survey.drift())["claude_code"]

    assert [(one.version, one.unknown_records) for one in drift.versions] == [("2.2.0", {"hologram": 2})]


async def test_new_fields_of_known_records_are_counted_by_version(library: Library, home: Path) -> None:
    write_claude(home, "one", "2.1.0")
    for name in ("two", "three"):
        path = write_claude(home, name, "2.2.0")
        path.write_text(path.read_text("utf-8").replace('"role"', '"hue": 7, "role"'), "utf-8")
    await library.update()

    drift = (await library.survey.drift())["claude_code"]

    assert drift.unknown_fields == {"user/message.hue": 2}
    assert [(one.version, one.unknown_fields) for one in drift.versions] == [
        ("2.1.0", {}),
        ("2.2.0", {"user/message.hue": 2}),
    ]
    assert drift.drift_words("Claude Code") == [
        "Claude Code 2.2.0 writes 1 field that this version of Holdfast does not know."
    ]


async def test_an_agent_that_wrote_sessions_and_gives_none_now_is_an_alarm(library: Library, home: Path) -> None:
    path = write_claude(home, "one", "2.1.0")
    await library.update()
    path.write_text('{"hologram": 1}\n' * 3, "utf-8")
    await library.update()

    drift = await library.survey.drift()
    words, is_bad = await library.survey.health()

    assert (drift["claude_code"].alarm, drift["claude_code"].last_seen_sessions) == ("unreadable", 1)
    assert words.startswith("Claude Code had 1 session and has none now: nothing in its 1 file can be read.")
    assert is_bad


async def test_an_agent_whose_files_are_gone_is_an_alarm_for_some_weeks(library: Library, home: Path) -> None:
    write_claude(home, "one", "2.1.0")
    await library.update()
    shutil.rmtree(home / ".claude")
    await library.update()

    assert (await library.survey.drift())["claude_code"].alarm == "gone"
    assert drift_of([], {"claude_code": Seen(3, 0)}, now_ms=40 * DAY_MS)["claude_code"].alarm == ""


async def test_an_index_that_is_built_again_forgets_no_alarm(library: Library, home: Path) -> None:
    path = write_claude(home, "one", "2.1.0")
    await library.update()
    path.write_text('{"hologram": 1}\n', "utf-8")

    await library.forget_index()

    assert (await library.survey.drift())["claude_code"].alarm == "unreadable"


def test_what_was_seen_is_kept_for_one_home_and_only_written_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "agents.json"
    remember_agents(path, tmp_path, {"one": 3, "two": 0, "holdfast": 4})
    first = path.stat()
    remember_agents(path, tmp_path, {"one": 3})
    assert path.stat().st_ino == first.st_ino
    remember_agents(path, tmp_path, {"one": 0, "two": 2})

    seen = agents_seen(path, tmp_path)

    assert {agent: one.sessions for agent, one in seen.items()} == {"one": 3, "two": 2}
    assert agents_seen(path, tmp_path / "other") == {}
    path.write_bytes(b"\xff{")
    assert agents_seen(path, tmp_path) == {}


def test_the_words_say_how_many() -> None:
    many = drift_of(
        [VersionRead("a", "1", 2, 1, 0, {"x": 1}), VersionRead("a", "", 1, 0, 0, {"x": 2, "y": 1})], {}, now_ms=0
    )

    assert many["a"].drift_words("Anna") == [
        "Anna 1 writes 1 kind of record that this version of Holdfast does not know.",
        "Anna writes 2 kinds of record that this version of Holdfast does not know.",
    ]
    assert many["a"].alarm_words("Anna") == ""
    assert health_of({"a": "Anna"}, many)[0].startswith("2 versions of agents write")
    assert health_of({}, {}) == ("All that they write is known.", False)


async def test_sessions_in_a_place_that_no_agent_has_are_recognised_and_secrets_are_not_opened(
    library: Library, home: Path
) -> None:
    write_claude(home, "one", "2.1.0")
    write_claude(home, "two", "2.1.0", below=".openclone")
    (home / ".openclone" / "projects" / "auth.json").write_text('{"parentUuid": 1}')
    (home / ".other").mkdir()
    (home / ".other" / "sessions.json").write_text(claude_lines("x", "1"))

    assert await library.survey.recognise() == [Recognised(str(home / ".openclone"), ("claude_code",), 1)]


async def test_a_file_or_directory_is_told_by_its_content_wherever_it_lies(library: Library, tmp_path: Path) -> None:
    place = tmp_path / "somewhere"
    path = write_claude(place, "one", "2.1.0", below="kept")
    rollout = path.with_name("two.jsonl")
    rollout.write_text('{"timestamp":"2026-01-01T00:00:00.000Z","type":"session_meta","payload":{"id":"x"}}\n')
    path.with_name("three.jsonl").write_text('{"a": 1}\n')

    whole = await library.survey.recognise([place])
    one = await library.survey.recognise([rollout])

    assert [(found.agents, found.files) for found in whole] == [((), 1), (("claude_code",), 1), (("codex",), 1)]
    assert one == [Recognised(str(rollout), ("codex",), 1)]
    with pytest.raises(NotFound):
        await library.survey.recognise([place / "nothing"])
    with pytest.raises(WrongUsage, match="looks like sessions of Claude Code"):
        await library.held.import_path(path)


async def test_held_sessions_of_an_agent_hide_no_alarm(tmp_path: Path, home: Path) -> None:
    library = Library.open(
        find_paths(tmp_path / "ours"),
        agents_home=home,
        environment={},
        settings=Settings(),
        agents={"fake": FakeAgent()},
    )
    try:
        path = write_session(home, "one", "apple")
        await library.update()
        await library.held.archive("fake:one")
        path.unlink()
        await library.update()
        assert [entry.agent for entry in await library.recent(9)] == ["fake", "fake"]  # the held one and the vault's
        assert (await library.survey.drift())["fake"].alarm == "gone"
    finally:
        await library.close()


def test_reading_heads_follows_no_link(tmp_path: Path) -> None:
    from holdfast_core.agents import all_agents
    from holdfast_core.scan.recognise import recognise_at, strangers

    real = write_claude(tmp_path / "real", "one", "2.1.0")
    home = tmp_path / "home"
    folder = home / ".clone" / "sessions"
    folder.mkdir(parents=True)
    (folder / "linked.jsonl").symlink_to(real)
    (home / ".link").symlink_to(tmp_path / "real" / ".claude")

    assert strangers(home, all_agents(), all_agents()["codex"].roots(Home(home, {}))) == []
    assert recognise_at(folder, all_agents()) == []
