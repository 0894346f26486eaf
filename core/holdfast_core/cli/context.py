"""What every command is given: where to write, the library, the settings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from holdfast_core.export.json import encode
from holdfast_core.export.plain import plain_text
from holdfast_core.paths import Paths

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.settings import Settings, SettingsRead

_PIPE_WIDTH = 160


class Context:
    """One run of one command.

    Results go to ``out``, everything else to ``err``. The library and the
    settings are opened when a command first asks for them. ``exit_code`` is
    what the process ends with if the command raises nothing.
    """

    def __init__(
        self,
        *,
        out: TextIO,
        err: TextIO,
        paths: Paths,
        environment: Mapping[str, str] | None = None,
        agents_home: Path | None = None,
        overrides: Mapping[str, str] | None = None,
        library: Library | None = None,
        is_json: bool = False,
    ) -> None:
        self.out = out
        self.err = err
        self.paths = paths
        self.environment = os.environ if environment is None else environment
        self.agents_home = agents_home or Path.home()
        self.overrides = dict(overrides or {})
        self.is_json = is_json
        self.exit_code = 0
        self._given_library = library
        self._opened_library: Library | None = None

    @property
    def library(self) -> Library:
        """The library, opened on first use."""
        if self._given_library is not None:
            return self._given_library
        if self._opened_library is None:
            from holdfast_core.library import Library

            self._opened_library = Library.open(
                self.paths,
                agents_home=self.agents_home,
                environment=self.environment,
                settings=self.settings if self.has_settings else None,
            )
        return self._opened_library

    @property
    def is_embedded(self) -> bool:
        """Whether this runs within another face, which has the process and its streams for itself."""
        return self._given_library is not None

    @cached_property
    def settings_read(self) -> SettingsRead:
        """The settings with where each comes from; what the file says wrongly is told once, on ``err``."""
        from holdfast_core.settings import read_settings

        read = read_settings(self.paths, self.environment, self.overrides)
        for problem in read.problems:
            self.warn(problem)
        return read

    @property
    def settings(self) -> Settings:
        """The settings that count now."""
        return self.settings_read.settings

    @property
    def has_settings(self) -> bool:
        """Whether anything but defaults could count: reading them costs more than listing sessions does."""
        return (
            bool(self.overrides)
            or any(name.startswith("HOLDFAST_") and name != "HOLDFAST_HOME" for name in self.environment)
            or self.paths.settings.exists()
        )

    @property
    def log_level(self) -> str:
        """How much goes to the log."""
        return self.settings.log_level if self.has_settings else "info"

    def forget_settings(self) -> None:
        """Read the settings again when they are next asked for: they were changed."""
        self.__dict__.pop("settings_read", None)

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at the result as it comes."""
        return self.out.isatty()

    @property
    def width(self) -> int:
        """How many columns a line of the result may have."""
        return shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if self.is_terminal else _PIPE_WIDTH

    def print_json(self, value: Any) -> None:
        """Write the one JSON value of a result."""
        self.out.write(encode(value) + "\n")

    def print(self, text: str = "") -> None:
        """Write a line or more for people, harmless to their terminal."""
        self.out.write(plain_text(text) + "\n")

    def warn(self, text: str) -> None:
        """Tell a person something that is not the result."""
        self.err.write(f"holdfast: {plain_text(text)}\n")

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: Sequence[int]) -> None:
        """Write a table for people, as wide as there is room; ``flexible`` columns give way."""
        from holdfast_core.cli.table import render

        self.out.write(render(titles, rows, flexible=flexible, width=self.width))

    async def close(self) -> None:
        """Close what was opened here."""
        if self._opened_library is not None:
            await self._opened_library.close()
            self._opened_library = None
