"""How a session is continued."""

from __future__ import annotations

from typing import Literal

import msgspec

ResumeMethod = Literal["terminal", "copy"]


class ResumePlan(msgspec.Struct, frozen=True):
    """The agent's own command, in which directory, through which terminal.

    ``argv`` is what the agent's program is started with, ``terminal`` the name
    of the terminal that shows it, empty for the method copy. ``shell_line`` is
    the same command quoted for the platform's shell, for the clipboard alone:
    nothing here ever interprets it.
    """

    session_id: str
    argv: tuple[str, ...]
    cwd: str
    terminal: str
    method: ResumeMethod
    shell_line: str
