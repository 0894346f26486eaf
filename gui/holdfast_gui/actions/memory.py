"""What the window remembers between two starts, in a small file of our own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, Literal

import msgspec
from holdfast_core.atomic import write_file
from holdfast_core.model.agent import AgentInfo
from holdfast_core.paths import make_private

log = logging.getLogger(__name__)

FILE: Final = "window.json"


class Memory(msgspec.Struct):
    """The window as it was left. ``window`` is the window's own record of sizes, panes, order and saved searches.

    ``theme`` and ``font_scale`` repeat the settings, ``agents`` what the agents
    look like, so that the first paint need not wait for these. ``keys`` are the shortcuts that the person chose,
    ``muted`` the kinds of notification that are switched off. ``warned_of`` are the sessions of which it was told
    on the day ``warned_on`` that their agents will delete them.
    """

    window: bytes = b""
    theme: Literal["system", "light", "dark"] = "system"
    font_scale: float = 1.0
    agents: list[AgentInfo] = []
    shows_menu_bar: bool = False
    keys: dict[str, list[str]] = {}
    muted: list[str] = []
    said_no_tray: bool = False
    said_still_running: bool = False
    warned_on: str = ""
    warned_of: list[str] = []


def load(config: Path) -> Memory:
    """Return what was remembered; a missing file gives the defaults, and so does a broken one."""
    try:
        content = (config / FILE).read_bytes()
    except OSError:
        return Memory()
    try:
        return msgspec.json.decode(content, type=Memory)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.info("the window's memory cannot be read: %s", type(error).__name__)
        return Memory()


def save(config: Path, memory: Memory) -> None:
    """Write it for the next start; where the disk does not allow it, the window opens as it first did."""
    content = msgspec.json.format(msgspec.json.encode(memory), indent=1)
    try:
        make_private(config)
        write_file(config / FILE, [content])
    except OSError as error:
        log.info("the window's memory cannot be written: %s", error.strerror)
