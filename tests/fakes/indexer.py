"""The indexer's process as the product starts it, with the fake agent instead of the real ones."""

from __future__ import annotations

import sys

from holdfast_core.scan.indexer import main

from tests.fakes.agent import FakeAgent

if __name__ == "__main__":
    sys.exit(main({"fake": FakeAgent()}))
