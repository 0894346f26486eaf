"""What leaves the library: exports, and sessions that are continued elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, Unpack

from holdfast_core.agents.base import Agent, Home
from holdfast_core.errors import WrongUsage
from holdfast_core.model.held import is_held_id
from holdfast_core.model.resume import ResumeChoice, ResumePlan
from holdfast_core.paths import Paths

if TYPE_CHECKING:
    from holdfast_core.library.held import Held
    from holdfast_core.model.export import ExportOptions
    from holdfast_core.model.health import OperationName
    from holdfast_core.model.places import Places
    from holdfast_core.model.session import SessionEntry
    from holdfast_core.scan.load import Loaded
    from holdfast_core.settings import Settings

Answer = TypeVar("Answer")


class Outgoing:
    """The part of `Library` that hands sessions on."""

    _paths: Paths
    _home: Home
    _settings: Settings | None

    if TYPE_CHECKING:

        @property
        def held(self) -> Held: ...
        async def entry(self, session_id: str) -> SessionEntry: ...
        async def load(self, session_id: str) -> Loaded: ...
        async def places(self) -> Places: ...
        async def in_thread(self, work: Callable[[], Answer]) -> Answer: ...
        def _agent(self, name: str) -> Agent: ...
        def _timed(self, operation: OperationName) -> AbstractContextManager[None]: ...

    async def export(
        self,
        session_ids: Sequence[str],
        place: Path,
        export_format: str = "md",
        options: ExportOptions | None = None,
        *,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write sessions to files in a directory, or one session to ``place`` itself, and return the files.

        Without ``overwrite`` several sessions get names that are free.

        Raises:
            Refused: one session's file is there already and ``overwrite`` is False.
        """
        from holdfast_core import export as exports

        paths = []
        for session_id in session_ids:
            loaded = await self.load(session_id)
            path = exports.target_path(place, loaded.entry, export_format)
            if len(session_ids) > 1 and not overwrite:
                path = exports.free_path(path)
            text = await self.rendered(loaded, export_format, options)
            with self._timed("export"):
                await self.in_thread(partial(exports.write, path, text, overwrite=overwrite))
            paths.append(path)
        return paths

    async def export_text(
        self, session_id: str, export_format: str = "md", options: ExportOptions | None = None
    ) -> str:
        """Return a session as the text of a format."""
        loaded = await self.load(session_id)
        text = await self.rendered(loaded, export_format, options)
        return await self.in_thread(lambda: "".join(text))

    async def resume_plan(self, session_id: str, **choice: Unpack[ResumeChoice]) -> ResumePlan:
        """Return how a session would be continued; nothing has happened then.

        Raises:
            ProjectGone: its directory is not there; choose another as ``project``.
            NeedsCopy: its agent would not find it from that directory; choose ``with_copy``.
            NotFound: the agent's program is not installed.
            Refused: it is unsafe as things are.
        """
        from holdfast_core import resume
        from holdfast_core.resume.repositories import Repositories
        from holdfast_core.store.annotations import moves

        if is_held_id(session_id):
            return await self._resume_held(session_id, choice, dry_run=True)
        entry = await self.entry(session_id)
        projects = [count.value for count in (await self.places()).projects]
        return await self.in_thread(
            lambda: resume.plan(
                entry,
                self._agent(entry.agent),
                self._home,
                self._used_settings,
                terminal_name=choice.get("terminal"),
                fork=choice.get("fork", False),
                project=choice.get("project"),
                moved_projects=moves(self._paths.annotations),
                known_projects=projects,
                repositories=Repositories(self._paths.repositories),
                is_trusted=choice.get("is_trusted", False),
                with_copy=choice.get("with_copy", False),
            )
        )

    async def put_copy(self, plan: ResumePlan) -> None:
        """Put a copy of the session where its agent looks from the plan's directory, if the plan needs one.

        Raises:
            Refused: the agent is writing it, or it is there already.
        """
        if plan.copy_to:
            from holdfast_core.resume.copying import put_copy

            entry = await self.entry(plan.session_id)
            agent, place = self._agent(entry.agent), Path(plan.copy_to)
            await self.in_thread(lambda: put_copy(agent, entry, self._home, place))

    async def resume(self, session_id: str, **choice: Unpack[ResumeChoice]) -> ResumePlan:
        """Continue a session in a terminal where there is one, and return what was done.

        A chosen ``project`` is remembered if the old one is gone. Raises as `resume_plan` does.
        """
        from holdfast_core import resume
        from holdfast_core.store.annotations import remember_if_moved

        if is_held_id(session_id):
            return await self._resume_held(session_id, choice)
        plan = await self.resume_plan(session_id, **choice)
        await self.put_copy(plan)
        if plan.method == "terminal":
            await self.in_thread(lambda: resume.start(plan, self._home, self._used_settings))
        if choice.get("project") is not None:
            entry = await self.entry(session_id)
            await self.in_thread(lambda: remember_if_moved(self._paths.annotations, entry.project_path, plan.cwd))
        return plan

    async def _resume_held(self, session_id: str, choice: ResumeChoice, *, dry_run: bool = False) -> ResumePlan:
        """Make a held session live here: no program and no terminal takes part."""
        if choice.get("fork") or choice.get("terminal"):
            raise WrongUsage("A session that Holdfast keeps opens in no terminal. Fork it to go on with a copy.")
        project, is_trusted = choice.get("project"), choice.get("is_trusted", False)
        done = await self.held.resume(session_id, project, is_trusted=is_trusted, dry_run=dry_run)
        return ResumePlan(session_id, (), done.project_path, "", "held", "", is_trusted=is_trusted)

    @property
    def _used_settings(self) -> Settings:
        from holdfast_core.settings import Settings

        return self._settings or Settings.model_validate({})

    async def rendered(self, loaded: Loaded, export_format: str, options: ExportOptions | None = None) -> Iterator[str]:
        """Return the text of an export, in pieces; as the settings say without ``options``.

        The JSON of a held session is complete: taking it in gives the same session again.
        """
        from holdfast_core import export as exports

        if options is None and self._settings is not None:
            options = exports.options_from(self._settings, export_format)
        if export_format == "json" and is_held_id(loaded.entry.id):
            return await self.held.rendered(loaded, options)
        return exports.render(loaded.session, export_format, options, entry=loaded.entry)
