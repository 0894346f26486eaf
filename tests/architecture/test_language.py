"""What a person reads goes through `tr`, so that it can be said in another language; as far as the syntax tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import GUI, Source, docstrings, sources

TRANSLATED = {"tr", "translate", "later", "counted", "action"}
# These are told to the log, to whoever mends the program, or to Qt.
UNSEEN = {"spawn", "Latest", "setStyleSheet", "ValueError", "AssertionError", "KeyError", "RuntimeError", "compile"}
UNSEEN |= {"setObjectName", "write", "report"}
# What is given to these is read, however short it is.
SHOWN = {"Button", "Label", "ElidedLabel", "IconButton", "Fact", "Section", "NoticeAction", "Choice", "PlacePage"}
SHOWN |= {"setText", "setToolTip", "setWindowTitle", "setPlaceholderText", "addAction", "addMenu", "say", "show_notice"}
SHOWN |= {"setAccessibleName", "setAccessibleDescription", "show_empty"}
SHOWN_AS = {"title", "message", "consequence", "confirm", "accept"}
NAMES = {"Holdfast"}
SENTENCE = re.compile(r"[A-Za-z]{2,}[,.:;”’]?\s+[A-Za-z“]|[A-Za-z”]\s+[a-z]{2,}|^\s[a-z]{2,}|[a-z]{2,}\s$")
WORD = re.compile(r"[A-Z][a-z]+[….:]?$")
QUERY = re.compile(r"\b\w+:\w+ ")
# The theme is written for Qt; `app` speaks before there is a language; a patch is in the agent's.
OTHERS = {"theme/sheet.py", "theme/__init__.py", "app/__init__.py"}
FOREIGN = {
    "diff --git ",
    "*** Begin Patch",
    "\n*** End Patch",
    " Add ",
    "whole number",
    "settings file",
    "command line",
}


def test_what_a_person_reads_goes_through_tr():
    bare = [
        f"{source.name}:{line}: {words!r}"
        for source in sources(GUI)
        if source.path.relative_to(GUI).as_posix() not in OTHERS
        for line, words in _bare(source)
    ]

    assert bare == []


def _bare(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and the words of every text that may be read and cannot be translated."""
    above = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}
    told = docstrings(source)
    for node in source.nodes(ast.Constant, ast.JoinedStr):
        words = _words(node)
        is_part = isinstance(above.get(node), ast.JoinedStr | ast.Expr)
        if not words or is_part or id(node) in told or words in FOREIGN | NAMES or QUERY.search(words):
            continue
        seen = _is_seen(node, above, is_sentence=bool(SENTENCE.search(words)), is_word=bool(WORD.match(words)))
        if seen:
            yield node.lineno, words


def _words(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _is_seen(node: ast.AST, above: dict[ast.AST, ast.AST], *, is_sentence: bool, is_word: bool) -> bool:
    """Go up to the statement: a call on the way decides, else whether the words are a sentence."""
    is_seen = is_sentence
    while node in above:
        child, node = node, above[node]
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.rpartition(".")[2] in TRANSLATED | UNSEEN or name.startswith("log."):
                return False
            given = [*node.args, *(word.value for word in node.keywords if word.arg not in ("kind", "font", "icon"))]
            is_shown = name.rpartition(".")[2] in SHOWN and child in given
            is_seen |= is_word and is_shown
        if isinstance(node, ast.keyword):
            is_seen |= is_word and node.arg in SHOWN_AS
        if isinstance(node, ast.Assign) and any("__doc__" in ast.unparse(target) for target in node.targets):
            return False
        if isinstance(node, ast.stmt):
            break
    return is_seen
