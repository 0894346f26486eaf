"""From version 3 to version 4, whose fields are those of `holdfast_core.model.held.HeldSession`.

Version 3 differs from it in these fields::

    note             now ``notes``
    tags             one text, "one, two"; now a list
    live             now ``is_live``
    resumed_ms       now ``last_resumed_ms``
    provider_state   now ``provider_data``
    origin.kind      new, fork, archive or import; now created, forked, archived or imported

It knew neither ``files_accessed`` nor ``origin.is_verified`` nor ``line`` of a
message. Sessions that it had imported were in use, so they count as adopted.
"""

from __future__ import annotations

from holdfast_core.store.migrations._fields import Fields, Step

_KINDS = {"new": "created", "fork": "forked", "archive": "archived", "import": "imported"}


def _session(fields: Fields) -> None:
    values = fields.values
    values["notes"] = fields.take("note", str, default="")
    words = [word.strip() for word in fields.take("tags", str, default="").split(",")]
    values["tags"] = [word for word in words if word]
    values["is_live"] = fields.take("live", bool, default=False)
    values["last_resumed_ms"] = fields.take("resumed_ms", int)
    values["provider_data"] = fields.take("provider_state", dict, default={})
    origin = fields.take("origin", dict, default={})
    inner = Fields(origin, 3)
    inner.make_room(("is_verified",))
    kind = inner.take("kind", str, default="new")
    if kind not in _KINDS:
        inner.keep("kind", kind)
    origin["kind"] = _KINDS.get(kind, "created")
    values["origin"] = origin


def _message(_fields: Fields, _index: int) -> None:
    """Nothing in a message changes but that ``line`` gets a meaning."""


STEP = Step(
    3,
    _session,
    _message,
    frozenset(("notes", "is_live", "last_resumed_ms", "provider_data", "files_accessed")),
    frozenset(("line",)),
)
