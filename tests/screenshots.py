"""The pictures of the documents: the real program on invented sessions, drawn without a display.

    python3 dev.py screenshot [--only NAME …] [--into DIRECTORY]

Every picture is a process of its own that starts as a person starts it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.library import Library
from holdfast_core.model.start import WindowStart
from holdfast_core.paths import find_paths
from holdfast_core.settings import Settings

from tests.fakes.cut_off import cut_off
from tests.fakes.demo import write_demo
from tests.fakes.demo_deploy import TITLE
from tests.fakes.waiting import until

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1440, 900)
STEADY_GRABS = 12
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture. ``play`` brings the window to where it is to be seen."""

    theme: str
    play: Callable[[Stage], Awaitable[None]]
    size: tuple[int, int] = SIZE
    is_empty: bool = False
    is_first: bool = False
    """Whether nothing was read before."""
    text_size: float = 1.0
    prepare: Callable[[Path, Path], None] | None = None
    """What is done in our own directory, given the person's projects, before the start."""
    robbed: str = ""
    """The title of a session that its agent has cut, in a home of this scene alone."""


@dataclass(slots=True)
class Stage:
    """The window of a scene and the id of the session that most of them show; a ``dialog`` is drawn in its place."""

    window: object
    session_id: str
    dialog: object = None

    async def listed(self) -> None:
        """Wait until the start has ended, then open the session."""
        await _steady(self.window)
        await until(lambda: self.window.session_list.select_session(self.session_id), seconds=PATIENCE_SECONDS)

    def do(self, action: str) -> None:
        """Choose an action as a menu does."""
        from PySide6.QtGui import QAction

        self.window.findChild(QAction, action).trigger()

    def write(self, text: str) -> None:
        """Type into what has the focus. Events are sent and not played: that would nest a loop in a coroutine."""
        from PySide6.QtCore import QEvent, Qt
        from PySide6.QtGui import QKeyEvent
        from PySide6.QtWidgets import QApplication

        for letter in text:
            pressed = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)
            QApplication.sendEvent(self.window.focusWidget(), pressed)


async def _open_session(stage: Stage) -> None:
    await stage.listed()


async def _scroll_down(stage: Stage) -> None:
    from holdfast_gui.views.transcript.pane import TranscriptPane

    await stage.listed()
    await _steady(stage.window)
    stage.window.findChild(TranscriptPane).scroll_to_message(40)


async def _search(stage: Stage) -> None:
    await _steady(stage.window)
    stage.window.focus_search()
    stage.write("project:kelp pool")
    await until(lambda: stage.window.session_list.best_hit(stage.session_id), seconds=PATIENCE_SECONDS)
    stage.window.session_list.select_session(stage.session_id)


async def _palette(stage: Stage) -> None:
    await stage.listed()
    stage.do("application.palette")
    await _steady(stage.window)
    stage.write("re")


async def _health(stage: Stage) -> None:
    await stage.listed()
    stage.do("view.health")
    await until(stage.window.page.updated.text, seconds=PATIENCE_SECONDS)
    await _steady(stage.window.page.timings)  # the time of day in the head goes on


async def _settings(stage: Stage) -> None:
    from holdfast_gui.views.settings import SettingsDialog

    await stage.listed()
    stage.do("application.settings")
    stage.dialog = await until(lambda: stage.window.findChild(SettingsDialog), seconds=PATIENCE_SECONDS)
    await until(stage.dialog.isVisible, seconds=PATIENCE_SECONDS)
    stage.dialog.show_section("Held sessions")
    await _steady(stage.dialog)


def _cut_off(own: Path, code: Path) -> None:
    for title, project in (("Plan the move to contentless FTS", "holdfast"), ("Find the slow query", "kelp-api")):
        cut_off(own, title, str(code / project))


def _throw_away(own: Path, code: Path) -> None:
    async def work() -> None:
        library = Library.open(find_paths(own), agents_home=own / "nobody", environment={})
        for title, project in (("Notes on the outage", "kelp-api"), ("A first sketch of the rail", "holdfast")):
            session = await library.held.create(str(code / project), title=title)
            await library.held.append_text(session.id, "user", "What has to be done first, and what can wait?")
            await library.held.delete([session.id])
        await library.close()

    asyncio.run(work())


async def _lost(stage: Stage) -> None:
    await _steady(stage.window)
    stage.do("view.lost")
    rows = stage.window.session_list.model
    await until(lambda: rows.session_count == 1, seconds=PATIENCE_SECONDS)
    await until(lambda: stage.window.session_list.select_session(stage.session_id), seconds=PATIENCE_SECONDS)
    await until(lambda: stage.window.notice.words, seconds=PATIENCE_SECONDS)
    await _steady(stage.window)


async def _storage(stage: Stage) -> None:
    await _steady(stage.window)
    stage.do("storage.open")
    page = await until(lambda: stage.window.page, seconds=PATIENCE_SECONDS)
    await until(lambda: page.freeing.lines, seconds=PATIENCE_SECONDS)
    page.measure_wanted.emit()
    await until(page.kinds.measure_button.isEnabled, seconds=PATIENCE_SECONDS)
    for line in page.freeing.lines[:2]:
        line.setChecked(True)
    await _steady(page)


async def _first_run(stage: Stage) -> None:
    page = stage.window.first_run
    await until(page.isVisible, seconds=PATIENCE_SECONDS)
    await until(lambda: page.keeping.words.startswith("No agent can lose"), seconds=PATIENCE_SECONDS)
    await until(lambda: page.progress_words == "Everything has been read", seconds=PATIENCE_SECONDS)
    await until(lambda: stage.window.places.status.words.startswith("All"), seconds=PATIENCE_SECONDS)
    await _steady(stage.window)


def _rob(own: Path, person: Path, title: str) -> None:
    """Keep everything, then let an agent cut one of its files."""

    async def work() -> None:
        library = _keeping(own, person)
        await library.update()
        await library.vaulted.verify()
        entries = await library.entries(await library.keys(""))
        _cut(Path(next(entry.source_path for entry in entries if entry.title == title)))
        await library.update()
        await library.close()

    asyncio.run(work())


def _cut(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 8]))


def _keeping(own: Path, person: Path) -> Library:
    settings = Settings(vault_reserve_mb=0, use_keyring=False)
    return Library.open(find_paths(own), agents_home=person, environment={}, settings=settings)


async def _recovery(stage: Stage) -> None:
    from holdfast_gui.views.recovery import RecoveryPage

    await until(lambda: isinstance(stage.window.page, RecoveryPage), seconds=PATIENCE_SECONDS)
    await _steady(stage.window)


async def _trash(stage: Stage) -> None:
    await _steady(stage.window)
    stage.do("view.trash")
    await until(lambda: stage.window.page.entries, seconds=PATIENCE_SECONDS)
    await _steady(stage.window)


async def _wait(_stage: Stage) -> None:
    """Show what is there by itself."""


SCENES = {
    "main-light": Scene("light", _open_session),
    "main-dark": Scene("dark", _open_session),
    "search-dark": Scene("dark", _search),
    "long-light": Scene("light", _scroll_down),
    "palette-dark": Scene("dark", _palette),
    "health-light": Scene("light", _health),
    "health-dark": Scene("dark", _health),
    "settings-light": Scene("light", _settings),
    "recovery-light": Scene("light", _recovery, prepare=_cut_off),
    "trash-dark": Scene("dark", _trash, prepare=_throw_away),
    "lost-light": Scene("light", _lost, robbed="Refactor the billing webhook"),
    "storage-light": Scene("light", _storage),
    "first-run-light": Scene("light", _first_run, is_first=True),
    "empty-light": Scene("light", _wait, is_empty=True),
    "narrow-light": Scene("light", _open_session, size=(900, 700)),
}


def main(arguments: list[str]) -> int:
    """Make the pictures; returns 1 if one could not be made."""
    options = _parser().parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    if options.scene:
        return _show(options.scene, options.home, options.into / f"{options.scene}.png")
    with tempfile.TemporaryDirectory(prefix="holdfast-pictures-") as directory:
        home = Path(directory)
        person = home / "person"
        write_demo(person, now=datetime.now().astimezone(), code=person / "code")
        _install_agents(person)
        (home / "nobody").mkdir()
        asyncio.run(_index(home))
        command = [sys.executable, "-m", "tests.screenshots", "--home", directory, "--into", str(options.into)]
        programs = os.pathsep.join((str(person / ".local" / "bin"), os.environ.get("PATH", "")))
        here = {"HOME": str(person), "PATH": programs, "HOLDFAST_HOME": "", "QT_QPA_PLATFORM": "offscreen"}
        environment = {**os.environ, **here}
        failed = [
            name
            for name in options.only or SCENES
            if subprocess.call([*command, "--scene", name], env=environment, cwd=ROOT)
        ]
    return int(bool(failed))


def _install_agents(home: Path) -> None:
    """Put programs with the agents' names where their installers do; resuming is shown and not done."""
    folder = home / ".local" / "bin"
    folder.mkdir(parents=True)
    for agent in all_agents().values():
        (folder / agent.program).write_text("#!/bin/sh\n")
        (folder / agent.program).chmod(0o755)


async def _index(home: Path) -> None:
    """Index the sessions, and say of some what a person would."""
    library = _keeping(home / "own", home / "person")
    try:
        await library.update()
        await library.vaulted.verify()
        entries = await library.entries(await library.keys(""))
        by_title = {entry.title: entry.id for entry in entries}
        starred = [
            by_title[title] for title in (TITLE, "Refactor the billing webhook", "Find the slow query behind /search")
        ]
        await library.annotate(starred, starred=True)
        await library.annotate([by_title[TITLE]], add_tags=["deploy", "incident"], note="The VACUUM half is KELP-812.")
        await library.annotate([by_title["Write the incident report for the outage"]], add_tags=["incident"])
        for title in ("Plan the move to contentless FTS", "What to say at the review"):
            session = await library.held.create(title=title)
            await library.held.append_text(session.id, "user", "What has to be done first, and what can wait?")
    finally:
        await library.close()


def _show(name: str, home: Path, path: Path) -> int:
    """Start the program, play one scene in it, and write what the window shows."""
    from holdfast_gui.actions.desktop import Application
    from holdfast_gui.single_instance import Instance
    from qasync import QEventLoop

    scene = SCENES[name]
    own = home / name
    person = home / ("nobody" if scene.is_empty else "person")
    if not (scene.is_empty or scene.is_first or scene.robbed):
        shutil.copytree(home / "own", own)
    if scene.robbed:
        person = home / f"{name}-person"
        write_demo(person, now=datetime.now().astimezone(), code=person / "code")
        _rob(own, person, scene.robbed)
    if scene.prepare:
        scene.prepare(own, home / "person" / "code")
    paths = find_paths(own)
    paths.create()
    application = Application()
    application.setCursorFlashTime(0)
    instance = Instance(paths.data)
    assert instance.claim()
    start = WindowStart(
        agents_home=str(person),
        overrides={"theme": scene.theme, "font_scale": str(scene.text_size), "vault_reserve_mb": "0"},
    )
    with asyncio.Runner(loop_factory=lambda: QEventLoop(application)) as runner:
        runner.run(_perform(application, instance, paths, start, scene, path))
    instance.close()
    print(f"{path.name}")
    return 0


async def _perform(application, instance, paths, start: WindowStart, scene: Scene, path: Path) -> None:
    from holdfast_gui import app

    running = asyncio.ensure_future(app.run(application, instance, paths, start))
    window = await until(lambda: _main_window(application), seconds=PATIENCE_SECONDS)
    await _sized(window, scene.size)
    stage = Stage(window, await _id_of(paths, scene.robbed or TITLE))
    await scene.play(stage)
    await _sized(window, scene.size)
    if stage.dialog is None and window.page is None:
        await _steady(window)
    picture = (stage.dialog or window).grab().toImage()
    is_sized = stage.dialog is not None or picture.size().toTuple() == scene.size
    assert is_sized, f"{path.name} would be {picture.size().toTuple()}"
    betrayed = [words for words in _words_in_sight(window) if str(Path.home().parent) in words]
    assert not betrayed, f"{path.name} would show a directory of this machine: {betrayed}"
    assert picture.save(str(path))
    application.quit_wanted.emit()
    await running


async def _id_of(paths, title: str) -> str:
    library = Library.open(paths)
    try:
        entries = await library.entries(await library.keys(""))
    finally:
        await library.close()
    return next((entry.id for entry in entries if entry.title == title), "")


async def _sized(window, size: tuple[int, int]) -> None:
    """Give the window its size, also where its start has made it as large as a small screen."""
    from PySide6.QtCore import QSize, Qt

    def has_size() -> bool:
        window.setWindowState(Qt.WindowState.WindowNoState)
        window.resize(QSize(*size))
        return window.size() == QSize(*size)

    await until(has_size, seconds=PATIENCE_SECONDS)


def _words_in_sight(window) -> list[str]:
    """Return foreign text that can be read in the window: the transcript, what a search found, the details."""
    from holdfast_gui.models.session_list import SessionRole
    from holdfast_gui.views.detail_parts import Value
    from holdfast_gui.views.transcript.view import TranscriptView

    model = window.session_list.model
    hits = (model.index(row, 0).data(SessionRole.HIT) for row in range(model.rowCount()))
    words = [hit.best.snippet for hit in hits if hit]
    for view in window.findChildren(TranscriptView):
        words += [placed.chunk.plain for placed in view.placed()]
    return words + [value.text() for value in window.findChildren(Value)]


def _main_window(application):
    from holdfast_gui.views.window import MainWindow

    return next((top for top in application.topLevelWidgets() if isinstance(top, MainWindow) and top.isVisible()), None)


async def _steady(window) -> None:
    """Wait until the window has looked the same for a while."""
    seen = [window.grab().toImage()]

    def looks_the_same() -> bool:
        now = window.grab().toImage()
        if now != seen[0]:
            seen.clear()
        seen.append(now)
        return len(seen) > STEADY_GRABS

    await until(looks_the_same, seconds=PATIENCE_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 dev.py screenshot", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(SCENES), help="make these pictures alone")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images", help="where they go (docs/images)")
    parser.add_argument("--scene", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
