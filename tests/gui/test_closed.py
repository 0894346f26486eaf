"""Conversations that only their agent can read, in the whole window: told as what they are, never as empty."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import Qt

from tests.fakes.desk import Desk, on_a_desk
from tests.fakes.waiting import until

KEY = "9b2f0c61-6c0e-4f0f-9a55-7d0f1c3e2a11"


def write(path: Path) -> None:
    """Write a conversation in a form that nobody can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x08\x01" * 2048)


async def opened(desk: Desk, path: Path, session_id: str) -> None:
    """Write such a conversation and open it."""
    write(path)
    await desk.context.library.update()
    await desk.context.browser.ask()
    await until(lambda: desk.window.session_list.select_session(session_id))
    await until(lambda: desk.context.reading.loaded)


@on_a_desk
async def test_a_closed_conversation_says_what_is_known_and_how_it_goes_on(desk):
    path = desk.home.path / ".codeium" / "windsurf" / "cascade" / f"{KEY}.pb"

    await opened(desk, path, f"windsurf:{KEY}")

    panel = desk.context.transcript.closed
    await until(lambda: panel.isVisible() and "editor" in panel.words)
    assert panel.words.startswith("Windsurf keeps this conversation closed")
    assert "encrypted" in panel.words and "It is not empty" in panel.words
    assert "4.1 kB" in panel.words and "~/.codeium/windsurf/cascade/" in panel.words
    assert "This conversation can only be continued in its editor." in panel.words
    model = desk.window.session_list.model
    spoken = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]
    assert [words for words in spoken if "kept closed by its agent" in words] == [spoken[1]]


@on_a_desk
async def test_what_is_known_of_a_closed_conversation_is_shown_with_a_word_about_the_rest(desk):
    home = desk.home.path / ".gemini" / "antigravity-cli"
    home.mkdir(parents=True)
    line = {"display": "Draw the reef", "timestamp": 1_794_300_000_000, "conversationId": KEY}
    (home / "history.jsonl").write_text(json.dumps(line) + "\n")

    await opened(desk, home / "conversations" / f"{KEY}.pb", f"antigravity:{KEY}")

    await until(desk.context.transcript.view.isVisible)
    assert not desk.context.transcript.closed.isVisible()
    assert desk.window.notice.words.startswith("The answers are kept closed by their agent")


@on_a_desk
async def test_another_session_takes_the_place_of_a_closed_one(desk):
    path = desk.home.path / ".codeium" / "windsurf" / "cascade" / f"{KEY}.pb"
    await opened(desk, path, f"windsurf:{KEY}")

    await desk.select(next(title for title in desk.titles if title != "Encrypted conversation"))

    await until(desk.context.transcript.view.isVisible)
    assert not desk.context.transcript.closed.isVisible()
