"""Kills writers at random moments and looks at what is there afterwards (POSIX)."""

from __future__ import annotations

import os
import random
import select
import shutil
import time
from collections.abc import Sequence
from functools import partial

from tests.faults.children import Child
from tests.faults.programme import Report, fast_directory
from tests.faults.story import Writer, violations

_SAVES = 100_000


def every_kill(writers: Sequence[Writer], kills: int, *, seed: int = 20) -> Report:
    """Kill writers in turn, ``kills`` times in all, each at some moment of its work."""
    chance = random.Random(seed)
    report = Report()
    with fast_directory() as top:
        for writer in writers:
            (top / writer.name).mkdir()
            writer.prepare(top / writer.name)
        for number in range(kills):
            writer, root = writers[number % len(writers)], top / f"run{number}"
            shutil.copytree(top / writer.name, root, symlinks=True)
            reading, writing = os.pipe()
            child = Child(writer, root, saves=min(_SAVES, writer.most), before=partial(os.write, writing, b"!"))
            os.read(reading, 1)
            _pass(chance.uniform(0, writer.seconds))
            child.kill()
            story = child.wait()
            found = violations(writer, root, story)
            report.kept += story.lowest
            os.close(reading)
            os.close(writing)
            report.runs += 1
            report.broken += [f"{writer.name} kill {number}: {broken}" for broken in found]
            shutil.rmtree(root)
    return report


def _pass(seconds: float) -> None:
    """Let a moment pass that has nothing to do with what the child does in it."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        select.select([], [], [], left)
