"""Resuming a held session: all or nothing, with clear refusals, counted failures and choices that say what they do."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from string import printable
from typing import Any
from uuid import uuid4

import pytest
from holdfast_core.errors import HoldfastError, NotFound, NotNow, ProjectGone, Refused
from holdfast_core.model.held import HeldEntry, Origin, SessionConfig
from holdfast_core.model.live import LiveEntry
from holdfast_core.model.message import Todo
from holdfast_core.resume import held, moved
from holdfast_core.resume.held import resumable

from tests.core.live.world import entry_of, said
from tests.core.resume.held_world import HeldWorld
from tests.core.store.support import a_store
from tests.fakes.gated import Failure


@pytest.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[Callable[..., HeldWorld]]:
    with a_store() as store:
        made: list[HeldWorld] = []

        def make(**limits: Any) -> HeldWorld:
            made.append(HeldWorld(store, tmp_path, **limits))
            return made[-1]

        yield make
        for world in made:
            world.store.gates.clear()
            for host in world.hosts:
                await host.close_all()


@pytest.fixture
async def world(worlds: Callable[..., HeldWorld]) -> HeldWorld:
    return worlds()


class Meddling:
    """Does something to the world once, when a resume comes to a step of the store."""

    def __init__(self, step: str, deed: Callable[[], object]) -> None:
        self._step = step
        self._deeds = [deed]

    def __call__(self, step: str) -> None:
        if step == self._step and self._deeds:
            self._deeds.pop()()


async def test_a_resumed_session_is_live_with_all_that_was_stored(world: HeldWorld):
    stored = world.stored(todos=(Todo("wash"),), context_files=("/a",), config=SessionConfig(agent="one", model="m"))

    outcome = await world.resumes.resume(stored.id)

    assert (outcome.id, outcome.title, outcome.project_path) == (stored.id, "project", stored.project_path)
    assert (outcome.message_count, outcome.is_live) == (2, True)
    document = await world.live.document(stored.id)
    for name in ("messages", "todos", "config", "context_files", "project_path"):
        assert getattr(document, name) == getattr(stored, name)
    assert world.inner.load(stored.id).is_live
    assert "fold" not in world.store.steps


# Refusals


async def test_an_id_that_is_none_is_refused_before_anything_is_opened(world: HeldWorld):
    for name in ("", "../x", "A" * 36, "00000000-0000-1000-8000-000000000000"):
        with pytest.raises(NotFound, match="no such session"):
            await world.resumes.resume(name)

    assert world.store.steps == []


async def test_an_unknown_session_is_not_found(world: HeldWorld):
    with pytest.raises(NotFound, match="no such session"):
        await world.resumes.resume(str(uuid4()))


async def test_a_project_that_is_gone_is_told_with_where_it_may_be(world: HeldWorld, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(held, "_SEARCH_SECONDS", 60.0)  # a busy machine must not cut the search off
    stored = world.stored("a name of its own")
    place = world.move_away(stored)

    with pytest.raises(ProjectGone, match="directory of this session is gone") as raised:
        await world.resumes.resume(stored.id)

    assert raised.value.candidates == (str(place),)
    assert world.live.entries() == []


def test_a_project_near_its_old_place_is_found_beside_a_crowded_directory(tmp_path: Path):
    for number in range(2_100):
        (tmp_path / f"another {number}").mkdir()
    place = tmp_path / "work" / "elsewhere" / "mine"
    place.mkdir(parents=True)

    assert moved.find_candidates(str(tmp_path / "work" / "mine")) == (str(place),)


@pytest.mark.parametrize("kind", ["file", "link", "fifo", "open to all"])
async def test_what_is_no_safe_directory_is_refused(world: HeldWorld, kind: str):
    stored = world.stored()
    _put(kind, Path(stored.project_path), world.move_away(stored))

    with pytest.raises(Refused):
        await world.resumes.resume(stored.id)

    assert world.live.entries() == []
    assert world.inner.load(stored.id) == stored


async def test_a_chosen_directory_is_the_session_s_from_then_on(world: HeldWorld):
    stored = world.stored()
    world.move_away(stored)
    place = world.project("new place")

    outcome = await world.resumes.resume(stored.id, project=place)

    assert outcome.project_path == str(place)
    assert world.inner.load(stored.id).project_path == str(place)


async def test_a_project_that_is_open_is_refused(world: HeldWorld):
    stored = world.stored()
    other = world.stored("again", project_path=stored.project_path)
    await world.resumes.resume(stored.id)

    with pytest.raises(NotNow, match="open in another live session"):
        await world.resumes.resume(other.id)


async def test_too_many_live_sessions_are_refused(worlds: Callable[..., HeldWorld]):
    world = worlds(live=1)
    await world.resumes.resume(world.stored("one").id)
    second = world.stored("two")

    with pytest.raises(NotNow, match="1 sessions are live"):
        await world.resumes.resume(second.id)

    assert world.failures(second.id) == 0


async def test_a_session_resumed_elsewhere_is_refused(world: HeldWorld):
    stored = world.stored()
    await world.resumes.resume(stored.id)
    other = world.resumer(world.host())

    with pytest.raises(NotNow):
        await other.resume(stored.id)

    assert world.failures(stored.id) == 0
    assert entry_of(world.live, stored.id).state == "active"


async def test_too_many_resumes_are_refused_and_after_the_time_that_was_told_go_on(world: HeldWorld):
    resumes = world.resumer(limit=2, limit_all=10, seconds=60)
    stored = world.stored()
    for _ in range(2):
        await resumes.resume(stored.id)
        await world.live.close(stored.id)

    with pytest.raises(NotNow, match="Try again in 60 seconds"):
        await resumes.resume(stored.id)
    await world.timer.advance(60)

    await resumes.resume(stored.id)


async def test_an_unproven_import_is_refused_until_adopted(world: HeldWorld):
    stored = world.stored(origin=Origin(kind="imported", is_verified=False))

    with pytest.raises(NotNow, match="Adopt") as raised:
        await world.resumes.resume(stored.id)

    assert world.resumes.choices(stored.id, raised.value)[0].kind == "adopt"


async def test_a_locked_session_is_refused_and_counts_as_no_failure(world: HeldWorld):
    stored = world.stored()
    world.store.gates.append(Failure("load", Refused("This session is encrypted. Unlock it.")))

    with pytest.raises(NotNow, match="Unlock"):
        await world.resumes.resume(stored.id)

    assert world.failures(stored.id) == 0


async def test_every_refusal_is_a_sentence_without_paths_and_ids(world: HeldWorld):
    stored = world.stored()
    world.move_away(stored)
    other = world.stored("other")
    await world.resumes.resume(other.id)

    for session_id in (stored.id, other.id, str(uuid4()), "nonsense"):
        with pytest.raises(HoldfastError) as raised:
            await world.resumes.resume(session_id)
        assert str(raised.value).endswith(".")
        assert str(world.path) not in str(raised.value)
        assert session_id not in str(raised.value)


# The directory is checked again


@pytest.mark.parametrize("step", ["open_journal", "read"])
@pytest.mark.parametrize("what", ["gone", "another", "a link", "a link on the way", "a file", "permissions", "owner"])
async def test_a_directory_that_changes_meanwhile_stops_the_resume(world: HeldWorld, step: str, what: str):
    top = world.project("top")
    path = top / "project"
    path.mkdir()
    stored = world.stored(project_path=str(path))

    def meddle() -> None:
        match what:
            case "gone":
                path.rmdir()
            case "another":
                path.rename(top / "old")
                path.mkdir()
            case "a link":
                path.rename(top / "old")
                path.symlink_to(top / "old")
            case "a link on the way":
                top.rename(world.path / "old")
                top.symlink_to(world.path / "old")
            case "a file":
                path.rmdir()
                path.write_text("")
            case "permissions":
                path.chmod(0o700)
            case "owner":
                os.chown(path, os.geteuid(), 12_345) if os.geteuid() == 0 else path.chmod(0o710)

    world.store.gates.append(Meddling(step, meddle))

    with pytest.raises(HoldfastError):
        await world.resumes.resume(stored.id)

    assert world.live.entries() == []
    assert world.inner.load(stored.id) == stored
    assert not world.is_open(stored.id)
    assert "set" not in world.store.steps


async def test_a_session_that_gets_another_project_meanwhile_is_not_resumed_in_the_old_one(world: HeldWorld):
    stored = world.stored()
    world.store.gates.append(
        Meddling("open_journal", lambda: world.inner.set(stored.id, project_path=str(world.path / "other")))
    )

    with pytest.raises(NotNow, match="moved"):
        await world.resumes.resume(stored.id)

    assert world.live.entries() == []


async def test_no_descriptor_stays_open(world: HeldWorld):
    stored = world.stored()
    gone = world.stored("gone")
    world.move_away(gone)
    resumes = world.resumer(limit=100, limit_all=100)
    await resumes.resume(stored.id)
    await world.live.close(stored.id)
    before = _open_descriptors()

    for _ in range(5):
        await resumes.resume(stored.id)
        await world.live.close(stored.id)
        with pytest.raises(ProjectGone):
            await resumes.resume(gone.id)

    assert _open_descriptors() == before


# All or nothing, failures, choices


@pytest.mark.parametrize("step", ["load", "open_journal", "read", "set"])
async def test_a_resume_that_fails_is_counted_once_not_tried_again_and_leaves_nothing(world: HeldWorld, step: str):
    stored = world.stored()
    before = world.bytes_of(stored.id)
    failure = Failure(step, OSError(errno.EIO, "broken"))
    world.store.gates.append(failure)

    with pytest.raises(HoldfastError, match="could not be resumed"):
        await world.resumes.resume(stored.id)
    await world.timer.advance(3600)

    assert failure.count == 1
    assert world.failures(stored.id) == 1
    assert world.bytes_of(stored.id) == before
    assert world.live.entries() == []
    assert not world.is_open(stored.id)


async def test_a_disk_that_takes_no_more_leaves_the_session_byte_for_byte(world: HeldWorld):
    """The system itself refuses: no file may grow beyond what the session's file has now, far more than others have."""
    letters = "".join(Random(0).choices(printable, k=2_000_000))
    stored = world.stored(messages=(said(letters),))
    before = world.bytes_of(stored.id)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), hard))
    try:
        with pytest.raises(HoldfastError, match="could not be saved"):
            await world.resumes.resume(stored.id)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert world.bytes_of(stored.id) == before
    assert (world.live.entries(), world.is_open(stored.id), world.failures(stored.id)) == ([], False, 1)
    assert (await world.resumes.resume(stored.id)).message_count == 1


async def test_a_success_sets_the_count_back(world: HeldWorld):
    stored = world.stored()
    failure = Failure("open_journal", OSError(errno.EIO, "broken"))
    world.store.gates.append(failure)
    with pytest.raises(HoldfastError):
        await world.resumes.resume(stored.id)
    failure.is_on = False

    await world.resumes.resume(stored.id)

    assert world.failures(stored.id) == 0
    await world.live.append(stored.id, said("c"))
    await world.live.close(stored.id)
    assert world.failures(stored.id) == 0


async def test_a_failed_restore_offers_choices_each_with_its_consequence(world: HeldWorld):
    stored = world.stored()
    world.move_away(stored)

    with pytest.raises(ProjectGone) as raised:
        await world.resumes.restore(stored.id)

    choices = world.resumes.choices(stored.id, raised.value)
    assert [choice.kind for choice in choices] == ["project", "retry", "other", "new", "skip"]
    assert all(choice.label and choice.consequence.endswith(".") for choice in choices)
    assert len({choice.consequence for choice in choices}) == len(choices)


async def test_a_session_that_names_no_directory_offers_to_choose_one(world: HeldWorld):
    stored = world.stored(project_path="")

    with pytest.raises(Refused) as raised:
        await world.resumes.resume(stored.id)

    kinds = [choice.kind for choice in world.resumes.choices(stored.id, raised.value)]
    assert kinds == ["project", "retry", "other", "new", "skip"]


async def test_repeated_failure_ends_in_the_offer_to_skip(world: HeldWorld):
    stored = world.stored()
    world.store.gates.append(Failure("open_journal", OSError(errno.EIO, "broken")))
    for _ in range(3):
        with pytest.raises(HoldfastError):
            await world.resumes.restore(stored.id)

    assert [choice.kind for choice in world.resumes.choices(stored.id)] == ["new", "other", "skip"]


async def test_a_person_may_still_try_what_is_no_longer_tried_by_itself(world: HeldWorld):
    stored = world.stored()
    world.wear_out(stored.id)

    outcome = await world.resumes.resume(stored.id)

    assert outcome.id == stored.id
    assert world.failures(stored.id) == 0


async def test_over_the_limit_a_new_session_takes_its_place(world: HeldWorld):
    stored = world.stored()
    world.wear_out(stored.id)

    outcome = await world.resumes.restore(stored.id, project=stored.project_path)

    assert outcome.id != stored.id
    assert (outcome.project_path, outcome.message_count, outcome.is_live) == (stored.project_path, 0, True)
    assert world.inner.load(stored.id) == stored


async def test_a_new_session_always_works(world: HeldWorld):
    resumes = world.resumer(limit=1, limit_all=1)
    gone = world.stored("gone")
    world.move_away(gone)
    with pytest.raises(ProjectGone):
        await resumes.resume(gone.id)

    without_project = await resumes.new(project=gone.project_path)
    with_project = await resumes.new(project=str(world.project("other")), title="New")

    assert (without_project.project_path, without_project.is_live) == ("", True)
    assert (with_project.title, with_project.is_live) == ("New", True)


async def test_a_new_session_waits_where_none_can_be_live(worlds: Callable[..., HeldWorld]):
    world = worlds(live=1)
    project = str(world.project("one"))
    await world.resumes.new(project=project)

    outcome = await world.resumes.new(project=project, title="Later")

    assert (outcome.title, outcome.project_path, outcome.is_live) == ("Later", project, False)
    assert not world.inner.load(outcome.id).is_live


async def test_problems_and_what_failed_too_often_are_left_out_of_automatic_restores(world: HeldWorld):
    entries = [
        HeldEntry(id="good"),
        HeldEntry(id="tried", failures=2),
        HeldEntry(id="worn", failures=3),
        HeldEntry(id="bad", state="problem"),
        HeldEntry(id="unproven", is_verified=False),
    ]

    assert [entry.id for entry in world.resumes.automatic(entries)] == ["good", "tried"]


def test_c9_what_is_live_or_whose_project_is_open_is_not_resumable():
    entries = [
        HeldEntry(id="free", project_path="/a"),
        HeldEntry(id="no project"),
        HeldEntry(id="live", project_path="/b"),
        HeldEntry(id="same project", project_path="/b"),
        HeldEntry(id="live elsewhere", state="live"),
        HeldEntry(id="bad", state="problem"),
    ]

    assert [entry.id for entry in resumable(entries, [_live("live", "/b")])] == ["free", "no project"]


def _live(session_id: str, project_path: str = "") -> LiveEntry:
    return LiveEntry(session_id, "", project_path, "one", "active", 1, 1, 0)


def _open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def _put(kind: str, path: Path, moved: Path) -> None:
    match kind:
        case "file":
            path.write_text("")
        case "link":
            path.symlink_to(moved)
        case "fifo":
            os.mkfifo(path)
        case "open to all":
            path.mkdir()
            path.chmod(0o777)
