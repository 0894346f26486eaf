"""Hostile files and folders, each as a real one: refused at once, with a reason, and the others are read."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.store.importing.support import here, jason, taken
from tests.core.store.importing.test_jido_code import SESSION

SECONDS = 10  # a second on an idle machine; tests share theirs


def reasons(path: Path) -> list[str]:
    started = time.monotonic()
    _, unread = taken(path, here(path.parent))
    assert time.monotonic() - started < SECONDS
    return [one.reason for one in unread]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def _link(path: Path) -> None:
    path.with_suffix(".real").write_text(jason(SESSION))
    path.symlink_to(path.with_suffix(".real"))


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_fifo, "not_a_file"),
        (_socket, "not_a_file"),
        (_link, "symlink"),
        (_zero, "symlink"),
        (_sparse, "too_large"),
        (lambda path: None, "gone"),
    ],
)
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make: Callable[[Path], None], reason: str):
    make(tmp_path / "s.json")

    assert reasons(tmp_path / "s.json") == [reason]


def test_in_a_folder_only_regular_files_are_looked_at(tmp_path: Path):
    for name, make in {"fifo": _fifo, "link": _link, "zero": _zero}.items():
        make(tmp_path / f"{name}.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "sound.json").write_text(jason(SESSION))

    drafts, unread = taken(tmp_path, here(tmp_path))

    assert ([draft.source for draft in drafts], unread) == (["sound.json"], [])


def test_a_folder_that_is_a_link_out_of_the_folder_is_left_alone(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "s.json").write_text(jason(SESSION))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "sessions").symlink_to(tmp_path / "elsewhere")

    assert taken(tmp_path / "home", here(tmp_path)) == ([], [])


def test_more_files_than_can_be_looked_at_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(3):
        (tmp_path / f"{number}.json").write_text(jason(SESSION))
    monkeypatch.setattr("holdfast_core.store.importing._FILES_LIMIT", 2)

    drafts, [unread] = taken(tmp_path, here(tmp_path))

    assert len(drafts) == 2
    assert unread.message == "1 files more than can be looked at were left out."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_json"),
        (b"\0" * 5000, "not_json"),
        (b"[]", "not_an_object"),
        (b"{}", "unknown_format"),
        (b'{"version": 1, "sessions": {}}', "unknown_format"),
        (jason(SESSION).encode("utf-16"), "utf16"),
        (b"[" * 200_000, "too_deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "too_deep"),
        (b'{"a":[' + b"[]," * 1_100_000 + b"[]]}", "too_large"),
        (b'{"version": 1, "n": ' + b"9" * 5_000, "not_json"),
    ],
)
def test_content_that_is_no_session_has_a_reason(tmp_path: Path, content: bytes, reason: str):
    (tmp_path / "s.json").write_bytes(content)

    assert reasons(tmp_path / "s.json") == [reason]


@pytest.mark.parametrize("depth", [300, 800])
def test_nesting_within_the_limit_is_a_session_or_a_reason(tmp_path: Path, depth: int):
    deep = "[" * depth + r'"\ud800"' + "]" * depth
    (tmp_path / "s.json").write_text(jason(SESSION | {"language": 5}).replace(": 5,", f": {deep},"))

    drafts, unread = taken(tmp_path / "s.json", here(tmp_path))

    assert len(drafts) + len(unread) == 1


def test_values_that_no_store_takes_are_made_harmless(tmp_path: Path):
    text = jason(SESSION | {"prompt_history": "HERE"}).replace(
        '"HERE"', r'[NaN, -Infinity, 1e999, 123456789012345678901, "half \ud800", {"\udfff": 1}]'
    )
    (tmp_path / "s.json").write_text(text)

    [draft], _ = taken(tmp_path / "s.json", here(tmp_path))

    assert draft.session.provider_data["prompt_history"] == [
        None,
        None,
        None,
        "123456789012345678901",
        "half \ufffd",
        {"\ufffd": 1},
    ]


def test_a_bom_is_passed_over_and_bytes_that_are_no_text_are_replaced(tmp_path: Path):
    content = b"\xef\xbb\xbf" + jason(SESSION | {"name": "X"}).encode().replace(b'"X"', b'"caf\xe9"')
    (tmp_path / "s.json").write_bytes(content)

    [draft], _ = taken(tmp_path / "s.json", here(tmp_path))

    assert draft.session.title == "caf\ufffd"
    assert "Bytes in it that are no text were replaced." in draft.warnings


def test_the_last_of_two_equal_keys_wins(tmp_path: Path):
    text = jason(SESSION).replace('"name": ', '"name": "first",\n  "name": ')
    (tmp_path / "s.json").write_text(text)

    assert taken(tmp_path / "s.json", here(tmp_path))[0][0].session.title == SESSION["name"]


@pytest.mark.parametrize(
    "project", ["", "relative/path", "//host/share", r"\\host\share", "a\0b", "/" + "x" * 1_000_000, "/x" * 3_000]
)
def test_projects_that_cannot_be_looked_at_are_missing(tmp_path: Path, project: str):
    (tmp_path / "s.json").write_text(jason(SESSION | {"project_path": project}))

    [draft], _ = taken(tmp_path / "s.json", here(tmp_path))

    assert any("project" in warning for warning in draft.warnings)
    assert len(draft.session.project_path) <= 4096


@pytest.mark.parametrize("title", ["<img src='file:///fifo'>", "\x1b]52;c;eA==\x07", "\u202eexe.txt", "x" * 10_000])
def test_titles_are_one_short_line_without_codes(tmp_path: Path, title: str):
    (tmp_path / "s.json").write_text(jason(SESSION | {"name": title}))

    [draft], _ = taken(tmp_path / "s.json", here(tmp_path))

    assert len(draft.session.title) <= 200
    assert not set("\x1b\x07\u202e") & set(draft.session.title)


@pytest.mark.parametrize("native_id", ["..", "/etc/x", "", "--dangerously-skip-permissions", "x" * 10_000])
def test_an_id_of_the_program_never_becomes_ours(tmp_path: Path, native_id: str):
    (tmp_path / "s.json").write_text(jason(SESSION | {"id": native_id}))

    [draft], _ = taken(tmp_path / "s.json", here(tmp_path))

    assert draft.session.id != native_id
    assert len(draft.session.origin.native_id) <= 512


def test_names_that_are_no_text_are_read(tmp_path: Path):
    name = os.fsdecode(b"\xff\xfe.json")
    (tmp_path / name).write_text(jason(SESSION))

    [draft], _ = taken(tmp_path, here(tmp_path))

    json.dumps(draft.session.origin.source_path).encode()
    draft.session.origin.source_path.encode()
    draft.source.encode()


@pytest.mark.parametrize("kind", ["many", "packed", "text"])
def test_a_large_file_costs_little_memory(tmp_path: Path, kind: str):
    path = tmp_path / "s.json"
    write: dict[str, Any] = {
        "many": '"[" + "[]," * 999_000 + "[]]"',
        "packed": "json.dumps(base64.b64encode(gzip.compress(b'0' * (600 << 20), 1)).decode())",
        "text": "json.dumps('x' * (31 << 20))",
    }
    script = f"""
        import base64, gzip, json, resource, sys
        sys.path[:0] = {[str(Path(__file__).parents[4] / "core"), str(Path(__file__).parents[4])]!r}
        from pathlib import Path
        open({str(path)!r}, "w").write('{{"version": "1.0.0", "compressed": true, "data": ' + {write[kind]} + "}}")
        if sys.argv[1:] == ["read"]:
            from tests.core.store.importing.support import here, taken
            print([one.reason for one in taken(Path({str(path)!r}), here(Path("/")))[1]])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    outputs = [
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), *more], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        for more in ([], ["read"])
    ]

    without, with_reading = int(outputs[0][0]), int(outputs[1][1])
    assert outputs[1][0] in ("['wrong_field']", "['too_large']", "['not_json']")
    assert with_reading - without < 256 << 10
