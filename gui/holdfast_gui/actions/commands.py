"""What the palette offers, and what happens with what was chosen."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import WrongUsage
from holdfast_core.model.start import WindowStart
from holdfast_core.paths import self_command
from PySide6.QtCore import QObject

from holdfast_gui.models.palette import Entry, ranked
from holdfast_gui.tasks import Latest, ask
from holdfast_gui.text import age, project_name, title, tr
from holdfast_gui.views.output import OutputDialog
from holdfast_gui.views.palette import Palette

if TYPE_CHECKING:
    from holdfast_core.model.session import SessionEntry

    from holdfast_gui.actions.context import Context

RECENT: Final = 500
FOUND: Final = 20
MARK: Final = ">"
_OUTPUT_LIMIT_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class CommandLine:
    """How the command line is started for this window: the options that name its directories."""

    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, start: WindowStart) -> CommandLine:
        """Return the command line of the same directories and settings as the window's."""
        options: list[str] = []
        if start.home:
            options += ["--home", str(Path(start.home).absolute())]
        if start.agents_home:
            options += ["--agents-home", str(Path(start.agents_home).absolute())]
        for key, value in start.overrides.items():
            options += ["--set", f"{key}={value}"]
        return cls(tuple(options))

    def arguments(self, typed: str) -> list[str]:
        """Return the argument list for what a person typed. No shell reads it.

        Raises:
            WrongUsage: a quotation mark is left open.
        """
        try:
            return [*self_command(), *self.options, *shlex.split(typed)]
        except ValueError as error:
            raise WrongUsage(tr("A quotation mark is left open in this command."), detail=str(error)) from error


class Commands(QObject):
    """Fills the palette with actions, sessions and commands, and carries out the choice."""

    def __init__(self, context: Context, palette: Palette, line: CommandLine) -> None:
        super().__init__(palette)
        self._context = context
        self._palette = palette
        self._line = line
        self._sessions: tuple[Entry, ...] = ()
        self._found: tuple[Entry, ...] = ()
        self._commands: tuple[Entry, ...] = ()
        self._filling = Latest(context.scope, "fill the palette")
        self._finding = Latest(context.scope, "find in the palette")
        palette.text_changed.connect(self._show)
        palette.chosen.connect(self._choose)

    def open(self, text: str = "") -> None:
        """Open the palette."""
        self._palette.open(text)
        self._filling.start(self._fill())

    async def _fill(self) -> None:
        self._sessions = self._entries(await self._context.library.recent(RECENT))
        if not self._commands:
            from holdfast_gui.actions.grammar import command_entries

            self._commands = await asyncio.get_running_loop().run_in_executor(None, command_entries)
        self._show(self._palette.field.text())

    def _show(self, text: str) -> None:
        if text.startswith(MARK):
            name = text.removeprefix(MARK).strip()
            known = [entry for entry in self._commands if entry.title.startswith(name) or name.startswith(entry.title)]
            self._palette.show_entries(ranked("", known, limit=12))
            return
        entries = (*self._actions(), *self._sessions, *self._unlisted(), *self._commands)
        self._palette.show_entries(ranked(text, entries))
        if text.strip():
            self._finding.start(self._find(text))

    async def _find(self, text: str) -> None:
        """Look beyond the newest sessions, for ids and titles."""
        found = self._entries(await self._context.library.find(text.strip(), limit=FOUND))
        if set(found) != set(self._found):
            self._found = found
            entries = (*self._actions(), *self._sessions, *self._unlisted(), *self._commands)
            self._palette.show_entries(ranked(text, entries))

    def _unlisted(self) -> list[Entry]:
        known = {entry.id for entry in self._sessions}
        return [entry for entry in self._found if entry.id not in known]

    def _actions(self) -> list[Entry]:
        actions = self._context.actions
        about = title(self._context.entry.title) if self._context.entry else ""
        return [
            Entry(
                "action",
                spec.id,
                spec.title.rstrip("…"),
                detail=about if spec.id.startswith("session.") else "",
                icon=spec.icon or "chevron-right",
                keys=actions.shown_key(spec.id),
            )
            for spec in actions.in_palette()
        ]

    def _entries(self, sessions: Sequence[SessionEntry]) -> tuple[Entry, ...]:
        now = clock.now()
        agents = self._context.reading.agents
        entries = []
        for session in sessions:
            info = agents.get(session.agent)
            parts = (project_name(session.project_path), age(session.updated_ms, now))
            detail = " · ".join(part for part in parts if part)
            mark, hue = (info.mark, info.hue) if info else (session.agent[:1].upper(), 220)
            entries.append(Entry("session", session.id, title(session.title), detail, mark=mark, hue=hue))
        return tuple(entries)

    def _choose(self, entry: Entry | None, text: str) -> None:
        if entry is None or (text.startswith(MARK) and text.removeprefix(MARK).strip().startswith(entry.title)):
            self._context.scope.spawn(self._run(text.removeprefix(MARK).strip()), "a command")
        elif entry.kind == "action":
            self._context.actions.run(entry.id)
        elif entry.kind == "session":
            self._context.browser.reveal(entry.id)
            self._context.reading.open(entry.id)
        elif entry.detail.startswith("<"):
            self.open(f"{MARK} {entry.title} ")
        else:
            self._context.scope.spawn(self._run(entry.title), "a command")

    async def _run(self, typed: str) -> None:
        """Run a command of the command line and show what it says."""
        if not typed:
            return
        dialog = OutputDialog(self._context.window, f"holdfast {typed}")
        running = self._context.scope.spawn(_run_into(dialog, self._line.arguments(typed)), "a command")
        await ask(dialog)
        running.cancel()


async def _run_into(dialog: OutputDialog, arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "110"},
    )
    assert process.stdout is not None
    try:
        output = b""
        while len(output) < _OUTPUT_LIMIT_BYTES and (piece := await process.stdout.read(65_536)):
            output += piece
        code = await process.wait() if len(output) < _OUTPUT_LIMIT_BYTES else -1
        dialog.finish(output.decode("utf-8", "replace"), code)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
