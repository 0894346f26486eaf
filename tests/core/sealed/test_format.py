"""A reader written from `FORMAT.md` alone, without our code, agrees with what our code writes."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from holdfast_core.sealed.keys import Keys

from tests.core.sealed.conftest import FRAMES, IDENTITY, RECORDS


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def _tag(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), "sha256").digest()


class Reader:
    """A container, read as the page says."""

    def __init__(self, data: bytes, keys: Path) -> None:
        self.data = data
        assert data[:8] == bytes.fromhex("89484F4C440D0A1A")
        assert struct.unpack_from("<HH", data, 8) == (1, 160 + data[124] + data[125])
        kind, name = data[128 : 128 + data[124]], data[128 + data[124] :][: data[125]]
        assert (kind.decode(), name.decode()) == IDENTITY
        self.store, self.salt = data[32:48], data[64:96]
        self.generation, self.body, self.plain, self.count = struct.unpack_from("<QQQI", data, 96)
        self.root_key = (keys / "root.key").read_bytes()
        assert _tag(self.root_key, b"holdfast/v1/key id")[:16] == data[16:32]
        assert _hkdf(self.root_key, b"holdfast", b"holdfast/v1/store")[:16] == self.store
        self.purpose = _hkdf(self.root_key, self.store, b"holdfast/v1/documents")
        size = 160 + len(kind) + len(name)
        assert data[size - 32 : size] == _tag(self._key("header"), data[: size - 32])
        self.size = size
        self.context = self.store + struct.pack("<QB", self.generation, len(kind)) + kind + name

    def _key(self, name: str) -> bytes:
        return _hkdf(self.purpose, self.salt, b"holdfast/v1/file/" + name.encode())

    def payloads(self, data_key: bytes | None) -> tuple[list[bytes], list[bytes]]:
        frames, place = [], self.size
        for number in range(self.count):
            stored, plain, compression = struct.unpack_from("<IIB", self.data, place)
            packed = self.data[place + 12 : place + 12 + stored]
            if data_key:
                packed = self._frame(data_key, number, plain, compression, packed)
            frames.append(_unpacked(compression, packed, plain))
            place += 12 + stored
        assert place == self.size + self.body
        assert sum(map(len, frames)) == self.plain
        root = self.data[place : place + 72]
        assert root[:8] == b"ROOT" + struct.pack("<I", self.count)
        assert root[40:] == _tag(self._key("root"), self.data[: place + 40])
        whole = b"".join(frames)
        digest_key = data_key and self._file_key(data_key, b"digest")
        assert root[8:40] == (_tag(digest_key, whole) if digest_key else hashlib.sha256(whole).digest())
        return frames, self._records(data_key, place + 72)

    def _records(self, data_key: bytes | None, place: int) -> list[bytes]:
        records, before = [], self.data[place - 32 : place]
        while place < len(self.data):
            sequence, stored, plain, compression = struct.unpack_from("<QIIB", self.data, place)
            end = place + 20 + stored
            before, tag = self.data[end : end + 32], _tag(self._key("tail"), before, self.data[place:end])
            assert (sequence, tag) == (len(records) + 1, before)
            packed = self.data[place + 20 : end]
            if data_key:
                bound = struct.pack("<QIB", sequence, plain, compression)
                packed = AESGCM(self._file_key(data_key, b"records")).decrypt(packed[:12], packed[12:], bound)
            records.append(_unpacked(compression, packed, plain))
            place = end + 32
        return records

    def _frame(self, data_key: bytes, number: int, plain: int, compression: int, stored: bytes) -> bytes:
        cipher, bound = AESGCM(self._file_key(data_key, b"frames")), struct.pack("<QIB", number, plain, compression)
        chunks = [stored[start : start + 65_552] for start in range(0, len(stored), 65_552)]
        return b"".join(
            cipher.decrypt(struct.pack(">II3xB", number, place, place == len(chunks) - 1), chunk, bound)
            for place, chunk in enumerate(chunks)
        )

    def _file_key(self, data_key: bytes, name: bytes) -> bytes:
        return _hkdf(data_key, self.salt, b"holdfast/v1/file/" + name + b"\0" + self.context)


def _unpacked(compression: int, packed: bytes, plain: int) -> bytes:
    return zstandard.decompress(packed, max_output_size=plain) if compression else packed


def _data_key(keys: Path, store: bytes, text: str) -> bytes:
    content = (keys / "keys.json").read_bytes()
    listed = json.loads(content)
    root = (keys / "root.key").read_bytes()
    body = content[: content.rindex(b',"tag":"')]
    assert listed["tag"] == _tag(_hkdf(root, store, b"holdfast/v1/keys"), body).hex()
    found = listed["data_keys"][0]
    wrap = next(one for one in found["wraps"] if one["kind"] == ("recovery" if "-" in text else "passphrase"))
    salt = bytes.fromhex(wrap["salt"])
    if "-" in text:
        key = _hkdf(text.replace("-", "").encode(), salt, b"holdfast/v1/recovery code")
    else:
        assert [wrap.get(name) for name in ("time", "memory_kib", "lanes")] == [3, 65_536, 4]
        key = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65_536).derive(text.encode())
    how = " ".join(str(wrap.get(name, "")) for name in ("kind", "by", "salt", "time", "memory_kib", "lanes"))
    bound = b"holdfast/v1/data key\0" + store + bytes.fromhex(found["id"]) + how.encode()
    return AESGCM(key).decrypt(bytes.fromhex(wrap["nonce"]), bytes.fromhex(wrap["wrapped"]), bound)


def test_a_reader_by_the_page_reads_what_was_written(whole: Path, keys: Keys):
    reader = Reader(whole.read_bytes(), whole.parent / "keys")

    data_key = _data_key(whole.parent / "keys", reader.store, "correct horse") if keys.is_encrypted else None

    assert reader.payloads(data_key) == (FRAMES, RECORDS)


def test_a_recovery_code_opens_by_the_page(keys: Keys, tmp_path: Path):
    code = keys.set_passphrase("correct horse")

    by_code, by_passphrase = (_data_key(tmp_path / "keys", keys.store_id, text) for text in (code, "correct horse"))

    assert by_code == by_passphrase == keys.data_key().secret


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_chunks_are_where_the_page_says(keys: Keys, path: Path, size: int):
    import os

    from holdfast_core.sealed.container import write

    keys.set_passphrase("correct horse")
    plain = os.urandom(size)
    write(path, keys, IDENTITY, [plain, b""], expected_generation=None, encrypt=True)

    reader = Reader(path.read_bytes(), tmp := path.parent / "keys")

    assert reader.payloads(_data_key(tmp, reader.store, "correct horse")) == ([plain, b""], [])
