"""Tabnine CLI: how it differs from the program that it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused

AGENT = all_agents()["tabnine"]


def test_what_is_not_known_is_not_done() -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget("s-1", "main", "/p", "/x/chats/session-1.jsonl"))


@pytest.mark.parametrize(
    ("settings", "days"), [("{}", None), ('{"general":{"sessionRetention":{"enabled":true,"maxAge":"7d"}}}', 7)]
)
def test_sessions_stay_as_far_as_the_settings_tell(tmp_path: Path, settings: str, days: int | None) -> None:
    (tmp_path / ".tabnine" / "agent").mkdir(parents=True)
    (tmp_path / ".tabnine" / "agent" / "settings.json").write_text(settings)

    assert AGENT.deletes_after_days(Home(tmp_path, {})) == days
