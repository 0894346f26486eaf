"""The error tree: everything a person can do something about is a `HoldfastError`."""

from __future__ import annotations


class HoldfastError(Exception):
    """A failure told in the person's words.

    ``str(error)`` is one or more whole sentences that name no path, id, key or
    exception class and say what to do; ``detail`` is the technical part, for
    the log only. ``kept`` is a sentence about what is safe all the same.
    ``exit_code`` is what the command line ends with.
    """

    exit_code = 1

    def __init__(self, message: str, *, detail: str = "", kept: str = "") -> None:
        super().__init__(message)
        self.detail = detail
        self.kept = kept


class WrongUsage(HoldfastError):
    """What was asked for makes no sense: a bad filter, setting or argument."""

    exit_code = 2


class NotFound(HoldfastError):
    """There is no such session, setting or place, or it may not be seen."""

    exit_code = 3


class Ambiguous(NotFound):
    """A target names several sessions; ``candidates`` are their (id, title)."""

    def __init__(self, message: str, *, candidates: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message, detail=", ".join(name for name, _ in candidates))
        self.candidates = candidates


class ProjectGone(NotFound):
    """A session's directory is not there; ``candidates`` are places where it may be now, likeliest first."""

    def __init__(self, message: str, *, path: str, candidates: tuple[str, ...]) -> None:
        super().__init__(message, detail=path)
        self.path = path
        self.candidates = candidates


class AgentMissing(NotFound):
    """A session's agent is not installed here; ``shell_line`` continues it where it is, and may be empty."""

    def __init__(self, message: str, *, detail: str, shell_line: str) -> None:
        super().__init__(message, detail=detail)
        self.shell_line = shell_line


class Refused(HoldfastError):
    """It could be done, but is not safe or not allowed as things are."""

    exit_code = 4


class NotNow(Refused):
    """Nothing is wrong with it: it can be done once something else has ended, or later."""


class NeedsCopy(Refused):
    """The agent would not find a session from this directory: it can, once the person says that a copy goes there."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message, detail=path)
        self.path = path


class Untrusted(Refused):
    """A directory is not this person's alone: it can be used once they say that they trust it.

    ``owner`` is the name of the user that it belongs to, empty where every user can change it.
    """

    def __init__(self, message: str, *, path: str, owner: str = "") -> None:
        super().__init__(message, detail=f"{path}: {owner or 'writable by all'}")
        self.path = path
        self.owner = owner


class Locked(Refused):
    """It is encrypted, and the passphrase has not been given in this process."""


class SourceError(HoldfastError):
    """A whole source cannot be read; ``reason`` is a short stable code."""

    def __init__(self, message: str, *, reason: str, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.reason = reason


class IndexBroken(HoldfastError):
    """The index is damaged or of another version; it is disposable and is rebuilt."""
