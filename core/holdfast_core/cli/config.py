"""`holdfast config list | get | set | reset`: the settings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast_core.cli.context import Context
from holdfast_core.errors import Refused, WrongUsage

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    group = commands.group("config", "Read and change settings")
    group.add("list", list_settings)
    parser = group.add("get", get)
    parser.add_argument("key", metavar="KEY")
    parser = group.add("set", set_value)
    parser.add_argument("key", metavar="KEY")
    parser.add_argument("value", metavar="VALUE", help="as in the settings file; texts without quotes")
    parser = group.add("reset", reset)
    parser.add_argument("keys", nargs="*", metavar="KEY")
    parser.add_argument("--all", action="store_true", help="reset every setting")


async def list_settings(context: Context, arguments: argparse.Namespace) -> None:
    """List every setting: its value, where that comes from, and what is allowed."""
    from holdfast_core.settings import setting_infos, show_value

    read = context.settings_read
    for key in read.unknown:
        context.warn(f"The settings file has {key!r}, which this version does not know. It is left alone.")
    documents = [_document(context, info.key) for info in setting_infos()]
    if context.is_json:
        context.print_json(documents)
        return
    rows = [[row["key"], show_value(row["value"]), row["source"], row["allowed"]] for row in documents]
    context.table(["Setting", "Value", "From", "Allowed"], rows, flexible=[1, 3])
    context.warn(f"The settings file is {context.paths.settings}")


async def get(context: Context, arguments: argparse.Namespace) -> None:
    """Print the value of one setting."""
    _tell(context, _key(arguments.key))


async def set_value(context: Context, arguments: argparse.Namespace) -> None:
    """Change a setting for good, in the settings file; its comments stay."""
    from holdfast_core.settings import change_setting, parse_value

    key = _key(arguments.key)
    change_setting(context.paths, key, parse_value(key, arguments.value))
    await _follow(context, [key])
    _tell(context, key)


async def reset(context: Context, arguments: argparse.Namespace) -> None:
    """Give settings their defaults back."""
    from holdfast_core.settings import Settings, reset_settings

    if bool(arguments.keys) == arguments.all:
        raise WrongUsage("Name the settings to reset, or --all.")
    keys = list(Settings.model_fields) if arguments.all else [_key(key) for key in arguments.keys]
    reset_settings(context.paths, keys)
    await _follow(context, keys)
    if context.is_json:
        context.print_json({"done": len(keys)})


async def _follow(context: Context, keys: Sequence[str]) -> None:
    """Let settings count that were written; a window that is open notices it by itself."""
    if "vault_encrypted" in keys:
        await _tell_plain(context)
    before = context.settings.encrypted_in_index if "encrypted_in_index" in keys else None
    context.forget_settings()
    if before is None or before == context.settings.encrypted_in_index or context.is_embedded:
        return
    context.library.use_settings(context.settings)
    try:
        await context.library.showing.anew()
    except Refused:
        context.warn("The index is in use. What of encrypted sessions stands in it changes with the next look.")
    if context.settings.encrypted_in_index == "everything" and not (await context.library.held.keys()).is_unlocked:
        context.warn("Encrypted sessions come into the index when they are unlocked: holdfast keys unlock")


async def _tell_plain(context: Context) -> None:
    """Say that the vault stays as it is where there is no passphrase to encrypt it with."""
    from holdfast_core.cli.vault import PLAIN

    context.forget_settings()
    if context.settings.vault_encrypted and not (await context.library.held.keys()).is_encrypted:
        context.warn(PLAIN)


def _tell(context: Context, key: str) -> None:
    from holdfast_core.settings import show_value

    document = _document(context, key)
    if context.is_json:
        context.print_json(document)
    else:
        context.print(show_value(document["value"]))


def _document(context: Context, key: str) -> dict[str, Any]:
    from holdfast_core.settings import setting_info

    info = setting_info(key)
    return {
        "key": key,
        "value": getattr(context.settings, key),
        "source": context.settings_read.sources[key],
        "default": info.default,
        "kind": info.kind,
        "allowed": info.allowed,
        "title": info.title,
        "help": info.help,
    }


def _key(text: str) -> str:
    return text.strip().replace("-", "_").lower()
