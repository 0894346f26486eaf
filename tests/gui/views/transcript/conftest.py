"""A transcript pane on an invisible screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from holdfast_core.model.session import Session
from holdfast_gui.models.parts import Kind
from holdfast_gui.theme import theme
from holdfast_gui.views.transcript.column import Placed
from holdfast_gui.views.transcript.pane import TranscriptPane
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.transcripts import AGENT


@pytest.fixture
def pane(qapp: QApplication, qtbot: QtBot) -> Iterator[TranscriptPane]:
    theme().apply(qapp, mode="light")
    made = TranscriptPane()
    qtbot.addWidget(made)
    made.resize(870, 830)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.view.setFocus()
    yield made


@pytest.fixture
def show(pane: TranscriptPane, qtbot: QtBot) -> Callable[[Session], None]:
    """Return what shows a session and waits until all of it is built."""

    def shown(session: Session) -> None:
        pane.set_session(session, AGENT)
        qtbot.waitUntil(lambda: pane.view.model.is_built)
        pane.view.viewport().repaint()

    return shown


class Sight:
    """What can be seen of a pane, and where."""

    def __init__(self, pane: TranscriptPane) -> None:
        self._view = pane.view

    def entry(self, kind: Kind, number: int = 0, *, chunk: int = 0) -> Placed:
        """Return the so-manieth part of a kind in sight."""
        found = [entry for entry in self._view.placed() if self._view.model.kind(entry.part) == kind]
        parts = list(dict.fromkeys(entry.part for entry in found))
        return next(entry for entry in found if entry.place == (parts[number], chunk))

    def part(self, kind: Kind, number: int = 0) -> int:
        """Return the so-manieth part of a kind in the session."""
        parts = self._view.model.parts
        return [part for part in range(len(parts)) if parts.kinds[part] == kind][number]

    def kinds(self) -> list[str]:
        """Return the kinds of the parts in sight."""
        seen = dict.fromkeys(entry.part for entry in self._view.placed())
        return [self._view.model.kind(part).name for part in seen]

    def point(self, entry: Placed, x: float, y: float) -> QPoint:
        """Return a point of a chunk in the viewport."""
        left = -self._view.inside(entry, QPoint(0, 0).toPointF()).x()
        return QPoint(round(left + x), round(entry.y + y))

    def point_of(self, entry: Placed, position: int) -> QPoint:
        """Return where a position of a chunk's document is."""
        rect = entry.chunk.rect_of(position, position + 1)
        return self.point(entry, rect.left() + 1, rect.center().y())


@pytest.fixture
def sight(pane: TranscriptPane) -> Sight:
    return Sight(pane)
