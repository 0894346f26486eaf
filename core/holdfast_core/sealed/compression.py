"""Make payloads smaller, and large again without believing what they say of their size."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.layout import PLAIN, ZSTD

if TYPE_CHECKING:
    import zstandard

FRAME_WORTH_BYTES = 512
RECORD_WORTH_BYTES = 4096
"""Below this nothing is compressed: a record is written at once, and folding makes frames of records anyway."""

USUAL, QUICK = 3, 1
"""Levels of zstd. Quick costs half the time for a twentieth more bytes: for much at once, which is folded later."""
_MAX_WINDOW_BYTES = 1 << 24
_PIECE_BYTES = 1 << 20
_of_thread = threading.local()


def compress(plain: bytes, *, worth_bytes: int, level: int = USUAL) -> tuple[int, bytes]:
    """Return how it was compressed, and the result: never larger than ``plain``, which is it if that is small."""
    if len(plain) < worth_bytes:
        return PLAIN, plain
    small = _compressor(level).compress(plain)
    return (ZSTD, small) if len(small) < len(plain) else (PLAIN, plain)


def decompress(compression: int, stored: bytes, *, plain_bytes: int) -> bytes:
    """Return what `compress` was given. Stops after ``plain_bytes`` + 1 bytes, whatever ``stored`` says of itself.

    Raises:
        SealedError: the result is not of that size, or ``stored`` is damaged.
    """
    if compression == PLAIN:
        if len(stored) != plain_bytes:
            raise SealedError("bad_tag", "a payload has not the size that it should have")
        return bytes(stored)
    if compression != ZSTD:
        raise SealedError("newer_format", f"compression {compression}")
    plain = _expand(stored, plain_bytes)
    if len(plain) != plain_bytes:
        raise SealedError("bad_tag", "a payload has not the size that it should have")
    return plain


def _expand(stored: bytes, plain_bytes: int) -> bytes:
    import zstandard

    pieces: list[bytes] = []
    left = plain_bytes + 1
    try:
        with zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).stream_reader(stored) as reader:
            while left > 0 and (piece := reader.read(min(left, _PIECE_BYTES))):
                pieces.append(piece)
                left -= len(piece)
    except zstandard.ZstdError as error:
        raise SealedError("bad_tag", "a payload cannot be decompressed") from error
    return b"".join(pieces)


def _compressor(level: int) -> zstandard.ZstdCompressor:
    """Return this thread's own: they are expensive to make and must not be shared."""
    import zstandard

    known: dict[int, zstandard.ZstdCompressor] = _of_thread.__dict__.setdefault("compressors", {})
    if level not in known:
        known[level] = zstandard.ZstdCompressor(level=level)
    return known[level]
