"""Actions: each is declared once and appears in menus, the tray, shortcuts, the palette and the help."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from holdfast_gui.text import later, tr

Run = Callable[[Any], Awaitable[None] | None]

MENUS: Final = later(("&File", "&Session", "&Edit", "&View", "&Go", "&Help"))


class Host(Protocol):
    """What a declared function is given, as far as this file must know it."""

    @property
    def window(self) -> QWidget:
        """The window whose actions these are."""

    def perform(self, name: str, run: Run) -> None:
        """Run one of the declared functions."""


def _always(_context: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One thing that a person can do.

    ``keys`` are its shortcuts in portable text, the first one shown.
    ``list_keys`` are keys that the session list answers itself: shown, never
    bound. ``group`` parts a menu by lines. ``checked`` makes it a switch.
    """

    id: str
    text: str
    run: Run
    menu: str = ""
    group: int = 0
    keys: tuple[str, ...] = ()
    list_keys: tuple[str, ...] = ()
    icon: str = ""
    in_context_menu: bool = False
    in_tray: bool = False
    in_palette: bool = True
    enabled: Callable[[Any], bool] = _always
    checked: Callable[[Any], bool] | None = None

    @property
    def title(self) -> str:
        """The text without the mark of its menu key."""
        return tr(self.text).replace("&", "")

    @property
    def help(self) -> str:
        """One sentence: the first line of the function's docstring."""
        return tr((inspect.getdoc(self.run) or "").partition("\n")[0])


SPECS: Final[dict[str, ActionSpec]] = {}


def action(id: str, text: str, **places: Any) -> Callable[[Run], Run]:
    """Declare an action; the function's docstring is its help.

    Raises:
        ValueError: the id is taken, or the menu is none of `MENUS`.
    """

    def declare(run: Run) -> Run:
        spec = ActionSpec(id=id, text=text, run=run, **places)
        if id in SPECS:
            raise ValueError(f"two actions are called {id!r}")
        if spec.menu and spec.menu not in MENUS:
            raise ValueError(f"{id!r} wants to stand in {spec.menu!r}, which is no menu")
        SPECS[id] = spec
        return run

    return declare


class Actions:
    """The live actions of one window."""

    def __init__(self, context: Host, specs: Mapping[str, ActionSpec]) -> None:
        self.specs = specs
        self._context = context
        self._keymap: dict[str, tuple[str, ...]] = {}
        self.live: dict[str, QAction] = {spec.id: self._make(spec) for spec in specs.values()}
        self.set_keys({})

    def run(self, id: str) -> None:
        """Do it now, if it is possible now."""
        spec = self.specs[id]
        if spec.enabled(self._context):
            self._run(spec)

    def refresh(self) -> None:
        """Bring every action in line with what is selected and shown."""
        for id, item in self.live.items():
            spec = self.specs[id]
            item.setEnabled(spec.enabled(self._context))
            if spec.checked is not None:
                item.setChecked(spec.checked(self._context))

    def set_keys(self, changed: Mapping[str, Sequence[str]]) -> None:
        """Bind the person's own keys over the declared ones; an empty sequence unbinds."""
        self._keymap = {id: tuple(changed.get(id, spec.keys)) for id, spec in self.specs.items()}
        for id, item in self.live.items():
            item.setShortcuts([QKeySequence(keys) for keys in self._keymap[id]])

    def keys(self, id: str) -> tuple[str, ...]:
        """Return the shortcuts that are bound now, in portable text."""
        return self._keymap[id]

    def shown_key(self, id: str) -> str:
        """Return the shortcut to show beside the action, as this platform writes it."""
        keys = self.specs[id].list_keys or self._keymap[id]
        return QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if keys else ""

    def of_menu(self, menu: str) -> Iterator[QAction | None]:
        """Yield the actions of a menu in order; None stands for a line between groups."""
        return self._parted([spec for spec in self.specs.values() if spec.menu == menu])

    def in_context_menu(self) -> Iterator[QAction | None]:
        """Yield what can be done to the selected sessions; None stands for a line."""
        return self._parted([spec for spec in self.specs.values() if spec.in_context_menu])

    def in_tray(self) -> list[QAction]:
        """Return what stands in the tray's menu below the sessions."""
        return [self.live[spec.id] for spec in self.specs.values() if spec.in_tray]

    def in_palette(self) -> list[ActionSpec]:
        """Return what the palette offers now."""
        return [spec for spec in self.specs.values() if spec.in_palette and spec.enabled(self._context)]

    def _parted(self, specs: list[ActionSpec]) -> Iterator[QAction | None]:
        for index, spec in enumerate(ordered := sorted(specs, key=lambda spec: spec.group)):
            if index and spec.group != ordered[index - 1].group:
                yield None
            yield self.live[spec.id]

    def _make(self, spec: ActionSpec) -> QAction:
        item = QAction(tr(spec.text), self._context.window)
        item.setObjectName(spec.id)
        item.setStatusTip(spec.help)
        item.setCheckable(spec.checked is not None)
        item.setMenuRole(_menu_role(spec.id))
        item.triggered.connect(lambda: self._run(spec))
        self._context.window.addAction(item)
        return item

    def _run(self, spec: ActionSpec) -> None:
        self._context.perform(spec.id, spec.run)


def _menu_role(id: str) -> QAction.MenuRole:
    """Return where macOS expects an action."""
    roles = {
        "application.settings": QAction.MenuRole.PreferencesRole,
        "application.quit": QAction.MenuRole.QuitRole,
        "application.about": QAction.MenuRole.AboutRole,
    }
    return roles.get(id, QAction.MenuRole.NoRole)


def conflicts(keys: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return every key sequence that more than one action has, with the ids of those actions."""
    owners: dict[str, list[str]] = {}
    for id, sequences in keys.items():
        for sequence in sequences:
            owners.setdefault(QKeySequence(sequence).toString(), []).append(id)
    return {sequence: ids for sequence, ids in owners.items() if len(ids) > 1}
