"""The small things that panes are built of: buttons, labels, lines, and the ring of the focus."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QLabel,
    QSizePolicy,
    QWidget,
)

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import FOCUS_RING, HIT_TARGET, RADIUS_FIELD, RADIUS_SMALL, FontName, mix
from holdfast_gui.views.marks import paint_ring

ButtonKind = Literal["primary", "plain", "flat", "danger"]
BUTTON_HEIGHT: Final = 30
_PADDING: Final[dict[ButtonKind, int]] = {"primary": 13, "plain": 12, "flat": 6, "danger": 13}


class Label(QLabel):
    """Plain text in one of the fonts and colours of the theme; never markup."""

    def __init__(
        self, content: str = "", *, font: FontName = "body", colour: str = "text", wraps: bool = False
    ) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)
        self._font: FontName = font
        self._colour = colour
        self._is_dressed = False
        self._dress()
        # A new style sheet gives widgets back the colours that they had under the old one; this comes after it.
        theme().changed.connect(self._dress)
        self.setText(content)

    def set_colour(self, colour: str) -> None:
        """Use another colour of the table."""
        self._colour = colour
        self._dress()

    def changeEvent(self, event: QEvent) -> None:
        """See Qt."""
        if event.type() in (QEvent.Type.ApplicationPaletteChange, QEvent.Type.ApplicationFontChange):
            self._dress()
        super().changeEvent(event)

    def _dress(self) -> None:
        self.setFont(theme().font(self._font))
        palette = self.palette()
        palette.setColor(self.foregroundRole(), getattr(theme().tokens, self._colour))
        self.setPalette(palette)


class ElidedLabel(Label):
    """A label of one line that ends in an ellipsis where there is no room, with the whole as tooltip."""

    def __init__(
        self,
        content: str = "",
        *,
        font: FontName = "body",
        colour: str = "text",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(content, font=font, colour=colour)
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """See Qt."""
        return QSize(0, self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """See Qt: letters from another font do not make the line higher and push what is below."""
        return QSize(super().sizeHint().width(), self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        self._update_tooltip()

    def setText(self, content: str) -> None:
        """See Qt."""
        super().setText(content)
        self._update_tooltip()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.setFont(self.font())
        mode = getattr(self, "_mode", Qt.TextElideMode.ElideRight)
        shown = self.fontMetrics().elidedText(self.text(), mode, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()

    def _update_tooltip(self) -> None:
        is_cut = self.fontMetrics().horizontalAdvance(self.text()) > self.width() > 0
        self.setToolTip(text.tooltip(self.text()) if is_cut else "")


class Line(QWidget):
    """One pixel between two grounds."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().tokens.line)
        painter.end()


class Pane(QWidget):
    """A widget on one of the grounds of the table."""

    def __init__(self, ground: str = "bg1") -> None:
        super().__init__()
        self._ground = ground

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), getattr(theme().tokens, self._ground))
        painter.end()


class FocusRing(QWidget):
    """The ring around a widget that has the keyboard focus; lies over its surroundings, takes no clicks."""

    def __init__(self, around: QWidget) -> None:
        super().__init__(around.parentWidget())
        self._around = around
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        around.installEventFilter(self)
        self._follow()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See Qt."""
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._follow()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        paint_ring(painter, QRectF(self.rect()), RADIUS_FIELD + 1)
        painter.end()

    def _follow(self) -> None:
        reach = FOCUS_RING
        self.setGeometry(self._around.geometry().adjusted(-reach, -reach, reach, reach))
        self.raise_()


class Pressable(QAbstractButton):
    """What can be pressed by mouse and keyboard: shows the ring while it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self._ring: FocusRing | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def is_hot(self) -> bool:
        """Whether the pointer is over it and a press would do something."""
        return self.isEnabled() and (self.underMouse() or self.isDown())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """See Qt."""
        super().focusInEvent(event)
        if self._ring is None and self.parentWidget():
            self._ring = FocusRing(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """See Qt."""
        super().focusOutEvent(event)
        if self._ring is not None:
            self._ring.hide()
            self._ring.deleteLater()
            self._ring = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Enter presses as Space does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
            return
        super().keyPressEvent(event)


class Button(Pressable):
    """A button with an optional icon before and after its words."""

    def __init__(self, label: str, *, kind: ButtonKind = "plain", icon: str = "", trailing: str = "") -> None:
        super().__init__()
        self._kind: ButtonKind = kind
        self._icon = icon
        self._trailing = trailing
        self._is_compact = False
        self.setText(label)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_compact(self, is_compact: bool) -> None:
        """Show the icon alone, with the words as tooltip, or all of it again."""
        if is_compact != self._is_compact:
            self._is_compact = is_compact
            self.setToolTip(_without_mnemonic(self.text()) if is_compact else "")
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """See Qt."""
        look = theme()
        if self._is_compact:
            return QSize(look.px(16 + 2 * 8), look.px(BUTTON_HEIGHT))
        metrics = QFontMetrics(look.font(self._font_name()))
        width = metrics.horizontalAdvance(_without_mnemonic(self.text()))
        width += look.px(16 + 7) if self._icon else 0
        width += look.px(16 + 12) if self._trailing else 0
        return QSize(
            width + 2 * look.px(_PADDING[self._kind]), look.px(HIT_TARGET if self._kind == "flat" else BUTTON_HEIGHT)
        )

    def minimumSizeHint(self) -> QSize:
        """See Qt."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, edge, ink = self._colours()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(edge if edge else Qt.PenStyle.NoPen)
        painter.setBrush(ground if ground else Qt.BrushStyle.NoBrush)
        radius = RADIUS_SMALL if self._kind == "flat" else RADIUS_FIELD
        painter.drawRoundedRect(box, look.px(radius), look.px(radius))
        if self._is_compact:
            side = look.px(16)
            square = QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)
            paint_icon(painter, self._icon, square, ink)
        else:
            self._paint_words(painter, ground, ink)
        painter.end()

    def _paint_words(self, painter: QPainter, ground: QColor | None, ink: QColor) -> None:
        look = theme()
        painter.setFont(look.font(self._font_name()))
        padding = look.px(_PADDING[self._kind])
        left, right, side = padding, self.width() - padding, look.px(16)
        if self._icon:
            paint_icon(painter, self._icon, QRect(left, (self.height() - side) // 2, side, side), ink)
            left += side + look.px(7)
        if self._trailing:
            right -= side
            faded = mix(ink, ground, 0.7) if ground else ink
            paint_icon(painter, self._trailing, QRect(right, (self.height() - side) // 2, side, side), faded)
        painter.setPen(ink)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextHideMnemonic
        painter.drawText(QRect(left, 0, right - left, self.height()), flags, self.text())

    def _font_name(self) -> FontName:
        return "caption" if self._kind == "flat" else "strong"

    def _colours(self) -> tuple[QColor | None, QColor | None, QColor]:
        tokens = theme().tokens
        if self._kind == "primary":
            if not self.isEnabled():
                return tokens.raised, None, tokens.text3
            ground = mix(tokens.text, tokens.accent, 0.14) if self.is_hot else tokens.accent
            return ground, None, tokens.on_accent
        ink = tokens.text if self.isEnabled() else tokens.text3
        if self._kind == "danger" and self.isEnabled():
            ground = tokens.bad_ground
            edge = mix(tokens.bad, ground, 0.9 if self.is_hot else 0.45)
            return ground, edge, tokens.bad
        if self._kind == "flat":
            return (tokens.hover if self.is_hot else None), None, (tokens.text if self.is_hot else tokens.text2)
        return (tokens.hover if self.is_hot else tokens.bg2), tokens.line, ink


class IconButton(Pressable):
    """A square button that is only an icon; its words are the tooltip and what a screen reader says."""

    def __init__(self, icon: str, label: str, *, colour: str = "text2", side: int = HIT_TARGET) -> None:
        super().__init__()
        self._icon = icon
        self._colour = colour
        self._side = side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip(text.tooltip(label))
        self.setAccessibleName(label)

    def sizeHint(self) -> QSize:
        """See Qt."""
        side = theme().px(self._side)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.tokens.hover)
            painter.drawRoundedRect(self.rect(), RADIUS_SMALL, RADIUS_SMALL)
        side = look.px(16)
        box = QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)
        paint_icon(painter, self._icon, box, getattr(look.tokens, self._colour))
        painter.end()


def is_by_keyboard(reason: Qt.FocusReason) -> bool:
    """Return whether the focus came by the keyboard, so that the ring must show where it is."""
    return reason in (
        Qt.FocusReason.TabFocusReason,
        Qt.FocusReason.BacktabFocusReason,
        Qt.FocusReason.ShortcutFocusReason,
    )


def _without_mnemonic(label: str) -> str:
    return label.replace("&&", "\0").replace("&", "").replace("\0", "&")
