"""The vault as the two faces ask for it: versions, giving back, and what agents are about to delete."""

from __future__ import annotations

from holdfast_core.library.giving import Giving


class Vaulted(Giving):
    """Every version of agents' sessions. Belongs to the library's event loop; all work is done in threads.

    What is asked of one session raises NotFound if none of it was ever kept,
    Locked while the vault is encrypted and locked, `HoldfastError` where
    something in it cannot be read.
    """
