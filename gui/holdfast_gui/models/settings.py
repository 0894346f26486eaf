"""The rows of the settings dialog: what each setting is, what it is now, and who decides it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from holdfast_core.settings import (
    ENVIRONMENT_PREFIX,
    SettingInfo,
    Settings,
    SettingsRead,
    Source,
    setting_infos,
    show_value,
)
from PySide6.QtCore import QCoreApplication

from holdfast_gui.text import later, tr

Control = Literal["switch", "choice", "number", "list", "left_out", "path"]
# What the window and the library follow at once; any other setting counts after the next start.
AT_ONCE: Final = frozenset(
    {
        "theme",
        "font_scale",
        "close_to_tray",
        "tray_sessions",
        "show_subagents",
        "extra_homes",
        "vault_enabled",
        "vault_left_out",
        "vault_reserve_mb",
        "vault_database_minutes",
        "vault_verify_days",
        "vault_encrypted",
        "warn_deletion_days",
        "notify_lost",
        "terminal",
        "terminal_command",
        "export_format",
        "drag_format",
        "export_thinking",
        "export_tool_output",
        "export_images",
        "autosave_seconds",
        "idle_minutes",
        "idle_warning_minutes",
        "live_limit",
        "session_limit_mb",
        "stored_sessions_limit",
        "stored_age_days",
        "storage_limit_mb",
        "at_limit",
        "trash_days",
        "backups_kept",
        "resume_limit",
        "resume_limit_all",
        "resume_window_seconds",
        "resume_failures",
        "redact_stored",
        "audit_log",
        "audit_level",
        "log_level",
    }
)
_CONTROLS: Final[dict[str, Control]] = {
    "switch": "switch",
    "choice": "choice",
    "number": "number",
    "whole number": "number",
    "list": "list",
}
_LEFT_OUT: Final = "vault_left_out"
_UNIT: Final = re.compile(r"\s*\((seconds|minutes|days|MB)\)$")
_QUOTED: Final = re.compile(r"`([^`]+)`")
_WORD: Final = re.compile(r"[a-z]+")
_NAMES: Final = later({"md": "Markdown", "json": "JSON", "txt": "Plain text", "auto": "First that is found"})


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as the dialog shows it. ``low`` and ``high`` are the range of a number, ``unit`` what it counts."""

    key: str
    title: str
    help: str
    section: str
    control: Control
    value: Any
    default: Any
    source: Source
    unit: str = ""
    low: float = 0
    high: float = 0
    is_whole: bool = False
    values: tuple[str, ...] = ()
    allowed: str = ""
    applies_at_once: bool = False
    found_by: str = field(default="", repr=False)

    @property
    def is_ours(self) -> bool:
        """Whether the settings file is what decides; the environment and the command line come before it."""
        return self.source in ("settings file", "default")

    @property
    def variable(self) -> str:
        """The environment variable that decides before the file."""
        return ENVIRONMENT_PREFIX + self.key.upper()


def setting_rows(read: SettingsRead) -> list[SettingRow]:
    """Return a row for every setting there is, in the order of the dialog."""
    infos = setting_infos()
    titles = {info.key: _parted(info.title)[0] for info in infos}
    return [_row(info, read, titles) for info in infos]


def matching(rows: Iterable[SettingRow], words: str) -> list[SettingRow]:
    """Return the rows in which every word stands: in title, help, key, section or a value that can be chosen."""
    wanted = words.casefold().split()
    return [row for row in rows if all(word in row.found_by for word in wanted)]


def value_name(value: str) -> str:
    """Return what a person calls a value that can be chosen; names of programs stay as they are written."""
    name = _NAMES.get(value)
    if name is None:
        name = value.capitalize() if _WORD.fullmatch(value) else value
    return tr(name)


def shown(row: SettingRow, value: Any) -> str:
    """Return a value in words, with its unit."""
    if row.control == "choice":
        return value_name(value)
    if row.control == "switch":
        return QCoreApplication.translate("settings", "on" if value else "off")
    if value in ("", ()):
        return QCoreApplication.translate("settings", "nothing")
    return f"{show_value(value)} {row.unit}".strip()


def _row(info: SettingInfo, read: SettingsRead, titles: dict[str, str]) -> SettingRow:
    model_field = Settings.model_fields[info.key]
    title, unit = _parted(info.title)
    values = get_args(model_field.annotation) if info.kind == "choice" else ()
    help_words = _QUOTED.sub(lambda quoted: _plain(quoted[1], titles, values), info.help)
    limits = {
        name: getattr(rule, name) for rule in model_field.metadata for name in ("ge", "le") if hasattr(rule, name)
    }
    names = " ".join(value_name(value) for value in values)
    return SettingRow(
        key=info.key,
        title=title,
        help=help_words,
        section=info.section,
        control="left_out" if info.key == _LEFT_OUT else _CONTROLS.get(info.kind, "path"),
        value=getattr(read.settings, info.key),
        default=info.default,
        source=read.sources[info.key],
        unit=unit,
        low=limits.get("ge", 0),
        high=limits.get("le", 0),
        is_whole=info.kind == "whole number",
        values=values,
        allowed=info.allowed,
        applies_at_once=info.key in AT_ONCE,
        found_by=f"{info.title} {help_words} {info.key} {info.section} {names} {' '.join(values)}".casefold(),
    )


def _parted(title: str) -> tuple[str, str]:
    """Return a title without its unit, and the unit."""
    found = _UNIT.search(title)
    return (title[: found.start()], found[1]) if found else (title, "")


def _plain(quoted: str, titles: dict[str, str], values: tuple[str, ...]) -> str:
    """Return what stands in backticks as a person sees it in the dialog: titles for keys, names for values."""
    return f"“{titles.get(quoted) or (value_name(quoted) if quoted in values else quoted)}”"
