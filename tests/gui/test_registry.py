import pytest
from holdfast_gui.actions import application, search, session, view
from holdfast_gui.actions.registry import MENUS, SPECS, Actions, ActionSpec, action, conflicts
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

DECLARING = (application, search, session, view)


class Host:
    def __init__(self):
        self.window = QWidget()
        self.ran = []
        self.may = True

    def perform(self, name, run):
        self.ran.append(name)
        run(self)


def spec(id, **more):
    return ActionSpec(id=id, text=f"&{id.title()}", run=lambda _context: None, **more)


@pytest.fixture
def host(qtbot):
    made = Host()
    qtbot.addWidget(made.window)
    return made


def test_one_declaration_feeds_every_place(host, qtbot):
    declared = spec("resume", menu="&Session", keys=("Ctrl+R",), in_context_menu=True, in_tray=True)
    actions = Actions(host, {"resume": declared})
    item = actions.live["resume"]
    host.window.show()
    host.window.activateWindow()
    qtbot.waitUntil(host.window.isActiveWindow)

    qtbot.keyClick(host.window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)

    assert list(actions.of_menu("&Session")) == list(actions.in_context_menu()) == actions.in_tray() == [item]
    assert actions.in_palette() == [declared]
    assert (actions.shown_key("resume"), host.ran) == ("Ctrl+R", ["resume"])


def test_what_is_not_possible_is_disabled_everywhere(host):
    actions = Actions(host, {"resume": spec("resume", enabled=lambda context: context.may)})
    host.may = False

    actions.refresh()
    actions.run("resume")

    assert (actions.live["resume"].isEnabled(), actions.in_palette(), host.ran) == (False, [], [])


def test_groups_are_parted_by_lines(host):
    specs = {id: spec(id, menu="&Go", group=group) for id, group in (("a", 1), ("b", 0), ("c", 1))}
    actions = Actions(host, specs)
    menu = QMenu()

    for item in actions.of_menu("&Go"):
        menu.addAction(item) if item else menu.addSeparator()

    assert [item.objectName() for item in menu.actions()] == ["b", "", "a", "c"]


def test_own_keys_replace_the_declared_ones_and_can_be_none(host):
    actions = Actions(host, {"a": spec("a", keys=("Ctrl+A",)), "b": spec("b", keys=("Ctrl+B",))})

    actions.set_keys({"a": ["Ctrl+Shift+X"], "b": []})

    assert (actions.keys("a"), actions.keys("b")) == (("Ctrl+Shift+X",), ())
    assert [key.toString() for key in actions.live["a"].shortcuts()] == ["Ctrl+Shift+X"]


def test_a_switch_shows_how_it_stands(host):
    actions = Actions(host, {"pause": spec("pause", checked=lambda context: context.may)})

    actions.refresh()

    assert actions.live["pause"].isChecked()


def test_two_actions_cannot_share_an_id():
    with pytest.raises(ValueError, match=r"session\.resume"):
        action("session.resume", "Again")(lambda _context: None)


def test_every_declared_action_has_a_help_and_a_real_menu():
    assert [id for id, spec in SPECS.items() if not spec.help.endswith(".")] == []
    assert {spec.menu for spec in SPECS.values()} <= {*MENUS, ""}


def test_every_declared_action_can_be_reached():
    hidden = [id for id, spec in SPECS.items() if not (spec.menu or spec.in_tray or spec.in_palette)]

    assert hidden == []


def test_the_declared_shortcuts_do_not_conflict():
    assert conflicts({id: spec.keys + spec.list_keys for id, spec in SPECS.items()}) == {}


def test_conflicts_name_the_actions():
    assert conflicts({"a": ["Ctrl+K"], "b": ["Ctrl+k", "F1"], "c": []}) == {"Ctrl+K": ["a", "b"]}
