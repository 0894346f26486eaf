"""`holdfast sessions problems | solve`: held sessions that need a decision of the person."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from holdfast_core.cli import asking
from holdfast_core.cli.context import Context
from holdfast_core.cli.held import tell_entry
from holdfast_core.cli.keeping import timed
from holdfast_core.errors import Ambiguous, NotFound, Refused
from holdfast_core.model.keeping import Choice, ChoiceKind, HeldProblem, Unclean

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands


def add(group: Commands) -> None:
    """Add the commands to the group of sessions."""
    group.add("problems", problems)
    parser = asking.add_yes(group.add("solve", solve))
    parser.add_argument("target", metavar="SESSION", help="id or title of a session that `sessions problems` lists")
    parser.add_argument("choice", metavar="CHOICE", choices=get_args(ChoiceKind), help=", ".join(get_args(ChoiceKind)))


async def problems(context: Context, arguments: argparse.Namespace) -> None:
    """List held sessions that were cut off or cannot be used, and what can be done about each."""
    found = await _all(context)
    if context.is_json:
        context.print_json([{"kind": _kind(one), **timed(one)} for one in found])
        return
    for one in found:
        context.print(f"{one.id}  {one.title}")
        context.print(f"  {_reason(one)}")
        for choice in one.choices:
            context.print(f"  holdfast sessions solve {one.id} {choice.kind}: {choice.consequence}")
    if not found:
        context.warn("All held sessions are well.")


async def solve(context: Context, arguments: argparse.Namespace) -> None:
    """Do one of the things that `sessions problems` offers for a session."""
    one = _meant(await _all(context), arguments.target)
    choice = _choice(one, arguments.choice)
    held = context.library.held
    lost = f" {asking.loss_words(await held.loss([one.id]))}" if choice.kind in ("trash", "delete") else ""
    asking.confirm(context, f"“{one.title}”: {choice.consequence}{lost}", arguments)
    if isinstance(one, Unclean):
        done = await held.recover(one.id, choice.kind)
    else:
        done = await held.solve(one.id, choice.kind)
    if done is not None:
        await tell_entry(context, done.id)
    elif context.is_json:
        context.print_json({"done": 1})


async def _all(context: Context) -> list[Unclean | HeldProblem]:
    held = context.library.held
    return [*await held.recovery(), *await held.problems()]


def _kind(one: Unclean | HeldProblem) -> str:
    return "unclean" if isinstance(one, Unclean) else "problem"


def _reason(one: Unclean | HeldProblem) -> str:
    if isinstance(one, HeldProblem):
        return one.reason
    return f"It was cut off while it was live, with {asking.counted(one.message_count, 'message')} saved."


def _meant(found: Sequence[Unclean | HeldProblem], target: str) -> Unclean | HeldProblem:
    title = target.casefold()
    fitting = [one for one in found if target and (one.id.startswith(target) or one.title.casefold() == title)]
    if not fitting:
        raise NotFound("No session of that id or title needs a decision.", detail=target)
    if len(fitting) > 1:
        raise Ambiguous(
            f"{len(fitting)} sessions are called so. Use more of the id.",
            candidates=tuple((one.id, one.title) for one in fitting),
        )
    return fitting[0]


def _choice(one: Unclean | HeldProblem, kind: ChoiceKind) -> Choice:
    for choice in one.choices:
        if choice.kind == kind:
            return choice
    offered = ", ".join(choice.kind for choice in one.choices)
    raise Refused(f"That cannot be done for this session. There is: {offered}.")
