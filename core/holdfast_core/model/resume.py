"""How a session is continued."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict

import msgspec

ResumeMethod = Literal["terminal", "here", "copy", "held"]


class ResumePlan(msgspec.Struct, frozen=True):
    """The agent's own command, in which directory, through which terminal.

    ``argv`` is what the agent's program is started with, ``terminal`` the name
    of the terminal that shows it, empty for the method copy. ``shell_line`` is
    the same command quoted for the platform's shell, for the clipboard alone:
    nothing here ever interprets it; it is empty where no shell could be given
    it safely. The method ``here`` is the command line's own terminal, ``held`` a
    session of Holdfast's own that is live in this process: it has no command.

    ``program`` is where ``argv[0]`` was found, ``identity`` the (device, inode)
    of the directory as it was checked, ``is_trusted`` whether the person said
    that a directory of someone else will do. ``copy_to`` is where a copy of the
    session must be put before it starts, empty if the agent finds it as it is.
    """

    session_id: str
    argv: tuple[str, ...]
    cwd: str
    terminal: str
    method: ResumeMethod
    shell_line: str
    program: str = ""
    identity: tuple[int, int] | None = None
    is_trusted: bool = False
    copy_to: str = ""


class ResumeChoice(TypedDict, total=False):
    """What a person may choose: a terminal by name, a fork, a directory, and that it may be someone else's.

    ``with_copy``: a copy of the session may be put where its agent looks from that directory.
    """

    terminal: str | None
    fork: bool
    project: Path | None
    is_trusted: bool
    with_copy: bool
