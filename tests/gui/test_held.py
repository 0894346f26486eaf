"""Held sessions in the whole window, by keys and clicks, over the real library."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests.fakes.desk import started
from tests.fakes.waiting import until

SECONDS = 20


async def keep(desk, title: str, *said: str, project: str = "") -> str:
    """Keep a session of our own and wait until it is listed."""
    held = desk.context.library.held
    session = await held.create(project, title=title)
    for words in said or ("Hello",):
        await held.append_text(session.id, "user", words)
    await until(lambda: title in desk.titles, seconds=SECONDS)
    return session.id




async def test_a_held_session_opens_and_is_renamed_starred_and_noted(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move")
        assert desk.window.session_list.select_session(session_id)
        await until(lambda: desk.context.reading.loaded, seconds=SECONDS)
        await until(lambda: not desk.window.detail.held.isHidden(), seconds=SECONDS)

        assert desk.window.head.title == "Plan the move"
        assert desk.window.detail.held.facts.values["State"] == "closed"
