"""Lets what has been built grow or shrink with the person's text size."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMargins
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QLayout, QSizePolicy, QSpacerItem, QWidget

_ENDLESS: Final = 16_777_215


def rescale(root: QWidget, ratio: float, *, but: QWidget | None = None) -> None:
    """Scale margins, gaps and fixed sizes below ``root``, except in ``but``, which does so itself.

    What is painted or asks for its size anew takes it from the theme.
    """
    for widget in (root, *root.findChildren(QWidget)):
        if but is not None and (widget is but or but.isAncestorOf(widget)):
            continue
        _rescale_size(widget, ratio)
        layout = widget.layout()
        if layout is not None:
            _rescale_layout(layout, ratio)
        widget.updateGeometry()


def _rescale_size(widget: QWidget, ratio: float) -> None:
    least, most = widget.minimumSize(), widget.maximumSize()
    # A pixel stays a pixel: lines do not grow thick.
    if least.width() > 1:
        widget.setMinimumWidth(round(least.width() * ratio))
    if least.height() > 1:
        widget.setMinimumHeight(round(least.height() * ratio))
    if 1 < most.width() < _ENDLESS:
        widget.setMaximumWidth(round(most.width() * ratio))
    if 1 < most.height() < _ENDLESS:
        widget.setMaximumHeight(round(most.height() * ratio))


def _rescale_layout(layout: QLayout, ratio: float) -> None:
    margins = layout.contentsMargins()
    sides = (margins.left(), margins.top(), margins.right(), margins.bottom())
    layout.setContentsMargins(QMargins(*(round(side * ratio) for side in sides)))
    if isinstance(layout, QGridLayout):
        layout.setVerticalSpacing(round(layout.verticalSpacing() * ratio))
        layout.setColumnMinimumWidth(0, round(layout.columnMinimumWidth(0) * ratio))
    else:
        layout.setSpacing(round(layout.spacing() * ratio))
    for number in range(layout.count()):
        item = layout.itemAt(number)
        inner = item.layout() if item else None
        gap = item.spacerItem() if item else None
        if inner is not None:
            _rescale_layout(inner, ratio)
        if gap is not None and isinstance(layout, QBoxLayout):
            _rescale_gap(gap, ratio)
    layout.invalidate()


def _rescale_gap(gap: QSpacerItem, ratio: float) -> None:
    size, policy = gap.sizeHint(), gap.sizePolicy()
    across, down = policy.horizontalPolicy(), policy.verticalPolicy()
    if QSizePolicy.Policy.Expanding not in (across, down):
        gap.changeSize(round(size.width() * ratio), round(size.height() * ratio), across, down)
