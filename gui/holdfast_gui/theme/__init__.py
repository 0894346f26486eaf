"""How Holdfast looks: light, dark or as the system does, at the person's text size.

`theme()` is the one object that widgets ask for colours and fonts. It sets the
application's palette, so that a change reaches every widget as a
``PaletteChange``; `Theme.changed` is for what caches colours of its own.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from PySide6.QtCore import QMargins, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from holdfast_gui.theme.sheet import stylesheet
from holdfast_gui.theme.tokens import DARK, FONTS, LIGHT, FontName, Tokens, mix, readable

Mode = Literal["system", "light", "dark"]
_PREFERRED = {False: ("Inter",), True: ("JetBrains Mono",)}


class Theme(QObject):
    """The colours, fonts and sizes of this moment."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tokens: Tokens = LIGHT
        self.scale = 1.0
        self.mode: Mode = "system"
        self._fonts: dict[FontName, QFont] = {}
        self._agents: dict[tuple[int, str], QColor] = {}
        self._follows = False
        self._dressed: tuple[Tokens, float] | None = None

    @property
    def is_dark(self) -> bool:
        """Whether the dark table is in use."""
        return self.tokens is DARK

    def apply(self, app: QApplication, *, mode: Mode = "system", scale: float = 1.0) -> None:
        """Dress the application; follows the system from now on.

        ``scale`` (0.75 to 2.5) is the person's text size.
        """
        self.mode = mode
        self.scale = min(2.5, max(0.75, scale))
        if not self._follows:
            self._follows = True
            app.setStyle("Fusion")
            app.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self._dress(app)

    def font(self, name: FontName) -> QFont:
        """Return a font by its role; it is shared, copy it before changing it."""
        if name not in self._fonts:
            self._fonts[name] = self._make_font(name)
        return self._fonts[name]

    def line(self, name: FontName) -> int:
        """Return the line height of a font, in px."""
        return max(self.px(FONTS[name][2]), QFontMetrics(self.font(name)).height())

    def px(self, size: float) -> int:
        """Return a length of the design at the person's text size, in px."""
        return round(size * self.scale)

    def margins(self, left: int, top: int, right: int, bottom: int) -> QMargins:
        """Return margins of the design at the person's text size."""
        return QMargins(self.px(left), self.px(top), self.px(right), self.px(bottom))

    def agent_dot(self, hue: int) -> QColor:
        """Return an agent's full colour, for marks without text."""
        return self._agent(hue, "dot")

    def agent_ink(self, hue: int) -> QColor:
        """Return an agent's colour for text, readable on every ground and on `agent_ground`."""
        return self._agent(hue, "ink")

    def agent_ground(self, hue: int) -> QColor:
        """Return the tinted ground of an agent's avatar."""
        return self._agent(hue, "ground")

    def _agent(self, hue: int, part: str) -> QColor:
        key = (hue % 360, part)
        if key not in self._agents:
            dot = QColor.fromHslF((hue % 360) / 360, 0.62, 0.62 if self.is_dark else 0.58)
            ground = mix(dot, self.tokens.bg1, 0.22)
            self._agents[(key[0], "dot")] = dot
            self._agents[(key[0], "ground")] = ground
            self._agents[(key[0], "ink")] = readable(dot, ground)
        return self._agents[key]

    def _make_font(self, name: FontName) -> QFont:
        is_mono, size, _, weight = FONTS[name]
        installed = _families()
        family = next((family for family in _PREFERRED[is_mono] if family in installed), "")
        kind = QFontDatabase.SystemFont.FixedFont if is_mono else QFontDatabase.SystemFont.GeneralFont
        font = QFont(family) if family else QFontDatabase.systemFont(kind)
        screen = QGuiApplication.primaryScreen()
        dots_per_inch = screen.logicalDotsPerInch() if screen else 96.0
        # Points carry halves of a pixel, pixel sizes do not.
        font.setPointSizeF(size * self.scale * 72 / dots_per_inch)
        font.setWeight(weight)
        font.setFeature(QFont.Tag("tnum"), 1)
        if name in ("title", "page", "figure"):
            font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 98.5)
        if is_mono:
            font.setFeature(QFont.Tag("calt"), 0)
        return font

    def _on_system_changed(self, _scheme: Qt.ColorScheme) -> None:
        app = QApplication.instance()
        if self.mode == "system" and isinstance(app, QApplication):
            self._dress(app)

    def _dress(self, app: QApplication) -> None:
        wants_dark = self.mode == "dark"
        if self.mode == "system":
            wants_dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        wanted = (DARK if wants_dark else LIGHT, self.scale)
        if wanted == self._dressed:
            return
        self._dressed = wanted
        self.tokens = wanted[0]
        self._fonts.clear()
        self._agents.clear()
        app.setFont(self.font("body"))
        app.setPalette(palette(self.tokens))
        app.setStyleSheet(stylesheet(self.tokens))
        self.changed.emit()


@cache
def theme() -> Theme:
    """Return the one theme of this process."""
    return Theme()


def palette(tokens: Tokens) -> QPalette:
    """Return a palette in the colours of ``tokens``, its disabled group included."""
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.bg1,
        role.Base: tokens.bg2,
        role.AlternateBase: tokens.raised,
        role.Text: tokens.text,
        role.WindowText: tokens.text,
        role.ButtonText: tokens.text,
        role.Button: tokens.bg2,
        role.BrightText: tokens.bad,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.text2,
        role.PlaceholderText: tokens.text3,
        role.Light: tokens.bg2,
        role.Midlight: tokens.raised,
        role.Mid: tokens.line,
        role.Dark: tokens.line,
        role.Shadow: tokens.line,
    }
    made = QPalette()
    for which, colour in colours.items():
        made.setColor(which, colour)
    for which in (role.Text, role.WindowText, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, mix(tokens.text3, tokens.bg1, 0.7))
    return made


@cache
def _families() -> frozenset[str]:
    return frozenset(QFontDatabase.families())
