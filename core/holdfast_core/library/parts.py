"""What held sessions are kept with: keys, store, audit log, timings; each opened once, when it is first asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.paths import Paths, chosen_place, make_private

if TYPE_CHECKING:
    from holdfast_core.audit import Anchor, AuditLog, Outcome
    from holdfast_core.metrics import Metrics
    from holdfast_core.model.health import OperationName
    from holdfast_core.redact.engine import Redactor
    from holdfast_core.sealed.keys import Keys
    from holdfast_core.settings import Settings
    from holdfast_core.store.limits import Limits
    from holdfast_core.store.redaction import Redact
    from holdfast_core.store.source import InIndex
    from holdfast_core.store.store import Store
    from holdfast_core.vault.vault import Vault, VaultOptions

log = logging.getLogger(__name__)

_MB = 1_000_000
_ANCHOR_BYTES = 200


class Parts:
    """The parts below held sessions, for all threads of one library. Opening them makes their files.

    ``given`` returns the settings that count now, None where only defaults
    do: these are not loaded before a part needs them.
    """

    def __init__(self, paths: Paths, given: Callable[[], Settings | None]) -> None:
        self.paths = paths
        self._given = given
        self._lock = threading.RLock()
        self._keys: Keys | None = None
        self._store: Store | None = None
        self._audit: AuditLog | None = None
        self._vault: Vault | None = None
        self._redacted = ""
        self.followers: list[Callable[[Settings], None]] = []

    @property
    def settings(self) -> Settings:
        """The settings that count now."""
        from holdfast_core.settings import Settings

        return self._given() or Settings.model_validate({})

    @property
    def directory(self) -> Path:
        """Where the held sessions are, whether or not there are any."""
        given = self._given()
        return chosen_place(given.sessions_directory if given else "", self.paths.sessions)

    @property
    def encrypted_in_index(self) -> InIndex:
        """What of encrypted sessions may stand in the index."""
        given = self._given()
        return given.encrypted_in_index if given else "nothing"

    @property
    def audit_file(self) -> Path:
        """Where the audit log is, whether or not there is one."""
        return chosen_place(self.settings.audit_file, self.paths.audit)

    @property
    def has_store(self) -> bool:
        """Whether there may be held sessions: without any nothing needs to be opened."""
        return self._store is not None or self.directory.exists()

    @property
    def has_keys(self) -> bool:
        """Whether keys were ever made here."""
        return self._keys is not None or self.paths.keys.exists()

    def use_settings(self) -> None:
        """Follow the settings that count now, as far as what is open can; then ``followers`` are called."""
        with self._lock:
            if self._store is not None:
                self._store.site.limits = self._limits()
                if self.settings.redact_stored != self._redacted:
                    self._store.site.redaction.use(self._redact())
            if self._audit is not None:
                self._audit.use_level(self.settings.audit_level)
            if self._vault is not None:
                now = self.vault_directory, self._vault_options()
                if (self._vault.directory, self._vault.options) != now:
                    self._vault = None  # what is asked of it now is answered; it goes with its last answer
        for follower in self.followers:
            follower(self.settings)

    def keys(self) -> Keys:
        """Return the keys, made the first time.

        Raises:
            HoldfastError: they are gone, were changed, or cannot be written.
        """
        from holdfast_core.sealed.keys import Keys
        from holdfast_core.sealed.second_copy import KeyringCopy

        with self._lock:
            if self._keys is None:
                settings = self._given()  # as usual without loading what nobody chose
                keyring = KeyringCopy() if settings is None or settings.use_keyring else None
                # Where something is sealed, new keys could open none of it.
                try:
                    self._keys = Keys.open(self.paths.keys, keyring=keyring, may_create=not self._has_sealed())
                except OSError as error:
                    raise HoldfastError(
                        "The keys of your held sessions cannot be used. Check their directory and its permissions.",
                        detail=repr(error),
                    ) from error
            return self._keys

    def store(self) -> Store:
        """Return the store, made the first time.

        Raises:
            HoldfastError: its directory or its keys cannot be used.
        """
        from holdfast_core.store.store import Store

        with self._lock:
            if self._store is None:
                self._store = Store.open(self.directory, self.keys(), limits=self._limits(), redact=self._redact())
            return self._store

    @property
    def vault_directory(self) -> Path:
        """Where the vault is, whether or not there is one."""
        given = self._given()
        return chosen_place(given.vault_directory if given else "", self.paths.vault)

    def vault(self) -> Vault:
        """Return the vault; nothing of it is made on the disk by that."""
        from holdfast_core.vault.vault import Vault

        with self._lock:
            if self._vault is None:
                self._vault = Vault.open(self.vault_directory, self.keys, options=self._vault_options())
            return self._vault

    @property
    def removed(self) -> int:
        """How many texts had secrets taken out of them before they were written."""
        return self._store.site.redaction.count if self._store is not None else 0

    @cached_property
    def metrics(self) -> Metrics:
        """The timings of this machine, those of earlier runs included."""
        from holdfast_core.metrics import Metrics

        return Metrics.open(self.paths.metrics)

    @contextmanager
    def timed(self, operation: OperationName) -> Iterator[None]:
        """Count what happens inside as one operation."""
        with self.metrics.timed(operation):
            yield

    def audit(self) -> AuditLog | None:
        """Return the audit log to write to; None if the person wants none."""
        return self.audit_log() if self.settings.audit_log else None

    def audit_log(self) -> AuditLog:
        """Return the audit log, wanted or not. Its key is of the first root key, so that it outlives rotation."""
        from holdfast_core.audit import AuditLog

        with self._lock:
            if self._audit is None:
                keys = self.keys()
                key = keys.key("audit", keys.states()[0].id)
                level = self.settings.audit_level
                self._audit = AuditLog.open(self.audit_file, key, level=level, anchor=self._remember)
            return self._audit

    def record(
        self, event: str, subject: str, outcome: Outcome = "done", *, detail: str = "", is_reading: bool = False
    ) -> None:
        """Write something down in the audit log. A log that fails costs a line in ours, never what was done."""
        try:
            audit = self.audit()
            if audit is not None:
                audit.record(event, subject, outcome, detail, is_reading=is_reading)
        except (HoldfastError, OSError) as error:
            log.error("the audit log cannot be written: %s", getattr(error, "detail", "") or repr(error))

    def anchor(self) -> Anchor | None:
        """Return the newest record of the audit log that is remembered outside of it."""
        from holdfast_core.atomic import read_file
        from holdfast_core.audit import Anchor

        try:
            sequence, _, tag = read_file(self._anchor_file, limit_bytes=_ANCHOR_BYTES).decode("ascii").partition(" ")
            return Anchor(int(sequence), tag.strip())
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Close what was opened."""
        with self._lock:
            if self._audit is not None:
                with suppress(OSError, HoldfastError):
                    self._audit.close()
                self._audit = None
            if self._vault is not None:
                self._vault.close()
                self._vault = None
            if self._store is not None:
                try:
                    self._store.shut()
                except HoldfastError as error:
                    log.error("the store could not be closed in order: %s", error.detail)
                self._store = None
            if "metrics" in self.__dict__:
                with suppress(OSError):
                    make_private(self.paths.metrics.parent)
                    self.metrics.save(self.paths.metrics)

    @property
    def _anchor_file(self) -> Path:
        return self.paths.keys / "audit.seen"

    def _remember(self, anchor: Anchor) -> None:
        from holdfast_core.atomic import write_file

        try:
            write_file(self._anchor_file, [f"{anchor.sequence} {anchor.tag}\n".encode("ascii")])
        except OSError as error:
            log.error("the end of the audit log cannot be remembered: %r", error)

    def _has_sealed(self) -> bool:
        """Return whether there are held sessions here, or versions in the vault."""
        from holdfast_core.store.places import SUFFIX

        places = (self.directory.glob(f"*{SUFFIX}"), self.vault_directory.rglob(f"*{SUFFIX}"))
        return any(next(found, None) is not None for found in places)

    def _limits(self) -> Limits:
        from holdfast_core.store.limits import Limits

        settings = self.settings
        return Limits(
            session_bytes=settings.session_limit_mb << 20,
            stored_sessions=settings.stored_sessions_limit,
            stored_age_days=settings.stored_age_days,
            stored_bytes=settings.storage_limit_mb * _MB,
            at_limit=settings.at_limit,
            trash_days=settings.trash_days,
            backups_kept=settings.backups_kept,
            resume_failures=settings.resume_failures,
        )

    def _vault_options(self) -> VaultOptions:
        from holdfast_core.vault.vault import VaultOptions

        settings = self._given()
        if settings is None:  # what nobody chose is the same there
            return VaultOptions()
        return VaultOptions(
            reserve_bytes=settings.vault_reserve_mb << 20,
            is_encrypted=settings.vault_encrypted,
            database_minutes=settings.vault_database_minutes,
        )

    def _redact(self) -> Redact:
        """Return what takes secrets out of texts; made with the first session that is written."""
        made: list[Redact] = []
        self._redacted = self.settings.redact_stored

        def redact(text: str) -> str:
            if not made:
                made.append(self._redactor().text)
            return made[0](text)

        return redact

    def _redactor(self) -> Redactor:
        from holdfast_core.redact.engine import Redactor
        from holdfast_core.redact.rules import Tier

        keys = self.keys()
        key = keys.key("settings", keys.states()[0].id)  # placeholders of one secret stay alike
        return Redactor(tier=Tier[self.settings.redact_stored.upper()], key=key)


def outcome_of(error: HoldfastError) -> Outcome:
    """Return how the audit log calls an error."""
    return "refused" if isinstance(error, Refused) else "failed"
