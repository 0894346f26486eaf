"""A session as one JSON value: complete, so that reading it gives the same session."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from holdfast_core.errors import SourceError
from holdfast_core.export.document import SCHEMA, SCHEMA_VERSION, message_documents, milliseconds, session_head
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.export import ExportOptions
from holdfast_core.model.session import Session, SessionEntry

_COMPLETE = ExportOptions()
_ACTING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def render(
    session: Session,
    options: ExportOptions = _COMPLETE,
    *,
    entry: SessionEntry | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Yield a session as JSON, one message at a time.

    ``entry`` adds what the person said of it, ``extra`` what only its keeper knows.
    """
    head = encode({**session_head(session, entry), **(extra or {})})
    yield head[:-1] + ',"messages":['
    for index, message in enumerate(message_documents(session, options)):
        yield ("," if index else "") + "\n" + encode(message)
    yield "]}\n"


def encode(value: Any) -> str:
    """Return a value as JSON text; half surrogates, which no JSON can hold, become U+FFFD.

    What a terminal would act upon is escaped, so that it can be shown as it is.
    """
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        text = msgspec.json.encode(_without_surrogates(value)).decode()
    return text if text.isascii() and "\x7f" not in text else _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def parse(text: str | bytes) -> tuple[Session, Annotation]:
    """Return the session in an exported document, and what its person said of it.

    Raises:
        SourceError: it is no such document, or of a newer version.
    """
    try:
        document = msgspec.json.decode(text)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise SourceError("This file is no session that Holdfast exported.", reason="not_holdfast_json")
        if document["schema_version"] != SCHEMA_VERSION:
            raise SourceError("This file was exported by a newer Holdfast.", reason="newer_schema")
        session = msgspec.convert(_session_fields(document), Session)
        own_title = document["title"] if document["title"] != session.facts.title else None
        fields = {"session_id": session.id, "title": own_title, "note": document.get("notes", "")}
        fields |= {name: document[name] for name in ("tags", "starred") if name in document}
        said = msgspec.convert(fields, Annotation)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SourceError(
            "This file is damaged or no exported session.", reason="invalid", detail=str(error)
        ) from error
    return session, said


def _session_fields(document: dict[str, Any]) -> dict[str, Any]:
    facts = {**document, "title": document["agent_title"]}
    for name in ("created", "updated"):
        facts[f"{name}_ms"] = milliseconds(document[f"{name}_at"])
    messages = [{**message, "timestamp_ms": milliseconds(message["timestamp"])} for message in document["messages"]]
    kept = {name: document[name] for name in ("problems", "unknown_records")}
    return {"facts": facts, "messages": messages, **kept}


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return [_without_surrogates(item) for item in value] if isinstance(value, (list, tuple)) else value
