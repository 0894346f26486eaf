"""Which repository a directory belongs to, by its own files alone: git is run only where that is asked for.

A repository is known again by a commit that it has, else by where it is pushed to.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec

from holdfast_core.agents.base import Home
from holdfast_core.atomic import open_regular, read_bytes
from holdfast_core.resume.programs import find_program

_CONFIG_LIMIT = 256 << 10
_REFS_LIMIT = 8 << 20
_LINE_LIMIT = 4096
_LEVELS_UP = 12
_REMOTES, _COMMITS, _PACKS = 8, 8, 64
_GIT_SECONDS = 5.0
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SECTION = re.compile(r'\s*\[\s*(\w+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]', re.ASCII)
_URL = re.compile(r"\s*url\s*=\s*(\S.*?)\s*$", re.IGNORECASE)
_WITH_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/]*@)?([^/:]*)(?::\d+)?/+(.*)", re.IGNORECASE)
_LIKE_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]{2,}):(?!//)(.+)")
_PACK_HEAD = b"\xfftOc\0\0\0\2"
_FANOUT = 8 + 256 * 4


class Repository(msgspec.Struct, frozen=True):
    """What a repository is known by. ``within`` is where the project is in it, empty for its root.

    ``remotes`` are addresses in one form, without anyone's name or password;
    ``commits`` some that it has, ``roots`` its first ones, where they were asked for.
    """

    remotes: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    within: str = ""

    @property
    def is_known(self) -> bool:
        """Return whether there is anything to know it by."""
        return bool(self.remotes or self.commits or self.roots)


def repository_of(project: Path) -> Repository | None:
    """Return the repository that a directory is in, None for none. Reads a few small files, follows no link."""
    for above in (project, *project.parents[:_LEVELS_UP]):
        if os.path.lexists(above / ".git"):
            git = _git_directory(above)
            if git is None:
                return None
            within = "" if above == project else project.relative_to(above).as_posix()
            return Repository(_remotes(_common(git)), _commits(git), (), within)
    return None


def likeness(place: Path, known: Repository) -> int:
    """Return 2 if the repository whose root is ``place`` has a commit of ``known``, 1 for the same remote, else 0."""
    if not os.path.lexists(place / ".git"):
        return 0
    git = _git_directory(place)
    if git is None:
        return 0
    common = _common(git)
    if any(_has_commit(common, commit) for commit in (*known.roots, *known.commits)):
        return 2
    return 1 if set(known.remotes) & set(_remotes(common)) else 0


def root_commits(project: Path, home: Home, *, timeout_seconds: float = _GIT_SECONDS) -> tuple[str, ...]:
    """Return the first commits of a repository by running git in it, none if it does not tell in time.

    Nothing of the person's or the repository's settings is run by that, and nothing is fetched.
    """
    program = find_program("git", home)
    if program is None:
        return ()
    options = ("protocol.allow=never", "core.fsmonitor=false", f"core.hooksPath={os.devnull}")
    settings = [word for option in options for word in ("-c", option)]
    try:
        done = subprocess.run(
            [str(program), *settings, "-C", str(project), "rev-list", "--max-parents=0", f"-n{_COMMITS}", "HEAD", "--"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_safe_environment(home),
            timeout=timeout_seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.decode("ascii", "replace").split() if done.returncode == 0 else []
    return tuple(line for line in lines if _COMMIT.fullmatch(line))[:_COMMITS]


def normal_url(url: str) -> str:
    """Return the address of a remote in one form for all ways to write it, empty for one that means nothing elsewhere.

    Who asks, with which password, by which protocol and port is left out.
    """
    url = url.strip().strip('"')
    found = _WITH_SCHEME.fullmatch(url) or (None if re.match(r"[A-Za-z]:[\\/]", url) else _LIKE_SCP.fullmatch(url))
    if found is not None:
        name = f"{found[1]}/{found[2].lstrip('/')}"
    elif Path(url).is_absolute():
        name = url
    else:
        return ""
    return name.rstrip("/").removesuffix(".git").rstrip("/").casefold()


def _safe_environment(home: Home) -> dict[str, str]:
    kept = {name: value for name, value in home.environment.items() if name in ("PATH", "SYSTEMROOT", "TMP", "TEMP")}
    return kept | {
        "HOME": str(home.path),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
    }


def _git_directory(root: Path) -> Path | None:
    """Return the git directory of a checkout, which a file may name instead of being it; None for what is neither."""
    place = root / ".git"
    if place.is_symlink():
        return None
    if is_directory(place):
        return place
    named = _text(place, _LINE_LIMIT).removeprefix("gitdir:").strip()
    if not named or named.startswith(("//", "\\\\")):  # on another host: asking for it could hang, and tell who asks
        return None
    path = Path(os.path.normpath(root / named))
    return path if is_directory(path) else None


def is_directory(path: Path) -> bool:
    """Return whether an absolute path leads to a directory that can be seen."""
    try:
        return path.is_absolute() and path.is_dir()
    except (OSError, ValueError):
        return False


def _common(git: Path) -> Path:
    """Return where the parts are that the checkouts of one repository share."""
    named = _text(git / "commondir", _LINE_LIMIT).strip()
    if not named or named.startswith(("//", "\\\\")):
        return git
    return Path(os.path.normpath(git / named))


def _remotes(common: Path) -> tuple[str, ...]:
    found: dict[str, None] = {}
    is_remote = False
    for line in _text(common / "config", _CONFIG_LIMIT).splitlines():
        section = _SECTION.match(line)
        if section is not None:
            is_remote = section[1].lower() == "remote"
        elif is_remote and (told := _URL.match(line)) is not None and (name := normal_url(told[1])):
            found[name] = None
    return tuple(found)[:_REMOTES]


def _commits(git: Path) -> tuple[str, ...]:
    """Return the commit that is checked out, and the first one that ever was."""
    head = _text(git / "HEAD", _LINE_LIMIT).strip()
    if head.startswith("ref:"):
        head = _reference(git, head.removeprefix("ref:").strip())
    first = _text(git / "logs" / "HEAD", _LINE_LIMIT).partition("\n")[0].split(" ")
    return tuple(_commits_in([head, *first[1:2]]))


def _reference(git: Path, name: str) -> str:
    if ".." in name or not name.startswith("refs/"):
        return ""
    common = _common(git)
    for folder in dict.fromkeys((git, common)):
        found = _text(folder / name, _LINE_LIMIT).strip()
        if found:
            return found
    lines = (line.split(" ") for line in _text(common / "packed-refs", _REFS_LIMIT).splitlines())
    return next((words[0] for words in lines if words[1:] == [name]), "")


def _commits_in(texts: Iterable[str]) -> dict[str, None]:
    return {text: None for text in texts if _COMMIT.fullmatch(text) and text.strip("0")}


def _has_commit(common: Path, commit: str) -> bool:
    """Return whether a repository has an object: loose, or by the index of a pack."""
    objects = common / "objects"
    if (objects / commit[:2] / commit[2:]).is_file():
        return True
    try:
        with os.scandir(objects / "pack") as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".idx"))[:_PACKS]
    except OSError:
        return False
    return any(_is_in_pack(objects / "pack" / name, bytes.fromhex(commit)) for name in names)


def _is_in_pack(index: Path, wanted: bytes) -> bool:
    """Return whether the index of a pack lists an object: version 2, a table of sorted names behind their counts."""
    try:
        descriptor = open_regular(index)
    except OSError:
        return False
    try:
        if read_bytes(descriptor, 8) != _PACK_HEAD:
            return False
        low = _number(descriptor, 8 + (wanted[0] - 1) * 4) if wanted[0] else 0
        high = _number(descriptor, 8 + wanted[0] * 4)
        while low < high:
            middle = (low + high) // 2
            os.lseek(descriptor, _FANOUT + middle * len(wanted), os.SEEK_SET)
            found = read_bytes(descriptor, len(wanted))
            if found == wanted:
                return True
            low, high = (middle + 1, high) if found < wanted else (low, middle)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _number(descriptor: int, place: int) -> int:
    os.lseek(descriptor, place, os.SEEK_SET)
    return int.from_bytes(read_bytes(descriptor, 4), "big")


def _text(path: Path, limit: int) -> str:
    """Return the beginning of a plain file as text, nothing for what is none or cannot be read."""
    try:
        descriptor = open_regular(path)
    except (OSError, ValueError):
        return ""
    try:
        return read_bytes(descriptor, limit).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
