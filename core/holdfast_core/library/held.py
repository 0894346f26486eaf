"""The sessions that Holdfast itself keeps, as the two faces ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

from holdfast_core.errors import Refused
from holdfast_core.model.held import HeldEntry, HeldSession
from holdfast_core.observe import Observers

if TYPE_CHECKING:
    from holdfast_core.model.annotation import Saying
    from holdfast_core.model.changes import ChangeSet
    from holdfast_core.model.health import AuditReport, Health, Metrics, Storage
    from holdfast_core.model.keeping import (
        Backup,
        Choice,
        ChoiceKind,
        HeldProblem,
        ImportReport,
        KeyStatus,
        Loss,
        ResumeOutcome,
        RetentionReport,
        StartSummary,
        TrashEntry,
        Unclean,
        VerifyReport,
    )
    from holdfast_core.model.live import LiveEntry, LiveEvent
    from holdfast_core.model.message import Message, Role


class Held:
    """Held sessions: made, kept, resumed, protected, cleaned up. Belongs to the library's event loop.

    All work is done in threads. Every id is checked before anything is opened;
    what is asked of one session raises NotFound if there is none of that id,
    Refused where it is not allowed as things are, `HoldfastError` where the
    store cannot be read or written. ``summaries`` tells once what the check at
    the start found, ``changes`` what was changed here, ``events`` what happens
    to live sessions; all in the loop's thread.
    """

    def __init__(self) -> None:
        self.summaries: Observers[StartSummary] = Observers()
        self.changes: Observers[ChangeSet] = Observers()
        self.events: Observers[LiveEvent] = Observers()

    # The start

    async def start_check(self) -> StartSummary:
        """Check the store once in the life of this library and return what was found and done; then tell ``summaries``.

        Every call after the first gives the same answer. Lists wait for it.
        """
        _not_yet()

    async def recovery(self) -> list[Unclean]:
        """Return the sessions that were live when their host died, with what can be done; live ones of now are none."""
        _not_yet()

    async def recover(self, session_id: str, kind: ChoiceKind = "recover") -> HeldSession | None:
        """Do what the person chose for a session that was cut off; ``skip`` leaves it as it is.

        ``recover`` closes it with everything that was acknowledged, ``discard``
        goes back to the last whole save, ``new`` gives a new session in the
        same project and closes the old one. Returns the session that stands now.
        """
        _not_yet()

    # Lists

    async def entries(self) -> list[HeldEntry]:
        """Return all held sessions, last changed first, after the check at the start.

        Raises:
            HoldfastError: the directory of the sessions cannot be read.
        """
        _not_yet()

    async def resumable(self) -> list[HeldEntry]:
        """Return those that can be resumed now: not live, no problem, their project open in no live session."""
        _not_yet()

    async def load(self, session_id: str) -> HeldSession:
        """Return a whole session."""
        _not_yet()

    # Changes

    async def create(self, project_path: str = "", *, title: str = "", **fields: Any) -> HeldSession:
        """Keep a new session and return it. ``fields`` are others of `HeldSession`.

        Raises:
            Refused: there are as many sessions as the settings allow.
        """
        _not_yet()

    async def append(self, session_id: str, messages: Sequence[Message]) -> HeldSession:
        """Put messages at the end, durably, and return the session."""
        _not_yet()

    async def append_text(self, session_id: str, role: Role, text: str) -> HeldSession:
        """Put one message of plain text at the end, durably, and return the session."""
        _not_yet()

    async def save(self, session: HeldSession) -> HeldSession:
        """Keep a whole session as it is given; the later of two saves wins."""
        _not_yet()

    async def change(self, session_id: str, **fields: Any) -> HeldSession:
        """Set fields of `HeldSession` other than messages and return the session."""
        _not_yet()

    async def annotate(self, session_ids: Sequence[str], **said: Unpack[Saying]) -> None:
        """Keep what the person says of sessions: title, tags, star, note.

        Raises:
            WrongUsage: a title, tag or note is not acceptable; nothing was changed.
        """
        _not_yet()

    async def archive(self, session_id: str) -> HeldSession:
        """Keep a copy of an agent's session as one of our own and return it; the agent's file stays as it is.

        Raises:
            Refused: there are as many sessions as the settings allow.
        """
        _not_yet()

    async def compact(self, session_id: str) -> None:
        """Write what was added to a session since its last whole save in the compact form."""
        _not_yet()

    async def close(self, session_id: str) -> HeldSession:
        """Close a session, live here or cut off, with all that was acknowledged."""
        _not_yet()

    async def fork(self, session_id: str, *, at: int | None = None) -> HeldSession:
        """Keep a copy under a new id, with the messages before index ``at`` if that is given."""
        _not_yet()

    # Deleting

    async def loss(self, session_ids: Sequence[str] | None = None) -> Loss:
        """Return what deleting these would take away; all that can be deleted if None."""
        _not_yet()

    async def delete(self, session_ids: Sequence[str]) -> list[TrashEntry]:
        """Move sessions to the trash, from which `undelete` brings them back. Live ones are refused."""
        _not_yet()

    async def clear(self) -> list[TrashEntry]:
        """Move all sessions to the trash but those that are live, starred, or tagged ``keep``."""
        _not_yet()

    async def trash(self) -> list[TrashEntry]:
        """Return what is in the trash, last deleted first."""
        _not_yet()

    async def undelete(self, session_ids: Sequence[str]) -> int:
        """Bring sessions back from the trash and return how many."""
        _not_yet()

    async def empty_trash(self, session_ids: Sequence[str] | None = None) -> int:
        """Remove sessions for good, all of the trash if None; nothing of them stays. Returns how many."""
        _not_yet()

    async def clean(self, *, apply: bool = True) -> RetentionReport:
        """Return how near the limits are; with ``apply`` move what is over them to the trash."""
        _not_yet()

    # Backups and care

    async def backups(self, session_id: str) -> list[Backup]:
        """Return the earlier states of a session, newest first."""
        _not_yet()

    async def backup(self, session_ids: Sequence[str] | None = None) -> int:
        """Keep the present state of sessions as a backup, of all if None; returns how many."""
        _not_yet()

    async def restore(self, session_id: str, version: int | None = None) -> HeldSession:
        """Put an earlier state in place of the present one, which becomes a backup; the newest valid one if None."""
        _not_yet()

    async def verify(self, session_ids: Sequence[str] | None = None) -> VerifyReport:
        """Check every byte against its signature; what is bad is taken from a good backup where there is one."""
        _not_yet()

    async def repair(self) -> StartSummary:
        """Put right what can be: the list, permissions, sessions that have a valid backup; return what was done."""
        _not_yet()

    async def migrate(self) -> int:
        """Write sessions of earlier versions in the present form, with a backup each; returns how many."""
        _not_yet()

    async def problems(self) -> list[HeldProblem]:
        """Return the sessions that cannot be used as they are, and what can be done about each."""
        _not_yet()

    async def solve(self, session_id: str, kind: ChoiceKind) -> HeldSession | None:
        """Do what the person chose for a problem; returns the session that stands now, if one does."""
        _not_yet()

    # Live sessions

    async def start(self, project_path: str, *, title: str = "") -> ResumeOutcome:
        """Begin a new session that is live here."""
        _not_yet()

    async def resume(self, session_id: str, project: Path | None = None, *, dry_run: bool = False) -> ResumeOutcome:
        """Make a session live here, all or nothing; ``project`` takes the place of a directory that is gone.

        ``dry_run`` checks all that can be checked without starting anything.

        Raises:
            ProjectGone: its directory is not there; candidates are offered.
            Refused: it is live already, its project is open, a limit is reached, or the directory is unsafe.
        """
        _not_yet()

    async def resume_choices(self, session_id: str, error: Exception) -> tuple[Choice, ...]:
        """Return what the person may do after a resume failed with ``error``, each with what it will do."""
        _not_yet()

    def live(self) -> list[LiveEntry]:
        """Return the sessions that are live in this process; never waits."""
        return []

    async def keep(self, session_id: str) -> None:
        """Keep an idle session open: its idle time starts anew."""
        _not_yet()

    # Health

    async def storage(self) -> Storage:
        """Return what Holdfast takes on the disk, with warnings from 80 % of a limit on and what can be done."""
        _not_yet()

    async def metrics(self) -> Metrics:
        """Return timings and counts of this machine."""
        _not_yet()

    async def audit(self, limit: int = 200) -> AuditReport:
        """Return the newest records of the log of what was done, and whether its chain is whole."""
        _not_yet()

    async def health(self) -> Health:
        """Return all that the page of health shows."""
        _not_yet()

    # Keys

    async def keys(self) -> KeyStatus:
        """Return which keys there are, and whether sessions are encrypted and can be read now."""
        _not_yet()

    async def rotate_keys(self) -> int:
        """Sign with a new key from now on, sign all sessions anew with it, and return how many were."""
        _not_yet()

    async def set_passphrase(self, passphrase: str) -> str:
        """Encrypt held sessions with a passphrase, or change it; returns the recovery code, shown once.

        Raises:
            Refused: they are encrypted already and locked now.
        """
        _not_yet()

    async def remove_passphrase(self) -> int:
        """Write all sessions without encryption and return how many; they must be unlocked."""
        _not_yet()

    async def unlock(self, text: str) -> None:
        """Make encrypted sessions readable in this process, by passphrase or recovery code.

        Raises:
            Refused: it is neither.
        """
        _not_yet()

    async def lock(self) -> None:
        """Forget the passphrase in this process."""
        _not_yet()

    # Import

    async def import_path(self, path: Path, *, on_progress: Callable[[int, int], None] | None = None) -> ImportReport:
        """Keep the sessions of a file or directory as new ones: other programs' stores, or Holdfast's own JSON.

        Raises:
            NotFound: there is nothing of that name.
            WrongUsage: nothing in it is of a format that is known.
        """
        _not_yet()


def _not_yet() -> NoReturn:
    raise Refused("Held sessions cannot be used yet.")
