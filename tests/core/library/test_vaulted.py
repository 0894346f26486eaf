"""What the first page says of what the vault will take."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home
from holdfast_core.library.vaulted import estimated
from holdfast_core.settings import Settings
from holdfast_core.vault.vault import VaultOptions

from tests.fakes.pens import ClaudeCodePen


def test_the_estimate_follows_from_how_small_the_files_become(tmp_path: Path):
    pen = ClaudeCodePen(tmp_path, project="/work/kelp", started=datetime(2026, 11, 1, tzinfo=UTC))
    for _ in range(200):
        pen.prompt("The same words again and again, which become small.")
    pen.save()

    found = estimated(all_agents(), Home(tmp_path, {}), 7)

    assert (found.sources, found.free_bytes) == (1, 7)
    assert found.by_agent == {"claude_code": found.source_bytes}
    assert 0 < found.estimated_bytes < found.source_bytes / 5


def test_without_sessions_nothing_is_taken(tmp_path: Path):
    found = estimated(all_agents(), Home(tmp_path, {}), 7)

    assert (found.sources, found.source_bytes, found.estimated_bytes, found.by_agent) == (0, 0, 0, {})


def test_what_nobody_chose_is_what_the_settings_say():
    settings = Settings.model_validate({})

    assert VaultOptions() == VaultOptions(
        reserve_bytes=settings.vault_reserve_mb << 20,
        is_encrypted=settings.vault_encrypted,
        database_minutes=settings.vault_database_minutes,
    )
    assert settings.use_keyring
