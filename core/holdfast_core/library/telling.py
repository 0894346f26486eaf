"""What the vault tells of agents' sessions: their versions, read and compared, and what all of it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from holdfast_core.errors import HoldfastError, NotFound
from holdfast_core.library.parts import Parts, outcome_of
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.model.vault import Compared, Comparison, VaultReport, VaultStatus, VaultUse, VerifyProgress, Version

if TYPE_CHECKING:
    from holdfast_core.agents.base import Agent, Home, SourceRef
    from holdfast_core.library import Library
    from holdfast_core.model.message import Message
    from holdfast_core.model.session import Session, SessionEntry
    from holdfast_core.vault.vault import Vault

Answer = TypeVar("Answer")
_NONE_KEPT = "No version of this session is kept yet. It is kept when the sessions are next looked through."
_TEXT_LIMIT = 400


class Telling:
    """The part of `Vaulted` that only tells."""

    def __init__(self, library: Library, parts: Parts, home: Home) -> None:
        self._library = library
        self._parts = parts
        self._home = home
        self.last_report: VaultReport | None = None
        """What verifying has found last in this process, by itself or on request."""

    async def status(self) -> VaultStatus:
        """Return the state of the whole vault."""
        import msgspec

        def look(vault: Vault) -> VaultStatus:
            return msgspec.structs.replace(vault.status(), is_enabled=self._parts.settings.vault_enabled)

        return await self._do(look)

    async def unkept(self) -> int:
        """Return how many of the agents' listed sessions have a source of which nothing is kept."""
        listed = await self._library.sessions_by_source()
        kept = await self._do(lambda vault: vault.sources())
        return sum(len(ids) for source, ids in listed.items() if source[0] != HELD_AGENT and source not in kept)

    async def versions(self, session_id: str) -> list[Version]:
        """Return the versions of the source that holds a session, newest first; none if it was never captured."""
        try:
            ref = await self.source(session_id)
        except NotFound:
            return []
        return await self._do(lambda vault: vault.versions(ref.agent, ref.key)[::-1])

    async def chosen(self, session_id: str, number: int | None = None) -> Version:
        """Return a version, without a number the one that has most of the session.

        Raises:
            NotFound: there is no such version.
        """
        found = await self.versions(session_id)
        if not found:
            raise NotFound(_NONE_KEPT, detail=session_id)
        wanted = [one for one in found if (one.is_best if number is None else one.number == number)]
        if not wanted:
            raise NotFound("There is no such version. `vault versions` lists those that there are.", detail=f"{number}")
        return wanted[0]

    async def session(self, session_id: str, number: int | None = None) -> Session:
        """Return a session as it was in a version, read by its agent's own reader.

        Raises:
            NotFound: there is no such version, or the session is not in it.
            SourceError: nothing of it can be read.
        """
        from holdfast_core.model.session import Session
        from holdfast_core.vault.mirror import read_version

        version, ref = await self.chosen(session_id, number), await self.source(session_id)
        agent, home = self.reader(ref)
        native_id = session_id.partition(":")[2]
        reading = await self._do(
            lambda vault: read_version(vault, agent, ref, version.number, home, native_id=native_id)
        )
        for read in reading.sessions:
            if read.facts.id == session_id:
                return Session(read.facts, tuple(read.messages), tuple(reading.problems), reading.unknown_records)
        raise NotFound("This session is not in that version.", detail=f"version {version.number}")

    async def compare(self, session_id: str, old: int | None = None, new: int | None = None) -> Comparison:
        """Return which messages two versions do not share; without numbers the fullest one and what is there now."""
        before = await self.chosen(session_id, old)
        versions = await self.versions(session_id)
        after = versions[0] if new is None else await self.chosen(session_id, new)
        old_messages = (await self.session(session_id, before.number)).messages
        new_messages = () if not after.size_bytes else (await self.session(session_id, after.number)).messages
        return await self._library.in_thread(lambda: _compared(before, after, old_messages, new_messages))

    async def tag(self, session_id: str, number: int, text: str) -> None:
        """Give a version a name, or take it away with an empty one."""
        ref = await self.source(session_id)
        await self._do(lambda vault: vault.tag(ref.agent, ref.key, number, text))

    async def verify(
        self,
        *,
        is_repairing: bool = True,
        on_progress: Callable[[VerifyProgress], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> VaultReport:
        """Check every byte of every version; with ``is_repairing`` what is bad is put right from the agents' files.

        ``on_progress`` is called in the loop's thread, ``should_stop`` in another after each source.
        """
        loop = asyncio.get_running_loop()

        def tell(progress: VerifyProgress) -> None:
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, progress)

        self.last_report = await self._do(
            lambda vault: vault.verify(on_progress=tell, should_stop=should_stop, is_repairing=is_repairing)
        )
        return self.last_report

    async def usage(self) -> list[VaultUse]:
        """Return what takes space, the largest first."""
        return await self._do(lambda vault: vault.usage())

    async def entries(self, session_ids: Sequence[str]) -> list[SessionEntry]:
        """Return the rows of sessions; those that are not listed are left out."""
        found = []
        for session_id in session_ids:
            try:
                found.append(await self._library.entry(session_id))
            except NotFound:
                continue
        return found

    async def source(self, session_id: str) -> SourceRef:
        """Return the source by which a session is kept.

        Raises:
            NotFound: it was never kept.
        """
        listed = await self._library.source(session_id)

        def look(vault: Vault) -> SourceRef | None:
            from holdfast_core.agents.base import SourceRef

            strands = vault.strands_of(session_id)
            if listed is not None and (listed.agent, listed.key) in strands:
                return listed
            states = (vault.state(*strand) for strand in strands)
            return next((SourceRef(one.agent, one.key, one.path, one.fingerprint) for one in states if one), None)

        found = await self._do(look)
        if found is None:
            raise NotFound(_NONE_KEPT, detail=session_id)
        return found

    def reader(self, ref: SourceRef) -> tuple[Agent, Home]:
        """Return the agent that reads a source itself, without the vault, and the home that the source is in.

        Raises:
            NotFound: this version of Holdfast does not know the agent.
        """
        from holdfast_core.scan.kept import reader_of

        agent = self._library.known_agents().get(ref.agent)
        if agent is None:
            raise NotFound("This session's agent is not known to this version of Holdfast.", detail=ref.agent)
        return reader_of(agent, ref, self._home)

    async def _do(self, work: Callable[[Vault], Answer]) -> Answer:
        return await self._library.in_thread(lambda: work(self._parts.vault()))

    async def _changing(self, event: str, session_id: str, work: Callable[[Vault], Answer]) -> Answer:
        """Do something that is written down in the audit log."""

        def run() -> Answer:
            try:
                answer = work(self._parts.vault())
            except HoldfastError as error:
                self._parts.record(event, session_id, outcome_of(error))
                raise
            self._parts.record(event, session_id)
            return answer

        return await self._library.in_thread(run)


def _compared(old: Version, new: Version, before: Sequence[Message], after: Sequence[Message]) -> Comparison:
    from holdfast_core.scan.losses import matches

    found = matches(before, after)
    taken = set(found.values())
    differences = [_told("only_old", index, one) for index, one in enumerate(before) if index not in found]
    differences += [
        _told("differs", index, after[index]) for at, index in found.items() if before[at].blocks != after[index].blocks
    ]
    differences += [_told("only_new", index, one) for index, one in enumerate(after) if index not in taken]
    differences.sort(key=lambda one: (one.timestamp_ms or 0, one.index))
    same = len(found) - sum(one.kind == "differs" for one in differences)
    return Comparison(old.number, new.number, same, tuple(differences))


def _told(kind: str, index: int, message: Message) -> Compared:
    texts = (getattr(block, "text", "") or getattr(block, "name", "") for block in message.blocks)
    text = " ".join(filter(None, texts))[:_TEXT_LIMIT]
    return Compared(kind, index, message.role, text, message.timestamp_ms)  # type: ignore[arg-type]  # of the closed list
