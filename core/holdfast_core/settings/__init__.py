"""Every setting: one field gives key, type, range, default, title and help to all faces and documents.

What counts is, in this order: the command line (``--set key=value``), the
environment (``HOLDFAST_KEY``), the settings file, the default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from holdfast_core.atomic import remove_stale, write_file
from holdfast_core.errors import NotFound, Refused, WrongUsage
from holdfast_core.paths import Paths
from holdfast_core.settings.values import SECTIONS, HomePath, LeftOut, Settings, TerminalName

__all__ = [
    "ENVIRONMENT_PREFIX",
    "SettingInfo",
    "Settings",
    "SettingsRead",
    "TerminalName",
    "change_setting",
    "check_value",
    "document",
    "load_settings",
    "parse_value",
    "read_settings",
    "reset_settings",
    "setting_info",
    "setting_infos",
    "show_value",
]

Source = Literal["command line", "environment", "settings file", "default"]
ENVIRONMENT_PREFIX = "HOLDFAST_"
_FILE_LIMIT_BYTES = 1 << 20
_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """What a person is told of a setting. ``allowed`` are words: a list of values, a range or a kind.

    ``kind`` is choice, switch, list, path, number or whole number; ``section`` is the heading that it stands below.
    """

    key: str
    title: str
    help: str
    kind: str
    allowed: str
    default: Any
    section: str


@dataclass(frozen=True, slots=True)
class SettingsRead:
    """What was found. ``problems`` are sentences about values of the file that could not be used: their defaults stand.

    ``unknown`` are keys of the file that this version does not know; they stay in the file.
    """

    settings: Settings
    sources: Mapping[str, Source]
    unknown: tuple[str, ...]
    problems: tuple[str, ...]


def load_settings(
    paths: Paths, environment: Mapping[str, str] | None = None, overrides: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings that count now.

    Raises:
        WrongUsage: a value is not allowed, wherever it comes from.
    """
    read = read_settings(paths, environment, overrides)
    if read.problems:
        raise WrongUsage(" ".join(read.problems))
    return read.settings


def read_settings(
    paths: Paths, environment: Mapping[str, str] | None = None, overrides: Mapping[str, str] | None = None
) -> SettingsRead:
    """Return the settings that count now, with defaults in place of what the file says wrongly.

    Raises:
        WrongUsage: a value of the environment or the command line is not allowed, or a key of the command line unknown.
    """
    in_file, problems = _read_file(paths.settings)
    values: dict[str, Any] = {}
    sources: dict[str, Source] = dict.fromkeys(Settings.model_fields, "default")
    for key in in_file.keys() & Settings.model_fields.keys():
        try:
            values[key] = check_value(key, in_file[key])
            sources[key] = "settings file"
        except WrongUsage as error:
            problems.append(str(error))
    for key, text in _from_environment(environment or {}).items():
        values[key], sources[key] = parse_value(key, text), "environment"
    for key, text in (overrides or {}).items():
        values[key], sources[key] = parse_value(key, text), "command line"
    unknown = tuple(sorted(in_file.keys() - Settings.model_fields.keys()))
    return SettingsRead(Settings(**values), sources, unknown, tuple(problems))


def parse_value(key: str, text: str) -> Any:
    """Return what a person typed as a value of a setting. Lists are typed as in TOML.

    Raises:
        NotFound: there is no such setting.
        WrongUsage: the value is not allowed.
    """
    if _kind(key) != "list":
        return check_value(key, text.strip())
    try:
        return check_value(key, tomllib.loads(f"value = {text}")["value"])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise WrongUsage(_not_allowed(key, text), detail=str(error)) from error


def check_value(key: str, value: Any) -> Any:
    """Return ``value`` as the setting's own type.

    Raises:
        NotFound: there is no such setting.
        WrongUsage: the value is not allowed; the message names the key, the value and what is allowed.
    """
    setting_info(key)
    try:
        return getattr(Settings(**{key: value}), key)
    except (ValidationError, RecursionError) as error:
        raise WrongUsage(_not_allowed(key, value), detail=type(error).__name__) from error


def change_setting(paths: Paths, key: str, value: Any) -> None:
    """Keep a value in the settings file, with its comments and all that others wrote there.

    Raises:
        NotFound: there is no such setting.
        WrongUsage: the value is not allowed.
        Refused: the file is not readable as settings, or in use for too long.
    """
    checked = check_value(key, value)
    _edit_file(paths, {key: list(checked) if isinstance(checked, tuple) else checked}, remove=())


def reset_settings(paths: Paths, keys: Iterable[str]) -> None:
    """Take settings out of the file, so that their defaults count again.

    Raises:
        NotFound: there is no such setting.
        Refused: as `change_setting`.
    """
    _edit_file(paths, {}, remove=[setting_info(key).key for key in keys])


def setting_info(key: str) -> SettingInfo:
    """Return what a person is told of one setting.

    Raises:
        NotFound: there is no such setting; the message names those that there are.
    """
    field = Settings.model_fields.get(key)
    if field is None:
        raise NotFound(f"There is no setting {key!r}. There are: {', '.join(Settings.model_fields)}.")
    return SettingInfo(
        key=key,
        title=field.title or key,
        help=field.description or "",
        kind=_kind(key),
        allowed=_allowed(key),
        default=field.get_default(),
        section=_section(key),
    )


def setting_infos() -> list[SettingInfo]:
    """Return every setting, in the order in which a dialog shows them."""
    return [setting_info(key) for key in Settings.model_fields]


def document() -> str:
    """Return the page about all settings, in Markdown; ``docs/settings.md`` is this text."""
    lines = [
        "# Settings",
        "",
        "<!-- Written by `holdfast_core.settings.document()`; a test compares. -->",
        "",
        "A setting is looked for in this order: `--set key=value` on the command line, the environment variable",
        "`HOLDFAST_KEY`, the settings file (`holdfast config list` names it), the default.",
        "`holdfast config set KEY VALUE` writes the file and keeps its comments, `config reset KEY` undoes it.",
        "",
    ]
    section = ""
    for info in setting_infos():
        if info.section != section:
            section = info.section
            lines += [f"## {section}", ""]
        lines += [f"### {info.title}", "", info.help, ""]
        lines += [f"- Key: `{info.key}`, variable: `{ENVIRONMENT_PREFIX}{info.key.upper()}`"]
        lines += [f"- Allowed: {info.allowed}", f"- Default: `{show_value(info.default)}`", ""]
    return "\n".join(lines)


def show_value(value: Any) -> str:
    """Return a value as a person types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml_text(item) for item in value) + "]"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _section(key: str) -> str:
    keys = list(Settings.model_fields)
    return [name for name, first in SECTIONS.items() if keys.index(first) <= keys.index(key)][-1]


def _toml_text(text: str) -> str:
    import tomlkit

    return tomlkit.string(text).as_string()


def _kind(key: str) -> str:
    setting = Settings.model_fields.get(key)
    annotation = setting.annotation if setting else str
    origin = get_origin(annotation)
    kinds = {Literal: "choice", tuple: "list", bool: "switch", int: "whole number", float: "number"}
    return kinds.get(origin or annotation, "path")


def _allowed(key: str) -> str:
    field = Settings.model_fields[key]
    kind = _kind(key)
    if kind == "choice":
        return ", ".join(get_args(field.annotation))
    if kind in ("number", "whole number"):
        low = next(rule.ge for rule in field.metadata if hasattr(rule, "ge"))
        high = next(rule.le for rule in field.metadata if hasattr(rule, "le"))
        return f"a {kind} from {low:g} to {high:g}" if kind == "number" else f"a {kind} from {low} to {high}"
    if field.annotation == tuple[HomePath, ...]:
        return 'a list of whole paths, as in ["/a", "/b"]'
    if field.annotation == tuple[LeftOut, ...]:
        return 'a list of agents, projects and kinds, as in ["agent:x", "project:/a", "kind:subagent"]'
    words = {"switch": "true or false", "list": 'a list of texts, as in ["a", "b"]', "path": "a whole path, or nothing"}
    return words[kind]


def _not_allowed(key: str, value: Any) -> str:
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:79] + "…"
    return f"The setting {key} cannot be {shown}. Allowed: {_allowed(key)}."


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings among the variables; others with our prefix are not ours to judge."""
    return {
        key: environment[name]
        for key in Settings.model_fields
        if (name := ENVIRONMENT_PREFIX + key.upper()) in environment
    }


def _read_file(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the file's values and what is wrong with it as a whole; a missing file is an empty one."""
    try:
        return tomllib.loads(_read_text(path)), []
    except FileNotFoundError:
        return {}, []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        return {}, [f"The settings file is not valid TOML ({error}). Mend or remove it; until then defaults count."]
    except OSError as error:
        return {}, [f"The settings file cannot be read ({error.strerror}). Until then defaults count."]


def _read_text(path: Path) -> str:
    if not path.is_file() and path.exists():
        raise OSError(0, "it is no file")
    if path.stat().st_size > _FILE_LIMIT_BYTES:
        raise OSError(0, "it is too large")
    return path.read_text("utf-8-sig")


def _edit_file(paths: Paths, changes: Mapping[str, Any], *, remove: Iterable[str]) -> None:
    """Change keys of the settings file under a lock, so that window and command line never undo each other."""
    import filelock
    import tomlkit

    try:
        paths.create()
        path = paths.settings.resolve()  # people keep their settings file elsewhere and link to it
        with filelock.FileLock(paths.config / "settings.lock", timeout=_LOCK_SECONDS):
            remove_stale(path.parent)
            _, problems = _read_file(path)
            if problems:
                raise Refused(problems[0])
            content = tomlkit.parse(_read_text(path) if path.exists() else "")
            for key, value in changes.items():
                content[key] = value
            for key in remove:
                content.pop(key, None)
            write_file(path, [tomlkit.dumps(content).encode()])
    except filelock.Timeout as error:
        raise Refused("The settings are being written by another Holdfast. Try again in a moment.") from error
    except OSError as error:
        raise Refused(
            "The settings file cannot be written. Check the disk and its permissions.", detail=str(error)
        ) from error
