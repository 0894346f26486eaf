"""The sheet for a new session that Holdfast keeps: in which project, under which title."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button
from holdfast_gui.views.sheet import Sheet, field_label

TITLE_LIMIT = 200


class NewSessionSheet(Sheet):
    """``projects`` are directories, likeliest first. ``folder_wanted`` asks for any other, for `set_project`."""

    folder_wanted = Signal()

    def __init__(self, parent: QWidget, projects: Sequence[str], *, home: str, chosen: str = "") -> None:
        super().__init__(
            parent,
            title=_words("New held session"),
            message=_words("Holdfast keeps it and saves it as it grows. It is live at once."),
            accept=_words("Begin"),
        )
        self._home = home
        self.title = QLineEdit()
        self.title.setMaxLength(TITLE_LIMIT)
        self.title.setPlaceholderText(self.tr("Untitled session"))
        self.project = QComboBox()
        self.project.setFont(theme().font("body"))
        self.project.setMinimumHeight(theme().px(30))
        self.project.addItem(self.tr("No project"), "")
        for path in projects:
            self._add(path)
        self.folder_button = Button(self.tr("Choose folder…"))
        self.folder_button.clicked.connect(self.folder_wanted)
        row = QHBoxLayout()
        row.setSpacing(theme().px(8))
        row.addWidget(self.project, 1)
        row.addWidget(self.folder_button)
        self.column.addWidget(field_label(self.tr("Title"), self.title))
        self.column.addWidget(self.title)
        self.column.addSpacing(theme().px(6))
        self.column.addWidget(field_label(self.tr("Project"), self.project))
        self.column.addLayout(row)
        if chosen:
            self.set_project(chosen)
        self.title.setFocus()

    @property
    def chosen_project(self) -> str:
        """The directory, empty for none."""
        return str(self.project.currentData() or "")

    def set_project(self, path: str) -> None:
        """Choose a directory."""
        if self.project.findData(path) < 0:
            self._add(path)
        self.project.setCurrentIndex(self.project.findData(path))

    def _add(self, path: str) -> None:
        where = text.home_path(path, self._home)
        self.project.addItem(f"{text.project_name(path)}  –  {where}", path)


def _words(words: str) -> str:
    from PySide6.QtCore import QCoreApplication

    return QCoreApplication.translate("NewSessionSheet", words)
