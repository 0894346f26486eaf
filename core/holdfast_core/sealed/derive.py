"""Keys out of keys: HKDF-SHA256 (RFC 5869) for one block of output, without loading a library of ciphers."""

from __future__ import annotations

import hmac

KEY_BYTES = 32


def derive(secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    """Return a key of 32 bytes for the use that ``info`` names; without ``secret`` it tells nothing of others."""
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")
