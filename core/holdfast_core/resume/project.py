"""The directory in which a session continues: held by descriptor, so that it cannot be swapped after the check."""

from __future__ import annotations

import os
import re
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from holdfast_core.errors import HoldfastError, NotFound, Refused, Untrusted

PATH_LIMIT = 4096
ANSWER_SECONDS = 2.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
Value = TypeVar("Value")


@dataclass(slots=True)
class Project:
    """A directory that was checked and is held open; a context manager.

    ``identity`` is its (device, inode). ``descriptor`` is -1 where the
    platform cannot hold a directory (Windows).
    """

    path: Path
    identity: tuple[int, int]
    descriptor: int

    @property
    def spawn_directory(self) -> str:
        """What to start a child in: on Linux the held directory itself, else its path."""
        if sys.platform == "linux" and self.descriptor >= 0:
            return f"/proc/self/fd/{self.descriptor}"
        return str(self.path)

    def close(self) -> None:
        """Let the directory go."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_project(path: str, *, is_trusted: bool = False, timeout_seconds: float = ANSWER_SECONDS) -> Project:
    """Open the directory of a session and check whose it is.

    ``is_trusted`` skips the checks of ownership and permissions, after the
    person was asked; nothing skips the others.

    Raises:
        NotFound: it is not there.
        Refused: it is no plain directory, its path is unsafe, it belongs to
            someone else, others may change it, or its disk does not answer.
    """
    check_path(path)
    try:
        return within(timeout_seconds, lambda: _open(Path(path), is_trusted=is_trusted))
    except TimeoutError as error:
        raise Refused("The disk that holds the project's directory does not answer. Try again when it does.") from error


def chosen_directory(path: Path, *, timeout_seconds: float = ANSWER_SECONDS) -> str:
    """Return a directory that the person named, without links, as a session would record it.

    Raises:
        NotFound: it is not there.
        Refused: its disk does not answer.
    """
    try:
        return within(timeout_seconds, lambda: str(path.expanduser().resolve(strict=True)))
    except (OSError, RuntimeError) as error:
        if isinstance(error, TimeoutError):
            raise Refused("The disk that holds this directory does not answer. Try again when it does.") from error
        raise NotFound("The directory that you named is not there.", detail=str(error)) from error


def check_path(path: str) -> None:
    """Refuse what is no absolute local path, before anything looks at it.

    Raises:
        Refused: the path is empty, relative, too long, on another host, or holds control characters.
    """
    if not path:
        raise Refused("This session does not say which directory it belongs to. Choose one to continue it in.")
    if len(path) > PATH_LIMIT or _CONTROL.search(path):
        raise Refused(
            "The path of this session's directory has a form that is not safe to use.", detail=repr(path[:200])
        )
    if not _has_bytes(path):
        raise Refused("The path of this session's directory is no text of this system.", detail=repr(path[:200]))
    if path.startswith(("//", "\\\\")):
        raise Refused("This session's directory is on another host. Choose a local one.", detail=repr(path))
    if not Path(path).is_absolute() or ".." in Path(path).parts:
        raise Refused("This session's directory is not a place on this machine. Choose one.", detail=repr(path))


def within(seconds: float, call: Callable[[], Value]) -> Value:
    """Return what ``call`` returns, from a thread of its own; a hung disk holds that thread, not us.

    Raises:
        TimeoutError: it has not come back; it is left to itself.
    """
    values: list[Value] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            values.append(call())
        except (HoldfastError, OSError, RuntimeError) as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="directory", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not values:
        raise TimeoutError
    return values[0]


def _has_bytes(path: str) -> bool:
    try:
        return bool(os.fsencode(path))
    except UnicodeEncodeError:
        return False


def _open(path: Path, *, is_trusted: bool) -> Project:
    try:
        if sys.platform == "win32":
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError
            return Project(path, (status.st_dev, status.st_ino), -1)
        how = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, how)
    except OSError as error:
        raise _not_opened(path, error) from error
    try:
        status = os.fstat(descriptor)
        if not is_trusted:
            _check_owner(path, status, os.stat("..", dir_fd=descriptor, follow_symlinks=False))
    except (HoldfastError, OSError):
        os.close(descriptor)
        raise
    return Project(path, (status.st_dev, status.st_ino), descriptor)


def _not_opened(path: Path, error: OSError) -> HoldfastError:
    if path.is_symlink():
        return Refused(
            "The project's directory is now a link. Choose the directory that it leads to.", detail=str(path)
        )
    if isinstance(error, NotADirectoryError) and path.exists():
        return Refused("Where the project's directory was there is now a file. Choose a directory.", detail=str(path))
    if isinstance(error, PermissionError):
        return Refused("The project's directory cannot be entered. Check its permissions.", detail=str(path))
    return NotFound("The project's directory is gone.", detail=f"{path}: {error}")


def _check_owner(path: Path, status: os.stat_result, parent: os.stat_result) -> None:
    """Be as careful as version control is: what others may change there is run by agents."""
    if status.st_uid != os.geteuid():
        raise Untrusted(
            "The project's directory belongs to another user. Continue there only if you trust them.",
            path=str(path),
            owner=_name_of(status.st_uid),
        )
    if any(part.st_mode & stat.S_IWOTH and not part.st_mode & stat.S_ISVTX for part in (status, parent)):
        raise Untrusted(
            "Every user can change the project's directory. Mend its permissions, or say that you trust it.",
            path=str(path),
        )
    for above in path.parents:
        link = above.lstat()
        if stat.S_ISLNK(link.st_mode) and link.st_uid not in (0, os.geteuid()):
            raise Refused("The way to the project's directory leads over a link of another user.", detail=str(above))


def _name_of(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # of another machine, or deleted
        return f"user {user}"
