"""The one table of colours, fonts and sizes; nothing else in the tree names any."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

from PySide6.QtGui import QColor, QFont

FontName = Literal[
    "body",
    "strong",
    "bold",
    "small",
    "small_strong",
    "caption",
    "heading",
    "brand",
    "title",
    "page",
    "figure",
    "transcript",
    "code",
    "code_small",
]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme; what each is for stands in the comments of `LIGHT`."""

    bg0: QColor
    bg1: QColor
    bg2: QColor
    raised: QColor
    hover: QColor
    selection: QColor
    line: QColor
    text: QColor
    text2: QColor
    text3: QColor
    accent: QColor
    on_accent: QColor
    live: QColor
    wait: QColor
    bad: QColor
    info: QColor
    wait_ground: QColor
    bad_ground: QColor
    added: QColor
    removed: QColor
    added_ground: QColor
    removed_ground: QColor
    code_ground: QColor
    prompt_ground: QColor
    hit_ground: QColor
    star: QColor
    scroll: QColor

    @classmethod
    def of(cls, **colours: str) -> Tokens:
        """Make a theme of ``#rrggbb`` values."""
        return cls(**{field.name: QColor(colours[field.name]) for field in fields(cls)})


LIGHT: Final = Tokens.of(
    bg0="#f3f4f6",  # places pane
    bg1="#fafbfc",  # list, details
    bg2="#ffffff",  # transcript, fields
    raised="#eef0f3",  # chips, code headers, avatars
    hover="#e9ecf0",  # row and tool hover
    selection="#dcefeb",  # selected row, with a bar in accent
    line="#e2e5ea",  # every border
    text="#191c20",
    text2="#525a67",
    text3="#616976",  # captions; readable on bg0 and on a selection too
    accent="#0b7a69",  # primary button, focus, links
    on_accent="#ffffff",
    live="#1a7a49",
    wait="#8a5a00",
    bad="#b83626",
    info="#2563c9",
    wait_ground="#fdf3dd",  # notice bar, tags
    bad_ground="#fdebe8",
    added="#14693a",
    removed="#a83224",
    added_ground="#e3f5e9",
    removed_ground="#fdebe9",
    code_ground="#f6f7f9",
    prompt_ground="#f1f6f5",  # what the person wrote
    hit_ground="#fbe7a8",  # words that a search found
    star="#b07a00",
    scroll="#c9ced6",
)
DARK: Final = Tokens.of(
    bg0="#141619",
    bg1="#191b1f",
    bg2="#1d2024",
    raised="#25282e",
    hover="#22252b",
    selection="#1d3633",
    line="#2b2f36",
    text="#e7e9ed",
    text2="#a6adb9",
    text3="#949caa",
    accent="#35b8a2",
    on_accent="#06211d",
    live="#4cc38a",
    wait="#f0b64a",
    bad="#ff7a68",
    info="#77a9ff",
    wait_ground="#2f2715",
    bad_ground="#351f1d",
    added="#7fd8a3",
    removed="#ff9d90",
    added_ground="#15301f",
    removed_ground="#3a1f1d",
    code_ground="#17191d",
    prompt_ground="#20292a",
    hit_ground="#5c4a21",
    star="#f0b64a",
    scroll="#3a3f48",
)

Weight = QFont.Weight
# name: (monospaced, size in px, line in px, weight)
FONTS: Final[dict[FontName, tuple[bool, float, int, QFont.Weight]]] = {
    "body": (False, 13, 18, Weight.Normal),
    "strong": (False, 13, 18, Weight.Medium),
    "bold": (False, 13, 18, Weight.DemiBold),
    "small": (False, 12, 18, Weight.Normal),
    "small_strong": (False, 12, 18, Weight.DemiBold),
    "caption": (False, 11, 16, Weight.Normal),
    "heading": (False, 11, 16, Weight.DemiBold),
    "brand": (False, 14, 20, Weight.DemiBold),
    "title": (False, 17, 24, Weight.Bold),
    "page": (False, 20, 28, Weight.Bold),
    "figure": (False, 24, 30, Weight.Bold),
    "transcript": (False, 14, 22, Weight.Normal),
    "code": (True, 12.5, 19, Weight.Normal),
    "code_small": (True, 12, 18, Weight.Normal),
}

RADIUS_SMALL: Final = 6
RADIUS_FIELD: Final = 8
RADIUS_CARD: Final = 10
RADIUS_PALETTE: Final = 12
FOCUS_RING: Final = 3
ICON: Final = 16
PLACE_ROW: Final = 28
SESSION_ROW: Final = 60
GROUP_ROW: Final = 32
HIT_TARGET: Final = 28
PLACES_WIDTH: Final = 216
LIST_WIDTH: Final = 384
DETAIL_WIDTH: Final = 268
HEAD_HEIGHT: Final = 72


def mix(over: QColor, ground: QColor, share: float) -> QColor:
    """Return ``ground`` with ``share`` (0-1) of ``over`` on it, opaque."""
    return QColor.fromRgbF(
        *(
            over_part * share + ground_part * (1 - share)
            for over_part, ground_part in zip(_channels(over), _channels(ground), strict=True)
        )
    )


def contrast(one: QColor, other: QColor) -> float:
    """Return the contrast of two opaque colours as WCAG defines it: 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(colour: QColor, ground: QColor, *, least: float = 4.5) -> QColor:
    """Return ``colour``, moved towards black or white until text of it stands out from ``ground``."""
    end = QColor("#000000") if _luminance(ground) > 0.18 else QColor("#ffffff")
    for step in range(21):
        moved = mix(end, colour, step / 20)
        if contrast(moved, ground) >= least:
            return moved
    return end


def _channels(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def _luminance(colour: QColor) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
