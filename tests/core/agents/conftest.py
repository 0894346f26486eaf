"""What holds for all tests of readers: one time zone, as some agents write moments without any."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    _take_up()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    _take_up()


def _take_up() -> None:
    if hasattr(time, "tzset"):
        time.tzset()
