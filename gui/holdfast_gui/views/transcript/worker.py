"""One thread that makes what the transcript does not wait for: colours of code, pictures."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

_WAITING_LIMIT = 64


class Worker(QObject):
    """Does the newest task first, for what was asked last is what the person looks at now.

    Results are remembered, up to ``limit`` of them. `done` is emitted in the
    thread of this object. Tasks get no Qt object and touch none.
    """

    done = Signal(object)
    _finished = Signal(object, object)

    def __init__(self, *, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._waiting: OrderedDict[Hashable, Callable[[], Any]] = OrderedDict()
        self._wake = threading.Condition()
        self._is_stopped = False
        self._running: Hashable = None
        self._thread: threading.Thread | None = None
        self._finished.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def result(self, key: Hashable, task: Callable[[], Any]) -> Any:
        """Return the result for ``key`` if it is there; else have ``task`` done and return None."""
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        with self._wake:
            if self._is_stopped or key == self._running:
                return None
            self._waiting[key] = task
            self._waiting.move_to_end(key)
            while len(self._waiting) > _WAITING_LIMIT:
                self._waiting.popitem(last=False)
            self._wake.notify()
        if self._thread is None:
            # A daemon: a lexer that takes minutes over hostile code must not keep the program from ending.
            self._thread = threading.Thread(target=self._work, name="transcript", daemon=True)
            self._thread.start()
        return None

    def stop(self) -> None:
        """Do nothing from now on; the task that runs is the last."""
        with self._wake:
            self._is_stopped = True
            self._waiting.clear()
            self._wake.notify()

    def _take(self, key: Hashable, result: object) -> None:
        self._results[key] = result
        while len(self._results) > self._limit:
            self._results.popitem(last=False)
        self.done.emit(key)

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._is_stopped:
                    self._wake.wait()
                if self._is_stopped:
                    return
                key, task = self._waiting.popitem()
                self._running = key
            result = task()
            try:
                self._finished.emit(key, result)
            except RuntimeError:  # the widget is gone
                return
