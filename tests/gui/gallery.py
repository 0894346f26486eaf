"""Pictures of the window with invented data: ``python -m tests.gui.gallery DIRECTORY``."""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from holdfast_core.model.changes import ScanProgress
from holdfast_core.model.search import SearchResult
from holdfast_gui.models.places import LOST, SavedSearch
from holdfast_gui.models.session_list import day_groups, hit_groups
from holdfast_gui.models.vault import loss_notice, status_lines
from holdfast_gui.theme import Mode, theme
from holdfast_gui.views.comparison import ComparisonPage
from holdfast_gui.views.notice import NoticeAction
from holdfast_gui.views.window import MainWindow
from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QApplication, QWidget

from tests.gui import invented, vaulted

Picture = Callable[[MainWindow], None]


def window_with_sessions(transcript: QWidget | None = None) -> MainWindow:
    """Return a window that shows the third of ten sessions."""
    window = MainWindow(transcript or QWidget())
    window.detail.home = invented.HOME
    window.places.set_places(invented.places(), invented.agents())
    window.places.set_saved([SavedSearch("Failing deploys", "tag:deploy has:error"), SavedSearch("Opus", "model:opus")])
    window.places.set_saved_counts({"tag:deploy has:error": 23, "model:opus": 17})
    window.places.status.set_idle(12418)
    window.session_list.set_agents(invented.agents())
    _show_list(window, invented.entries())
    third = invented.entry(2)
    window.session_list.select_session(third.id)
    agent = invented.agents()[0]
    window.head.set_entry(third, agent, now=invented.NOW)
    window.detail.set_entry(third, f"claude --resume {third.native_id}", agent=agent, now=invented.NOW)
    window.show_session()
    return window


def searching(window: MainWindow) -> None:
    """Show what a search found."""
    window.search_field.set_text("project:kelp-api,holdfast after:30d pool.lock mig")
    window.search_field.focus_all()
    window.search_field.line.end(False)
    found = [
        invented.hit(invented.entry(2), "…the health probe takes pool.lock before it answers, and the", "pool.lock"),
        invented.hit(
            invented.entry(4), "the migration must not hold pool.lock while Stripe retries", "migration", "pool.lock"
        ),
        invented.hit(
            invented.entry(1), "writer holds the pool.lock only for the swap; migration is", "pool.lock", "migration"
        ),
        invented.hit(invented.entry(5), "pool.lock says nothing; call it migration gate", "pool.lock", "migration"),
    ]
    window.session_list.model.set_hits(hit_groups(found, {each.key: each for each in invented.entries()}))
    window.session_list.set_result(SearchResult((), 8, 34, 0.002))
    window.session_list.select_session(invented.entry(2).id)


def completing(window: MainWindow) -> None:
    """Offer completions."""
    window.search_field.focus_all()
    window.search_field.set_text("proj")
    window.search_field.set_completions(["project:", "project:kelp-api", "project:holdfast", "project:tidepool-web"])
    window.search_field.set_error("There is no filter “proj”. Filters are agent, project, branch, model.")


def hard_titles(window: MainWindow) -> None:
    """Show long, hostile and foreign titles."""
    hard = invented.hard_entries()
    _show_list(window, hard)
    window.session_list.select_session(hard[3].id)
    window.head.set_entry(hard[3], invented.agents()[0], now=invented.NOW)
    window.detail.set_entry(hard[3], "resume", now=invented.NOW)


def noticing(window: MainWindow) -> None:
    """Show a notice and a task."""
    window.notice.show_notice(
        "161 messages are gone at the source.",
        "The agent cut its file yesterday at 18:41. What is left is shown here.",
        kind="wait",
        actions=[NoticeAction("where", "Show the file"), NoticeAction("again", "Read again", is_primary=True)],
    )
    window.progress.start("Exporting 14 sessions as Markdown")
    window.progress.advance(9, 14)
    window.places.status.set_progress(ScanProgress(3104, 12418, 1_200_000_000, 3_100_000_000))


def losing(window: MainWindow) -> None:
    """Show a session of which most is gone at the source, and its versions."""
    entry, agent = vaulted.cut_entry(), invented.agents()[0]
    rows = invented.entries()
    rows[4] = entry
    window.places.set_places(msgspec.structs.replace(invented.places(), lost=4, problems=0), invented.agents())
    window.places.set_expiring(12)
    window.places.select(LOST)
    window.places.status.set_vault(lambda listed: status_lines(vaulted.STATUS, listed, invented.NOW))
    _show_list(window, rows)
    window.session_list.select_session(entry.id)
    window.head.set_entry(entry, agent, now=invented.NOW)
    window.detail.set_entry(entry, "claude --resume session-4", agent=agent, now=invented.NOW)
    window.detail.set_versions(entry, vaulted.versions(), invented.NOW)
    told = loss_notice(entry, agent.name, invented.NOW, vaulted.versions(), zone=UTC)
    assert told is not None
    ways = [NoticeAction(way.action, way.label, is_primary=way.is_primary) for way in told.ways]
    window.notice.show_notice(told.headline, told.detail, kind="wait", actions=ways)


def comparing(window: MainWindow) -> None:
    """Show what two versions do not share."""
    page = ComparisonPage()
    page.set_comparison("Refactor the billing webhooks", vaulted.versions(), vaulted.comparison(), invented.NOW)
    window.show_page(page)
    page.take_focus()


def first_start(window: MainWindow) -> None:
    """Show the page of the first start."""
    _show_list(window, [])
    window.session_list.show_empty("sessions", "No sessions yet", "They appear here as they are read.")
    window.first_run.set_agents(invented.agents(), home=invented.HOME)
    window.first_run.set_progress(ScanProgress(3104, 12418, 1_200_000_000, 3_100_000_000))
    window.show_first_run()


def nothing_found(window: MainWindow) -> None:
    """Show an empty result."""
    window.search_field.set_text("nowhere")
    _show_list(window, [])
    window.session_list.show_empty(
        "search", "Nothing was found", "Try fewer words or another filter.", "Clear the search"
    )
    window.show_nothing()


def loading(window: MainWindow) -> None:
    """Show rows that have not come yet."""
    window.session_list.model.set_keys(array("q", range(1000, 3000)))


def sizes(window: MainWindow) -> dict[str, int]:
    """Return the heights and widths that the text size rules."""
    window.grab()
    QApplication.processEvents()
    table = window.session_list.table
    return {
        "places": window.places.width(),
        "list head": window.session_list.head.height(),
        "heading": table.rowHeight(0),
        "row": table.rowHeight(1),
        "place": window.places.list.visualRect(window.places.list.model().index(0, 0)).height(),
        "search": window.search_field.height(),
        "head": window.head.height(),
        "export": window.head.export_button.width(),
        "detail": window.detail.width(),
        "value": window.detail.facts.first_value.height(),
        "note": window.detail.note.height(),
        "tags": window.detail.tags.y() + window.detail.tags.parentWidget().y(),
        "status": window.places.status.height(),
    }


PICTURES: dict[str, tuple[Picture | None, QSize]] = {
    "main": (None, QSize(1440, 900)),
    "search": (searching, QSize(1440, 900)),
    "completing": (completing, QSize(1440, 900)),
    "hard": (hard_titles, QSize(1440, 900)),
    "notice": (noticing, QSize(1440, 900)),
    "first-run": (first_start, QSize(1440, 900)),
    "nothing": (nothing_found, QSize(1440, 900)),
    "loading": (loading, QSize(1440, 900)),
    "lost": (losing, QSize(1440, 900)),
    "lost-narrow": (losing, QSize(900, 700)),
    "compare": (comparing, QSize(1440, 900)),
    "narrow": (noticing, QSize(900, 700)),
}


def draw(directory: Path, *, names: list[str], mode: Mode, scale: float = 1.0) -> None:
    """Write pictures as PNG files."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme().apply(app, mode=mode, scale=scale)
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        prepare, size = PICTURES[name]
        window = window_with_sessions()
        window.resize(size if "narrow" in name else size * scale)
        window.show()
        window.activateWindow()
        app.processEvents()
        if prepare:
            prepare(window)
        app.processEvents()
        picture = window.grab()
        picture.save(str(directory / f"{name}-{mode}{'' if scale == 1 else f'-{scale:g}'}.png"))
        window.hide()
        window.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _show_list(window: MainWindow, entries: list[invented.SessionEntry]) -> None:
    model = window.session_list.model
    keys = array("q", (each.key for each in entries))
    times = [each.updated_ms or 0 for each in entries]
    model.set_keys(keys, day_groups(times, invented.NOW, zone=UTC) if entries else ())
    model.set_page(0, entries)


def main() -> None:
    """Draw what was asked for, else everything in light and dark."""
    directory = Path(sys.argv[1])
    names = sys.argv[2:] or list(PICTURES)
    for mode in ("light", "dark"):
        draw(directory, names=names, mode=mode)


if __name__ == "__main__":
    main()
