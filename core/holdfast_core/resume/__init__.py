"""Continue a session in its agent's own program: say what would run, then run it.

plan(entry, agent, home, settings)  ->  what, where, in which terminal; nothing has happened
start(plan, home, settings)         ->  the terminal is open
run_here(plan, home)                ->  this process becomes the agent (the command line's own terminal)
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast_core.agents.base import Agent, Home, ResumeTarget
from holdfast_core.errors import AgentMissing, NeedsCopy, NotFound, ProjectGone, Refused
from holdfast_core.model.resume import ResumePlan
from holdfast_core.model.session import SessionEntry
from holdfast_core.resume import moved, quoting, spawn, terminal
from holdfast_core.resume.copying import missing_copy
from holdfast_core.resume.programs import find_program, real_command
from holdfast_core.resume.project import Project, chosen_directory, open_project, within

if TYPE_CHECKING:
    from holdfast_core.resume.repositories import Repositories
    from holdfast_core.settings import Settings

log = logging.getLogger(__name__)

_SEARCH_SECONDS = 3.0


def plan(
    entry: SessionEntry,
    agent: Agent,
    home: Home,
    settings: Settings,
    *,
    terminal_name: str | None = None,
    fork: bool = False,
    project: Path | None = None,
    moved_projects: Mapping[str, str] | None = None,
    known_projects: Iterable[str] = (),
    repositories: Repositories | None = None,
    is_trusted: bool = False,
    with_copy: bool = False,
) -> ResumePlan:
    """Return how a session is continued, having checked all that can be checked without starting it.

    ``terminal_name`` goes before the setting, and may also be ``here``;
    ``project`` is a directory that the person chose, ``moved_projects`` what
    was remembered of such choices, ``known_projects`` where else sessions take
    place, ``repositories`` what was remembered of them, by which a project is
    known again that has moved; ``with_copy`` says that a copy may be put
    where the agent looks from another directory, by `copying.put_copy`;
    ``is_trusted`` says that the person accepts a directory of someone else.
    Reads directories: not for the thread of a window.

    Raises:
        ProjectGone: the directory is not there; its candidates are offered.
        NeedsCopy: the agent would not find the session from that directory.
        AgentMissing: the agent's program is not installed; the message says how.
        Refused: it is unsafe as things are, or the agent cannot continue this session.
        WrongUsage: there is no such terminal.
    """
    directory = _directory(entry, project, moved_projects or {})
    known_projects = tuple(known_projects)
    _remember(repositories, (directory, *known_projects))
    command = agent.resume_command(
        ResumeTarget(native_id=entry.native_id, kind=entry.kind, project_path=directory, source_path=entry.source_path),
        fork=fork,
    )
    _check_source(entry)
    with _opened(directory, entry, known_projects, repositories, is_trusted=is_trusted) as held:
        identity = held.identity
    place = missing_copy(agent, entry, home, directory)
    if place is not None and not with_copy:
        raise NeedsCopy(
            f"{agent.name} looks for sessions only where those of this directory are, and this one was made in"
            " another. A copy can be put there; the session stays where it is, too.",
            path=str(place),
        )
    argv = command.argv
    shell_line = (quoting.powershell_line if sys.platform == "win32" else quoting.posix_line)(argv, directory)
    program = find_program(argv[0], home)
    if program is None:
        message = f"{agent.name} is not installed here. {agent.how_to_install}".strip()
        raise AgentMissing(message, detail=argv[0], shell_line=shell_line)
    wanted = terminal_name or settings.terminal
    found = None if wanted == "here" else terminal.choose_terminal(wanted, settings.terminal_command, home)
    method: Literal["here", "terminal", "copy"] = "here" if wanted == "here" else "terminal" if found else "copy"
    return ResumePlan(
        session_id=entry.id,
        argv=argv,
        cwd=directory,
        terminal="here" if wanted == "here" else found.terminal.name if found else "",
        method=method,
        shell_line=shell_line,
        program=str(program),
        identity=identity,
        is_trusted=is_trusted,
        copy_to=str(place or ""),
    )


def start(plan: ResumePlan, home: Home, settings: Settings) -> None:
    """Open the planned terminal with the agent in it; it goes on when Holdfast ends. Takes up to a second.

    Raises:
        NotFound: the directory has gone since.
        Refused: the directory is another one now, or the plan is for no terminal.
        HoldfastError: the terminal does not start, or ends at once with an error.
    """
    if plan.method != "terminal":
        raise Refused("No terminal was found on this machine. Copy the command, or name a terminal in the settings.")
    found = terminal.choose_terminal(plan.terminal, settings.terminal_command, home)
    if found is None:
        raise Refused("This terminal is not there any more. Choose another one.", detail=plan.terminal)
    _check_copy(plan)
    with _held(plan) as project:
        agent_argv = _agent_argv(plan, home)
        command = agent_argv
        if sys.platform != "win32":
            tools = str(Path(plan.program).parent)
            command = spawn.guarded(agent_argv, directory=plan.cwd, identity=project.identity, tools=tools)
        script = spawn.write_script(command) if terminal.needs_script(found) else ""
        spawn.start_detached(
            terminal.command_for(found, command, directory=plan.cwd, agent_argv=agent_argv, script=script),
            directory=project.spawn_directory,
            environment=spawn.spawn_environment(home.environment, plan.cwd),
        )
    log.info("%s continues a session in %s", plan.argv[0], plan.terminal)


def run_here(plan: ResumePlan, home: Home) -> int:
    """Become the agent, in this terminal. On POSIX it does not return; elsewhere it returns the agent's exit code.

    Raises:
        NotFound: the directory has gone since.
        Refused: the directory is another one now.
    """
    environment = spawn.spawn_environment(home.environment, plan.cwd)
    _check_copy(plan)
    with _held(plan) as project:
        argv = _agent_argv(plan, home)
        if sys.platform == "win32":
            return subprocess.run(argv, cwd=plan.cwd, env=environment, check=False).returncode
        os.fchdir(project.descriptor)
        environment["PATH"] = environment.get("PATH", os.defpath) + os.pathsep + str(Path(plan.program).parent)
        _restore_signals()
        os.execve(argv[0], argv, environment)
    return 0


def _restore_signals() -> None:
    """Undo what Python ignores for itself: it would stay ignored in the agent."""
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def _directory(entry: SessionEntry, project: Path | None, moved_projects: Mapping[str, str]) -> str:
    if project is not None:
        return chosen_directory(project)
    return moved.follow_moves(entry.project_path, moved_projects)


def _remember(repositories: Repositories | None, projects: Iterable[str]) -> None:
    """Note what projects are known by while they are there, should one of them move; a hung disk is left to itself."""
    if repositories is not None:
        with suppress(TimeoutError, OSError):
            within(_SEARCH_SECONDS, lambda: repositories.see(projects))


def _check_copy(plan: ResumePlan) -> None:
    if plan.copy_to and not os.path.lexists(plan.copy_to):
        raise Refused("The copy of the session that its agent needs in this directory is not there.")


def _check_source(entry: SessionEntry) -> None:
    """Refuse what the agent cannot find any more, before its program says so in a window that closes."""
    try:
        is_there = within(_SEARCH_SECONDS, lambda: os.path.lexists(entry.source_path))
    except TimeoutError:
        return
    if not is_there:
        raise Refused("The agent's file of this session is gone, so its program could not continue it.")


def _opened(
    directory: str,
    entry: SessionEntry,
    known_projects: Iterable[str],
    repositories: Repositories | None,
    *,
    is_trusted: bool,
) -> Project:
    try:
        return open_project(directory, is_trusted=is_trusted)
    except NotFound as error:
        raise ProjectGone(
            "The directory of this session is gone. Choose where the project is now.",
            path=directory,
            candidates=_candidates(directory, entry, known_projects, repositories),
        ) from error


def _candidates(
    directory: str, entry: SessionEntry, known_projects: Iterable[str], repositories: Repositories | None
) -> tuple[str, ...]:
    files = [touched.path for touched in entry.files_touched]
    repository = repositories.of(directory) if repositories is not None else None
    try:
        return within(
            _SEARCH_SECONDS,
            lambda: moved.find_candidates(
                directory, known_projects=known_projects, files=files, branch=entry.branch, repository=repository
            ),
        )
    except TimeoutError:
        return ()


def _held(plan: ResumePlan) -> Project:
    project = open_project(plan.cwd, is_trusted=plan.is_trusted)
    if plan.identity is not None and project.identity != plan.identity:
        project.close()
        raise Refused("The project's directory was replaced by another one just now. Look at it and try again.")
    return project


def _agent_argv(plan: ResumePlan, home: Home) -> list[str]:
    """Return the command with its program's own file, never a batch file with arguments that it would interpret."""
    command = real_command(Path(plan.program), home)
    if Path(command[0]).suffix.lower() in (".cmd", ".bat"):
        quoting.check_batch_arguments(plan.argv[1:])
    return [*command, *plan.argv[1:]]
