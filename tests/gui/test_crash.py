import asyncio
import logging
import sys
import threading
from pathlib import Path

from holdfast_core.errors import NotFound
from holdfast_gui.crash import Reporter, describe
from PySide6.QtCore import QObject, Signal, qWarning

from tests.fakes.waiting import until


async def test_a_programming_error_is_logged_under_the_code_that_the_person_sees(caplog):
    reporter = Reporter()
    told = []
    reporter.happened.connect(told.append)

    reporter.report("a test", ValueError("boom"))
    await until(lambda: told)

    assert told[0].is_bug and told[0].code in caplog.text and "boom" in caplog.text
    caplog.clear()


async def test_a_friendly_error_is_told_in_its_own_words(caplog):
    incident = describe(NotFound("There is no such session.", detail="id 17"))

    assert (incident.message, incident.is_bug) == (f"There is no such session. ({incident.code})", False)
    assert "id 17" in incident.details and incident.code in caplog.text
    caplog.clear()


async def test_details_name_no_home_directory(caplog):
    home = str(Path.home())

    incident = describe(OSError(f"cannot open {home}/secret.txt"))

    assert f"{home}/" not in incident.report and "~/secret.txt" in incident.report
    caplog.clear()


async def test_the_end_of_a_task_is_no_failure():
    reporter = Reporter()
    told = []
    reporter.happened.connect(told.append)

    reporter.report("a test", asyncio.CancelledError())
    await asyncio.sleep(0)

    assert told == []


class Source(QObject):
    fired = Signal()


async def test_exceptions_of_slots_and_threads_arrive(caplog):
    reporter = Reporter()
    told = []
    reporter.happened.connect(told.append)
    source = Source()

    def fail():
        raise ValueError("in a slot")

    def fail_elsewhere():
        raise ValueError("in a thread")

    source.fired.connect(fail)
    before = sys.excepthook, threading.excepthook
    with reporter.installed():
        source.fired.emit()
        thread = threading.Thread(target=fail_elsewhere, name="worker")
        thread.start()
        thread.join()
        await until(lambda: len(told) == 2)

    assert ["in a slot" in incident.details for incident in told] == [True, False]
    assert (sys.excepthook, threading.excepthook) == before
    caplog.clear()


async def test_messages_of_qt_go_to_the_log(caplog):
    with Reporter().installed():
        qWarning("a widget complains")

    assert ("holdfast_gui.qt", logging.WARNING, "default: a widget complains") in caplog.record_tuples
    caplog.clear()
