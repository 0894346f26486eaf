"""A store's keys and the path of one container."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.sealed.container import Identity, Tail, write
from holdfast_core.sealed.keys import Keys

IDENTITY = Identity("document", "0f8fad5b-d9cb-469f-a165-70867728950e")
FRAMES = [b'{"title":"one"}', b"a message " * 400, bytes(range(256)) * 3]
RECORDS = [b"first", b"second " * 700, b""]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.open(tmp_path / "keys")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "one.hold"


@pytest.fixture(params=["signed", "encrypted"])
def whole(request: pytest.FixtureRequest, path: Path, keys: Keys) -> Path:
    """A container with frames and a tail."""
    if request.param == "encrypted":
        keys.set_passphrase("correct horse")
    position = write(path, keys, IDENTITY, FRAMES, expected_generation=None, encrypt=keys.is_encrypted)
    tail = Tail.open(path, keys, IDENTITY, position)
    for record in RECORDS:
        tail.append([record])
    tail.close()
    return path
