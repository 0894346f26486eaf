"""jido_code: one signed JSON document for each closed session under ``~/.jido_code/sessions``."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents import _kept_jido as form
from holdfast_core.agents._documents import Document
from holdfast_core.agents._fields import names
from holdfast_core.agents._kept_agent import KeptAgent
from holdfast_core.agents._kept_fields import Kept


class JidoCode(KeptAgent):
    """Reads documents as they are. Whether a signature fits is not asked: its key is a secret of the program's."""

    id = form.ID
    not_read = names("cumulative_usage language")
    name = form.NAME
    mark = "J"
    hue = 330
    program = "jido_code"
    how_to_install = "https://github.com/agentjido/jido_code"
    folder = form.FOLDER

    def kept(self, document: Document, content: bytes) -> tuple[Kept, dict[str, Any]]:
        return form.session_of(document.value, is_strict=False), {"is_signed": "signature" in document.value}


AGENT = JidoCode()
