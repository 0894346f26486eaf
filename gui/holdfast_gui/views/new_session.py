"""The sheet for a new session that Holdfast keeps: in which project, under which title."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.controls import BUTTON_HEIGHT, Button, Label, Pressable
from holdfast_gui.views.sheet import Sheet, field_label

TITLE_LIMIT = 200


class NewSessionSheet(Sheet):
    """``projects`` are directories, likeliest first. ``folder_wanted`` asks for any other, for `set_project`."""

    folder_wanted = Signal()

    def __init__(self, parent: QWidget, projects: Sequence[str], *, home: str, chosen: str = "") -> None:
        super().__init__(
            parent,
            title=tr("New held session"),
            message=tr("Holdfast keeps it and saves it as it grows. It is live at once."),
            accept=tr("Begin"),
        )
        self.title = QLineEdit()
        self.title.setMaxLength(TITLE_LIMIT)
        self.title.setPlaceholderText(self.tr("Untitled session"))
        self.project = ProjectField(projects, home=home)
        self.project.set_path(chosen)
        self.folder_button = Button(self.tr("Choose folder…"))
        self.folder_button.clicked.connect(self.folder_wanted)
        row = QHBoxLayout()
        row.setSpacing(theme().px(8))
        row.addWidget(self.project, 1)
        row.addWidget(self.folder_button)
        self.column.addWidget(field_label(self.tr("Title"), self.title))
        self.column.addWidget(self.title)
        self.column.addSpacing(theme().px(6))
        self.column.addWidget(Label(self.tr("Project"), font="small", colour="text2"))
        self.column.addLayout(row)
        self.title.setFocus()

    @property
    def chosen_project(self) -> str:
        """The directory, empty for none."""
        return self.project.path

    def set_project(self, path: str) -> None:
        """Choose a directory."""
        self.project.set_path(path)


class ProjectField(Pressable):
    """Shows a project's name and place, and opens a menu of others."""

    def __init__(self, projects: Sequence[str], *, home: str) -> None:
        super().__init__()
        self.path = ""
        self._projects = list(projects)
        self._home = home
        self._menu: QMenu | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)
        self.set_path("")

    @property
    def words(self) -> str:
        """What is shown."""
        return self._words(self.path)

    def set_path(self, path: str) -> None:
        """Choose a directory, empty for none."""
        self.path = path
        if path and path not in self._projects:
            self._projects.insert(0, path)
        self.setAccessibleName(self.tr("Project: {project}").format(project=self.words))
        self.setToolTip(text.tooltip(path))
        self.update()

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(180), theme().px(BUTTON_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens = theme(), theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(tokens.line)
        painter.setBrush(tokens.hover if self.is_hot else tokens.bg2)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, look.px(RADIUS_SMALL), look.px(RADIUS_SMALL))
        side = look.px(14)
        right = self.width() - look.px(10) - side
        paint_icon(painter, "chevron-down", QRect(right, (self.height() - side) // 2, side, side), tokens.text2)
        painter.setFont(look.font("body"))
        painter.setPen(tokens.text if self.path else tokens.text3)
        room = QRect(look.px(9), 0, right - look.px(15), self.height())
        shown = painter.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()

    def _words(self, path: str) -> str:
        if not path:
            return tr("No project")
        return f"{text.project_name(path)}  ·  {text.home_path(path, self._home)}"

    def _open(self) -> None:
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(self._menu)
        for path in ("", *self._projects):
            action = self._menu.addAction(text.escaped_mnemonic(self._words(path)))
            action.setCheckable(True)
            action.setChecked(path == self.path)
            action.setData(path)
            group.addAction(action)
        group.triggered.connect(lambda action: self.set_path(action.data()))
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
