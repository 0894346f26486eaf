"""The index follows the agents' files: cheaply, whatever happens to them, and never by touching them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Checkpoint, Home, Reading, SourceRef
from holdfast_core.errors import HoldfastError
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.changes import ChangeSet, ScanProgress
from holdfast_core.scan import ingest
from holdfast_core.scan.ingest import Hooks, combined, report_of

from tests.core.scan.conftest import Place
from tests.fakes.agent import FakeAgent, append, said, write_session


def test_what_was_written_is_listed_and_found(place: Place) -> None:
    write_session(place.home, "one", "apple", "pear")
    write_session(place.home, "two", "plum")

    outcome = place.update()

    assert place.listed() == {"fake:one": 2, "fake:two": 1}
    assert place.answers().hits["pear"] == {("fake:one", 1)}
    assert set(outcome.changes.added) == {"fake:one", "fake:two"}


def test_a_second_look_at_the_same_files_reads_nothing(place: Place) -> None:
    write_session(place.home, "one", "apple")
    place.update()

    outcome = place.update()

    assert outcome.bytes_read == 0
    assert not outcome.changes


@pytest.mark.parametrize("by_path", [False, True])
def test_growth_reads_only_what_was_appended(place: Place, by_path: bool) -> None:
    path = write_session(place.home, "one", *["apple"] * 1000)
    place.update()
    append(path, "pear")

    outcome = place.update(paths=[path] if by_path else None)

    assert outcome.bytes_read == len(said("pear", "assistant"))
    assert outcome.changes == ChangeSet(changed=("fake:one",))
    assert place.listed() == {"fake:one": 1001}
    assert place.answers().hits["pear"] == {("fake:one", 1000)}


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(place: Place) -> None:
    path = write_session(place.home, "one", "apple")
    place.update()
    line = said("pear")
    with path.open("a") as file:
        file.write(line[:10])
    place.update()
    assert place.listed() == {"fake:one": 1}

    with path.open("a") as file:
        file.write(line[10:])
    place.update()

    assert place.listed() == {"fake:one": 2}


@pytest.mark.parametrize("by_path", [False, True])
def test_a_deleted_file_is_reported_as_lost(place: Place, by_path: bool) -> None:
    path = write_session(place.home, "one", "apple", "pear")
    place.update()
    path.unlink()

    outcome = place.update(paths=[path] if by_path else None)

    assert [(loss.id, loss.messages) for loss in outcome.changes.lost] == [("fake:one", 2)]
    assert place.listed() == {}


def test_a_truncated_file_is_reported_as_lost_in_part(place: Place) -> None:
    path = write_session(place.home, "one", "apple", "pear", "plum")
    place.update()
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(whole.index(b"plum") - 30)

    outcome = place.update()

    assert [(loss.id, loss.messages) for loss in outcome.changes.lost] == [("fake:one", 2)]
    assert place.listed() == {"fake:one": 1}


@pytest.mark.parametrize("by_path", [False, True])
def test_a_renamed_file_is_no_loss(place: Place, by_path: bool) -> None:
    path = write_session(place.home, "one", "apple")
    place.update()
    moved = path.rename(path.with_name("other.jsonl"))

    outcome = place.update(paths=[path, moved] if by_path else None)

    assert outcome.changes.lost == ()
    assert outcome.changes.removed == ()
    assert place.listed() == {"fake:one": 1}
    assert place.answers().entries["fake:one"]["source_path"] == str(moved)


@pytest.mark.parametrize("by_path", [False, True])
def test_a_deleted_directory_takes_its_sessions_with_it(place: Place, by_path: bool) -> None:
    path = write_session(place.home, "one", "apple", directory="gone")
    write_session(place.home, "two", "pear", directory="stays")
    place.update()
    path.unlink()
    path.parent.rmdir()

    place.update(paths=[path.parent] if by_path else None)

    assert place.listed() == {"fake:two": 1}


def test_a_new_directory_is_read_by_its_path(place: Place) -> None:
    place.update()
    path = write_session(place.home, "one", "apple", directory="new")

    place.update(paths=[path.parent])

    assert place.listed() == {"fake:one": 1}


def test_a_changed_file_costs_no_look_at_the_others(place: Place) -> None:
    paths = [write_session(place.home, f"s{number}", "apple") for number in range(50)]
    agent = CountingAgent()
    place.agents = {"fake": agent}
    place.update()
    agent.seen.clear()
    append(paths[7], "pear")

    place.update(paths=[paths[7]])

    assert agent.seen == [str(paths[7])]
    assert agent.discoveries == 1


def test_newest_sessions_are_readable_before_old_ones_are_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        path = write_session(place.home, f"s{number}", "apple" * 200)
        os.utime(path, (number, number))
    monkeypatch.setattr(ingest, "FIRST_BATCH_BYTES", 1000)
    seen: list[ChangeSet] = []

    place.update(hooks=Hooks(on_changes=seen.append))

    assert seen[0].added == ("fake:s19",)
    assert len(seen) == 2


def test_a_small_change_slips_in_between_the_batches_of_a_long_scan(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_session(place.home, f"s{number}", "apple") for number in range(10)]
    for number, path in enumerate(paths):
        os.utime(path, (number, number))
    monkeypatch.setattr(ingest, "FIRST_BATCH_BYTES", 1)
    monkeypatch.setattr(ingest, "BATCH_BYTES", 1)
    seen: list[ChangeSet] = []

    def between(writer: IndexWriter) -> None:
        if len(seen) == 1:
            append(paths[0], "quince")
            hooks = Hooks(on_changes=seen.append)
            ingest.update(writer, place.agents, Home(place.home, {}), paths=[str(paths[0])], hooks=hooks)

    place.update(hooks=Hooks(on_changes=seen.append, between=between))

    assert [changes.added for changes in seen[:3]] == [("fake:s9",), ("fake:s0",), ("fake:s8",)]
    assert place.listed() == {"fake:s0": 2, **{f"fake:s{number}": 1 for number in range(1, 10)}}


def test_one_bad_session_does_not_end_the_scan(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    bad = write_session(place.home, "bad", "apple")
    with bad.open("a") as file:
        file.write(json.dumps({"crash": True}) + "\n")
    write_session(place.home, "good", "pear")

    place.update()

    assert place.listed() == {"fake:good": 1}
    assert [record.getMessage().split()[0] for record in caplog.records if record.levelname == "ERROR"] == ["incident"]
    caplog.clear()


def test_a_bad_session_is_not_tried_again_until_it_changes(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    bad = write_session(place.home, "bad", "apple")
    good_text = bad.read_text()
    bad.write_text(good_text + json.dumps({"crash": True}) + "\n")
    place.agents = {"fake": (agent := CountingAgent())}
    place.update()
    agent.seen.clear()
    place.update()
    assert agent.seen == []

    bad.write_text(good_text)
    place.update()

    assert place.listed() == {"fake:bad": 1}
    caplog.clear()


def test_what_the_index_cannot_take_costs_only_itself(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.agents = {"fake": NonsenseAgent()}
    write_session(place.home, "nonsense", "apple")
    write_session(place.home, "good", "pear")

    place.update()

    assert place.listed() == {"fake:good": 1}
    caplog.clear()


def test_a_file_that_vanishes_between_being_found_and_read_is_no_problem(place: Place) -> None:
    place.agents = {"fake": VanishingAgent()}
    write_session(place.home, "vanishing", "apple")
    write_session(place.home, "good", "pear")

    outcome = place.update()

    assert place.listed() == {"fake:good": 1}
    assert place.answers().places.problems == 0
    assert outcome.is_complete


def test_a_source_that_is_no_file_is_a_problem_and_nothing_more(place: Place) -> None:
    write_session(place.home, "good", "apple")
    (place.home / ".fake" / "project" / "loop.jsonl").symlink_to("loop.jsonl")

    with IndexWriter.open(place.index, timeout_seconds=5) as writer:
        outcome = ingest.update(writer, place.agents, Home(place.home, {}))
        report = report_of(outcome, writer)

    assert (report.sessions, report.problems) == (1, 1)
    assert place.listed() == {"fake:good": 1}


def test_an_unreadable_root_is_reported_and_removes_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A loop of links stands for every directory that cannot be read, also for whom permissions do not bind."""
    place.agents = {"fake": FakeAgent(), "other": FakeAgent("other")}
    write_session(place.home, "one", "apple")
    place.update()
    root = place.home / ".fake"
    root.rename(place.home / "away")
    root.symlink_to(root)
    write_session(place.home, "two", "pear", agent="other")

    outcome = place.update()

    assert [(failure.agent, failure.reason) for failure in outcome.discovery.failures] == [("fake", "ELOOP")]
    assert place.listed() == {"fake:one": 1, "other:two": 1}
    caplog.clear()


def test_an_unreadable_directory_below_a_root_removes_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    path = write_session(place.home, "one", "apple")
    write_session(place.home, "two", "pear", directory="other")
    place.update()
    path.parent.rename(place.home / "away")
    path.parent.symlink_to(path.parent)

    outcome = place.update(paths=[path])

    assert place.listed() == {"fake:one": 1, "fake:two": 1}
    assert [failure.agent for failure in outcome.discovery.failures] == ["fake"]
    assert place.update().discovery.failures
    assert place.listed() == {"fake:one": 1, "fake:two": 1}
    caplog.clear()


_AS_NOBODY = """
import os, sys, tempfile
from pathlib import Path
from holdfast_core.agents import all_agents
from tests.core.scan.conftest import Place

all_agents()
with tempfile.TemporaryDirectory() as warm:  # everything is imported before the privileges go
    (place := Place(Path(warm))).update()
    place.listed()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
place = Place(Path(sys.argv[1]))
if sys.argv[2:]:
    place.agents = all_agents()
outcome = place.update()
print(len(outcome.discovery.failures), *sorted(place.listed()))
"""


@contextmanager
def open_place() -> Iterator[Place]:
    """A place of its own, open to everyone: what pytest gives is closed to whoever has no privileges."""
    with tempfile.TemporaryDirectory() as top:
        place = Place(Path(top))
        place.home.mkdir()
        place.index.mkdir()
        for path in (place.top, place.index):
            path.chmod(0o777)
        yield place


def update_as_nobody(place: Place, *options: str) -> str:
    """Return the number of failures and the listed sessions, seen without privileges."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _AS_NOBODY, str(place.top), *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout.strip()


@pytest.mark.parametrize("closed", [".fake", ".fake/project"])
def test_a_directory_without_permission_removes_nothing(closed: str) -> None:
    with open_place() as place:
        write_session(place.home, "one", "apple")

        assert update_as_nobody(place) == "0 fake:one"
        (place.home / closed).chmod(0)
        assert update_as_nobody(place) == "1 fake:one"
        (place.home / closed).chmod(0o755)
        assert update_as_nobody(place) == "0 fake:one"


def test_one_unreadable_root_of_an_agent_leaves_its_other_roots(place: Place) -> None:
    place.agents = all_agents()
    record = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "apple"}}
    path = place.home / ".claude" / "projects" / "-p" / "0190a000-0000-7000-8000-000000000001.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record) + "\n")
    loop = place.home / ".config" / "claude" / "projects"
    loop.parent.mkdir(parents=True)
    loop.symlink_to(loop)

    outcome = place.update()

    assert [(failure.agent, failure.reason) for failure in outcome.discovery.failures] == [("claude_code", "ELOOP")]
    assert place.listed() == {f"claude_code:{path.stem}": 1}


def test_a_directory_that_was_closed_from_the_start_is_reported_and_the_others_are_read() -> None:
    record = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "apple"}}
    with open_place() as place:
        for project in ("-a", "-b"):
            path = (
                place.home / ".claude" / "projects" / project / f"0190a000-0000-7000-8000-00000000000{project[1]}.jsonl"
            )
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(record) + "\n")
        (place.home / ".claude" / "projects" / "-a").chmod(0)

        said = update_as_nobody(place, "real")

        (place.home / ".claude" / "projects" / "-a").chmod(0o755)
        assert said == "1 claude_code:0190a000-0000-7000-8000-00000000000b"


def test_readers_write_nothing_below_an_agents_home(place: Place) -> None:
    path = write_session(place.home, "one", "apple")
    root = place.home / ".fake"
    for read_only in [path, path.parent, root]:
        read_only.chmod(0o555 if read_only.is_dir() else 0o444)
    before = _tree(root)

    place.update()
    place.update(full=True)
    place.update(paths=[path])

    assert _tree(root) == before
    for writable in [root, path.parent, path]:
        writable.chmod(0o755)


def test_a_full_update_reads_everything_again(place: Place) -> None:
    path = write_session(place.home, "one", "apple")
    place.update()

    outcome = place.update(full=True)

    assert outcome.bytes_read == path.stat().st_size
    assert place.listed() == {"fake:one": 1}


def test_a_scan_that_is_stopped_keeps_what_it_has_read(place: Place) -> None:
    for number in range(5):
        write_session(place.home, f"s{number}", "apple")
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    outcome = place.update(hooks=Hooks(should_stop=should_stop))

    assert not outcome.is_complete
    assert len(place.listed()) == 2
    assert place.update().is_complete
    assert len(place.listed()) == 5


def test_progress_ends_with_everything_done(place: Place) -> None:
    for number in range(5):
        write_session(place.home, f"s{number}", "apple")
    seen: list[ScanProgress] = []

    place.update(hooks=Hooks(on_progress=seen.append))

    assert seen[-1] == ScanProgress(5, 5, seen[-1].bytes_total, seen[-1].bytes_total, is_done=True)
    assert seen[0].sources_total == 5


def test_a_full_disk_is_told_in_plain_words_and_loses_nothing(place: Place) -> None:
    write_session(place.home, "one", "apple")
    place.update()
    for number in range(50):
        write_session(place.home, f"s{number}", *["pear"] * 200)

    with (
        pytest.raises(HoldfastError, match="Free some space"),
        IndexWriter.open(place.index, timeout_seconds=5) as writer,
    ):
        writer._catalog.pragma("max_page_count", writer._catalog.pragma("page_count"))
        ingest.update(writer, place.agents, Home(place.home, {}))

    assert place.listed()["fake:one"] == 1
    place.update()
    assert len(place.listed()) == 51


def test_the_work_for_one_changed_file_does_not_grow_with_the_archive(place: Place) -> None:
    """Counted in steps of SQLite's machine: a look at all sources would take some for each."""
    steps = []
    for total in (20, 400):
        paths = [write_session(place.home, f"s{number}", "apple") for number in range(total)]
        place.update()
        append(paths[3], "pear")
        counted: list[int] = []
        with IndexWriter.open(place.index, timeout_seconds=5) as writer:
            writer._catalog.trace_v2(
                apsw.SQLITE_TRACE_PROFILE,
                lambda event, counted=counted: counted.append(event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]),
            )
            ingest.update(writer, place.agents, Home(place.home, {}), paths=[str(paths[3])])
        steps.append(sum(counted))

    assert steps[1] < 1.5 * steps[0]


def test_change_sets_join_into_what_holds_at_the_end() -> None:
    joined = combined(
        [
            ChangeSet(added=("a", "b")),
            ChangeSet(changed=("a", "c"), removed=("b", "d")),
            ChangeSet(added=("d",), annotated=("c", "e")),
        ]
    )

    assert joined == ChangeSet(added=("a",), changed=("c", "d"), annotated=("e",))


def _tree(root: Path) -> dict[str, Any]:
    return {str(path): (path.lstat(), path.is_dir() or path.read_bytes()) for path in [root, *sorted(root.rglob("*"))]}


class CountingAgent(FakeAgent):
    """Notes what is read and how often all is looked through."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.discoveries = 0

    def discover(self, home: Home) -> Any:
        """Count and go on."""
        self.discoveries += 1
        return super().discover(home)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        """Note and go on."""
        self.seen.append(ref.path)
        return super().read(ref, home, checkpoint=checkpoint)


class VanishingAgent(FakeAgent):
    """Whose files named vanishing are deleted just before they are read."""

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        """Delete, then read."""
        if "vanishing" in ref.path:
            Path(ref.path).unlink()
        return super().read(ref, home, checkpoint=checkpoint)


class NonsenseAgent(FakeAgent):
    """Whose reader gives values of a wrong type for one session."""

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        """Spoil what was read."""
        reading = super().read(ref, home, checkpoint=checkpoint)
        if "nonsense" in ref.path:
            read = reading.sessions[0]
            read.facts = msgspec.structs.replace(read.facts, updated_ms=object())
        return reading
