"""Why a sealed file or a key cannot be used."""

from __future__ import annotations

from typing import Literal

from holdfast_core.errors import HoldfastError

Reason = Literal[
    "not_a_container",
    "newer_format",
    "bad_tag",
    "truncated",
    "wrong_identity",
    "too_large",
    "unknown_key",
    "locked",
    "not_regular",
    "wrong_passphrase",
    "other_generation",
    "broken",
]

_MESSAGES: dict[Reason, str] = {
    "not_a_container": "This file was not written by Holdfast.",
    "newer_format": "This file was written by a newer Holdfast. Update Holdfast to open it.",
    "bad_tag": "This file has changed since Holdfast wrote it. A backup may still be good.",
    "truncated": "The end of this file is missing. A backup may still be good.",
    "wrong_identity": "This file belongs to another session or another place. It was moved or copied by hand.",
    "too_large": "This file is larger than the limit, so it was not opened.",
    "unknown_key": "The key that this file was sealed with is not here, or is no longer trusted.",
    "locked": "Your held sessions are locked. Enter the passphrase or the recovery code to unlock them.",
    "not_regular": "There is a link, a directory or a device where a file of Holdfast should be.",
    "wrong_passphrase": "That is neither the passphrase nor the recovery code.",
    "other_generation": "This file was written anew in the meantime. Read it again from its beginning.",
    "broken": "The disk did not take what was written. The session has to be saved as a whole.",
}


class SealedError(HoldfastError):
    """A sealed file or a key cannot be used; ``reason`` is a short stable code."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(_MESSAGES[reason], detail=detail)
        self.reason = reason
