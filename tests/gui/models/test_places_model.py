"""Which places the pane offers, and in what order."""

from __future__ import annotations

import msgspec
import pytest
from holdfast_core.model.places import Count, Places
from holdfast_gui.models.places import ALL, LOST, Place, PlaceRole, PlacesModel, SavedSearch, quoted
from PySide6 import QtGui
from PySide6.QtCore import Qt

from tests.gui import invented


@pytest.fixture
def model(qapp, qtmodeltester) -> PlacesModel:
    model = PlacesModel()
    qtmodeltester.check(model)
    model.set_places(invented.places(), invented.agents())
    return model


def titles(model: PlacesModel) -> list[str]:
    return [model.index(row).data() for row in range(model.rowCount())]


def test_nothing_is_offered_that_there_is_none_of(qapp):
    model = PlacesModel()

    assert titles(model) == ["All sessions", "Live", "Starred", "Trash", "All agents", "Health"]


def test_places_stand_in_sections(model):
    model.set_saved([SavedSearch("Failing", "has:error")])

    assert titles(model) == [
        "All sessions", "Live", "Starred", "Problems", "Trash", "All agents", "Health",
        "Agents", "Claude Code", "Codex", "Gemini CLI", "OpenCode", "Kimi", "Aider",
        "Projects", "kelp-api", "holdfast", "tidepool-web", "project-00", "project-01", "All projects…",
        "Tags", "deploy", "incident",
        "Saved searches", "Failing",
    ]  # fmt: skip


def test_what_is_lost_or_about_to_be_deleted_is_shown_with_its_count(model):
    model.set_places(msgspec.structs.replace(invented.places(), lost=4), invented.agents())
    model.set_expiring(12)
    shown = titles(model)[:6]
    counts = [model.index(row).data(PlaceRole.COUNT) for row in (3, 4)]
    model.set_expiring(0)

    assert shown == ["All sessions", "Live", "Starred", "About to be deleted", "Lost at the source", "Problems"]
    assert counts == [12, 4]
    assert "About to be deleted" not in titles(model)


def test_the_chosen_place_stays_though_nothing_is_in_it_any_more(model):
    model.keep_shown(LOST)
    chosen = "Lost at the source" in titles(model)
    model.keep_shown(ALL)

    assert (chosen, "Lost at the source" in titles(model)) == (True, False)


def test_every_place_says_what_the_search_field_would(model):
    model.set_saved([SavedSearch("Failing", "has:error")])
    queries = {place.title: place.query_text for place in model.places()}

    assert queries["All sessions"] == ""
    assert queries["Starred"] == "is:starred"
    assert queries["Problems"] == "is:problem"
    assert queries["Codex"] == "agent:codex"
    assert queries["kelp-api"] == f"project:{invented.HOME}/code/kelp-api"
    assert queries["deploy"] == "tag:deploy"
    assert queries["Failing"] == "has:error"


def test_saved_searches_can_have_counts(model):
    model.set_saved([SavedSearch("Failing", "has:error"), SavedSearch("Other", "x")])

    model.set_saved_counts({"has:error": 23})

    last = model.rowCount() - 1
    assert [model.index(row).data(PlaceRole.COUNT) for row in (last - 1, last)] == [23, None]


@pytest.mark.parametrize(
    ("value", "written"),
    [("plain", "plain"), ("two words", '"two words"'), ('a"b c', '"a b c"'), ("", '""'), ("a,b", '"a,b"')],
)
def test_values_of_more_than_a_word_are_quoted(value, written):
    assert quoted(value) == written


def test_headings_cannot_be_chosen(model):
    heading = model.index(titles(model).index("Agents"))

    assert heading.data(PlaceRole.IS_HEADING)
    assert not heading.flags() & (Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)


def test_projects_unfold_and_can_be_narrowed(model):
    model.show_all_projects(True)

    assert "project-29" in titles(model)
    assert "Fewer projects" in titles(model)

    model.show_all_projects(True, matching="TIDE")

    projects = [place.title for place in model.places() if place.kind == "project"]
    assert projects == ["tidepool-web"]


def test_a_place_is_found_by_kind_and_value(model):
    assert model.row_of(ALL) == 0
    assert model.index(model.row_of(Place("agent", "codex"))).data() == "Codex"
    assert model.row_of(Place("agent", "unheard-of")) == -1


def test_a_screen_reader_hears_the_count(model):
    assert model.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "All sessions, 12,418 sessions"


def test_hostile_names_are_plain(qapp):
    model = PlacesModel()
    model.set_places(Places(1, projects=(Count("/home/ada/<img src=x>\u202e", 1),), tags=(Count("<b>\x1b[1m", 1),)), [])
    shown = titles(model)
    tooltip = model.index(shown.index("Projects") + 1).data(Qt.ItemDataRole.ToolTipRole)

    assert "<img src=x>\ufffd" in shown
    assert "<b>" in shown
    assert not QtGui.Qt.mightBeRichText(tooltip)
