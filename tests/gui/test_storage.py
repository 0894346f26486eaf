"""The storage page and the first page in the whole window: what is shown, freed, given back, kept and let go of."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from holdfast_core import library
from holdfast_core.library import minding
from holdfast_core.model.vault import BadVersion, VaultReport
from holdfast_core.settings import change_setting
from holdfast_gui.actions.verifying import tell, told
from holdfast_gui.actions.welcoming import Welcoming
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.expiring import ExpiringPage
from holdfast_gui.views.session_lines import SessionLine
from holdfast_gui.views.settings import SettingsDialog
from holdfast_gui.views.storage import StoragePage
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.fakes.desk import on_a_desk, started
from tests.fakes.waiting import until

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def _own_trash(tmp_path, monkeypatch):
    """Let what goes to the trash stay in the test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "trash"))


async def keep_all(desk) -> None:
    """Capture everything, whatever space there is, and prove it."""
    change_setting(desk.paths, "vault_reserve_mb", 0)
    await desk.context.follow_settings()
    await desk.context.library.update(full=True)
    await desk.context.library.vaulted.verify()


async def go(desk) -> StoragePage:
    desk.context.actions.run("storage.open")
    page = desk.window.page
    assert isinstance(page, StoragePage)
    await until(lambda: page.agents.bars.rows() or page.state.isVisible())
    return page


async def question(desk) -> ConfirmSheet:
    def asked() -> ConfirmSheet | None:
        return next((one for one in desk.window.findChildren(ConfirmSheet) if one.isVisible()), None)

    return await until(asked, what="a question")


async def offered(desk, page: StoragePage) -> tuple[SessionLine, Path]:
    """Return the first that can be freed, and its file."""
    await until(lambda: page.freeing.lines)
    line = page.freeing.lines[0]
    return line, Path((await desk.context.library.entry(line.told.session_id)).source_path)


def content(path: Path) -> bytes | None:
    return path.read_bytes() if os.path.lexists(path) else None


def in_file(desk) -> dict:
    return tomllib.loads(desk.paths.settings.read_text("utf-8")) if desk.paths.settings.exists() else {}


@on_a_desk
async def test_the_page_says_what_every_agent_takes_and_leads_to_it(desk):
    await keep_all(desk)
    page = await go(desk)
    names = [row.bar.name for row in page.agents.bars.rows()]
    assert sorted(names) == ["Claude Code", "Codex"]

    QTest.mouseClick(page.agents.bars.rows()[0], LEFT)
    await until(desk.window.session_list.isVisible)

    assert desk.context.browser.query_text == page.agents.bars.rows()[0].bar.key


@on_a_desk
async def test_what_is_freed_goes_to_the_trash_and_comes_back(desk):
    await keep_all(desk)
    page = await go(desk)
    line, path = await offered(desk, page)
    before = content(path)

    QTest.mouseClick(line, LEFT)
    QTest.mouseClick(page.freeing.button, LEFT)
    sheet = await question(desk)
    assert "Every byte was compared just now" in sheet.words
    QTest.mouseClick(sheet.confirm_button, LEFT)
    await until(lambda: "system's trash" in desk.context.toast.words)
    assert content(path) is None

    QTest.mouseClick(desk.context.toast.button, LEFT)
    await until(lambda: "with their agents again" in desk.context.toast.words)

    assert before and content(path) == before


@on_a_desk
async def test_nothing_goes_without_a_yes(desk):
    await keep_all(desk)
    page = await go(desk)
    line, path = await offered(desk, page)

    QTest.mouseClick(line, LEFT)
    QTest.mouseClick(page.freeing.button, LEFT)
    sheet = await question(desk)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    await until(page.freeing.button.isEnabled)

    assert content(path)


@on_a_desk
async def test_a_file_that_changed_since_stays(desk):
    await keep_all(desk)
    page = await go(desk)
    line, path = await offered(desk, page)
    path.unlink()

    QTest.mouseClick(line, LEFT)
    QTest.mouseClick(page.freeing.button, LEFT)
    sheet = await question(desk)

    assert sheet.windowTitle() == "Nothing of this can go now" and not sheet.confirm_button.isVisible()
    sheet.reject()


@on_a_desk
async def test_a_sample_is_measured_on_request(desk):
    await keep_all(desk)
    page = await go(desk)

    QTest.mouseClick(page.kinds.measure_button, LEFT)
    await until(lambda: page.kinds.parts.isVisibleTo(page))

    assert page.kinds.measure_button.isEnabled()


@on_a_desk
async def test_an_empty_vault_leads_to_the_settings_if_it_is_off(desk):
    change_setting(desk.paths, "vault_enabled", False)
    await desk.context.follow_settings()
    library = desk.context.library
    await library.vaulted.forget(None)

    page = await go(desk)

    assert page.state.button.text() == "Open settings…"


@on_a_desk
async def test_what_agents_delete_next_stands_on_its_page(desk):
    await keep_all(desk)
    path = next((desk.home.path / ".claude" / "projects").rglob("*.jsonl"))
    old = path.stat().st_mtime - 29 * 86_400
    os.utime(path, (old, old))
    await desk.context.library.update()

    desk.context.actions.run("view.expiring")
    page = desk.window.page
    assert isinstance(page, ExpiringPage)
    await until(lambda: page.lines)

    assert "Claude Code deletes what was not written to for 30 days: cleanupPeriodDays in its settings." in (
        page.rule_words
    )
    QTest.mouseClick(page.lines[0], LEFT)
    await until(lambda: desk.context.reading.session_id == page.lines[0].told.session_id)


@on_a_desk
async def test_where_nothing_is_kept_keeping_leads_to_its_setting(desk):
    change_setting(desk.paths, "vault_enabled", False)
    await desk.context.follow_settings()
    path = next((desk.home.path / ".claude" / "projects").rglob("*.jsonl"))
    old = path.stat().st_mtime - 29 * 86_400
    os.utime(path, (old, old))
    await desk.context.library.update()
    desk.context.actions.run("view.expiring")
    page = desk.window.page

    page.keep_wanted.emit()
    dialog = await until(lambda: (found := desk.window.findChild(SettingsDialog)) and found.isVisible() and found)

    assert dialog.shown_keys() == ["vault_enabled"]


@on_a_desk
async def test_what_is_switched_off_on_the_first_page_is_kept_no_more(desk):
    await keep_all(desk)
    vaulted = desk.context.library.vaulted
    before = (await vaulted.status()).sources
    desk.context.indexing.total = 0
    desk.context.indexing.welcome()
    page = desk.window.first_run
    await until(lambda: page.agent_rows() and page.keeping.words.startswith("No agent can lose"))
    codex = next(row for row in page.agent_rows() if row.agent == "codex")

    QTest.mouseClick(codex.switch, LEFT)
    await until(lambda: in_file(desk).get("vault_left_out") == ["agent:codex"])
    await until(lambda: "are removed again" in desk.context.toast.words)

    after = await vaulted.status()
    assert 0 < after.sources < before
    assert not [use for use in await vaulted.usage() if use.agent == "codex"]


async def test_what_is_left_out_stays_out_while_an_indexer_works(tmp_path, qapp):
    async with started(tmp_path) as desk:
        vaulted = desk.context.library.vaulted
        page = desk.window.first_run
        await until(lambda: page.isVisible() and page.keeping.words.startswith("No agent can lose"))
        await until(lambda: any(row.agent == "codex" for row in page.agent_rows()))
        row = next(row for row in page.agent_rows() if row.agent == "codex")

        QTest.mouseClick(row.switch, LEFT)
        await until(lambda: in_file(desk).get("vault_left_out") == ["agent:codex"])
        async with desk.window.findChild(Welcoming).order:  # what came of the switch
            await desk.context.library.update()

        uses = await vaulted.usage()
        assert {use.agent for use in uses} == {"claude_code"}
        assert len(await desk.context.library.keys("agent:codex")) > 0


async def test_the_vault_is_verified_by_itself_while_a_window_is_open(tmp_path, qapp, monkeypatch):
    monkeypatch.setattr(library, "_MIND_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(minding, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(minding, "_BUSY_SHARE", 1e9)

    async with started(tmp_path) as desk:
        await until(lambda: desk.context.toast.words.startswith("The vault was verified by itself"))
        status = await desk.context.library.vaulted.status()
        report = desk.context.library.vaulted.last_report

    assert status.last_verified_ms and report is not None and report.bad == ()


def test_what_was_verified_by_itself_is_told():
    bad = BadVersion("codex:1", 2, "damaged", "codex", "a")

    assert told(VaultReport(5)) == "The vault was verified by itself: 5 sources, all whole."
    assert told(VaultReport(5, repaired=2)).endswith("all whole. 2 mended from the agents' files.")
    assert told(VaultReport(5, bad=(bad, bad))).startswith(
        "The vault was verified by itself: of 5 sources 1 source is not whole."
    )


@on_a_desk
async def test_what_is_bad_stays_in_sight_and_leads_on(desk):
    tell(desk.context, VaultReport(5))
    assert desk.context.toast.words.endswith("all whole.")

    tell(desk.context, VaultReport(5, bad=(BadVersion("codex:1", 2, "damaged", "codex", "a"),)))

    assert desk.context.troubles.bar.isVisible()
