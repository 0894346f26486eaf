"""Another process that uses a store: what it has done it says on its output, a line for each, when it is done."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import msgspec

from tests.core.store.support import a_store, said


def tell(what: object) -> None:
    """Say one line at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(folder: str, task: str, session_id: str, first: str, count: str) -> None:
    """Do one task to one session, with messages from number ``first`` on."""
    numbers = range(int(first), int(first) + int(count))
    with a_store(Path(folder)) as store:
        tell("ready")
        if task == "append":
            for number in numbers:
                store.append(session_id, [said(number)])
                tell(number)
        elif task == "save":
            for number in numbers:
                session = msgspec.structs.replace(store.load(session_id), messages=(said(number),))
                store.save(session)
                tell(number)
        elif task == "live":
            with closing(store.open_journal(session_id)) as journal:
                journal.set(is_live=True)
                for number in numbers:
                    journal.append([said(number)])
                    if number % 3 == 2:
                        journal.fold(always=True)
                    journal.flush()
                    tell(number)


main(*sys.argv[1:])
