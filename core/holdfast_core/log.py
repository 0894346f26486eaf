"""Two tiers of errors: a person reads a sentence and a code, the log holds the rest under the same code.

Log files are this person's alone, rotate, and hold no home path, no user name
and nothing that looks like a secret. Prompts, answers and file contents are
never given to a logger in the first place.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from holdfast_core.errors import HoldfastError
from holdfast_core.paths import Paths, make_private

UNEXPECTED = "Something went wrong inside Holdfast. Your sessions are untouched; the log has the details."
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is mistaken for another
_FILE_LIMIT_BYTES = 2 << 20
_FILES_KEPT = 4
_MESSAGE_LIMIT = 2_000
_TRACE_LIMIT = 20_000

_SECRETS = re.compile(
    r"""(?x)
      -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    | (?P<keep>\b[a-z][a-z0-9+.-]*://) [^\s/:@]+ : [^\s/@]+ (?=@)
    | (?P<keep2>\b(?:authorization|x-api-key)["']?\s*[:=]\s*["']?(?:bearer\s+|basic\s+)?) [^\s"',]+
    | (?P<keep3>\bbearer\s+) [A-Za-z0-9._~+/=-]{8,}
    | (?P<keep4>\b[\w-]*(?:passw(?:or)?d|secret|token|api[_-]?key)["']?\s*[:=]\s*["']?) [^\s"',&]{4,}
    | \b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{16,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b | \bAIza[\w-]{30,} | \bxox[abeoprs]-[\w-]{10,}
    | \bey[A-Za-z0-9_-]{8,}\.ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    """,
    re.IGNORECASE | re.DOTALL,
)
# A word that is neither small letters alone, nor the time of a line, nor an id of ours.
_SUSPECT = re.compile(
    r"(?<![\w+=.~-])(?!\d{4}-\d\d-\d\dT|(?<=\s)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"(?=[\w+=.~-]*[A-Z0-9])[\w+=.~-]{10,}"
)
_removers: list[Callable[[str], str]] = []
"""What takes secrets out of shapes that are not known here; registered while logs are open."""
_USER_DIRECTORY = re.compile(r"((?:/home/|/Users/|\b[A-Za-z]:\\+Users\\+))[^/\\\s:\"']+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Incident:
    """What a person is told of a failure. ``details`` is what the log has, redacted: for "Show details"."""

    code: str
    message: str
    details: str


def open_logs(
    paths: Paths, level: str = "info", *, name: str = "holdfast", remove: Callable[[str], str] | None = None
) -> Callable[[], None]:
    """Write what is logged to ``<name>.log`` from now on; returns what ends that.

    Each kind of process has a name of its own, so that none rotates another's
    file. The file is made with the first line. A directory that cannot be
    written costs the log, never the program. ``remove`` takes secrets out of
    whatever might hold one, before that is written or told.
    """
    handler = _PrivateFile(paths.log / f"{name}.log")
    handler.setFormatter(_Redacted())
    handler.setLevel(logging.getLevelName(level.upper()))
    root = logging.getLogger()
    ours = [logging.getLogger(package) for package in ("holdfast_core", "holdfast_gui", "holdfast")]
    root.addHandler(handler)
    removers = [remove] if remove else []
    _removers.extend(removers)
    for logger in ours:
        logger.setLevel(handler.level)

    def close() -> None:
        root.removeHandler(handler)
        handler.close()
        for remover in removers:
            _removers.remove(remover)
        for logger in ours:
            logger.setLevel(logging.NOTSET)

    return close


def incident(log: logging.Logger, error: BaseException) -> Incident:
    """Log everything about ``error`` under a new code; returns the person's words with that code."""
    code = "HF-" + "".join(secrets.choice(_CODE_LETTERS) for _ in range(6))
    expected = isinstance(error, HoldfastError)
    detail = error.detail if isinstance(error, HoldfastError) else ""
    log.error("incident %s: %s %s", code, type(error).__name__, detail, exc_info=error)
    message = _without_secrets(str(error)) if expected else UNEXPECTED
    trace = "".join(traceback.format_exception(error, limit=-40))
    return Incident(code, f"{message} ({code})", redact(f"{code}\n{detail}\n{trace}"[:_TRACE_LIMIT]))


def redact(text: str, *, home: str | None = None) -> str:
    """Return ``text`` without the home directory, names of users in paths, and what has the shape of a secret."""
    home = str(Path.home()) if home is None else home
    if len(home) > 1:
        text = text.replace(home, "~").replace(home.replace("\\", "\\\\"), "~")
    return _without_secrets(_USER_DIRECTORY.sub(r"\1<user>", text))


def _without_secrets(text: str) -> str:
    for remover in _removers if _SUSPECT.search(text) else ():
        text = remover(text)
    return _SECRETS.sub(lambda found: "".join(part for part in found.groupdict().values() if part) + "<removed>", text)


class _Redacted(logging.Formatter):
    """One line a record; lines of a traceback are indented, so that no text can pose as a record."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s[%(process)d] %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = _utc

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        head, *rest = text.split("\n")
        lines = [head[:_MESSAGE_LIMIT], *(f"    {line[:_MESSAGE_LIMIT]}" for line in rest)]
        return redact(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", "\n".join(lines)[:_TRACE_LIMIT]))


def _utc(seconds: float | None) -> time.struct_time:
    return time.gmtime(seconds)


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file with mode 0600 that is made late, follows no link and never breaks its program."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_FILE_LIMIT_BYTES, backupCount=_FILES_KEPT, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        make_private(path.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        return os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8", errors="backslashreplace")

    def close(self) -> None:
        """Give the last lines up as well, if the disk has no room for them."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Give the line up: the disk is full, read-only, or another process holds the file for rotation."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)
