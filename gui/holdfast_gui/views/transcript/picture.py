"""The chunk of a picture, or of the reason why it is not shown."""

from __future__ import annotations

from holdfast_core.model.message import Image
from PySide6.QtCore import QCoreApplication, QRect, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QPainterPath

from holdfast_gui.text import one_line, size
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_FIELD
from holdfast_gui.views.transcript import images
from holdfast_gui.views.transcript.chunk import Chunk, PaintState, outline_round
from holdfast_gui.views.transcript.lines import draw_text
from holdfast_gui.views.transcript.worker import Worker

TALLEST = 420


class PictureChunk(Chunk):
    """A picture, decoded in a thread; a box with words until then and where there is none."""

    def __init__(self, image: Image, key: tuple[int, int], worker: Worker) -> None:
        super().__init__(240)
        self._image = image
        self._key = key
        self._worker = worker
        self._result: QImage | str | None = None

    @property
    def plain(self) -> str:
        """What it is, in words."""
        return f"[{one_line(self._image.media_type) or 'picture'}, {size(self._image.size_bytes)}]"

    @property
    def source(self) -> str:
        """What it is, in words."""
        return self.plain

    def lay_out(self, width: int) -> None:
        """Take the picture's height if it is there, else that of the box."""
        super().lay_out(width)
        data, limit = self._image.data_base64, QSize(max(40, width), theme().px(TALLEST))
        key = ("picture", id(self._image), self._key, width)
        self._result = self._worker.result(key, lambda: images.decode(data, limit))
        has_picture = isinstance(self._result, QImage)
        self.height = (self._result.height() if isinstance(self._result, QImage) else theme().px(48)) + theme().px(14)
        self.is_laid_out = has_picture or self._result is not None or not data

    def release(self) -> None:
        """Let go of the picture; the worker still has it for a while."""
        self._result = None

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw the picture with rounded corners, or the box."""
        look, tokens = theme(), theme().tokens
        if self._result is None and self.is_laid_out:
            self.lay_out(self.width)
        if isinstance(self._result, QImage):
            rect = QRectF(0, look.px(4), self._result.width(), self._result.height())
            path = QPainterPath()
            path.addRoundedRect(rect, RADIUS_FIELD, RADIUS_FIELD)
            painter.save()
            painter.setClipPath(path)
            painter.drawImage(rect.topLeft(), self._result)
            painter.restore()
            outline_round(painter, rect, RADIUS_FIELD, tokens.line, 1)
            return
        box = QRectF(0, look.px(4), min(self.width, look.px(420)), look.px(48))
        outline_round(painter, box, RADIUS_FIELD, tokens.line, 1)
        icon = QRect(look.px(14), round(box.center().y()) - look.px(8), look.px(16), look.px(16))
        paint_icon(painter, "image", icon, tokens.text3)
        reason = self._result or QCoreApplication.translate("transcript", "Reading the picture")
        shown = f"{reason} · {self.plain[1:-1]}"
        draw_text(painter, box.adjusted(look.px(40), 0, -look.px(8), 0), shown, look.font("small"), tokens.text2)
