"""What a reader found wrong in a session, and what was made good in a held one, in words for people."""

from __future__ import annotations

from typing import Final

from holdfast_core.model.keeping import FieldNotice

from holdfast_gui.text import later, one_line, tr

_REASONS: Final = later(
    {
        "not_json": "cannot be understood: it is no JSON",
        "not_an_object": "holds a value where a record should be",
        "line_too_long": "is too long to be read",
        "session_too_long": "is where reading ends: the session is too long",
        "wrong_field": "has a field of a wrong type",
        "wrong_format": "is of another format",
        "wrong_place": "lies where it does not belong",
        "truncated": "ends too early",
        "checksum": "was changed: its checksum is wrong",
        "damaged": "is damaged",
        "invalid": "is not valid",
        "unreadable": "cannot be read",
        "too_large": "is too large to be read",
        "newer_schema": "was written by a newer version",
    }
)


def problem_words(reason: str) -> str:
    """Return what a reader's short code means; one that is not known is shown as it is."""
    known = _REASONS.get(reason)
    return tr(known) if known else one_line(reason.replace("_", " "))


def notice_words(notice: FieldNotice) -> str:
    """Return what was made good in a field of a held session."""
    if notice.kind == "default":
        return tr("was missing; the usual value stands for it")
    return tr("was of another type; it was read all the same")
