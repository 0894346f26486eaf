"""Pictures out of sessions: decoded in memory, scaled while decoding, never read from disk or net."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from holdfast_gui.text import tr

PIXEL_LIMIT: Final = 16_000_000
DATA_LIMIT: Final = 40_000_000  # characters of base64
# Formats without scripts, references or external parts, told by their first bytes.
_FORMATS: Final = (
    (b"\x89PNG\r\n", b"png"),
    (b"\xff\xd8\xff", b"jpeg"),
    (b"GIF8", b"gif"),
    (b"RIFF", b"webp"),
    (b"BM", b"bmp"),
)


class NotShown(Exception):
    """Why a picture is not shown, in words for people."""


def decode(data_base64: str, limit: QSize) -> QImage | str:
    """Return a picture that fits into ``limit``, or why there is none, in words for people.

    Slow: to be called in a thread.
    """
    try:
        return _read(_bytes(data_base64), limit)
    except NotShown as reason:
        return str(reason)


def _bytes(data_base64: str) -> bytes:
    if not data_base64:
        raise NotShown(tr("The picture is not in the session"))
    if len(data_base64) > DATA_LIMIT:
        raise NotShown(tr("The picture is too large to be shown"))
    try:
        return base64.b64decode(data_base64)
    except (binascii.Error, ValueError) as error:
        raise NotShown(tr("The picture is damaged")) from error


def _read(data: bytes, limit: QSize) -> QImage:
    kind = next((kind for magic, kind in _FORMATS if data.startswith(magic)), None)
    if kind is None:
        raise NotShown(tr("The picture has a format that is not shown"))
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(kind))
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    if size.width() * size.height() > PIXEL_LIMIT:
        raise NotShown(tr("The picture is too large to be shown"))
    if size.width() > limit.width() or size.height() > limit.height():
        reader.setScaledSize(size.scaled(limit, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read() if size.isValid() else QImage()
    if image.isNull():
        raise NotShown(tr("The picture is damaged"))
    return image
