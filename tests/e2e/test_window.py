"""The whole path under a real display: list, search, read, resume, one instance, a clean end."""

import signal

import pytest

from tests.fakes.homes import Turn
from tests.fakes.waiting import wait_until

NEWEST = "Why does the nightly deploy time out?"
SECOND = "Migrate the session index to contentless tables"


def test_the_first_start_finds_reads_and_lists_the_newest_first(holdfast):
    holdfast.start()

    wait_until(lambda: holdfast.display.keys("Home") or NEWEST in holdfast.display.active_title())
    holdfast.display.keys("j")

    assert SECOND in holdfast.display.wait_for_title(SECOND)


def test_a_typed_query_leads_to_the_session_and_enter_resumes_it(holdfast):
    holdfast.index()
    holdfast.start()

    holdfast.display.keys("slash")
    holdfast.display.type("jitter")
    holdfast.display.keys("Return")
    holdfast.display.wait_for_title("Retry uploads")
    holdfast.display.keys("Return")
    resumed = wait_until(lambda: holdfast.records("claude"))

    native_id = next(id for id in holdfast.home.written if "retry" in holdfast.home.written[id].read_text()[:900])
    assert resumed[0]["cwd"] == str(holdfast.home.path / "code" / "kelp-api")
    assert resumed[0]["argv"] == ["--resume", native_id.partition(":")[2]]
    assert holdfast.records("xterm")[0]["argv"][0] == "-e"


def test_the_palette_opens_a_session_by_a_few_letters(holdfast):
    holdfast.index()
    holdfast.start()

    holdfast.display.keys("ctrl+k")
    holdfast.display.type("flaky tests")
    wait_until(lambda: holdfast.display.keys("Return") or "Summarise" in holdfast.display.active_title())

    assert "Summarise the flaky tests" in holdfast.display.active_title()


def test_a_second_start_hands_over_and_ends(holdfast):
    holdfast.index()
    holdfast.start()
    session = next(id for id in holdfast.home.written if id.startswith("codex:"))

    second = holdfast.start_again(f"holdfast:session/{session}")

    assert second.wait(20) == 0
    holdfast.display.wait_for_title(SECOND)


def test_what_an_agent_adds_appears_by_itself(holdfast):
    holdfast.index()
    holdfast.start()
    older = "Write the incident report for the outage"
    session = next(id for id, path in holdfast.home.written.items() if older in path.read_text())

    holdfast.home.append(session, Turn("One more thing.", "Of course."))
    wait_until(lambda: holdfast.display.keys("Home") or older in holdfast.display.active_title())

    assert older in holdfast.display.active_title()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_nothing_left(holdfast, number):
    holdfast.index()
    holdfast.start()
    wait_until(lambda: len(holdfast.family()) == 2, what="the window and its indexer")

    code = holdfast.stop(number)

    assert code == 0
    wait_until(lambda: not holdfast.family(), what="no process left")
    assert holdfast.output() == ""


def test_closing_the_window_ends_it_and_it_opens_as_it_was(holdfast):
    holdfast.index()
    holdfast.start()
    holdfast.display.keys("ctrl+b")

    holdfast.display.keys("alt+F4")
    code = holdfast.process.wait(20)
    wait_until(lambda: not holdfast.family())

    assert code == 0
    assert '"places":false' in _window_state(holdfast).replace(" ", "")


def test_the_indexer_does_not_outlive_a_killed_window(holdfast):
    holdfast.index()
    holdfast.start()
    wait_until(lambda: len(holdfast.family()) == 2)

    holdfast.stop(signal.SIGKILL)

    wait_until(lambda: not holdfast.family(), what="no process left")


def _window_state(holdfast) -> str:
    import base64
    import json

    memory = json.loads((holdfast.directory / "home" / "config" / "window.json").read_text())
    return base64.b64decode(memory["window"]).decode()
