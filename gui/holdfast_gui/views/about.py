"""What this is, in which version, and where its files are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import MARK, pixmap
from holdfast_gui.views.controls import Button, Label


class AboutDialog(QDialog):
    """The mark, the version and a few facts that can be selected."""

    def __init__(self, parent: QWidget, version: str, facts: Sequence[tuple[str, str]]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About Holdfast"))
        mark = QLabel()
        mark.setPixmap(pixmap(MARK, 40, theme().tokens.accent, self.devicePixelRatioF()))
        name = QVBoxLayout()
        name.setSpacing(0)
        name.addWidget(Label("Holdfast", font="title"))
        name.addWidget(Label(f"Version {version}", font="small", colour="text2"))
        top = QHBoxLayout()
        top.setSpacing(14)
        top.addWidget(mark)
        top.addLayout(name, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        for row, (title, fact) in enumerate(facts):
            words = Label(fact, font="small")
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(Label(title, font="small", colour="text2"), row, 0)
            grid.addWidget(words, row, 1)
        close = Button(tr("Close"), kind="primary")
        close.clicked.connect(self.accept)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 22, 24, 18)
        whole.setSpacing(16)
        whole.addLayout(top)
        whole.addWidget(
            Label(tr("Keeps, finds and continues every coding-agent session on your machine."), font="body")
        )
        whole.addLayout(grid)
        whole.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)
