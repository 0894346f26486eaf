"""A session's row in the catalog: from its facts and the person's words, and back into a list entry."""

from __future__ import annotations

from typing import Any, Final

import apsw
import msgspec

from holdfast_core.index.documents import storable
from holdfast_core.index.folding import fold
from holdfast_core.index.packing import pack, unpack
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.session import Opaque, SessionEntry, SessionFacts
from holdfast_core.model.usage import Usage
from holdfast_core.paths import text_path

_encode = msgspec.msgpack.Encoder().encode
_decode_facts = msgspec.msgpack.Decoder(SessionFacts).decode
_decode_annotation = msgspec.msgpack.Decoder(Annotation).decode

_COST_DIGITS: Final = 9

USAGE_COLUMNS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)

ENTRY_COLUMNS: Final = (
    "session.key, session.id, title, facts, input_tokens, output_tokens, cache_read_tokens, "
    "cache_write_tokens, reasoning_tokens, cost_usd, tags_folded, starred, note, session.size_bytes, session.state, "
    "source.path, session.problem_count, annotation.annotation, "
    "(SELECT count(*) FROM session AS child WHERE child.parent_id=session.native_id AND child.agent=session.agent "
    "AND child.is_subagent AND NOT child.is_shadow AND NOT child.is_empty)"
)
ENTRY_TABLES: Final = (
    "session JOIN detail ON detail.key=session.key JOIN source ON source.id=session.source "
    "LEFT JOIN annotation ON annotation.session_id=session.id"
)


def encoded_facts(facts: SessionFacts) -> bytes:
    """Return the facts as they are stored: without what only the agent understands."""
    slim = msgspec.structs.replace(facts, provider_data=_kept(facts)) if facts.provider_data else facts
    try:
        return pack(_encode(slim))
    except UnicodeEncodeError:
        return pack(_encode(_without_surrogates(slim)))


def decoded_facts(data: bytes) -> SessionFacts:
    """Return stored facts."""
    return _decode_facts(unpack(data))


def encoded_annotation(annotation: Annotation) -> bytes:
    """Return what the person said, as it is stored."""
    return _encode(annotation)


def decoded_annotation(data: bytes | None, session_id: str) -> Annotation:
    """Return what the person said; nothing, if ``data`` is None."""
    return Annotation(session_id=session_id) if data is None else _decode_annotation(data)


Columns = dict[str, dict[str, Any]]
"""What to write: columns by table."""


def session_columns(facts: SessionFacts, encoded: bytes, annotation: Annotation) -> Columns:
    """Return the columns that follow from the facts and from what the person said."""
    paths = dict.fromkeys((*(touched.path for touched in facts.files_touched), *facts.context_files))
    project = folded(facts.project_path).replace("\\", "/").strip("/")
    session = {
        "id": storable(facts.id),
        "agent": facts.agent,
        "native_id": storable(facts.native_id),
        "is_empty": facts.is_empty,
        "is_subagent": facts.kind == "subagent",
        "project_path": storable(facts.project_path),
        "project_folded": f"/{project}/" if project else "",
        "project_name_folded": project.rpartition("/")[2],
        "branch_folded": folded(facts.branch),
        "provider_folded": folded(facts.provider),
        "model_folded": folded(facts.model),
        "created_ms": facts.created_ms,
        "updated_ms": facts.updated_ms,
        "message_count": facts.message_count,
        "has_error": facts.has_error,
        "has_image": facts.has_image,
        "has_todo": bool(facts.todos),
        "is_gone": facts.is_gone,
        "lost_messages": facts.lost_messages,
        "damage": facts.damage,
        "parent_id": None if facts.parent_id is None else storable(facts.parent_id),
        "forked_from": None if facts.forked_from is None else storable(facts.forked_from),
    }
    said = annotation_columns(facts, annotation)
    spent = usage_columns(facts.usage, facts.cost_usd)
    return {
        "session": session | said["session"] | spent["session"],
        "detail": {"facts": encoded} | said["detail"] | spent["detail"],
        "files": {"files_folded": folded("\n".join(paths))},
    }


def annotation_columns(facts: SessionFacts, annotation: Annotation) -> Columns:
    """Return the columns that follow from what the person said."""
    title = storable(annotation.title or facts.title)
    session = {
        "title_folded": folded(title),
        "starred": annotation.starred,
        "tags_folded": folded("".join(f"\n{tag}\n" for tag in annotation.tags)),
        "has_note": bool(annotation.note),
    }
    return {"session": session, "detail": {"title": title, "note": storable(annotation.note)}}


def usage_columns(usage: Usage, cost_usd: float | None) -> Columns:
    """Return the columns of token counts and cost."""
    # Sums and differences of dollars are off by less than this; equal ones must read the same.
    cost_usd = None if cost_usd is None else round(cost_usd, _COST_DIGITS)
    return {
        "session": {"total_tokens": usage.total_tokens, "cost_usd": cost_usd},
        "detail": {name: getattr(usage, name) for name in USAGE_COLUMNS},
    }


def insert(catalog: apsw.Connection, key: int, columns: Columns) -> None:
    """Write new rows."""
    for table, values in columns.items():
        row = {"key": key, **values}
        names = ", ".join(f":{name}" for name in row)
        catalog.execute(f"INSERT INTO {table}({', '.join(row)}) VALUES({names})", row)


def update(catalog: apsw.Connection, key: int, columns: Columns) -> None:
    """Change rows that are there."""
    for table, values in columns.items():
        assignments = ", ".join(f"{name}=:{name}" for name in values)
        catalog.execute(f"UPDATE {table} SET {assignments} WHERE key=:key", {"key": key, **values})


def delete(catalog: apsw.Connection, key: int) -> None:
    """Remove rows."""
    for table in ("session", "detail", "files"):
        catalog.execute(f"DELETE FROM {table} WHERE key=?", (key,))


def folded(text: str) -> str:
    """Return ``text`` as filters compare it."""
    return fold(storable(text))


def session_entry(row: tuple[Any, ...]) -> SessionEntry:
    """Return the list entry of a row of `ENTRY_COLUMNS`."""
    facts = decoded_facts(row[3])
    tags = _decode_annotation(row[17]).tags if row[17] is not None else ()
    return SessionEntry(
        key=row[0],
        id=row[1],
        agent=facts.agent,
        native_id=facts.native_id,
        kind=facts.kind,
        title=row[2],
        preview=facts.preview,
        last_text=facts.last_text,
        summary=facts.summary,
        project_path=facts.project_path,
        branch=facts.branch,
        provider=facts.provider,
        model=facts.model,
        agent_version=facts.agent_version,
        created_ms=facts.created_ms,
        updated_ms=facts.updated_ms,
        message_count=facts.message_count,
        prompt_count=facts.prompt_count,
        usage=Usage(*row[4:9]),
        cost_usd=row[9],
        tags=tags,
        starred=bool(row[11]),
        note=row[12],
        context_files=facts.context_files,
        files_touched=facts.files_touched,
        todos=facts.todos,
        size_bytes=row[13],
        state=row[14],
        parent_id=facts.parent_id,
        source_path=text_path(row[15]),
        problem_count=row[16],
        subagent_count=row[18],
        is_gone=facts.is_gone,
        lost_messages=facts.lost_messages,
        damage=facts.damage,
        opaque=_opaque(facts),
    )


def _kept(facts: SessionFacts) -> dict[str, Any]:
    """Return what a list needs of an agent's own data."""
    why = _opaque(facts)
    return {"opaque": why} if why else {}


def _opaque(facts: SessionFacts) -> Opaque:
    """Return why only its agent can read a session: by what its reader says."""
    told = facts.provider_data.get("opaque")
    return "encrypted" if told == "encrypted" else "binary" if told == "binary" else ""


def _without_surrogates(facts: SessionFacts) -> SessionFacts:
    return msgspec.convert(_mended(msgspec.to_builtins(facts)), SessionFacts)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _mended(inner) for key, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list | tuple) else value
