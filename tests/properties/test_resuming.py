"""Properties of resuming and recovering: what fails is told, counted, never repeated by itself, and has a way out."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from holdfast_core.errors import HoldfastError, ProjectGone
from holdfast_core.live.limits import RateLimits
from holdfast_core.model.held import HeldSession, Origin
from holdfast_core.model.keeping import Choice, ChoiceKind
from holdfast_core.resume.held import HeldResume, NotAdopted
from holdfast_core.store.words import choices_of_problem, choices_of_unclean
from hypothesis import given
from hypothesis import strategies as st

from tests.core.live.world import said
from tests.core.resume.held_world import HeldWorld
from tests.core.store.support import a_store, made, some_id
from tests.fakes.gated import Failure
from tests.properties.support import EXAMPLES, folder, harm, harms, logged

STEPS = ("load", "open_journal", "read", "set", "gone", "file")
ERRORS: dict[str, Callable[[], Exception]] = {
    "disk": lambda: OSError(errno.EIO, "broken"),
    "full": lambda: OSError(errno.ENOSPC, "full"),
    "denied": lambda: PermissionError(errno.EACCES, "denied"),
    "own": lambda: HoldfastError("It failed.", detail="why"),
}


def in_world(test: Callable[[HeldWorld], Awaitable[None]], **limits: Any) -> None:
    """Run a test in a world of its own."""

    async def run() -> None:
        with folder() as top, a_store(top) as store:
            world = HeldWorld(store, top, **limits)
            try:
                await test(world)
            finally:
                world.store.gates.clear()
                for host in world.hosts:
                    await host.close_all()

    asyncio.run(run())


def resumer(world: HeldWorld, limit: int) -> HeldResume:
    return HeldResume(
        world.store, world.live, RateLimits(limit=100, limit_all=100), failures_limit=limit, seconds=world.timer.seconds
    )


@asynccontextmanager
async def failing(world: HeldWorld, stored: HeldSession, step: str, error: Exception) -> AsyncIterator[Failure]:
    """Let a resume fail at a step, also for what its project is."""
    failure = Failure(step, error)
    place = None
    if step in STEPS[:4]:
        world.store.gates.append(failure)
    else:
        place = take_away(world, stored, step)
    yield failure
    failure.is_on = False
    if place is not None:
        give_back(place, stored)


def take_away(world: HeldWorld, stored: HeldSession, how: str) -> Path:
    """Take the project of a session away; with ``file`` a file is in its place. Returns where it is then."""
    place = world.move_away(stored)
    if how == "file":
        Path(stored.project_path).write_text("")
    return place


def give_back(place: Path, stored: HeldSession) -> None:
    Path(stored.project_path).unlink(missing_ok=True)
    place.rename(stored.project_path)


@EXAMPLES
@given(step=st.sampled_from(STEPS), error=st.sampled_from(sorted(ERRORS)), hours=st.integers(1, 48))
def test_q04_a_failed_restore_offers_choices_and_is_not_repeated(step: str, error: str, hours: int):
    async def fail(world: HeldWorld) -> None:
        stored = world.stored()
        before = world.bytes_of(stored.id)
        async with failing(world, stored, step, ERRORS[error]()) as failure:
            with pytest.raises(HoldfastError) as raised:
                await world.resumes.restore(stored.id)
            steps = list(world.store.steps)
            await world.timer.advance(3600 * hours)

            assert world.store.steps == steps and failure.count <= 1
            assert world.failures(stored.id) == (step != "load" or error != "refused")
            choices = world.resumes.choices(stored.id, raised.value)
            assert {"retry", "other", "new", "skip"} <= {choice.kind for choice in choices}
            assert (choices[0].kind == "project") == isinstance(raised.value, ProjectGone)
            told(choices)
            assert world.bytes_of(stored.id) == before
            assert (world.live.entries(), world.is_open(stored.id)) == ([], False)
        assert (await world.resumes.resume(stored.id)).is_live

    in_world(fail)


def told(choices: tuple[Choice, ...]) -> None:
    """Every choice has a name and says in a sentence of its own what it will do."""
    assert all(
        choice.label and choice.consequence.endswith(".") and choice.consequence[:1].isupper() for choice in choices
    )
    assert len({choice.kind for choice in choices}) == len({choice.consequence for choice in choices}) == len(choices)
    assert {choice.kind for choice in choices} <= set(get_args(ChoiceKind))


@EXAMPLES
@given(limit=st.integers(1, 5), times=st.integers(1, 7), step=st.sampled_from(STEPS[:4]), by_person=st.booleans())
def test_q05_repeated_failure_ends_in_the_offer_to_skip(limit: int, times: int, step: str, by_person: bool):
    async def fail(world: HeldWorld) -> None:
        world.inner.site.limits = world.inner.site.limits.__class__(resume_failures=limit)
        resumes = resumer(world, limit)
        stored = world.stored()
        async with failing(world, stored, step, OSError(errno.EIO, "broken")):
            for number in range(1, times + 1):
                with suppress(HoldfastError):
                    await (resumes.resume if by_person or number > limit else resumes.restore)(stored.id)
                kinds = [choice.kind for choice in resumes.choices(stored.id)]
                assert "skip" in kinds and "new" in kinds
                assert ("retry" in kinds) == (number < limit)
                problems = [problem for problem in world.inner.problems() if problem.id == stored.id]
                assert bool(problems) == (number >= limit)
                assert all("skip" in [choice.kind for choice in problem.choices] for problem in problems)

    in_world(fail)


CODES = ("failing", "unverified", "quarantined", "newer_format", "too_large", "migration", "invalid", "unreadable", "x")


@EXAMPLES
@given(
    code=st.sampled_from(CODES),
    has_backup=st.booleans(),
    failures=st.integers(0, 4),
    error=st.sampled_from(["", "gone", "unproven", "other"]),
    chosen=st.sampled_from(["recover", "discard", "skip", "new"]),
    texts=st.lists(st.text(max_size=5), max_size=3),
)
def test_q11_every_option_says_its_consequence(
    code: str, has_backup: bool, failures: int, error: str, chosen: str, texts: list[str]
):
    """And it is what happens: nothing is lost by recovering, the last whole save is what going back goes back to."""
    errors = {
        "gone": ProjectGone("Gone.", path="", candidates=()),
        "unproven": NotAdopted("Unproven."),
        "other": HoldfastError("Other."),
    }

    async def offer(world: HeldWorld) -> None:
        stored = world.stored()
        for _ in range(failures):
            world.inner.failed(stored.id)
        offered = world.resumes.choices(stored.id, errors.get(error))
        told(offered)
        assert {"new", "other", "skip"} <= {choice.kind for choice in offered}

    told(choices_of_problem(code, has_backup=has_backup))
    in_world(offer)
    with a_store() as store:
        whole = made(store, 1)
        store.set(some_id(1), is_live=True)
        for number, text in enumerate(texts):
            store.append(some_id(1), [said(f"{number} {text}")])
        [unclean] = store.unclean()
        told(unclean.choices)
        assert {choice.kind for choice in unclean.choices} == {choice.kind for choice in choices_of_unclean()}
        before = store.load(some_id(1))
        match chosen:
            case "recover" | "new":
                store.recover(some_id(1))
                assert store.load(some_id(1)).messages == before.messages
            case "discard":
                store.discard_recovery(some_id(1))
                assert store.load(some_id(1)).messages == whole.messages
                store.restore(some_id(1))
                assert store.load(some_id(1)).messages == before.messages
            case "skip":
                assert store.load(some_id(1)) == before
        assert bool(store.unclean()) == (chosen == "skip")


TROUBLES = ("gone", "file", "full", "rate", "worn", "corrupt", "open", "unproven", "store")


@EXAMPLES
@given(
    troubles=st.sets(st.sampled_from(TROUBLES)),
    place=st.sampled_from(["mine", "none", "nonsense", "fresh"]),
    what=harms,
)
def test_q12_a_new_session_always_works(
    caplog: pytest.LogCaptureFixture, troubles: set[str], place: str, what: tuple[str, int, bytes]
):
    async def begin(world: HeldWorld) -> None:
        stored = world.stored()
        other = world.stored("other")
        resumes = world.resumer(limit=1, limit_all=1) if "rate" in troubles else world.resumes
        if "full" in troubles:
            await world.live.start(world.inner.create().id)
        if "open" in troubles and "full" not in troubles:
            await resumes.resume(stored.id)
        if "rate" in troubles:
            with suppress(HoldfastError):
                await resumes.resume(other.id)
        if "worn" in troubles:
            world.wear_out(stored.id)
        if "unproven" in troubles:
            world.inner.set(other.id, origin=Origin(kind="imported", is_verified=False))
        if {"gone", "file"} & troubles:
            take_away(world, stored, "file" if "file" in troubles else "gone")
        if "corrupt" in troubles:
            harm(world.inner, other.id, *what)
        if "store" in troubles:
            world.inner.check()
        project = {"mine": stored.project_path, "none": "", "nonsense": "\0", "fresh": str(world.project("fresh"))}[
            place
        ]
        before = world.bytes_of(stored.id)

        outcome = await resumes.new(project=project, title="New")

        made_now = world.inner.load(outcome.id)
        assert (made_now.title, made_now.messages) == ("New", ()) and outcome.id not in (stored.id, other.id)
        usable = place == "fresh" or (place == "mine" and not {"gone", "file"} & troubles)
        assert made_now.project_path == (project if usable else "")
        assert outcome.is_live == made_now.is_live == any(one.id == outcome.id for one in world.live.entries())
        assert outcome.is_live or {"full", "open"} & troubles or len(world.live.entries()) >= 2
        assert world.bytes_of(stored.id) == before

    in_world(begin, live=1 if "full" in troubles else 10)
    logged(caplog)


@EXAMPLES
@given(limit=st.integers(1, 4), history=st.lists(st.booleans(), max_size=10), step=st.sampled_from(STEPS[:4]))
def test_q14_nothing_is_restored_by_itself_more_often_than_the_limit(limit: int, history: list[bool], step: str):
    """Whatever happened before: after so many failures in a row nothing of the session is tried any more."""

    async def restore_all(world: HeldWorld) -> None:
        resumes = resumer(world, limit)
        stored = world.stored()
        failure = Failure(step, OSError(errno.EIO, "broken"))
        world.store.gates.append(failure)
        in_a_row = 0
        for works in history:
            failure.is_on = not works
            before = world.failures(stored.id)
            try:
                outcome = await resumes.restore(stored.id)
            except HoldfastError:
                in_a_row += 1
                assert not works and in_a_row <= limit
                continue
            assert (outcome.id == stored.id) == (in_a_row < limit)
            assert world.failures(stored.id) == (0 if in_a_row < limit else before)
            if outcome.is_live:
                await world.live.close(outcome.id)
            if in_a_row < limit:
                in_a_row = 0
            assert world.failures(stored.id) == in_a_row

    in_world(restore_all)


@EXAMPLES
@given(
    limit=st.integers(1, 4),
    sessions=st.lists(st.tuples(st.integers(0, 5), harms, st.booleans()), min_size=1, max_size=4),
)
def test_q15_problems_are_left_out_of_automatic_restores(
    caplog: pytest.LogCaptureFixture, limit: int, sessions: list[tuple[int, tuple[str, int, bytes], bool]]
):
    """What failed too often, cannot be read, or is not proven: of the rest none is left out."""
    with a_store(resume_failures=limit) as store:
        for number, (failures, _, is_proven) in enumerate(sessions):
            made(store, number, origin=Origin(kind="imported", is_verified=is_proven))
            for _ in range(failures):
                store.failed(some_id(number))
        for number, (_, what, _) in enumerate(sessions):
            harm(store, some_id(number), *what)
        store.check()
        resumes = HeldResume(store, None, RateLimits(), failures_limit=limit)  # type: ignore[arg-type]  # none is asked

        chosen = {entry.id for entry in resumes.automatic(store.entries())}

        problems = {problem.id for problem in store.problems()}
        assert not chosen & problems
        for number, (failures, what, is_proven) in enumerate(sessions):
            is_well = what[0] == "none" and failures < limit and is_proven
            assert (some_id(number) in chosen) >= is_well
            assert not (some_id(number) in chosen and (failures >= limit and what[0] != "forget"))
        for name in chosen:
            assert store.load(name).id == name
    logged(caplog)


@EXAMPLES
@given(
    limit=st.integers(1, 4),
    more=st.integers(0, 3),
    project=st.sampled_from(["there", "gone", "file", "none"]),
    times=st.integers(1, 2),
)
def test_q16_over_the_limit_a_new_session_takes_its_place(limit: int, more: int, project: str, times: int):
    async def restore(world: HeldWorld) -> None:
        resumes = resumer(world, limit)
        stored = world.stored()
        for _ in range(limit + more):
            world.inner.failed(stored.id)
        if project in ("gone", "file"):
            take_away(world, stored, project)
        before = world.bytes_of(stored.id)
        ids = {stored.id}
        for _ in range(times):
            place = "" if project == "none" else stored.project_path
            outcome = await resumes.restore(stored.id, project=place)
            assert outcome.id not in ids and outcome.is_live and outcome.message_count == 0
            assert outcome.project_path == (stored.project_path if project == "there" else "")
            ids.add(outcome.id)
            await world.live.close(outcome.id)
        assert world.bytes_of(stored.id) == before
        assert world.failures(stored.id) == limit + more
        assert not world.inner.load(stored.id).is_live

    in_world(restore)
