"""What goes into an exported session."""

from __future__ import annotations

from typing import Literal

import msgspec

ExportFormat = Literal["md", "json", "txt"]


class ExportOptions(msgspec.Struct, frozen=True):
    """Which blocks an export holds. With all of them a JSON export is complete."""

    thinking: bool = True
    tool_output: bool = True
    images: bool = True
