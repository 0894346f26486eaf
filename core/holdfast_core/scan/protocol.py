"""What a window and its indexer say to each other: one JSON value a line, over the indexer's stdin and stdout."""

from __future__ import annotations

from typing import Literal

import msgspec

from holdfast_core.model.changes import ChangeSet, ScanProgress, ScanReport

InIndex = Literal["nothing", "everything"]


class Capture(msgspec.Struct, frozen=True, kw_only=True, tag="capture", tag_field="type"):
    """How sources go into the vault from now on, as in the settings; an empty ``directory`` is the usual one."""

    directory: str = ""
    is_enabled: bool = True
    left_out: tuple[str, ...] = ()
    reserve_bytes: int = 2048 << 20
    is_encrypted: bool = False
    database_minutes: float = 5


class Start(msgspec.Struct, frozen=True, kw_only=True, tag="start", tag_field="type"):
    """The first line: where everything is. ``environment`` holds the variables by which agents are moved.

    ``sessions`` is the directory of the held sessions, empty for the usual one;
    ``homes`` are those in which agents are looked for beside ``agents_home``.
    Without ``capture`` there is no vault.
    """

    data: str
    config: str
    cache: str
    log: str
    agents_home: str
    environment: dict[str, str]
    poll_seconds: float = 2.0
    rescan_seconds: float = 60.0
    use_events: bool = True
    log_level: str = "info"
    is_paused: bool = False
    sessions: str = ""
    encrypted_in_index: InIndex = "nothing"
    homes: tuple[str, ...] = ()
    capture: Capture | None = None


class Rescan(msgspec.Struct, frozen=True, tag="rescan", tag_field="type"):
    """Look everywhere now; with ``full`` read everything again from its start. Answered unless ``number`` is 0."""

    full: bool = False
    number: int = 0


class Pause(msgspec.Struct, frozen=True, tag="pause", tag_field="type"):
    """Stop looking at the agents' files, or go on."""

    is_paused: bool


class Annotate(msgspec.Struct, frozen=True, tag="annotate", tag_field="type"):
    """The person said something of sessions: take it from the store into the index. Answered.

    ``held`` are the files of held sessions that changed: they are taken in first, also during a pause.
    """

    number: int
    held: tuple[str, ...] = ()


class Unlock(msgspec.Struct, frozen=True, tag="unlock", tag_field="type"):
    """The passphrase or recovery code of encrypted sessions, empty to forget it.

    Where their text is to stand in the index all are read again.
    """

    secret: str


class ShowEncrypted(msgspec.Struct, frozen=True, tag="show_encrypted", tag_field="type"):
    """What of encrypted sessions may stand in the index from now on; they are all read again."""

    encrypted_in_index: InIndex


class LookIn(msgspec.Struct, frozen=True, tag="look_in", tag_field="type"):
    """Look for agents in these homes too from now on, and in no others beside the first."""

    homes: tuple[str, ...]


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="type"):
    """Finish the batch at hand and end. The end of stdin says the same."""


class Changed(msgspec.Struct, frozen=True, tag="changed", tag_field="type"):
    """The index was changed: it can be seen by every reader now."""

    changes: ChangeSet


class Progressed(msgspec.Struct, frozen=True, tag="progressed", tag_field="type"):
    """How far a look everywhere has come."""

    progress: ScanProgress


class Reported(msgspec.Struct, frozen=True, tag="reported", tag_field="type"):
    """A look everywhere has ended."""

    report: ScanReport


class Answered(msgspec.Struct, frozen=True, tag="answered", tag_field="type"):
    """What the command with this number asked for is done, or was given up if a rescan's ``report`` is missing."""

    number: int
    report: ScanReport | None = None


class Captures(msgspec.Struct, frozen=True, tag="captures", tag_field="type"):
    """How capturing goes: sources captured since the start, and how many wait, and for what."""

    captured: int
    waiting: int
    is_locked: bool = False
    is_out_of_space: bool = False


class SettingsChanged(msgspec.Struct, frozen=True, tag="settings_changed", tag_field="type"):
    """The settings file was written, by a command line or an editor."""


class Failed(msgspec.Struct, frozen=True, tag="failed", tag_field="type"):
    """Something was given up. ``message`` is for the person and names the incident."""

    message: str


Command = Start | Rescan | Pause | Annotate | Unlock | ShowEncrypted | LookIn | Capture | Stop
Event = Changed | Progressed | Reported | Answered | Captures | SettingsChanged | Failed

# A change set of 100,000 sessions is about 6 MB.
LINE_LIMIT_BYTES = 64 << 20

_encoder = msgspec.json.Encoder()
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(message: Command | Event) -> bytes:
    """Return a message as one line with its newline."""
    return _encoder.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    """Return the command in a line.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _commands.decode(line)


def decode_event(line: bytes) -> Event:
    """Return the event in a line.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _events.decode(line)
