"""A session as plain text: who said what, and nothing of how it was worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.model.message import Text

from holdfast_gui.text import clean

if TYPE_CHECKING:
    from holdfast_core.model.session import Session


def plain_text(session: Session, agent_name: str) -> str:
    """Return prompts and answers in order, each under the name of who said it."""
    names = {"user": "You", "assistant": agent_name}
    parts: list[str] = []
    speaker = ""
    for message in session.messages:
        said = "\n".join(block.text for block in message.blocks if isinstance(block, Text)).strip()
        if not said or message.role not in names:
            continue
        if message.role != speaker:
            speaker = message.role
            parts.append(f"{names[speaker]}:")
        parts.append(clean(said))
    return "\n\n".join(parts) + "\n"
