"""Sixty secrets in errors of every kind: none is in what the window shows or copies, nor in its log."""

from collections.abc import Iterator

import pytest
from holdfast_core.errors import Refused
from holdfast_core.log import open_logs
from holdfast_core.paths import find_paths
from holdfast_core.redact.at_need import without_secrets
from holdfast_gui.crash import describe
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QWidget

from tests.fakes.canaries import COUNT, Canary, canaries
from tests.fakes.desk import on_a_desk

CANARIES = canaries()


@pytest.fixture
def written(tmp_path) -> Iterator[object]:
    paths = find_paths(tmp_path / "home", {})
    close = open_logs(paths, "debug", remove=without_secrets)
    yield paths.log
    close()


def errors(canary: Canary) -> Iterator[BaseException]:
    """Yield an error that a person can mend, with the secret in its words and beside them, and one of ours."""
    yield Refused(f"{canary.text} cannot be used. Try again.", detail=f"/srv/{canary.text}/x {canary.text!r}")
    yield ValueError(canary.text)
    yield FileNotFoundError(2, "No such file or directory", f"/srv/{canary.text}/x")


def shown(window: QWidget) -> str:
    """Return everything that can be read in a window and its dialogs."""
    labels = [label.text() for label in window.findChildren(QLabel)]
    boxes = [box.toPlainText() for box in window.findChildren(QPlainTextEdit)]
    parts = window.findChildren(QWidget)
    names = [f"{part.accessibleName()} {part.accessibleDescription()} {part.toolTip()}" for part in parts]
    return "\n".join((*labels, *boxes, *names))


@on_a_desk
async def test_no_secret_of_an_error_is_shown_copied_or_logged(desk, written, caplog):
    troubles, read = desk.context.troubles, []
    for canary in CANARIES:
        for error in errors(canary):
            troubles.show(describe(error))
            troubles.show_details()
            troubles.dialog.copy_button.click()
            read += [shown(desk.window), QGuiApplication.clipboard().text()]
            troubles.dialog.accept()
            troubles.dismiss()

    text = "\n".join(read) + "".join(path.read_text() for path in written.iterdir())
    assert [one.kind for one in CANARIES if one.value in text] == []
    assert len(read) == 2 * 3 * COUNT and text.count("HF-") > 3 * COUNT
    caplog.clear()
