"""How long a very long session takes to open and to scroll, and what it costs in memory.

Prints wall and CPU time: on a machine that does other things, CPU time is the
one to compare. Run it with ``QT_QPA_PLATFORM=offscreen``.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.message import Block, Message, Role, Text, ToolCall, ToolResult
from holdfast_core.model.session import Session, SessionFacts
from holdfast_gui.theme import theme
from holdfast_gui.views.transcript.pane import TranscriptPane
from PySide6.QtWidgets import QApplication

WORDS = ("harbour", "tide", "keel", "rope", "mast", "anchor", "sail", "chart", "wind", "buoy", "pilot", "ebb", "quay")
CODE = """def moor(vessel: Vessel, *, lines: int = 4) -> Berth:
    \"\"\"Make a vessel fast and return where it lies.\"\"\"
    berth = harbour.free_berth(vessel.length)
    if berth is None:
        raise HarbourFull(vessel.name)
    for number in range(lines):
        berth.make_fast(vessel, line=number, slack=0.5)
    return berth
"""


def sentence(draw: random.Random, count: int) -> str:
    return " ".join(draw.choices(WORDS, k=count)).capitalize() + "."


def answer(draw: random.Random, number: int) -> str:
    head = f"## Step {number}\n\n{sentence(draw, 40)} See `harbour/berth.py` and **check** the [chart](https://example.org).\n"
    return f"{head}\n- {sentence(draw, 8)}\n- {sentence(draw, 9)}\n\n```python\n{CODE}```\n\n{sentence(draw, 60)}\n"


def messages(count: int) -> Iterator[Message]:
    draw = random.Random(1)
    for number in range(count):
        role: Role
        block: Block
        match number % 5:
            case 0:
                role, block = "user", Text(sentence(draw, draw.randrange(8, 60)))
            case 1 | 3:
                role, block = "assistant", Text(answer(draw, number))
            case 2:
                role, block = "assistant", ToolCall(f"c{number}", "shell", {"command": f"run {sentence(draw, 4)}"})
            case _:
                lines = "\n".join(sentence(draw, 9) for _ in range(draw.randrange(10, 110)))
                role, block = "tool", ToolResult(f"c{number - 2}", lines)
        yield Message(str(number), role, (block,), timestamp_ms=number * 1000)
    yield Message("big", "tool", (ToolResult("", "\n".join(f"{n:7} {sentence(draw, 12)}" for n in range(60_000))),))
    yield Message("wide", "assistant", (Text("x" * 2_000_000),))


def resident_megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def timed(label: str, action: Callable[[], object]) -> float:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{label:44} {wall * 1000:9.1f} ms wall {cpu * 1000:9.1f} ms CPU")
    return cpu


def frames(label: str, pane: TranscriptPane, distance: int, count: int) -> None:
    app = QApplication.instance()
    assert app is not None
    spent: list[float] = []
    for _ in range(count):
        start = time.process_time()
        pane.view.scroll_by(distance)
        pane.view.viewport().repaint()
        spent.append((time.process_time() - start) * 1000)
        app.processEvents()
    spent.sort()
    p95 = spent[int(len(spent) * 0.95)]
    print(f"{label:44} p50 {statistics.median(spent):6.2f}  p95 {p95:6.2f}  max {spent[-1]:7.2f} ms CPU a frame")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    app = QApplication([])
    theme().apply(app, mode="light")
    info = AgentInfo("x", "Agent", "A", 200, (), True, 1, True, False, None)
    session = Session(SessionFacts(agent="x", native_id="long"), tuple(messages(count)))
    size = sum(len(getattr(block, "text", "")) for message in session.messages for block in message.blocks)
    print(f"{len(session.messages):,} messages, {size / 1e6:.1f} MB of text")
    pane = TranscriptPane()
    pane.resize(870, 830)
    pane.show()
    app.processEvents()
    before = resident_megabytes()
    slices: list[float] = []

    def build_on() -> None:
        while not pane.view.model.is_built:
            start = time.process_time()
            app.processEvents()
            slices.append((time.process_time() - start) * 1000)

    first = timed("first frame", lambda: (pane.set_session(session, info), pane.view.viewport().repaint()))
    rest = timed("the rest, in slices", build_on)
    print(f"open in all {(first + rest) * 1000:.0f} ms CPU; longest slice {max(slices, default=0):.1f} ms")
    print(f"memory {resident_megabytes() - before:.1f} MB more")
    frames("scroll down by 120 px", pane, 120, 500)
    frames("scroll down by a page", pane, 790, 200)
    pane.view.scroll_to_message(count // 2)
    frames("scroll up by 120 px, from the middle", pane, -120, 500)
    timed("to the end", lambda: (pane.scroll_to_end(), pane.view.viewport().repaint()))
    timed("2 MB without a space", lambda: (pane.scroll_to_message(count + 1), pane.view.viewport().repaint()))
    timed("find a word, all slices", lambda: (pane.find("anchor"), wait_for(app, lambda: pane.view.finder.is_complete)))
    timed("next hit", lambda: (pane.find_next(), pane.view.viewport().repaint()))
    timed("show tools only", lambda: (pane.set_filter(["tools"]), pane.view.viewport().repaint()))
    pane.set_filter(())
    grown = Session(session.facts, (*session.messages, Message("new", "assistant", (Text("More."),))))
    timed("append one message", lambda: (pane.append(grown, count + 2), pane.view.viewport().repaint()))
    pane.resize(1100, 830)
    timed("another width", lambda: pane.view.viewport().repaint())
    print(f"memory {resident_megabytes() - before:.1f} MB more at the end")


def wait_for(app: QApplication, is_done: Callable[[], bool]) -> None:
    while not is_done():
        app.processEvents()


if __name__ == "__main__":
    main()
