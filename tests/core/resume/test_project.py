from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from holdfast_core.errors import NotFound, Refused, Untrusted
from holdfast_core.resume import moved, spawn
from holdfast_core.resume.project import chosen_directory, open_project, within

from tests.core.resume.world import World

NOBODY = 65_534

# Exchanges two directories as often as it can (RENAME_EXCHANGE), until its input ends.
SWAPPER = """
import ctypes, os, select, sys
call = ctypes.CDLL(None).renameat2
print("ready", flush=True)
while not select.select([0], [], [], 0)[0]:
    call(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)
"""


@pytest.fixture
def swapping(tmp_path: Path):
    good, evil = tmp_path / "project", tmp_path / "evil"
    good.mkdir()
    evil.mkdir()
    inode = good.stat().st_ino
    swapper = subprocess.Popen(
        [sys.executable, "-c", SWAPPER, str(good), str(evil)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    swapper.stdout.readline()
    yield good, inode
    swapper.communicate(b"\n", timeout=20)


def test_a_directory_swapped_after_the_check_is_never_entered(swapping: tuple[Path, int], tmp_path: Path):
    path, inode = swapping
    seen = {True: 0, False: 0}
    wrong = 0

    for _ in range(300):
        with open_project(str(path)) as project:
            is_ours = project.identity[1] == inode
            seen[is_ours] += 1
            if is_ours:
                done = subprocess.run(
                    ["/bin/ls", "-di", "."], cwd=project.spawn_directory, capture_output=True, check=True
                )
                wrong += int(done.stdout.split()[0]) != inode

    assert wrong == 0
    assert seen[False] > 0, "the directories were not swapped at all"


def test_the_guard_runs_nothing_in_a_directory_that_was_swapped(swapping: tuple[Path, int], tmp_path: Path):
    path, inode = swapping
    ran = wrong = 0

    for _ in range(300):
        with open_project(str(path)) as project:
            identity = (project.identity[0], inode)
        command = spawn.guarded(["/bin/ls", "-di", "."], directory=str(path), identity=identity, tools="")
        done = subprocess.run(command, cwd="/", capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            ran += 1
            wrong += int(done.stdout.split()[0]) != inode
        else:
            assert b"Nothing was started" in done.stdout

    assert (wrong, ran > 0) == (0, True)


def test_what_is_held_is_what_was_there(world: World):
    with open_project(str(world.project)) as project:
        status = world.project.stat()

        assert project.identity == (status.st_dev, status.st_ino)
        assert Path(project.spawn_directory).samefile(world.project)


def _open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_no_descriptor_stays_open(world: World):
    before = _open_descriptors()

    for _ in range(20):
        open_project(str(world.project)).close()
        with pytest.raises(NotFound):
            open_project(str(world.project / "gone"))

    assert _open_descriptors() == before


@pytest.mark.parametrize(
    "path",
    [
        *("", "relative", "./x", "~/x", "C:\\x", "//host/share", "\\\\host\\share", "/a/../etc", "-rf"),
        *("/x\x00y", "/a\nb", "/\x1b[0m", "/" + "x" * 5000, "/x\ud800"),
    ],
)
def test_unsafe_paths_are_refused_before_anything_looks_at_them(path: str):
    with pytest.raises(Refused):
        open_project(path)


def test_a_project_that_is_gone_is_not_found(world: World):
    with pytest.raises(NotFound):
        open_project(str(world.project / "gone"))


@pytest.mark.parametrize("kind", ["link", "dangling link", "loop", "file", "fifo"])
def test_what_is_no_plain_directory_is_refused(world: World, tmp_path: Path, kind: str):
    path = tmp_path / "place"
    match kind:
        case "link":
            path.symlink_to(world.project)
        case "dangling link":
            path.symlink_to(tmp_path / "nowhere")
        case "loop":
            path.symlink_to(path)
        case "file":
            path.write_text("")
        case "fifo":
            os.mkfifo(path)

    with pytest.raises(Refused):
        open_project(str(path))


def test_a_directory_of_someone_else_needs_trust(tmp_path: Path):
    path = tmp_path / "theirs"
    path.mkdir()
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    else:
        path = Path("/usr")

    with pytest.raises(Untrusted, match="belongs to another user") as refusal:
        open_project(str(path))
    assert (refusal.value.path, refusal.value.owner) == (str(path), path.owner())
    open_project(str(path), is_trusted=True).close()


@pytest.mark.parametrize("which", ["itself", "its parent"])
def test_a_directory_that_all_may_change_needs_trust(tmp_path: Path, which: str):
    path = tmp_path / "parent" / "open"
    path.mkdir(parents=True)
    (path if which == "itself" else path.parent).chmod(0o777)

    with pytest.raises(Untrusted, match="Every user can change") as refusal:
        open_project(str(path))
    assert refusal.value.owner == ""
    open_project(str(path), is_trusted=True).close()


def test_a_sticky_parent_is_no_danger(tmp_path: Path):
    path = tmp_path / "parent" / "mine"
    path.mkdir(parents=True)
    path.parent.chmod(0o1777)

    open_project(str(path)).close()


def test_a_hung_disk_is_told_and_not_waited_for():
    never = threading.Event()

    with pytest.raises(TimeoutError):
        within(0.05, never.wait)
    never.set()


def test_a_chosen_directory_may_be_named_in_any_way(world: World, tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(world.project)

    assert chosen_directory(link) == str(world.project)
    with pytest.raises(NotFound):
        chosen_directory(tmp_path / "nowhere")


def test_remembered_moves_hold_below_them_too():
    moves = {"/old": "/new", "/old/deep": "/else"}

    followed = [moved.follow_moves(path, moves) for path in ("/old", "/old/a/b", "/old/deep/x", "/older", "/x")]

    assert followed == ["/new", "/new/a/b", "/else/x", "/older", "/x"]


def test_the_directory_with_the_sessions_files_is_the_likeliest(tmp_path: Path):
    tmp_path = tmp_path / "home" / "code"
    for name, files in {
        "renamed": ["src/a.py", "b.md"],
        "x/tool": ["src/a.py"],
        "y/tool": [],
        "other": ["b.md"],
    }.items():
        (tmp_path / name / "src").mkdir(parents=True)
        for file in files:
            (tmp_path / name / file).write_text("")
    gone = tmp_path / "tool"
    worked_on = [str(gone / "src/a.py"), "b.md", str(gone / "lost.py"), "/etc/passwd", "../../etc/passwd"]

    candidates = moved.find_candidates(str(gone), files=worked_on)

    assert candidates == tuple(str(tmp_path / name) for name in ("renamed", "x/tool", "y/tool"))


def test_of_equals_the_one_with_the_branch_is_likelier(tmp_path: Path):
    tmp_path = tmp_path / "home" / "code"
    (tmp_path / "a" / "tool").mkdir(parents=True)
    (tmp_path / "b" / "tool" / ".git" / "refs" / "heads" / "fix").mkdir(parents=True)
    (tmp_path / "b" / "tool" / ".git" / "refs" / "heads" / "fix" / "it").write_text("0" * 40)

    candidates = moved.find_candidates(str(tmp_path / "tool"), branch="fix/it")

    assert candidates == (str(tmp_path / "b" / "tool"), str(tmp_path / "a" / "tool"))


def test_other_projects_of_the_same_name_are_candidates(tmp_path: Path):
    tmp_path = tmp_path / "home" / "code"
    tmp_path.mkdir(parents=True)
    elsewhere = tmp_path / "far" / "away" / "and" / "deep" / "tool"
    elsewhere.mkdir(parents=True)

    known = [str(elsewhere), str(tmp_path / "gone" / "tool"), "/other"]

    assert moved.find_candidates(str(tmp_path / "gone" / "tool"), known_projects=known) == (str(elsewhere),)


def test_the_search_follows_no_link_and_ends(tmp_path: Path):
    tmp_path = tmp_path / "home" / "code"
    tmp_path.mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "outside").mkdir()
    for number in range(300):
        (tmp_path / "many" / str(number)).mkdir(parents=True)

    assert moved.find_candidates(str(tmp_path / "gone" / "tool")) == ()
    assert moved.find_candidates("relative/tool") == ()
    assert moved.find_candidates("/") == ()
