"""What the person sees of a failure: a bar for what can be mended, a page for what is our fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.paths import Paths
from PySide6.QtCore import QMimeData, QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from holdfast_gui.views.errors import ReportDialog
from holdfast_gui.views.toast import Toast, TroubleBar

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from holdfast_gui.crash import Incident


class Troubles(QObject):
    """Shows incidents, the newest in place of the former; never two dialogs."""

    def __init__(self, window: QWidget, toast: Toast, paths: Paths) -> None:
        super().__init__(window)
        self.bar = TroubleBar(window)
        self.dialog = ReportDialog(window)
        self.last: Incident | None = None
        self._toast = toast
        self._paths = paths
        self.bar.details_wanted.connect(self.show_details)
        self.bar.report_wanted.connect(self.copy_report)
        self.dialog.copy_wanted.connect(self._copy)
        self.dialog.logs_wanted.connect(self.open_logs)

    def show(self, incident: Incident) -> None:
        """Show what happened."""
        self.last = incident
        if incident.is_bug:
            self.show_details()
        else:
            self.bar.say(incident.message)

    def show_details(self) -> None:
        """Open the page about the last incident."""
        if self.last is not None:
            self.bar.hide()
            last = self.last
            self.dialog.show_incident(last.message, last.details, last.report, is_bug=last.is_bug)

    def copy_report(self) -> None:
        """Put the report of the last incident on the clipboard."""
        if self.last is not None:
            self._copy(self.last.report)

    def open_logs(self) -> None:
        """Open the folder of the logs in the desktop's file manager."""
        self._paths.create()
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._paths.log)))

    def _copy(self, report: str) -> None:
        data = QMimeData()
        data.setText(report)
        QGuiApplication.clipboard().setMimeData(data)
        self._toast.say("Report copied")
