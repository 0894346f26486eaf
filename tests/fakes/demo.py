"""An invented home with two weeks of sessions, for pictures and for whoever wants to look around."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import datetime, timedelta
from pathlib import Path

from tests.fakes.demo_deploy import write_deploy
from tests.fakes.demo_stories import STORIES, Story
from tests.fakes.pens import ClaudeCodePen, CodexPen, Pen

_PENS = {"C": ClaudeCodePen, "X": CodexPen}
CODE = Path("/home/robin/code")


def write_demo(home: Path, *, now: datetime, code: Path = CODE) -> dict[str, str]:
    """Write every session below ``home`` as the agents would, the last of them shortly before ``now``.

    Their projects are directories in ``code``, which are made if it lies in
    ``home``. Returns the native ids by title.
    """
    pens = [_tell(home, story, now, code) for story in STORIES]
    deploy = write_deploy(home, project=str(code / "kelp-api"), started=_moment(now, 0, "10:02"))
    if code.is_relative_to(home):
        for pen in pens:
            Path(pen.project).mkdir(parents=True, exist_ok=True)
    for pen in (*pens, deploy):
        pen.save()
    titles = [*(story.title for story in STORIES), "Why does the nightly deploy time out?"]
    return {title: pen.session_id for title, pen in zip(titles, (*pens, deploy), strict=True)}


def _tell(home: Path, story: Story, now: datetime, code: Path) -> Pen:
    ended = _moment(now, story.days_ago, story.clock)
    started = ended - timedelta(minutes=7 * story.turns)
    pen = _PENS[story.pen](home, project=str(code / story.project), started=started, branch=story.branch)
    pen.prompt(story.prompt)
    pen.wait(9)
    pen.think(f"The person wants: {story.prompt} I look at what is there before I change anything.")
    for turn in range(story.turns):
        _work(pen, story, turn)
    if story.project == "tidepool-web":
        pen.picture("This is how it looks here.", picture())
        pen.wait(12)
    pen.run(story.command, story.output)
    pen.now = ended.astimezone(pen.now.tzinfo)
    pen.say(story.answer)
    pen.title(story.title)
    return pen


def _work(pen: Pen, story: Story, turn: int) -> None:
    """Write one round of looking, changing and testing."""
    module = f"src/{story.branch.replace('-', '_')}/part_{turn + 1}.py"
    source = f"def step_{turn}(items):\n    return [item for item in items if item]\n"
    pen.wait(40)
    pen.read(f"{pen.project}/{module}", source)
    pen.wait(30)
    pen.edit(f"{pen.project}/{module}", source, source.replace("if item", "if item is not None"), line=12 * turn + 1)
    pen.wait(55)
    pen.run(f"pytest -q -k step_{turn}", f"{turn + 3} passed in 0.{turn + 2}4s")
    pen.say(f"Step {turn + 1} of {story.turns}: `{module}` keeps empty values now, and its tests pass.")
    if turn % 3 == 1:
        pen.wait(90)
        pen.prompt("Good. Go on, and keep the commits small.")


def _moment(now: datetime, days_ago: int, clock: str) -> datetime:
    """Return that time of that day, moved before ``now`` if the day has not come to it yet."""
    hour, minute = map(int, clock.split(":"))
    moment = (now - timedelta(days=days_ago)).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return moment if moment < now else moment - timedelta(hours=moment.hour - max(0, now.hour - 1))


def picture(width: int = 320, height: int = 180) -> str:
    """Return a small PNG of a calm gradient in Base64, made here so that no picture needs a licence."""
    rows = (
        b"\0" + b"".join(bytes((11 + x // 4, 90 + y // 3, 105 + (x + y) // 6)) for x in range(width))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()
