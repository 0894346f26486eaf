import asyncio

from PySide6.QtCore import QTimer
from qasync import QEventLoop


async def test_a_coroutine_runs_on_the_loop_of_qt():
    fired = asyncio.Event()

    QTimer.singleShot(0, fired.set)

    await asyncio.wait_for(fired.wait(), 5)
    assert isinstance(asyncio.get_running_loop(), QEventLoop)
