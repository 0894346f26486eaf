"""Foreign JSON files: opened safely, bounded in size, depth and number of values, and made storable."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from holdfast_core.agents._json import is_too_deep
from holdfast_core.agents._jsonl import UTF8_BOM, open_regular
from holdfast_core.errors import SourceError

FILE_LIMIT = 32 << 20
TEXT_LIMIT = 64 << 20
_VALUES_LIMIT = 1_000_000
_DIGITS = 18  # of what fits into 64 bits
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TELL = {
    "too_large": "This file is larger than what can be imported.",
    "utf16": "This file is in an encoding that the program never writes.",
    "too_deep": "Values stand in each other too deep in this file.",
    "not_json": "This file is damaged or not complete.",
    "not_an_object": "This file does not hold a session.",
}


class Source(NamedTuple):
    """One file as it was read. ``is_mended`` says that bytes in it were no text and were replaced."""

    path: Path
    content: bytes
    document: dict[str, Any]
    is_mended: bool


def refusal(reason: str, detail: str = "") -> SourceError:
    """Return the error for a file that cannot be imported; ``reason`` is one of a closed list."""
    return SourceError(_TELL[reason], reason=reason, detail=detail)


def read_source(path: Path) -> Source:
    """Return a file's content and the object in it.

    Raises:
        SourceError: it is no regular file, too large, or holds no JSON object.
    """
    content = _read(path)
    document, is_mended = decode(content)
    return Source(path, content, document, is_mended)


def decode(content: bytes) -> tuple[dict[str, Any], bool]:
    """Return a JSON object of foreign origin, and whether bytes in it had to be replaced.

    What no store takes is made harmless: numbers that are none become null,
    integers beyond 64 bits text, half characters U+FFFD.

    Raises:
        SourceError: it is none, or larger or deeper than what is safe.
    """
    if content[:2] in _UTF16:
        raise refusal("utf16")
    if len(content) > TEXT_LIMIT or content.count(b",") > _VALUES_LIMIT:
        raise refusal("too_large", f"{len(content)} bytes")
    if is_too_deep(content):
        raise refusal("too_deep")
    text = content.removeprefix(UTF8_BOM).decode("utf-8", "replace")
    try:
        value = json.loads(text, strict=False, parse_constant=_nothing, parse_float=_float, parse_int=_integer)
        if _HALF_CHARACTER.search(content):
            value = _whole(value)
    except RecursionError:
        raise refusal("too_deep") from None
    except ValueError as error:
        raise refusal("not_json", str(error)) from error
    if not isinstance(value, dict):
        raise refusal("not_an_object")
    return value, "\ufffd" in text and b"\xef\xbf\xbd" not in content


def _read(path: Path) -> bytes:
    descriptor = open_regular(path, limit=FILE_LIMIT)
    try:
        content = bytearray()
        while len(content) <= FILE_LIMIT and (part := os.read(descriptor, 1 << 20)):
            content += part
    except OSError as error:
        raise SourceError("This file cannot be read.", reason="not_readable", detail=str(error)) from error
    finally:
        os.close(descriptor)
    if len(content) > FILE_LIMIT:  # it grew meanwhile
        raise refusal("too_large")
    return bytes(content)


def _nothing(_name: str) -> None:
    return None


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _DIGITS else text


def _whole(value: Any) -> Any:
    """Replace half characters, which no encoder takes, wherever they stand."""
    if isinstance(value, str):
        if _LONE_SURROGATE.search(value) is None:
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
