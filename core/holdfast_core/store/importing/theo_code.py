"""Sessions of theo-code: a JSON file each in ``~/.theo-code/sessions``, and a list. The form: `agents._kept_theo`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_core.agents import _kept_theo as form
from holdfast_core.agents._kept_fields import provider_data
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.session import FileTouched
from holdfast_core.paths import path_text
from holdfast_core.store.importing._source import Source, decode
from holdfast_core.store.importing.base import Draft, Here, Importer, Unread

_LISTED_LIMIT = 100_000


class TheoCode(Importer):
    """See the module."""

    id = form.ID
    name = form.NAME

    def __init__(self, here: Here) -> None:
        super().__init__(here)
        self._listed: set[str] = set()
        self._seen: set[str] = set()

    def recognises(self, document: Mapping[str, Any]) -> bool:
        """See `Importer.recognises`."""
        return form.is_session(document) or form.is_list(document)

    def is_only_list(self, source: Source) -> bool:
        """See `Importer.is_only_list`."""
        if not form.is_list(source.document):
            return False
        sessions = source.document["sessions"]
        self._listed.update(list(sessions)[:_LISTED_LIMIT] if isinstance(sessions, dict) else ())
        return True

    def left_over(self) -> Iterator[Unread]:
        """See `Importer.left_over`."""
        gone = len(self._listed - self._seen)
        if gone:
            what = (
                "A session is listed, but its file is"
                if gone == 1
                else f"{gone} sessions are listed, but their files are"
            )
            yield Unread("index.json", "gone", f"{what} not there.")

    def session(self, source: Source) -> Draft:
        """See `Importer.session`."""
        self._seen.add(source.path.stem)
        document, checksum = form.unwrapped(
            source.document, source.content, lambda text: decode(text)[0], is_strict=True
        )
        kept = form.session_of(document, is_strict=True)
        warnings = _TELL[checksum]
        if kept.conversation.odd:
            warnings = (*warnings, "Some records in it are no messages; they stand there as they are.")
        created = kept.created_ms or self.here.now_ms
        session = HeldSession(
            id=self.here.new_id(),
            title=kept.title,
            project_path=kept.project_path,
            created_ms=created,
            updated_ms=kept.updated_ms or created,
            config=SessionConfig(agent=self.id, provider=kept.provider, model=kept.model),
            messages=tuple(kept.conversation.messages),
            context_files=kept.context_files,
            files_accessed=tuple(FileTouched(path) for path in kept.files_accessed),
            usage=kept.usage,
            tags=kept.tags,
            notes=kept.notes,
            origin=Origin(
                kind="imported",
                agent=self.id,
                native_id=kept.native_id,
                source_path=path_text(str(source.path)),
                is_verified=checksum == "fits",
            ),
            provider_data=provider_data(kept.fields, kept.conversation),
        )
        return Draft(session, source.path.name, warnings)


_TELL: dict[form.Checksum, tuple[str, ...]] = {
    "fits": (),
    "missing": ("It has no checksum; adopt it to go on with it.",),
    "differs": ("Its checksum does not fit: it was changed or damaged.",),
}

IMPORTER = TheoCode
