"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re

from tests.architecture.tree import CORE, GUI, ROOT, imported, sources

# The four places where whatever went wrong may be caught: there it is shown and the rest goes on.
LAST_HANDLERS = {
    "gui/holdfast_gui/crash.py",
    "gui/holdfast_gui/tasks.py",
    "core/holdfast_core/cli/entry.py",
    "core/holdfast_core/scan/ingest.py",
}
# Both run where no loop of ours can be waiting: in the mouse handler, and before there is a loop.
MAY_BLOCK = {"gui/holdfast_gui/dragdrop.py": {"exec"}, "gui/holdfast_gui/single_instance.py": {"waitForReadyRead"}}
NESTED_LOOPS = {"exec", "exec_", "processEvents", "waitForFinished", "waitForReadyRead", "waitForStarted"}
MODAL_CLASSES = {"QMessageBox", "QFileDialog", "QInputDialog", "QColorDialog", "QFontDialog"}
COLOUR = re.compile(r"^#[0-9a-fA-F]{3,8}$|\b(rgb|rgba|hsl|hsv)\(|:\s*#[0-9a-fA-F]{3,8}\b|font-(size|family)\s*:")


def test_everything_is_caught_in_four_places_only():
    catching = {
        source.name
        for source in sources(CORE, GUI, ROOT / "packaging")
        for handler in source.nodes(ast.ExceptHandler)
        if _catches_everything(handler) and not _raises_again(handler)
    }

    assert catching - LAST_HANDLERS == set()


def test_the_window_never_nests_a_loop():
    nested = [
        f"{source.name}:{call.lineno}: {ast.unparse(call.func)}"
        for source in sources(GUI)
        for call in source.nodes(ast.Call)
        if isinstance(call.func, ast.Attribute) and _nests(call.func, MAY_BLOCK.get(source.name, set()))
    ]

    assert nested == []


def test_only_the_theme_names_colours_and_fonts():
    named = [
        f"{source.name}:{node.lineno}: {node.value[:60]!r}"
        for source in sources(GUI)
        if "theme" not in source.path.relative_to(GUI).parts[0]
        for node in source.nodes(ast.Constant)
        if isinstance(node.value, str) and COLOUR.search(node.value)
    ]
    made = [
        f"{source.name}:{call.lineno}: {ast.unparse(call)}"
        for source in sources(GUI)
        if "theme" not in source.path.relative_to(GUI).parts[0]
        for call in source.nodes(ast.Call)
        if ast.unparse(call.func).rpartition(".")[2] in ("QColor", "QFont") and _has_literal(call)
    ]

    assert named + made == []


def test_views_and_models_know_neither_library_nor_actions():
    crossings = [
        f"{source.name}:{line}: {name}"
        for source in sources(GUI / "views", GUI / "models")
        for line, name in imported(source)
        if name.startswith(("holdfast_core.library", "holdfast_gui.actions", "holdfast_gui.app"))
    ]

    assert crossings == []


def test_nothing_can_open_a_network_connection():
    """The privacy page promises it. QLocalSocket reaches this machine alone."""
    ways = re.compile(r"(socket|ssl|http|ftplib|smtplib|xmlrpc|urllib\.request|requests|httpx|aiohttp)(\.|$)")
    qt = re.compile(r"PySide6\.QtNetwork\.(?!QLocal)|PySide6\.QtWeb")

    reaching = [
        f"{source.name}:{line}: {name}"
        for source in sources(CORE, GUI, ROOT / "packaging")
        for line, name in imported(source)
        if ways.match(name) or qt.match(name)
    ]

    assert reaching == []


def test_every_module_says_what_it_is():
    told = sources(CORE, GUI, ROOT / "packaging", ROOT / "benchmarks", ROOT / "tests" / "fakes")

    silent = [source.name for source in told if source.text.strip() and not ast.get_docstring(source.tree)]

    assert silent == []


def test_everything_public_in_the_core_is_described():
    silent = [
        f"{source.name}:{node.lineno}: {node.name}"
        for source in sources(CORE)
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert silent == []


def test_silenced_checks_say_why():
    marks = re.compile(r"#\s*(?:noqa(?::[A-Z0-9, ]+)?|type:\s*ignore(?:\[[\w, -]+\])?)(?P<reason>.*)$")
    bare = [
        f"{source.name}:{number}: {line.strip()}"
        for source in sources()
        for number, line in enumerate(source.lines, 1)
        if (found := marks.search(line)) and len(re.findall(r"\w+", found["reason"])) < 2
    ]

    assert bare == []


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    return bool({"Exception", "BaseException"} & set(re.findall(r"\w+", caught)))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _nests(function: ast.Attribute, allowed: set[str]) -> bool:
    if function.attr in NESTED_LOOPS - allowed:
        return True
    return isinstance(function.value, ast.Name) and function.value.id in MODAL_CLASSES and function.attr[0].islower()


def _has_literal(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Constant) for argument in call.args)
