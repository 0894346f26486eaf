"""What a database acknowledged is in it, whatever call of its file system fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.store.annotations import Annotations, editing, keep

from tests.faults.database import Calls, failing_database, recorded_database
from tests.faults.programme import every_power_cut, fast_directory
from tests.faults.story import Save, Writer

SAVES = 4


def keep_note(root: Path, number: int) -> None:
    """Write note ``number``."""
    keep(root / "annotations.db", ["claude_code:one"], editing({"note": str(number)}))


def read_note(root: Path) -> int:
    """Return the note that is there."""
    with Annotations.open(root / "annotations.db") as notes:
        return int(notes.get("claude_code:one").note or 0)


@pytest.mark.parametrize("persists", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("kind", ["io", "full"])
def test_notes_survive_every_failing_call(kind, persists: bool):
    broken, runs = every_call(keep_note, read_note, "annotations.db", kind=kind, persists=persists)

    assert broken == []
    assert runs > 20


class Notes(Writer):
    """What a person says of a session, recorded call by call."""

    saves = 4

    def prepare(self, root: Path) -> None:
        keep_note(root, 0)

    def open(self, root: Path) -> Save:
        def save(number: int) -> None:
            with recorded_database():
                keep_note(root, number)

        return save

    def read(self, root: Path) -> int | None:
        return read_note(root)


def test_no_power_cut_takes_a_note_that_was_acknowledged():
    report = every_power_cut(Notes())

    assert report.broken == []
    assert report.runs > 100


def every_call(
    save: Callable[[Path, int], None], read: Callable[[Path], int], file: str, *, kind, persists: bool
) -> tuple[list[str], int]:
    """Fail each call in turn and return what was lost, and how many runs there were."""
    broken = []
    measured = Calls()
    with fast_directory() as root:
        _work(root, measured, save)
    for at in range(1, measured.count + 1):
        with fast_directory() as root:
            kept, tried = _work(root, Calls(at, kind, persists), save)
            found = read(root)
            if not kept <= found <= tried:
                broken.append(f"{measured.names[at - 1]}#{at}: {kept} was acknowledged, {found} is there")
            with_checks = apsw.Connection(str(root / file))
            if (verdict := with_checks.pragma("integrity_check")) != "ok":
                broken.append(f"{measured.names[at - 1]}#{at}: {verdict}")
            with_checks.close()
    return broken, measured.count


def _work(root: Path, calls: Calls, save: Callable[[Path, int], None]) -> tuple[int, int]:
    """Save a few times and return the last number that was acknowledged and the last that was tried."""
    kept = 0
    with failing_database(calls):
        for number in range(1, SAVES + 1):
            try:
                save(root, number)
            except (HoldfastError, apsw.Error):
                continue
            kept = number
    return kept, SAVES
