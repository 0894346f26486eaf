"""What other programs of the desktop see: dragged files and the tray."""

import json
import sys
from pathlib import Path

from tests.e2e.desktop import ROOT
from tests.fakes.waiting import wait_until

NEWEST = "Why does the nightly deploy time out?"


def test_a_session_dragged_to_another_program_is_a_markdown_file(holdfast, tmp_path):
    display = holdfast.display
    holdfast.index()
    holdfast.start()
    wait_until(lambda: display.keys("Home") or NEWEST in display.active_title())
    record = tmp_path / "dropped.json"
    target = display.run(
        sys.executable, str(Path(__file__).with_name("drop_target.py")), str(record), PYTHONPATH=str(ROOT)
    )
    left, top, width, height = display.place_of("Drop target")
    over = (left + width // 2, top + height // 2)

    def drag() -> bool:
        display.mouse("mousemove", "400", "155", "mousedown", "1")
        for step in range(1, 9):
            x, y = 400 + (over[0] - 400) * step // 8, 155 + (over[1] - 155) * step // 8
            display.mouse("mousemove", str(x), str(y))
        display.mouse("mousemove", str(over[0] + 3), str(over[1] + 3), "mouseup", "1")
        return record.exists()

    wait_until(drag, what="something dropped")
    dropped = wait_until(lambda: record.read_text() and json.loads(record.read_text()))
    target.terminate()
    holdfast.stop()

    [(name, content)] = dropped["files"].items()
    assert name.startswith("Why does the nightly deploy time out") and name.endswith(".md")
    assert "pool.lock" in content
    assert dropped["text"].endswith(name)
    assert not (tmp_path / "home" / "cache" / "drag").exists()


def test_the_tray_offers_the_last_sessions_and_quit(holdfast):
    display = holdfast.display
    host = display.run(
        "trayer", "--edge", "top", "--align", "right", "--width", "20", "--height", "32", "--SetDockType", "true"
    )
    wait_until(lambda: "panel" in " ".join(display.titles()), what="the tray")
    holdfast.index()
    holdfast.start()

    def open_menu() -> bool:
        left, top, width, height = display.place_of("panel")
        display.mouse("mousemove", str(left + width - 12), str(top + height // 2), "click", "3")
        display.keys("Down", "Return")
        return bool(holdfast.records("claude"))

    resumed = wait_until(open_menu, what="a session resumed from the tray") and holdfast.records("claude")
    host.terminate()

    assert resumed[0]["cwd"].endswith("kelp-api")


def test_closed_to_the_tray_it_goes_on_and_a_second_start_brings_it_back(holdfast):
    display = holdfast.display
    host = display.run("trayer", "--edge", "top", "--align", "right", "--height", "32", "--SetDockType", "true")
    wait_until(lambda: "panel" in " ".join(display.titles()), what="the tray")
    holdfast.index()
    holdfast.start("--set", "close_to_tray=true")

    display.keys("alt+F4")
    wait_until(lambda: "Holdfast" not in display.titles(), what="no window")
    is_running = holdfast.process.poll() is None
    second = holdfast.start_again()

    assert is_running and second.wait(20) == 0
    display.activate("Holdfast")
    assert holdfast.stop() == 0
    host.terminate()
