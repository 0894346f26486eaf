"""The source tree as the rules see it: files, their text and their syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core" / "holdfast_core"
GUI = ROOT / "gui" / "holdfast_gui"
AGENTS = CORE / "agents"


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def name(self) -> str:
        """The path as people say it, from the top of the checkout."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[Any]:
        """Yield every node of these kinds."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))


@cache
def sources(*folders: Path) -> tuple[Source, ...]:
    """Return the Python files below ``folders``, of the whole tree if none are given."""
    wanted = folders or (CORE, GUI, ROOT / "packaging", ROOT / "tests", ROOT / "benchmarks")
    files = [path for folder in wanted for path in sorted(folder.rglob("*.py")) if "data" not in path.parts]
    return tuple(Source(path) for path in ([*files, ROOT / "dev.py"] if not folders else files))


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and full name of everything that ``source`` imports."""
    for node in source.nodes(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        else:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def docstrings(source: Source) -> set[int]:
    """Return the ids of the nodes that are documentation and not values."""
    owners = source.nodes(ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [owner.body[0] for owner in owners if owner.body]
    return {id(first.value) for first in bodies if isinstance(first, ast.Expr)}
