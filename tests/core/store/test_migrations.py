"""Documents of every version that there ever was load as of today, with everything that was in them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.errors import Refused
from holdfast_core.model.held import SCHEMA_VERSION
from holdfast_core.store import document
from holdfast_core.store.migrations import STEPS, MigrationFailed, migrate, version_of
from holdfast_core.store.migrations._fields import Fields, Step
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data"
STORED = sorted(path for path in DATA.glob("v*/*.json") if not path.name.endswith(".now.json"))
ID = "0d9b6a52-5d0c-4c7f-8f4e-3f1f3b8f0a11"
OWN_FIELDS = {
    1: "name project created updated closed agent model todos files tokens_in tokens_out cost starred note tags",
    2: "title project_path created_ms agent provider model mode branch parent todos context_files input_tokens tags",
    3: "title config origin usage note tags live resumed_ms provider_state context_files todos",
    4: "title config origin usage notes tags is_live provider_data files_accessed",
}
MESSAGE_FIELDS = ["id", "role", "content", "time", "tool", "blocks", "input_tokens", "usage", "model", "line"]

words = st.uuids().map(str)  # each stands once, so that a lost one is missed
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "done", "kept"]), inner),
    max_leaves=4,
)


def stored(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def any_document(version: int) -> st.SearchStrategy[dict[str, Any]]:
    """Documents with a value of any kind in every field that any version knows, and in some that none does."""
    names = [*sorted({name for fields in OWN_FIELDS.values() for name in fields.split()}), "strange", "kept"]
    message = st.dictionaries(st.sampled_from([*MESSAGE_FIELDS, "strange"]), values, max_size=5)
    return st.fixed_dictionaries(
        {"schema_version": st.just(version), "id": st.just(ID)},
        optional={
            "messages": st.lists(message | values, max_size=4) | values,
            **dict.fromkeys(names, values),
        },
    )


def sound_document(version: int) -> st.SearchStrategy[dict[str, Any]]:
    """Documents as that version wrote them, with fields that it did not know."""
    extra = st.dictionaries(words.map("x-".__add__), values, max_size=3)
    if version == 1:
        seconds = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
        message = st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "system", "tool", "error"]), "content": words},
            optional={"time": seconds},
        )
        head = {
            "name": words,
            "project": words,
            "created": seconds,
            "note": words,
            "tags": words,
            "cost": st.floats(0, allow_infinity=False),
        }
        return _joined(version, head, message, extra)
    kind = "type" if version == 2 else "kind"
    block = st.fixed_dictionaries({kind: st.just("text"), "text": words}, optional={"more": values})
    message = st.fixed_dictionaries(
        {"role": st.just("user"), "blocks": st.lists(block, max_size=3)}, optional={"model": words}
    )
    head = {"title": words, "project_path": words, "created_ms": st.integers(0, 1 << 40), "starred": st.booleans()}
    head |= {"note": words, "tags": words} if version < 4 else {"notes": words, "tags": st.lists(words)}
    return _joined(version, head, message, extra)


def _joined(version: int, head: dict[str, Any], message: Any, extra: Any) -> st.SearchStrategy[dict[str, Any]]:
    messages = st.lists(st.tuples(message, extra).map(lambda two: two[1] | two[0]), max_size=4)
    return st.tuples(st.fixed_dictionaries({}, optional=head), messages, extra).map(
        lambda parts: {
            **parts[2],
            **parts[0],
            "schema_version": version,
            "id": ID,
            "messages": [{"id": f"m{index}"} | one for index, one in enumerate(parts[1])],
        }
    )


def texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for item in value.values() for text in texts(item)} | {
            name for name in value if name.startswith("x-")
        }
    return {text for item in value for text in texts(item)} if isinstance(value, list) else set()


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [number for item in (value.values() if isinstance(value, dict) else value) for number in numbers(item)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) and value else []


def loaded(plain: dict[str, Any]) -> document.Document:
    head = {name: value for name, value in plain.items() if name != "messages"}
    return document.decode([json.dumps(head).encode(), json.dumps(plain.get("messages", [])).encode()])


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stored_sessions_become_what_they_became_before(path: Path):
    assert migrate(stored(path)) == stored(path.with_suffix(".now.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_stored_by_previous_versions_loads(path: Path):
    found = loaded(stored(path))

    assert found.session.schema_version == SCHEMA_VERSION
    assert found.schema_version == int(path.parent.name[1:])
    again = document.decode(document.encode(found.session, limit_bytes=1 << 20))
    assert again.session == found.session


def test_there_is_data_of_each_version_and_a_step_from_each_but_the_last():
    kinds = {version: {path.stem for path in STORED if path.parent.name == f"v{version}"} for version in range(1, 5)}

    assert list(STEPS) == [1, 2, 3] == list(range(1, SCHEMA_VERSION))
    assert all(len(names) >= 3 for names in kinds.values())


@given(plain=any_document(SCHEMA_VERSION))
def test_a_document_of_today_is_left_as_it_is(plain: dict[str, Any]):
    assert migrate(copy.deepcopy(plain)) == plain


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 10**30])
def test_a_newer_document_is_refused(version: int):
    with pytest.raises(Refused, match="newer version of Holdfast"):
        migrate({"schema_version": version, "id": ID})


@pytest.mark.parametrize("version", [0, -1, True, "4", 4.0, None, [4]])
def test_a_version_that_never_was_is_told(version: Any):
    with pytest.raises(MigrationFailed) as caught:
        version_of({"schema_version": version})

    assert caught.value.version == 0


def test_a_step_that_gives_up_is_told_with_its_version():
    def give_up(fields: Fields) -> None:
        raise KeyError(fields.values["id"])

    steps = {**STEPS, 2: Step(2, give_up, lambda fields, index: None)}

    with pytest.raises(MigrationFailed, match="left as it was") as caught:
        migrate({"schema_version": 1, "id": ID}, steps=steps)

    assert caught.value.version == 2


def test_a_step_that_is_missing_is_told():
    with pytest.raises(MigrationFailed):
        migrate({"schema_version": 1, "id": ID}, steps={1: STEPS[1]})


def test_values_of_one_name_are_kept_side_by_side():
    fields = Fields({"kept": "a word"}, 2)

    fields.keep("x", 1)
    fields.keep("x", 2)

    assert fields.values == {"kept": {"kept": "a word", "v2.x": 1, "v2.x+": 2}}


def test_seconds_become_milliseconds():
    seconds = {"a": 1_700_000_000.123, "b": float("inf"), "c": -1, "d": True}
    fields = Fields(dict(seconds), 1)

    moments = [fields.take_moment(name) for name in seconds]

    assert moments == [1_700_000_000_123, None, None, None]
    assert set(fields.values["kept"]) == {"v1.b", "v1.c", "v1.d"}
