"""The pages of held sessions: what each shows and what is done with what was pressed there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from holdfast_gui.actions.keeping import UNREAD
from holdfast_gui.actions.trashing import days_kept
from holdfast_gui.models.places import ALL, PROBLEMS, Place
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, one_line, tr
from holdfast_gui.views.confirm import of_the_damaged
from holdfast_gui.views.problems import Way

if TYPE_CHECKING:
    from holdfast_core.model.keeping import ChoiceKind

    from holdfast_gui.actions.context import Context
    from holdfast_gui.views.live import LivePage
    from holdfast_gui.views.problems import ProblemsPage
    from holdfast_gui.views.recovery import RecoveryPage

_RESCAN = "rescan"
_LIST = "list"


class Recovering(QObject):
    """The page of sessions that were cut off. One choice at a time is carried out; what fails is told and stays."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        from holdfast_gui.views.recovery import RecoveryPage

        self._context = context
        self._skipped: set[str] = set()
        self.page: RecoveryPage = RecoveryPage()
        self.page.chosen.connect(context.scope.slot(self.choose))
        self.page.all_wanted.connect(context.scope.slot(self.recover_all))
        self.page.skip_wanted.connect(self._leave)
        self.page.state.action_pressed.connect(lambda: context.browser.go_to(ALL))
        context.keeping.changed.connect(self._show)
        self._show()

    async def choose(self, session_id: str, kind: ChoiceKind) -> None:
        """Do what was chosen for one session."""
        context = self._context
        if kind in ("skip", "other"):
            self._skipped.add(session_id)
            self._show()
            return
        with _busy(self.page):
            now = await context.library.held.recover(session_id, kind)
        said = {"discard": tr("Back at the last whole save"), "new": tr("A new session began; the old one is closed")}
        context.toast.say(said.get(kind, tr("Session recovered")))
        context.keeping.look()
        if kind == "new" and now is not None:
            context.browser.reveal(now.id)

    async def recover_all(self) -> None:
        """Recover every session that is shown or further down; those that cannot be stay, with why."""
        context = self._context
        progress = context.window.progress
        ids = [one.id for one in context.keeping.unclean]
        progress.start(tr("Recovering sessions"), can_cancel=False)
        failed: HoldfastError | None = None
        done = 0
        with _busy(self.page):
            try:
                for number, session_id in enumerate(ids, 1):
                    progress.advance(number, len(ids))
                    try:
                        await context.library.held.recover(session_id)
                        done += 1
                    except HoldfastError as error:
                        failed = error
            finally:
                progress.finish()
        self._skipped.clear()
        context.keeping.look()
        context.toast.say(f"{counted(done, 'session', 'sessions')} recovered")
        if failed is not None:
            raise failed

    def _leave(self) -> None:
        self._context.browser.go_to(ALL)
        self._context.window.session_list.setFocus()

    def _show(self) -> None:
        left = [one for one in self._context.keeping.unclean if one.id not in self._skipped]
        self.page.set_sessions(left, clock.now())


class Solving(QObject):
    """The page of problems: of our own sessions, and of what of the agents' cannot be read."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        from holdfast_gui.views.problems import ProblemsPage

        self._context = context
        self._skipped: set[str] = set()
        self._unread = 0
        self.page: ProblemsPage = ProblemsPage()
        self.page.chosen.connect(context.scope.slot(self.choose))
        self.page.way_wanted.connect(self._go)
        self.page.state.action_pressed.connect(lambda: context.browser.go_to(ALL))
        context.keeping.changed.connect(context.scope.slot(self._count))
        self._show()
        context.scope.spawn(self._count(), "count problems")

    async def choose(self, session_id: str, kind: ChoiceKind) -> None:
        """Do what was chosen for one session."""
        context = self._context
        if kind == "skip":
            self._skipped.add(session_id)
            self._show()
            return
        if kind == "other":
            context.browser.go_to(ALL)
            context.window.session_list.setFocus()
            return
        if kind in ("trash", "delete") and not await self._may_go(session_id, is_final=kind == "delete"):
            return
        with _busy(self.page):
            now = await context.library.held.solve(session_id, kind)
        said = {
            "delete": tr("Deleted for ever"),
            "backup": tr("The backup took its place"),
            "adopt": tr("Session adopted"),
            "new": tr("A new session began"),
            "retry": tr("The session can be read again"),
        }
        if kind == "trash":
            context.keeping.deleted = [session_id]
            context.refresh()
            context.toast.say(tr("Moved to the trash"), tr("Undo"), lambda: context.actions.run("held.undo"))
        else:
            context.toast.say(said.get(kind, tr("Done")))
        context.keeping.look()
        if kind == "new" and now is not None:
            context.browser.reveal(now.id)

    async def _may_go(self, session_id: str, *, is_final: bool) -> bool:
        """Ask whether what is left of a damaged session may go."""
        context = self._context
        problem = next((one for one in context.keeping.problems if one.id == session_id), None)
        if problem is None:
            return False
        sheet = of_the_damaged(
            context.window, problem.title, problem.size_bytes, is_final=is_final, trash_days=days_kept(context)
        )
        return await ask(sheet) == QDialog.DialogCode.Accepted

    async def _count(self) -> None:
        try:
            self._unread = len(await self._context.library.keys(UNREAD))
        except HoldfastError:
            self._unread = 0  # the index is built again; it tells of that by itself
        self._show()

    def _show(self) -> None:
        left = [one for one in self._context.keeping.problems if one.id not in self._skipped]
        self.page.set_problems(left, self._ways(), clock.now())

    def _ways(self) -> list[Way]:
        ways = []
        report = self._context.keeping.report
        names = {agent.agent: agent.name for agent in self._context.indexing.agents}
        for failure in report.failures if report else ():
            name = one_line(failure.home) or names.get(failure.agent, failure.agent)
            words = tr("A folder of its sessions cannot be read ({reason}). What is listed of them stays.").format(
                reason=failure.reason
            )
            if failure.home:
                words = tr("This home does not answer. What is listed of its sessions stays.")
            ways.append(
                Way(
                    _RESCAN,
                    tr("The sessions of {name} cannot be looked through").format(name=name),
                    words,
                    tr("Look again"),
                )
            )
        if self._unread:
            sessions = counted(self._unread, "session", "sessions")
            words = tr(
                "The rest of them is shown, and each says which lines are meant. The agents' files stay as they are."
            )
            headline = tr("{sessions} of agents cannot be read, or not as a whole").format(sessions=sessions)
            ways.append(Way(_LIST, headline, words, tr("Show in the list")))
        return ways

    def _go(self, way: str) -> None:
        if way == _RESCAN:
            self._context.actions.run("application.rescan")
        else:
            place = Place(PROBLEMS.kind, PROBLEMS.value, UNREAD, PROBLEMS.title)
            self._context.browser.go_to(place)


class Living(QObject):
    """The page of what is live."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        from holdfast_gui.views.live import LivePage

        self._context = context
        self.page: LivePage = LivePage()
        self.page.wanted.connect(context.scope.slot(self.do))
        self.page.new_wanted.connect(lambda: context.actions.run("held.new"))
        self.page.state.action_pressed.connect(lambda: context.actions.run("held.new"))
        context.keeping.live_changed.connect(context.scope.slot(self.show))
        context.keeping.changed.connect(context.scope.slot(self.show))
        context.scope.spawn(self.show(), "live sessions")

    async def do(self, session_id: str, what: str) -> None:
        """Show, save, keep or close a session."""
        from holdfast_gui.actions.held_work import close_held, save_held

        if what == "show":
            self._context.browser.reveal(session_id)
            self._context.reading.open(session_id)
        elif what == "save":
            await save_held(self._context, [session_id])
        elif what == "keep":
            await self._context.library.held.keep(session_id)
        else:
            await close_held(self._context, [session_id])

    async def show(self) -> None:
        """Bring the page in line; sessions of other programs are named, not touched."""
        keeping = self._context.keeping
        try:
            entries = await self._context.library.held.entries()
        except HoldfastError as error:
            self.page.say("problem", tr("What is live cannot be read"), str(error))
            return
        live = keeping.live
        known = {entry.id for entry in live} | {one.id for one in keeping.unclean}
        elsewhere = [entry for entry in entries if entry.state == "live" and entry.id not in known]
        self.page.set_live(live, elsewhere, clock.now())


@contextmanager
def _busy(page: RecoveryPage | ProblemsPage) -> Iterator[None]:
    """Take no other choice on a page while one is carried out."""
    page.set_busy(True)
    try:
        yield
    finally:
        page.set_busy(False)
