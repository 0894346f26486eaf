"""How long it takes from the start of the process to the first paint of the list with its rows.

    python benchmarks/first_paint.py [--runs 10] [--imports]

Needs an X display; without ``DISPLAY`` it starts Xvfb. The aim is a median of
at most 250 ms with a warm file cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

AIM_MS = 250
_CHILD = """
import sys, time
from holdfast_core.cli.start import parse_window
from holdfast_gui import app

paint = app.Program._paint

async def watched(program, front):
    from PySide6.QtCore import QEvent, QObject
    sessions = front.window.session_list

    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint and sessions.model.session_count:
                print(time.monotonic(), time.process_time(), flush=True)
                sessions.table.viewport().removeEventFilter(self)
                program.scope.stop.set()
            return False

    program.application.watch = Watch()
    sessions.table.viewport().installEventFilter(program.application.watch)
    await paint(program, front)

app.Program._paint = watched
sys.exit(app.main(parse_window(sys.argv[1:])))
"""


def main() -> int:
    """Measure, print, and return 1 if the aim was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--imports", action="store_true", help="print the slowest imports too")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-paint-")))
        environment = window_environment(stack, directory)
        arguments = _filled(directory)
        measure(arguments, environment)
        measured = [measure(arguments, environment) for _ in range(options.runs)]
        times = [wall for wall, _ in measured]
        _say("first paint with rows", times)
        _say("CPU until then", [cpu for _, cpu in measured])
        if options.imports:
            print(_imports(arguments, environment))
    return int(statistics.median(times) > AIM_MS)


def window_environment(stack: ExitStack, directory: Path) -> dict[str, str]:
    """Return the environment of a window on a display, as installed: compiled files are there after the first start."""
    environment = {**os.environ, "DISPLAY": open_display(stack), "QT_QPA_PLATFORM": "xcb"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(directory / "compiled")
    return environment


def open_display(stack: ExitStack) -> str:
    """Return the display there is, else that of an X server that ends with ``stack``."""
    if os.environ.get("DISPLAY"):
        return os.environ["DISPLAY"]
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    stack.callback(server.wait)
    stack.callback(server.terminate)
    with os.fdopen(reading) as pipe:
        return f":{pipe.readline().strip()}"


def _filled(directory: Path) -> list[str]:
    from tests.fakes.homes import a_dozen

    a_dozen(directory / "person", datetime.now(UTC))
    arguments = ["--home", str(directory / "home"), "--agents-home", str(directory / "person")]
    subprocess.run([sys.executable, "-m", "holdfast", *arguments, "index", "update"], check=True, capture_output=True)
    return arguments


def _say(what: str, times: list[float]) -> None:
    median = statistics.median(times)
    print(f"{what}: median {median:.0f} ms, best {min(times):.0f}, worst {max(times):.0f}")


def measure(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Start a window and return when its list was painted, and how much CPU it took until then, in milliseconds."""
    started = time.monotonic()
    command = [sys.executable, "-c", _CHILD, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    painted, cpu = map(float, done.stdout.split())
    return (painted - started) * 1000, cpu * 1000


def _imports(arguments: list[str], environment: dict[str, str], shown: int = 25) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", _CHILD, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [
        line for line in done.stderr.splitlines() if line.startswith("import time:") and line[12:21].strip().isdigit()
    ]
    return "\n".join(sorted(lines, key=lambda line: -int(line[12:21]))[:shown])


if __name__ == "__main__":
    sys.exit(main())
