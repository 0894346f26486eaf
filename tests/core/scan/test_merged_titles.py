"""What a session that was cut is called: as before, also where the record of its title was cut off."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from holdfast_core.library import Library
from holdfast_core.paths import find_paths
from holdfast_core.settings import Settings

from tests.fakes.pens import ClaudeCodePen


def _cut(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:6]))


async def _titles(library: Library) -> list[str]:
    await library.update()
    return [entry.title for entry in await library.entries(await library.keys(""))]


async def test_a_title_that_was_cut_off_stays(tmp_path: Path):
    pen = ClaudeCodePen(tmp_path / "person", project="/work/kelp", started=datetime(2026, 11, 1, tzinfo=UTC))
    for number in range(20):
        pen.prompt(f"Prompt {number}: split the handler into parts that can be tested.")
        pen.say(f"Answer {number}.")
    pen.title("Refactor the webhook")
    pen.save()
    (path,) = (tmp_path / "person").rglob("*.jsonl")
    settings = Settings(vault_reserve_mb=0, use_keyring=False)
    library = Library.open(
        find_paths(tmp_path / "own"), agents_home=tmp_path / "person", environment={}, settings=settings
    )

    before = await _titles(library)
    _cut(path)
    after = await _titles(library)
    await library.close()

    assert before == after == ["Refactor the webhook"]
