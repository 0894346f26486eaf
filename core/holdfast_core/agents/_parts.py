"""Pieces of conversations that several agents write alike: arguments, images, addresses of files, counts."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from holdfast_core.agents._values import PATH_LIMIT, count, storable
from holdfast_core.model.message import Image
from holdfast_core.model.usage import Usage

_DATA_URL = re.compile(r"data:([\w.+/-]{1,80});base64,")
_DRIVE = re.compile(r"/[A-Za-z]:")


class Counts(msgspec.Struct, gc=False):
    """The tokens of one response, in a spelling that several agents have; the input is without the cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None

    def usage(self) -> Usage:
        """Return the counts in our meaning."""
        return Usage(
            count(self.input_tokens),
            count(self.output_tokens),
            count(self.cache_read_input_tokens),
            count(self.cache_creation_input_tokens),
        )


def text_in(value: Any, *names: str) -> str:
    """Return the first of some members of an object that is a text with anything in it."""
    if type(value) is dict:
        for name in names:
            found = value.get(name)
            if found and type(found) is str:
                return found
    return ""


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list, none of anything else."""
    return [item for item in value if type(item) is dict] if type(value) is list else []


def given(value: Any) -> Any:
    """Return a tool's arguments decoded, which are often JSON within JSON."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return value
    return storable(value)


def base64_image(media_type: str, data: str) -> Image:
    """Return an image whose bytes are given as base64."""
    return Image(media_type, max(len(data) * 3 // 4 - data[-2:].count("="), 0), data)


def image_at(address: str) -> Image:
    """Return an image by its address, which may hold all of it."""
    found = _DATA_URL.match(address)
    return Image("", 0, "", address[:PATH_LIMIT]) if found is None else base64_image(found[1], address[found.end() :])


def path_of_uri(address: str) -> str:
    """Return the path that a file's URI names; what is no URI of a file stays as it is.

    A remote folder keeps its path alone: that is where its agent runs.
    """
    scheme, separator, _rest = address.partition("://")
    if not separator or not (scheme == "file" or scheme.endswith("-remote")):
        return address[:PATH_LIMIT]
    try:
        parts = urlsplit(address)
    except ValueError:
        return address[:PATH_LIMIT]
    path = unquote(parts.path)
    if _DRIVE.match(path):
        return path[1:PATH_LIMIT]
    if scheme == "file" and parts.netloc:
        return f"//{parts.netloc}{path}"[:PATH_LIMIT]
    return path[:PATH_LIMIT]
