#!/usr/bin/env python3
"""Render briefcase.toml into the marked block of pyproject.toml; ``--check`` only compares."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "# >>> rendered from briefcase.toml by packaging/sync_briefcase.py, not to be edited >>>\n"
END = "# <<< rendered from briefcase.toml <<<\n"
_HEADER = re.compile(r"^(\[\[?)([^\[\]]+)(\]\]?)", re.MULTILINE)
_BLOCK = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)


def render(briefcase: str) -> str:
    """Return the block of pyproject.toml that says what ``briefcase`` says.

    Raises:
        ValueError: the block would be read as something else than the file.
    """
    tables = _HEADER.sub(r"\1tool.briefcase.\2\3", briefcase)
    block = f"{BEGIN}[tool.briefcase]\n{tables.strip()}\n{END}"
    if tomllib.loads(block)["tool"]["briefcase"] != tomllib.loads(briefcase):
        raise ValueError("briefcase.toml uses a form of TOML that cannot be rendered: keep headers on their own lines")
    return block


def replace_block(pyproject: str, block: str) -> str:
    """Return ``pyproject`` with ``block`` as its last part, in place of an earlier one."""
    return _BLOCK.sub("", pyproject).rstrip("\n") + "\n\n" + block


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write the block, or with ``--check`` return 1 if that would change anything."""
    pyproject = root / "pyproject.toml"
    before = pyproject.read_text("utf-8")
    after = replace_block(before, render((root / "briefcase.toml").read_text("utf-8")))
    if before == after:
        return 0
    if "--check" in arguments:
        print("pyproject.toml does not say what briefcase.toml says: run packaging/sync_briefcase.py", file=sys.stderr)
        return 1
    pyproject.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
