"""Giving versions of sessions back, mending damaged ones, and letting go of agents' files that are safe here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast_core.errors import HoldfastError, NotFound, Refused, WrongUsage
from holdfast_core.library.telling import Telling
from holdfast_core.model.repair import Repaired, RestoreUndo
from holdfast_core.model.vault import WITHOUT_CONTENT, Freed, Restored

if TYPE_CHECKING:
    from holdfast_core.agents.base import Agent, Home, SourceRef
    from holdfast_core.vault.vault import Vault

_UNDO_LIMIT_BYTES: Final = 16 << 20
_UNDO_KEPT: Final = 200
_MEND_LIMIT_BYTES: Final = 256 << 20


class Giving(Telling):
    """The part of `Vaulted` that gives back. Every restoring to an agent can be undone, in another process too."""

    async def restore(self, session_id: str, number: int | None = None, *, to: str = "agent") -> Restored:
        """Give a version back, without a number the fullest: to its ``agent``, as a ``held`` session, or to a path.

        Raises:
            NotNow: the agent works on it.
            Refused: it cannot be put there without harm.
            NotFound: there is no such version.
        """
        version, ref = await self.chosen(session_id, number), await self.source(session_id)
        if to == "held":
            return await self._as_held(session_id, version.number)
        if to != "agent":
            return await self._to_path(session_id, ref, _path_of(to), version.number)
        return await self._to_agent(session_id, ref, version.number, None)

    async def undo(self, session_id: str, *, is_forced: bool = False) -> Restored:
        """Put back what stood with the agent before the last restoring of a session.

        Raises:
            NotFound: nothing was restored.
            NotNow: the agent works on it.
            Refused: the agent has gone on with it since, and it is not ``is_forced``.
        """
        await self._shown()
        ref = await self.source(session_id)
        agent, home = self.reader(ref)

        def put_back(vault: Vault) -> Restored:
            from holdfast_core.vault.restoring import undo_restore

            kept = self._undos()
            undo = kept.get(session_id)
            if undo is None:
                raise NotFound("Nothing of this session was restored that could be undone.")
            undo_restore(
                vault, agent, ref, home, undo, capture=_capturing(vault, agent, ref, home), is_forced=is_forced
            )
            self._remember({name: one for name, one in kept.items() if name != session_id})
            return Restored(session_id, 0, ref.path, "agent")

        done = await self._changing("vault.undo", session_id, put_back)
        await self._shown()
        return done

    async def repair_plan(self, session_id: str, *, drops_damaged: bool = False) -> Repaired:
        """Return a mended copy of what the agent has now, or last had, and what would be changed.

        Raises:
            Refused: it is of a form that cannot be mended.
        """
        await self._shown()
        ref = await self.source(session_id)
        agent, home = self.reader(ref)

        def mend(vault: Vault) -> Repaired:
            from holdfast_core.vault.repairing import repaired

            _capturing(vault, agent, ref, home)()
            data = bytearray()
            for chunk in vault.content(ref.agent, ref.key):
                data += chunk
                if len(data) > _MEND_LIMIT_BYTES:
                    raise Refused("This session's file is too large to be mended. Restore an earlier version.")
            return repaired(bytes(data), agent, name=Path(ref.path).name, drops_damaged=drops_damaged)

        return await self._do(mend)

    async def repair(self, session_id: str, *, to: Path | None = None, drops_damaged: bool = False) -> Restored:
        """Put a mended copy where the agent looks for it, or to a path; what is there now stays as a version.

        Raises: as `restore` and `repair_plan`.
        """
        plan = await self.repair_plan(session_id, drops_damaged=drops_damaged)
        ref = await self.source(session_id)
        if to is not None:
            await self._library.in_thread(lambda: _write_new(to, plan.data))
            return Restored(session_id, 0, str(to), "path")
        newest = next(one for one in await self.versions(session_id) if one.reason not in WITHOUT_CONTENT)
        return await self._to_agent(session_id, ref, newest.number, plan.data)

    async def export(
        self, session_id: str, number: int, path: Path, export_format: str = "md", *, overwrite: bool = False
    ) -> Path:
        """Write a version of a session as an export and return the file.

        Raises:
            NotFound: there is no such version, or the session is not in it.
            Refused: there is a file already and ``overwrite`` is False.
        """
        from holdfast_core import export as exports
        from holdfast_core.scan.load import Loaded

        session, ref = await self.session(session_id, number), await self.source(session_id)
        entry = await self._library.entry(session_id)
        text = await self._library.rendered(Loaded(session, entry, ref, None), export_format)
        await self._library.in_thread(lambda: exports.write(path, text, overwrite=overwrite))
        return path

    async def freeable(self, session_ids: Sequence[str]) -> Freed:
        """Return the agents' files of sessions that could go to the system's trash now: every byte verified here."""
        return await self._freeing(session_ids, is_done=False)

    async def free(self, session_ids: Sequence[str]) -> Freed:
        """Move agents' files of sessions to the system's trash; what cannot go stays and is told in ``notes``.

        Every byte is verified here just before. `restore` gives them back.
        """
        done = await self._freeing(session_ids, is_done=True)
        await self._shown()
        return done

    async def _to_agent(self, session_id: str, ref: SourceRef, number: int, mended: bytes | None) -> Restored:
        await self._shown()  # so that what the agent has now is a version of its own, with what it has lost
        agent, home = self.reader(ref)

        def give(vault: Vault) -> Restored:
            from holdfast_core.vault.restoring import restore_to_agent

            done, undo = restore_to_agent(
                vault,
                agent,
                ref,
                home,
                session_id=session_id,
                capture=_capturing(vault, agent, ref, home),
                number=number,
                repaired=mended,
            )
            self._remember(self._undos() | {session_id: undo})
            return done

        done = await self._changing("vault.restore" if mended is None else "vault.repair", session_id, give)
        await self._shown()
        return done

    async def _to_path(self, session_id: str, ref: SourceRef, path: Path, number: int) -> Restored:
        from holdfast_core.vault.restoring import restore_to_path

        return await self._do(lambda vault: restore_to_path(vault, ref, path, session_id=session_id, number=number))

    async def _as_held(self, session_id: str, number: int) -> Restored:
        session = await self.session(session_id, number)
        kept = await self._library.held.archive(session_id, session)
        return Restored(kept.id, number, "", "held")

    async def _freeing(self, session_ids: Sequence[str], *, is_done: bool) -> Freed:
        await self._shown()
        refs = list(dict.fromkeys([await self.source(one) for one in session_ids]))

        def look(vault: Vault) -> Freed:
            paths, size, notes = list[str](), 0, list[str]()
            for ref in refs:
                agent, home = self.reader(ref)
                try:
                    freed = _free_one(vault, agent, ref, home, is_done=is_done)
                except (HoldfastError, OSError) as error:
                    notes.append(str(error) if isinstance(error, HoldfastError) else "A file could not be moved.")
                    continue
                paths.append(ref.path)
                size += freed
            return Freed(tuple(paths), size, tuple(dict.fromkeys(notes)))

        return await self._do(look)

    async def _shown(self) -> None:
        """Have the index follow what was done to agents' files."""
        with suppress(Refused):  # somebody else writes to it, or it is paused: it is seen later
            await self._library.update()

    def _undos(self) -> dict[str, RestoreUndo]:
        from holdfast_core.atomic import read_file

        try:
            data = read_file(self._undo_file, limit_bytes=_UNDO_LIMIT_BYTES)
            return msgspec.json.decode(data, type=dict[str, RestoreUndo])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def _remember(self, undos: dict[str, RestoreUndo]) -> None:
        from holdfast_core.atomic import write_file

        write_file(self._undo_file, [msgspec.json.encode(dict(list(undos.items())[-_UNDO_KEPT:]))])

    @property
    def _undo_file(self) -> Path:
        return self._parts.vault_directory / "restored.json"


def _capturing(vault: Vault, agent: Agent, ref: SourceRef, home: Home) -> Callable[[], None]:
    """Return what takes a source into the vault as it is now, if it is there."""

    def capture() -> None:
        for now in agent.refs_for(home, [ref.path]):
            if now.key == ref.key:
                vault.capture(now, companions=agent.companions(now, home), is_urgent=True)
                vault.commit()

    return capture


def _free_one(vault: Vault, agent: Agent, ref: SourceRef, home: Home, *, is_done: bool) -> int:
    """Return the bytes of one agent's file that can go, and move it to the system's trash if that is to be done.

    Raises:
        Refused: it is in use, not there, not here whole, or has changed since.
    """
    from holdfast_core.agents.base import fingerprint_at
    from holdfast_core.vault.restoring import refuse_in_use

    refuse_in_use(agent, ref, home, [Path(ref.path)])
    _capturing(vault, agent, ref, home)()
    state = vault.state(ref.agent, ref.key)
    if state is None or state.is_gone or state.is_damaged or not Path(ref.path).is_file():
        raise Refused("A session's file is not there, or not whole in the vault. It stays.", detail=ref.path)
    before = fingerprint_at(ref.path)
    if not _is_whole_here(vault, ref) or fingerprint_at(ref.path) != before:
        raise Refused("A session has just changed. Its file stays.", detail=ref.path)
    if is_done:
        from send2trash import TrashPermissionError, send2trash

        try:
            send2trash(ref.path)
        except TrashPermissionError as error:
            raise Refused("The system has no trash for this disk. The file stays.", detail=str(error)) from error
    return before.size_bytes


def _is_whole_here(vault: Vault, ref: SourceRef) -> bool:
    """Return whether the vault gives exactly the bytes of an agent's file; every one of them is verified by that."""
    with Path(ref.path).open("rb") as file:
        return all(file.read(len(chunk)) == chunk for chunk in vault.content(ref.agent, ref.key)) and not file.read(1)


def _path_of(text: str) -> Path:
    path = Path(text).expanduser()
    if not text or text.endswith(("/", "\\")) or path.is_dir():
        raise WrongUsage("Name the file that is to be written, not a directory.")
    return path.absolute()


def _write_new(path: Path, data: bytes) -> None:
    from holdfast_core.atomic import write_file

    try:
        write_file(path, [data], overwrite=False)
    except FileExistsError as error:
        raise Refused("There is a file of this name already. Choose another name.", detail=str(path)) from error
