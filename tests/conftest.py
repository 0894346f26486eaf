"""Rules that hold for every test."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes is no claim of a test: machines differ, and this one may be busy.
# What decides whether a change lands tries the same examples each time; everywhere else new ones are looked for.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")

# Must stand before anything imports Qt; a test that wants a real display starts its own process.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"
# No test asks this machine's own keyring; those of the keyring bring one along.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture(autouse=True)
def _collector_as_usual(request: pytest.FixtureRequest) -> None:
    """Let circles be collected by themselves again after a test of the window, once all that it left is gone."""
    if not gc.isenabled() and "gui" not in request.path.relative_to(request.config.rootpath).parts:
        gc.collect()
        gc.enable()


@pytest.fixture(autouse=True)
def _no_unexpected_warnings(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that made us log a warning; one that expects it looks at `caplog` and clears it."""
    yield
    unexpected = [
        f"{record.name}: {record.getMessage()}"
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING and record.name.startswith("holdfast")
    ]
    assert unexpected == []
