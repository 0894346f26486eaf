"""What a person will want soon is loaded in a thread, so that the window does not wait for it when it comes."""

from __future__ import annotations

import importlib
from typing import Final

# By name, as the window itself calls none of them: the library and the transcript load them at their first use.
SOON: Final = (
    "holdfast_core.settings",
    "holdfast_core.scan.once",
    "holdfast_core.index.search",
    "holdfast_core.index.complete",
    "markdown_it",
    "holdfast_core.store.annotations",
    "holdfast_core.resume",
    "holdfast_core.export",
    "holdfast_gui.actions.choosing",
    "holdfast_gui.actions.health",
)


def load_soon() -> None:
    """Load them, one after the other; each is loaded once, whoever asks first."""
    for name in SOON:
        importlib.import_module(name)
