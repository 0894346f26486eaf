"""What the store tells a person: whole sentences about what was found, and about what can be done."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast_core.model.keeping import Choice, StartSummary

_RETRY = Choice("retry", "Try again", "Opens the session once more. Nothing is changed.")
_OTHER = Choice("other", "Pick another session", "Leaves this session as it is and shows the others.")
_NEW = Choice("new", "Start a new session", "Starts an empty session. This one stays as it is.")
_SKIP = Choice("skip", "Skip", "Leaves this session as it is. You can come back to it in the list of problems.")
_BACKUP = Choice(
    "backup", "Use the backup", "Puts the newest valid backup in its place. The file as it is now is kept beside it."
)
_ADOPT = Choice("adopt", "Adopt", "Takes the session as it is and signs it, so that it can be changed and continued.")
_TRASH = Choice(
    "trash",
    "Move to the trash",
    "Moves what is left of the session to the trash. It can be put back among the problems.",
)
_DELETE = Choice(
    "delete", "Delete for ever", "Deletes what is left of the session, with its backups. This cannot be undone."
)
_RECOVER = Choice(
    "recover", "Recover", "Closes the session with everything that was saved, up to the last moment before the end."
)
_NEW_AFTER = Choice(
    "new",
    "Start a new session",
    "Closes the session with everything that was saved, and starts an empty one in the same project.",
)
_LATER = Choice("skip", "Skip", "Leaves the session as it is. You are asked again at the next start.")
_DISCARD = Choice(
    "discard", "Go back", "Closes the session as it was last written whole. What came after it goes to a backup."
)
_OF_PROBLEM = {
    "failing": (_RETRY, _OTHER, _NEW, _SKIP),
    "unverified": (_ADOPT, _SKIP),
    "quarantined": (_NEW, _TRASH, _DELETE, _SKIP),
    "newer_format": (_OTHER, _SKIP),
    "too_large": (_RETRY, _SKIP),
    "migration": (_RETRY, _SKIP),
}
# The file itself is whole, or its newest backup is the same file.
_NO_BACKUP_HELPS = frozenset(("failing", "unverified", "newer_format", "migration"))
LOST_END = "Its last changes are damaged. It was kept as far as it verifies, the file was put aside."
UNVERIFIED = "This session was imported and its signature could not be checked. It can be read, not changed."


def failing(times: int) -> str:
    """Return why a session that could not be continued, time and again, is left out of automatic restores."""
    return f"This session could not be continued {times} times in a row. It is not tried again by itself."


def choices_of_problem(code: str, *, has_backup: bool) -> tuple[Choice, ...]:
    """Return what can be done about a problem with this code."""
    choices = _OF_PROBLEM.get(code, (_RETRY, _SKIP))
    return (_BACKUP, *choices) if has_backup and code not in _NO_BACKUP_HELPS else choices


def choices_of_unclean() -> tuple[Choice, ...]:
    """Return what can be done about a session that was cut off."""
    return (_RECOVER, _DISCARD, _NEW_AFTER, _LATER)


def notes_of(found: StartSummary, *, unreadable: int, strange: int) -> tuple[str, ...]:
    """Return the sentences of a check; none if all was well."""
    return tuple(_notes(found, unreadable, strange))


def _notes(found: StartSummary, unreadable: int, strange: int) -> Iterator[str]:
    if found.rolled_back:
        yield "Your sessions are older than when they were last seen here. Were they restored from a backup?"
    if count := len(found.unclean):
        yield f"{_sessions(count, 'was', 'were')} cut off when Holdfast or the computer stopped, and can be recovered."
    if count := len(found.recovered):
        yield f"{_sessions(count, 'was', 'were')} damaged. The newest valid backup took its place."
    if count := len(found.quarantined):
        yield (
            f"{_sessions(count, 'is', 'are')} damaged and without a valid backup."
            " What is left was put aside, nothing was deleted."
        )
    if count := len(found.truncated):
        yield f"{_sessions(count, 'has', 'have')} lost the end, or an older file was put in the place of a newer one."
    if count := len(found.orphaned_entries):
        yield f"{_sessions(count, 'has', 'have')} no file any more and left the list."
    if count := len(found.orphaned_files):
        yield f"{_sessions(count, 'was', 'were')} not in the list and came back to it."
    if unreadable:
        yield f"{_sessions(unreadable, 'cannot', 'cannot')} be read at present. The list of problems says why."
    if strange:
        yield f"{strange} {'file' if strange == 1 else 'files'} among your sessions are none and were put aside."
    if count := found.wrong_permissions:
        yield (
            f"{count} {'file' if count == 1 else 'files'} of your sessions can be read by others on this computer."
            " Repairing your sessions closes them again."
        )


def _sessions(count: int, one: str, many: str) -> str:
    return f"1 session {one}" if count == 1 else f"{count} sessions {many}"
