"""What is done to sessions that Holdfast keeps: begun, copied, resumed, saved, closed, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, ProjectGone, Untrusted
from holdfast_core.model.held import is_held_id
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from holdfast_gui.actions.asking import ask_for_folder, ask_for_project, ask_to_trust
from holdfast_gui.crash import describe
from holdfast_gui.models.places import ALL
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, title, tr
from holdfast_gui.views.choice_bar import ChoiceBar
from holdfast_gui.views.new_session import NewSessionSheet
from holdfast_gui.views.versions import VersionsSheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast_core.model.keeping import ChoiceKind

    from holdfast_gui.actions.context import Context

PROJECTS = 30


async def begin_session(context: Context) -> None:
    """Ask for a title and a project, and begin a session that is live at once."""
    projects = [count.value for count in (await context.library.places()).projects if count.value][:PROJECTS]
    entry = context.entry
    sheet = NewSessionSheet(
        context.window,
        projects,
        home=context.window.detail.home,
        chosen=entry.project_path if entry else "",
    )

    async def choose() -> None:
        folder = await ask_for_folder(sheet, sheet.chosen_project or str(Path.home() / "project"))
        if folder is not None:
            sheet.set_project(str(folder))

    sheet.folder_wanted.connect(context.scope.slot(choose))
    if await ask(sheet) != QDialog.DialogCode.Accepted:
        return
    await _start(context, sheet.chosen_project, sheet.title.text().strip())


async def _start(context: Context, project: str, name: str = "") -> None:
    done = await context.library.held.start(project, title=name)
    context.browser.reveal(done.id)
    context.toast.say(tr("Session begun") if done.is_live else tr("Session kept; it cannot be live now"))


async def copy_sessions(context: Context, session_ids: Sequence[str]) -> None:
    """Keep copies of sessions, and go on with the copy if it is one; what is copied stays as it is."""
    held = context.library.held
    made = []
    for session_id in session_ids:
        make = held.fork if is_held_id(session_id) else held.archive
        made.append((await make(session_id)).id)
    if len(made) == 1:
        context.browser.reveal(made[0])
        await resume_held(context, made[0])
    elif made:
        context.toast.say(f"{counted(len(made), 'copy', 'copies')} kept")


async def resume_held(
    context: Context, session_id: str, project: Path | None = None, *, is_trusted: bool = False
) -> None:
    """Make a session live here; where that cannot be, offer what may be done instead, in the window."""
    from holdfast_gui.actions.protecting import unlock

    held = context.library.held
    status = await held.keys()
    if not status.is_unlocked and not await unlock(context):
        return
    try:
        done = await held.resume(session_id, project, is_trusted=is_trusted)
    except Untrusted as error:
        if await ask_to_trust(context.window, error):
            await resume_held(context, session_id, project, is_trusted=True)
        else:
            await Refusals.of(context).ask(session_id, error)
    except HoldfastError as error:
        await Refusals.of(context).ask(session_id, error)
    else:
        context.toast.say(tr("“{title}” is live").format(title=title(done.title)))
        context.refresh()


async def save_held(context: Context, session_ids: Sequence[str]) -> None:
    """Write sessions whole now, whatever the interval of saving is."""
    for session_id in session_ids:
        await context.library.held.compact(session_id)
    context.keeping.live_changed.emit()
    context.toast.say(tr("Saved"))


async def close_held(context: Context, session_ids: Sequence[str]) -> None:
    """Close live sessions with all that was said in them."""
    for session_id in session_ids:
        await context.library.held.close(session_id)
    context.keeping.look()
    context.toast.say(
        tr("{sessions} saved and closed").format(sessions=counted(len(session_ids), "session", "sessions"))
    )


async def show_versions(context: Context, session_id: str) -> None:
    """Show earlier states of a session and go back to one."""
    held = context.library.held
    entry = await held.listed(session_id)
    sheet = VersionsSheet(context.window, entry.title, await held.backups(session_id), clock.now())
    if await ask(sheet) != QDialog.DialogCode.Accepted or sheet.chosen is None:
        return
    await go_to_version(context, session_id, sheet.chosen.version)
    words = tr("Went back; the former state is kept as a version")
    context.toast.say(words, tr("Undo"), lambda: context.actions.run("held.undo"))


async def go_to_version(context: Context, session_id: str, version: int) -> None:
    """Put an earlier state of a session in place of the present one, and remember which that was."""
    held = context.library.held
    await held.restore(session_id, version)
    context.keeping.deleted = []
    context.keeping.restored = await _replaced(context, session_id)
    context.keeping.show_detail()
    context.refresh()


async def _replaced(context: Context, session_id: str) -> tuple[str, int] | None:
    """Return the state that a restore has just put aside."""
    backups = await context.library.held.backups(session_id)
    aside = [one.version for one in backups if one.reason == "restore" and one.is_valid]
    return (session_id, max(aside)) if aside else None


async def undo_restore(context: Context) -> None:
    """Put the state back that a session had before it went to an earlier version; that one is kept, too."""
    if context.keeping.restored is None:
        return
    session_id, version = context.keeping.restored
    await go_to_version(context, session_id, version)
    context.keeping.restored = None
    context.refresh()
    context.toast.say(tr("The session is as it was before"))


async def adopt_sessions(context: Context, session_ids: Sequence[str]) -> None:
    """Trust imports whose origin is not proven: they can be changed and continued then."""
    for session_id in session_ids:
        await context.library.held.solve(session_id, "adopt")
    context.keeping.look()
    context.keeping.show_detail()
    context.toast.say(f"{counted(len(session_ids), 'session', 'sessions')} adopted")


class Refusals(QObject):
    """The bar of a resume that could not be, with what may be done instead; nothing is tried again by itself."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._error: HoldfastError | None = None
        self.bar = ChoiceBar()
        context.window.add_bar(self.bar)
        self.bar.chosen.connect(context.scope.slot(self.choose))
        self.bar.details_wanted.connect(context.troubles.show_details)

    @classmethod
    def of(cls, context: Context) -> Refusals:
        """Return the one of this window."""
        return context.window.findChild(cls) or cls(context)

    async def ask(self, session_id: str, error: HoldfastError) -> None:
        """Say why a session was not resumed and offer the choices, each with its consequence."""
        context = self._context
        self._error = error
        choices = await context.library.held.resume_choices(session_id, error)
        incident = describe(error)
        context.troubles.last = incident
        name = title((await context.library.entry(session_id)).title)
        words = f"{incident.words} {incident.kept or tr('The session is as it was.')}"
        context.raise_window()
        self.bar.ask(session_id, tr("“{name}” was not resumed.").format(name=name), words, choices, code=incident.code)

    async def choose(self, session_id: str, kind: ChoiceKind) -> None:
        """Do what was chosen."""
        context = self._context
        match kind:
            case "retry":
                await resume_held(context, session_id)
            case "adopt":
                await adopt_sessions(context, [session_id])
                await resume_held(context, session_id)
            case "project":
                await self._move(session_id)
            case "new":
                entry = await context.library.entry(session_id)
                await _start(context, entry.project_path)
            case "other":
                context.browser.go_to(ALL)
                context.window.session_list.setFocus()
            case _:
                context.window.session_list.setFocus()

    async def _move(self, session_id: str) -> None:
        window = self._context.window
        if isinstance(self._error, ProjectGone):
            project = await ask_for_project(window, self._error)
        else:
            project = await ask_for_folder(window, str(Path.home() / "project"))
        if project is not None:
            await resume_held(self._context, session_id, project)
