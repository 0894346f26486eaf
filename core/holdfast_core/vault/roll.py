"""The roll: how far every strand was seen, sealed, so that losing a strand and the catalogue together is noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from holdfast_core.sealed.container import Container, Identity, SealedError, read_header, write
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.catalogue import Catalogue
from holdfast_core.vault.strand import RECORD_TYPE
from holdfast_core.vault.verifying import Anchor

NAME = "roll.hold"
_IDENTITY = Identity(RECORD_TYPE, "roll")
_LINES = 4096
_decoder = msgspec.json.Decoder(list[tuple[str, int, int]])


def read_roll(directory: Path, keys: Keys) -> dict[str, Anchor]:
    """Return how far every strand was seen, by name; nothing if there is no roll.

    Raises:
        SealedError: it is damaged.
        OSError: it may not be read.
    """
    try:
        container = Container.open(directory / NAME, keys, _IDENTITY)
    except FileNotFoundError:
        return {}
    found: dict[str, Anchor] = {}
    for frame in container.frames():
        found.update((name, Anchor(generation, sequence)) for name, generation, sequence in _decoder.decode(frame))
    return found


def write_roll(directory: Path, keys: Keys, catalogue: Catalogue, *, kept: Mapping[str, Anchor]) -> None:
    """Write the roll anew: what the catalogue knows, and ``kept`` of what it does not. Under the lock of the vault.

    Raises:
        OSError: the disk does not take it.
    """
    found = dict(kept)
    for name, generation, sequence in catalogue.read("SELECT name, generation, sequence FROM strand", ()):
        found[name] = max(found.get(name, Anchor(0, 0)), Anchor(generation, sequence))
    try:
        former: int | None = read_header(directory / NAME, keys, _IDENTITY).generation
    except FileNotFoundError:
        former = None
    except SealedError:
        (directory / NAME).unlink()
        former = None
    write(directory / NAME, keys, _IDENTITY, _frames(found), expected_generation=former, encrypt=False)


def _frames(found: Mapping[str, Anchor]) -> Iterator[bytes]:
    lines = [(name, *found[name]) for name in sorted(found)]
    for start in range(0, len(lines), _LINES):
        yield msgspec.json.encode(lines[start : start + _LINES])
