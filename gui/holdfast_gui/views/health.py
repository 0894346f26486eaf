"""How Holdfast is doing: what it keeps, how fast it is, what it takes on the disk, what was done last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from holdfast_core.model.health import AuditRecord, AuditReport, Health, Operation, Storage
from holdfast_core.model.held import HELD_AGENT
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import later, tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.plots import (
    Bar,
    Bars,
    Card,
    FigureCard,
    Pair,
    Skeleton,
    State,
    StateRow,
    Tiles,
    Timing,
    TimingRow,
)
from holdfast_gui.views.warning import WarningBox

RECORDS: Final = 60
LINES: Final = 6
AGENTS: Final = 8
_PARTS: Final = later(
    {
        "sessions": "Sessions",
        "backups": "Backups",
        "trash": "Trash",
        "quarantine": "Put aside",
        "vault": "Vault",
        "index": "Index",
        "logs": "Logs",
        "audit": "Audit log",
        "other": "Other",
    }
)
_PART_WAYS: Final = {"trash": "trash", "vault": "storage"}
# What stands behind a row of states: what the search field would say for it, or a place; some only if there is any.
_HELD: Final = "is:held"
_PLACE: Final = "place:"
_WAYS: Final = later(
    {
        "Held sessions": _HELD,
        "Cut off": "place:recovery",
        "Problems": "place:problems",
        "Agents": "place:agents",
        "Vault": "place:storage",
    }
)
_ONLY_IF_ANY: Final = ("place:recovery", "place:problems", "place:agents")
_EVENTS: Final = later(
    {
        "session.create": "Session made",
        "session.append": "Message added",
        "session.save": "Session saved",
        "session.change": "Session changed",
        "session.annotate": "Title, tags or note changed",
        "session.load": "Session opened",
        "session.start": "Session started",
        "session.resume": "Session resumed",
        "session.close": "Session closed",
        "session.fork": "Session copied",
        "session.archive": "Session archived",
        "session.adopt": "Session taken in",
        "session.compact": "Session compacted",
        "session.delete": "Moved to the trash",
        "session.undelete": "Put back from the trash",
        "session.purge": "Deleted for ever",
        "session.recover": "Session recovered",
        "session.discard": "Went back to the last save",
        "session.restore": "Backup restored",
        "session.resign": "Session signed again",
        "store.backup": "Backup made",
        "store.check": "Check at the start",
        "store.clean": "Cleaned up",
        "store.import": "Sessions imported",
        "store.migrate": "Brought to the newest format",
        "store.repair": "Repaired",
        "store.verify": "Verified",
        "keys.rotate": "Key changed",
        "keys.encrypt": "Encryption switched on",
        "keys.decrypt": "Encryption switched off",
        "keys.lock": "Locked",
        "keys.unlock": "Unlocked",
        "vault.restore": "Given back to its agent",
        "vault.undo": "Giving back undone",
        "vault.repair": "Transcript mended",
        "vault.forget": "Versions let go of",
    }
)
_OPERATIONS: Final = later(
    {
        "save": "Save",
        "load": "Open",
        "resume": "Resume",
        "search": "Search",
        "list": "List",
        "scan": "Scan",
        "verify": "Verify",
        "compact": "Compact",
        "export": "Export",
        "import": "Import",
        "start": "Start",
        "append": "Add message",
    }
)


class HealthPage(PlacePage):
    """Shows figures; what stands behind one is told by ``list_wanted`` when it is pressed.

    ``looked_at`` says True when the page comes into sight and False when it goes.
    """

    list_wanted = Signal(str, str)
    place_wanted = Signal(str)
    session_wanted = Signal(str)
    settings_wanted = Signal(str)
    report_wanted = Signal()
    verify_wanted = Signal()
    logs_wanted = Signal()
    looked_at = Signal(bool)

    def __init__(self) -> None:
        super().__init__(tr("Health"))
        self.updated = Label(font="small", colour="text3")
        self.tools.addWidget(self.updated)
        self._skeleton = Skeleton()
        self.held = FigureCard(self.tr("Sessions kept here"), is_way=True)
        self.disk = FigureCard(self.tr("On the disk"))
        self.saving = FigureCard(self.tr("Saving a change"))
        self.live = FigureCard(self.tr("Live now"), is_way=True)
        self.held.clicked.connect(lambda: self._go(_HELD, self.tr("Sessions kept here")))
        self.live.clicked.connect(lambda: self._go("is:live", self.tr("Live")))
        self.warnings = WarningBox()
        self.warnings.settings_wanted.connect(self.settings_wanted)
        self.timings = _Timings()
        self.states = _States()
        self.states.pressed.connect(self._go)
        self.states.verify_button.clicked.connect(self.verify_wanted)
        self.states.report_button.clicked.connect(self.report_wanted)
        self.states.logs_button.clicked.connect(self.logs_wanted)
        self.parts = _Storage(self.tr("What Holdfast takes"))
        self.parts.bars.pressed.connect(self.place_wanted)
        self.sources = _Storage(self.tr("At the agents' own places"))
        self.sources.bars.pressed.connect(lambda agent: self.list_wanted.emit(f"agent:{agent}", self._name_of(agent)))
        self.records = _Records()
        self.records.pressed.connect(self.session_wanted)
        self._names: Mapping[str, str] = {}
        self._has_figures = False
        self._content = QWidget()
        self._arrange()

    def set_health(
        self,
        health: Health,
        audit: AuditReport | None,
        *,
        names: Mapping[str, str],
        now: datetime,
        last_problem: str = "",
        vault: tuple[str, State] | None = None,
    ) -> None:
        """Show these figures in place of earlier ones. ``names`` are the agents', ``vault`` says how that is."""
        self._names = names
        self._has_figures = True
        self._skeleton.hide()
        self._content.show()
        self.show_body()
        self.updated.set_colour("text3")
        self.updated.setText(f"{self.tr('as of')} {now.astimezone():%H:%M:%S}")
        self._set_cards(health, now)
        self.warnings.set_warnings(health.storage.warnings)
        self.timings.set_operations(health.metrics.operations)
        states: list[tuple[str, str, State]] = [(row.name, row.words, row.state) for row in health.rows]
        self.states.set_states([("Vault", *vault), *states] if vault else states, last_problem)
        self.states.verify_button.setVisible(vault is not None)
        self._set_storage(health.storage)
        self.records.set_report(audit, now)

    def fail(self, words: str) -> None:
        """Say that the figures could not be read; those that are shown stay."""
        if self._has_figures:
            self.updated.set_colour("wait")
            self.updated.setText(self.tr("not up to date"))
            self.updated.setToolTip(text.tooltip(words))
        else:
            self.say("problem", self.tr("The figures cannot be read"), words, self.tr("Try again"))

    def load_again(self) -> None:
        """Show that the first figures are on their way."""
        self.show_body()

    def showEvent(self, event: QShowEvent) -> None:
        """See Qt."""
        self.looked_at.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """See Qt."""
        self.looked_at.emit(False)

    def _arrange(self) -> None:
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme().px(14))
        column.addWidget(self.warnings)
        column.addWidget(Tiles([self.held, self.disk, self.saving, self.live], least=210))
        column.addWidget(Pair(self.timings, self.states, shares=(3, 2), least=860))
        column.addWidget(Pair(self.parts, self.sources, shares=(1, 1), least=720))
        column.addWidget(self.records)
        self.body.addWidget(self._skeleton)
        self.body.addWidget(self._content)
        self._content.hide()

    def _set_cards(self, health: Health, now: datetime) -> None:
        storage, metrics = health.storage, health.metrics
        share, state = _share(storage.sessions, storage.limit_sessions)
        of_limit = self.tr("of {limit} allowed").format(limit=text.count(storage.limit_sessions))
        caption = of_limit if storage.limit_sessions else self.tr("no limit is set")
        self.held.set_figure(text.count(storage.sessions), caption, share=share, state=state)
        share, state = _share(storage.total_bytes, storage.limit_bytes)
        free = self.tr("{size} free").format(size=text.size(storage.disk_free_bytes))
        limit = self.tr("of {size}").format(size=text.size(storage.limit_bytes))
        caption = f"{limit} · {free}" if storage.limit_bytes else free
        self.disk.set_figure(text.size(storage.total_bytes), caption, share=share, state=state)
        self._set_saving(next((each for each in metrics.operations if each.name in ("append", "save")), None))
        since = self.tr("counted since {time}").format(time=text.when(metrics.since_ms, now))
        self.live.set_figure(text.count(metrics.live_sessions), since)

    def _set_saving(self, saving: Operation | None) -> None:
        if saving is None or not saving.count:
            self.saving.set_figure("–", self.tr("nothing was saved yet"))
            return
        failed = _failed(saving.failures)
        caption = f"{text.counted(saving.count, 'time', 'times')}, {failed or self.tr('none failed')}"
        self.saving.set_figure(text.milliseconds(saving.p50_ms), caption, state="bad" if saving.failures else "good")

    def _set_storage(self, storage: Storage) -> None:
        longest = max((part.bytes for part in storage.parts), default=0) or 1
        bars = [
            Bar(
                _PART_WAYS.get(part.name, part.name),
                tr(_PARTS.get(part.name, part.name)),
                text.size(part.bytes),
                part.bytes / longest,
                is_way=part.name in _PART_WAYS,
            )
            for part in sorted(storage.parts, key=lambda part: -part.bytes)
            if part.bytes
        ]
        files = sum(part.files for part in storage.parts)
        total = f"{text.size(storage.total_bytes)} {self.tr('in')} {text.counted(files, 'file', 'files')}"
        self.parts.set_bars(bars, total if bars else self.tr("Nothing is kept here yet."))
        others = {agent: size for agent, size in storage.by_agent.items() if agent != HELD_AGENT}
        ordered = sorted(others.items(), key=lambda pair: -pair[1])
        longest = max(others.values(), default=0) or 1
        self.sources.set_bars(
            [
                Bar(agent, text.one_line(self._name_of(agent)), text.size(size), size / longest, "info", is_way=True)
                for agent, size in ordered[:AGENTS]
            ],
            self._rest(ordered),
        )

    def _rest(self, ordered: Sequence[tuple[str, int]]) -> str:
        if not ordered:
            return self.tr("No agent's sessions were found yet.")
        total = text.size(sum(size for _, size in ordered))
        agents = text.counted(len(ordered), "agent", "agents")
        return self.tr("{total} of {agents}; they stay where they are").format(total=total, agents=agents)

    def _go(self, key: str, title: str) -> None:
        if key.startswith(_PLACE):
            self.place_wanted.emit(key.removeprefix(_PLACE))
        else:
            self.list_wanted.emit(key, title)

    def _name_of(self, agent: str) -> str:
        return self._names.get(agent, agent)


class _Timings(Card):
    def __init__(self) -> None:
        super().__init__(tr("How long things take"))
        words = ("", "median", "95 % within", "times", "failed")
        name, median, slow, times, failed = (tr(word) if word else "" for word in words)
        self._head = TimingRow(Timing(name, median, slow, times, failed, ()), is_head=True)
        self._nothing = Label(tr("Nothing was measured yet."), font="small", colour="text3")
        self.rows.addWidget(self._head)
        self.rows.addWidget(self._nothing)
        self._shown: dict[str, TimingRow] = {}

    def timing_rows(self) -> list[TimingRow]:
        """Return the rows of operations, from the top."""
        return list(self._shown.values())

    def set_operations(self, operations: Sequence[Operation]) -> None:
        """Show the operations that were done at least once."""
        done = [each for each in operations if each.count]
        for operation in done:
            timing = _timing(operation)
            if operation.name in self._shown:
                self._shown[operation.name].set_timing(timing)
            else:
                row = self._shown[operation.name] = TimingRow(timing)
                self.rows.addWidget(row)
        for name in self._shown.keys() - {each.name for each in done}:
            gone = self._shown.pop(name)
            gone.hide()
            gone.deleteLater()
        self._head.setVisible(bool(done))
        self._nothing.setVisible(not done)


class _States(Card):
    pressed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__(tr("State"))
        self._shown: list[StateRow] = []
        self._states = QVBoxLayout()
        self.problem = StateRow()
        self.verify_button = Button(tr("Verify the vault now"), kind="flat")
        self.verify_button.hide()
        self.report_button = Button(tr("Show report"), kind="flat")
        self.logs_button = Button(tr("Open logs folder"), kind="flat")
        buttons = QHBoxLayout()
        buttons.setSpacing(theme().px(6))
        buttons.addWidget(self.verify_button)
        buttons.addWidget(self.report_button)
        buttons.addWidget(self.logs_button)
        buttons.addStretch(1)
        self.rows.addLayout(self._states)
        self.rows.addWidget(self.problem)
        self.rows.addSpacing(theme().px(6))
        self.rows.addLayout(buttons)

    def state_rows(self) -> list[StateRow]:
        """Return the rows that are shown, from the top, the last problem at the end."""
        return [row for row in (*self._shown, self.problem) if not row.isHidden()]

    def set_states(self, states: Sequence[tuple[str, str, State]], last_problem: str) -> None:
        """Show how the parts are, and what went wrong last."""
        while len(self._shown) < len(states):
            row = StateRow()
            row.clicked.connect(lambda _=False, made=row: self.pressed.emit(made.key, made.name))
            self._shown.append(row)
            self._states.addWidget(row)
        for number, row in enumerate(self._shown):
            row.setVisible(number < len(states))
            if number < len(states):
                name, said, state = states[number]
                key = _WAYS.get(name, "")
                row.set_state(name, said, state, key="" if key in _ONLY_IF_ANY and state == "good" else key)
        words = last_problem or tr("none since the start")
        self.problem.set_state(tr("Last problem"), words, "wait" if last_problem else "good")
        self.report_button.setVisible(bool(last_problem))


class _Storage(Card):
    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.bars = Bars()
        self.total = Label(font="small", colour="text3", wraps=True)
        self.rows.addWidget(self.bars)
        self.rows.addSpacing(theme().px(6))
        self.rows.addWidget(self.total)

    def set_bars(self, bars: Sequence[Bar], total: str) -> None:
        """Show bars, with a line about all of them."""
        self.bars.set_bars(bars)
        self.bars.setVisible(bool(bars))
        self.total.setText(total)


class _Records(Card):
    """The newest lines of the chained log, and whether the chain fits together."""

    pressed = Signal(str)

    def __init__(self) -> None:
        super().__init__(tr("What was done last"))
        self.chain = StateRow()
        self._lines = [StateRow() for _ in range(LINES)]
        self.rows.addWidget(self.chain)
        for line in self._lines:
            self.rows.addWidget(line)
            line.clicked.connect(lambda _=False, made=line: self.pressed.emit(made.key))

    def words(self) -> list[str]:
        """Return the lines that are shown."""
        return [line.words for line in (self.chain, *self._lines) if not line.isHidden()]

    def set_report(self, report: AuditReport | None, now: datetime) -> None:
        """Show a report; without one the card goes."""
        self.setVisible(report is not None)
        if report is None:
            return
        if report.is_intact:
            count = text.counted(report.records[0].sequence if report.records else 0, "line", "lines")
            said = tr("whole, {lines}").format(lines=count)
        else:
            said = tr("was changed from outside at line {line}").format(line=report.broken_at)
        self.chain.set_state(tr("Audit log"), said, "good" if report.is_intact else "bad")
        runs = [list(run) for _, run in groupby(report.records, key=attrgetter("event", "outcome", "subject"))]
        for number, line in enumerate(self._lines):
            line.setVisible(number < len(runs))
            if number < len(runs):
                _show_run(line, runs[number], now)


def _show_run(line: StateRow, run: Sequence[AuditRecord], now: datetime) -> None:
    """Say what was done, once for the same thing many times in a row."""
    newest = run[0]
    states: dict[str, State] = {"done": "good", "refused": "wait", "failed": "bad"}
    words = [tr(_EVENTS.get(newest.event, newest.event.replace(".", " ").replace("_", " ")))]
    if newest.outcome != "done":
        words.append(tr(newest.outcome))
    if len(run) > 1:
        words.append(text.counted(len(run), "time", "times"))
    session = newest.subject if newest.event.startswith(("session.", "vault.")) else ""
    line.set_state(text.when(newest.time_ms, now), " · ".join(words), states[newest.outcome], key=session)


def _timing(operation: Operation) -> Timing:
    return Timing(
        tr(_OPERATIONS.get(operation.name, operation.name)),
        text.milliseconds(operation.p50_ms),
        text.milliseconds(operation.p95_ms),
        text.count(operation.count),
        _failed(operation.failures),
        operation.recent_ms,
    )


def _failed(failures: int) -> str:
    return f"{text.count(failures)} {tr('failed')}" if failures else ""


def _share(amount: int, limit: int) -> tuple[float | None, State]:
    """Return how much of a limit is used, and how that is; a limit of 0 is none."""
    if not limit:
        return None, "good"
    share = amount / limit
    return share, "bad" if share >= 1 else "wait" if share >= 0.8 else "good"
