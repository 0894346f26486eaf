"""`holdfast keys status | rotate | encrypt | decrypt | unlock`: by what held sessions are signed and encrypted."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import msgspec

from holdfast_core.cli import asking
from holdfast_core.cli.context import Context
from holdfast_core.cli.keeping import tell_done, timed
from holdfast_core.export.document import minute
from holdfast_core.export.plain import one_line

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    group = commands.group("keys", "Sign and encrypt held sessions")
    group.add("status", status)
    asking.add_yes(group.add("rotate", rotate))
    asking.add_yes(group.add("encrypt", encrypt))
    asking.add_yes(group.add("decrypt", decrypt))
    group.add("unlock", unlock)


async def status(context: Context, arguments: argparse.Namespace) -> None:
    """Say which keys there are, and whether held sessions are encrypted."""
    found = await context.library.held.keys()
    if context.is_json:
        context.print_json({**msgspec.to_builtins(found), "keys": [timed(one) for one in found.keys]})
        return
    context.print("Held sessions are encrypted." if found.is_encrypted else "Held sessions are signed, not encrypted.")
    rows = [[one.id, minute(one.created_ms), one.state] for one in found.keys]
    if rows:
        context.table(["Key", "Made", "State"], rows, flexible=[0])


async def rotate(context: Context, arguments: argparse.Namespace) -> None:
    """Sign with a new key from now on, and sign all held sessions anew. The old key still verifies backups."""
    asking.confirm(context, "A new key is made and every held session is written anew. Nothing is lost.", arguments)
    tell_done(context, await context.library.held.rotate_keys(), "session", "signed anew")


async def encrypt(context: Context, arguments: argparse.Namespace) -> None:
    """Encrypt held sessions with a passphrase, or change the passphrase; prints the recovery code.

    The passphrase is asked for, or taken from the variable
    HOLDFAST_PASSPHRASE; it never stands in the command line. Keep the recovery
    code: it is shown this once, and without it and the passphrase nobody can
    read the sessions.
    """
    asking.confirm(
        context,
        "Held sessions will be encrypted, with their backups, what is in the trash and what was put aside as damaged. "
        "Whoever loses both the passphrase and the recovery code loses all of them.",
        arguments,
    )
    code = await context.library.held.set_passphrase(asking.passphrase(context, "New passphrase", twice=True))
    for name in (plain := await context.library.held.in_the_clear()):
        context.warn(f"This is not encrypted, since it cannot be read or is no file: {one_line(name)}")
    if context.is_json:
        context.print_json({"recovery_code": code, "not_encrypted": plain})
        return
    context.warn("Write this recovery code down and keep it away from this machine:")
    context.print(code)


async def decrypt(context: Context, arguments: argparse.Namespace) -> None:
    """Write held sessions without encryption again; the passphrase is asked for."""
    asking.confirm(context, "Held sessions will stand on the disk in the clear again.", arguments)
    await context.library.held.unlock(asking.passphrase(context, "Passphrase or recovery code"))
    tell_done(context, await context.library.held.remove_passphrase(), "session", "decrypted")


async def unlock(context: Context, arguments: argparse.Namespace) -> None:
    """Check a passphrase or recovery code.

    Other commands ask for it themselves when they need it, or take it from
    the variable HOLDFAST_PASSPHRASE.
    """
    await context.library.held.unlock(asking.passphrase(context, "Passphrase or recovery code"))
    await status(context, arguments)
