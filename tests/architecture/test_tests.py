"""A test runs what it claims: nothing skipped, nothing replaced, nothing waited for by the clock."""

from __future__ import annotations

import ast
import re

from tests.architecture.tree import ROOT, Source, imported, sources

TESTS = ROOT / "tests"
HERE = TESTS / "architecture"
FORBIDDEN_MODULES = ("unittest.mock", "mock", "pytest_mock")
# A limit may be lowered for a test (a constant, in capitals); behaviour is never replaced.
FORBIDDEN_WORDS = re.compile(
    r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|\bmocker\b"
    r"|monkeypatch\.setattr\((?!.*\b_?[A-Z][A-Z0-9_]+\b\W)"
)


def _tests() -> list[Source]:
    return [source for source in sources(TESTS) if source.path.parent != HERE]


def test_no_test_is_skipped_or_mocked():
    words = [
        f"{source.name}:{number}: {line.strip()}"
        for source in _tests()
        for number, line in enumerate(source.lines, 1)
        if FORBIDDEN_WORDS.search(line)
    ]
    modules = [
        f"{source.name}:{line}: {name}"
        for source in _tests()
        for line, name in imported(source)
        if name.startswith(FORBIDDEN_MODULES)
    ]

    assert words + modules == []


def test_no_test_sleeps():
    """A pause of nothing lets other tasks run; the one real pause is between two looks of `tests.fakes.waiting`."""
    sleeping = [
        f"{source.name}:{call.lineno}: {ast.unparse(call)}"
        for source in _tests()
        for call in source.nodes(ast.Call)
        if ast.unparse(call.func) in ("time.sleep", "asyncio.sleep", "sleep", "qtbot.wait")
        and ast.unparse(call.args[0]) != "0"
        and source.path != TESTS / "fakes" / "waiting.py"
    ]

    assert sleeping == []


def test_no_claim_stands_twice_in_a_file():
    doubled = []
    for source in _tests():
        for owner in source.nodes(ast.Module, ast.ClassDef):
            names = [node.name for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
            doubled += [f"{source.name}: {name}" for name in set(names) if names.count(name) > 1]

    assert doubled == []
