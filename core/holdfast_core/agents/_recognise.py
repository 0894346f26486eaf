"""Telling a format by how a file begins. The beginning may end in the middle of a record, so it is never decoded."""

from __future__ import annotations

import re
from functools import lru_cache


def has_keys(head: bytes, *names: str) -> bool:
    """Return whether all of these stand as keys of JSON objects in the beginning of a file."""
    return all(_key(name).search(head) for name in names)


def has_value(head: bytes, name: str, *values: str) -> bool:
    """Return whether a key of a JSON object has one of these texts as its value."""
    return any(_pair(name, value).search(head) for value in values)


def begins_value(head: bytes, name: str, prefix: str) -> bool:
    """Return whether a key of a JSON object has a text as its value that begins so."""
    return _pair(name, prefix, end="").search(head) is not None


def makes_tables(head: bytes, *names: str) -> bool:
    """Return whether the first pages of a SQLite file tell how all of these tables are made."""
    return all(_table(name).search(head) for name in names)


@lru_cache(maxsize=256)
def _key(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'"' + re.escape(name).encode() + rb'"\s*:')


@lru_cache(maxsize=256)
def _pair(name: str, value: str, end: str = '"') -> re.Pattern[bytes]:
    return re.compile(f'"{re.escape(name)}"\\s*:\\s*"{re.escape(value)}{end}'.encode())


@lru_cache(maxsize=256)
def _table(name: str) -> re.Pattern[bytes]:
    return re.compile(f'CREATE TABLE [`"\\[]?{re.escape(name)}\\b'.encode(), re.IGNORECASE)
