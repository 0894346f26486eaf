"""Remembers the list that a person saw last, so that "3" still means the third of it when others have moved up."""

from __future__ import annotations

import os
from collections.abc import Sequence

from holdfast_core.atomic import write_file
from holdfast_core.cli.context import Context
from holdfast_core.errors import NotFound
from holdfast_core.model.session import SessionEntry
from holdfast_core.paths import make_private

_LIMIT_BYTES = 4 << 20


async def resolve(context: Context, target: str) -> SessionEntry:
    """Return the session that a person names; a number is one of the list that was printed last.

    Raises:
        NotFound: no session is meant.
        Ambiguous: several are.
    """
    is_number = target.isascii() and target.isdigit() and target[0] != "0"
    shown = _shown(context) if is_number else []
    if shown and int(target) <= len(shown):
        try:
            return await context.library.entry(shown[int(target) - 1])
        except NotFound as error:
            raise NotFound("The session of that number is gone. List the sessions again.", detail=target) from error
    entry = await context.library.resolve(target)
    if shown and not entry.native_id.startswith(target) and not entry.title.startswith(target):
        raise NotFound(f"There is no session {target} in the list that you saw last: it had {len(shown):,}.")
    return entry


def remember(context: Context, session_ids: Sequence[str]) -> None:
    """Keep the ids of a list that is shown now. A cache that cannot be written costs only this."""
    try:
        make_private(context.paths.cache)
        write_file(context.paths.cache / "last-list", [os.fsencode("\n".join(session_ids))])
    except (OSError, UnicodeEncodeError):
        return


def _shown(context: Context) -> list[str]:
    try:
        with (context.paths.cache / "last-list").open("rb") as file:
            return os.fsdecode(file.read(_LIMIT_BYTES)).split("\n")
    except OSError:
        return []
