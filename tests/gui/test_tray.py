import pytest
from holdfast_gui.tray import Tray, TraySession
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSystemTrayIcon

SESSIONS = [
    TraySession("a:1", "Fix the build & ship", "kelp-api", "10:42"),
    TraySession("a:2", "<b>bold</b>\nline", "", ""),
]


@pytest.fixture
def tray(qtbot):
    quit_action = QAction("Quit")
    made = Tray([quit_action])
    made.quit_action = quit_action
    yield made
    made.hide()


def test_sessions_stand_above_the_actions_when_the_menu_opens(tray):
    tray.set_sessions(SESSIONS)

    tray.menu.aboutToShow.emit()

    assert [item.text() for item in tray.menu.actions()] == [
        "Fix the build && ship · kelp-api · 10:42",
        "<b>bold</b> line",
        "",
        "Quit",
    ]


def test_a_session_that_is_pressed_is_told_by_its_id(tray):
    wanted = []
    tray.session_wanted.connect(wanted.append)
    tray.set_sessions(SESSIONS)
    tray.menu.aboutToShow.emit()

    tray.menu.actions()[1].trigger()

    assert wanted == ["a:2"]


def test_what_was_lost_stands_above_all_else(tray):
    went = []
    tray.lost_wanted.connect(lambda: went.append(True))
    tray.set_sessions(SESSIONS)
    tray.set_lost("4 sessions lost at the source & safe here…")
    tray.menu.aboutToShow.emit()
    first = tray.menu.actions()[0]
    first.trigger()
    words = first.text()

    tray.set_lost("")
    tray.menu.aboutToShow.emit()

    assert (words, went) == ("4 sessions lost at the source && safe here…", [True])
    assert tray.menu.actions()[0].objectName() == "a:1"


def test_a_menu_that_nothing_changed_is_not_built_again(tray):
    tray.set_sessions(SESSIONS)
    tray.menu.aboutToShow.emit()
    before = tray.menu.actions()

    tray.menu.aboutToShow.emit()

    assert tray.menu.actions() == before


@pytest.mark.parametrize(
    ("reason", "told"), [("Trigger", "open"), ("DoubleClick", "open"), ("MiddleClick", "search"), ("Context", None)]
)
def test_clicks_on_the_icon(tray, reason, told):
    heard = []
    tray.open_wanted.connect(lambda: heard.append("open"))
    tray.search_wanted.connect(lambda: heard.append("search"))

    tray._icon.activated.emit(QSystemTrayIcon.ActivationReason[reason])

    assert heard == ([told] if told else [])


def test_a_desktop_without_a_tray_is_no_trouble(tray):
    tray.show()

    assert (tray.is_available, tray.show_message("title", "text")) == (False, False)
