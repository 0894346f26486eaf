"""A display for all tests of this folder, and Holdfast on it for each of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.desktop import Display, Running, install
from tests.fakes.homes import a_dozen


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    """One X server with a window manager."""
    started = Display.start()
    yield started
    started.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the screen beside what a failed test wrote."""
    report = yield
    running = getattr(item, "funcargs", {}).get("holdfast")
    if report.when == "call" and report.failed and isinstance(running, Running):
        picture = running.display.shot(running.directory / "failed.png")
        report.sections.append(("Screen", str(picture)))
    return report


@pytest.fixture
def holdfast(display: Display, tmp_path: Path) -> Iterator[Running]:
    """Holdfast over a home with a dozen sessions, not started yet."""
    running = Running(display, a_dozen(tmp_path / "person", datetime.now(UTC)), tmp_path)
    install(running.programs, ("xterm", "claude", "codex"), directory_of_records=tmp_path)
    yield running
    running.close()
