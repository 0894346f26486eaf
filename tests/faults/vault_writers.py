"""What the vault writes, as the fault programme sees it: growth, rewrites, new strands in batches, folding."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from types import ModuleType

from holdfast_core.agents.base import Fingerprint, SourceRef
from holdfast_core.errors import HoldfastError, NotFound
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault import batch, capturing
from holdfast_core.vault.vault import Mark, Seen, Vault, VaultOptions

from tests.faults.held_writers import quiet
from tests.faults.story import Save, Writer

AGENT = "some-agent"
_OPTIONS = VaultOptions(reserve_bytes=0, database_minutes=0)


def line(number: int) -> bytes:
    """Return the line that says a number."""
    return b'{"save":%06d,"text":"%s"}\n' % (number, b"%06d" % number * 30)


def lines(number: int) -> bytes:
    """Return all lines up to a number."""
    return b"".join(map(line, range(number + 1)))


def capture(vault: Vault, key: str, data: bytes) -> None:
    """Capture bytes that were seen: there is no file."""
    seen = Seen(Fingerprint(len(data), len(data), 1), [(0, data)])
    vault.capture(SourceRef(AGENT, key, key, seen.fingerprint), seen, marks=[Mark(key, data.count(b"\n"))])


class VaultWriter(Writer):
    """A vault. Each save is a batch; whoever reads starts a new process, which settles what was left."""

    databases = ("vault/vault.db", "vault/vault.db-wal")
    seconds = 0.03

    def vault(self, root: Path) -> Vault:
        keys = Keys.open(root / "keys")
        return Vault.open(root / "vault", lambda: keys, options=_OPTIONS)

    def prepare(self, root: Path) -> None:
        vault = self.vault(root)
        self.save(vault, 0)
        vault.commit()
        vault.close()

    def open(self, root: Path) -> Save:
        vault = self.vault(root)

        def save(number: int) -> None:
            try:
                with quiet():
                    self.save(vault, number)
                    vault.commit()
            except (OSError, HoldfastError):
                vault.discard()
                raise

        return save

    def read(self, root: Path) -> int | None:
        vault = self.vault(root)
        try:
            with quiet():
                vault.tidy(60)
                if vault.verify(sources=lambda _: None).bad:
                    return None
                return self.found(vault)
        except SealedError:
            return None
        finally:
            vault.close()

    @abstractmethod
    def save(self, vault: Vault, number: int) -> None:
        """Capture what says a number."""

    @abstractmethod
    def found(self, vault: Vault) -> int | None:
        """Return the number that is said, None if something is wrong."""


def content(vault: Vault, key: str, number: int | None = None) -> bytes:
    """Return what the vault has of a source, nothing if there is nothing."""
    try:
        return b"".join(vault.content(AGENT, key, number))
    except NotFound:
        return b""


class VaultGrowth(VaultWriter):
    """A source that grows by a line each time."""

    def save(self, vault: Vault, number: int) -> None:
        capture(vault, "one", lines(number))

    def found(self, vault: Vault) -> int | None:
        data = content(vault, "one")
        number = data.count(b"\n") - 1
        state = vault.state(AGENT, "one")
        is_listed = state is not None and state.content_bytes == len(data)
        return number if data == lines(number) and is_listed else None


class VaultRewrite(VaultWriter):
    """A source that is another one each time: every version stays."""

    most = 40

    def save(self, vault: Vault, number: int) -> None:
        capture(vault, "one", line(number) * (number + 1))

    def found(self, vault: Vault) -> int | None:
        versions = vault.versions(AGENT, "one")
        said = [content(vault, "one", version.number) for version in versions]
        numbers = [data.count(b"\n") - 1 for data in said]
        is_right = all(data == line(number) * (number + 1) for data, number in zip(said, numbers, strict=True))
        return max(numbers) if is_right and numbers == sorted(numbers) else None


class VaultStrands(VaultWriter):
    """New sources, two in a batch, and one that grows beside them."""

    saves = 2
    most = 60

    def save(self, vault: Vault, number: int) -> None:
        for one in range(number + 1):
            for key, data in ((f"a{one}", line(one)), (f"b{one}", line(one) * 3)):
                if vault.state(AGENT, key) is None:  # also what was refused before
                    capture(vault, key, data)
        capture(vault, "all", lines(number))

    def found(self, vault: Vault) -> int | None:
        said = content(vault, "all")
        number = said.count(b"\n") - 1
        is_right = said == lines(number)
        for one in range(number + 1):
            # A batch of which not all was written was never acknowledged: what there is of it is whole.
            pair = content(vault, f"a{one}"), content(vault, f"b{one}")
            is_right = is_right and pair[0] in (b"", line(one)) and pair[1] in (b"", line(one) * 3)
            if not all(pair):
                return one - 1 if is_right else None
        return number if is_right else None


class VaultFold(VaultWriter):
    """A source whose strand is written whole after each growth."""

    def open(self, root: Path) -> Save:
        return _limited(super().open(root), capturing, "FOLD_BYTES", 100)

    def save(self, vault: Vault, number: int) -> None:
        capture(vault, "one", lines(number) * 8)

    def found(self, vault: Vault) -> int | None:
        data = content(vault, "one")
        number = data.count(b"\n") // 8 - 1
        return number if data == lines(number) * 8 else None


class VaultLargeBatch(VaultStrands):
    """New sources, more in a batch than files may be open."""

    def open(self, root: Path) -> Save:
        return _limited(super().open(root), batch, "MOST_OPEN", 2)


def _limited(save: Save, module: ModuleType, name: str, limit: int) -> Save:
    """Lower a limit while something is saved."""

    def limited(number: int) -> None:
        before = getattr(module, name)
        setattr(module, name, limit)
        try:
            save(number)
        finally:
            setattr(module, name, before)

    return limited


VAULT_WRITERS: tuple[type[VaultWriter], ...] = (VaultGrowth, VaultRewrite, VaultStrands, VaultLargeBatch, VaultFold)
