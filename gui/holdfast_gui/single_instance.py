"""One window for each user and data directory: a second start hands its arguments to the first.

Imports no QtWidgets, so that the second start is over before they would be loaded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast_core import clock
from PySide6.QtCore import QDir, QLockFile, QObject, QThread, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

VERSION: Final = 1
LIMIT_BYTES: Final = 1 << 20
_CONNECT_MS: Final = 250
_ANSWER_MS: Final = 3000
_SOCKET_PATH_LIMIT: Final = 100  # sun_path holds 108 bytes, and Qt appends to the name while it listens


@dataclass(frozen=True, slots=True)
class Handover:
    """What a second start was asked for, and what lets the window raise itself."""

    arguments: tuple[str, ...]
    directory: str
    activation_token: str = ""


def server_name(data: Path) -> str:
    """Return the address of the window for a data directory: in it where the path is short enough."""
    in_data = data / "window.sock"
    if sys.platform != "win32" and len(os.fsencode(in_data)) <= _SOCKET_PATH_LIMIT:
        return str(in_data)
    import getpass
    import hashlib

    digest = hashlib.sha256(f"{getpass.getuser()}\0{data}".encode()).hexdigest()[:20]
    if sys.platform == "win32":
        return f"holdfast-{digest}"
    runtime = os.environ.get("XDG_RUNTIME_DIR") or QDir.tempPath()
    return str(Path(runtime) / f"holdfast-{digest}.sock")


def forward(data: Path, arguments: Sequence[str], *, timeout_seconds: float = 0.0) -> bool:
    """Hand ``arguments`` to the running window; False if there is none that answers in time."""
    deadline = clock.monotonic_seconds() + timeout_seconds
    while True:
        socket = QLocalSocket()
        socket.connectToServer(server_name(data))
        if socket.waitForConnected(_CONNECT_MS):
            return _hand_over(socket, arguments)
        if clock.monotonic_seconds() >= deadline:
            return False
        QThread.msleep(20)


def _hand_over(socket: QLocalSocket, arguments: Sequence[str]) -> bool:
    message = {
        "version": VERSION,
        "arguments": list(arguments),
        "directory": str(Path.cwd()),
        "activation_token": os.environ.get("XDG_ACTIVATION_TOKEN", ""),
    }
    socket.write(json.dumps(message).encode() + b"\n")
    socket.flush()
    answered = socket.waitForReadyRead(_ANSWER_MS) and bytes(socket.readAll().data()).strip() == b"ok"
    socket.disconnectFromServer()
    return answered


class Instance(QObject):
    """The first window: holds the lock and listens to later starts."""

    arrived = Signal(object)

    def __init__(self, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = server_name(data)
        self._lock = QLockFile(str(data / "window.lock"))
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)

    def claim(self) -> bool:
        """Become the first window; False if another holds the lock. A dead one's socket is removed."""
        if not self._lock.tryLock(0):
            return False
        QLocalServer.removeServer(self._name)
        if not self._server.listen(self._name):
            self._lock.unlock()
            return False
        return True

    def close(self) -> None:
        """Stop listening and let the next start be the first."""
        self._server.close()
        self._lock.unlock()

    def _accept(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)
        socket.readyRead.connect(lambda: self._read(socket))
        self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() > LIMIT_BYTES:
                socket.abort()
            return
        handover = _parsed(bytes(socket.readLine().data()))
        if handover is None:
            socket.abort()
            return
        socket.write(b"ok\n")
        socket.flush()
        self.arrived.emit(handover)


def _parsed(line: bytes) -> Handover | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("version") != VERSION:
        return None
    arguments = message.get("arguments")
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        return None
    return Handover(tuple(arguments), str(message.get("directory", "")), str(message.get("activation_token", "")))
