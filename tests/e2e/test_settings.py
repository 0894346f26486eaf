"""The settings and the health page under a real display, by keys alone."""

import tomllib

from tests.fakes.waiting import wait_until


def in_file(holdfast) -> dict:
    path = holdfast.directory / "home" / "config" / "settings.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def test_a_setting_is_found_and_switched_by_keys(holdfast):
    holdfast.index()
    holdfast.start()

    holdfast.display.keys("ctrl+comma")
    holdfast.display.wait_for_title("Settings")
    holdfast.display.type("show subagents")
    holdfast.display.keys("Tab", "Tab", "space")
    wait_until(lambda: in_file(holdfast) == {"show_subagents": True})
    holdfast.display.keys("Escape", "Escape")
    wait_until(lambda: "Settings" not in holdfast.display.active_title())

    assert "Traceback" not in holdfast.output()


def test_the_health_page_is_reached_by_the_palette_and_left_by_escape(holdfast):
    holdfast.index()
    holdfast.start()

    holdfast.display.keys("ctrl+k")
    holdfast.display.type("health")
    holdfast.display.keys("Return")
    holdfast.display.keys("Escape")
    wait_until(lambda: holdfast.display.keys("Home") or holdfast.display.active_title() != "Holdfast")

    assert "Traceback" not in holdfast.output()
