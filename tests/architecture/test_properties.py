"""Every property of keeping and of recovering is one test of that name, tried often enough."""

from __future__ import annotations

import ast
import re
from collections import Counter

from hypothesis import settings

from tests.architecture.tree import ROOT
from tests.properties.support import EXAMPLES

NAMED = re.compile(r"test_([pq])(\d+)_")
WANTED = {f"p{number:02}" for number in range(1, 26)} | {f"q{number:02}" for number in range(1, 21)}
LEAST = 100


def test_all_properties_are_there_and_each_once():
    found = Counter("".join(named.groups()) for named, _ in properties())

    assert dict(found) == dict.fromkeys(sorted(WANTED), 1) == {name: found[name] for name in sorted(found)}


def test_each_is_tried_often_and_with_what_hypothesis_draws():
    seldom = [
        test.name
        for _, test in properties()
        if [ast.unparse(one).partition("(")[0] for one in test.decorator_list] != ["EXAMPLES", "given"]
    ]

    assert seldom == []
    assert isinstance(EXAMPLES, settings) and EXAMPLES.max_examples >= LEAST
    assert EXAMPLES.phases == settings.default.phases


def properties() -> list[tuple[re.Match[str], ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every test that is named after a property, wherever it stands."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (named := NAMED.match(node.name)):
                found.append((named, node))
    return found
