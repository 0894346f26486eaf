import stat
from pathlib import Path

from holdfast_gui.dragdrop import DragDirectory, Item, SessionFiles, file_names

ITEMS = [Item("a:1", "Fix the build"), Item("a:2", "Fix the build"), Item("a:3", "../../etc/passwd\x00\n")]


def render(id):
    return f"# {id}\n"


def test_files_are_made_when_asked_and_only_once(tmp_path, qapp):
    asked = []
    files = SessionFiles(ITEMS, "md", tmp_path / "drag", lambda id: asked.append(id) or render(id))
    before = (tmp_path / "drag").exists()

    first, second = files.urls(), files.urls()

    assert (before, asked, first == second) == (False, ["a:1", "a:2", "a:3"], True)
    assert [Path(url.toLocalFile()).read_text() for url in first] == ["# a:1\n", "# a:2\n", "# a:3\n"]


def test_plain_text_is_paths_and_no_content(tmp_path, qapp):
    files = SessionFiles(ITEMS[:1], "md", tmp_path / "drag", render)

    text = files.text()

    assert text == str(tmp_path / "drag" / "Fix the build.md")


def test_files_are_private(tmp_path, qapp):
    files = SessionFiles(ITEMS[:1], "json", tmp_path / "drag", render)

    path = Path(files.urls()[0].toLocalFile())

    assert [stat.S_IMODE(item.stat().st_mode) for item in (path, path.parent)] == [0o600, 0o700]


def test_names_are_safe_and_differ():
    names = file_names([*ITEMS, Item("a:4", "日本語 🚀"), Item("a:5", "..."), Item("a:6", "x" * 300)], "md")

    assert names == [
        "Fix the build.md",
        "Fix the build (2).md",
        "etc passwd.md",
        "日本語.md",
        "session.md",
        "x" * 60 + ".md",
    ]


def test_each_drag_has_a_directory_and_nothing_stays(tmp_path, qapp):
    directory = DragDirectory(tmp_path / "drags")
    for _ in range(2):
        SessionFiles(ITEMS, "md", directory.next(), render).urls()
    made = len(list((tmp_path / "drags").iterdir()))

    directory.empty()

    assert (made, directory.path.exists()) == (2, False)
