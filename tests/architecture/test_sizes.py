"""A file that needs an "and" is two files; a function that scrolls is several."""

from __future__ import annotations

import ast

from tests.architecture.tree import sources

FILE_LINES = 600
FUNCTION_LINES = 80


def test_no_file_is_too_long():
    long = [f"{source.name}: {len(source.lines)} lines" for source in sources() if len(source.lines) > FILE_LINES]

    assert long == []


def test_no_function_is_too_long():
    long = [
        f"{source.name}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for source in sources()
        for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno >= FUNCTION_LINES
    ]

    assert long == []
