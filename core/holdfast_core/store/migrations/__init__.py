"""The chain that brings documents of earlier schema versions to the present one, a step for each version.

A step knows two versions and nothing of the disk: it takes the plain JSON
document, as it was decoded, and gives that of the next version. What it
cannot make sense of it files under ``kept``, so that nothing is ever dropped.
How stored files go through the chain is in `holdfast_core.store.upgrade`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.model.held import SCHEMA_VERSION
from holdfast_core.store.migrations import from_1, from_2, from_3
from holdfast_core.store.migrations._fields import Step

STEPS: Mapping[int, Step] = MappingProxyType({step.version: step for step in (from_1.STEP, from_2.STEP, from_3.STEP)})
"""Every step by the version that it starts from."""


class MigrationFailed(HoldfastError):
    """A document could not be brought to the present version; ``version`` is the one it had."""

    def __init__(self, version: int, detail: str) -> None:
        super().__init__(
            "A session of an earlier Holdfast could not be brought up to date. It was left as it was.",
            detail=f"version {version}: {detail}",
        )
        self.version = version


def version_of(document: Mapping[str, Any]) -> int:
    """Return the schema version of a document.

    Raises:
        Refused: a newer Holdfast wrote it; it must be neither written nor deleted.
        MigrationFailed: it has no version that there ever was.
    """
    version = document.get("schema_version")
    if type(version) is not int or version < 1:
        raise MigrationFailed(0, f"schema_version is {version!r}"[:200])
    if version > SCHEMA_VERSION:
        raise Refused(
            "A newer version of Holdfast wrote this session. Update Holdfast to use it.",
            detail=f"schema {version}, known {SCHEMA_VERSION}",
        )
    return version


def migrate(document: dict[str, Any], *, steps: Mapping[int, Step] = STEPS) -> dict[str, Any]:
    """Return a document at the present version; the one that is given is used up.

    Raises:
        Refused: a newer Holdfast wrote it.
        MigrationFailed: a step is missing or gave up.
    """
    version = version_of(document)
    while version < SCHEMA_VERSION:
        try:
            document = steps[version].apply(document)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise MigrationFailed(version, repr(error)[:500]) from error
        version += 1
    return document
