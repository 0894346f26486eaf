"""A window that writes down what is dropped on it: another program, as a file manager or a mail would be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel


class Target(QLabel):
    """Takes anything with files."""

    def __init__(self, record: Path) -> None:
        super().__init__("Drop here")
        self._record = record
        self.setAcceptDrops(True)
        self.setWindowTitle("Drop target")
        self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
        self.setGeometry(900, 300, 400, 300)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """See Qt: asks for the files on entering already, as some programs do."""
        if event.mimeData().urls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """See Qt."""
        data = event.mimeData()
        files = {Path(url.toLocalFile()).name: Path(url.toLocalFile()).read_text() for url in data.urls()}
        self._record.write_text(json.dumps({"files": files, "text": data.text(), "formats": data.formats()}))
        event.acceptProposedAction()


def main() -> int:
    """Show the window until it is ended from outside."""
    application = QApplication(sys.argv[:1])
    target = Target(Path(sys.argv[1]))
    target.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
