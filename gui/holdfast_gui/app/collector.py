"""When garbage is collected: what lives shortly at once, everything else while the person looks elsewhere."""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

AT_LEAST_EVERY_MS: Final = 10 * 60 * 1000
# Young objects by the thousand; the oldest, which takes longer than a frame, never by itself.
THRESHOLDS: Final = (5_000, 20, 1_000_000)


class Collector(QObject):
    """Takes over from Python for the time of one window; what is there by then is taken as never to go."""

    def __init__(self, application: QGuiApplication, window: QObject) -> None:
        super().__init__(window)
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()
        self._timer = QTimer(self)
        self._timer.setInterval(AT_LEAST_EVERY_MS)
        self._timer.timeout.connect(gc.collect)
        self._timer.start()
        application.applicationStateChanged.connect(self._on_state)

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationInactive:
            gc.collect()
