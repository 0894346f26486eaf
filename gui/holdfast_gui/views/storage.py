"""What takes space, at the agents and here, and what of it can be freed there because it is verified here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from holdfast_core.model.vault import PartShares, VaultStatus, VaultUse
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.storage import Sum, by_agent, by_kind, by_project, rest_of, share_words, total
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.plots import Card, FigureCard, Pair, Skeleton, Tiles
from holdfast_gui.views.session_lines import SessionLine, Told
from holdfast_gui.views.space_bars import Legend, SpaceBar, SpaceBars

ROWS: Final = 8
OFFERED: Final = 50


class Freeable(NamedTuple):
    """A session whose file can go, as a list shows it."""

    session_id: str
    title: str
    facts: str
    size_bytes: int
    mark: str
    hue: int


class StoragePage(PlacePage):
    """Tells what is wanted: the list behind a figure, to free space, to measure, to verify.

    ``looked_at`` says True when the page comes into sight and False when it goes.
    """

    list_wanted = Signal(str, str)
    free_wanted = Signal(list)
    measure_wanted = Signal()
    verify_wanted = Signal()
    looked_at = Signal(bool)

    def __init__(self) -> None:
        super().__init__(tr("Storage"))
        self.verify_button = Button(self.tr("Verify now"), icon="shield-check")
        self.verify_button.clicked.connect(self.verify_wanted)
        self.tools.addWidget(self.verify_button)
        self._skeleton = Skeleton()
        self._content = QWidget()
        self._has_figures = False
        self.there = FigureCard(self.tr("At the agents"), is_way=True)
        self.here = FigureCard(self.tr("Kept here"), is_way=True)
        self.free = FigureCard(self.tr("Of it verified here"), is_way=True)
        self.disk = FigureCard(self.tr("Free on the disk"))
        self.there.clicked.connect(lambda: self.list_wanted.emit("place:all", ""))
        self.here.clicked.connect(lambda: self.list_wanted.emit("place:all", ""))
        self.agents = _Sums(self.tr("By agent"))
        self.projects = _Sums(self.tr("By project"))
        self.kinds = _Kinds()
        self.kinds.measure_button.clicked.connect(self.measure_wanted)
        self.freeing = _Freeing()
        self.freeing.button.clicked.connect(lambda: self.free_wanted.emit(self.freeing.chosen_ids))
        self.free.clicked.connect(self._show_freeing)
        for card in (self.agents, self.projects, self.kinds):
            card.bars.pressed.connect(self.list_wanted)
        self._arrange()

    def set_usage(
        self, uses: Sequence[VaultUse], status: VaultStatus, names: Mapping[str, str], *, now: datetime
    ) -> None:
        """Show these figures in place of earlier ones; ``names`` are the agents'."""
        self.verify_button.setVisible(bool(uses))
        if not uses:
            self._say_empty(status)
            return
        self._has_figures = True
        self._skeleton.hide()
        self._content.show()
        self.show_body()
        whole = total(uses)
        sources = text.counted(status.sources, "source", "sources")
        self.there.set_figure(text.size(whole.there), self.tr("{sources}, as they are now").format(sources=sources))
        versions = text.counted(status.versions, "version", "versions")
        self.here.set_figure(text.size(whole.here), self.tr("{versions}, whole").format(versions=versions))
        self.free.set_figure(text.size(whole.free), _proof(status, now))
        reserve = text.size(status.reserve_bytes)
        kept_free = self.tr("{size} stay free").format(size=reserve) if status.reserve_bytes else ""
        is_short = status.is_paused_for_space
        caption = self.tr("nothing new is kept until there is more") if is_short else kept_free
        self.disk.set_figure(text.size(status.free_bytes), caption, state="bad" if is_short else "good")
        self.agents.set_sums(by_agent(uses, names))
        self.projects.set_sums(by_project(uses))
        self.kinds.set_sums(by_kind(uses))

    def set_freeable(self, found: Sequence[Freeable], *, unproved: int) -> None:
        """Offer these; ``unproved`` bytes are not verified yet."""
        self.freeing.set_found(found, unproved=unproved)

    def set_parts(self, parts: PartShares | None) -> None:
        """Say what sessions are made of; None while that is being measured."""
        self.kinds.set_parts(parts)

    def set_busy(self, words: str) -> None:
        """Say that something of this page is being done, and allow nothing else of the kind; empty for no more."""
        self.verify_button.setEnabled(not words)
        self.freeing.set_busy(words)

    def fail(self, words: str) -> None:
        """Say that the figures could not be read; those that are shown stay."""
        if not self._has_figures:
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

    def _say_empty(self, status: VaultStatus) -> None:
        self._has_figures = False
        if not status.is_enabled:
            detail = self.tr("Keeping every version is switched off. Nothing can be freed safely without it.")
            self.say("shield", self.tr("Nothing is kept here"), detail, self.tr("Open settings…"))
        else:
            detail = self.tr("As soon as the sessions of your agents were read, what they take stands here.")
            self.say("shield", self.tr("Nothing is kept yet"), detail, self.tr("Look for sessions now"))

    def _show_freeing(self) -> None:
        self.area.ensureWidgetVisible(self.freeing)
        self.freeing.take_focus()

    def _arrange(self) -> None:
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme().px(14))
        column.addWidget(Tiles([self.there, self.here, self.free, self.disk], least=210))
        column.addWidget(Pair(self.agents, self.projects, shares=(1, 1), least=760))
        column.addWidget(self.kinds)
        column.addWidget(self.freeing)
        self.body.addWidget(self._skeleton)
        self.body.addWidget(self._content)
        self._content.hide()


class _Sums(Card):
    """Bars for what things take, at the agents and here."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.bars = SpaceBars()
        self._rest = Label(font="small", colour="text3", wraps=True)
        self.rows.addWidget(Legend())
        self.rows.addSpacing(theme().px(4))
        self.rows.addWidget(self.bars)
        self.rows.addWidget(self._rest)

    def set_sums(self, sums: Sequence[Sum]) -> None:
        """Show the largest of these."""
        longest = max((max(one.there, one.here) for one in sums), default=0) or 1
        self.bars.set_bars([_bar(one, longest) for one in sums[:ROWS]])
        self._rest.setText(rest_of(sums, ROWS))
        self._rest.setVisible(bool(self._rest.text()))


class _Kinds(_Sums):
    """By kind, and what a sample tells of what sessions are made of."""

    def __init__(self) -> None:
        super().__init__(tr("By kind"))
        self.measure_button = Button(self.tr("Measure a sample"), kind="flat")
        self._about = Label(font="small", colour="text3", wraps=True)
        foot = QHBoxLayout()
        foot.setSpacing(theme().px(8))
        foot.addWidget(self._about, 1)
        foot.addWidget(self.measure_button)
        self.parts = SpaceBars()
        self.parts.pressed.connect(self.bars.pressed)
        self._parts_title = Label(self.tr("What sessions are made of"), font="small_strong", colour="text2")
        self._parts_title.hide()
        self.rows.addSpacing(theme().px(10))
        self.rows.addWidget(self._parts_title)
        self.rows.addWidget(self.parts)
        self.rows.addLayout(foot)
        self._about.setText(
            self.tr("How much are images, tool output and repeated beginnings of forked sessions was not measured.")
        )
        self.parts.hide()

    @property
    def words(self) -> str:
        """What is said of the sample."""
        return self._about.text()

    def set_parts(self, parts: PartShares | None) -> None:
        """Say what was found; None while it is being measured."""
        self.measure_button.setEnabled(parts is not None)
        if parts is None:
            self._about.setText(self.tr("Reading some of the largest sessions …"))
            return
        self.measure_button.setText(self.tr("Measure again"))
        self.measure_button.updateGeometry()
        self.parts.setVisible(bool(parts.total))
        self._parts_title.setVisible(bool(parts.total))
        if not parts.total:
            self._about.setText(self.tr("No session could be read for it."))
            return
        names = (
            (self.tr("Tool output"), "kind:tool_result", parts.tool_output),
            (self.tr("Images"), "has:image", parts.images),
            (self.tr("All else"), "", parts.rest),
        )
        longest = max(amount for *_, amount in names)
        self.parts.set_bars(
            [SpaceBar(query, name, share_words(parts, amount), amount / longest, 0.0) for name, query, amount in names]
        )
        sampled = text.counted(parts.sampled, "session", "sessions")
        about = self.tr("Estimated from a sample of {sessions}, the largest likeliest.").format(sessions=sampled)
        forks = self.tr("{share} of it repeats the session that it was forked from, where agents tell of that.")
        self._about.setText(f"{about} {forks.format(share=share_words(parts, parts.repeated))}")


class _Freeing(Card):
    """The largest sessions whose files can go, each with a tick."""

    def __init__(self) -> None:
        super().__init__(tr("What can be freed at the agents"))
        self._about = Label(
            self.tr(
                "Every byte of these files is verified here. They go to the system's trash, the sessions stay in the "
                "list, and come back to their agents whenever you want."
            ),
            font="small",
            colour="text2",
            wraps=True,
        )
        self._lines: list[SessionLine] = []
        self._found: dict[str, Freeable] = {}
        self._busy = ""
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._sum = Label(font="small", colour="text2", wraps=True)
        self.all_button = Button(self.tr("Choose all"), kind="flat")
        self.all_button.clicked.connect(self._choose_all)
        self.button = Button(self.tr("Free space…"))
        foot = QHBoxLayout()
        foot.setSpacing(theme().px(8))
        foot.addWidget(self._sum, 1)
        foot.addWidget(self.all_button)
        foot.addWidget(self.button)
        self.rows.addWidget(self._about)
        self.rows.addSpacing(theme().px(6))
        self.rows.addLayout(self._rows)
        self.rows.addSpacing(theme().px(8))
        self.rows.addLayout(foot)
        self._unproved = 0
        self._tell()

    @property
    def lines(self) -> list[SessionLine]:
        """The sessions that are offered, from the top."""
        return list(self._lines)

    @property
    def chosen_ids(self) -> list[str]:
        """Those that are ticked, from the top."""
        return [line.told.session_id for line in self._lines if line.isChecked()]

    @property
    def words(self) -> str:
        """What is said of what was chosen."""
        return self._sum.text()

    def set_found(self, found: Sequence[Freeable], *, unproved: int) -> None:
        """Offer these; what is ticked stays ticked."""
        self._unproved = unproved
        if list(found) == list(self._found.values()):
            self._tell()
            return
        ticked = set(self.chosen_ids)
        for line in self._lines:
            self._rows.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._found = {one.session_id: one for one in found}
        self._lines = [_freeable_line(one) for one in found]
        for line in self._lines:
            line.setChecked(line.told.session_id in ticked)
            line.toggled.connect(self._tell)
            self._rows.addWidget(line)
        self._tell()

    def set_busy(self, words: str) -> None:
        """Say what is being done, and let nothing be chosen meanwhile."""
        self._busy = words
        for line in self._lines:
            line.setEnabled(not words)
        self._tell()

    def take_focus(self) -> None:
        """Give the keyboard to the first that can be chosen."""
        if self._lines:
            self._lines[0].setFocus()

    def _choose_all(self) -> None:
        is_all = len(self.chosen_ids) == len(self._lines)
        for line in self._lines:
            line.setChecked(not is_all)

    def _tell(self) -> None:
        chosen = self.chosen_ids
        self._about.setVisible(bool(self._lines))
        self.all_button.setVisible(len(self._lines) > 1)
        self.all_button.setEnabled(not self._busy)
        is_all = len(chosen) == len(self._lines)
        self.all_button.setText(self.tr("Choose none") if is_all and chosen else self.tr("Choose all"))
        self.all_button.updateGeometry()
        self.button.setVisible(bool(self._lines))
        self.button.setEnabled(bool(chosen) and not self._busy)
        self._sum.setText(self._busy or self._sum_words(chosen))

    def _sum_words(self, chosen: Sequence[str]) -> str:
        if chosen:
            size = text.size(sum(self._found[one].size_bytes for one in chosen))
            return self.tr("{count} chosen, {size}").format(count=text.count(len(chosen)), size=size)
        if self._lines:
            return self.tr("The largest ones, nothing is chosen.")
        if self._unproved:
            size = text.size(self._unproved)
            words = self.tr("{size} were not verified yet since they were kept. Verify now, then they stand here.")
            return words.format(size=size)
        return self.tr("Nothing can be freed: no file of one session alone is verified here and still at its agent.")


def _freeable_line(one: Freeable) -> SessionLine:
    told = Told(one.session_id, one.title, one.facts, text.size(one.size_bytes), "", one.mark, one.hue)
    return SessionLine(told, is_tickable=True)


def _bar(one: Sum, longest: int) -> SpaceBar:
    return SpaceBar(one.query_text, text.one_line(one.name), one.words, one.there / longest, one.here / longest)


def _proof(status: VaultStatus, now: datetime) -> str:
    if not status.last_verified_ms:
        return tr("nothing was verified yet")
    return text.ago(status.last_verified_ms, now)
