"""A project that has moved is known again by its repository, from files alone, wherever its checkout is now."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from holdfast_core.agents.base import Home
from holdfast_core.resume import moved
from holdfast_core.resume.repositories import Repositories
from holdfast_core.resume.repository import Repository, likeness, normal_url, repository_of, root_commits

REMOTE = "git@example.org:ada/lighthouse.git"


def git(place: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *words], cwd=place, env=environment, capture_output=True, check=True)
    return done.stdout.decode().strip()


def checkout(place: Path, *, remote: str = "", text: str = "light") -> Path:
    place.mkdir(parents=True)
    git(place, "init", "-q", "-b", "main")
    (place / "lamp.py").write_text(text, "utf-8")
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", "first")
    if remote:
        git(place, "remote", "add", "origin", remote)
    return place


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (REMOTE, "example.org/ada/lighthouse"),
        ("https://ada:secret@Example.org/Ada/Lighthouse.git/", "example.org/ada/lighthouse"),
        ("ssh://git@example.org:2222/ada/lighthouse", "example.org/ada/lighthouse"),
        ("file:///srv/git/lighthouse.git", "/srv/git/lighthouse"),
        ("/srv/git/lighthouse.git", "/srv/git/lighthouse"),
        ("../lighthouse", ""),
        ("C:/work/lighthouse", ""),
        ("", ""),
    ],
)
def test_an_address_has_one_form_without_anyones_name(url: str, name: str) -> None:
    assert normal_url(url) == name


def test_a_repository_is_told_by_its_remotes_and_commits_from_any_folder_in_it(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p", remote=REMOTE)
    first = git(place, "rev-parse", "HEAD")
    (place / "lamp.py").write_text("more", "utf-8")
    git(place, "commit", "-q", "-am", "second")
    (place / "deep" / "er").mkdir(parents=True)

    found = repository_of(place / "deep" / "er")

    assert found == Repository(("example.org/ada/lighthouse",), (git(place, "rev-parse", "HEAD"), first), (), "deep/er")
    assert repository_of(tmp_path) is None


def test_packed_references_and_objects_are_read_too(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p")
    known = repository_of(place)
    assert known is not None
    for number in range(40):
        (place / "lamp.py").write_text(str(number), "utf-8")
        git(place, "commit", "-q", "-am", str(number))
    git(place, "gc", "-q", "--aggressive", "--prune=now")
    git(place, "pack-refs", "--all")

    later = repository_of(place)

    assert later is not None
    assert later.commits[0] == git(place, "rev-parse", "HEAD")
    assert not (place / ".git" / "objects" / known.commits[0][:2]).exists()
    assert likeness(place, known) == 2
    assert likeness(place, Repository(commits=("0" * 39 + "1", "f" * 40))) == 0


def test_a_clone_a_worktree_and_another_repository_are_told_apart(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p", remote=REMOTE)
    known = repository_of(place)
    assert known is not None
    git(tmp_path, "clone", "-q", str(place), "clone")
    git(place, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    checkout(tmp_path / "fresh", remote="https://example.org/ada/lighthouse", text="another beginning")
    checkout(tmp_path / "other", text="nothing alike")

    found = {name: likeness(tmp_path / name, known) for name in ("clone", "tree", "fresh", "other", "nowhere")}

    assert found == {"clone": 2, "tree": 2, "fresh": 1, "other": 0, "nowhere": 0}
    assert repository_of(tmp_path / "tree") is not None


@pytest.mark.parametrize(
    "named", ["gitdir: //host/share/x", "gitdir: \\\\host\\share", "gitdir: /nowhere", "\xff\0", "", "x" * 9000]
)
def test_a_git_file_that_leads_astray_is_no_repository(named: str, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".git").write_text(named, "latin-1")

    assert repository_of(tmp_path / "p") is None
    assert likeness(tmp_path / "p", Repository(remotes=("x",))) == 0


def test_a_repository_with_nothing_readable_in_it_is_not_known(tmp_path: Path) -> None:
    git_folder = tmp_path / "p" / ".git"
    (git_folder / "objects" / "pack").mkdir(parents=True)
    (git_folder / "HEAD").write_text("ref: refs/../../../../etc/passwd", "utf-8")
    (git_folder / "config").write_bytes(b'[remote "o"\n url = \xff\n[remote "x"]\n\turl\n')
    (git_folder / "objects" / "pack" / "a.idx").write_bytes(b"\xfftOc\0\0\0\2" + b"\xff" * 1024)
    (git_folder / "objects" / "pack" / "b.idx").mkdir()

    found = repository_of(tmp_path / "p")

    assert found is not None
    assert not found.is_known
    assert likeness(tmp_path / "p", Repository(commits=("ab" * 20,))) == 0


def test_git_tells_the_first_commit_where_it_is_asked_and_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p")
    first = git(place, "rev-parse", "HEAD")
    (place / "lamp.py").write_text("more", "utf-8")
    git(place, "commit", "-q", "-am", "second")
    mark = tmp_path / "ran"
    git(place, "config", "core.fsmonitor", f"touch {mark}")
    git(place, "config", "alias.rev-list", f"!touch {mark}")
    home = Home(tmp_path, {"PATH": os.environ.get("PATH", os.defpath), "GIT_DIR": "/nowhere"})

    assert root_commits(place, home) == (first,)
    assert root_commits(tmp_path, home) == ()
    assert not mark.exists()


def test_a_project_that_moved_is_found_by_its_repository_under_another_name(tmp_path: Path) -> None:
    code = tmp_path / "home" / "code"
    place = checkout(code / "lighthouse", remote=REMOTE)
    checkout(code / "x" / "lighthouse", text="of the same name only")
    checkout(code / "fresh", remote="https://example.org/ada/lighthouse", text="the same remote")
    remembered = Repositories(tmp_path / "data" / "projects.json")
    remembered.see([str(place)])
    place.rename(code / "renamed")

    found = moved.find_candidates(str(place), repository=remembered.of(str(place)))

    assert found == tuple(str(code / name) for name in ("renamed", "fresh", "x/lighthouse"))


def test_a_project_within_a_repository_is_found_within_it(tmp_path: Path) -> None:
    code = tmp_path / "home" / "code"
    place = checkout(code / "all")
    (place / "parts" / "lamp").mkdir(parents=True)
    remembered = Repositories(tmp_path / "projects.json")
    remembered.see([str(place / "parts" / "lamp")])
    place.rename(code / "everything")

    found = moved.find_candidates(
        str(place / "parts" / "lamp"), repository=remembered.of(str(place / "parts" / "lamp"))
    )

    assert found[0] == str(code / "everything" / "parts" / "lamp")


def test_what_stands_beside_other_projects_is_looked_at(tmp_path: Path) -> None:
    place = checkout(tmp_path / "old" / "p", remote=REMOTE)
    known = repository_of(place)
    other = tmp_path / "a" / "b" / "c" / "d" / "other"
    other.mkdir(parents=True)
    place.rename(other.parent / "moved")

    found = moved.find_candidates(str(place), known_projects=[str(other)], repository=known)

    assert found == (str(other.parent / "moved"),)


def test_what_is_remembered_stays_when_the_project_is_gone_and_is_asked_for_once_a_day(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p", remote=REMOTE)
    plain = tmp_path / "plain"
    plain.mkdir()
    remembered = Repositories(tmp_path / "data" / "projects.json")

    first = remembered.see([str(place), str(plain), "relative", "", str(tmp_path / "nowhere")])
    again = remembered.see([str(place), str(plain)])
    known = remembered.of(str(place))
    place.rename(tmp_path / "q")
    remembered.see([str(place)])

    assert (first, again) == (2, 0)
    assert known is not None
    assert remembered.of(str(place)) == known
    assert remembered.of(str(plain)) is None
    if os.name == "posix":
        assert (tmp_path / "data" / "projects.json").stat().st_mode & 0o777 == 0o600


def test_first_commits_that_were_asked_for_are_remembered(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p")
    remembered = Repositories(tmp_path / "projects.json")

    whole = remembered.see_roots(str(place), Home(tmp_path, {"PATH": os.environ.get("PATH", os.defpath)}))

    assert whole is not None
    assert whole.roots == (git(place, "rev-parse", "HEAD"),)
    assert remembered.of(str(place)) == whole
    assert remembered.see_roots(str(tmp_path), Home(tmp_path, {})) is None


def test_a_memory_that_is_damaged_is_begun_anew(tmp_path: Path) -> None:
    place = checkout(tmp_path / "p", remote=REMOTE)
    file = tmp_path / "projects.json"
    file.write_bytes(b"{broken")
    remembered = Repositories(file)

    assert remembered.of(str(place)) is None
    assert remembered.see([str(place)]) == 1
    assert remembered.of(str(place)) is not None
