"""Real disks in trouble: full, out of files, read-only, files of limited size, files that may not change (Linux, root).

Where this machine does not allow one of them, the report says which.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.children import Child
from tests.faults.programme import Report
from tests.faults.story import Story, Writer, violations

_SIZE: Final = 512 << 10
_PAGE: Final = 4096
_SAVES: Final = 4


def every_disk(writers: Sequence[Writer]) -> Report:
    """Let every writer work on each kind of disk in trouble."""
    report = Report()
    for name, trouble in _TROUBLES.items():
        for writer in writers:
            try:
                report += trouble(writer)
            except (subprocess.CalledProcessError, FileNotFoundError) as error:
                report.broken.append(f"{name}: this machine does not allow it: {error}")
                break
    return report


def _full(writer: Writer) -> Report:
    """Leave 0 to 24 pages free, page by page."""
    report = Report()
    for free in (*range(12), *range(12, 25, 3)):
        with _mounted(f"size={_SIZE}") as top:
            root = _prepared(writer, top)
            _fill(top / "filler", leave_bytes=free * _PAGE)
            story = Child(writer, root, saves=min(_SAVES, writer.most), before=_nothing).wait()
            (top / "filler").unlink()
            report += _judged(writer, root, story, f"{free} pages left")
    return report


def _without_inodes(writer: Writer) -> Report:
    """Leave room for 0 to 5 more files."""
    report = Report()
    for free in range(6):
        with _mounted(f"size={_SIZE},nr_inodes=200") as top:
            root = _prepared(writer, top)
            spare = top / "spare"
            spare.mkdir()
            left = os.statvfs(top).f_ffree - free
            for number in range(left):
                (spare / f"{number}").touch()
            story = Child(writer, root, saves=min(_SAVES, writer.most), before=_nothing).wait()
            shutil.rmtree(spare)
            report += _judged(writer, root, story, f"{free} files left")
    return report


def _read_only(writer: Writer) -> Report:
    with _mounted(f"size={_SIZE}") as top:
        root = _prepared_by_another(writer, top)  # whose files are closed: nothing is open for writing
        _run("mount", "-o", "remount,ro", str(top))
        story = Child(writer, root, saves=min(_SAVES, writer.most), before=_nothing).wait()
        _run("mount", "-o", "remount,rw", str(top))
        found = _judged(writer, root, story, "read-only")
    if story.kept:
        found.broken.append(f"{writer.name} acknowledged a save on a read-only disk")
    return found


def _size_limit(writer: Writer) -> Report:
    """Let no file grow beyond some pages."""
    report = Report()
    for size in (0, 1, 100, 1000, *(_PAGE * pages for pages in range(1, 12))):
        with tempfile.TemporaryDirectory() as name:
            root = _prepared(writer, Path(name))
            limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
            story = Child(writer, root, saves=min(_SAVES, writer.most), before=limit).wait()
            report += _judged(writer, root, story, f"files of at most {size} bytes")
    return report


def _unchangeable(writer: Writer) -> Report:
    """Make each file in turn one that nobody may change."""
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        earlier = _prepared(writer, Path(name))
        names = sorted(path.relative_to(earlier) for path in earlier.rglob("*") if path.is_file())
    for name_of_file in names:
        with tempfile.TemporaryDirectory() as name:
            root = _prepared(writer, Path(name))
            if not (root / name_of_file).exists():
                continue
            _run("chattr", "+i", str(root / name_of_file))
            try:
                story = Child(writer, root, saves=min(_SAVES, writer.most), before=_nothing).wait()
            finally:
                _run("chattr", "-i", str(root / name_of_file))
            report += _judged(writer, root, story, f"{name_of_file} may not change")
    return report


_TROUBLES: Final[dict[str, Callable[[Writer], Report]]] = {
    "full": _full,
    "no inodes": _without_inodes,
    "read-only": _read_only,
    "size limit": _size_limit,
    "unchangeable": _unchangeable,
}


def _judged(writer: Writer, root: Path, story: Story, what: str) -> Report:
    found = violations(writer, root, story)
    return Report(1, story.lowest, [f"{writer.name} {what}: {broken} {story.refused}" for broken in found])


def _prepared(writer: Writer, top: Path) -> Path:
    root = top / "work"
    root.mkdir()
    writer.prepare(root)
    return root


def _prepared_by_another(writer: Writer, top: Path) -> Path:
    process = os.fork()
    if process:
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, f"{writer.name} could not be prepared"
        return top / "work"
    code = 1
    try:
        _prepared(writer, top)
        code = 0
    finally:
        os._exit(code)


@contextmanager
def _mounted(options: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", name)
        try:
            yield Path(name)
        finally:
            _run("umount", "-l", name)


def _fill(path: Path, *, leave_bytes: int) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(_PAGE))
    size = path.stat().st_size
    os.truncate(path, max(0, size - leave_bytes))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _nothing() -> None:
    """Leave the child as it is."""
