"""From an argument list to an exit code: parses, runs one command, and tells every failure as a person needs it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import io
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO

from holdfast_core import cli
from holdfast_core.cli import asking
from holdfast_core.cli.commands import shared_options
from holdfast_core.cli.context import Context
from holdfast_core.cli.index import rebuild_index
from holdfast_core.cli.parser import parse
from holdfast_core.cli.start import split_setting
from holdfast_core.errors import Ambiguous, HoldfastError, IndexBroken, Locked, ProjectGone
from holdfast_core.export.plain import one_line, plain_text
from holdfast_core.log import incident, open_logs
from holdfast_core.paths import Paths, find_paths
from holdfast_core.redact.at_need import without_secrets

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.model.start import WindowStart

log = logging.getLogger(__name__)

_INTERRUPTED = 130
_FIRST_LOOK_SECONDS = 5.0
_SHOWN_WITHOUT_DISPLAY = "20"


def main(arguments: Sequence[str]) -> int:
    """Do what `holdfast` was called with and return the exit code."""
    return _guarded(lambda: cli.run(arguments, None, sys.stdout, sys.stderr))


def main_without_display(start: WindowStart) -> int:
    """Say that there is no display, look for sessions for a while, list the newest; returns the exit code."""
    shared = [f"--set={key}={value}" for key, value in start.overrides.items()]
    shared += [f"--home={start.home}"] if start.home else []
    shared += [f"--agents-home={start.agents_home}"] if start.agents_home else []

    async def look_and_list() -> tuple[int, bool]:
        update = execute(["index", "update", *shared], None, io.StringIO(), sys.stderr)
        is_late = False
        try:
            await asyncio.wait_for(update, _FIRST_LOOK_SECONDS)
        except TimeoutError:
            is_late = True
        listing = ["sessions", "list", "--limit", _SHOWN_WITHOUT_DISPLAY, *shared]
        return await execute(listing, None, sys.stdout, sys.stderr), is_late

    def work() -> int:
        code, is_late = asyncio.run(look_and_list())
        if is_late:
            _leave(code)
        return code

    sys.stderr.write("holdfast: There is no display here, so no window. These are your newest sessions:\n")
    return _guarded(work)


async def execute(
    arguments: Sequence[str], library: Library | None, out: TextIO, err: TextIO, *, paths: Paths | None = None
) -> int:
    """Do one command and return the exit code; every failure is told on ``err``.

    Raises:
        BrokenPipeError: whoever read ``out`` has gone.
    """
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            parsed = parse(arguments)
    except SystemExit as done:
        err.write(plain_text(told.getvalue()))
        return done.code if isinstance(done.code, int) else 2
    async with contextlib.AsyncExitStack() as stack:
        try:
            context = _context(parsed, library, out, err, paths)
            stack.push_async_callback(context.close)
            if library is None:
                stack.callback(open_logs(context.paths, context.log_level, name="cli", remove=without_secrets))
            await _do(parsed, context)
        except HoldfastError as error:
            return _tell(error, err)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - the top of the command line: a code for the person, all else to the log
            err.write(f"holdfast: {incident(log, error).message}\n")
            return 1
        return context.exit_code


async def _do(parsed: argparse.Namespace, context: Context) -> None:
    """Run the command; once more if the index had to be built again, or a passphrase was needed."""
    try:
        await parsed.command(context, parsed)
    except IndexBroken:
        if context.is_embedded:
            raise  # the window has an indexer that does it
        await context.close()
        await rebuild_index(context)
        await parsed.command(context, parsed)
    except Locked:
        if context.is_embedded or not asking.can_unlock(context):
            raise
        await context.library.held.unlock(asking.passphrase(context, "Passphrase or recovery code"))
        await parsed.command(context, parsed)


def _context(
    parsed: argparse.Namespace, library: Library | None, out: TextIO, err: TextIO, paths: Paths | None
) -> Context:
    home, agents_home, pairs = shared_options(parsed)
    return Context(
        out=out,
        err=err,
        paths=paths or find_paths(home),
        agents_home=agents_home,
        overrides=dict(split_setting(pair) for pair in pairs),
        library=library,
        is_json=getattr(parsed, "json", False),
    )


def _tell(error: HoldfastError, err: TextIO) -> int:
    """Write an error in the person's words; what they could do nothing about also goes to the log."""
    message = incident(log, error).message if error.exit_code == 1 else str(error)
    err.write(f"holdfast: {plain_text(message)}\n")
    if isinstance(error, Ambiguous):
        for session_id, title in error.candidates:
            err.write(f"  {session_id}  {one_line(title)}\n")
    if isinstance(error, ProjectGone):
        for path in error.candidates:
            err.write(f"  perhaps: --project {shlex.quote(plain_text(path))}\n")
    return error.exit_code


def _guarded(work: Callable[[], int]) -> int:
    """Run a whole command of a process: UTF-8 whatever the locale says, quiet when interrupted or not read on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = work()
        sys.stdout.flush()
        gc.freeze()  # what is left goes with the process; to look for circles in it takes 20 milliseconds
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered must not fail again at exit
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        _leave(_INTERRUPTED)
    return code


def _leave(code: int) -> NoReturn:
    """End without waiting for threads that still read; what they write is safe at any point."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
