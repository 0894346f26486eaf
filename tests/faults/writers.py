"""Every writer of durable things that Holdfast has, as the fault programme sees it."""

from __future__ import annotations

from pathlib import Path

from holdfast_core import export
from holdfast_core.atomic import remove_stale, write_file
from holdfast_core.paths import Paths, find_paths
from holdfast_core.settings import change_setting, read_settings, reset_settings

from tests.faults.held_writers import HELD_WRITERS
from tests.faults.keeping_writers import KEEPING_WRITERS
from tests.faults.seeded import decoded, encoded
from tests.faults.story import Save, Writer
from tests.faults.vault_writers import VAULT_WRITERS


class WholeFile(Writer):
    """A file that is replaced whole, its former content kept."""

    def prepare(self, root: Path) -> None:
        write_file(root / "saved", [encoded(0)])

    def open(self, root: Path) -> Save:
        def save(number: int) -> None:
            data = encoded(number)
            write_file(root / "saved", [data[:1000], data[1000:]], backup=root / "saved.bak")

        return save

    def read(self, root: Path) -> int | None:
        remove_stale(root)
        return decoded((root / "saved").read_bytes())

    def former(self, root: Path) -> int | None:
        path = root / "saved.bak"
        return decoded(path.read_bytes()) if path.exists() else None


class NewFile(Writer):
    """Files that must not replace another: each save is a file of its own."""

    def prepare(self, root: Path) -> None:
        pass

    def open(self, root: Path) -> Save:
        return lambda number: _discard(write_file(root / f"{number}", [encoded(number)], overwrite=False))

    def read(self, root: Path) -> int | None:
        remove_stale(root)
        found = [decoded(path.read_bytes()) for path in root.iterdir()]
        return None if None in found else max((number for number in found if number is not None), default=0)


class SettingsFile(Writer):
    """The settings file, edited under its lock."""

    def prepare(self, root: Path) -> None:
        paths_below(root).create()
        change_setting(paths_below(root), "tray_sessions", 0)

    def open(self, root: Path) -> Save:
        return lambda number: change_setting(paths_below(root), "tray_sessions", number)

    def read(self, root: Path) -> int | None:
        read = read_settings(paths_below(root), {})
        reset_settings(paths_below(root), ())  # the next change takes away what a killed one left
        return None if read.problems else read.settings.tray_sessions


class Export(Writer):
    """A file that a person exports over an earlier one."""

    def prepare(self, root: Path) -> None:
        self.open(root)(0)

    def open(self, root: Path) -> Save:
        return lambda number: _discard(
            export.write(root / "out.md", iter((f"{number}\n", "text\n" * 900)), overwrite=True)
        )

    def read(self, root: Path) -> int | None:
        remove_stale(root)
        lines = (root / "out.md").read_text().splitlines()
        return int(lines[0]) if lines[1:] == ["text"] * 900 else None


def paths_below(root: Path) -> Paths:
    """Return where everything of a person lies whose home is below ``root``."""
    return find_paths(root / "home", {})


def _discard(_result: object) -> None:
    """Return nothing: a save has no result."""


WRITERS: tuple[type[Writer], ...] = (
    WholeFile,
    NewFile,
    SettingsFile,
    Export,
    *HELD_WRITERS,
    *KEEPING_WRITERS,
    *VAULT_WRITERS,
)
