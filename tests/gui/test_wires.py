"""What is connected to what: saved searches, notices, exports, settings, the order under headings."""

import logging

from holdfast_core.model.changes import ScanFailure, ScanReport
from holdfast_gui.actions import memory
from holdfast_gui.models.places import PlaceRole, SavedSearch
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit

from tests.fakes.desk import on_a_desk, started
from tests.fakes.homes import Turn
from tests.fakes.waiting import until

RETRY = "Retry uploads after a dropped connection"


def report(*failures: ScanFailure) -> ScanReport:
    return ScanReport(12, 100, 0, 0, 0, 0, (), 0.1, 0.1, 0, failures)


def count_of(desk, title: str) -> int | None:
    model = desk.window.places.list.model()
    rows = (model.index(row, 0) for row in range(model.rowCount()))
    return next((row.data(PlaceRole.COUNT) for row in rows if row.data() == title), None)


def facts(desk) -> dict[str, str]:
    return desk.window.detail.facts.values


@on_a_desk
async def test_a_saved_search_is_written_down_at_once_and_counted(desk):
    desk.window.search_field.set_text("jitter")
    await desk.listed(RETRY)

    desk.context.actions.run("search.save")
    await until(lambda: count_of(desk, "jitter") == 1)

    assert b"jitter" in memory.load(desk.paths.config).window


@on_a_desk
async def test_a_saved_search_that_is_not_understood_any_more_shows_no_count(desk):
    desk.window.places.add_saved(SavedSearch("odd", "is:purple"))
    desk.window.places.add_saved(SavedSearch("jitter", "jitter"))
    await until(lambda: count_of(desk, "jitter") == 1)

    assert count_of(desk, "odd") is None


@on_a_desk
async def test_counts_of_saved_searches_follow_the_index(desk):
    desk.window.places.add_saved(SavedSearch("jitter", "jitter"))
    await until(lambda: count_of(desk, "jitter") == 1)

    session = next(id for id, path in desk.home.written.items() if "jitter" not in path.read_text("utf-8"))
    desk.home.append(session, Turn("And the jitter?", "It is there, too."))
    await desk.context.library.update()
    await desk.context.indexing.count()

    await until(lambda: count_of(desk, "jitter") == 2)


@on_a_desk
async def test_a_folder_that_cannot_be_read_is_told_once_with_what_to_do(desk):
    failure = ScanFailure("codex", "EACCES")
    desk.parts.bridge.reported.emit(report(failure))
    told = desk.window.notice.words
    desk.window.notice.dismiss()

    desk.parts.bridge.reported.emit(report(failure))
    again = desk.window.notice.words

    assert told.startswith("The sessions of Codex cannot be looked through") and "permissions" in told
    assert again == ""


@on_a_desk
async def test_what_concerns_all_sessions_stays_while_one_is_opened_and_goes_when_it_is_mended(desk):
    desk.parts.bridge.reported.emit(report(ScanFailure("codex", "EIO")))
    await desk.select(RETRY)
    while_open = desk.window.notice.words

    desk.parts.bridge.reported.emit(report())

    assert "disk" in while_open
    assert desk.window.notice.words == ""


@on_a_desk
async def test_a_home_that_does_not_answer_is_told_by_its_place(desk):
    desk.parts.bridge.reported.emit(report(ScanFailure("", "does not answer", "/mnt/share")))

    assert desk.window.notice.words.startswith("The sessions of /mnt/share cannot be looked through")
    assert "does not answer" in desk.window.notice.words


@on_a_desk
async def test_the_button_of_a_notice_does_what_it_says(desk):
    desk.parts.bridge.reported.emit(report(ScanFailure("codex", "EACCES")))

    desk.window.notice.action_pressed.emit("application.rescan")

    await until(lambda: desk.context.toast.words)
    assert desk.context.toast.words == "Looking for new sessions"


@on_a_desk
async def test_paths_in_the_details_are_told_from_the_agents_home(desk):
    assert desk.window.detail.home == str(desk.home.path)


@on_a_desk
async def test_the_details_show_the_agent_s_own_command_and_copying_gives_the_whole_line(desk, monkeypatch, tmp_path):
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    await desk.select(RETRY)
    native_id = desk.id_of(RETRY).partition(":")[2]

    plan = await desk.context.library.resume_plan(desk.id_of(RETRY))
    shown = await until(lambda: facts(desk).get("Resume", "").startswith("claude") and facts(desk)["Resume"])

    assert shown == f"claude --resume {native_id}"
    assert plan.shell_line.startswith("cd ")


@on_a_desk
async def test_a_file_that_the_person_agreed_to_replace_is_replaced(desk, tmp_path):
    await desk.select(RETRY)
    target = tmp_path / "old.md"
    target.write_text("old")

    desk.context.actions.run("session.export")
    dialog = await until(lambda: desk.window.findChild(QFileDialog))
    dialog.setDirectory(str(tmp_path))
    dialog.findChild(QLineEdit).setText(target.name)
    dialog.done(QDialog.DialogCode.Accepted)

    await until(lambda: "jitter" in target.read_text())


@on_a_desk
async def test_the_name_of_an_export_follows_the_chosen_format(desk, tmp_path):
    await desk.select(RETRY)
    desk.context.actions.run("session.export")
    dialog = await until(lambda: desk.window.findChild(QFileDialog))
    dialog.setDirectory(str(tmp_path))
    dialog.selectNameFilter("JSON (*.json)")
    dialog.filterSelected.emit("JSON (*.json)")

    chosen = dialog.selectedFiles()[0]
    dialog.done(QDialog.DialogCode.Rejected)

    assert chosen.endswith(".json")


@on_a_desk
async def test_under_each_project_the_newest_sessions_come_first(desk):
    desk.window.session_list.group_chosen.emit("project")
    await until(lambda: desk.window.session_list.model.group_at(0).title == "holdfast")
    model = desk.window.session_list.model
    entries = [model.entry_at(row) for row in range(model.rowCount())]

    pairs = [(entry.project_path, entry.updated_ms) for entry in entries if entry]
    by_project: dict[str, list[int]] = {}
    for path, updated_ms in pairs:
        by_project.setdefault(path, []).append(updated_ms)
    assert all(times == sorted(times, reverse=True) for times in by_project.values())


async def test_the_log_of_the_window_has_the_level_of_the_settings(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text('log_level = "debug"\n')

    async with started(tmp_path):
        level = logging.getLogger("holdfast_gui").level

    assert level == logging.DEBUG
