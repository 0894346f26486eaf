"""Which panes of the window stand side by side, and which one alone where there is room for no more."""

from __future__ import annotations

from typing import Final, NamedTuple

from holdfast_gui.theme.tokens import DETAIL_WIDTH

# The least widths, in px of the design: they grow with the text.
LEAST_PLACES: Final = 160
LEAST_LIST: Final = 260
LEAST_SESSION: Final = 380
LEAST_BESIDE_DETAIL: Final = 280
_LINES: Final = 2  # between three panes


class Shown(NamedTuple):
    """What is seen of the window."""

    list: bool
    right: bool
    """The session, or the page in the room of both."""
    transcript: bool
    is_one: bool
    """Whether list and session take turns."""
    places_alone: bool


def arrange(width: float, *, places: bool, detail: bool, page: bool, reads: bool) -> Shown:
    """Return what is seen in ``width`` px of the design.

    ``places`` and ``detail`` are the panes that are wanted or fit, ``page``
    says that a page stands in the room of list and session, and ``reads``
    which of the two the person has gone to.
    """
    beside = LEAST_PLACES if places else 0
    is_one = width < beside + LEAST_LIST + LEAST_SESSION + _LINES
    places_alone = places and width < LEAST_PLACES + LEAST_SESSION + _LINES
    shows_list = not page and not places_alone and not (is_one and reads)
    shows_right = not places_alone and (page or reads or not is_one)
    room = width - beside - (LEAST_LIST if shows_list else 0)
    beside_detail = not detail or room >= DETAIL_WIDTH + LEAST_BESIDE_DETAIL
    return Shown(shows_list, shows_right, beside_detail, is_one, places_alone)


def list_width(wanted: int, room: int, *, detail: bool, scale: float) -> int:
    """Return how wide the list is in the ``room`` of list and session: as wanted, unless the session needs it."""
    session = LEAST_SESSION + (DETAIL_WIDTH if detail else 0)
    return max(round(LEAST_LIST * scale), min(wanted, room - round(session * scale)))
