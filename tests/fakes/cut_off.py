"""Sessions that were live when their host was killed: a real process with live sessions, ended by SIGKILL.

python -m tests.fakes.cut_off HOME TITLE [PROJECT]
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from holdfast_core.library import Library
from holdfast_core.paths import find_paths

ROOT = Path(__file__).parents[2]
SAID = ("What has to be done first?", "The writer, then the reader.", "And what can wait?", "The dashboard.")


def cut_off(home: Path, title: str, project: str = "") -> None:
    """Leave a session behind whose host was killed while it was live; all that was said is acknowledged."""
    command = [sys.executable, "-m", "tests.fakes.cut_off", str(home), title, project]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)


async def _live(home: Path, title: str, project: str) -> None:
    library = Library.open(find_paths(str(home)), agents_home=home / "nobody", environment={})
    done = await library.held.start(project, title=title)
    for number, words in enumerate(SAID):
        await library.held.append_text(done.id, "assistant" if number % 2 else "user", words)
    saved = asyncio.Event()
    library.held.events.add(lambda event: saved.set() if event.kind == "saved" else None)
    await library.held.append_text(done.id, "user", "Then go on.")
    await saved.wait()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_live(Path(sys.argv[1]), *sys.argv[2:4]))
