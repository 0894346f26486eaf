"""The form in which jido_code keeps a session: one signed, pretty-printed JSON file.

Format: agentjido/jido_code, ``lib/jido_code/session/persistence/{schema,serialization,crypto}.ex``.
The signature is the HMAC-SHA256 of the file's text without the line in which
it stands; its key is made by PBKDF2 of the program's salt, a secret of the
machine and the host's name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from holdfast_core.agents._json import shown
from holdfast_core.agents._kept_fields import Conversation, Fields, Kept, message_id, role_of, todos
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Message, Text, ToolResult
from holdfast_core.model.usage import Usage

ID = "jido_code"
NAME = "jido_code"
FOLDER = ".jido_code"
SECRET = "machine_secret"
_VERSION = 1
_SALTS = (b"jido_code_session_v1_2025", b"jido_code_session_v1")  # of config.exs, and where that sets none
_ROUNDS = 100_000
_SECRET_BYTES = 32
# Only the outermost object's fields stand two spaces deep, no text holds a raw line end, and fields are sorted by
# name, so that others follow this one.
_SIGNATURE = re.compile(rb'\n  "signature": "([A-Za-z0-9+/=]{1,128})",(?=\n)')


def is_session(document: Mapping[str, Any]) -> bool:
    """Return whether this is a file of the program, by the fields that stand in it."""
    return {"version", "conversation", "project_path"} <= document.keys()


def session_of(document: Mapping[str, Any], *, is_strict: bool) -> Kept:
    """Return the session in a document.

    Raises:
        SourceError: a newer version wrote it; if ``is_strict``, also where a
            field that is always there is not, or is of another type.
    """
    fields = Fields(document, is_strict=is_strict)
    if fields.must("version", int) > _VERSION:
        raise SourceError("A newer version of the program wrote this session.", reason="newer_schema")
    conversation = Conversation()
    conversation.take(fields.must("conversation", list), _message)
    fields.left.pop("signature", None)
    title = fields.title("name") or conversation.title()
    config = Fields(fields.must("config", dict))
    return Kept(
        native_id=fields.native_id("id"),
        title=title,
        project_path=fields.path("project_path"),
        created_ms=fields.moment("created_at"),
        updated_ms=fields.moment("updated_at"),
        closed_ms=fields.moment("closed_at"),
        provider=config.may("provider", str, ""),
        model=config.may("model", str, ""),
        options=config.left,
        conversation=conversation,
        todos=todos(fields, "todos"),
        usage=fields.usage("cumulative_usage", taken="input_tokens", given="output_tokens") or Usage(),
        cost_usd=cost_in(fields.left.get("cumulative_usage")),
        fields=fields,
    )


def cost_in(total: Any) -> float | None:
    """Return the cost in what is left of a usage, None if it tells none."""
    cost = total.get("total_cost") if isinstance(total, dict) else None
    return float(cost) if isinstance(cost, int | float) and cost >= 0 else None


def keys_of(secret: bytes | None, host_name: str) -> list[bytes]:
    """Return the keys that a machine's jido_code may have signed with; deriving one takes 20 ms."""
    if secret is None or len(secret) < _SECRET_BYTES:
        return []
    hosts = dict.fromkeys((host_name.partition(".")[0], host_name))  # it knows the first part
    return [
        hashlib.pbkdf2_hmac("sha256", salt, salt + secret + host.encode("utf-8", "replace"), _ROUNDS)
        for salt in _SALTS
        for host in hosts
    ]


def is_signed(content: bytes, keys: list[bytes]) -> bool:
    """Return whether one of the keys signed a file as it is."""
    found = _SIGNATURE.findall(content)
    text = _SIGNATURE.sub(b"", content)
    return len(found) == 1 and any(
        hmac.compare_digest(base64.b64encode(hmac.digest(key, text, "sha256")), found[0]) for key in keys
    )


def _message(fields: Fields) -> Message:
    role = role_of(fields)
    text = shown(fields.left.pop("content", ""))
    used = fields.usage("usage", taken="input_tokens", given="output_tokens")
    block = ToolResult("", text) if role == "tool" else Text(text)
    return Message(message_id(fields), role, (block,) if text else (), fields.moment("timestamp"), usage=used)
