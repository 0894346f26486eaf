"""Compresses what the index keeps: the texts of a shard, and what belongs to one source or session."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import apsw
import zstandard

from holdfast_core.index.database import select

_LEVEL: Final = 1
_SHORTEST_MATCH: Final = 7  # a seventh quicker than the usual six, and 2 % larger
_USUAL_BYTES: Final = 32 * 1024
_PRESET_BYTES: Final = 112 * 1024
_SAMPLE_BYTES: Final = 4096
_SAMPLES_BYTES: Final = 4 << 20
# What the trainer is told: the length of what it looks for, and how thoroughly. Found by trial, 10 milliseconds.
_SEGMENT, _WINDOW, _MEMORY_LOG, _STEP = 256, 8, 18, 4


class Packer:
    """Compresses and decompresses, in one thread. ``preset`` is what all that it packs begins like; may be empty."""

    def __init__(self, preset: bytes = b"") -> None:
        known = zstandard.ZstdCompressionDict(preset) if preset else None
        # Told the sizes, the library makes its tables as small as they need be.
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL, source_size=_USUAL_BYTES, dict_size=len(preset), min_match=_SHORTEST_MATCH, write_dict_id=True
        )
        if known is not None:
            known.precompute_compress(compression_params=parameters)
        self._compressor = zstandard.ZstdCompressor(compression_params=parameters, dict_data=known)
        self._decompressor = zstandard.ZstdDecompressor(dict_data=known)

    def pack(self, data: bytes) -> bytes:
        """Return ``data`` compressed, the same for equal data."""
        return self._compressor.compress(data)

    def unpack(self, data: bytes) -> bytes:
        """Return what was packed, with this preset or with none."""
        return self._decompressor.decompress(data)


def preset_of(texts: Sequence[bytes]) -> bytes:
    """Return what texts of several megabytes have in common; what resembles them takes a sixth less with it.

    Empty if there is nothing to learn, because they are all the same.
    """
    step = 1 + sum(map(len, texts)) // _SAMPLES_BYTES
    samples: list[bytes | bytearray | memoryview[int]] = [
        text[start : start + _SAMPLE_BYTES] for text in texts[::step] for start in range(0, len(text), _SAMPLE_BYTES)
    ]
    try:
        trained = zstandard.train_dictionary(_PRESET_BYTES, samples, k=_SEGMENT, d=_WINDOW, f=_MEMORY_LOG, accel=_STEP)
    except zstandard.ZstdError:
        return b""
    return trained.as_bytes()


def read_preset(shard: apsw.Connection) -> bytes:
    """Return the preset of a shard, empty if it has none."""
    return b"".join(data for (data,) in select(shard, "SELECT data FROM preset"))


def has_preset(data: bytes) -> bool:
    """Say whether something was packed with a preset, and cannot be unpacked without."""
    return zstandard.get_frame_parameters(data).dict_id != 0


def pack(data: bytes) -> bytes:
    """Return ``data`` compressed; from any thread."""
    return _own.packer.pack(data)


def unpack(data: bytes) -> bytes:
    """Return what `pack` was given; from any thread."""
    return _own.packer.unpack(data)


class _Own(threading.local):
    def __init__(self) -> None:
        self.packer = Packer()


_own = _Own()
