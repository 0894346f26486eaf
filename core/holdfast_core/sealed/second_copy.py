"""The system's keyring as a second copy of the root keys: it helps when it can, and never gets in the way."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

log = logging.getLogger(__name__)

_SERVICE = "Holdfast"
_WAIT_SECONDS = 5.0
Result = TypeVar("Result")


class KeyringCopy:
    """Secrets by name in a keyring; the default is the system's. What takes longer than ``wait_seconds`` is given up.

    A keyring may ask the person for its own password, which can take for ever
    where nobody looks; so each call runs in a thread that nobody waits for.
    """

    def __init__(self, backend: KeyringBackend | None = None, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._backend = backend
        self._wait_seconds = wait_seconds

    def get(self, name: str) -> bytes | None:
        """Return the secret of that name; None if there is none or the keyring fails."""
        text = self._asked(lambda backend: backend.get_password(_SERVICE, name))
        try:
            return None if text is None else bytes.fromhex(text)
        except ValueError:
            return None

    def put(self, name: str, secret: bytes) -> bool:
        """Keep a secret; returns whether the keyring gives it back."""
        self._asked(lambda backend: backend.set_password(_SERVICE, name, secret.hex()))
        return self.get(name) == secret

    def remove(self, name: str) -> None:
        """Forget a secret, if the keyring has it."""
        self._asked(lambda backend: backend.delete_password(_SERVICE, name))

    def _asked(self, question: Callable[[KeyringBackend], Result]) -> Result | None:
        answers: list[Result] = []
        thread = threading.Thread(target=self._ask, args=(question, answers), name="keyring", daemon=True)
        thread.start()
        thread.join(self._wait_seconds)
        return answers[0] if answers else None

    def _ask(self, question: Callable[[KeyringBackend], Result], answers: list[Result]) -> None:
        import keyring

        try:
            answers.append(question(self._backend or keyring.get_keyring()))
        except _failures() as error:
            log.info("the keyring does not answer: %s", type(error).__name__)


def _failures() -> tuple[type[Exception], ...]:
    """Return what keyrings raise: their own errors, the system's, and those of the bus that some are reached by."""
    from keyring.errors import KeyringError

    found: list[type[Exception]] = [KeyringError, OSError, RuntimeError, ValueError, LookupError, ImportError, EOFError]
    for module, name in (("jeepney.wrappers", "DBusErrorResponse"), ("secretstorage", "SecretStorageException")):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)
