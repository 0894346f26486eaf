import threading

from holdfast_core.model.changes import ChangeSet, ScanProgress
from holdfast_core.observe import Observers
from holdfast_gui.bridge import Bridge
from PySide6.QtCore import QThread

from tests.fakes.waiting import until


class Observed:
    def __init__(self):
        self.changes = Observers()
        self.progress = Observers()
        self.reports = Observers()
        self.failures = Observers()


async def test_changes_that_come_together_are_told_in_one():
    observed = Observed()
    bridge = Bridge(observed)
    told = []
    bridge.changed.connect(told.append)

    observed.changes.notify(ChangeSet(added=("a",)))
    observed.changes.notify(ChangeSet(changed=("b",)))
    await until(lambda: told)

    assert told == [ChangeSet(added=("a",), changed=("b",))]


async def test_what_another_thread_tells_arrives_in_the_window_s():
    observed = Observed()
    bridge = Bridge(observed)
    threads = []
    bridge.progressed.connect(lambda _progress: threads.append(QThread.currentThread()))

    thread = threading.Thread(target=observed.progress.notify, args=(ScanProgress(1, 2, 3, 4),))
    thread.start()
    thread.join()
    await until(lambda: threads)

    assert threads == [bridge.thread()]


async def test_a_closed_bridge_hears_nothing():
    observed = Observed()
    bridge = Bridge(observed)

    bridge.close()

    assert (observed.changes._listeners, observed.progress._listeners) == ([], [])
