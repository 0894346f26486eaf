"""A held session through a crash of the window: begun, killed, recovered, deleted, put back; on a real display."""

import json
import signal

from tests.fakes.waiting import wait_until

TITLE = "Plan the move"


def states(holdfast) -> dict[str, str]:
    """Return what another program sees of our sessions."""
    listed = json.loads(holdfast.command("sessions", "filter", "is:held", "--json"))
    return {entry["title"]: entry["state"] for entry in listed}


def trash(holdfast) -> list[str]:
    listed = json.loads(holdfast.command("sessions", "trash", "--json"))
    return [entry["title"] for entry in listed]


def choose(holdfast, action: str) -> None:
    """Choose an action in the palette."""
    holdfast.display.keys("ctrl+k")
    holdfast.display.type(action)
    holdfast.display.keys("Return")


def test_a_live_session_survives_the_kill_of_its_window_and_goes_through_the_trash(holdfast):
    holdfast.index()
    holdfast.start()
    display = holdfast.display
    display.keys("ctrl+n")
    display.wait_for_title("New held session")
    display.type(TITLE)
    display.keys("Return")
    display.wait_for_title(TITLE)
    wait_until(lambda: states(holdfast) == {TITLE: "live"}, what="the session is live on the disk")

    holdfast.stop(signal.SIGKILL)
    wait_until(lambda: not holdfast.family(), what="nothing is left of the first window")
    holdfast.start()
    # The page of what was cut off has the keyboard, and its first button recovers.
    wait_until(lambda: display.keys("Return") or states(holdfast) == {TITLE: "closed"}, what="recovered")

    display.keys("Escape")
    display.keys("slash")
    display.type("is:held")
    display.keys("Return")
    display.wait_for_title(TITLE)
    display.keys("Delete")
    display.wait_for_title("Move 1 session")
    display.keys("Tab", "space")
    wait_until(lambda: trash(holdfast) == [TITLE], what="in the trash")
    assert states(holdfast) == {}

    choose(holdfast, "Trash")
    wait_until(lambda: display.keys("Home", "Return") or trash(holdfast) == [], what="put back")
    assert states(holdfast) == {TITLE: "closed"}
    assert holdfast.stop() == 0
    assert "Traceback" not in holdfast.output()
