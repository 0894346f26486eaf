"""What can be left out of the vault, offered in a menu: an agent, a project, a folder, the subagents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu

from holdfast_gui.tasks import ask
from holdfast_gui.text import escaped_mnemonic, project_name, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from holdfast_gui.actions.context import Context

PROJECTS = 12


async def offer(context: Context, parent: QWidget, place: QPoint, add: Callable[[str], None]) -> None:
    """Open the menu; ``add`` is told what was chosen, as the setting wants it."""
    projects = [one.value for one in (await context.library.places()).projects if one.value][:PROJECTS]
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    agents = menu.addMenu(tr("An &agent"))
    for agent in context.indexing.agents:
        if agent.sessions and agent.roots:
            agents.addAction(escaped_mnemonic(agent.name)).triggered.connect(
                partial(_told, add, f"agent:{agent.agent}")
            )
    agents.setEnabled(not agents.isEmpty())
    shown = menu.addMenu(tr("A &project"))
    for path in projects:
        entry = shown.addAction(escaped_mnemonic(project_name(path)))
        entry.setToolTip(path)
        entry.triggered.connect(partial(_told, add, f"project:{path}"))
    shown.setEnabled(not shown.isEmpty())
    menu.addAction(tr("A &folder with all below it…")).triggered.connect(
        context.scope.slot(partial(_pick, parent, add))
    )
    menu.addAction(tr("&Subagents")).triggered.connect(partial(_told, add, "kind:subagent"))
    menu.popup(place)


def _told(add: Callable[[str], None], what: str, _is_checked: bool = False) -> None:
    add(what)


async def _pick(parent: QWidget, add: Callable[[str], None]) -> None:
    picker = QFileDialog(parent, tr("Leave out all sessions of this folder"))
    picker.setFileMode(QFileDialog.FileMode.Directory)
    picker.setOption(QFileDialog.Option.ShowDirsOnly)
    if await ask(picker) == QDialog.DialogCode.Accepted and picker.selectedFiles():
        add(f"project:{picker.selectedFiles()[0]}")
