"""briefcase.toml is the only place to change packaging settings; pyproject.toml repeats it."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

_spec = importlib.util.spec_from_file_location("sync_briefcase", ROOT / "packaging" / "sync_briefcase.py")
sync_briefcase = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sync_briefcase)

BRIEFCASE = 'bundle = "org.example"\n[app.one]\nsources = ["[a]", "b"]\n[[app.one.documents]]\nkind = "x"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "briefcase.toml").write_text(BRIEFCASE)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "one"\n')
    return tmp_path


def test_the_block_says_what_the_file_says():
    block = sync_briefcase.render(BRIEFCASE)

    assert tomllib.loads(block)["tool"]["briefcase"] == tomllib.loads(BRIEFCASE)


def test_a_check_finds_a_missing_block_and_writes_nothing(checkout: Path, capsys: pytest.CaptureFixture[str]):
    before = (checkout / "pyproject.toml").read_text()

    assert sync_briefcase.main(["--check"], checkout) == 1

    assert (checkout / "pyproject.toml").read_text() == before
    assert "run packaging/sync_briefcase.py" in capsys.readouterr().err


def test_what_was_rendered_passes_the_check(checkout: Path):
    assert sync_briefcase.main([], checkout) == 0

    assert sync_briefcase.main(["--check"], checkout) == 0
    assert tomllib.loads((checkout / "pyproject.toml").read_text())["project"] == {"name": "one"}


def test_rendering_again_replaces_the_block(checkout: Path):
    sync_briefcase.main([], checkout)
    (checkout / "briefcase.toml").write_text('bundle = "org.other"\n')

    sync_briefcase.main([], checkout)

    text = (checkout / "pyproject.toml").read_text()
    assert tomllib.loads(text)["tool"]["briefcase"] == {"bundle": "org.other"}
    assert text.count(sync_briefcase.BEGIN) == 1


def test_a_form_that_cannot_be_rendered_is_refused():
    with pytest.raises(ValueError, match="cannot be rendered"):
        sync_briefcase.render('text = """\n[app.in_a_text]\n"""\n')
