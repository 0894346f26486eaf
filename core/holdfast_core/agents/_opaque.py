"""Conversations that their agent keeps in a form that cannot be read: they are listed as what they are."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._jsonl import open_regular
from holdfast_core.agents._values import text_of_name
from holdfast_core.agents.base import Reading, SourceRef
from holdfast_core.model.message import Message

TITLES = {"encrypted": "Encrypted conversation", "binary": "Conversation in a closed format"}


def opaque_reading(
    ref: SourceRef,
    root: str,
    why: str,
    *,
    known: Gathered | None = None,
    title: str = "",
    messages: tuple[Message, ...] = (),
) -> Reading:
    """Return the reading of a conversation whose content cannot be read, with what is known of it from elsewhere.

    ``why`` is ``encrypted`` or ``binary``; the session says so in its data,
    and is never an empty one. ``known`` is what has been gathered of it.

    Raises:
        SourceError: there is no such regular file.
    """
    descriptor = open_regular(ref.path, root=root)
    try:
        modified_ms = os.fstat(descriptor).st_mtime_ns // 1_000_000
    finally:
        os.close(descriptor)
    draft = Draft(known or Gathered(text_of_name(Path(ref.path).stem)))
    for message in messages:
        draft.add(message)
    is_told = bool(title or draft.gathered.preview)
    gathered = draft.gathered
    gathered.updated_ms = max(modified_ms, gathered.updated_ms or 0, gathered.created_ms or 0)
    session = draft.finish(
        agent=ref.agent,
        title=title if is_told else TITLES[why],
        is_empty=False,
        fallback_ms=modified_ms,
        provider_data={"opaque": why},
    )
    return Reading([session], [], {}, None, 0)
