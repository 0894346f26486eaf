"""The small things that panes are built of: buttons, labels, lines, avatars, the focus ring."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QLabel,
    QLayout,
    QLayoutItem,
    QScrollBar,
    QSizePolicy,
    QWidget,
)

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import FOCUS_RING, HIT_TARGET, RADIUS_FIELD, RADIUS_SMALL, FontName, mix

ButtonKind = Literal["primary", "plain", "flat"]
BUTTON_HEIGHT: Final = 30
_PADDING: Final[dict[ButtonKind, int]] = {"primary": 13, "plain": 12, "flat": 6}


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
        return QSize(0, super().minimumSizeHint().height())

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
        self.set_label(label)

    def set_label(self, label: str) -> None:
        """Say what the button does."""
        self.setToolTip(text.tooltip(label))
        self.setAccessibleName(label)

    def set_icon(self, icon: str, colour: str = "text2") -> None:
        """Show another icon."""
        self._icon, self._colour = icon, colour
        self.update()

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


def paint_ring(painter: QPainter, box: QRectF, radius: float) -> None:
    """Paint the focus ring just inside ``box``: a halo of the accent with a sharp inner edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    halo = QColor(theme().tokens.accent)
    halo.setAlphaF(0.4)
    for colour, width, inset in ((halo, FOCUS_RING, FOCUS_RING / 2), (theme().tokens.accent, 1.4, FOCUS_RING - 0.5)):
        painter.setPen(QPen(colour, width))
        painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), radius, radius)


def paint_avatar(painter: QPainter, box: QRect, mark: str, hue: int) -> None:
    """Paint an agent's letter on its tinted ground."""
    look = theme()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.agent_ground(hue))
    painter.drawRoundedRect(box, RADIUS_SMALL - 1, RADIUS_SMALL - 1)
    painter.setPen(look.agent_ink(hue))
    painter.setFont(look.font("heading"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, mark[:2])


def paint_dot(painter: QPainter, centre: QPoint, side: int, colour: QColor, *, roundness: float = 0.3) -> None:
    """Paint a mark of colour: a square with round corners, at 0.5 a circle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    box = QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side)
    painter.drawRoundedRect(box, side * roundness, side * roundness)


def paint_badge(painter: QPainter, box: QRect, content: str, *, ink: QColor, ground: QColor, font: QFont) -> None:
    """Paint a word on a ground of its own."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(ink)
    painter.setFont(font)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, content)


class OverlayScrollBar(QScrollBar):
    """A vertical scroll bar that lies over its area instead of taking width from it."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(Qt.Orientation.Vertical, area)
        self._area = area
        self._own = area.verticalScrollBar()
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.installEventFilter(self)
        self._own.rangeChanged.connect(self._follow)
        self._own.valueChanged.connect(self.setValue)
        self.valueChanged.connect(self._own.setValue)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See Qt."""
        if event.type() == QEvent.Type.Resize:
            self._follow()
        return False

    def _follow(self) -> None:
        width = self.sizeHint().width()
        self.setGeometry(self._area.width() - width, 0, width, self._area.height())
        self.setPageStep(self._own.pageStep())
        self.setSingleStep(self._own.singleStep())
        self.setRange(self._own.minimum(), self._own.maximum())
        self.setValue(self._own.value())
        self.setVisible(self._own.maximum() > self._own.minimum())


class FlowLayout(QLayout):
    """Places widgets one after the other, on as many lines as they need."""

    def __init__(self, *, spacing: int = 4) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """See Qt."""
        self._items.append(item)
        self.invalidate()

    def count(self) -> int:
        """See Qt."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """See Qt."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """See Qt."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """See Qt."""
        return True

    def heightForWidth(self, width: int) -> int:
        """See Qt."""
        return self._arrange(QRect(0, 0, width, 0), is_real=False)

    def sizeHint(self) -> QSize:
        """See Qt."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """See Qt."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        """See Qt."""
        super().setGeometry(rect)
        self._arrange(rect, is_real=True)

    def _arrange(self, rect: QRect, *, is_real: bool) -> int:
        left, top, height = rect.left(), rect.top(), 0
        for item in self._items:
            hint = item.sizeHint()
            if left > rect.left() and left + hint.width() > rect.right() + 1:
                left, top, height = rect.left(), top + height + self.spacing(), 0
            if is_real:
                item.setGeometry(QRect(QPoint(left, top), QSize(min(hint.width(), rect.width()), hint.height())))
            left += hint.width() + self.spacing()
            height = max(height, hint.height())
        return top + height - rect.top()


def _without_mnemonic(label: str) -> str:
    return label.replace("&&", "\0").replace("&", "").replace("\0", "&")
