"""What may go: at the agents what is verified here, here what the person leaves out; and verifying by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from holdfast_core import clock
from holdfast_core.library import Library, minding
from holdfast_core.library.minding import Minding, is_due
from holdfast_core.library.space import parts_of, sampled_ids, together
from holdfast_core.model.message import Image, Message, Text, ToolResult
from holdfast_core.model.vault import Forgotten, PartShares, VaultReport, VaultStatus
from holdfast_core.paths import find_paths
from holdfast_core.settings import Settings

from tests.fakes.pens import ClaudeCodePen, CodexPen, Pen

_DAY_MS = 86_400_000
ANYTHING = 1e9  # how busy this machine may be
STARTED = datetime(2026, 11, 1, tzinfo=UTC)


class World:
    """Two agents with a session each, captured."""

    def __init__(self, directory: Path) -> None:
        self.person = directory / "person"
        self.pens = [
            _told(ClaudeCodePen(self.person, project="/work/kelp", started=STARTED), 40),
            _told(CodexPen(self.person, project="/work/tide", started=STARTED), 10),
        ]
        settings = Settings(vault_reserve_mb=0, use_keyring=False)
        self.library = Library.open(
            find_paths(directory / "own"), agents_home=self.person, environment={}, settings=settings
        )

    def minding(self, reports: list[VaultReport]) -> Minding:
        return Minding(self.library.held.parts, reports.append)

    def leave_out(self, *texts: str) -> None:
        self.library.use_settings(Settings(vault_reserve_mb=0, use_keyring=False, vault_left_out=texts))


def _told(pen: Pen, turns: int) -> Pen:
    for number in range(turns):
        pen.prompt(f"Prompt {number} of {turns}, about the harbour.")
        pen.say(f"Answer {number}.")
    pen.save()
    return pen


@pytest.fixture
async def world(tmp_path: Path):
    world = World(tmp_path)
    await world.library.update()
    yield world
    await world.library.close()


async def test_only_what_was_verified_since_it_was_captured_may_go(world: World):
    before = await world.library.vaulted.candidates()
    await world.library.vaulted.verify()
    found = await world.library.vaulted.candidates()

    assert before == []
    assert [one.session_id.partition(":")[0] for one in found] == ["claude_code", "codex"]
    assert found[0].size_bytes > found[1].size_bytes > 0
    assert await world.library.vaulted.candidates(limit=1) == found[:1]


async def test_what_is_left_out_is_forgotten_and_not_captured_again(world: World):
    world.leave_out("agent:codex")
    done = await world.library.vaulted.forget(["agent:codex"])
    await world.library.update()
    status = await world.library.vaulted.status()

    assert (done.sources, done.kept) == (1, 0) and done.bytes > 0
    assert status.sources == 1
    assert len(await world.library.keys("agent:codex")) == 1


async def test_a_project_is_left_out_with_all_below_it(world: World):
    world.leave_out("project:/work/tide")

    assert (await world.library.vaulted.forget(["project:/work/tide"])).sources == 1
    assert await world.library.vaulted.forget(["project:/work/tide"]) == Forgotten()


async def test_what_is_here_alone_stays(world: World):
    (source,) = (world.person / ".codex").rglob("*.jsonl")
    source.unlink()
    await world.library.update()
    world.leave_out("agent:codex")

    done = await world.library.vaulted.forget(["agent:codex"])

    assert done == Forgotten(kept=1)
    assert (await world.library.vaulted.status()).sources == 2


async def test_versions_from_before_stay(world: World):
    now = world.library.started_ms
    (source,) = (world.person / ".claude").rglob("*.jsonl")
    source.write_bytes(source.read_bytes().replace(b"harbour", b"haven!!"))
    await world.library.update()
    world.leave_out("agent:claude_code")

    later = await world.library.vaulted.forget(["agent:claude_code"], since_ms=now + _DAY_MS)
    since = await world.library.vaulted.forget(["agent:claude_code"], since_ms=now)

    assert (later.sources, later.kept) == (0, 1)
    assert (since.sources, since.kept) == (1, 0)


async def test_all_of_it_can_be_forgotten(world: World):
    world.library.use_settings(Settings(vault_reserve_mb=0, use_keyring=False, vault_enabled=False))

    assert (await world.library.vaulted.forget(None)).sources == 2
    assert (await world.library.vaulted.status()).sources == 0


async def test_the_rules_of_the_agents_that_are_here_are_told(world: World):
    (world.person / ".claude" / "settings.json").write_text('{"cleanupPeriodDays": 14}')

    (rule,) = await world.library.vaulted.rules()

    assert (rule.agent, rule.days, rule.setting) == ("claude_code", 14, "cleanupPeriodDays")


async def test_a_sample_tells_what_sessions_are_made_of(world: World):
    found = await world.library.vaulted.parts()

    assert found.sampled == 2 and found.images == 0 and found.rest > 0


def test_the_parts_of_a_session_are_told_apart():
    blocks = (Text("four"), ToolResult("c", "sixsix"), Image("image/png", 9, data_base64="ten ten ten"))
    found = parts_of([Message("1", "user", blocks)])

    assert found == PartShares(1, 11, 6, 4)
    assert together([found, found]) == PartShares(2, 22, 12, 8) and found.total == 21


def test_what_a_fork_repeats_is_told():
    origin = [Message(f"{number}", "user", (Text("four"),)) for number in range(3)]
    fork = [Message("other", "user", (Text("four"),)), origin[1], Message("new", "user", (Text("else"),))]

    assert parts_of(fork, origin).repeated == 8
    assert parts_of(origin).repeated == 0
    assert parts_of(origin, origin).repeated == 12


async def test_a_fork_in_the_sample_is_compared_with_its_origin(world: World):
    (source,) = (world.person / ".claude" / "projects").rglob("*.jsonl")
    name = "0f0f0f0f-20c1-4f2e-9a77-6f3c1d2e4a10"
    lines = [
        json.loads(line) | {"sessionId": name, "forkedFrom": {"sessionId": source.stem, "messageUuid": "x"}}
        for line in source.read_text("utf-8").splitlines()
    ]
    source.with_name(f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    await world.library.update()
    loaded = await world.library.load(f"claude_code:{name}")

    found = await world.library.vaulted.parts()

    assert loaded.session.facts.forked_from == source.stem
    assert found.sampled == 3 and 0 < found.repeated < found.total


def test_a_sample_is_taken_by_size_and_is_the_same_again():
    sizes = {f"s{number}": number for number in range(100)}

    assert sampled_ids(sizes, count=10) == sampled_ids(sizes, count=10)
    assert sampled_ids({"empty": 0}, count=10) == sampled_ids({}, count=10) == []


@pytest.mark.parametrize(
    ("changes", "days", "expected"),
    [
        ({"sources": 1, "unverified": 1}, 7, True),
        ({"sources": 0}, 7, False),
        ({"sources": 1, "unverified": 1, "is_locked": True}, 7, False),
        ({"sources": 1, "unverified": 1}, 0, False),
        ({"sources": 2, "unverified": 1, "last_verified_ms": 99 * _DAY_MS}, 7, False),
        ({"sources": 2, "verified_ms": 92 * _DAY_MS, "last_verified_ms": 99 * _DAY_MS}, 7, True),
        ({"sources": 2, "verified_ms": 95 * _DAY_MS, "last_verified_ms": 95 * _DAY_MS}, 7, False),
    ],
)
def test_verifying_is_due_after_so_many_days(changes, days, expected):
    status = msgspec.structs.replace(VaultStatus(), **changes)

    assert expected == is_due(status, days=days, now_ms=100 * _DAY_MS)


async def test_the_vault_is_verified_by_itself_once_it_is_due(world: World, monkeypatch):
    monkeypatch.setattr(minding, "_BUSY_SHARE", ANYTHING)
    reports: list[VaultReport] = []
    mind = world.minding(reports)

    first, second = await mind.look(), await mind.look()

    assert first is not None and (first.checked, first.is_complete, first.bad) == (2, True, ())
    assert second is None and reports == [first]
    assert (await world.library.vaulted.status()).verified_ms > clock.now_ms() - 60_000


async def test_a_busy_machine_is_left_alone_for_a_while(world: World, monkeypatch):
    monkeypatch.setattr(minding, "_BUSY_SHARE", -1.0)
    await world.library.vaulted.verify()
    soon = await world.minding([]).look()
    monkeypatch.setattr(minding, "_DAY_MS", 0)  # all of its days have gone by

    assert soon is None and await world.minding([]).look() is not None


async def test_nothing_is_verified_after_the_stop(world: World, monkeypatch):
    monkeypatch.setattr(minding, "_BUSY_SHARE", ANYTHING)
    stopped = world.minding([])
    stopped.stop()

    assert await stopped.look() is None


async def test_damage_is_told_by_the_verifying_in_the_background(world: World, monkeypatch):
    monkeypatch.setattr(minding, "_BUSY_SHARE", ANYTHING)
    (strand, _) = sorted((world.library.held.parts.vault_directory).glob("??/*.hold"))
    data = bytearray(strand.read_bytes())
    data[len(data) // 2] ^= 1
    strand.write_bytes(data)
    for pen_source in world.person.rglob("*.jsonl"):
        pen_source.unlink()

    report = await world.minding([]).look()

    assert report is not None and len(report.bad) == 1
