"""Keeps what the person said of sessions, and where moved projects are now.

The one small database that cannot be derived from anything else. It is
written rarely and must survive a power cut, so it uses a rollback journal with
``synchronous=EXTRA`` (the journal's directory is synced too) and no WAL.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw
import msgspec

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, WrongUsage
from holdfast_core.model.annotation import Annotation, Saying
from holdfast_core.model.session import TITLE_LIMIT
from holdfast_core.paths import make_private
from holdfast_core.store.database import Kind, immediate, open_database

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
TAG_LIMIT = 64
TAGS_LIMIT = 64
NOTE_LIMIT = 200_000
Edit = Callable[[Annotation], Annotation]
_ID_LIMIT = 512
_CHUNK = 500

_SCHEMA = """
CREATE TABLE annotation (
    session_id TEXT PRIMARY KEY,
    title TEXT,
    tags TEXT NOT NULL,
    starred INTEGER NOT NULL,
    note TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX annotation_revision ON annotation(revision);
CREATE TABLE moved_project (
    old_path TEXT PRIMARY KEY,
    new_path TEXT NOT NULL,
    updated_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
"""
_KIND = Kind(
    application_id=0x48464E54,  # "HFNT"
    version=SCHEMA_VERSION,
    schema=_SCHEMA,
    settings={"journal_mode": "delete", "synchronous": "extra", "trusted_schema": 0},
    too_new="A newer version of Holdfast wrote your names, stars, tags and notes. Update Holdfast to use them.",
)


class Annotations:
    """The person's words about sessions, by session id; one connection, for one thread.

    A session without an entry has the empty annotation. Several processes may
    use the file at once: a change reads and writes within one transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Annotations:
        """Open the file, made if it is not there, readable by this person alone.

        Raises:
            Refused: a newer version of Holdfast wrote it; it is left untouched.
            HoldfastError: it is damaged, or its place cannot be written.
        """
        try:
            make_private(path.parent)
            return cls(open_database(path, _KIND))
        except (OSError, apsw.Error) as error:
            raise HoldfastError(
                "Your names, stars, tags and notes cannot be opened. They were left as they are.", detail=repr(error)
            ) from error

    def get(self, session_id: str) -> Annotation:
        """Return what was said of one session."""
        found = self.get_many([session_id])
        return found[0] if found else Annotation(session_id=session_id)

    def get_many(self, session_ids: Sequence[str]) -> list[Annotation]:
        """Return what was said of those of ``session_ids`` of which anything was."""
        found = []
        for start in range(0, len(session_ids), _CHUNK):
            part = tuple(session_ids[start : start + _CHUNK])
            marks = ",".join("?" * len(part))
            found += self._select(f"WHERE session_id IN ({marks})", part)
        return found

    def all(self) -> list[Annotation]:
        """Return everything, by session id."""
        return self._select("ORDER BY session_id", ())

    def revision(self) -> int:
        """Return the number of the last change; it grows with each."""
        row = self._connection.execute("SELECT coalesce(max(revision), 0) FROM annotation").fetchone()
        return int(row[0]) if row else 0

    def changed_since(self, revision: int) -> list[Annotation]:
        """Return what changed after ``revision``, oldest change first."""
        return self._select("WHERE revision > ? ORDER BY revision", (revision,))

    def change(self, session_ids: Sequence[str], edit: Edit, *, now_ms: int) -> list[Annotation]:
        """Apply ``edit`` to each session's annotation and keep the results, all or none; return those.

        What ``edit`` gives is normalised: see `normalised`. A row stays when
        all is taken back, so that others see the change.

        Raises:
            WrongUsage: an id, title, tag or note is not acceptable.
        """
        with self._saving():
            before = {annotation.session_id: annotation for annotation in self.get_many(session_ids)}
            after = [
                msgspec.structs.replace(
                    normalised(edit(before.get(name) or Annotation(session_id=name))), updated_ms=now_ms
                )
                for name in dict.fromkeys(session_ids)
            ]
            self._write(after)
        return after

    def remember_move(self, old_path: str, new_path: str, *, now_ms: int) -> None:
        """Remember that the project that was at ``old_path`` is at ``new_path`` now."""
        with self._saving():
            self._connection.execute(
                "INSERT OR REPLACE INTO moved_project VALUES (?, ?, ?)", (old_path, new_path, now_ms)
            )

    def forget_move(self, old_path: str) -> None:
        """Forget where the project that was at ``old_path`` is now."""
        with self._saving():
            self._connection.execute("DELETE FROM moved_project WHERE old_path = ?", (old_path,))

    def moved_to(self, old_path: str) -> str | None:
        """Return where the project that was at ``old_path`` is now, None if nothing was remembered."""
        row = self._connection.execute("SELECT new_path FROM moved_project WHERE old_path = ?", (old_path,)).fetchone()
        return None if row is None else str(row[0])

    def moves(self) -> dict[str, str]:
        """Return all remembered moves: old place to new."""
        return {
            str(old): str(new) for old, new in self._connection.execute("SELECT old_path, new_path FROM moved_project")
        }

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _select(self, clause: str, values: Sequence[str | int]) -> list[Annotation]:
        rows = self._connection.execute(
            "SELECT session_id, title, tags, starred, note, updated_ms FROM annotation " + clause, tuple(values)
        )
        return [
            Annotation(
                session_id=session_id,
                title=title,
                tags=tuple(tags.split("\n")) if tags else (),
                starred=bool(starred),
                note=note,
                updated_ms=updated_ms,
            )
            for session_id, title, tags, starred, note, updated_ms in rows
        ]

    def _write(self, annotations: Iterable[Annotation]) -> None:
        revision = self.revision() + 1
        self._connection.executemany(
            "INSERT OR REPLACE INTO annotation VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (one.session_id, one.title, "\n".join(one.tags), int(one.starred), one.note, one.updated_ms, revision)
                for one in annotations
            ],
        )

    @contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            with immediate(self._connection):
                yield
        except apsw.Error as error:
            raise HoldfastError("This could not be saved. Nothing was changed.", detail=repr(error)) from error


def keep(path: Path, session_ids: Sequence[str], edit: Edit) -> list[Annotation]:
    """Apply ``edit`` in the file at ``path`` and return what is kept now: see `Annotations.change`."""
    with Annotations.open(path) as store:
        return store.change(session_ids, edit, now_ms=clock.now_ms())


def editing(said: Saying) -> Edit:
    """Return an edit for `Annotations.change`.

    Raises:
        WrongUsage: a tag is not acceptable.
    """
    tags, more, less = (
        frozenset(normalised_tag(tag) for tag in wanted)
        for wanted in (said.get("tags", ()), said.get("add_tags", ()), said.get("remove_tags", ()))
    )

    def edit(before: Annotation) -> Annotation:
        base = tags if "tags" in said else frozenset(before.tags)
        return msgspec.structs.replace(
            before,
            title=said.get("title", before.title),
            tags=tuple((base | more) - less),
            starred=said.get("starred", before.starred),
            note=said.get("note", before.note),
        )

    return edit


def moves(path: Path) -> dict[str, str]:
    """Return the moves that the file at ``path`` remembers; none if it cannot be opened."""
    if not path.exists():
        return {}
    try:
        with Annotations.open(path) as store:
            return store.moves()
    except HoldfastError as error:
        log.warning("remembered moves cannot be read: %s", error.detail)
        return {}


def remember_if_moved(path: Path, old_path: str, new_path: str) -> None:
    """Remember a move in the file at ``path``, unless the project is still in its old place."""
    if old_path and old_path != new_path and not Path(old_path).is_dir():
        with Annotations.open(path) as store:
            store.remember_move(old_path, new_path, now_ms=clock.now_ms())


def normalised(annotation: Annotation) -> Annotation:
    """Return an annotation as it is kept: titles of one line, tags in lower case, sorted, each once.

    Raises:
        WrongUsage: something is too long, or a tag has no visible character.
    """
    if not 0 < len(annotation.session_id) <= _ID_LIMIT:
        raise WrongUsage("This session's id is not valid.")
    title = " ".join(_clean(annotation.title or "").split()) or None
    if title and len(title) > TITLE_LIMIT:
        raise WrongUsage(f"A title has at most {TITLE_LIMIT} characters.")
    note = _clean(annotation.note, keep="\n\t")
    if len(note) > NOTE_LIMIT:
        raise WrongUsage(f"A note has at most {NOTE_LIMIT} characters.")
    tags = tuple(sorted({normalised_tag(tag) for tag in annotation.tags}))
    if len(tags) > TAGS_LIMIT:
        raise WrongUsage(f"A session has at most {TAGS_LIMIT} tags.")
    return msgspec.structs.replace(annotation, title=title, tags=tags, note=note)


def normalised_tag(text: str) -> str:
    """Return a tag as it is kept: lower case, without a leading #, words joined by a hyphen.

    Raises:
        WrongUsage: it is empty, too long, or holds a comma, quote or parenthesis.
    """
    tag = "-".join(_clean(text).strip().lstrip("#").lower().split())
    if not tag or len(tag) > TAG_LIMIT or any(character in ',"()' for character in tag):
        raise WrongUsage(f"A tag has 1 to {TAG_LIMIT} characters and no comma, quote or parenthesis.")
    return tag


def _clean(text: str, *, keep: str = "") -> str:
    """Return text in one Unicode form, without control characters, direction overrides and halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize(
        "NFC", "".join(one if one in keep or one in _JOINERS else _visible(one) for one in text)
    )


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace() or category in ("Zl", "Zp"):
        return " "
    return "" if category in ("Cc", "Cf", "Cs") else character


# Emoji and several scripts are written with these.
_JOINERS = "\u200c\u200d"
