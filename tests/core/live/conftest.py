from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.core.live.world import World
from tests.core.store.support import a_store


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with a_store() as store:
        made = World(store)
        yield made
        made.store.gates.clear()
        for host in made.hosts:
            await host.close_all()
