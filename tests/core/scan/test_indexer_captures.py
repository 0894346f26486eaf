"""The indexer captures what it reads, tells how that goes, and follows the settings of the vault while it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from holdfast_core.agents.base import Home
from holdfast_core.index.reader import IndexReader
from holdfast_core.model.query import parse
from holdfast_core.scan.process import first_line
from holdfast_core.scan.protocol import Capture, Captures, Failed, Rescan, Unlock
from holdfast_core.sealed.keys import Keys
from holdfast_core.settings import Settings
from holdfast_core.vault.looks import Looks

from tests.core.scan.answers import NOW
from tests.core.scan.test_indexer import Window
from tests.fakes.agent import append, write_session


class Capturer(Window):
    """A window whose indexer has a vault."""

    def __init__(self, top: Path, **how: object) -> None:
        super().__init__(top, capture=Capture(**{"reserve_bytes": 0} | how))

    @property
    def captures(self) -> list[Captures]:
        return [event for event in self.events if isinstance(event, Captures)]

    def captured(self) -> set[str]:
        with closing(Looks(self.paths.vault, _no_vault)) as looks:
            return {Path(look.path).name for look in looks.of("fake").values()}

    def listed(self) -> dict[str, tuple[int, str, int]]:
        with closing(IndexReader.open(self.paths.index)) as reader:
            found = reader.entries(reader.keys(parse("", now=NOW)))
        return {one.id: (one.message_count, one.state, one.lost_messages) for one in found}


def _no_vault() -> object:
    raise AssertionError("the catalogue is there")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Capturer]:
    window = Capturer(tmp_path)
    write_session(window.home, "one", "apple", "pear")
    window.process.start()
    await window.until_reported()
    yield window
    await window.process.close()


async def test_what_is_read_is_captured_and_told(window: Capturer) -> None:
    await window.until(lambda: window.captures == [Captures(captured=1, waiting=0)])

    append(write_session(window.home, "two", "plum"), "kiwi")

    await window.until(lambda: window.captures[-1].captured >= 2)
    assert window.captured() == {"one.jsonl", "two.jsonl"}
    assert Keys.open(window.paths.keys, may_create=False).is_unlocked


async def test_a_deleted_session_stays_in_the_list_of_a_running_window(window: Capturer) -> None:
    (path,) = window.home.rglob("*.jsonl")

    path.unlink()

    await window.until(lambda: window.changed("fake:one", "changed"))
    assert window.listed() == {"fake:one": (2, "lost", 2)}
    assert not any(isinstance(event, Failed) for event in window.events)


async def test_settings_of_the_vault_count_at_once(window: Capturer) -> None:
    window.process.send(Capture(reserve_bytes=0, is_enabled=False))
    path = write_session(window.home, "two", "plum")
    await window.until(lambda: window.changed("fake:two", "added"))

    assert window.captured() == {"one.jsonl"}
    window.process.send(Capture(reserve_bytes=0))
    await window.until(lambda: window.captures[-1].captured >= 1 and len(window.captures) > 1)
    assert window.captured() == {"one.jsonl", path.name}


async def test_an_encrypted_vault_waits_for_the_passphrase(tmp_path: Path) -> None:
    window = Capturer(tmp_path, is_encrypted=True)
    Keys.open(window.paths.keys).set_passphrase("a long passphrase")
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()
    assert (window.listed(), window.captures[-1].is_locked) == ({"fake:one": (1, "closed", 0)}, True)

    window.process.send(Unlock("a long passphrase"))

    await window.until(lambda: window.captures[-1] == Captures(captured=1, waiting=0))
    await window.process.close()


async def test_without_space_it_is_told_and_the_list_goes_on(tmp_path: Path) -> None:
    window = Capturer(tmp_path, reserve_bytes=1 << 60)
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()
    window.process.send(Rescan())
    await window.until_reported(2)

    assert window.captures == [Captures(captured=0, waiting=1, is_out_of_space=True)]
    assert window.listed() == {"fake:one": (1, "closed", 0)}
    await window.process.close()


def test_the_settings_say_how_to_capture(tmp_path: Path) -> None:
    window = Window(tmp_path)
    chosen = {"vault_left_out": ["agent:aider"], "vault_reserve_mb": 5, "vault_database_minutes": 9}
    settings = Settings.model_validate(chosen | {"vault_encrypted": True, "vault_directory": str(tmp_path / "here")})

    first = first_line(window.paths, Home(window.home, {}), settings)

    assert first.capture == Capture(
        directory=str(tmp_path / "here"),
        left_out=("agent:aider",),
        reserve_bytes=5_000_000,
        is_encrypted=True,
        database_minutes=9,
    )
