"""A vault with sources that are plain files, and what is done to them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_core.agents.base import SourceRef, fingerprint_at
from holdfast_core.model.vault import Version
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.strand import strand_name, strand_path
from holdfast_core.vault.vault import Captured, Mark, Seen, Vault, VaultOptions

AGENT = "some-agent"


@dataclass
class World:
    """A directory with sources and a vault, which can be closed and opened again."""

    top: Path
    options: VaultOptions = field(default_factory=lambda: VaultOptions(reserve_bytes=0, database_minutes=0))

    def __post_init__(self) -> None:
        self.sources = self.top / "sources"
        self.sources.mkdir(parents=True, exist_ok=True)
        self.keys = Keys.open(self.top / "keys")
        self.open()

    def open(self) -> Vault:
        """Open the vault, anew if it is open."""
        self.vault = Vault.open(self.top / "vault", lambda: self.keys, options=self.options)
        return self.vault

    def reopen(self) -> Vault:
        """Close the vault and open it again."""
        self.vault.close()
        return self.open()

    def put(self, name: str, data: bytes) -> Path:
        """Let a source be these bytes."""
        path = self.sources / name
        path.write_bytes(data)
        return path

    def ref(self, name: str) -> SourceRef:
        """Return a source as it is found now."""
        path = str(self.sources / name)
        return SourceRef(AGENT, path, path, fingerprint_at(path))

    def key(self, name: str) -> str:
        """Return the key of a source."""
        return str(self.sources / name)

    def capture(
        self,
        name: str,
        data: bytes | None = None,
        *,
        marks: Sequence[Mark] = (),
        companions: Sequence[Path] = (),
        seen: Seen | None = None,
    ) -> Captured:
        """Capture a source, which is given these bytes first, and commit."""
        if data is not None:
            self.put(name, data)
        taken = self.vault.capture(self.ref(name), seen, marks=marks, companions=companions)
        self.vault.commit()
        return taken

    def content(self, name: str, number: int | None = None) -> bytes:
        """Return what the vault gives of a version."""
        return b"".join(self.vault.content(AGENT, self.key(name), number))

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a source."""
        return self.vault.versions(AGENT, self.key(name))

    def strand(self, name: str) -> Path:
        """Return the file of a source's strand."""
        return strand_path(self.top / "vault", strand_name(AGENT, self.key(name)))


def record(number: int, size: int = 200) -> bytes:
    """Return a line that no other number gives and that does not compress to nothing."""
    block = b"".join(hashlib.sha256(b"%d %d" % (number, at)).digest() for at in range(size // 40 + 1))
    return b'{"n":%d,"text":"%s"}\n' % (number, base64.b64encode(block)[:size])


def transcript(count: int, *, first: int = 0, size: int = 200) -> bytes:
    """Return that many lines."""
    return b"".join(record(number, size) for number in range(first, first + count))
