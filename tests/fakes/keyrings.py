"""Keyrings that work, fail or never answer, for the second copy of the keys. The real one is never asked."""

from __future__ import annotations

import threading

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """A keyring that lives as long as the test."""

    priority = 1  # type: ignore[assignment]  # a property of the class there, a plain value here

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was kept."""
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it; what is not there is an error, as keyrings have it."""
        if self.secrets.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


class LockedKeyring(MemoryKeyring):
    """A keyring that nobody unlocks."""

    def get_password(self, service: str, username: str) -> str | None:
        """Fail."""
        raise KeyringLocked("nobody is there")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Fail."""
        raise KeyringLocked("nobody is there")


class AskingKeyring(MemoryKeyring):
    """A keyring whose question to the person is never answered, until ``answer`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        """Wait."""
        self.answer.wait()
        return super().get_password(service, username)
