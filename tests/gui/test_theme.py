"""Colours that can be read, fonts that follow the person, icons that follow the theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_gui.resources import resources
from holdfast_gui.theme import palette, theme
from holdfast_gui.theme.icons import MARK, icon, paint_icon, pixmap
from holdfast_gui.theme.tokens import DARK, LIGHT, contrast, mix, readable
from holdfast_gui.views.controls import Label
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication

THEMES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
GROUNDS = ("bg0", "bg1", "bg2", "raised", "hover", "selection")
READABLE = [
    *((ink, ground) for ink in ("text", "text2", "text3") for ground in GROUNDS),
    *(("accent", ground) for ground in ("bg0", "bg1", "bg2")),
    ("on_accent", "accent"),
    *((state, ground) for state in ("live", "wait", "bad", "info") for ground in ("bg0", "bg1", "bg2")),
    ("wait", "wait_ground"),
    ("text", "wait_ground"),
    ("bad", "bad_ground"),
    ("text", "bad_ground"),
    ("added", "added_ground"),
    ("removed", "removed_ground"),
    ("added", "bg1"),
    ("removed", "bg1"),
    ("text", "code_ground"),
    ("text", "prompt_ground"),
    ("text", "hit_ground"),
]


@pytest.fixture
def app(qapp):
    yield qapp
    theme().apply(qapp, mode="light")


@THEMES
@pytest.mark.parametrize(("ink", "ground"), READABLE)
def test_every_text_stands_out_from_its_ground(tokens, ink, ground):
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize("sign", ["star", "accent", "live", "wait", "bad"])
def test_every_sign_stands_out_from_its_ground(tokens, sign):
    assert (
        min(contrast(getattr(tokens, sign), getattr(tokens, ground)) for ground in ("bg0", "bg1", "bg2", "selection"))
        >= 3
    )


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_agents_letter_can_be_read(app, mode):
    theme().apply(app, mode=mode)
    grounds = [getattr(theme().tokens, name) for name in ("bg1", "bg2")]

    for hue in range(0, 360, 5):
        ink = theme().agent_ink(hue)

        assert min(contrast(ink, ground) for ground in (theme().agent_ground(hue), *grounds)) >= 4.5, hue


def test_black_on_white_has_the_greatest_contrast():
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("#777777")) == pytest.approx(1)


def test_a_colour_that_cannot_be_read_is_moved_until_it_can():
    pale = QColor("#ffeeaa")

    assert contrast(readable(pale, LIGHT.bg2), LIGHT.bg2) >= 4.5
    assert readable(pale, DARK.bg2) == mix(pale, DARK.bg2, 1)


def test_the_palette_of_the_application_is_that_of_the_mode(app):
    theme().apply(app, mode="dark")

    assert theme().is_dark
    assert QApplication.palette().color(QPalette.ColorRole.Window) == DARK.bg1

    theme().apply(app, mode="light")

    assert QApplication.palette().color(QPalette.ColorRole.Window) == LIGHT.bg1


def test_system_mode_follows_the_system(app):
    theme().apply(app, mode="dark")
    theme().mode = "system"

    app.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)

    assert theme().is_dark == (app.styleHints().colorScheme() == Qt.ColorScheme.Dark)


def test_dressing_twice_the_same_is_done_once(app):
    theme().apply(app, mode="dark")
    changes = []
    theme().changed.connect(lambda: changes.append(theme().is_dark))

    theme().apply(app, mode="dark")
    theme().apply(app, mode="light")

    assert changes == [False]


def test_a_chosen_mode_does_not_follow_the_system(app):
    theme().apply(app, mode="dark")

    app.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)

    assert theme().is_dark


def test_disabled_words_are_fainter(app):
    made = palette(LIGHT)

    assert made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text) != made.color(QPalette.ColorRole.Text)


def test_text_size_is_the_persons(app):
    theme().apply(app, mode="light", scale=1.5)

    assert theme().px(60) == 90
    assert theme().font("body").pointSizeF() == pytest.approx(13 * 1.5 * 0.75, abs=0.2)

    theme().apply(app, mode="light", scale=99)

    assert theme().scale == 2.5


def test_every_font_of_the_table_exists(app):
    sizes = {
        name: theme().font(name).pointSizeF() for name in ("body", "small", "caption", "title", "transcript", "code")
    }

    assert sizes["caption"] < sizes["small"] < sizes["body"] < sizes["transcript"] < sizes["title"]
    assert theme().line("body") >= 18


@pytest.mark.parametrize("path", sorted((resources() / "icons").glob("*.svg")), ids=lambda path: path.stem)
def test_every_icon_draws_something(app, path: Path):
    image = pixmap(path.stem, 16, QColor("#ff0000"), 2.0).toImage()
    colours = {
        image.pixelColor(x, y).name() for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255
    }

    assert image.width() == 32
    assert colours == {"#ff0000"}


def test_an_icon_takes_the_colour_of_the_theme_of_the_moment(app):
    mark = icon(MARK, "accent")

    theme().apply(app, mode="dark")

    assert DARK.accent.name() in _colours(mark)

    theme().apply(app, mode="light")

    assert LIGHT.accent.name() in _colours(mark)


def test_an_icon_is_sharp_at_twice_the_size(app):
    image = QImage(32, 32, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(2)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)

    paint_icon(painter, "sessions", QRect(0, 0, 16, 16), QColor("#000000"))
    painter.end()

    # A line of 1.4 px is nearly three pixels high here: one of them is fully black.
    assert any(image.pixelColor(16, y).alpha() == 255 for y in range(32))


def test_an_icon_that_was_never_drawn_is_an_error(app):
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def _colours(mark: QIcon) -> set[str]:
    image = mark.pixmap(32, 32).toImage()
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }


def test_a_label_takes_the_colour_of_the_theme_of_the_moment(app, qtbot):
    theme().apply(app, mode="light")
    label = Label("Why does the nightly deploy time out?")
    qtbot.addWidget(label)
    label.show()

    theme().apply(app, mode="dark")

    assert label.palette().color(label.foregroundRole()) == theme().tokens.text
