"""Every test of the window: coroutines run on Qt's own loop, and a Qt warning is a failure."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from holdfast_gui.actions.desktop import Application
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop


def _qt_loop() -> asyncio.AbstractEventLoop:
    application = QApplication.instance() or Application()
    application.setQuitOnLastWindowClosed(False)
    return QEventLoop(application)


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    """Let tests without a loop have our application object, too."""
    return Application


@pytest.fixture(autouse=True)
def _collected_in_the_window_s_thread() -> Iterator[None]:
    """Collect circles here alone, as the application does: widgets that go in another thread take the process along."""
    gc.disable()
    yield
    gc.collect(1)  # all of them before the first test without a window, see tests/conftest.py


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run ``async def`` tests as the application runs: by Qt."""
    return {"qt": _qt_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let unexpected Qt messages fail the test that caused them."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            # Said by the offscreen platform of windows, menus and trays; nothing of ours.
            unsupported = ("propagateSizeHints", "systemTrayWindowChanged", r"does not support (raise|grabbing)")
            item.add_marker(pytest.mark.qt_log_ignore(*unsupported))
