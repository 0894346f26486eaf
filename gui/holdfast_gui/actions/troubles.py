"""What the person sees of failures: a bar for what can be mended, a page for what is our fault; one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast_core.paths import Paths
from PySide6.QtCore import QMimeData, QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication

from holdfast_gui.crash import Incident
from holdfast_gui.text import later, tr
from holdfast_gui.views.errors import ReportDialog
from holdfast_gui.views.notice import NoticeAction
from holdfast_gui.views.toast import Toast
from holdfast_gui.views.trouble_bar import TroubleBar

if TYPE_CHECKING:
    from holdfast_gui.views.window import MainWindow

QUEUE: Final = 20
DETAILS: Final = NoticeAction("details", later("Show details"))
REPORT: Final = NoticeAction("report", later("Copy report…"))
SAFE: Final = later("What was saved before is safe.")


@dataclass(slots=True, eq=False)
class Trouble:
    """An incident that was not put away yet, how often it came, and what can be done about it."""

    incident: Incident
    times: int = 1
    ways: tuple[NoticeAction, ...] = ()

    @property
    def actions(self) -> tuple[NoticeAction, ...]:
        """The buttons of the bar; without a code nothing was logged that could be shown."""
        return (*self.ways, DETAILS, REPORT) if self.incident.code else self.ways


class Troubles(QObject):
    """Shows incidents, the newest first; those before it wait until it is put away. Never two dialogs."""

    action_wanted = Signal(str)

    def __init__(self, window: MainWindow, toast: Toast, paths: Paths) -> None:
        super().__init__(window)
        self.bar = TroubleBar()
        self.dialog = ReportDialog(window)
        self.last: Incident | None = None
        self._waiting: list[Trouble] = []
        self._at = 0
        self._read: Trouble | None = None
        self._toast = toast
        self._paths = paths
        window.add_bar(self.bar)
        self.bar.action_pressed.connect(self._do)
        self.bar.dismissed.connect(self.dismiss)
        self.bar.step_wanted.connect(self._step)
        self.dialog.step_wanted.connect(self._step)
        self.dialog.copy_wanted.connect(self._copy)
        self.dialog.logs_wanted.connect(self.open_logs)
        self.dialog.finished.connect(self._on_read)

    @property
    def waiting(self) -> int:
        """How many were not put away yet."""
        return len(self._waiting)

    def show(self, incident: Incident) -> None:
        """Show what happened; the same again only raises its count."""
        self.last = incident
        self._take(Trouble(incident))
        if incident.is_bug and not self.dialog.isVisible() and QApplication.activeModalWidget() is None:
            self._show_page()

    def tell(self, words: str, *ways: NoticeAction) -> None:
        """Show something that is to be mended and was no failure of an action."""
        self._take(Trouble(Incident("", words, "", is_bug=False), ways=ways))

    def show_details(self) -> None:
        """Open the page about what is shown, else about the last incident."""
        self._show_page()

    def dismiss(self) -> None:
        """Put away what is shown, and show what was before it."""
        if self._waiting:
            self._waiting.pop(self._at)
        self._at = max(0, len(self._waiting) - 1)
        self._show()

    def open_logs(self) -> None:
        """Open the folder of the logs in the desktop's file manager."""
        self._paths.create()
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._paths.log)))

    def _take(self, trouble: Trouble) -> None:
        is_reading = self.dialog.isVisible()
        for number, known in enumerate(self._waiting):
            if known.incident.words == trouble.incident.words and known.incident.is_bug == trouble.incident.is_bug:
                known.times += 1
                known.incident = known.incident if is_reading else trouble.incident
                self._at = self._at if is_reading else number
                break
        else:
            self._waiting.append(trouble)
            if len(self._waiting) > QUEUE:
                self._waiting.pop(0)
                self._at = max(0, self._at - 1)
            if not is_reading:
                self._at = len(self._waiting) - 1
        self._show()

    def _show(self) -> None:
        """Bring bar and page in line with what is waiting."""
        if not self._waiting:
            self.bar.hide()
            return
        trouble, place = self._waiting[self._at], (self._at + 1, len(self._waiting))
        incident = trouble.incident
        if self.dialog.isVisible():
            self._fill_page(trouble)
        self.bar.show_trouble(
            incident.words,
            kept="" if incident.is_bug or not incident.code else incident.kept or tr(SAFE),
            code=incident.code,
            times=trouble.times,
            place=place,
            actions=trouble.actions,
        )

    def _show_page(self, *, for_copy: bool = False) -> None:
        if self._waiting and self._waiting[self._at].incident.code:
            self._fill_page(self._waiting[self._at], for_copy=for_copy)
        elif self.last is not None:
            self._fill_page(Trouble(self.last), for_copy=for_copy)

    def _fill_page(self, trouble: Trouble, *, for_copy: bool = False) -> None:
        incident, self._read = trouble.incident, trouble
        self.dialog.set_place(self._at + 1, len(self._waiting))
        self.dialog.show_incident(
            incident.message,
            incident.report,
            is_bug=incident.is_bug,
            kept="" if incident.is_bug else incident.kept or tr(SAFE),
            times=trouble.times,
            for_copy=for_copy,
        )

    def _on_read(self) -> None:
        """Put away what was read on the page."""
        if self._read in self._waiting:
            self._at = self._waiting.index(self._read)
            self.dismiss()

    def _step(self, steps: int) -> None:
        self._at = min(len(self._waiting) - 1, max(0, self._at + steps))
        self._show()

    def _do(self, action: str) -> None:
        if action in (DETAILS.id, REPORT.id):
            self._show_page(for_copy=action == REPORT.id)
        else:
            self.action_wanted.emit(action)

    def _copy(self, report: str) -> None:
        data = QMimeData()
        data.setText(report)
        QGuiApplication.clipboard().setMimeData(data)
        self._toast.say(tr("Report copied"))
