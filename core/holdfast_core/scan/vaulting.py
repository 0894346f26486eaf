"""The vault of an indexer, as it was told that it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.paths import Paths, text_path
from holdfast_core.scan.capturing import Capturing
from holdfast_core.scan.held import OpenedKeys
from holdfast_core.scan.kept import Keeping
from holdfast_core.scan.protocol import Capture, Captures, Event
from holdfast_core.vault.looks import Looks

if TYPE_CHECKING:
    from holdfast_core.vault.vault import Vault


class Vaulting:
    """What is to be captured now; opened with the first pass that needs it, in its thread."""

    def __init__(self, paths: Paths, sessions: Path, how: Capture | None, emit: Callable[[Event], None]) -> None:
        self.how = how
        self.keys = OpenedKeys(paths.keys, may_make=self._may_make_keys)
        self._paths = paths
        self._sessions = sessions
        self._emit = emit
        self._used: Capture | None = None
        self._capturing: Capturing | None = None
        self._vault: Vault | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether what is captured is encrypted, so that it may wait for the passphrase."""
        return self.how is not None and self.how.is_encrypted

    def capturing(self) -> Capturing | None:
        """Return what captures for the next pass; None where there is no vault."""
        how = self.how
        if how is None or how is self._used:
            return self._capturing
        self.close()
        self._capturing = Capturing(
            Keeping(Looks(self._directory(how), self._open), self._open),
            database_minutes=how.database_minutes,
            is_enabled=how.is_enabled,
            left_out=how.left_out,
            on_status=lambda status: self._emit(Captures(*status)),
        )
        self._used = how
        return self._capturing

    def close(self) -> None:
        """Let go of the vault."""
        if self._capturing is not None:
            self._capturing.keeping.looks.close()
            self._capturing = None
        if self._vault is not None:
            self._vault.close()
            self._vault = None

    def _open(self) -> Vault:
        from holdfast_core.vault.vault import Vault, VaultOptions

        if self._vault is None:
            how = self._used or Capture()
            options = VaultOptions(
                reserve_bytes=how.reserve_bytes, is_encrypted=how.is_encrypted, database_minutes=how.database_minutes
            )
            self._vault = Vault.open(self._directory(how), self.keys.made, options=options)
        return self._vault

    def _directory(self, how: Capture) -> Path:
        return Path(text_path(how.directory)) if how.directory else self._paths.vault

    def _may_make_keys(self) -> bool:
        """Return whether nothing was ever sealed: new keys could open none of it."""
        places = [self._sessions] if self.how is None else [self._sessions, self._directory(self.how)]
        return not any(next(place.rglob("*.hold"), None) for place in places)
