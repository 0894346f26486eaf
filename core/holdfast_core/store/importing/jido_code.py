"""Sessions of jido_code: one signed JSON file each in ``~/.jido_code/sessions``. The form: `agents._kept_jido`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from holdfast_core.agents import _kept_jido as form
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._kept_fields import provider_data
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.paths import path_text
from holdfast_core.store.importing._source import Source
from holdfast_core.store.importing.base import Draft, Importer


class JidoCode(Importer):
    """See the module."""

    id = form.ID
    name = form.NAME

    def recognises(self, document: Mapping[str, Any]) -> bool:
        """See `Importer.recognises`."""
        return form.is_session(document)

    def session(self, source: Source) -> Draft:
        """See `Importer.session`."""
        kept = form.session_of(source.document, is_strict=True)
        is_verified, warnings = self._verified(source)
        if kept.conversation.odd:
            warnings.append("Some records in it are no messages; they stand there as they are.")
        created = kept.created_ms or self.here.now_ms
        session = HeldSession(
            id=self.here.new_id(),
            title=kept.title,
            project_path=kept.project_path,
            created_ms=created,
            updated_ms=kept.updated_ms or created,
            closed_ms=kept.closed_ms,
            config=SessionConfig(agent=self.id, provider=kept.provider, model=kept.model, options=dict(kept.options)),
            messages=tuple(kept.conversation.messages),
            todos=kept.todos,
            usage=kept.usage,
            cost_usd=kept.cost_usd,
            origin=Origin(
                kind="imported",
                agent=self.id,
                native_id=kept.native_id,
                source_path=path_text(str(source.path)),
                is_verified=is_verified,
            ),
            provider_data=provider_data(kept.fields, kept.conversation),
        )
        return Draft(session, source.path.name, tuple(warnings))

    def _verified(self, source: Source) -> tuple[bool, list[str]]:
        """Return whether the program of this machine wrote the file as it is, and what to tell if not."""
        if "signature" not in source.document:
            return False, ["It is not signed; adopt it to go on with it."]
        if not self._keys:
            return False, ["Its signature cannot be checked here; adopt it to go on with it."]
        if form.is_signed(source.content, self._keys):
            return True, []
        return False, ["Its signature does not fit: it was changed, or comes from another machine."]

    @cached_property
    def _keys(self) -> list[bytes]:
        return form.keys_of(read_small(self.here.home / form.FOLDER / form.SECRET, limit=4096), self.here.host_name)


IMPORTER = JidoCode
