"""Start a program in a terminal that outlives us, in the very directory that was checked."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from holdfast_core.errors import HoldfastError

EARLY_SECONDS = 1.0
_STDERR_LIMIT_BYTES = 4_000
_IDENTITY = "stat -c %d:%i ." if sys.platform == "linux" else "stat -f %i ."

# A constant: directory, identity, the program's place and its arguments come as "$1", "$2", … and are never text of
# the script. A terminal may be a server that starts things from its own directory and environment, so the directory is
# entered here, and only what was checked will do. What fails stays on the screen, as the window closes with the script.
GUARD = f"""\
directory=$1 identity=$2 tools=$3
shift 3
trap : INT QUIT
if ! cd -- "$directory" || [ "$({_IDENTITY})" != "$identity" ]; then
    printf '%s\\n' 'This directory is no longer the one that Holdfast checked. Nothing was started.' 'Press Enter.'
    read -r _
    exit 1
fi
[ -z "$tools" ] || PATH="$PATH:$tools"
"$@"
status=$?
if [ "$status" -ne 0 ] && [ "$status" -ne 130 ]; then
    printf '\\nEnded with code %s. Press Enter.\\n' "$status"
    read -r _
fi
exit "$status"
"""


def guarded(argv: Sequence[str], *, directory: str, identity: tuple[int, int], tools: str) -> list[str]:
    """Return arguments that enter ``directory``, prove that it is the one with ``identity``, and run ``argv`` in it.

    ``tools`` is a directory to be searched for programs too: agents that are
    scripts need their interpreter, which lies beside them.
    """
    device, inode = identity
    expected = f"{device}:{inode}" if sys.platform == "linux" else str(inode)
    return ["/bin/sh", "-c", GUARD, "holdfast", directory, expected, tools, *argv]


def write_script(command: Sequence[str]) -> str:
    """Write a private script that runs ``command`` and removes itself; returns its path.

    For terminals that take nothing but a file. Every argument is quoted by one fixed rule.
    """
    directory = Path(tempfile.mkdtemp(prefix="holdfast-"))  # 0700
    path = directory / "continue.command"
    place, file = shlex.quote(str(directory)), shlex.quote(str(path))
    text = f"#!/bin/sh\nrm -f -- {file}\nrmdir -- {place}\nexec {shlex.join(command)}\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
    with os.fdopen(descriptor, "wb") as script:
        script.write(os.fsencode(text))
    return str(path)


def start_detached(
    command: Sequence[str], *, directory: str, environment: Mapping[str, str], early_seconds: float = EARLY_SECONDS
) -> None:
    """Start a program that goes on when we end, and see whether it fails at once.

    ``directory`` is a path, or a descriptor's name under ``/proc/self/fd``.

    Raises:
        HoldfastError: it cannot be started, or it ends within ``early_seconds`` with an error.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_CONSOLE", 0),
            )
        except OSError as error:
            raise HoldfastError("The terminal could not be started.", detail=f"{command[0]}: {error}") from error
        if not _ends_within(process, early_seconds):
            threading.Thread(target=process.wait, name="terminal", daemon=True).start()  # no zombie while we live
        elif process.returncode != 0:
            raise HoldfastError(
                "The terminal ended at once with an error. Choose another one, or copy the command.",
                detail=f"{command[0]} ended with {process.returncode}: {_tail(errors)}",
            )


def spawn_environment(environment: Mapping[str, str], directory: str) -> dict[str, str]:
    """Return the person's own variables, with the one that names the present directory put right."""
    kept = {name: value for name, value in environment.items() if name not in ("PWD", "OLDPWD")}
    return kept | {"PWD": directory}


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    if sys.platform == "linux":
        descriptor = os.pidfd_open(process.pid)
        try:
            select.select([descriptor], [], [], seconds)
        finally:
            os.close(descriptor)
        return process.poll() is not None
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _tail(errors: IO[bytes]) -> str:
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - _STDERR_LIMIT_BYTES))
    return errors.read().decode("utf-8", "replace")
