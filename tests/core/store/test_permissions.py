"""What others could read or change is found, told, and put right on request; nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast_core.store.permissions import look, look_at, repair, told
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.support import a_store, made


def modes(top: Path) -> dict[str, int]:
    return {path.relative_to(top).as_posix(): path.lstat().st_mode & 0o7777 for path in [top, *top.rglob("*")]}


def test_a_new_store_is_for_this_person_alone(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)

        assert look([store.site.places.directory, tmp_path / "keys", tmp_path / "not there"]) == []


@settings(max_examples=100)
@given(wrong=st.lists(st.integers(0, 0o777), min_size=4, max_size=4))
def test_wrong_permissions_are_found_and_repaired(wrong: list[int]):
    with a_store() as store:
        made(store, 1)
        top = store.site.places.directory
        before = modes(top)
        changed = [top, store.site.places.backups, top / "manifest.db", next(top.glob("*.hold"))]
        for path, mode in zip(changed, wrong, strict=True):
            path.chmod(mode)
        expected = {
            path for path, mode in zip(changed, wrong, strict=True) if mode != (0o700 if path.is_dir() else 0o600)
        }

        found = look([top])

        assert {one.path for one in found if one.kind == "mode"} == expected
        assert repair(found) == len(expected)
        assert modes(top) == before
        assert look([top]) == []


def test_links_and_pipes_are_told_and_never_followed(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    top = tmp_path / "sessions"
    top.mkdir(mode=0o700)
    (top / "link.hold").symlink_to(outside)
    (top / "folder").symlink_to(tmp_path)
    os.mkfifo(top / "pipe.hold", 0o666)

    found = look([top])

    assert {(one.path.name, one.kind) for one in found} == {
        (name, "strange") for name in ("link.hold", "folder", "pipe.hold")
    }
    assert repair(found) == 0
    assert outside.stat().st_mode & 0o777 == 0o644


def test_what_became_a_link_meanwhile_is_left_alone(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    file = tmp_path / "sessions" / "s.hold"
    file.parent.mkdir(mode=0o700)
    file.write_text("x")
    file.chmod(0o644)
    found = look([file.parent])
    file.unlink()
    file.symlink_to(outside)

    assert [one.kind for one in found] == ["mode"]
    assert repair(found) == 0
    assert outside.stat().st_mode & 0o777 == 0o644


def test_a_directory_above_that_everybody_may_change_is_told(tmp_path: Path):
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o777)
    (above / "sessions").mkdir(mode=0o700)

    found = look([above / "sessions"])

    assert [(one.path, one.kind) for one in found] == [(above, "parent")]
    assert repair(found) == 0
    above.chmod(0o1777)  # only owners may rename what is in it
    assert look([above / "sessions"]) == []


def test_somebody_elses_files_are_told(tmp_path: Path):
    """Needs a user who may give files away: told of a file that is another's, by what the system says."""
    other = next((path for path in (Path("/etc"), Path("/usr")) if path.stat().st_uid != os.geteuid()), None)
    top = tmp_path / "sessions"
    top.mkdir(mode=0o700)
    if other is None:
        (top / "s.hold").write_text("x")
        os.chown(top / "s.hold", 65534, -1)
        other = top

    found = [one for one in look([other]) if one.kind == "owner"]

    assert found and repair(found) == 0


def test_sentences_count_what_is_wrong(tmp_path: Path):
    top = tmp_path / "sessions"
    top.mkdir(mode=0o755)
    top.chmod(0o755)
    for number in range(2):
        (top / f"{number}.hold").symlink_to("nowhere")

    assert told(look([top])) == (
        "Others on this machine may read or change 1 file or directory of Holdfast. This can be repaired.",
        "2 files or directories among those of Holdfast are links, pipes or devices. They are never opened.",
    )


def test_a_directory_alone_is_looked_at_and_what_a_link_leads_to(tmp_path: Path):
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "data"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    (elsewhere / "file").write_text("x")
    link.symlink_to(elsewhere)

    found = look_at([link, elsewhere, tmp_path / "not there"])

    assert [(one.path, one.kind) for one in found] == [(elsewhere, "mode")]
    assert (repair(found), look_at([link])) == (1, [])
