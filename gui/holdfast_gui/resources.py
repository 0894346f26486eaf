"""Where the icons are: in a checkout, in an installed package and in a bundle."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def resources() -> Path:
    """Return the directory of icons and translations.

    A wheel carries it inside this package, a bundle beside it, a checkout has
    it at the top of the repository.
    """
    package = Path(__file__).parent
    places = (package / "_resources", package.parent / "resources", package.parent.parent / "resources")
    return next((place for place in places if place.is_dir()), places[0])
