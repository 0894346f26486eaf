"""The terminals that we know: how each takes a program, its arguments and a directory, and which one to use.

Which forms pass arguments through untouched was tried with hostile arguments
for xterm, GNOME Terminal, Konsole, Xfce Terminal, Alacritty, kitty and tmux;
the other forms are from their manuals (2026-11).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from holdfast_core.agents.base import Home
from holdfast_core.errors import Refused, WrongUsage
from holdfast_core.resume.programs import find_program
from holdfast_core.resume.quoting import encoded_powershell, powershell_line

Platform = Literal["linux", "darwin", "win32"]
COMMAND = "{command}"
DIRECTORY = "{directory}"
SCRIPT = "{script}"
ENCODED = "{encoded}"


@dataclass(frozen=True, slots=True)
class Terminal:
    """One terminal on one platform.

    In ``arguments``, ``{command}`` becomes the arguments of what runs in it,
    ``{directory}`` the directory, ``{script}`` the path of a private script,
    ``{encoded}`` an encoded PowerShell line. ``bundle`` is the application
    that holds or is the program on macOS. ``needs_display`` is False for what
    runs in a terminal itself.
    """

    name: str
    title: str
    platform: Platform
    program: str
    arguments: tuple[str, ...]
    bundle: str = ""
    needs_display: bool = True


@dataclass(frozen=True, slots=True)
class FoundTerminal:
    """A terminal that is installed, with the file of its program."""

    terminal: Terminal
    program: str


_OPEN = "/usr/bin/open"
TERMINALS = (
    Terminal("xdg-terminal-exec", "Default terminal", "linux", "xdg-terminal-exec", (COMMAND,)),
    Terminal("gnome-terminal", "GNOME Terminal", "linux", "gnome-terminal", ("--", COMMAND)),
    Terminal("ptyxis", "Ptyxis", "linux", "ptyxis", ("--new-window", "--", COMMAND)),
    Terminal("konsole", "Konsole", "linux", "konsole", ("-e", COMMAND)),
    Terminal("kitty", "kitty", "linux", "kitty", (COMMAND,)),
    Terminal("alacritty", "Alacritty", "linux", "alacritty", ("-e", COMMAND)),
    Terminal("wezterm", "WezTerm", "linux", "wezterm", ("start", "--", COMMAND)),
    Terminal("ghostty", "Ghostty", "linux", "ghostty", ("-e", COMMAND)),
    Terminal("foot", "foot", "linux", "foot", (COMMAND,)),
    Terminal("xfce4-terminal", "Xfce Terminal", "linux", "xfce4-terminal", ("-x", COMMAND)),
    Terminal("xterm", "xterm", "linux", "xterm", ("-e", COMMAND)),
    Terminal("x-terminal-emulator", "Debian's terminal", "linux", "x-terminal-emulator", ("-e", COMMAND)),
    Terminal("tmux", "tmux", "linux", "tmux", ("new-window", COMMAND), needs_display=False),
    Terminal("terminal-app", "Terminal", "darwin", _OPEN, ("-a", "Terminal", SCRIPT)),
    Terminal("iterm2", "iTerm2", "darwin", _OPEN, ("-a", "iTerm", SCRIPT), bundle="iTerm.app"),
    Terminal("kitty", "kitty", "darwin", "kitty", (COMMAND,), bundle="kitty.app"),
    Terminal("alacritty", "Alacritty", "darwin", "alacritty", ("-e", COMMAND), bundle="Alacritty.app"),
    Terminal("wezterm", "WezTerm", "darwin", "wezterm", ("start", "--", COMMAND), bundle="WezTerm.app"),
    Terminal("ghostty", "Ghostty", "darwin", _OPEN, ("-na", "Ghostty", "--args", "-e", COMMAND), bundle="Ghostty.app"),
    Terminal("tmux", "tmux", "darwin", "tmux", ("new-window", COMMAND), needs_display=False),
    Terminal("windows-terminal", "Windows Terminal", "win32", "wt.exe", ("-w", "new", "-d", DIRECTORY, "--", COMMAND)),
    Terminal(
        "powershell", "PowerShell", "win32", "powershell.exe", ("-NoExit", "-NoProfile", "-EncodedCommand", ENCODED)
    ),
    Terminal("console", "Console window", "win32", "", (COMMAND,)),
)
_FAMILIES: dict[str, Platform] = {"darwin": "darwin", "win32": "win32"}
_DESKTOP_TERMINALS = {"GNOME": ("ptyxis", "gnome-terminal"), "KDE": ("konsole",), "XFCE": ("xfce4-terminal",)}


def find_terminals(home: Home, *, platform: str = sys.platform) -> list[FoundTerminal]:
    """Return the terminals that can be opened now, the one to prefer first."""
    ours = [terminal for terminal in TERMINALS if terminal.platform == _family(platform)]
    found = [FoundTerminal(terminal, program) for terminal in ours if (program := _program(terminal, home, platform))]
    if _family(platform) != "linux":
        return found
    has_display = any(home.environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    usable = [choice for choice in found if has_display or not choice.terminal.needs_display]
    preferred = _preferred(home)
    rank = {name: place for place, name in reversed(list(enumerate(preferred)))}
    return sorted(usable, key=lambda choice: rank.get(choice.terminal.name, len(preferred)))


def choose_terminal(
    name: str, own_command: Sequence[str], home: Home, *, platform: str = sys.platform
) -> FoundTerminal | None:
    """Return the terminal that ``name`` asks for; None for ``copy``, and for ``auto`` where there is none.

    ``own_command`` is the argument list of the terminal ``custom``.

    Raises:
        WrongUsage: there is no terminal of that name, or ``own_command`` has no ``{command}``.
        Refused: it is not installed or cannot be opened now; the message names those that can.
    """
    if name == "copy":
        return None
    if name == "custom":
        return _custom(own_command, home, platform)
    found = find_terminals(home, platform=platform)
    if name == "auto":
        # tmux shows a window only to those who are in it: never opened unasked from elsewhere
        return next((each for each in found if each.terminal.name != "tmux" or home.environment.get("TMUX")), None)
    chosen = next((each for each in found if each.terminal.name == name), None)
    if chosen is None:
        raise _not_there(name, [each.terminal.name for each in found], platform)
    return chosen


def command_for(
    found: FoundTerminal, command: Sequence[str], *, directory: str, agent_argv: Sequence[str] = (), script: str = ""
) -> list[str]:
    """Return the arguments that open a terminal with ``command`` in it.

    ``agent_argv`` is what PowerShell runs itself; ``script`` is the file for a
    terminal that takes nothing but a file.
    """
    terminal = found.terminal
    # "C:\" before a closing quote would take the quote with it
    place = directory + "." if directory.endswith("\\") else directory
    arguments: list[str] = [found.program] if found.program else []
    for argument in terminal.arguments:
        if argument == COMMAND:
            arguments += [_escaped(terminal.name, part) for part in command]
        elif argument == ENCODED:
            arguments.append(encoded_powershell(powershell_line(agent_argv, directory)))
        else:
            arguments.append(argument.replace(DIRECTORY, _escaped(terminal.name, place)).replace(SCRIPT, script))
    return arguments


def needs_script(found: FoundTerminal) -> bool:
    """Whether a terminal can be given nothing but the path of a script."""
    return SCRIPT in found.terminal.arguments


def _escaped(name: str, argument: str) -> str:
    """Both split their command at semicolons: tmux at an argument's end, Windows Terminal anywhere, quoted or not."""
    if name == "tmux" and argument.endswith(";"):
        return argument[:-1] + "\\;"
    return argument.replace(";", "\\;") if name == "windows-terminal" else argument


def _family(platform: str) -> Platform:
    return _FAMILIES.get(platform, "linux")


def _program(terminal: Terminal, home: Home, platform: str) -> str | None:
    if not terminal.program:
        return ""
    if terminal.bundle:
        places = (Path("/Applications"), home.path / "Applications")
        bundle = next((place / terminal.bundle for place in places if (place / terminal.bundle).is_dir()), None)
        if terminal.program == "/usr/bin/open":
            return terminal.program if bundle else None
        inside = bundle / "Contents" / "MacOS" / terminal.program if bundle else None
        if inside and inside.is_file():
            return str(inside)
    found = find_program(terminal.program, home, platform=platform)
    return str(found) if found else None


def _preferred(home: Home) -> list[str]:
    """Return names to try before the table's own order: what the person or the desktop says."""
    by_desktop = [
        name
        for desktop in home.environment.get("XDG_CURRENT_DESKTOP", "").split(":")
        for name in _DESKTOP_TERMINALS.get(desktop, ())
    ]
    by_variable = shlex.split(home.environment.get("TERMINAL", ""), posix=True)[:1] if _is_one_program(home) else []
    return ["xdg-terminal-exec", *(Path(name).name for name in by_variable), *by_desktop]


def _is_one_program(home: Home) -> bool:
    try:
        return len(shlex.split(home.environment.get("TERMINAL", ""))) == 1
    except ValueError:
        return False


def _custom(own_command: Sequence[str], home: Home, platform: str) -> FoundTerminal:
    if COMMAND not in own_command[1:]:
        raise WrongUsage(f'The setting terminal_command needs a program and "{COMMAND}" as an argument of its own.')
    program = find_program(own_command[0], home, platform=platform)
    if program is None:
        raise Refused("The program in the setting terminal_command is not installed.", detail=own_command[0])
    terminal = Terminal("custom", "Own terminal", _family(platform), own_command[0], tuple(own_command[1:]))
    return FoundTerminal(terminal, str(program))


def _not_there(name: str, usable: Sequence[str], platform: str) -> Refused | WrongUsage:
    known = [terminal for terminal in TERMINALS if terminal.name == name]
    here = ", ".join(["auto", *usable, "custom", "copy"])
    if not known:
        return WrongUsage(f"There is no terminal {name!r}. Allowed here: {here}.")
    return Refused(
        f"{known[0].title} cannot be opened here. It is not installed, or there is no display. Allowed: {here}."
    )
