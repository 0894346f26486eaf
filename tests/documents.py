"""Writes the pages that follow from the code: `python3 dev.py documents`. A test compares them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from holdfast_core import settings
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, ResumeTarget
from holdfast_core.errors import Refused

ROOT: Final = Path(__file__).parents[1]
_HOME: Final = Path("/home/you")
_ROOTS: Final = 3
_MARKS: Final = ("<!-- agents: written by `dev.py documents` -->", "<!-- /agents -->")
_HEAD: Final = """# Agents

<!-- Written by `python3 dev.py documents`; a test compares. -->

What Holdfast looks for in your home, and in each of the `extra_homes` of the [settings](settings.md). Sessions of
another home are listed and searched; they continue where they were made. `holdfast agents` says what is here.

A place that a variable names is looked at first. *Deletes* is what the agent does by itself unless its own settings
say otherwise: a copy that you keep here stays.

| agent | id | places | variables | continues with | deletes |
|---|---|---|---|---|---|
"""


class _Asked(Mapping[str, str]):
    """An environment in which nothing is set; it knows what it was asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def pages() -> dict[Path, str]:
    """Return every page that follows from the code, by its file."""
    readme = ROOT / "README.md"
    return {
        ROOT / "docs" / "settings.md": settings.document(),
        ROOT / "docs" / "agents.md": _HEAD + "".join(map(_row, all_agents().values())),
        readme: _with_agents(readme.read_text("utf-8")),
    }


def main() -> int:
    """Write the pages."""
    for path, content in pages().items():
        path.write_text(content, "utf-8")
    return 0


def _with_agents(readme: str) -> str:
    before, mark, rest = readme.partition(_MARKS[0])
    assert mark, "README.md has no place for the agents"
    names = sorted((agent.name for agent in all_agents().values()), key=str.casefold)
    return f"{before}{_MARKS[0]}\n{', '.join(names)}.\n{_MARKS[1]}{rest.partition(_MARKS[1])[2]}"


def _row(agent: Agent) -> str:
    asked = _Asked()
    home = Home(_HOME, asked)
    roots = [_shown(root) for root in agent.roots(home)]
    places = [f"`{root}`" for root in roots[:_ROOTS]] + ["…"] * (len(roots) > _ROOTS)
    variables = ", ".join(f"`{name}`" for name in asked.names) or "–"
    days = agent.deletes_after_days(Home(_HOME, {}))
    deletes = "never" if days is None else f"after {days} days"
    cells = (agent.name, f"`{agent.id}`", ", ".join(places), variables, _command(agent), deletes)
    return f"| {' | '.join(cells)} |\n"


def _command(agent: Agent) -> str:
    target = ResumeTarget(native_id="ID", kind="main", project_path="/project", source_path=str(_HOME / "source"))
    try:
        return f"`{' '.join(agent.resume_command(target).argv)}`"
    except Refused:
        return "–"


def _shown(root: Path) -> str:
    return (
        f"~/{root.relative_to(_HOME).as_posix()}".removesuffix("/.") if root.is_relative_to(_HOME) else root.as_posix()
    )


if __name__ == "__main__":
    sys.exit(main())
