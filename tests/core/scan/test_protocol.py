"""What a window and its indexer say survives the pipe, and nonsense on it ends nothing."""

from __future__ import annotations

import msgspec
import pytest
from holdfast_core.model.changes import AgentReport, ChangeSet, LostMessages, ScanFailure, ScanProgress, ScanReport
from holdfast_core.scan.protocol import (
    Annotate,
    Answered,
    Changed,
    Command,
    Event,
    Failed,
    LookIn,
    Pause,
    Progressed,
    Reported,
    Rescan,
    Start,
    Stop,
    Unlock,
    decode_command,
    decode_event,
    encode,
)

REPORT = ScanReport(1, 2, 3, 4, 5, 6, (AgentReport("fake", 1, 2, 3, {"x": 1}),), 0.5, 0.25, 7, (ScanFailure("f", "E"),))
COMMANDS = [
    Start(data="/d", config="/c", cache="/k", log="/l", agents_home="/h", environment={"A": "é\n"}),
    Rescan(full=True, number=3),
    Pause(True),
    Annotate(4),
    Annotate(5, held=("/d/a.hold",)),
    Unlock("passphrase"),
    LookIn(("/mnt/c/Users/me",)),
    Stop(),
]
EVENTS = [
    Changed(ChangeSet(added=("a:1",), lost=(LostMessages("a:2", 3, "gone"),))),
    Progressed(ScanProgress(1, 2, 3, 4)),
    Reported(REPORT),
    Answered(4, REPORT),
    Answered(5),
    Failed("It failed."),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_command_is_one_line_and_comes_out_as_it_went_in(command: Command) -> None:
    line = encode(command)

    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_one_line_and_comes_out_as_it_went_in(event: Event) -> None:
    line = encode(event)

    assert line.count(b"\n") == 1
    assert decode_event(line) == event


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"type": "unknown"}', b'{"type": "pause"}', b"\xff\xfe"])
def test_nonsense_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        decode_command(line)
