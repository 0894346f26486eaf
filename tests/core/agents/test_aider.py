"""What is Aider's own: histories are found in projects, many sessions stand in one, and only the last one grows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents._aider_history import Line, gather
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agents.support import DATA, Growing, home_of, refs_of
from tests.corpus import ROOT

AIDER = all_agents()["aider"]
NAME = ".aider.chat.history.md"
HISTORY = f"work/lighthouse/{NAME}"
RECORDED = sorted((ROOT / "aider").rglob(NAME))


def write(folder: Path, content: str = "\n# aider chat started at 2026-03-02 09:00:00\n\n#### Hi.  \n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(content, "utf-8")
    return folder / NAME


def test_histories_are_looked_for_where_projects_are(tmp_path: Path) -> None:
    for folder in ("", "a", "a/b/c/d", "a/b/c/d/e", ".cache/a", "a/node_modules/b", "Library/a"):
        write(tmp_path / folder)
    (tmp_path / "linked").symlink_to(tmp_path / "a/b")
    home = Home(tmp_path, {})

    assert list(refs_of(AIDER, home)) == [NAME, f"a/{NAME}", f"a/b/c/d/{NAME}"]
    assert list(AIDER.refs_for(home, [str(tmp_path / "a/b/c/d/e" / NAME)])) == []
    assert list(AIDER.refs_for(home, [str(tmp_path / "linked/c/d" / NAME)])) == []
    assert [ref.path for ref in AIDER.refs_for(home, [str(tmp_path / "a/b")])] == [str(tmp_path / "a/b/c/d" / NAME)]


def test_a_variable_names_one_file_for_all(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere")
    home = Home(tmp_path / "home", {"AIDER_CHAT_HISTORY_FILE": str(elsewhere)})

    (ref,) = AIDER.discover(home)

    assert ref.path == str(elsewhere)
    assert list(AIDER.refs_for(home, [str(elsewhere.parent)])) == [ref]
    assert AIDER.read(ref, home).sessions[0].facts.title == "Hi."


def test_every_line_read_by_itself_gives_the_whole(tmp_path: Path) -> None:
    for case in ("plain", "stripped"):
        file = Growing(AIDER, home_of(DATA / "aider" / case, tmp_path / case), HISTORY)
        ends = [place + 1 for place, byte in enumerate(file.data) if byte == 0x0A]

        assert file.in_pieces([*ends, len(file.data)]).shown() == file.whole(file.data).shown()


def test_a_line_counts_when_it_has_ended(tmp_path: Path) -> None:
    file = Growing(AIDER, home_of(DATA / "aider" / "plain", tmp_path), HISTORY)
    for cut in range(len(file.data)):
        complete = file.data.rfind(b"\n", 0, cut) + 1
        if cut % 7 == 0:
            assert file.whole(file.data[:cut]).shown() == file.whole(file.data[:complete]).shown()


def test_only_the_last_session_is_read_again(tmp_path: Path) -> None:
    file = Growing(AIDER, home_of(DATA / "aider" / "plain", tmp_path), HISTORY)
    first = file.read(file.data)

    second = file.read(file.data + b"\n#### And now?  \n", first.checkpoint)

    assert second.was_continued
    assert [session.facts.title for session in second.sessions] == ["What is the time?"]
    assert second.bytes_read < 250


def test_another_clock_gives_another_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path, {})
    write(tmp_path)
    (ref,) = AIDER.discover(home)
    moments = []
    for zone in ("UTC", "EST5"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        moments.append(AIDER.read(ref, home).sessions[0].facts.created_ms)

    monkeypatch.undo()
    time.tzset()
    assert moments[1] - moments[0] == 5 * 3_600_000


def test_the_program_goes_on_in_the_project_and_makes_no_copy() -> None:
    target = ResumeTarget("20260302090000-5ddb16d0b6e5ec19", "main", "/p", "/s")

    assert AIDER.resume_command(target).argv == ("aider", "--restore-chat-history")
    assert AIDER.resume_command(target).needs_project
    with pytest.raises(Refused):
        AIDER.resume_command(target, fork=True)


LINES = ["#### a  ", "> b  ", "> b", "c", "", "```", "# aider chat started at 2026-03-02 09:00:00"]


@given(st.lists(st.sampled_from(LINES)))
def test_any_lines_give_messages_in_their_order(lines: list[str]) -> None:
    draft = Draft(Gathered("s"))

    gather(draft, [Line(number, text) for number, text in enumerate(lines, 1)])

    numbers = [message.line for message in draft.messages]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == draft.gathered.count


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parent.name)
def test_recorded_histories_give_the_same_in_pieces(path: Path, tmp_path: Path) -> None:
    write(tmp_path / "p").write_bytes(path.read_bytes())
    file = Growing(AIDER, Home(tmp_path, {}), f"p/{NAME}")
    cuts = [len(file.data) * part // 7 for part in range(8)]

    assert file.in_pieces(cuts).shown() == file.whole(file.data).shown()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parent.name)
def test_every_start_in_a_recorded_history_is_a_session(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    write(tmp_path / "p").write_bytes(content)
    home = Home(tmp_path, {})
    (ref,) = AIDER.discover(home)

    sessions = AIDER.read(ref, home).sessions

    assert len(sessions) == content.count(b"# aider chat started at ")
    assert len({session.facts.native_id for session in sessions}) == len(sessions)


def test_a_session_without_end_is_cut_and_the_next_is_read(tmp_path: Path) -> None:
    start = "# aider chat started at 2026-03-02 09:00:00\n\n"
    path = write(tmp_path, start + "#### Hi.  \n" + "a\n" * 600_000 + start + "#### Again.  \n")
    home = Home(tmp_path, {})
    (ref,) = AIDER.discover(home)

    reading = AIDER.read(ref, home)

    assert [session.facts.title for session in reading.sessions] == ["Hi.", "Again."]
    assert [problem.reason for problem in reading.problems] == ["session_too_long"]
    assert path.stat().st_size > 1_000_000
