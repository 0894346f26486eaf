"""Everything the two faces ask of Holdfast: opens the parts in order, delegates, closes them in reverse."""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, Unpack

import msgspec

from holdfast_core import clock
from holdfast_core.agents import agent_ids, all_agents
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.errors import Ambiguous, HoldfastError, NotFound, Refused
from holdfast_core.index.lane import Lane
from holdfast_core.library.outgoing import Outgoing
from holdfast_core.model.agent import AgentInfo, VersionRead
from holdfast_core.model.annotation import Saying
from holdfast_core.model.changes import ChangeSet, ScanProgress, ScanReport
from holdfast_core.model.held import HELD_AGENT, is_held_id
from holdfast_core.model.places import Places
from holdfast_core.model.search import SearchResult
from holdfast_core.model.session import SessionEntry
from holdfast_core.observe import Observers
from holdfast_core.paths import Paths, path_text, self_command
from holdfast_core.scan.load import Followed, Loaded, follow, load

if TYPE_CHECKING:
    from holdfast_core.index.reader import IndexReader
    from holdfast_core.library.held import Held
    from holdfast_core.library.showing import Showing
    from holdfast_core.library.survey import Survey
    from holdfast_core.library.vaulted import Vaulted
    from holdfast_core.model.health import OperationName
    from holdfast_core.model.query import Query, Sort
    from holdfast_core.model.vault import VaultReport
    from holdfast_core.scan.capturing import Capturing
    from holdfast_core.scan.kept import Keeping
    from holdfast_core.scan.process import IndexerProcess
    from holdfast_core.scan.protocol import Event
    from holdfast_core.settings import Settings

__all__ = ["Followed", "Library", "Loaded"]

_LOCK_SECONDS = 30.0
_ANSWER_SECONDS = 2.0
_FILE_THREADS = 4
_MIND_AFTER_SECONDS = 300.0

Answer = TypeVar("Answer")


class Library(Outgoing):
    """The sessions of this machine: listed, searched, read, annotated, exported, resumed.

    Belongs to one event loop; nothing here blocks it. The index is read
    through two threads, so that a search never holds up a page of the list.
    What a list does without is loaded when it is used: a window paints before.
    ``changes`` and ``progress`` tell what the indexer did, ``reports`` the
    result of each look everywhere, ``failures`` sentences for the person,
    ``settings_changed`` that somebody wrote the settings file, ``verified``
    what verifying the vault by itself has found; all in the loop's thread and
    only after `start`.
    """

    def __init__(self, paths: Paths, home: Home) -> None:
        self.changes: Observers[ChangeSet] = Observers()
        self.progress: Observers[ScanProgress] = Observers()
        self.reports: Observers[ScanReport] = Observers()
        self.failures: Observers[str] = Observers()
        self.settings_changed: Observers[None] = Observers()
        self.verified: Observers[VaultReport] = Observers()
        self.started_ms = clock.now_ms()
        """When this library was opened."""
        self._paths = paths
        self._home = home
        self._known_agents: Mapping[str, Agent] | None = None
        self._settings: Settings | None = None
        self._indexer_command: Sequence[str] = (*self_command(), "_indexer")
        self._indexer: IndexerProcess | None = None
        self._held_check: asyncio.Task[None] | None = None
        self._minding: asyncio.Task[None] | None = None
        self._list = Lane(paths.index, "list")
        self._search = Lane(paths.index, "search")
        self._files = ThreadPoolExecutor(_FILE_THREADS, "files")

    @classmethod
    def open(
        cls,
        paths: Paths,
        *,
        agents_home: Path | None = None,
        environment: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        agents: Mapping[str, Agent] | None = None,
        indexer_command: Sequence[str] | None = None,
    ) -> Library:
        """Return a library that reads; nothing is opened or started before the first question."""
        library = cls(paths, Home(agents_home or Path.home(), os.environ if environment is None else environment))
        library._settings = settings
        library._known_agents = agents
        library._indexer_command = indexer_command or library._indexer_command
        return library

    def use_settings(self, settings: Settings) -> None:
        """Follow these settings from now on; what the indexer alone needs counts from its next start."""
        homes = self.extra_homes()
        self._settings = settings
        if "held" in self.__dict__:
            self.held.parts.use_settings()
        if self._indexer is not None:
            self._indexer.follow(settings)
        if self.extra_homes() != homes:
            self.__dict__.pop("_agents", None)
            self._look_in(self.extra_homes())

    async def start(self) -> None:
        """Start the indexer, which looks for sessions, watches, and keeps the index up to date."""
        from holdfast_core.scan.once import make_directories
        from holdfast_core.scan.process import IndexerProcess, first_line

        await self.in_thread(lambda: make_directories(self._paths))
        first = first_line(self._paths, self._home, self._settings)
        self._indexer = IndexerProcess(self._indexer_command, first, self._heard)
        self._indexer.start()
        self._held_check = asyncio.create_task(self._check_held(), name="check of held sessions at the start")
        self._minding = asyncio.create_task(self._mind(), name="verifying the vault by itself")

    @cached_property
    def held(self) -> Held:
        """The sessions that Holdfast itself keeps; loaded when it is first asked for."""
        from holdfast_core.library.held import Held
        from holdfast_core.library.parts import Parts

        return Held(self, Parts(self._paths, lambda: self._settings))

    @cached_property
    def vaulted(self) -> Vaulted:
        """Every version of agents' sessions; loaded when it is first asked for."""
        from holdfast_core.library.vaulted import Vaulted

        return Vaulted(self, self.held.parts, self._home)

    @cached_property
    def survey(self) -> Survey:
        """How well the agents are understood; loaded when it is first asked for."""
        from holdfast_core.library.survey import Survey

        return Survey(self, self._paths.agents_seen, self._home)

    @property
    def is_started(self) -> bool:
        """Whether an indexer works for this library, as for a window."""
        return self._indexer is not None

    async def pause(self, is_paused: bool) -> None:
        """Stop looking at the agents' files, or go on."""
        from holdfast_core.scan.protocol import Pause

        if self._indexer is not None:
            self._indexer.send(Pause(is_paused))

    async def rescan(self, *, full: bool = False) -> None:
        """Have the indexer look everywhere now; with ``full`` it reads everything again."""
        from holdfast_core.scan.protocol import Rescan

        if self._indexer is not None:
            self._indexer.send(Rescan(full))

    async def close(self) -> None:
        """Close live sessions, end the indexer, then the readers. Questions that still wait are cancelled."""
        if self._minding is not None:
            self._minding.cancel()
        if self._held_check is not None:
            await self._held_check
        if "_keeping" in self.__dict__:
            self._keeping.looks.close()
        if "held" in self.__dict__:
            await self.held.shut()
        if self._indexer is not None:
            await self._indexer.close()
            self._indexer = None
        self._search.close()
        self._list.close()
        self._files.shutdown(wait=False, cancel_futures=True)

    async def update(
        self, *, full: bool = False, on_progress: Callable[[ScanProgress], None] | None = None
    ) -> ScanReport:
        """Bring the index up to date and return what was found; the indexer does it if it runs, else this process.

        ``on_progress`` is called in the loop's thread, for this process's own work.

        Raises:
            Refused: another process is writing to the index, or looking for sessions is paused.
        """
        from holdfast_core.scan.once import update_once

        if self._indexer is not None:
            with self._timed("scan"):
                return await self._indexer.rescan(full=full)
        loop = asyncio.get_running_loop()
        tell = None if on_progress is None else lambda progress: loop.call_soon_threadsafe(on_progress, progress)
        return await self.in_thread(
            lambda: update_once(
                self._paths,
                self._sources(),
                self._home,
                full=full,
                on_progress=tell,
                capturing=self._capturing(),
                timeout_seconds=_LOCK_SECONDS,
            )
        )

    async def keys(
        self,
        query_text: str,
        *,
        sort: Sort = "updated",
        descending: bool = True,
        subagents: bool = False,
        typing: bool = False,
    ) -> array[int]:
        """Return the keys of all sessions that meet a query, in order. While typing, a newer call cancels this one.

        Raises:
            WrongUsage: the query names a filter wrongly.
        """
        query = self._query(query_text, typing=typing)
        with self._timed("list"):
            return await self._list.ask(
                lambda reader: reader.keys(query, sort=sort, descending=descending, subagents=subagents),
                topic="keys" if typing else "",
            )

    async def entries(self, keys: Sequence[int]) -> list[SessionEntry]:
        """Return the rows of these keys, in the order asked; those that are no more are left out."""
        return await self._list.ask(lambda reader: reader.entries(keys))

    async def entry(self, session_id: str) -> SessionEntry:
        """Return one row.

        Raises:
            NotFound: there is no such session.
        """
        found = await self._list.ask(lambda reader: reader.entry(session_id))
        if found is None and is_held_id(session_id):
            found = await self.held.row(session_id)  # the index may be in use by somebody else and lag behind
        if found is None:
            raise NotFound("There is no such session.", detail=session_id)
        return found

    async def recent(self, limit: int) -> list[SessionEntry]:
        """Return the rows of the newest sessions; supersedes no list that is being asked for."""
        query = self._query("", typing=False)
        return await self._list.ask(lambda reader: reader.entries(reader.keys(query)[:limit]))

    async def find(self, text: str, *, limit: int = 20) -> list[SessionEntry]:
        """Return sessions whose id or title is or begins with ``text``, best kind first."""
        return await self._list.ask(lambda reader: reader.find(text, limit=limit))

    async def times(self, keys: Sequence[int], sort: Sort) -> list[int]:
        """Return when each of these sessions was updated or created, in milliseconds; 0 where that is unknown."""
        return await self._list.ask(lambda reader: [time or 0 for time in reader.times(keys, sort)])

    async def runs(self, keys: Sequence[int], field: Literal["project", "agent"]) -> list[tuple[str, int]]:
        """Return the values of a field and how many neighbours share each, for a list sorted by it."""
        return await self._list.ask(lambda reader: reader.runs(keys, field))

    async def children(self, session_id: str) -> list[SessionEntry]:
        """Return the sessions that this one started."""
        return await self._list.ask(lambda reader: reader.children(session_id))

    async def places(self) -> Places:
        """Return the counts beside the places."""
        return await self._list.ask(lambda reader: reader.places())

    async def agents(self) -> list[AgentInfo]:
        """Return every agent that is known, whether or not it is on this machine, in id order.

        Holdfast itself comes last, where it keeps sessions.
        """
        from holdfast_core.resume.installed import agent_infos

        counts = {count.value: count.sessions for count in (await self.places()).agents}

        def look() -> list[AgentInfo]:
            held = self.held.indexed if self.held.parts.has_store else None
            return agent_infos(self._agents.values(), held, self._home, counts)

        return await self.in_thread(look)

    async def search(
        self, text: str, *, limit: int = 50, sort: Literal["relevance", "time"] = "relevance", typing: bool = False
    ) -> SearchResult:
        """Return the messages that meet a query, best or newest first. A newer call cancels this one.

        Raises:
            WrongUsage: the query names a filter wrongly.
        """
        query = self._query(text, typing=typing)
        with self._timed("search"):
            return await self._search.ask(lambda reader: reader.search(query, limit=limit, sort=sort), topic="search")

    async def count(self, text: str) -> tuple[int, int]:
        """Return exactly how many sessions and messages meet a query. A newer call cancels this one."""
        query = self._query(text, typing=False)
        return await self._search.ask(lambda reader: reader.count(query), topic="count")

    async def complete(self, text: str, position: int) -> list[str]:
        """Return how the word at ``position`` of a query may go on. A newer call cancels this one."""
        return await self._search.ask(lambda reader: reader.complete(text, position), topic="complete")

    async def resolve(self, target: str) -> SessionEntry:
        """Return the session that a person names by list number, id, beginning of an id, or title.

        Raises:
            NotFound: no session is meant.
            Ambiguous: several are.
        """
        from holdfast_core.resume.target import resolve

        listed = self._query("", typing=False)

        def ask(reader: IndexReader) -> SessionEntry:
            return resolve(target, reader, listed=lambda: reader.keys(listed, sort="updated"))

        try:
            return await self._list.ask(ask)
        except Ambiguous:
            raise
        except NotFound:
            if not is_held_id(target.strip()):
                raise
            return await self.entry(target.strip())

    async def load(self, session_id: str) -> Loaded:
        """Read a whole session from its agent's file, or a held one from ours.

        Raises:
            NotFound: there is no such session.
            SourceError: its file is gone or cannot be read.
        """
        if is_held_id(session_id):
            return await self.held.loaded(session_id)
        entry = await self.entry(session_id)
        ref = await self._list.ask(lambda reader: reader.source(session_id))
        if ref is None:
            raise NotFound("There is no such session.", detail=session_id)
        with self._timed("load"):
            return await self.in_thread(lambda: load(entry, ref, self._whole_agent(ref.agent), self._home))

    async def follow(self, loaded: Loaded) -> Followed:
        """Return a session as it is now; cheap if nothing was added.

        Raises:
            SourceError: its file is gone or cannot be read.
        """
        agent = self.held.source if loaded.ref.agent == HELD_AGENT else self._whole_agent(loaded.ref.agent)
        return await self.in_thread(lambda: follow(loaded, agent, self._home))

    async def annotate(self, session_ids: Sequence[str], **said: Unpack[Saying]) -> ChangeSet:
        """Keep what the person says of sessions, durably, then show it in the index.

        Raises:
            WrongUsage: a title, tag or note is not acceptable; nothing was changed.
        """
        held = [one for one in session_ids if is_held_id(one)]
        if held:
            await self.held.annotate(held, **said)
        others = [one for one in session_ids if not is_held_id(one)]
        changes = await self._annotate(others, said) if others else ChangeSet()
        return msgspec.structs.replace(changes, annotated=(*held, *changes.annotated))

    async def _annotate(self, session_ids: Sequence[str], said: Saying) -> ChangeSet:
        from holdfast_core.scan.once import annotate_once
        from holdfast_core.store.annotations import editing, keep

        edit = editing(said)
        kept = await self.in_thread(lambda: keep(self._paths.annotations, session_ids, edit))
        if self._indexer is not None:
            await self._indexer.annotate(timeout_seconds=_ANSWER_SECONDS)
        else:
            await self.in_thread(lambda: annotate_once(self._paths, kept, timeout_seconds=_ANSWER_SECONDS))
        return ChangeSet(annotated=tuple(one.session_id for one in kept))

    def known_agents(self) -> Mapping[str, Agent]:
        """Return every agent that this library looks for, by id."""
        return self._agents

    async def source(self, session_id: str) -> SourceRef | None:
        """Return the source that a listed session is read from."""
        return await self._list.ask(lambda reader: reader.source(session_id))

    async def versions_read(self) -> list[VersionRead]:
        """Return what reading the agents' sources gave, by agent and the version that wrote them."""
        return await self._list.ask(lambda reader: reader.versions_read())

    async def source_bytes(self) -> dict[str, int]:
        """Return how many bytes there are at each agent's sources, as the index knows."""
        return await self._list.ask(lambda reader: reader.source_bytes())

    async def sessions_by_source(self) -> dict[tuple[str, str], list[str]]:
        """Return the ids of listed sessions by agent and key of the source that each is read from."""
        return await self._list.ask(lambda reader: reader.sessions_by_source())

    async def forget_index(self) -> None:
        """Remove the index, which holds nothing of its own, and have it built again."""
        from holdfast_core.index.writer import forget

        await self.in_thread(lambda: forget(self._paths.index, timeout_seconds=_LOCK_SECONDS))
        with suppress(Refused):  # a pause of the indexer: it builds the index when it goes on
            await self.update(full=True)

    @cached_property
    def showing(self) -> Showing:
        """How held sessions come into the index; loaded when the first one changes."""
        from holdfast_core.library.showing import Showing

        return Showing(self, self._paths, self._home, lambda: self._indexer)

    def _sources(self) -> Mapping[str, Agent]:
        parts = self.held.parts
        if not parts.has_store and not parts.has_keys:  # there never was a held session
            return self._agents
        return {**self._agents, HELD_AGENT: self.held.indexed}

    async def _check_held(self) -> None:
        """Check held sessions in the background; what cannot be checked is told, and told again to who lists them."""
        try:
            await self.in_thread(lambda: self.held.parts.metrics)  # loads both beside what is being painted
            await self.held.start_check()
        except HoldfastError as error:
            self.failures.notify(str(error))

    async def _mind(self) -> None:
        """Verify the vault when that is due, after the start and what comes with it."""
        await asyncio.sleep(_MIND_AFTER_SECONDS)
        from holdfast_core.library.minding import Minding

        minding = Minding(self.held.parts, self._take_report)
        self.progress.add(minding.hear)
        await minding.run()

    def _take_report(self, report: VaultReport) -> None:
        self.vaulted.last_report = report
        self.verified.notify(report)

    @cached_property
    def _agents(self) -> Mapping[str, Agent]:
        agents = all_agents() if self._known_agents is None else self._known_agents
        if not self.extra_homes():
            return agents
        from holdfast_core.scan.homes import with_homes

        return with_homes(agents, self.extra_homes())

    def extra_homes(self) -> tuple[Path, ...]:
        """Return the homes in which agents are looked for beside the first."""
        if self._settings is None or not self._settings.extra_homes:
            return ()
        from holdfast_core.scan.homes import extra_homes

        return extra_homes(self._settings.extra_homes, self._home.path)

    def _look_in(self, homes: Sequence[Path]) -> None:
        from holdfast_core.scan.protocol import LookIn

        if self._indexer is not None:
            self._indexer.send(LookIn(tuple(path_text(str(home)) for home in homes)))

    @contextmanager
    def _timed(self, operation: OperationName) -> Iterator[None]:
        """Measure what a window asks for; questions that nobody waits for any more do not count."""
        started = clock.monotonic_seconds()
        try:
            yield
        except HoldfastError:
            self._measured(operation, started, is_failure=True)
            raise
        self._measured(operation, started)

    def _measured(self, operation: OperationName, started: float, *, is_failure: bool = False) -> None:
        if self._indexer is not None:
            seconds = clock.monotonic_seconds() - started
            self.held.parts.metrics.add(operation, seconds, is_failure=is_failure)

    def _query(self, text: str, *, typing: bool) -> Query:
        from holdfast_core.model.query import parse

        known = agent_ids() if self._known_agents is None else self._known_agents
        agents = (*known, HELD_AGENT) if text else ()  # the whole list is shown before any agent is looked for
        return parse(text, now=clock.now().astimezone(), prefix=typing, agents=agents)

    def _agent(self, name: str) -> Agent:
        if name not in self._agents:
            raise NotFound("This session's agent is not known to this version of Holdfast.", detail=name)
        return self._agents[name]

    def _whole_agent(self, name: str) -> Agent:
        """Return an agent whose sessions are read with what the vault alone holds of them."""
        from holdfast_core.scan.kept import with_vault

        return with_vault({name: self._agent(name)}, self._keeping)[name]

    @cached_property
    def _keeping(self) -> Keeping:
        from holdfast_core.scan.kept import Keeping
        from holdfast_core.vault.looks import Looks

        parts = self.held.parts
        return Keeping(Looks(parts.vault_directory, parts.vault), parts.vault)

    def _capturing(self) -> Capturing | None:
        """Return what takes into the vault what this process itself finds, as the settings say."""
        from holdfast_core.scan.capturing import Capturing

        chosen = self._settings
        if chosen is None:
            return None
        return Capturing(
            self._keeping,
            database_minutes=chosen.vault_database_minutes,
            is_enabled=chosen.vault_enabled,
            left_out=chosen.vault_left_out,
        )

    def _heard(self, event: Event) -> None:
        from holdfast_core.scan.protocol import Changed, Failed, Progressed, Reported, SettingsChanged

        match event:
            case Changed(changes=changes):
                self.changes.notify(changes)
            case Progressed(progress=progress):
                self.progress.notify(progress)
            case Reported(report=report):
                self.reports.notify(report)
            case SettingsChanged():
                self.settings_changed.notify(None)
            case Failed(message=message):
                self.failures.notify(message)

    async def in_thread(self, work: Callable[[], Answer]) -> Answer:
        """Do something that waits for files in a thread, and return what it gave."""
        return await asyncio.get_running_loop().run_in_executor(self._files, work)
