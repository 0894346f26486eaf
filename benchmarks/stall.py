"""How late the window's timers come while a large archive is indexed behind it: nothing may block it for long.

    python -m benchmarks.stall [--megabytes 1000]

A timer of 10 ms runs in the window; how much later than that it fires is how
long the window did not answer. The aim is 50 ms. The same probe in an empty
process tells how much of it is the machine's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.corpus import Shape, make_corpus
from benchmarks.first_paint import ROOT, open_display

AIM_MS = 50
_PROBE = """
import sys, time
from PySide6.QtCore import Qt, QTimer
begun = time.monotonic()
last = begun
late = []
def tick():
    global last
    now = time.monotonic()
    late.append(((now - last) * 1000 - 10, last - begun))
    last = now
def report(what):
    late.sort()
    shares = [round(late[max(0, int(len(late) * share) - 1)][0], 1) for share in (.5, .99, .999, 1)]
    worst = ", ".join(f"{ms:.0f} ms at {at:.1f} s" for ms, at in late[:-6:-1])
    print(f"{what}: {len(late)} ticks; worst: {worst};", *shares, flush=True)
def start(owner):
    global timer, last
    timer = QTimer(owner, interval=10, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    last = time.monotonic()
    timer.start()
"""
_WINDOW = """
from holdfast_core.cli.start import parse_window
from holdfast_gui import app
import holdfast_gui.app.wires as wires
connect = wires.connect
def watched(parts, application, *rest):
    connect(parts, application, *rest)
    start(application)
    def done(progress):
        if progress.is_done:
            report("window")
            parts.context.start_stopping()
    parts.bridge.progressed.connect(done)
wires.connect = watched
sys.exit(app.main(parse_window(sys.argv[1:])))
"""
_EMPTY = """
from PySide6.QtWidgets import QApplication
application = QApplication([])
start(application)
QTimer.singleShot(10_000, lambda: (report("empty process"), application.quit()))
application.exec()
"""


def main() -> int:
    """Measure, print, and return 1 if the aim was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    options = parser.parse_args()
    shape = Shape(sessions=options.megabytes * 3, megabytes=options.megabytes, records=options.megabytes * 530)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-stall-")))
        environment = {**os.environ, "DISPLAY": open_display(stack), "QT_QPA_PLATFORM": "xcb"}
        person, _ = make_corpus(directory, shape)
        print(f"{options.megabytes} MB of sessions; late by (ms): median, 99 %, 99.9 %, worst")
        arguments = ["--home", str(directory / "home"), "--agents-home", str(person)]
        window = _run(_WINDOW, arguments, environment)
        _run(_EMPTY, [], environment)
    return int(float(window.split()[-1]) > AIM_MS)


def _run(code: str, arguments: list[str], environment: dict[str, str]) -> str:
    started = time.monotonic()
    command = [sys.executable, "-c", _PROBE + code, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=3600)
    print(f"{done.stdout.strip()}   ({time.monotonic() - started:.0f} s)")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
