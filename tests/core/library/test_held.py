"""What the two faces ask of held sessions: every answer from real files, through the real store and index."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError, NotFound, ProjectGone, Refused, WrongUsage
from holdfast_core.library import Library
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.keeping import StartSummary
from holdfast_core.model.message import Message, Text
from holdfast_core.paths import Paths

from tests.core.library.conftest import Opener
from tests.core.library.held_world import damage, files_with, listed, made, move
from tests.fakes.agent import write_session

LIMIT_SECONDS = 30
TOKEN = "ghp_" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb7d"


async def test_a_library_without_held_sessions_makes_nothing_for_them(library: Library, paths: Paths) -> None:
    held = library.held

    answers = [await held.entries(), await held.trash(), await held.problems(), await held.recovery(), held.live()]

    assert answers == [[], [], [], [], []]
    assert await held.start_check() == StartSummary()
    assert (await held.keys()).keys == ()
    assert (await held.audit()).records == ()
    assert (await held.storage()).sessions == 0
    assert not paths.data.exists()


async def test_a_held_session_stands_in_the_list_at_once(library: Library, project: Path) -> None:
    await library.update()

    session = await made(library, project, "Plan of the week", "buy apples")

    entry = await library.entry(session.id)
    assert (entry.id, entry.title, entry.project_path, entry.state) == (
        session.id,
        "Plan of the week",
        str(project),
        "closed",
    )
    assert await listed(library, "is:held") == [session.id]
    assert (await library.search("apples")).hits[0].session_id == session.id
    assert (await library.places()).total == 1
    *others, held = await library.agents()
    assert [info.agent for info in others] == ["fake"]
    assert (held.agent, held.name, held.mark, held.sessions) == ("holdfast", "Holdfast", "H", 1)
    assert (held.installed, held.can_resume, held.can_host) == (True, True, True)


async def test_without_an_index_the_store_itself_answers(library: Library, project: Path) -> None:
    session = await made(library, project, "Plan", "apples")

    assert (await library.entry(session.id)).message_count == 1
    assert (await library.resolve(session.id)).title == "Plan"
    assert (await library.load(session.id)).session.messages[0].blocks == (Text("apples"),)


async def test_an_update_takes_held_sessions_in_beside_those_of_agents(
    library: Library, home: Path, project: Path
) -> None:
    write_session(home, "one", "apple")
    session = await made(library, project)

    report = await library.update()

    assert report.sessions == 2
    assert set(await listed(library)) == {"fake:one", session.id}
    assert await listed(library, "agent:holdfast") == [session.id]


async def test_a_window_sees_what_is_done_here(open_library: Opener, project: Path) -> None:
    library = open_library()
    seen: asyncio.Queue[str] = asyncio.Queue()
    library.changes.add(lambda changes: [seen.put_nowait(one) for one in (*changes.added, *changes.changed)])
    await library.start()

    session = await made(library, project, "Seen", "quince")

    async with asyncio.timeout(LIMIT_SECONDS):
        assert await seen.get() == session.id
    assert await listed(library) == [session.id]


async def test_it_is_loaded_and_followed_as_any_session(library: Library, project: Path) -> None:
    session = await made(library, project, "Plan", "first")
    loaded = await library.load(session.id)

    await library.held.append_text(session.id, "assistant", "second")
    followed = await library.follow(loaded)

    assert followed.first_index == 1
    assert [message.role for message in followed.loaded.session.messages] == ["user", "assistant"]


async def test_what_the_person_says_goes_into_the_session_itself(library: Library, project: Path, home: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()
    session = await made(library, project)

    changed = await library.annotate(
        ["fake:one", session.id], title="Mine", add_tags=["fruit"], starred=True, note="keep this"
    )

    assert set(changed.annotated) == {"fake:one", session.id}
    kept = await library.held.load(session.id)
    assert (kept.title, kept.tags, kept.starred, kept.notes) == ("Mine", ("fruit",), True, "keep this")
    assert set(await listed(library, "tag:fruit is:starred")) == {"fake:one", session.id}
    with pytest.raises(WrongUsage):
        await library.annotate([session.id], add_tags=["x" * 500])


async def test_no_secret_reaches_the_disk(library: Library, project: Path, paths: Paths) -> None:
    session = await made(library, project, f"About {TOKEN}", f"use {TOKEN} here")

    kept = await library.held.load(session.id)

    assert "[removed:" in kept.title
    assert "[removed:" in kept.messages[0].blocks[0].text
    assert files_with(TOKEN, paths.data) == []


async def test_deleting_tells_the_loss_and_can_be_undone(library: Library, project: Path) -> None:
    await library.update()
    session = await made(library, project, "Gone", "apple", "pear")
    loss = await library.held.loss([session.id])

    gone = await library.held.delete([session.id])

    assert (loss.sessions, loss.messages, loss.titles, loss.kept) == (1, 2, ("Gone",), 0)
    assert [one.id for one in gone] == [session.id]
    assert await listed(library) == []
    with pytest.raises(NotFound):
        await library.entry(session.id)
    assert await library.held.undelete([session.id]) == 1
    assert await listed(library) == [session.id]


async def test_what_is_starred_or_kept_stays(library: Library, project: Path) -> None:
    starred, kept, other = [await made(library, project, title) for title in ("a", "b", "c")]
    await library.held.annotate([starred.id], starred=True)
    await library.held.annotate([kept.id], add_tags=["keep"])

    with pytest.raises(Refused, match="stay"):
        await library.held.delete([starred.id, kept.id])
    gone = await library.held.clear()

    assert [one.id for one in gone] == [other.id]
    assert (await library.held.loss()).sessions == 0


async def test_nothing_is_left_of_what_was_deleted_for_good(library: Library, project: Path, paths: Paths) -> None:
    await library.update()
    session = await made(library, project, "Persimmon", "persimmon jam")
    await library.held.backup([session.id])
    await library.held.delete([session.id])

    assert await library.held.empty_trash() == 1

    assert await library.held.trash() == []
    assert (await library.search("persimmon")).hits == ()
    assert [name for name in files_with("persimmon jam", paths.data) if name.endswith(".hold")] == []


async def test_an_earlier_state_comes_back_from_a_backup(library: Library, project: Path) -> None:
    session = await made(library, project, "Plan", "first")
    assert await library.held.backup() == 1
    await library.held.append_text(session.id, "user", "second")

    back = await library.held.restore(session.id)

    assert len(back.messages) == 1
    assert {one.reason for one in await library.held.backups(session.id)} == {"request", "restore"}
    with pytest.raises(NotFound):
        await library.held.restore(session.id, 999)


async def test_a_damaged_session_is_taken_from_its_backup(
    library: Library, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = await made(library, project, "Plan", "first")
    await library.held.compact(session.id)
    await library.held.backup([session.id])
    damage(Path((await library.held.row(session.id)).source_path))

    loaded = await library.load(session.id)

    caplog.clear()
    assert len(loaded.session.messages) == 1
    assert (await library.held.verify()).bad == ()


async def test_a_fork_goes_its_own_way(library: Library, project: Path) -> None:
    session = await made(library, project, "Plan", "first", "second")

    forked = await library.held.fork(session.id, at=1)

    assert forked.id != session.id
    assert len(forked.messages) == 1
    assert forked.origin.parent_id == session.id
    assert len((await library.held.load(session.id)).messages) == 2


async def test_an_agents_session_is_kept_as_a_copy(library: Library, home: Path) -> None:
    write_session(home, "one", "apple", "pear")
    await library.update()
    await library.annotate(["fake:one"], add_tags=["fruit"], note="mine")

    kept = await library.held.archive("fake:one")

    assert (kept.origin.kind, kept.origin.agent, kept.origin.native_id) == ("archived", "fake", "one")
    assert (len(kept.messages), kept.tags, kept.notes) == (2, ("fruit",), "mine")
    assert set(await listed(library, "agent:fake")) == {"fake:one", kept.id}
    assert await library.held.loss(["fake:one"]) is not None


async def test_a_resumed_session_is_live_here_until_it_is_closed(library: Library, project: Path) -> None:
    await library.update()
    session = await made(library, project, "Plan", "first")

    done = await library.held.resume(session.id)
    await library.held.append_text(session.id, "assistant", "second")

    assert (done.id, done.message_count, done.project_path) == (session.id, 1, str(project))
    assert [entry.id for entry in library.held.live()] == [session.id]
    assert await library.held.resumable() == []
    with pytest.raises(Refused, match="live already"):
        await library.held.resume(session.id)
    closed = await library.held.close(session.id)
    assert (closed.is_live, len(closed.messages), closed.last_resumed_ms is not None) == (False, 2, True)
    assert library.held.live() == []
    assert (await library.entry(session.id)).state == "closed"


async def test_both_faces_resume_a_held_session_as_any_other(library: Library, project: Path) -> None:
    session = await made(library, project)

    planned = await library.resume_plan(session.id)
    assert library.held.live() == []
    plan = await library.resume(session.id)

    assert (planned.method, plan.method, plan.argv, plan.cwd) == ("held", "held", (), str(project))
    assert [entry.id for entry in library.held.live()] == [session.id]
    with pytest.raises(WrongUsage):
        await library.resume_plan(session.id, terminal="xterm")


async def test_a_session_whose_project_is_gone_offers_choices(library: Library, project: Path, tmp_path: Path) -> None:
    session = await made(library, project)
    other = tmp_path / "elsewhere"
    move(project, other)

    with pytest.raises(ProjectGone) as raised:
        await library.held.resume(session.id)
    choices = await library.held.resume_choices(session.id, raised.value)
    done = await library.held.resume(session.id, other)

    assert {"project", "retry", "other", "new", "skip"} <= {choice.kind for choice in choices}
    assert all(choice.consequence.endswith(".") for choice in choices)
    assert done.project_path == str(other)


async def test_a_new_session_can_always_be_started(library: Library, project: Path) -> None:
    done = await library.held.start(str(project), title="New")

    assert [(entry.id, entry.title) for entry in library.held.live()] == [(done.id, "New")]


async def test_closing_the_library_closes_live_sessions(open_library: Opener, project: Path) -> None:
    first = open_library()
    session = await made(first, project, "Plan", "first")
    await first.held.resume(session.id)
    await first.held.append_text(session.id, "user", "second")

    await first.close()

    kept = await open_library().held.load(session.id)
    assert (kept.is_live, len(kept.messages)) == (False, 2)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from holdfast_core.library import Library
from holdfast_core.paths import find_paths
from holdfast_core.settings import Settings

async def main():
    library = Library.open(find_paths(sys.argv[1]), environment={}, settings=Settings(use_keyring=False), agents={})
    session = await library.held.create(sys.argv[2], title="Cut off")
    await library.held.resume(session.id)
    await library.held.append_text(session.id, "user", "acknowledged")
    await asyncio.sleep(0.5)
    print(session.id, flush=True)
    os._exit(9)

asyncio.run(main())
"""


@pytest.fixture
def cut_off(paths: Paths, project: Path) -> str:
    """A session that was live when its process was killed."""
    command = [sys.executable, "-c", KILLED, str(paths.data.parent), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9, done.stderr
    return done.stdout.strip()


async def test_the_check_at_the_start_tells_what_was_cut_off(open_library: Opener, cut_off: str) -> None:
    library = open_library()
    told: list[StartSummary] = []
    library.held.summaries.add(told.append)
    await library.start()

    summary = await library.held.start_check()

    assert summary.unclean == (cut_off,)
    assert told == [summary]
    assert [one.id for one in await library.held.recovery()] == [cut_off]
    assert await library.held.start_check() is summary


@pytest.mark.parametrize("choice", ["recover", "discard", "new", "skip"])
async def test_what_was_cut_off_is_recovered_as_the_person_chooses(library: Library, cut_off: str, choice: str) -> None:
    stands = await library.held.recover(cut_off, choice)  # type: ignore[arg-type]  # one of the kinds, as a parameter

    left = [one.id for one in await library.held.recovery()]
    assert left == ([cut_off] if choice == "skip" else [])
    if choice == "skip":
        assert stands is None
        return
    assert stands is not None
    assert (stands.id == cut_off) == (choice != "new")
    assert len((await library.held.load(cut_off)).messages) == (0 if choice == "discard" else 1)


async def test_a_directory_that_cannot_be_read_is_an_error_not_an_empty_list(
    library: Library, project: Path, paths: Paths
) -> None:
    await made(library, project)
    paths.sessions.rename(paths.sessions.with_name("moved"))
    paths.sessions.write_text("no directory")

    with pytest.raises(HoldfastError, match="cannot be"):
        await library.held.entries()


async def test_sessions_can_be_kept_in_another_directory(
    open_library: Opener, project: Path, paths: Paths, tmp_path: Path
) -> None:
    library = open_library(sessions_directory=str(tmp_path / "mine"))
    await library.update()

    session = await made(library, project)

    assert await listed(library) == [session.id]
    assert len(list((tmp_path / "mine").glob("*.hold"))) == 1
    assert not paths.sessions.exists()


async def test_at_the_limit_a_new_one_is_refused_or_the_oldest_goes(open_library: Opener, project: Path) -> None:
    strict = open_library(stored_sessions_limit=2)
    first = await made(strict, project, "first")
    await made(strict, project, "second")
    with pytest.raises(Refused, match="limit"):
        await made(strict, project, "third")

    cleaning = open_library(stored_sessions_limit=2, at_limit="clean")
    await made(cleaning, project, "third")

    assert [one.id for one in await cleaning.held.trash()] == [first.id]
    assert {entry.title for entry in await cleaning.held.entries()} == {"second", "third"}


async def test_messages_of_another_process_are_seen(open_library: Opener, project: Path) -> None:
    one, other = open_library(), open_library()
    session = await made(one, project, "Shared", "first")
    message = Message(id="m", role="assistant", blocks=(Text("second"),))

    await other.held.append(session.id, [message])

    assert (await one.held.load(session.id)).messages[-1] == message
    assert Annotation(session_id=session.id).session_id == session.id


async def test_what_is_said_here_is_seen_also_while_looking_for_sessions_is_paused(
    open_library: Opener, project: Path
) -> None:
    library = open_library(start_paused=True)
    seen: asyncio.Queue[str] = asyncio.Queue()
    library.changes.add(lambda changes: [seen.put_nowait(one) for one in changes.added])
    await library.start()

    session = await made(library, project, "Seen")

    async with asyncio.timeout(LIMIT_SECONDS):
        assert await seen.get() == session.id


async def test_a_window_lets_the_limits_hold_and_says_so(open_library: Opener, project: Path) -> None:
    first = open_library()
    old, _ = await made(first, project, "old"), await made(first, project, "new")
    await first.close()
    library = open_library(stored_sessions_limit=1, at_limit="clean")
    await library.start()

    summary = await library.held.start_check()

    assert [one.id for one in await library.held.trash()] == [old.id]
    assert any("moved to the trash" in note for note in summary.notes)


async def test_secrets_that_were_taken_out_are_counted(library: Library, project: Path) -> None:
    await made(library, project, "Plan", "nothing to hide")
    assert library.held.removed == 0

    await made(library, project, "Plan", f"use {TOKEN} here")

    assert library.held.removed == 1


async def test_a_check_that_failed_is_done_again(library: Library, project: Path, paths: Paths) -> None:
    session = await made(library, project)
    move(paths.sessions, paths.data / "moved")
    with pytest.raises(HoldfastError):
        paths.sessions.write_text("no directory")
        await library.held.entries()
    paths.sessions.unlink()
    move(paths.data / "moved", paths.sessions)

    assert [entry.id for entry in await library.held.entries()] == [session.id]


@pytest.mark.parametrize("has_backup", [True, False])
async def test_a_session_beyond_repair_is_told_with_what_can_be_done(
    open_library: Opener, project: Path, caplog: pytest.LogCaptureFixture, has_backup: bool
) -> None:
    first = open_library()
    session = await made(first, project, "Plan", "one")
    if has_backup:
        await first.held.backup([session.id])
    damage(Path((await first.held.row(session.id)).source_path))
    await first.close()
    library = open_library()

    problems = await library.held.problems()

    caplog.clear()
    assert [one.id for one in problems] == ([] if has_backup else [session.id])
    for problem in problems:
        assert problem.reason.endswith(".")
        assert all(choice.consequence.endswith(".") for choice in problem.choices)
        made_anew = await library.held.solve(session.id, "new")
        assert made_anew is not None
        assert made_anew.id != session.id
    caplog.clear()
