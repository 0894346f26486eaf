from __future__ import annotations

import base64
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError, Refused, WrongUsage
from holdfast_core.resume import spawn
from holdfast_core.resume.programs import find_program, real_command
from holdfast_core.resume.project import open_project
from holdfast_core.resume.terminal import (
    TERMINALS,
    FoundTerminal,
    Terminal,
    choose_terminal,
    command_for,
    find_terminals,
    needs_script,
)

from tests.core.resume.world import World
from tests.fakes.waiting import wait_until

EVIL = [
    *(
        "a b",
        "$(touch PWN)",
        "; touch PWN #",
        "it's",
        'say "hi"',
        "-e",
        "--help",
        "`touch PWN`",
        "%U %k",
        "back\\slash",
    ),
    *("ünï", "*", "", "--", "{command}", "{directory}", "a;", ";", "\\;", "#{pane_id}", "$HOME"),
]
POSIX = [terminal for terminal in TERMINALS if terminal.platform != "win32"]


@pytest.mark.parametrize("terminal", POSIX, ids=lambda terminal: f"{terminal.platform}-{terminal.name}")
def test_every_terminal_gets_arguments_and_directory_untouched(world: World, terminal: Terminal):
    name = Path(terminal.program).name
    found = FoundTerminal(terminal, str(world.write_terminal(name)))
    agent = str(world.bin / "fake-agent")

    with open_project(str(world.project)) as project:
        command = spawn.guarded(
            [agent, *EVIL], directory=str(world.project), identity=project.identity, tools="/opt/tools"
        )
        script = spawn.write_script(command) if needs_script(found) else ""
        spawn.start_detached(
            command_for(found, command, directory=str(world.project), script=script),
            directory=project.spawn_directory,
            environment=world.environment,
        )

    seen = world.agent_saw()
    assert seen["argv"] == EVIL
    assert seen["cwd"] == seen["pwd"] == str(world.project)
    assert seen["path"] == "/usr/bin:/bin:/opt/tools"
    assert world.terminal_saw(name)["cwd"] == str(world.project)
    assert world.traces_of_a_shell() == []
    assert not script or not Path(script).parent.exists()


def test_a_script_is_private(world: World):
    script = Path(spawn.write_script(["/bin/true"]))

    assert stat.S_IMODE(script.stat().st_mode) == 0o700
    assert stat.S_IMODE(script.parent.stat().st_mode) == 0o700
    subprocess.run([script], check=True)
    assert not script.parent.exists()


@pytest.mark.parametrize("tmux", [path for path in [shutil.which("tmux")] if path])
def test_a_real_tmux_gets_arguments_and_directory_untouched(world: World, tmux: str):
    server = [tmux, "-S", str(world.top / "socket")]
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(world.user), "TERM": "xterm"}
    subprocess.run([*server, "-f", "/dev/null", "new-session", "-d", "/bin/cat"], env=clean, check=True, cwd="/")
    terminal = next(each for each in TERMINALS if each.name == "tmux" and each.platform == "linux")
    socket = subprocess.run(
        [*server, "display", "-p", "#{socket_path},#{pid},0"], env=clean, capture_output=True, check=True
    )

    try:
        with open_project(str(world.project)) as project:
            command = spawn.guarded(
                [str(world.bin / "fake-agent"), *EVIL],
                directory=str(world.project),
                identity=project.identity,
                tools="",
            )
            spawn.start_detached(
                command_for(FoundTerminal(terminal, tmux), command, directory=str(world.project)),
                directory=project.spawn_directory,
                environment={**clean, "TMUX": socket.stdout.decode().strip()},
            )
        seen = world.agent_saw()
    finally:
        subprocess.run([*server, "kill-server"], env=clean, check=True)

    assert seen["argv"] == EVIL
    assert seen["cwd"] == str(world.project)
    assert world.traces_of_a_shell() == []


def test_terminals_are_found_on_the_path(world: World):
    for name in ("xterm", "kitty", "foot"):
        world.write_terminal(name)

    names = [found.terminal.name for found in find_terminals(world.home, platform="linux")]

    assert [name for name in names if name != "tmux"] == ["kitty", "foot", "xterm"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "gnome-terminal"),
        ({"XDG_CURRENT_DESKTOP": "ubuntu:GNOME"}, "ptyxis"),
        ({"XDG_CURRENT_DESKTOP": "XFCE"}, "xfce4-terminal"),
        ({"TERMINAL": "xterm", "XDG_CURRENT_DESKTOP": "XFCE"}, "xterm"),
        ({"TERMINAL": "/usr/bin/foot"}, "foot"),
        ({"TERMINAL": "sh -c 'touch PWN'"}, "gnome-terminal"),
        ({"TERMINAL": "un'closed"}, "gnome-terminal"),
        ({"TERMINAL": "unheard-of"}, "gnome-terminal"),
    ],
)
def test_person_and_desktop_have_a_say(world: World, variables: dict[str, str], expected: str):
    for name in ("gnome-terminal", "konsole", "ptyxis", "foot", "xfce4-terminal", "xterm"):
        world.write_terminal(name)
    world.environment |= variables

    found = choose_terminal("auto", (), world.home, platform="linux")

    assert found is not None
    assert found.terminal.name == expected


def test_the_systems_own_choice_goes_first(world: World):
    world.write_terminal("xdg-terminal-exec")
    world.write_terminal("xterm")
    world.environment["TERMINAL"] = "xterm"

    assert choose_terminal("auto", (), world.home, platform="linux").terminal.name == "xdg-terminal-exec"


def test_without_a_display_no_window_is_tried(world: World):
    world.write_terminal("xterm")
    world.write_terminal("tmux")
    del world.environment["DISPLAY"]

    assert choose_terminal("auto", (), world.home, platform="linux") is None
    assert choose_terminal("tmux", (), world.home, platform="linux").terminal.name == "tmux"
    with pytest.raises(Refused, match="xterm cannot be opened here"):
        choose_terminal("xterm", (), world.home, platform="linux")


def test_inside_tmux_without_a_display_tmux_is_it(world: World):
    world.write_terminal("tmux")
    del world.environment["DISPLAY"]
    world.environment["TMUX"] = "/tmp/x,1,0"

    assert choose_terminal("auto", (), world.home, platform="linux").terminal.name == "tmux"


def test_a_name_that_is_none_is_told_with_those_that_are(world: World):
    world.write_terminal("xterm")

    with pytest.raises(WrongUsage, match=r"no terminal 'nope'\. Allowed here: auto, .*xterm"):
        choose_terminal("nope", (), world.home, platform="linux")


def test_copy_asks_for_none(world: World):
    world.write_terminal("xterm")

    assert choose_terminal("copy", (), world.home, platform="linux") is None


def test_an_own_terminal_takes_the_command_as_arguments(world: World):
    program = world.write_terminal("myterm")
    own = ("myterm", "--dir={directory}", "--run", "{command}", "--after")

    found = choose_terminal("custom", own, world.home, platform="linux")

    expected = [str(program), "--dir=/a b", "--run", "agent", "$(x)", "{directory}", "--after"]
    assert command_for(found, ["agent", "$(x)", "{directory}"], directory="/a b") == expected


@pytest.mark.parametrize("own", [(), ("myterm",), ("myterm", "--run={command}"), ("{command}",)])
def test_an_own_terminal_needs_a_place_for_the_command(world: World, own: tuple[str, ...]):
    with pytest.raises(WrongUsage, match="terminal_command"):
        choose_terminal("custom", own, world.home, platform="linux")


def test_an_own_terminal_that_is_not_installed_is_told(world: World):
    with pytest.raises(Refused, match="not installed"):
        choose_terminal("custom", ("myterm", "{command}"), world.home, platform="linux")


def test_programs_in_relative_places_are_not_found(world: World, monkeypatch: pytest.MonkeyPatch):
    """A project that one stands in must not say what its agent is."""
    world.write_agent(name="evil-agent", directory=world.project)
    monkeypatch.chdir(world.project)

    home = Home(world.user, {"PATH": f".::./:../code:{world.bin}"})

    assert find_program("evil-agent", home) is None
    assert find_program("./evil-agent", home) is None
    assert find_program("fake-agent", home) == world.bin / "fake-agent"


def test_programs_of_package_managers_are_found_from_a_bare_desktop(world: World):
    (world.user / ".local" / "bin").mkdir(parents=True)
    world.write_agent(name="other", directory=world.user / ".local" / "bin")

    assert find_program("other", Home(world.user, {})) == world.user / ".local" / "bin" / "other"


def test_what_may_not_be_run_is_not_found(world: World):
    (world.bin / "plain").write_text("")
    (world.bin / "folder").mkdir()

    assert find_program("plain", world.home) is None
    assert find_program("folder", world.home) is None


def _windows(name: str) -> FoundTerminal:
    terminal = next(each for each in TERMINALS if each.name == name and each.platform == "win32")
    return FoundTerminal(terminal, f"C:\\bin\\{terminal.program}" if terminal.program else "")


def test_windows_terminal_gets_semicolons_escaped():
    command = command_for(_windows("windows-terminal"), ["agent.exe", "a;b"], directory="C:\\a;b\\")

    assert command == ["C:\\bin\\wt.exe", "-w", "new", "-d", "C:\\a\\;b\\.", "--", "agent.exe", "a\\;b"]


def test_powershell_gets_one_encoded_line():
    command = command_for(_windows("powershell"), [], directory="C:\\it's", agent_argv=["C:\\a.exe", "--resume=x"])

    line = base64.b64decode(command[-1]).decode("utf-16-le")
    assert command[:-1] == ["C:\\bin\\powershell.exe", "-NoExit", "-NoProfile", "-EncodedCommand"]
    assert line == "Set-Location -LiteralPath 'C:\\it''s' -ErrorAction Stop; & 'C:\\a.exe' '--resume=x'"


def test_a_console_window_runs_the_program_itself():
    assert command_for(_windows("console"), ["agent.exe", "x"], directory="C:\\x") == ["agent.exe", "x"]


def test_an_npm_shim_is_resolved_to_what_it_starts(world: World):
    script = world.bin / "node_modules" / "agent" / "cli.js"
    script.parent.mkdir(parents=True)
    script.write_text("")
    shim = world.bin / "agent.cmd"
    shim.write_text('@ECHO off\r\n"%_prog%"  "%dp0%\\node_modules\\agent\\cli.js" %*\r\n')
    node = world.write_agent(name="node.exe")
    shim.chmod(0o755)
    home = Home(world.user, {"PATH": str(world.bin), "PATHEXT": ".EXE;.CMD"})

    assert real_command(shim, home, platform="win32") == [str(node), str(script)]


def test_a_shim_that_is_not_understood_stays(world: World):
    shim = world.bin / "agent.cmd"
    shim.write_text('@"%dp0%\\..\\else.js" %*\r\n')

    assert real_command(shim, world.home, platform="win32") == [str(shim)]


def test_a_terminal_that_fails_at_once_is_reported_with_what_it_said(world: World):
    with pytest.raises(HoldfastError, match="ended at once with an error") as raised:
        spawn.start_detached(["/bin/sh", "-c", "echo no display >&2; exit 3"], directory="/", environment={})

    assert "ended with 3: no display" in raised.value.detail


def test_a_terminal_that_is_not_there_is_reported():
    with pytest.raises(HoldfastError, match="could not be started"):
        spawn.start_detached(["/nonexistent/terminal"], directory="/", environment={})


def test_a_terminal_goes_on_when_we_end(world: World):
    """It is in a session of its own, so that neither our end nor Ctrl-C reaches it."""
    record = world.top / "went-on"
    starter = (
        "import sys; from holdfast_core.resume.spawn import start_detached;"
        "start_detached(sys.argv[1:], directory='/', environment={}, early_seconds=0.05)"
    )
    started = (
        "import os, pathlib, sys, time; parent = os.getppid()\n"
        "while os.getppid() == parent: time.sleep(0.01)\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getsid(0) == os.getpid()))"
    )

    subprocess.run([sys.executable, "-c", starter, sys.executable, "-c", started, str(record)], check=True, timeout=20)

    assert wait_until(lambda: record.exists() and record.read_text()) == "True"
