"""Sessions of jido_code: one signed, pretty-printed JSON file each in ``~/.jido_code/sessions``.

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
from functools import cached_property
from typing import Any

from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import read_small
from holdfast_core.errors import SourceError
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.message import Message, Text, ToolResult
from holdfast_core.model.usage import Usage
from holdfast_core.paths import path_text
from holdfast_core.store.importing._fields import (
    Conversation,
    Fields,
    message_id,
    provider_data,
    role_of,
    todos,
)
from holdfast_core.store.importing._source import Source
from holdfast_core.store.importing.base import Draft, Importer

_VERSION = 1
_SALTS = (b"jido_code_session_v1_2025", b"jido_code_session_v1")  # of config.exs, and where that sets none
_ROUNDS = 100_000
_SECRET_BYTES = 32
# Only the outermost object's fields stand two spaces deep, no text holds a raw line end, and fields are sorted by
# name, so that others follow this one.
_SIGNATURE = re.compile(rb'\n  "signature": "([A-Za-z0-9+/=]{1,128})",(?=\n)')


class JidoCode(Importer):
    """See the module."""

    id = "jido_code"
    name = "jido_code"

    def recognises(self, document: Mapping[str, Any]) -> bool:
        """See `Importer.recognises`."""
        return {"version", "conversation", "project_path"} <= document.keys()

    def session(self, source: Source) -> Draft:
        """See `Importer.session`."""
        fields = Fields(source.document)
        if fields.must("version", int) > _VERSION:
            raise SourceError("A newer version of the program wrote this session.", reason="newer_schema")
        is_verified, warnings = self._verified(source)
        conversation = Conversation()
        conversation.take(fields.must("conversation", list), _message)
        if conversation.odd:
            warnings.append("Some records in it are no messages; they stand there as they are.")
        session = self._session(fields, conversation, source, is_verified=is_verified)
        return Draft(session, source.path.name, tuple(warnings))

    def _session(self, fields: Fields, conversation: Conversation, source: Source, *, is_verified: bool) -> HeldSession:
        fields.left.pop("signature", None)
        title = fields.title("name") or conversation.title()
        config = Fields(fields.must("config", dict))
        created = fields.moment("created_at") or self.here.now_ms
        return HeldSession(
            id=self.here.new_id(),
            title=title,
            project_path=fields.path("project_path"),
            created_ms=created,
            updated_ms=fields.moment("updated_at") or created,
            closed_ms=fields.moment("closed_at"),
            config=SessionConfig(
                agent=self.id,
                provider=config.may("provider", str, ""),
                model=config.may("model", str, ""),
                options=config.left,
            ),
            messages=tuple(conversation.messages),
            todos=todos(fields, "todos"),
            usage=fields.usage("cumulative_usage", taken="input_tokens", given="output_tokens") or Usage(),
            cost_usd=_cost(fields.left.get("cumulative_usage")),
            origin=Origin(
                kind="imported",
                agent=self.id,
                native_id=fields.native_id("id"),
                source_path=path_text(str(source.path)),
                is_verified=is_verified,
            ),
            provider_data=provider_data(fields, conversation),
        )

    def _verified(self, source: Source) -> tuple[bool, list[str]]:
        """Return whether the program of this machine wrote the file as it is, and what to tell if not."""
        found = _SIGNATURE.findall(source.content)
        if "signature" not in source.document:
            return False, ["It is not signed; adopt it to go on with it."]
        if not self._keys:
            return False, ["Its signature cannot be checked here; adopt it to go on with it."]
        if len(found) == 1 and _is_signed(source.content, found[0], self._keys):
            return True, []
        return False, ["Its signature does not fit: it was changed, or comes from another machine."]

    @cached_property
    def _keys(self) -> list[bytes]:
        """The keys that this machine's jido_code may have signed with; deriving one takes 20 ms."""
        secret = read_small(self.here.home / ".jido_code" / "machine_secret", limit=4096)
        if secret is None or len(secret) < _SECRET_BYTES:
            return []
        hosts = dict.fromkeys((self.here.host_name.partition(".")[0], self.here.host_name))  # it knows the first part
        return [
            hashlib.pbkdf2_hmac("sha256", salt, salt + secret + host.encode("utf-8", "replace"), _ROUNDS)
            for salt in _SALTS
            for host in hosts
        ]


def _is_signed(content: bytes, signature: bytes, keys: list[bytes]) -> bool:
    text = _SIGNATURE.sub(b"", content)
    return any(hmac.compare_digest(base64.b64encode(hmac.digest(key, text, "sha256")), signature) for key in keys)


def _message(fields: Fields) -> Message:
    role = role_of(fields)
    text = shown(fields.left.pop("content", ""))
    used = fields.usage("usage", taken="input_tokens", given="output_tokens")
    block = ToolResult("", text) if role == "tool" else Text(text)
    return Message(message_id(fields), role, (block,) if text else (), fields.moment("timestamp"), usage=used)


def _cost(total: Any) -> float | None:
    cost = total.get("total_cost") if isinstance(total, dict) else None
    return float(cost) if isinstance(cost, int | float) and cost >= 0 else None


IMPORTER = JidoCode
