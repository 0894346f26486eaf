"""OpenCode's way of keeping sessions, which its forks share: a database, and before 1.2 a tree of small files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec

from holdfast_core.agents._databases import DatabaseAgent, Tables
from holdfast_core.agents._documents import Document, read_document
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._opencode_records import Info, Part, SessionInfo, Time, Whole, todos_of
from holdfast_core.agents._opencode_rows import KNOWN, SILENT, Row, in_order, merged, whole_of
from holdfast_core.agents._opencode_session import Beside, Builder
from holdfast_core.agents._sqlite import Database
from holdfast_core.agents._values import text_of_name
from holdfast_core.agents._walk import files_below
from holdfast_core.agents.base import (
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import SourceError
from holdfast_core.model.session import Problem

_PART_LIMIT = 64 << 20
_FILES_LIMIT = 200_000
_SESSION_COLUMNS = (
    "parent_id", "directory", "title", "version", "time_created", "time_updated", "time_archived", "revert",
    "summary_diffs", "fork_session_id",
)  # fmt: skip
_RAW_COLUMNS = ("revert", "summary_diffs")
Record = TypeVar("Record", bound=msgspec.Struct)


class _Export(msgspec.Struct):
    """What ``export`` writes: a session with all its messages."""

    info: SessionInfo | None = None
    messages: list[Whole] = []
    id: str | None = None
    not_read: ClassVar = names("directory parentID projectID slug summary time title version")


class OpenCodeAgent(DatabaseAgent):
    """Reads what OpenCode and its forks keep below ``folder`` of the data directory.

    ``variable`` may name a database elsewhere. A session that stands in both
    generations has the same id in both.
    """

    folder: ClassVar[str]
    variable: ClassVar[str]
    session_table = "session"

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        if root.name != self.folder:
            return ()
        return (
            f"{self.folder}.db",
            f"{self.folder}-*.db",
            "storage/session/*/*.json",
            "project/*/storage/session/info/*.json",
        )

    def roots(self, home: Home) -> list[Path]:
        data = directories(home, ("XDG_DATA_HOME",), ".local/share")
        usual = [folder / self.folder for folder in data]
        named = self._named(home)
        return list(dict.fromkeys(usual if named is None else [*usual, named.parent]))

    def _tops(self, home: Home) -> Iterator[tuple[str, list[tuple[re.Pattern[str], ...]]]]:
        yield from super()._tops(home)
        named = self._named(home)
        if named is not None:
            yield str(named.parent), [(re.compile(re.escape(named.name) + r"\Z"),)]

    def _named(self, home: Home) -> Path | None:
        """Return the database that a variable names, which may stand anywhere."""
        named = home.environment.get(self.variable, "")
        if not named or named.startswith(":"):
            return None
        data = home.environment.get("XDG_DATA_HOME") or home.path / ".local/share"
        return Path(data, self.folder, named)

    def is_database(self, path: str) -> bool:
        return not path.endswith(".json")

    def is_source(self, path: str) -> bool:
        """Return whether a file is a session: in the oldest tree messages and parts stand beside them."""
        return self.is_database(path) or Path(path).parent.name not in ("message", "part")

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return the messages, parts, plan and changes of a session in the tree; a database stands alone."""
        return [] if self.is_database(ref.path) else _files_of(Path(ref.path))

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        command = (self.program, f"--session={safe_id(facts.native_id)}")
        return ResumeCommand((*command, "--fork") if fork else command, needs_project=True)

    # The database.

    def stamps(self, database: Database) -> dict[str, str]:
        found = database.stamps("session", "id", sized=("title", "revert"), latest=("time_updated",))
        for table in ("message", "session_message", "part", "todo"):
            for name, stamp in database.stamps(
                table, "session_id", sized=("data", "status"), latest=("time_updated",)
            ).items():
                if name in found or table in ("message", "session_message"):
                    found[name] = found.get(name, "") + stamp
        return found

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        messages, newer = _messages_in(tables), _newer_in(tables)
        todos: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
        for _, session, position, content, status in tables.rows(
            "todo", "session_id", ("position", "content", "status")
        ):
            todos.setdefault(session, []).append((position, {"content": content, "status": status}))
        rows = {row[1]: row[2:] for row in tables.rows("session", "id", _SESSION_COLUMNS, raw=_RAW_COLUMNS)}
        nothing = (None,) * len(_SESSION_COLUMNS)
        found = []
        for session in dict.fromkeys((*rows, *messages, *newer)):  # its own row may be gone or damaged
            parent, directory, title, version, created, updated, archived, revert, diffs, origin = rows.get(
                session, nothing
            )
            info = SessionInfo(
                session, _text(parent), _text(directory), _text(title), _text(version),
                _text(origin), Time(created, updated, None, archived), _json(revert),
            )  # fmt: skip
            steps = [step for _, step in sorted(todos.get(session, []), key=lambda pair: str(pair[0]).zfill(9))]
            beside = Beside(self.id, tables.modified_ms, todos_of(steps), _json(diffs), tables.provider_data(session))
            builder = Builder(session, info, beside)
            older = in_order(messages.get(session, {}).values())
            found.append(builder.build(merged(older, newer.get(session, []))))
            for kind, times in builder.unknown.items():
                tables.count_unknown(kind, times)
        return found

    # The tree of files.

    def read_file(self, ref: SourceRef, home: Home) -> Reading:
        root = self.root_of(ref.path, home)
        document = read_document(ref.path, _Export, root=root)
        if document.value.info is not None:
            info, messages = document.value.info, document.value.messages
            tree = None
        else:
            info = read_document(ref.path, SessionInfo, root=root).value
            tree = _Tree(ref.path, root, document)
            messages = list(tree.messages(info.id or text_of_name(Path(ref.path).stem)))
        native_id = info.id or text_of_name(Path(ref.path).stem)
        todos = todos_of(tree.beside("todo", native_id)) if tree else []
        diffs = tree.beside("session_diff", native_id) if tree else None
        builder = Builder(
            native_id, info, Beside(self.id, document.modified_ms, todos, diffs, document.provider_data())
        )
        session = builder.build(in_order(messages))
        reading = document.reading([session])
        reading.unknown_records = builder.unknown
        reading.bytes_read += tree.bytes_read if tree else 0
        return reading


def _files_of(session: Path) -> list[Path]:
    """Return the files of one session of the tree. Its folders are below `session`, whose name is its id."""
    is_oldest = session.parent.name == "info"
    top = session.parent.parent if is_oldest else session.parent.parent.parent
    name = session.stem
    messages = [Path(entry.path) for entry in files_below(str(top / "message" / name), ".json")]
    found = messages[:_FILES_LIMIT]
    for message in found.copy():
        folder = top / "part" / name / message.stem if is_oldest else top / "part" / message.stem
        found += [Path(entry.path) for entry in files_below(str(folder), ".json")]
    found += [path for kind in ("todo", "session_diff") if (path := top / kind / f"{name}.json").is_file()]
    return sorted(path for path in found if not _is_behind_link(path, top))[:_FILES_LIMIT]


def _is_behind_link(path: Path, top: Path) -> bool:
    return path.is_symlink() or any(folder.is_symlink() for folder in path.parents if folder.is_relative_to(top))


def _messages_in(tables: Tables) -> dict[str, dict[str, Whole]]:
    """Return messages with their parts by session and id."""
    decode_info, decode_part = Forgiving(Info), Forgiving(Part)
    found: dict[str, dict[str, Whole]] = {}
    for number, session, name, created, data in tables.rows(
        "message", "session_id", ("id", "time_created", "data"), raw=("data",)
    ):
        info = tables.decoded(decode_info, data, number, session)
        if info is None:
            continue
        info.id = name if isinstance(name, str) else f"row-{number}"
        info.time = info.time or Time()
        info.time.created = created if info.time.created is None else info.time.created
        found.setdefault(session, {})[name] = Whole(info, [], number)
    parts: dict[str, list[Part]] = {}
    for number, session, name, message, data in tables.rows(
        "part", "session_id", ("id", "message_id", "data"), raw=("data",)
    ):
        part = tables.decoded(decode_part, data, number, session)
        if part is not None:
            part.id = name if isinstance(name, str) else f"row-{number}"
            parts.setdefault(message, []).append(part)
    for messages in found.values():
        for name, whole in messages.items():
            whole.parts = sorted(parts.get(name, []), key=lambda part: part.id or "")
    return found


def _newer_in(tables: Tables) -> dict[str, list[Whole]]:
    """Return the messages of the second generation by session, in their order."""
    decode = Forgiving(Row)
    found: dict[str, list[tuple[int, int, Whole]]] = {}
    for number, session, name, kind, place, created, data in tables.rows(
        "session_message", "session_id", ("id", "type", "seq", "time_created", "data"), raw=("data",)
    ):
        row = tables.decoded(decode, data, number, session)
        if row is None or kind in SILENT:
            continue
        row.time = row.time or Time()
        row.time.created = created if row.time.created is None else row.time.created
        whole = whole_of(kind, row)
        if whole is not None:
            whole.info.id = name if isinstance(name, str) else f"row-{number}"
            whole.row = number
            found.setdefault(session, []).append((place if isinstance(place, int) else number, number, whole))
        if kind not in KNOWN:
            tables.count_unknown(f"session_message/{kind}")
    return {
        session: [whole for _, _, whole in sorted(rows, key=lambda row: row[:2])] for session, rows in found.items()
    }


class _Tree:
    """The files of one session: ``message/<session>/*.json``, ``part/<message>/*.json``, and some beside them."""

    def __init__(self, path: str, root: str, document: Document) -> None:
        folder = Path(path).parent
        self._is_oldest = folder.name == "info"
        self._top = folder.parent if self._is_oldest else folder.parent.parent
        self._root = root
        self._document = document
        self.bytes_read = 0

    def messages(self, session: str) -> Iterator[Whole]:
        """Yield the messages of a session with their parts."""
        loose = self._loose_parts() if not self._is_oldest else {}
        for path in self._files("message", session):
            info = self._read(path, Info)
            if info is None:
                continue
            name = info.id or text_of_name(Path(path).stem)
            info.id = name
            folders = ("part", session, name) if self._is_oldest else ("part", name)
            parts = [part for file in self._files(*folders) if (part := self._read(file, Part)) is not None]
            yield Whole(info, parts or loose.get(name, []))

    def beside(self, folder: str, session: str) -> Any:
        """Return the JSON that stands beside a session, None where there is none."""
        path = self._top / folder / f"{session}.json"
        if not _is_name(session) or not os.path.lexists(path):
            return None
        return self._read(str(path), None)

    def _loose_parts(self) -> dict[str, list[Part]]:
        """Return parts that stand in one folder, by message."""
        found: dict[str, list[Part]] = {}
        for path in self._files("part"):
            part = self._read(path, Part)
            if part is not None and part.message_id:
                found.setdefault(part.message_id, []).append(part)
        return found

    def _files(self, *folders: str) -> list[str]:
        if not all(map(_is_name, folders)):
            return []
        paths = [entry.path for entry in files_below(str(self._top.joinpath(*folders)), ".json")]
        return sorted(paths)[:_FILES_LIMIT]

    def _read(self, path: str, kind: type[Record] | None) -> Any:
        try:
            document = read_document(path, kind, root=self._root, limit=_PART_LIMIT)
        except SourceError as error:
            if error.reason == "outside":
                raise
            self._document.problems.append(Problem(1, "not_json" if error.reason == "wrong_format" else error.reason))
            return None
        self.bytes_read += document.size_bytes
        self._document.problems += document.problems
        for name, times in document.repairs.items():
            self._document.repairs[name] = self._document.repairs.get(name, 0) + times
        return document.value


def _is_name(text: str) -> bool:
    """Return whether a text can be a part of a path that leads nowhere else."""
    return bool(text) and text not in (".", "..") and not any(sign in text for sign in "/\\\0") and len(text) < 256


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _json(value: object) -> Any:
    if not isinstance(value, bytes) or not value:
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
