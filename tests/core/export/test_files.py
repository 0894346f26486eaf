from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from holdfast_core import export
from holdfast_core.errors import HoldfastError, NotFound, Refused, WrongUsage
from holdfast_core.export.naming import file_name
from holdfast_core.export.plain import one_line, plain_text
from holdfast_core.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

from tests.core.export.sessions import SESSIONS, entry_of, said, session_of

ANY_TEXT = st.text(max_size=300)
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³")}


@given(ANY_TEXT, ANY_TEXT)
def test_a_name_is_one_that_every_system_takes(session_id: str, title: str):
    name = file_name(session_id, title, "md")

    assert len(name.encode()) <= 120
    assert not any(letter in '<>:"/\\|?*' or ord(letter) < 32 for letter in name)
    assert name.partition(".")[0].lower() not in RESERVED
    assert not name.startswith((".", "-", " "))
    assert name.endswith(".md")


@pytest.mark.parametrize(
    "title", ["..", "/etc/passwd", "CON", "nul.txt", "x.", "a\nb", "-rf", "~user", "", "$(x)", "日本語"]
)
def test_hostile_titles_stay_in_the_directory(tmp_path: Path, title: str):
    path = export.target_path(tmp_path, entry_of(session_of(said("x"), title=title)), "md")

    export.write(path, ["x"])

    assert [found.parent for found in tmp_path.iterdir()] == [tmp_path]


def test_names_differ_where_titles_differ_in_case_or_composition_alone():
    names = [
        file_name(f"id{n}", title, "md").lower() for n, title in enumerate(["Foo", "foo", "caf\u00e9", "cafe\u0301"])
    ]

    assert len(set(names)) == 4


def test_a_file_is_private_and_whole(tmp_path: Path):
    path = tmp_path / "out.md"

    size = export.write(path, ["grüße", "\ud800"])

    assert path.read_bytes() == "grüße?".encode()
    assert size == 8
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_replaced_only_if_allowed(tmp_path: Path):
    path = tmp_path / "out.md"
    path.write_text("old")

    with pytest.raises(Refused, match="already"):
        export.write(path, ["new"])
    assert path.read_text() == "old"

    export.write(path, ["new"], overwrite=True)
    assert path.read_text() == "new"


def test_a_link_is_not_followed(tmp_path: Path):
    other = tmp_path / "other"
    other.write_text("old")
    path = tmp_path / "out.md"
    path.symlink_to(other)

    with pytest.raises(Refused):
        export.write(path, ["new"])
    export.write(path, ["new"], overwrite=True)

    assert other.read_text() == "old"


@pytest.mark.parametrize("kind", ["fifo", "directory"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, kind: str):
    path = tmp_path / "out"
    os.mkfifo(path) if kind == "fifo" else path.mkdir()

    with pytest.raises(Refused):
        export.write(path, ["new"], overwrite=True)
    assert path.exists()


def test_a_missing_directory_is_told(tmp_path: Path):
    with pytest.raises(NotFound, match="directory"):
        export.write(tmp_path / "no" / "out.md", ["x"])


def test_what_the_disk_refuses_is_told_and_leaves_nothing(tmp_path: Path):
    with pytest.raises(HoldfastError, match="could not be written: File name too long"):
        export.write(tmp_path / ("x" * 300), ["x"])

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_told():
    with pytest.raises(WrongUsage, match="Allowed: md, json, txt"):
        export.render(session_of(said("x")), "pdf")


def test_settings_say_what_markdown_holds_and_json_is_complete():
    settings = Settings(export_thinking=False, export_tool_output=False)

    assert not export.options_from(settings, "md").thinking
    assert export.options_from(settings, "json") == export.options_from(settings, "json").__class__()


@given(SESSIONS)
def test_every_session_has_a_plain_text(session):
    text = "".join(export.render(session, "txt", entry=entry_of(session)))

    assert plain_text(text) == text


ESCAPE_PIECES = ["\x1b", "[", "]", "P", "31m", "\x07", "\x9b", "\x9d", "\x9c", "\\", "a", "\n", "\r", "\u202e"]


@given(st.lists(st.sampled_from(ESCAPE_PIECES)).map("".join))
def test_no_escape_survives_however_it_is_cut(text: str):
    clean = plain_text(text)

    assert not set(clean) & set("\x1b\x9b\x9d\x9c\x07\r\u202e")
    assert plain_text(clean) == clean


def test_escapes_go_and_text_stays():
    colours, link = "\x1b[1;31mred\x1b[0m", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"
    clipboard, device = "\x1b]52;c;AAA\x07after", "\x1bP1;2qdata\x1b\\\x1b(Bend"

    assert plain_text(f"{colours} {link} {clipboard} {device}") == "red link after end"


def test_joined_emoji_and_scripts_stay():
    text = "👩‍👩‍👧 नमस्ते می‌خواهم עִבְרִית"

    assert plain_text(text) == text


def test_a_title_is_one_line_of_at_most_200_graphemes():
    assert one_line("a\n b\t c") == "a b c"
    assert len(one_line("x" * 10_000)) == 200
    assert one_line("x" * 300).endswith("…")
    assert len(one_line("e" + "\u0301" * 10_000)) < 20
    assert len(one_line("a\u0301" * 10_000)) <= 200 * 2
