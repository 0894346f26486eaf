"""Files of lines that are compressed: read as a stream, never trusted about their size."""

from __future__ import annotations

import io
import os
import struct
from typing import BinaryIO

import zstandard

from holdfast_core.agents._jsonl import LineFile, refusal

OUTPUT_LIMIT = 1 << 30
_WINDOW_LIMIT = 64 << 20
_FREE_BYTES = 16 << 20
_RATIO_LIMIT = 300
_MAGIC = b"\x28\xb5\x2f\xfd"
_ENDLESS = 1 << 62


def decompressed(data: bytes, *, limit: int) -> bytes | None:
    """Return what was compressed, None if nothing of it is left or it is more than ``limit`` bytes."""
    try:
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT).stream_reader(data) as stream:
            content = bytes(stream.read(limit + 1))
    except (zstandard.ZstdError, MemoryError):
        return None
    return content if 0 < len(content) <= limit else None


class ZstdLineFile(LineFile):
    """A compressed file, which can only be read once, from its start to its end."""

    def __init__(self, path: str, *, root: str) -> None:
        super().__init__(path, root=root)
        self.compressed_bytes = super().size_bytes
        file = self._opened()
        if file.read(4) != _MAGIC:
            os.close(self._descriptor)
            raise refusal("wrong_format", path)
        self.is_whole = _ends_whole(file, self.compressed_bytes)
        file.seek(0)
        self._file = file
        self._stream = zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT).stream_reader(
            file, read_across_frames=True, closefd=False
        )
        self._out_bytes = 0

    def _opened(self) -> BinaryIO:
        """Return the file; in memory, where the bytes as they are stored are wanted too."""
        file = os.fdopen(self._descriptor, "rb", closefd=False)
        tap, self._tap = self._tap, None  # the lines are not what stands in the file
        if tap is None or self.compressed_bytes > tap.limit_bytes:
            return file
        content = file.read()
        tap.take(0, content)
        return io.BytesIO(content)

    @property
    def size_bytes(self) -> int:
        """Unknown until it is read."""
        return _ENDLESS

    def is_steady(self) -> bool:
        """Never: such a file is read whole every time."""
        return False

    def _after_hole(self, position: int) -> int:
        """What comes out of a stream has no holes."""
        return position

    def _read(self, size: int, position: int) -> bytes:
        """Return the next bytes, wherever they are."""
        try:
            block = self._stream.read(size)
        except (zstandard.ZstdError, MemoryError) as error:
            if self._out_bytes:
                self.is_whole = False
                return b""
            raise refusal("compressed", str(error)) from error
        self._out_bytes += len(block)
        if self._out_bytes > OUTPUT_LIMIT or (
            self._out_bytes > _FREE_BYTES and self._out_bytes > _RATIO_LIMIT * self.compressed_bytes
        ):
            raise refusal("compressed", f"{self.compressed_bytes} bytes became {self._out_bytes}")
        return bytes(block)


def _ends_whole(file: BinaryIO, size: int) -> bool:
    """Return whether the first frame ends within the file, by walking over its blocks without undoing them."""
    file.seek(0)
    head = file.read(18)
    try:
        parameters = zstandard.get_frame_parameters(head)
        position = zstandard.frame_header_size(head)
    except zstandard.ZstdError:
        return False
    while position + 3 <= size:
        file.seek(position)
        (header,) = struct.unpack("<I", file.read(3) + b"\0")
        is_last, kind, length = header & 1, header >> 1 & 3, header >> 3
        position += 3 + (1 if kind == 1 else length)
        if is_last:
            return bool(position + (4 if parameters.has_checksum else 0) <= size)
    return False
