"""Other programs that search sessions, measured on the same archive in the same run.

Each is installed into an environment of its own. They are asked only what
they can: what a program does not index it cannot find, and says so in `Peer.note`.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import venv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.costs import Cost, Latency, latency, run, summary, tree_bytes

PINNED = ["agentsview==0.46.1", "fast-resume==2.14.0"]
_START_SECONDS = 60


class Peer(ABC):
    """One other program with a directory of its own for what it makes of ``archive``."""

    name: str
    note: str

    def __init__(self, archive: Path, scratch: Path, programs: Path) -> None:
        self.archive = archive
        self.scratch = scratch
        self.programs = programs

    @abstractmethod
    def is_installed(self) -> bool:
        """Return whether it can be measured here."""

    @abstractmethod
    def cold(self) -> Cost | None:
        """Index everything from nothing; None if it keeps no index."""

    @abstractmethod
    def again(self) -> Cost | None:
        """Look again when nothing has changed."""

    @abstractmethod
    def stored_bytes(self) -> int:
        """Return the size of what it keeps."""

    @abstractmethod
    def searches(self, queries: dict[str, list[str]]) -> dict[str, Latency]:
        """Run the queries of every class that it can answer."""

    def environment(self) -> dict[str, str]:
        """Return an environment in which it sees the archive alone and reports to nobody."""
        quiet = {"HOME": str(self.scratch), "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
        return {**os.environ, **quiet}

    def clear(self) -> None:
        """Take away what it made."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)


class AgentsView(Peer):
    """A server with a SQLite index and a page in the browser."""

    name = "agentsview"
    note = "over HTTP; words search prose only, substring scans every field"

    def is_installed(self) -> bool:
        return self._program.exists()

    def cold(self) -> Cost:
        self.clear()
        return self.again()

    def again(self) -> Cost:
        return run([str(self._program), "sync"], self.environment())

    def stored_bytes(self) -> int:
        return tree_bytes(self.scratch / "data")

    def searches(self, queries: dict[str, list[str]]) -> dict[str, Latency]:
        with self._served() as connection:
            return {kind: summary(self._timed(connection, kind, texts)) for kind, texts in queries.items()}

    def environment(self) -> dict[str, str]:
        places = {
            "AGENTSVIEW_NO_DAEMON": "1",
            "AGENTSVIEW_DATA_DIR": str(self.scratch / "data"),
            "CLAUDE_PROJECTS_DIR": str(self.archive / ".claude" / "projects"),
            "CODEX_SESSIONS_DIR": str(self.archive / ".codex" / "sessions"),
        }
        return {**super().environment(), **places}

    @property
    def _program(self) -> Path:
        return self.programs / "bin" / "agentsview"

    def _timed(self, connection: http.client.HTTPConnection, kind: str, texts: list[str]) -> list[float]:
        if kind in ("substring", "rare in output"):
            addresses = [_address("/api/v1/search/content", pattern=text, mode="substring", limit=50) for text in texts]
        else:
            addresses = [_address("/api/v1/search", q=text, limit=50) for text in texts]
        _get(connection, addresses[0])
        return [seconds for address in addresses for seconds in latency(lambda a=address: _get(connection, a), times=3)]

    @contextmanager
    def _served(self) -> Iterator[http.client.HTTPConnection]:
        port = _free_port()
        command = [str(self._program), "serve", "--port", str(port), "--no-browser", "--no-sync", "--no-update-check"]
        with subprocess.Popen(
            command, env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                yield _connect(port)
            finally:
                server.terminate()


class FastResume(Peer):
    """A search for the terminal with a tantivy index of prompts and answers."""

    name = "fast-resume"
    note = "a process for each query; indexes prompts and answers only"

    def is_installed(self) -> bool:
        return self._program.exists()

    def cold(self) -> Cost:
        self.clear()
        for agent in (".claude", ".codex"):
            (self.scratch / agent).symlink_to(self.archive / agent)
        return run([str(self._program), "--rebuild", "--list", "--limit", "1"], self.environment())

    def again(self) -> Cost:
        return run([str(self._program), "--list", "--limit", "1"], self.environment())

    def stored_bytes(self) -> int:
        return tree_bytes(self.scratch / ".cache")

    def searches(self, queries: dict[str, list[str]]) -> dict[str, Latency]:
        command = [str(self._program), "--json", "--no-refresh", "--limit", "50"]
        able = {kind: texts for kind, texts in queries.items() if kind in ("rare", "middle", "common", "two common")}
        return {kind: _processes(command, texts, self.environment()) for kind, texts in able.items()}

    @property
    def _program(self) -> Path:
        return self.programs / "bin" / "fast-resume"


class Ripgrep(Peer):
    """No index at all: reads every file for every query."""

    name = "ripgrep"
    note = "a process for each query; finds text in the raw files"

    def is_installed(self) -> bool:
        return shutil.which("rg") is not None

    def cold(self) -> None:
        return None

    def again(self) -> None:
        return None

    def stored_bytes(self) -> int:
        return 0

    def searches(self, queries: dict[str, list[str]]) -> dict[str, Latency]:
        plain = {kind: [text.strip('"') for text in texts] for kind, texts in queries.items() if kind != "two common"}
        return {kind: self._scans(texts) for kind, texts in plain.items()}

    def _scans(self, texts: list[str]) -> Latency:
        command = ["rg", "--hidden", "--no-ignore", "--files-with-matches", "--fixed-strings", "--ignore-case"]
        folders = [str(self.archive / agent) for agent in (".claude", ".codex")]
        return _processes([*command, "--"], texts[:8], self.environment(), after=folders)


PEERS = (AgentsView, FastResume, Ripgrep)


def install(programs: Path) -> None:
    """Install the pinned peers into ``programs``, once."""
    if all((programs / "bin" / pin.partition("==")[0]).exists() for pin in PINNED):
        return
    print("Installing the programs to compare with …", file=sys.stderr, flush=True)
    venv.create(programs, with_pip=True)
    pip = [str(programs / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    for pin in PINNED:
        subprocess.run([*pip, pin], check=False)


def _processes(command: list[str], texts: list[str], environment: dict[str, str], after: Sequence[str] = ()) -> Latency:
    def ask(text: str) -> None:
        subprocess.run([*command, text, *after], env=environment, capture_output=True, check=False)

    return summary([seconds for text in texts for seconds in latency(lambda t=text: ask(t))])


def _address(path: str, **query: object) -> str:
    return f"{path}?{urllib.parse.urlencode(query)}"


def _get(connection: http.client.HTTPConnection, address: str) -> dict:
    connection.request("GET", address)
    response = connection.getresponse()
    body = response.read()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{address}: {response.status} {body[:200]!r}")
    return json.loads(body)


def _connect(port: int) -> http.client.HTTPConnection:
    """Return a connection to the server as soon as it answers."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            _get(connection, "/api/v1/sessions?limit=1")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return connection


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
