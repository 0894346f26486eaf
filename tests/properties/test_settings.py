"""Properties of what can be set."""

from __future__ import annotations

from typing import Any

import pytest
from holdfast_core.errors import HoldfastError, WrongUsage
from holdfast_core.live.saving import Saving
from holdfast_core.metrics import Metrics
from holdfast_core.paths import find_paths
from holdfast_core.settings import change_setting, check_value, parse_value, read_settings
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.timer import FakeTimer
from tests.properties.support import EXAMPLES, folder

KEY = "autosave_seconds"
values = st.one_of(
    st.integers(-10, 320),
    st.integers(),
    st.sampled_from([4, 5, 6, 299, 300, 301, 0, -5, 5.0, 4.999, 300.5, float("nan"), float("inf"), True, None, "30"]),
    st.floats(),
    st.text(max_size=4),
)


def meant(value: Any) -> int | None:
    """The whole number that a value is, a text of digits included."""
    if isinstance(value, str):
        return int(value) if value.strip().isascii() and value.strip().isdecimal() else None
    return int(value) if isinstance(value, int | float) and value - value == 0 and value == int(value) else None


@EXAMPLES
@given(values)
def test_p24_only_five_to_three_hundred_seconds_are_accepted(value: Any):
    """From the window, the file, the environment, the command line; and nothing saves at another interval."""
    is_right = 5 <= (meant(value) or 0) <= 300
    with folder() as top:
        paths = find_paths(top)
        paths.create()
        try:
            change_setting(paths, KEY, check_value(KEY, value))
        except (HoldfastError, TypeError):
            is_kept = False
        else:
            is_kept = True
        assert is_kept == is_right
        assert read_settings(paths, {}, {}).settings.autosave_seconds == (meant(value) if is_kept else 30)

        text = str(value)
        is_typed = text.strip().isdecimal() and text.strip().isascii() and 5 <= int(text) <= 300
        for given_to in ({"environment": text}, {"command line": text}):
            environment = {"HOLDFAST_AUTOSAVE_SECONDS": text} if "environment" in given_to else {}
            typed = {KEY: text} if "command line" in given_to else {}
            if "\0" in text:
                continue
            try:
                found = read_settings(paths, environment, typed).settings.autosave_seconds
            except WrongUsage as error:
                assert KEY in str(error) and "5" in str(error) and "300" in str(error)
                found = None
            assert found is None or 5 <= found <= 300
            assert not is_typed or found == int(text)
        if is_typed:
            assert parse_value(KEY, text) == int(text)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        make = lambda: Saving(  # noqa: E731  # said once
            "id", FakeTimer(), Metrics(), fold_seconds=value, on_saved=lambda: None, on_failed=lambda text: None
        )
        if 5 <= value <= 300:
            make().end()
        else:
            with pytest.raises(WrongUsage):
                make()
