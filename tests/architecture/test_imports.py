"""What starts fast stays fast: who must not be loaded by whom, seen in a real process."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.architecture.tree import CORE, GUI, ROOT, imported, sources


def _loaded(statement: str) -> set[str]:
    """Return the top-level modules that an interpreter has after ``statement``."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["holdfast_core.cli", "holdfast_core.library", "holdfast.__main__"])
def test_the_command_line_loads_no_qt(module: str):
    assert _loaded(f"import {module}") & {"PySide6", "shiboken6", "qasync", "holdfast_gui"} == set()


def test_the_library_loads_nothing_that_is_slow_to_load():
    assert _loaded("import holdfast_core.library") & {"pydantic", "pygments", "markdown_it", "tomlkit"} == set()


def test_the_model_needs_nothing_but_msgspec():
    names = _loaded("import holdfast_core.model.session, holdfast_core.model.search, holdfast_core.model.changes")

    assert names & {"apsw", "pydantic", "asyncio", "platformdirs", "zstandard"} == set()


def test_every_dependency_is_used_and_every_use_declared():
    names = {
        "pyside6-essentials": "PySide6",
        "markdown-it-py": "markdown_it",
        "google-re2": "re2",
        "ahocorasick-rs": "ahocorasick_rs",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {Requirement(text).name.lower() for text in project["dependencies"]}

    used = {name.partition(".")[0] for source in sources(CORE, GUI) for _, name in imported(source)}

    ours = {"holdfast", "holdfast_core", "holdfast_gui", "shiboken6"}
    assert {names.get(name, name) for name in declared} == used - ours - sys.stdlib_module_names
