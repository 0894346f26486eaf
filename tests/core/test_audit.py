from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from holdfast_core.audit import Anchor, AuditLog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.disk import FAULTS, Died, Disk, Plan

KEY = b"k" * 32
CORE = str(Path(__file__).parents[2] / "core")
WRITER = """
import sys
from pathlib import Path
from holdfast_core.audit import AuditLog
log = AuditLog.open(Path(sys.argv[1]), b"k" * 32, limit_bytes=4000, keep_files=100)
for number in range(60):
    log.record("session.saved", f"{sys.argv[2]}-{number}")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


def _filled(path: Path, count: int, **options) -> AuditLog:
    log = AuditLog.open(path, KEY, **options)
    for number in range(1, count + 1):
        log.record("session.saved", f"id-{number}", detail=f"messages={number}")
    return log


def _files(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.glob("audit.log*") if not found.name.endswith(".lock"))


def test_what_was_done_is_read_newest_first(path: Path):
    log = _filled(path, 3)
    log.record("session.deleted", "id-2", "refused", "reason=live")

    newest = log.read(2)

    assert [(line.sequence, line.event, line.subject, line.outcome, line.detail) for line in newest] == [
        (4, "session.deleted", "id-2", "refused", "reason=live"),
        (3, "session.saved", "id-3", "done", "messages=3"),
    ]
    assert newest[0].time_ms >= newest[1].time_ms > 1_700_000_000_000
    assert newest[0].monotonic_seconds >= newest[1].monotonic_seconds
    assert len(log.read(100)) == 4
    assert log.verify() is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_is_an_object_that_names_the_line_before(path: Path):
    _filled(path, 2)

    first, second = (json.loads(line) for line in path.read_text().splitlines())

    assert list(first) == ["seq", "time", "mono", "event", "subject", "outcome", "detail", "prev", "tag"]
    assert (first["seq"], first["prev"], second["prev"]) == (1, "0" * 64, first["tag"])
    assert first["time"].endswith("Z")


@pytest.mark.parametrize(
    ("subject", "written"), [("", ""), ("a-b_c.9:x", "a-b_c.9:x"), ("/home/me", None), ("a b", None), ("\ud800", None)]
)
def test_a_subject_is_an_id_or_a_fingerprint(path: Path, subject: str, written: str | None):
    log = AuditLog.open(path, KEY)
    log.record("session.saved", subject)

    [line] = log.read(1)

    assert line.subject == written if written is not None else line.subject.startswith("sha256:")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=st.text(), detail=st.text())
def test_whatever_is_given_the_log_stays_whole(path: Path, subject: str, detail: str):
    log = AuditLog.open(path, KEY)

    log.record("session.saved", subject, detail=detail)

    assert log.verify() is None
    [line] = log.read(1)
    assert len(line.subject) <= 128 and len(line.detail) <= 120
    assert "\n" not in line.detail


@pytest.mark.parametrize("event", ["", "Saved", "two words", "x" * 65, "saved\n"])
def test_an_event_is_a_name(path: Path, event: str):
    with pytest.raises(ValueError, match="no name"):
        AuditLog.open(path, KEY).record(event)


def test_what_only_reads_is_left_out_unless_everything_is_wanted(tmp_path: Path):
    changes = AuditLog.open(tmp_path / "changes", KEY)
    everything = AuditLog.open(tmp_path / "everything", KEY, level="everything")

    for log in (changes, everything):
        log.record("session.loaded", is_reading=True)
        log.record("session.loaded", outcome="failed", is_reading=True)
        log.record("session.saved")

    assert [(line.event, line.outcome) for line in changes.read(9)] == [
        ("session.saved", "done"),
        ("session.loaded", "failed"),
    ]
    assert len(everything.read(9)) == 3


def test_every_byte_that_is_changed_is_found(path: Path):
    log = _filled(path, 4)
    content = path.read_bytes()
    anchor = Anchor(4, json.loads(content.splitlines()[-1])["tag"])

    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :])
        line = content[:place].count(b"\n") + 1
        assert log.verify(anchor) == line


def test_lines_that_are_missing_moved_or_doubled_are_found(path: Path):
    log = _filled(path, 5)
    one, two, three, four, five = path.read_bytes().splitlines(keepends=True)
    anchor = Anchor(5, json.loads(five)["tag"])

    for changed, broken in (
        ([two, three, four, five], 1),
        ([one, three, four, five], 2),
        ([one, two, four, three, five], 3),
        ([one, two, two, three, four, five], 3),
        ([one, two, three, four], 5),
        ([], 1),
    ):
        path.write_bytes(b"".join(changed))
        assert log.verify(anchor) == broken
    path.unlink()
    assert log.verify(anchor) == 1
    assert log.verify() is None


def test_another_key_verifies_nothing(path: Path):
    _filled(path, 2)

    assert AuditLog.open(path, b"x" * 32).verify() == 1


def test_full_files_are_followed_by_new_ones_and_the_chain_goes_on(path: Path):
    log = _filled(path, 40, limit_bytes=2000, keep_files=50)

    assert len(_files(path)) > 4
    assert log.verify() is None
    assert [line.sequence for line in log.read(100)] == list(range(40, 0, -1))
    assert all(found.stat().st_size < 2500 for found in path.parent.glob("audit.log*"))


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_file_that_is_taken_out_of_the_chain_is_found(path: Path, number: int):
    log = _filled(path, 40, limit_bytes=2000, keep_files=50)
    removed = path.with_name(f"audit.log.{number}")
    first = json.loads(removed.read_text().splitlines()[0])["seq"]
    removed.unlink()

    assert log.verify() == first


def test_a_file_that_is_too_old_goes_and_its_going_is_a_record(path: Path):
    log = _filled(path, 40, limit_bytes=2000, keep_files=2)

    assert _files(path) == ["audit.log", "audit.log.1", "audit.log.2"]
    assert log.verify() is None
    [newest, *_] = [line for line in log.read(100) if line.event == "audit.pruned"]
    assert f"through={log.read(100)[-1].sequence - 1} " in newest.detail


def test_the_oldest_file_cannot_go_unsaid(path: Path):
    log = _filled(path, 40, limit_bytes=2000, keep_files=2)
    oldest = path.with_name("audit.log.2")
    first = json.loads(oldest.read_text().splitlines()[0])["seq"]
    oldest.unlink()

    assert log.verify() == first


def test_the_newest_record_is_told_every_64_records_and_at_the_end(path: Path):
    told: list[Anchor] = []
    log = AuditLog.open(path, KEY, anchor=told.append)
    for _ in range(130):
        log.record("session.saved")
    log.close()
    log.close()

    assert [anchor.sequence for anchor in told] == [64, 128, 130]
    assert log.verify(told[-1]) is None
    assert log.verify(told[0]) is None


def test_a_log_that_was_opened_again_goes_on_and_tells_what_came(path: Path):
    _filled(path, 3)
    told: list[Anchor] = []
    log = AuditLog.open(path, KEY, anchor=told.append)
    log.close()
    log.record("session.saved")
    log.close()

    assert [anchor.sequence for anchor in told] == [4]
    assert log.verify(told[0]) is None


def bytes_read() -> int:
    """Return how many bytes this process has read so far, 0 where the system does not say."""
    told = Path("/proc/self/io")
    return int(told.read_text().split("rchar: ")[1].split()[0]) if told.exists() else 0


def test_verifying_again_costs_what_is_new(path: Path):
    log = _filled(path, 300, limit_bytes=20_000)
    assert log.verify() is None
    assert len(_files(path)) > 3
    log.record("session.saved", "the-new-one")
    before = bytes_read()

    assert log.verify() is None
    assert [line.subject for line in log.read(1)] == ["the-new-one"]

    assert bytes_read() - before < 8_000


def test_what_is_changed_after_it_was_verified_is_found_where_files_look_other(path: Path):
    log = _filled(path, 40)
    assert log.verify(Anchor(40, json.loads(path.read_bytes().splitlines()[-1])["tag"])) is None
    whole = path.read_bytes()

    path.write_bytes(whole.replace(b"id-7", b"id-8"))
    assert log.verify() == 7
    path.write_bytes(whole)
    assert log.verify() is None
    path.write_bytes(whole[: -len(whole.splitlines(keepends=True)[-1])])
    assert log.verify(Anchor(40, json.loads(whole.splitlines()[-1])["tag"])) == 40
    path.write_bytes(whole)
    log.record("session.saved", "id-41")
    assert log.verify() is None
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:40], lines[40].replace(b"id-41", b"id-51")]))
    assert log.verify() == 41


def test_a_log_that_goes_on_in_new_files_is_verified_on(path: Path):
    log = _filled(path, 10, limit_bytes=2_000, keep_files=3)
    for number in range(100):
        log.record("session.saved", f"later-{number}")
        assert log.verify() is None
    _files(path)
    other = AuditLog.open(path, KEY)
    assert other.verify() is None
    path.with_name("audit.log.1").write_bytes(b"")
    assert log.verify() is not None


def test_an_end_that_was_remembered_long_ago_is_still_found(path: Path):
    log = _filled(path, 20)
    anchors: list[Anchor] = []
    remembering = AuditLog.open(path, KEY, anchor=anchors.append)
    remembering.record("session.saved", "id-21")
    remembering.close()
    (anchor,) = anchors
    for number in range(600):
        log.record("session.saved", f"later-{number}")

    assert log.verify(anchor) is None
    assert log.verify(anchor) is None
    assert log.verify(anchor._replace(tag="0" * 64)) == 21


def test_a_torn_last_line_is_cut_off_and_no_damage(path: Path):
    _filled(path, 3)
    content = path.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1

    for size in range(last, len(content)):
        path.write_bytes(content[:size])
        log = AuditLog.open(path, KEY)
        assert log.verify() is None
        log.record("session.closed", "x")
        assert [line.sequence for line in log.read(9)] == [3, 2, 1]
        assert log.verify() is None


def test_a_last_line_of_which_only_the_end_was_written_is_torn(path: Path):
    _filled(path, 3)
    content = path.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    path.write_bytes(content[:last] + bytes(100) + content[last + 100 :])

    log = AuditLog.open(path, KEY)

    assert log.verify() is None
    log.record("session.closed", "x")
    assert [line.sequence for line in log.read(9)] == [3, 2, 1]
    assert log.verify() is None


def test_after_damage_the_chain_goes_on_and_the_damage_stays_visible(path: Path):
    _filled(path, 3)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"id-2", b"id-9"))

    log = AuditLog.open(path, KEY)
    log.record("session.saved", "later")

    assert log.verify() == 2
    assert log.read(1)[0].sequence == 4


@pytest.mark.parametrize("what", ["link", "pipe", "directory"])
def test_a_log_is_a_plain_file(path: Path, what: str):
    import os

    if what == "link":
        path.symlink_to(path.with_name("other"))
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()

    with pytest.raises(OSError, match="plain file"):
        AuditLog.open(path, KEY).record("session.saved")


def test_two_processes_write_one_chain(path: Path):
    command = [sys.executable, "-c", WRITER, str(path)]

    running = [subprocess.Popen([*command, name], env={"PYTHONPATH": CORE}) for name in ("one", "two")]
    assert [process.wait(timeout=60) for process in running] == [0, 0]

    log = AuditLog.open(path, KEY)
    lines = log.read(1000)
    assert log.verify() is None
    assert [line.sequence for line in lines] == list(range(120, 0, -1))
    assert {line.subject for line in lines} == {f"{name}-{number}" for name in ("one", "two") for number in range(60)}


def test_whatever_call_fails_what_was_acknowledged_stays_and_the_chain_is_whole(tmp_path: Path):
    def story(directory: Path, plan: Plan) -> tuple[list[str], list[str]]:
        said: list[str] = []
        directory.mkdir()
        with Disk(directory, plan) as disk:
            log = AuditLog.open(directory / "audit.log", KEY, limit_bytes=300, keep_files=1)
            for number in range(4):
                try:
                    log.record("session.saved", f"id-{number}")
                    said.append(f"id-{number}")
                except (OSError, Died):
                    continue
        return said, disk.calls

    _, calls = story(tmp_path / "measured", Plan())
    for at, name in enumerate(calls):
        for fault in {FAULTS[name][0], *FAULTS[name][-2:]}:
            directory = tmp_path / f"{at} {fault}"
            said, _ = story(directory, Plan(at, fault))

            log = AuditLog.open(directory / "audit.log", KEY, limit_bytes=300, keep_files=1)
            assert log.verify() is None
            kept = [line.subject for line in reversed(log.read(100)) if line.event == "session.saved"]
            assert kept == sorted(kept)
            assert not said or said[-1] in kept
            log.record("session.closed")
            assert log.verify() is None
