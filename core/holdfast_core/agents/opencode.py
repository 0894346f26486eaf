"""OpenCode: a database of sessions in its data directory, and before 1.2 a tree of small JSON files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from holdfast_core.agents._opencode_agent import OpenCodeAgent
from holdfast_core.agents.base import Home


class OpenCode(OpenCodeAgent):
    """Reads both generations; a session that stands in both has the same id in both."""

    id = "opencode"
    name = "OpenCode"
    mark = "O"
    hue = 45
    program = "opencode"
    how_to_install = "https://opencode.ai/docs"
    folder = "opencode"
    database_patterns = ("opencode.db", "opencode-*.db")

    def roots(self, home: Home) -> list[Path]:
        usual = super().roots(home)
        named = _named(home)
        return usual if named is None or named.parent in usual else [*usual, named.parent]

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        return super().patterns_in(root) if root.name == self.folder else ()

    def _tops(self, home: Home) -> Iterator[tuple[str, list[tuple[re.Pattern[str], ...]]]]:
        yield from super()._tops(home)
        named = _named(home)
        if named is not None:
            yield str(named.parent), [(re.compile(re.escape(named.name) + r"\Z"),)]

    def is_database(self, path: str) -> bool:
        return not path.endswith(".json")


def _named(home: Home) -> Path | None:
    """Return the database that a variable names, which may stand anywhere."""
    named = home.environment.get("OPENCODE_DB", "")
    if not named or named.startswith(":"):
        return None
    return Path(home.environment.get("XDG_DATA_HOME") or home.path / ".local/share", "opencode", named)


AGENT = OpenCode()
