"""A small machine for resuming: a home, a directory of programs, agents and terminals that write down what they see."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast_core.agents.base import Agent, Home, ResumeCommand, ResumeTarget, safe_id
from holdfast_core.model.session import SessionEntry

from tests.core.export.sessions import entry_of, said, session_of
from tests.fakes.waiting import wait_until

# Written by a program of its own, as a shell would be one more thing that could change an argument.
_AGENT = """#!{python}
import json, os, sys
seen = {{"argv": sys.argv[1:], "cwd": os.getcwd(), "pwd": os.environ.get("PWD"), "path": os.environ.get("PATH")}}
with open({record!r} + ".tmp", "w") as file:
    json.dump(seen, file)
os.rename({record!r} + ".tmp", {record!r})
sys.exit({code})
"""

# Like a terminal that is a server: what it starts has its own directory and next to no environment.
_TERMINAL = """#!{python}
import json, os, sys
arguments = sys.argv[1:]
with open({record!r}, "w") as file:
    json.dump({{"argv": arguments, "cwd": os.getcwd()}}, file)
if {name!r} == "tmux":
    arguments = [part[:-2] + ";" if part.endswith("\\\\;") else part for part in arguments]
command = [arguments[-1]] if arguments[-1].endswith(".command") else arguments[arguments.index("/bin/sh"):]
os.chdir("/")
os.setsid() if os.getpid() != os.getsid(0) else None
os.execve(command[0], command, {{"PATH": "/usr/bin:/bin", "PWD": "/", "HOME": "/nonexistent"}})
"""


class FakeAgent(Agent):
    """An agent whose program is called ``fake-agent`` and takes the id and any more arguments."""

    id = "one_agent"
    name = "Fake Agent"
    mark = "F"
    hue = 10
    program = "fake-agent"
    how_to_install = "Run: fetch fake-agent."
    more: tuple[str, ...] = ()

    def roots(self, home: Home) -> list[Path]:
        return []

    def discover(self, home: Home) -> Any:
        return iter(())

    def read(self, ref: Any, home: Home, *, checkpoint: Any = None) -> Any:
        raise AssertionError("nothing is read to resume")

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        argv = (self.program, f"--resume={safe_id(facts.native_id)}", *(["--fork"] if fork else []), *self.more)
        return ResumeCommand(argv, needs_project=True)


@dataclass
class World:
    """Everything is below ``top``; ``home`` is what `holdfast_core.resume` is given."""

    top: Path
    agent: FakeAgent = field(default_factory=FakeAgent)

    def __post_init__(self) -> None:
        self.bin = self.top / "bin"
        self.user = self.top / "user"
        self.project = self.top / "code" / 'we ird\' "$(touch PWN)" ;dir;'
        self.source = self.top / "session.jsonl"
        self.source.write_text("")
        for directory in (self.bin, self.user, self.project):
            directory.mkdir(parents=True)
        self.environment = {"PATH": f"{self.bin}:/usr/bin:/bin", "DISPLAY": ":99"}
        self.write_agent()

    @property
    def home(self) -> Home:
        return Home(self.user, self.environment)

    @property
    def agent_record(self) -> Path:
        return self.top / "agent.json"

    def write_agent(self, *, name: str = "fake-agent", code: int = 0, directory: Path | None = None) -> Path:
        text = _AGENT.format(python=sys.executable, record=str(self.agent_record), code=code)
        return _program((directory or self.bin) / name, text)

    def write_terminal(self, name: str) -> Path:
        record = str(self.top / f"{name}.json")
        return _program(self.bin / name, _TERMINAL.format(python=sys.executable, record=record, name=name))

    def terminal_saw(self, name: str) -> dict[str, Any]:
        return json.loads((self.top / f"{name}.json").read_text())

    def agent_saw(self) -> dict[str, Any]:
        wait_until(self.agent_record.exists)
        return json.loads(self.agent_record.read_text())

    def entry(self, **changed: Any) -> SessionEntry:
        changed = {"project_path": str(self.project), "source_path": str(self.source), **changed}
        return entry_of(session_of(said("x")), **changed)

    def traces_of_a_shell(self) -> list[str]:
        return [name for _, directories, files in os.walk(self.top) for name in directories + files if name == "PWN"]


def _program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path
