"""Whether a project's directory is still the one that was checked, after something was started for it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from holdfast_core.errors import Refused
from holdfast_core.resume.project import ANSWER_SECONDS, Project, open_project, within


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of one session as it was when it was first checked; ``project`` is to be closed by the caller."""

    project: Project
    seen: tuple[object, ...]
    is_trusted: bool

    @classmethod
    def open(cls, path: str, *, is_trusted: bool) -> Place:
        """Check a directory and hold it open; raises what `project.open_project` does."""
        project = open_project(path, is_trusted=is_trusted)
        try:
            return cls(project, _seen(project), is_trusted)
        except BaseException:
            project.close()
            raise

    def check_again(self) -> None:
        """Refuse if the directory is not the very same, with the same owner and permissions, on the same way.

        Raises:
            NotFound: it is gone.
            Refused: it is another one, or unsafe now.
        """
        with open_project(str(self.project.path), is_trusted=self.is_trusted) as again:
            if _seen(again) != self.seen:
                raise Refused("The project's directory was replaced or changed just now. Look at it and try again.")


def _seen(project: Project) -> tuple[object, ...]:
    """Return what must stay the same: inode, owner, permissions, and where the way leads."""

    def look() -> tuple[object, ...]:
        held = project.descriptor >= 0
        status = os.fstat(project.descriptor) if held else os.lstat(project.path)
        return (
            (status.st_dev, status.st_ino),
            (status.st_uid, status.st_gid),
            stat.S_IMODE(status.st_mode),
            os.path.realpath(project.path),
        )

    return within(ANSWER_SECONDS, look)
