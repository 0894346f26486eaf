"""What can be done is documented: every agent, command, setting, filter, action and key."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import holdfast_gui.actions
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.cli.parser import build_parser
from holdfast_core.model.query import FILTERS, parse
from holdfast_core.settings import Settings
from holdfast_gui.actions.registry import SPECS, ActionSpec

import dev
from tests.architecture.tree import ROOT
from tests.documents import pages

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "core" / "README.md", ROOT / "gui" / "README.md"])
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


def _specs() -> Iterator[ActionSpec]:
    for module in pkgutil.iter_modules(holdfast_gui.actions.__path__):
        importlib.import_module(f"{holdfast_gui.actions.__name__}.{module.name}")
    yield from SPECS.values()


def _commands(parser, words: str = "") -> Iterator[str]:
    """Yield every command as it is typed, without the program's name."""
    groups = [action for action in parser._actions if hasattr(action, "choices") and isinstance(action.choices, dict)]
    if not groups:
        yield words
    for group in groups:
        for name, under in group.choices.items():
            yield from _commands(under, f"{words} {name}".strip())


def test_every_agent_is_named_where_a_person_looks_first():
    readme = (ROOT / "README.md").read_text("utf-8")

    assert [agent.name for agent in all_agents().values() if agent.name not in readme] == []


def test_every_command_is_described():
    page = (DOCS / "command-line.md").read_text("utf-8")

    assert [command for command in _commands(build_parser()) if command not in page] == []


def test_every_setting_is_described():
    page = (DOCS / "settings.md").read_text("utf-8")

    assert [key for key in Settings.model_fields if f"`{key}`" not in page] == []


def test_every_filter_is_described():
    page = (DOCS / "search.md").read_text("utf-8")
    values = [value for allowed in FILTERS.values() for value in allowed or ()]

    assert [name for name in FILTERS if f"`{name}:`" not in page] == []
    assert [value for value in values if f"`{value}`" not in page] == []


def test_every_action_and_key_is_described():
    page = (DOCS / "keys.md").read_text("utf-8")
    wanted = [f"| {_shown_keys(spec)} | {spec.title} | {spec.help} |" for spec in _specs() if not spec.id[-1].isdigit()]

    missing = [line for line in wanted if line not in page]
    assert missing == [], "\n".join(missing)
    assert "Ctrl+1" in page and "Ctrl+9" in page


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_what_follows_from_the_code_is_up_to_date(page: Path):
    assert page.read_text("utf-8") == pages()[page], "python3 dev.py documents"


def test_every_way_to_use_a_checkout_is_described():
    readme = (ROOT / "README.md").read_text("utf-8")

    assert [command for command in dev.COMMANDS if f"dev.py {command}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def _shown_keys(spec: ActionSpec) -> str:
    keys = [*spec.list_keys, *spec.keys]
    return " ".join(f"`{key.replace('Return', 'Enter')}`" for key in keys)


def test_every_example_of_a_search_is_understood():
    page = (DOCS / "search.md").read_text("utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    words = [row[0].strip("| `") for row in rows if len(row) == 2]
    filters = [example for row in rows if len(row) == 3 for example in re.findall(r"`(\w+:[^`]+)`", row[1])]

    assert len(words) > 5 and len(filters) > 15
    for example in [*words, *filters, 'project:"my app"', "role:user deploy", '-"in vain"', "-agent:codex"]:
        parse(example, now=datetime(2026, 11, 20, tzinfo=UTC))
