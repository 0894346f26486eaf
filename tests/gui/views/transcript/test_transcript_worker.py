"""Colours and pictures are made in a thread, from memory alone."""

from __future__ import annotations

import base64
import threading

import pytest
from holdfast_core.model.message import Image
from holdfast_gui.models.parts import Kind
from holdfast_gui.views.transcript.document import plain_document
from holdfast_gui.views.transcript.highlight import SIZE_LIMIT, apply, stretches
from holdfast_gui.views.transcript.images import decode
from holdfast_gui.views.transcript.worker import Worker
from PySide6.QtCore import QBuffer, QIODevice, QSize
from PySide6.QtGui import QFont, QImage

from tests.gui.transcripts import answer, session

pytestmark = pytest.mark.usefixtures("qapp")
LIMIT = QSize(400, 300)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///x'/></svg>"


def picture(width: int, height: int, kind: str = "PNG") -> str:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, kind)
    return base64.b64encode(bytes(buffer.data().data())).decode()


@pytest.mark.parametrize("kind", ["PNG", "JPG", "BMP"])
def test_a_picture_is_scaled_to_fit(kind: str):
    image = decode(picture(1_000, 500, kind), LIMIT)

    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (400, 200)


def test_a_small_picture_keeps_its_size():
    image = decode(picture(20, 10), LIMIT)

    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (20, 10)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "not in the session"),
        ("####", "format"),
        ("A", "damaged"),
        (
            base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///x'/></svg>").decode(),
            "format",
        ),
        (base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode(), "damaged"),
        (picture(40, 40)[:60] + "AAAA", "damaged"),
        (picture(5_000, 4_000), "too large"),
    ],
    ids=["none", "nonsense", "base64", "svg", "header", "torn", "large"],
)
def test_what_is_not_shown_says_why(data: str, words: str):
    assert words in str(decode(data, LIMIT))


def test_a_picture_appears_when_it_is_decoded(pane, show, sight, qtbot):
    show(session(answer(Image("image/png", 200, picture(300, 200)))))
    before = sight.entry(Kind.IMAGE).chunk.height

    qtbot.waitUntil(lambda: sight.entry(Kind.IMAGE).chunk.height > before)

    assert sight.entry(Kind.IMAGE).chunk.height >= 200


def test_code_is_coloured_by_lines():
    lines = stretches('def f():\n    return "🙂" + x\n', "python")

    assert lines[0][:2] == [(0, 3, "info"), (4, 1, "accent")]
    assert (11, 4, "added") in lines[1] or (11, 1, "added") in lines[1]


@pytest.mark.parametrize("language", ["", "no-such-language", "<b>"])
def test_a_language_that_is_not_known_has_no_colours(language: str):
    assert stretches("x = 1", language) == []


def test_too_much_code_has_no_colours():
    assert stretches("x = 1\n" * SIZE_LIMIT, "python") == []


def test_colours_change_neither_text_nor_height():
    code = "def f():\n    return 1\n"
    document = plain_document(code, font=QFont(), line=19)
    document.setTextWidth(300)
    before = document.size()

    apply(document, stretches(code, "python"))

    assert document.toPlainText() == code
    assert document.size() == before
    assert document.begin().layout().formats()


def test_the_newest_task_comes_first_and_each_is_done_once(qtbot):
    worker = Worker(limit=10)
    gate, order = threading.Event(), []
    with qtbot.waitSignal(worker.done):
        worker.result("first", lambda: (gate.wait(5), order.append("first")))
        qtbot.waitUntil(lambda: worker._running == "first")
        for name in ("a", "b", "a"):
            worker.result(name, lambda name=name: order.append(name))
        gate.set()
    qtbot.waitUntil(lambda: len(order) == 3)

    assert order == ["first", "a", "b"]
    worker.stop()


def test_results_are_remembered_up_to_the_limit(qtbot):
    worker = Worker(limit=2)
    for name in "abc":
        with qtbot.waitSignal(worker.done):
            worker.result(name, lambda name=name: name.upper())

    assert [worker.result(name, lambda: "again") for name in "bc"] == ["B", "C"]
    assert worker.result("a", lambda: "again") is None
    worker.stop()


def test_a_stopped_worker_does_nothing(qtbot):
    worker = Worker(limit=2)
    worker.stop()

    assert worker.result("a", lambda: 1) is None
    assert worker._thread is None
