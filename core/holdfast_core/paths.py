"""Where Holdfast keeps its own files, and how it starts itself."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

APP = "holdfast"

_NO_TEXT = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile("\0([0-9a-f]{4})")


@dataclass(frozen=True, slots=True)
class Paths:
    """Our directories, none of which need exist yet."""

    data: Path
    config: Path
    cache: Path
    log: Path

    @property
    def index(self) -> Path:
        """The index: derived, disposable, rebuilt when it is gone."""
        return self.cache / "index"

    @property
    def annotations(self) -> Path:
        """What the person said of sessions: names, stars, tags, notes."""
        return self.data / "annotations.db"

    @property
    def sessions(self) -> Path:
        """The held sessions, where no setting says otherwise; with their backups, trash and manifest."""
        return self.data / "sessions"

    @property
    def vault(self) -> Path:
        """Every version of every agent's session, where no setting says otherwise."""
        return self.data / "vault"

    @property
    def repositories(self) -> Path:
        """What the repositories of sessions' projects are known by, should one move."""
        return self.data / "projects.json"

    @property
    def keys(self) -> Path:
        """The keys by which held sessions are signed and encrypted."""
        return self.data / "keys"

    @property
    def audit(self) -> Path:
        """The audit log, where no setting says otherwise."""
        return self.data / "audit.log"

    @property
    def metrics(self) -> Path:
        """The timings of the last process that measured any."""
        return self.cache / "metrics.json"

    @property
    def agents_seen(self) -> Path:
        """How many sessions each agent had when it last had any."""
        return self.cache / "agents.json"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.config / "settings.toml"

    def create(self) -> None:
        """Make our directories, readable by this person alone."""
        for directory in (self.data, self.config, self.cache, self.log):
            make_private(directory)


def make_private(directory: Path) -> None:
    """Make a directory and those above it that are not there, readable by this person alone.

    Raises:
        OSError: one cannot be made, or something else has its name.
    """
    try:
        directory.mkdir(mode=0o700)  # with ``parents`` those above would get whatever the umask leaves
    except FileNotFoundError:
        if directory.parent == directory:
            raise
        make_private(directory.parent)
        make_private(directory)
    except OSError:
        if not directory.is_dir():
            raise


def find_paths(home: str | os.PathLike[str] | None = None, environment: Mapping[str, str] | None = None) -> Paths:
    """Return our directories: below ``home``, else ``HOLDFAST_HOME``, else the platform's own places."""
    environment = os.environ if environment is None else environment
    top = home or environment.get("HOLDFAST_HOME")
    if top:
        root = Path(top).expanduser().absolute()
        return Paths(root / "data", root / "config", root / "cache", root / "log")
    import platformdirs

    return Paths(
        platformdirs.user_data_path(APP, appauthor=False),
        platformdirs.user_config_path(APP, appauthor=False),
        platformdirs.user_cache_path(APP, appauthor=False),
        platformdirs.user_log_path(APP, appauthor=False),
    )


def chosen_place(text: str, usual: Path) -> Path:
    """Return the place that a setting names, or the usual one if it is empty."""
    return Path(text).expanduser() if text else usual


def self_command() -> list[str]:
    """Return the arguments that start Holdfast again: a bundle's own binary, or this interpreter."""
    executable = Path(sys.executable)
    if executable.stem.lower().startswith("python"):
        return [sys.executable, "-m", APP]
    return [sys.executable]


def path_text(path: str) -> str:
    """Return a path as text that every store takes, also where its bytes are none; `text_path` undoes it.

    What is below a directory stays below it: a name never holds the NUL by which such bytes are escaped.
    """
    return path if path.isascii() else _NO_TEXT.sub(lambda found: f"\0{ord(found[0]):04x}", path)


def text_path(text: str) -> str:
    """Return the path that `path_text` made a text of."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\0" in text else text


def database_name(path: Path) -> str:
    """Return a path as SQLite is told it: as a URI where its bytes are no text, so the flag for URIs must be set."""
    name = str(path)
    return name if _NO_TEXT.search(name) is None else path.absolute().as_uri()
