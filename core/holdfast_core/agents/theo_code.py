"""theo-code: one JSON document with a checksum for each session under ``~/.theo-code/sessions``, some compressed."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents import _kept_theo as form
from holdfast_core.agents._documents import Document, decoded
from holdfast_core.agents._fields import names
from holdfast_core.agents._jsonl import refusal
from holdfast_core.agents._kept_agent import KeptAgent
from holdfast_core.agents._kept_fields import Kept
from holdfast_core.model.session import Problem


class TheoCode(KeptAgent):
    """Reads documents, and tells where a checksum does not fit. The list beside them tells nothing more."""

    id = form.ID
    not_read = names("tokenCount version")
    name = form.NAME
    mark = "T"
    hue = 95
    program = "theo-code"
    how_to_install = "https://github.com/seanrobertwright/theo-code"
    folder = ".theo-code"

    def kept(self, document: Document, content: bytes) -> tuple[Kept, dict[str, Any]]:
        session, checksum = form.unwrapped(
            document.value, content, lambda text: _inner(document, text), is_strict=False
        )
        if checksum == "differs" and not document.problems:
            document.problems.append(Problem(1, "checksum"))
        return form.session_of(session, is_strict=False), {"checksum": checksum}


def _inner(document: Document, text: bytes) -> dict[str, Any]:
    inner = decoded(text, None)
    document.problems += inner.problems
    document.repairs.update(inner.repairs)
    if not isinstance(inner.value, dict):
        raise refusal("wrong_format")
    return inner.value


AGENT = TheoCode()
