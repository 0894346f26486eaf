"""The sessions that Holdfast itself keeps, as the two faces ask for them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import msgspec

from holdfast_core import clock
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError, NotFound, Refused, SourceError, WrongUsage
from holdfast_core.library.caring import Caring
from holdfast_core.library.parts import Parts, outcome_of
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.export import ExportOptions
from holdfast_core.model.held import HeldEntry, HeldSession
from holdfast_core.model.keeping import FieldNotice, KeyEntry, KeyStatus
from holdfast_core.model.message import Message, Role, Text
from holdfast_core.model.session import Problem
from holdfast_core.observe import Observers

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.library.going import Going
    from holdfast_core.model.annotation import Saying
    from holdfast_core.model.health import AuditReport, Health, Metrics, Storage
    from holdfast_core.model.keeping import (
        Choice,
        ChoiceKind,
        ImportReport,
        ResumeOutcome,
    )
    from holdfast_core.model.live import LiveEntry, LiveEvent
    from holdfast_core.model.session import Session, SessionEntry
    from holdfast_core.scan.load import Loaded
    from holdfast_core.settings import Settings
    from holdfast_core.store.store import Store

_NOWHERE = Home(Path(), {})  # held sessions lie below no agent's home
Answer = TypeVar("Answer")


class Held(Caring):
    """Held sessions: made, kept, resumed, protected, cleaned up. Belongs to the library's event loop.

    All work is done in threads. Every id is checked before anything is opened;
    what is asked of one session raises NotFound if there is none of that id,
    Refused where it is not allowed as things are, `HoldfastError` where the
    store cannot be read or written. ``summaries`` tells once what the check at
    the start found, ``changes`` what was changed here, ``events`` what happens
    to live sessions; all in the loop's thread.
    """

    def __init__(self, library: Library, parts: Parts) -> None:
        super().__init__(library, parts)
        self.events: Observers[LiveEvent] = Observers()
        self._going: Going | None = None
        parts.followers.append(self._follow)

    async def recover(self, session_id: str, kind: ChoiceKind = "recover") -> HeldSession | None:
        """Do what the person chose for a session that was cut off; ``skip`` leaves it as it is.

        ``recover`` closes it with everything that was acknowledged, ``discard``
        goes back to the last whole save, ``new`` gives a new session in the
        same project and closes the old one. Returns the session that stands now.
        """
        if kind in ("skip", "other"):
            return None
        if kind == "discard":
            await self._do("session.discard", session_id, lambda store: store.discard_recovery(session_id))
        else:
            await self._do("session.recover", session_id, lambda store: store.recover(session_id))
        before = await self.load(session_id)
        return await self.create(before.project_path, config=before.config) if kind == "new" else before

    async def solve(self, session_id: str, kind: ChoiceKind) -> HeldSession | None:
        """Do what the person chose for a problem; returns the session that stands now, if one does."""
        if kind in ("trash", "delete"):
            gone = await self._do("session.delete", session_id, lambda store: store.delete([session_id]))
            if gone and kind == "delete":
                await self.empty_trash([session_id])
        if kind in ("skip", "other", "trash", "delete"):
            return None
        if kind == "new":
            return await self.create(await self._project_of(session_id))
        if kind == "backup":
            return await self.restore(session_id)
        if kind == "retry":
            return await self._do("session.retry", session_id, lambda store: store.retry(session_id))
        if kind != "adopt":
            return await self.recover(session_id, kind)
        await self._do("session.adopt", session_id, lambda store: store.adopt(session_id))
        return await self.load(session_id)

    async def _project_of(self, session_id: str) -> str:
        """Return the directory of a session, empty for one of which nothing can be read any more."""
        try:
            return (await self.listed(session_id)).project_path
        except NotFound:
            return ""

    # Lists

    async def resumable(self) -> list[HeldEntry]:
        """Return those that can be resumed now: not live, no problem, their project open in no live session."""
        from holdfast_core.resume.held import resumable

        return resumable(await self.entries(), self.live())

    async def row(self, session_id: str) -> SessionEntry:
        """Return the row of one session, from the store itself."""
        from holdfast_core.library.exchange import row_of

        entry = await self.listed(session_id)
        return row_of(entry, str(await self._look(lambda store: store.site.places.session(session_id), Path())))

    async def loaded(self, session_id: str) -> Loaded:
        """Return a whole session as sessions of all kinds are read."""
        from holdfast_core.scan.load import load

        row = await self._library.entry(session_id)

        def look(store: Store) -> Loaded:
            path = str(store.site.places.session(session_id))
            ref = next(iter(self.source.refs_for(_NOWHERE, [path])), None)
            if ref is None:
                raise NotFound("There is no such session.", detail=session_id)
            return load(row, ref, self.source, _NOWHERE)

        def read(store: Store) -> Loaded:
            if not self.parts.keys().is_unlocked:
                store.load(session_id)  # or it says that it is locked
            try:
                return look(store)
            except SourceError:
                store.load(session_id)  # of a damaged one the backup takes its place
                return look(store)

        return await self._do("session.load", session_id, read, operation="load", is_reading=True)

    async def made_good(self, session_id: str) -> tuple[FieldNotice, ...]:
        """Return which fields of a session were missing or of another type and were made good in reading it."""
        _, notices = await self._do("", session_id, lambda store: store.noticed(session_id), is_reading=True)
        return tuple(FieldNotice(session_id, one.field, one.kind) for one in notices)

    async def rendered(self, loaded: Loaded, options: ExportOptions | None) -> Iterator[str]:
        """Return the complete JSON of a session, in pieces."""
        from holdfast_core.export import json
        from holdfast_core.library.exchange import KEY, extra_of

        session_id = loaded.entry.id
        kept, notices = await self._do(
            "session.load", session_id, lambda store: store.noticed(session_id), operation="load", is_reading=True
        )
        made_good = tuple(Problem(0, f"{one.kind}:{one.field}") for one in notices)
        told = msgspec.structs.replace(loaded.session, problems=(*loaded.session.problems, *made_good))
        return json.render(told, options or ExportOptions(), entry=loaded.entry, extra={KEY: extra_of(kept)})

    # Changes

    async def create(self, project_path: str = "", *, title: str = "", **fields: Any) -> HeldSession:
        """Keep a new session and return it. ``fields`` are others of `HeldSession`.

        Raises:
            Refused: there are as many sessions as the settings allow.
        """
        made = HeldSession(id=str(uuid.uuid4()), project_path=project_path, title=title, **fields)
        return await self._do("session.create", made.id, lambda store: store.create(made), operation="save")

    async def append(self, session_id: str, messages: Sequence[Message]) -> None:
        """Put messages at the end, durably, also of a session that is live here."""
        going = self._going
        if going is not None and going.is_live(session_id):
            await going.host.append(session_id, *messages)
            return
        await self._do(
            "session.append", session_id, lambda store: store.append(session_id, messages), operation="append"
        )

    async def append_text(self, session_id: str, role: Role, text: str) -> None:
        """Put one message of plain text at the end, durably."""
        made = Message(id=str(uuid.uuid4()), role=role, blocks=(Text(text),), timestamp_ms=clock.now_ms())
        await self.append(session_id, [made])

    @property
    def removed(self) -> int:
        """How many texts had secrets taken out of them by this library."""
        return self.parts.removed

    async def save(self, session: HeldSession) -> HeldSession:
        """Keep a whole session as it is given; the later of two saves wins."""
        return await self._do("session.save", session.id, lambda store: store.save(session), operation="save")

    async def change(self, session_id: str, **fields: Any) -> None:
        """Set fields of `HeldSession` other than messages, durably, also of a session that is live here."""
        going = self._going
        if going is not None and going.is_live(session_id):
            await going.host.set(session_id, **fields)
            return
        await self._do("session.change", session_id, lambda store: store.set(session_id, **fields), operation="save")

    async def annotate(self, session_ids: Sequence[str], **said: Unpack[Saying]) -> None:
        """Keep what the person says of sessions: title, tags, star, note.

        Raises:
            WrongUsage: a title, tag or note is not acceptable.
        """
        await self._each(
            "session.annotate", session_ids, lambda store, one: store.annotate(one, **said), operation="save"
        )

    async def archive(self, session_id: str, session: Session | None = None) -> HeldSession:
        """Keep a copy of an agent's session as one of our own and return it; the agent's file stays as it is.

        ``session`` is an earlier version of it, where that is wanted.

        Raises:
            Refused: there are as many sessions as the settings allow.
        """
        from holdfast_core.library.exchange import archived

        if session is None:
            session = (await self._library.load(session_id)).session
        kept = archived(session, await self._library.entry(session_id), str(uuid.uuid4()))
        return await self._do("session.archive", kept.id, lambda store: store.create(kept), operation="save")

    async def compact(self, session_id: str) -> None:
        """Write what was added to a session since its last whole save in the compact form; a live one is saved now."""
        going = self._going
        if going is not None and going.is_live(session_id):
            await going.host.save(session_id)
            return
        await self._do("session.compact", session_id, partial(_compact, session_id=session_id), operation="compact")

    async def close(self, session_id: str) -> HeldSession:
        """Close a session, live here or cut off, with all that was acknowledged."""
        going = self._going
        if going is not None and going.is_live(session_id):
            await going.host.close(session_id)
            await self._show()
        else:
            await self._do("session.close", session_id, lambda store: store.close(session_id), operation="save")
        return await self.load(session_id)

    async def fork(self, session_id: str, *, at: int | None = None) -> HeldSession:
        """Keep a copy under a new id, with the messages before index ``at`` if that is given."""
        return await self._do("session.fork", session_id, lambda store: store.fork(session_id, at=at), operation="save")

    # Live sessions

    async def start(self, project_path: str = "", *, title: str = "") -> ResumeOutcome:
        """Begin a new session that is live here, or stored and closed if no session can become live now."""
        going = await self._host()
        return await self._living("session.start", "", going.resumer.new(project=project_path, title=title))

    async def resume(
        self, session_id: str, project: Path | None = None, *, is_trusted: bool = False, dry_run: bool = False
    ) -> ResumeOutcome:
        """Make a session live here, all or nothing; ``project`` takes the place of a directory that is gone.

        ``is_trusted`` accepts a directory of someone else; ``dry_run`` checks
        all that can be checked without starting anything.

        Raises:
            ProjectGone: its directory is not there; candidates are offered.
            Refused: it is live already, its project is open, a limit is reached, or the directory is unsafe.
        """
        going = await self._host()
        if dry_run:
            return await self._library.in_thread(lambda: going.checked(session_id, project, is_trusted=is_trusted))
        going.projects = [count.value for count in (await self._library.places()).projects]
        work = going.resumer.resume(session_id, project=project, is_trusted=is_trusted)
        return await self._living("session.resume", session_id, work)

    async def resume_choices(self, session_id: str, error: Exception) -> tuple[Choice, ...]:
        """Return what the person may do after a resume failed with ``error``, each with what it will do."""
        going = await self._host()
        told = error if isinstance(error, HoldfastError) else None
        return await self._library.in_thread(lambda: going.resumer.choices(session_id, told))

    def live(self) -> list[LiveEntry]:
        """Return the sessions that are live in this process; never waits."""
        return self._going.host.entries() if self._going is not None else []

    async def keep(self, session_id: str) -> None:
        """Keep an idle session open: its idle time starts anew."""
        (await self._host()).host.keep(session_id)

    # Health

    async def storage(self) -> Storage:
        """Return what Holdfast takes on the disk, with warnings from 80 % of a limit on and what can be done."""
        from holdfast_core.library.health import storage

        by_agent = await self._library.source_bytes()
        return await self._library.in_thread(lambda: storage(self.parts, by_agent))

    async def metrics(self) -> Metrics:
        """Return timings and counts of this machine."""
        from holdfast_core.library.health import metrics

        return await self._library.in_thread(lambda: metrics(self.parts, live_sessions=len(self.live())))

    async def audit(self, limit: int = 200) -> AuditReport:
        """Return the newest records of the log of what was done, and whether its chain is whole."""
        from holdfast_core.library.health import audit

        return await self._library.in_thread(lambda: audit(self.parts, limit))

    async def health(self) -> Health:
        """Return all that the page of health shows."""
        from holdfast_core.library.health import health

        summary = await self.start_check()
        problems, unclean = len(await self.problems()), len(await self.recovery())
        metrics, storage, audit = await self.metrics(), await self.storage(), await self.audit(1)
        return health(
            metrics,
            storage,
            audit,
            await self.keys(),
            summary=summary,
            problems=problems,
            unclean=unclean,
            save_errors=[entry.save_error for entry in self.live() if entry.save_error],
            agents=await self._library.survey.health(),
        )

    # Keys

    async def keys(self) -> KeyStatus:
        """Return which keys there are, and whether sessions are encrypted and can be read now."""

        def look() -> KeyStatus:
            if not self.parts.has_keys:
                return KeyStatus("", (), False, True)
            keys = self.parts.keys()
            known = tuple(KeyEntry(key.id, key.created_ms, key.state) for key in keys.states())
            return KeyStatus(keys.active_id, known, keys.is_encrypted, keys.is_unlocked)

        return await self._library.in_thread(look)

    async def rotate_keys(self) -> int:
        """Sign with a new key from now on, sign all sessions anew with it, and return how many were."""
        await self._do("keys.rotate", "", lambda store: store.site.keys.rotate())
        return await self._write_anew()

    async def set_passphrase(self, passphrase: str) -> str:
        """Encrypt held sessions with a passphrase, or change it; returns the recovery code, shown once.

        With the first passphrase all are written anew, with their backups, the
        trash and what was put aside; the index is built again without their
        text. Where that was cut off, the next passphrase goes on with it.
        `in_the_clear` says what could not be encrypted.

        Raises:
            Refused: they are encrypted already and locked now.
        """
        before = await self.keys()
        code = await self._do("keys.encrypt", "", lambda store: store.site.keys.set_passphrase(passphrase))
        if not before.is_encrypted or await self.in_the_clear():
            await self._write_anew()
            await self._do("store.scrub", "", _scrub)
            if self.parts.encrypted_in_index == "nothing":
                await self._library.forget_index()
        return code

    async def in_the_clear(self) -> list[str]:
        """Return the files below the directory of held sessions that are not encrypted though they should be."""
        from holdfast_core.store.resealing import in_the_clear

        return await self._look(lambda store: in_the_clear(store.site), [])

    async def remove_passphrase(self) -> int:
        """Write all sessions without encryption and return how many; they must be unlocked."""
        await self._do("keys.decrypt", "", lambda store: store.site.keys.remove_passphrase())
        return await self._write_anew()

    async def unlock(self, text: str) -> None:
        """Make encrypted sessions readable in this process, by passphrase or recovery code.

        Raises:
            Refused: it is neither.
        """
        await self._do("keys.unlock", "", partial(_unlock, text=text))
        await self._library.showing.unlocked(text)

    async def lock(self) -> None:
        """Forget the passphrase in this process."""
        await self._do("keys.lock", "", lambda store: store.site.keys.lock())
        await self._library.showing.unlocked("")

    # Import

    async def import_path(self, path: Path, *, on_progress: Callable[[int, int], None] | None = None) -> ImportReport:
        """Keep the sessions of a file or directory as new ones: other programs' stores, or Holdfast's own JSON.

        ``on_progress`` is told how many sessions came in and how many failed, in the loop's thread.

        Raises:
            NotFound: there is nothing of that name.
            WrongUsage: nothing in it is of a format that is known.
        """
        from holdfast_core.library.taking import take_in

        if not await self._library.in_thread(path.exists):
            raise NotFound("There is no such file or directory.", detail=str(path))
        agents = frozenset(info.agent for info in await self._library.agents() if info.installed)
        loop = asyncio.get_running_loop()

        def tell(done: int, failed: int) -> None:
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, done, failed)

        try:
            return await self._do(
                "store.import",
                "",
                lambda store: take_in(store, path, agents=agents, on_progress=tell),
                operation="import",
            )
        except WrongUsage as error:
            raise await self._library.survey.explained(error, path) from error

    async def look_into(self, path: Path) -> ImportReport:
        """Return what importing a file or directory would give; nothing is kept. Raises as `import_path` does."""
        from holdfast_core.library.taking import look_into

        agents = frozenset(info.agent for info in await self._library.agents() if info.installed)
        try:
            return await self._library.in_thread(lambda: look_into(path, agents=agents))
        except WrongUsage as error:
            raise await self._library.survey.explained(error, path) from error

    # The rest

    async def shut(self) -> None:
        """Close live sessions with all that was acknowledged, then what was opened."""
        if self._check is not None:
            await asyncio.gather(self._check, return_exceptions=True)
        if self._going is not None:
            await self._going.host.close_all()
            await self._show()
        await asyncio.to_thread(self.parts.close)

    async def _host(self) -> Going:
        from holdfast_core.library.going import Going

        if self._going is None:
            await self._do("", "", lambda store: None)
            if self._going is None:
                self._going = Going(self.parts)
                self._going.host.events.add(self.events.notify)
        return self._going

    def _follow(self, settings: Settings) -> None:
        if self._going is not None:
            self._going.use_settings(settings)

    async def _living(self, event: str, session_id: str, work: Awaitable[ResumeOutcome]) -> ResumeOutcome:
        try:
            with self.parts.timed("resume"):
                done = await work
        except HoldfastError as error:
            await self._library.in_thread(partial(self.parts.record, event, session_id, outcome_of(error)))
            raise
        await self._library.in_thread(partial(self.parts.record, event, done.id))
        await self._show()
        return done

    async def _write_anew(self) -> int:
        """Write all that is kept under the keys of now; returns how many sessions were."""
        from holdfast_core.store.resealing import reseal_rest

        done = await self._each("session.reseal", [entry.id for entry in await self.entries()], _reseal)
        await self._do("store.reseal", "", lambda store: reseal_rest(store.site))
        return sum(done)


def _compact(store: Store, *, session_id: str) -> None:
    with closing(store.open_journal(session_id)) as journal:
        journal.fold(always=True)


def _reseal(store: Store, session_id: str) -> bool:
    from holdfast_core.store.resealing import reseal

    is_done = reseal(store.site, session_id)
    store.changes.notify(ChangeSet(changed=(session_id,)))
    return is_done


def _scrub(store: Store) -> None:
    from holdfast_core.store.resealing import scrub

    scrub(store.site)


def _unlock(store: Store, *, text: str) -> None:
    from holdfast_core.sealed.errors import SealedError

    try:
        store.site.keys.unlock(text)
    except SealedError as error:
        if error.reason == "wrong_passphrase":
            raise Refused(str(error), detail=error.detail) from error
        raise
