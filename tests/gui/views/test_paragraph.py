"""A paragraph whose first sentence stands out."""

from __future__ import annotations

import pytest
from holdfast_gui.theme import theme
from holdfast_gui.views.paragraph import Paragraph


@pytest.fixture
def paragraph(qapp, qtbot) -> Paragraph:
    theme().apply(qapp, mode="light")
    paragraph = Paragraph()
    qtbot.addWidget(paragraph)
    paragraph.set_words("161 messages are gone.", "All 177 are safe here. " * 4, colour="wait")
    return paragraph


def test_it_is_as_high_as_its_words_need(paragraph):
    line = theme().line("body")

    assert paragraph.heightForWidth(4000) == line
    assert paragraph.heightForWidth(300) == 3 * line
    assert paragraph.heightForWidth(1) > 3 * line


def test_marks_are_shown_as_they_are_written(paragraph):
    plain = paragraph.heightForWidth(200)
    paragraph.set_words("<h1>161 messages are gone.</h1>", "All 177 are safe here. " * 4, colour="wait")

    assert paragraph.heightForWidth(200) >= plain


def test_the_first_sentence_stands_out_with_letters_of_any_script(paragraph):
    paragraph.resize(600, 20)
    paragraph.set_words("👩🏽‍🚀 日本語", "after", colour="bad")
    loud = paragraph.grab().toImage()
    paragraph.set_words("👩🏽‍🚀 日本語", "after", colour="text")

    assert paragraph.grab().toImage() != loud
