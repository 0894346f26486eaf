from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.log import UNEXPECTED, incident, open_logs, redact
from holdfast_core.paths import Paths, find_paths

log = logging.getLogger("holdfast_core.tests")

SECRETS = [
    "sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAA",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0123456789_abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-1234567890-abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "AIzaSyA-1234567890abcdefghijklmnopqrstuv",
    "glpat-abcdefghij0123456789",
]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths(tmp_path)


@pytest.fixture
def opened(paths: Paths) -> Iterator[Path]:
    close = open_logs(paths, "debug", name="test")
    yield paths.log / "test.log"
    close()


def _forget(caplog: pytest.LogCaptureFixture) -> None:
    """These tests log errors on purpose."""
    caplog.clear()


def test_nothing_is_made_before_the_first_line(opened: Path):
    assert not opened.parent.exists()


def test_the_file_is_private(opened: Path):
    log.info("something")

    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    assert stat.S_IMODE(opened.parent.stat().st_mode) == 0o700


def test_a_line_tells_time_level_and_place(opened: Path):
    log.info("%s sessions", 3)

    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO holdfast_core\.tests\[\d+\] 3 sessions\n"
    assert re.fullmatch(pattern, opened.read_text())


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", 'token="{}",', "Authorization: Bearer {}", "https://u:{}@host/x"])
def test_secrets_do_not_reach_the_log(opened: Path, secret: str, around: str):
    log.info("failed: %s", around.format(secret))

    assert secret not in opened.read_text()
    assert "<removed>" in opened.read_text()


def test_homes_and_users_do_not_reach_the_log(opened: Path):
    log.info("in %s/code and /home/alice/x, /Users/bob/y, C:\\Users\\carol\\z", Path.home())

    text = opened.read_text()
    assert "in ~/code" in text
    assert not any(name in text for name in ("alice", "bob", "carol"))


def test_a_key_block_goes_as_a_whole():
    text = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb"

    assert redact(text) == "a\n<removed>\nb"


MUST_BE_REMOVED = [
    ("sk-proj-{}", "Zk3q9LxR7vTn2WmB8cYd4FhJ6gPs"),
    ("gho_{}", "Zk3q9LxR7vTn2WmB8cYd4FhJ6gPs5aQe1uVo"),
    ("ASIA{}", "Z3Q9LXR7VTN2WMB8"),
    ("xoxp-{}", "1234567890-abcdefghij"),
    ("postgres://app:{}@db.internal/x", "c0rrect-h0rse"),
    ("redis://user:{}@host", "c0rrect!h0rse"),
    ("Authorization: Bearer {}", "Zk3q9LxR7vTn2WmB8cYd"),
    ("'authorization': 'Basic {}'", "bWU6c2VjcmV0LXdvcmQ="),
    ("x-api-key: {}", "0b9b5db6fabc49d0b68f"),
    ("API_KEY={}", "0b9b5db6fabc49d0b68f"),
    ('{{"password": "{}"}}', "c0rrect-h0rse"),
    ("client_secret='{}'", "c0rrect-h0rse"),
    ("https://x.test/?access_token={}&page=2", "0b9b5db6fabc49d0b68f"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\n{}", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"),
    ("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{}", "c2lnbmF0dXJlLW9mLWl0"),
]


@pytest.mark.parametrize(("text", "secret"), MUST_BE_REMOVED, ids=[text for text, _ in MUST_BE_REMOVED])
def test_no_secret_reaches_a_line_of_the_log(opened: Path, text: str, secret: str):
    log.info("it said %s", text.format(secret))

    written = opened.read_text("utf-8")
    assert secret not in written and "<removed>" in written


@pytest.mark.parametrize(("text", "secret"), MUST_BE_REMOVED, ids=[text for text, _ in MUST_BE_REMOVED])
def test_no_secret_of_an_error_is_told(opened: Path, caplog: pytest.LogCaptureFixture, text: str, secret: str):
    told = incident(log, HoldfastError("It failed.", detail=text.format(secret)))
    other = incident(log, ValueError(text.format(secret)))
    _forget(caplog)

    for place in (told.details, other.details, told.message, other.message, opened.read_text("utf-8")):
        assert secret not in place


def test_redaction_is_quick_on_hostile_text():
    hostile = "-----BEGIN PRIVATE KEY-----" * 2_000 + "a" * 100_000 + "://" * 10_000 + "token=" * 10_000

    assert "BEGIN" not in redact(hostile)


def test_no_text_can_pose_as_another_line(opened: Path):
    log.info("title\n2026-01-01T00:00:00.000Z ERROR x[1] forged\r\x1b[31mred\x9b0m\u2028x")

    lines = opened.read_text().split("\n")
    assert [line[:4] for line in lines[1:]] == ["    ", ""]
    assert not any(control in opened.read_text() for control in "\r\x1b\x9b\u2028")


def test_an_unexpected_error_is_a_code_for_the_person_and_all_else_in_the_log(opened: Path, caplog):
    try:
        raise ValueError("the secret plan sk-ant-api03-AAAAAAAAAAAAAAAAAAAA")
    except ValueError as error:
        told = incident(log, error)
    _forget(caplog)

    assert re.fullmatch(r"HF-[2-9A-Z]{6}", told.code)
    assert told.message == f"{UNEXPECTED} ({told.code})"
    text = opened.read_text()
    assert told.code in text
    assert "Traceback" in text
    assert "ValueError" in text
    assert "sk-ant" not in text + told.details


def test_an_expected_error_keeps_its_words_and_its_detail_goes_to_the_log(opened: Path, caplog):
    told = incident(log, HoldfastError("The disk is full.", detail="ENOSPC in write"))
    _forget(caplog)

    assert told.message == f"The disk is full. ({told.code})"
    assert "ENOSPC in write" in opened.read_text()


def test_every_incident_has_a_code_of_its_own(caplog):
    codes = {incident(log, HoldfastError("x")).code for _ in range(200)}
    _forget(caplog)

    assert len(codes) == 200


def test_the_file_rotates_and_old_ones_go(paths: Paths):
    close = open_logs(paths, "info", name="big")

    for _ in range(9_000):
        log.info("x" * 1_500)
    close()

    files = sorted(path.name for path in paths.log.iterdir())
    assert files == ["big.log", "big.log.1", "big.log.2", "big.log.3", "big.log.4"]
    assert sum(path.stat().st_size for path in paths.log.iterdir()) < 11 << 20


def test_the_level_counts(paths: Paths):
    close = open_logs(paths, "warning", name="quiet")

    log.info("not this")
    close()

    assert not paths.log.exists()


@pytest.mark.parametrize("kind", ["fifo", "link", "directory", "file in the way"])
def test_a_place_that_cannot_be_written_costs_the_log_alone(paths: Paths, tmp_path: Path, kind: str, capfd):
    paths.log.parent.mkdir(exist_ok=True)
    if kind == "file in the way":
        paths.log.write_text("")
    else:
        paths.log.mkdir()
    target = paths.log / "test.log"
    if kind == "fifo":
        os.mkfifo(target)
    elif kind == "link":
        (tmp_path / "elsewhere").write_text("mine")
        target.symlink_to(tmp_path / "elsewhere")
    elif kind == "directory":
        target.mkdir()
    close = open_logs(paths, "info", name="test")

    log.info("something")
    close()

    assert not (tmp_path / "elsewhere").exists() or (tmp_path / "elsewhere").read_text() == "mine"
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_costs_the_last_lines_and_nothing_else(paths: Paths, capfd: pytest.CaptureFixture[str]) -> None:
    close = open_logs(paths)
    log.info("a line")
    place = str(paths.log / "holdfast.log")
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.FileHandler)]
    (handler,) = (one for one in handlers if one.baseFilename == place)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, handler.stream.fileno())
    os.close(full)

    log.info("a line that finds no room")
    close()

    assert capfd.readouterr().err == ""
