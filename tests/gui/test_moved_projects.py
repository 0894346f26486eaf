"""A session of an agent that looks only in its own directory goes on in the one that its project has moved to."""

import shutil

from PySide6.QtWidgets import QApplication, QDialog

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

RETRY = "Retry uploads after a dropped connection"
SECONDS = 10


async def _dialog(title):
    def shown():
        found = QApplication.activeModalWidget()
        return isinstance(found, QDialog) and found.windowTitle() == title and found

    return await until(shown, seconds=SECONDS)


def _moved(desk, monkeypatch, top):
    """Move the project of a session away, and make its agent and a terminal known."""
    programs = top / "bin"
    programs.mkdir()
    for name in ("xterm", "claude"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    new = desk.home.path / "code" / "elsewhere" / "kelp-api"
    new.parent.mkdir()
    shutil.move(desk.home.path / "code" / "kelp-api", new)


@on_a_desk
async def test_the_person_is_asked_for_the_place_then_for_the_copy_and_it_goes_on_there(desk, monkeypatch, tmp_path):
    await desk.select(RETRY)
    _moved(desk, monkeypatch, tmp_path)
    name = f"{desk.id_of(RETRY).partition(':')[2]}.jsonl"

    desk.context.actions.run("session.resume")
    (await _dialog("The project has moved")).accept()
    asked = await _dialog("The agent would not find this session there")
    before = len(list(desk.home.path.rglob(name)))
    asked.accept()
    await until(lambda: len(list(desk.home.path.rglob(name))) == 2, seconds=SECONDS)

    assert before == 1
    copies = sorted(desk.home.path.rglob(name))
    assert copies[0].read_bytes() == copies[1].read_bytes()
    assert any("elsewhere-kelp-api" in path.parent.name for path in copies)
    await until(lambda: QApplication.activeModalWidget() is None)


@on_a_desk
async def test_without_the_persons_word_nothing_is_put_anywhere(desk, monkeypatch, tmp_path):
    await desk.select(RETRY)
    _moved(desk, monkeypatch, tmp_path)
    name = f"{desk.id_of(RETRY).partition(':')[2]}.jsonl"

    desk.context.actions.run("session.resume")
    (await _dialog("The project has moved")).accept()
    (await _dialog("The agent would not find this session there")).reject()
    await until(lambda: QApplication.activeModalWidget() is None)

    assert len(list(desk.home.path.rglob(name))) == 1
