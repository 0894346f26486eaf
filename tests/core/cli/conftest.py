from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.homes import FakeHome, a_dozen

REPOSITORY = Path(__file__).parents[3]
PACKAGES = os.pathsep.join(str(REPOSITORY / name) for name in ("core", "gui", "packaging"))


@dataclass
class Person:
    """Someone with a home, sessions in it, and a terminal to type in."""

    top: Path
    sessions: FakeHome
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bin = self.top / "bin"
        self.bin.mkdir()
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "PYTHONPATH": PACKAGES,
            "HOME": str(self.sessions.path),
            "HOLDFAST_HOME": str(self.top / "ours"),
            "LANG": "C.UTF-8",
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "holdfast", *arguments]

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        options = {"timeout": 60, "cwd": self.top, "env": self.environment, "stdin": subprocess.DEVNULL} | options
        return subprocess.run(self.command(*arguments), capture_output=True, encoding="utf-8", check=False, **options)

    def ok(self, *arguments: str, **options: Any) -> str:
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stderr if "--json" in arguments else "") == (0, ""), done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return msgspec.json.decode(self.ok(*arguments, "--json"))

    def install_agents(self) -> None:
        """Agents that say with what and where they were started."""
        for name in ("claude", "codex"):
            program = self.bin / name
            program.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@" "$PWD"\n')
            program.chmod(0o755)


def a_person(top: Path) -> Person:
    return Person(top, a_dozen(top / "home", datetime.now(UTC)))


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return a_person(tmp_path)


@pytest.fixture
def indexed(person: Person) -> Person:
    person.json("index", "update")
    return person


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """One that is shared by tests that only read."""
    person = a_person(tmp_path_factory.mktemp("reading"))
    person.json("index", "update")
    return person
