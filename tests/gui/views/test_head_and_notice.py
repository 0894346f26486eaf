"""The head over a session, the notice under it, and progress."""

from __future__ import annotations

import pytest
from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button
from holdfast_gui.views.head import SessionHead
from holdfast_gui.views.notice import NoticeAction, NoticeBar, TaskProgress
from holdfast_gui.views.trouble_bar import TroubleBar, first_sentence
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui import invented

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def head(qapp, qtbot) -> SessionHead:
    theme().apply(qapp, mode="light")
    head = SessionHead()
    qtbot.addWidget(head)
    head.resize(860, 72)
    head.show()
    return head


@pytest.fixture
def notice(qapp, qtbot) -> NoticeBar:
    theme().apply(qapp, mode="light")
    notice = NoticeBar()
    qtbot.addWidget(notice)
    notice.resize(860, 60)
    return notice


def test_the_head_says_which_session_is_open(head):
    entry = invented.entry(2)

    head.set_entry(entry, invented.agents()[0], now=invented.NOW)

    times = text.span(entry.created_ms, entry.updated_ms, invented.NOW)
    assert head.title == "Why does the nightly deploy time out?"
    assert head.facts == f"Claude Code · kelp-api · main · {times} · 143 messages · 1.2 M tokens · $2.84"


def test_what_is_not_known_is_left_out(head):
    bare = invented.entry(2, project_path="", branch="", cost_usd=None, usage=invented.Usage(), message_count=1)

    head.set_entry(bare, None, now=invented.NOW)

    assert head.facts.startswith("claude_code · ")
    assert head.facts.endswith("1 message")


def test_resume_and_export_are_told(head, qtbot):
    head.set_entry(invented.entry(2), invented.agents()[0])

    with qtbot.waitSignal(head.resume_clicked):
        QTest.mouseClick(head.resume_button, LEFT)
    with qtbot.waitSignal(head.export_clicked):
        QTest.mouseClick(head.export_button, LEFT)


def test_without_a_session_nothing_can_be_done(head):
    head.set_entry(None, None)

    assert not head.resume_button.isEnabled()
    assert not head.export_button.isEnabled()
    assert head.title == ""


def test_an_agent_that_cannot_resume_says_why(head):
    head.set_entry(invented.entry(2), invented.agent_info("claude_code", can_resume=False))

    assert not head.resume_button.isEnabled()
    assert "no way" in head.resume_button.toolTip()


@pytest.mark.parametrize("width", [380, 500, 860, 1600])
def test_a_hostile_title_of_any_length_leaves_the_buttons_their_room(head, width):
    for entry in invented.hard_entries():
        head.set_entry(entry, invented.agents()[0], now=invented.NOW)
        head.resize(width, 72)
        head.grab()

        assert head.resume_button.geometry().right() <= width
        assert head.resume_button.width() == head.resume_button.sizeHint().width()


def test_without_room_export_is_only_its_icon(head):
    head.set_entry(invented.entry(2), invented.agents()[0])
    wide = head.export_button.sizeHint().width()

    head.resize(420, 72)

    assert head.export_button.sizeHint().width() < wide / 2
    assert head.export_button.toolTip() == "Export"
    assert head.export_button.text() == "Export"


def test_a_notice_says_what_happened_and_offers_what_to_do(notice, qtbot):
    actions = [NoticeAction("file", "Show & tell"), NoticeAction("again", "Read again", is_primary=True)]

    notice.show_notice("161 messages are gone.", "What is left is shown.", kind="wait", actions=actions)
    buttons = notice.findChildren(Button)
    with qtbot.waitSignal(notice.action_pressed) as pressed:
        QTest.mouseClick(buttons[1], LEFT)

    assert notice.words == "161 messages are gone. What is left is shown."
    assert [button.text() for button in buttons] == ["Show && tell", "Read again"]
    assert pressed.args == ["again"]


def test_a_notice_replaces_the_one_before(notice, qtbot):
    notice.show_notice("First", actions=[NoticeAction("a", "A")])
    notice.show_notice("Second")

    assert notice.words == "Second"
    assert not any(button.isVisible() for button in notice.findChildren(Button))


def test_a_notice_is_dismissed(notice, qtbot):
    notice.show_notice("First")

    with qtbot.waitSignal(notice.dismissed):
        notice.dismiss()

    assert notice.words == ""
    assert not notice.isVisible()


def test_a_narrow_notice_puts_its_buttons_below(notice, qtbot):
    notice.show_notice("Words " * 20, "More words " * 10, kind="bad", actions=[NoticeAction("a", "Do something long")])
    notice.resize(400, notice.heightForWidth(400) if notice.hasHeightForWidth() else 160)
    (button,) = notice.findChildren(Button)

    qtbot.waitUntil(lambda: button.x() < 100)
    assert button.width() >= button.sizeHint().width()


def test_progress_is_told_in_numbers_and_can_be_cancelled(qapp, qtbot):
    progress = TaskProgress()
    qtbot.addWidget(progress)
    progress.start("Exporting 14 sessions")
    progress.advance(1_200, 12_418)

    with qtbot.waitSignal(progress.cancelled):
        QTest.mouseClick(progress.cancel_button, LEFT)

    assert progress.words == "Exporting 14 sessions 1,200 of 12,418"

    progress.finish()

    assert progress.words == ""


@pytest.mark.parametrize(("words", "parts"), [
    ("One. Two. Three.", ("One.", "Two. Three.")),
    ("Only one.", ("Only one.", "")),
    ("No end", ("No end", "")),
    ("What now? Wait.", ("What now?", "Wait.")),
])  # fmt: skip
def test_the_first_sentence_stands_out(words, parts):
    assert first_sentence(words) == parts


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("width", [380, 500, 860])
def test_trouble_of_any_length_fits_the_narrowest_pane(qapp, qtbot, scale, width):
    theme().apply(qapp, mode="dark", scale=scale)
    bar = TroubleBar()
    qtbot.addWidget(bar)
    bar.resize(round(width * scale), 100)
    actions = [NoticeAction("details", "Show details"), NoticeAction("report", "Copy report…")]

    bar.show_trouble("<b>Words</b> " * 60, kept="Safe. ", code="HF-ABC234", times=3, place=(2, 20), actions=actions)
    bar.resize(round(width * scale), 100)
    bar.grab()

    assert bar.minimumSizeHint().width() <= width * scale
    assert bar.words.endswith("3 times. HF-ABC234")
    assert bar.button("details").isVisible()
    theme().apply(qapp, mode="light")
