"""Properties of what goes out and comes in: lists, exports, imports, and that no secret is in any of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError
from holdfast_core.export import json as own_json
from holdfast_core.library.exchange import KEY, extra_of, imported, row_of
from holdfast_core.library.taking import take_in
from holdfast_core.model.held import HeldEntry, HeldSession, SessionConfig, is_held_id
from holdfast_core.model.message import Message, Text, ToolCall
from holdfast_core.redact.engine import Redactor
from holdfast_core.scan.load import load
from holdfast_core.sealed.container import Container, Identity
from holdfast_core.store.document import decode, encode
from holdfast_core.store.importing import importers
from holdfast_core.store.redaction import Redaction
from holdfast_core.store.source import HeldSource
from holdfast_core.store.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.core.redact.made import github_token, letters
from tests.core.store.importing.support import DATA
from tests.core.store.shapes import json_values
from tests.core.store.support import a_store, said
from tests.properties.shapes import any_sessions
from tests.properties.support import EXAMPLES, everything_below, facts_of, folder, path_of, read_for_index

NAMES = sorted(importers())
SECRETS: dict[str, Callable[[int], tuple[str, str]]] = {
    "token": lambda seed: (github_token(seed), f"use {github_token(seed)} for it"),
    "address": lambda seed: (password(seed), f"postgres://app:{password(seed)}@db.internal/orders"),
    "assigned": lambda seed: (password(seed), f'password: "{password(seed)}"'),
    "header": lambda seed: (github_token(seed), f"Authorization: Bearer {github_token(seed)}"),
    "command": lambda seed: (password(seed), f"curl -u admin:{password(seed)} https://x.test/"),
    "file": lambda seed: (password(seed), f"machine x.test\n  login me\n  password {password(seed)}"),
}
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "title": lambda text: {"title": text},
    "notes": lambda text: {"notes": text},
    "text": lambda text: {"messages": (Message("m", "user", (Text(text),)),)},
    "call": lambda text: {"messages": (Message("m", "assistant", (ToolCall("c", "run", {"in": [text], text: 1}),)),)},
    "options": lambda text: {"config": SessionConfig(options={"env": {"line": text}})},
    "provider": lambda text: {"provider_data": {text: [{"deep": text}]}},
    "unknown": lambda text: {"unknown": {"later": text}},
    "project": lambda text: {"project_path": f"/work/{text}"},
    "context": lambda text: {"context_files": (text,)},
    "tags": lambda text: {"tags": (text,)},
}
secrets = st.tuples(st.sampled_from(sorted(SECRETS)), st.integers(0, 10**6), st.sampled_from(sorted(PLACES)))
REDACTOR = Redactor(key=b"k" * 32)


def password(seed: int) -> str:
    return "pW7" + letters("A", 14, seed)


@EXAMPLES
@given(any_sessions, st.booleans())
def test_p06_a_listing_carries_every_field(session: HeldSession, is_grown: bool):
    """That of the store at once, and that of the index from what it reads: the same, and as the session says."""
    with a_store() as store:
        wanted = msgspec.structs.replace(session, origin=msgspec.structs.replace(session.origin, is_verified=True))
        name = store.create(wanted).id
        if is_grown:
            store.append(name, [said(5)])
            store.set(name, config=wanted.config, tags=wanted.tags)
        [entry] = store.entries()
        now = store.load(name)
        models = [model for model in (shown(one.model or "") for one in now.messages) if model]

        assert msgspec.structs.replace(entry, title="", preview="") == HeldEntry(
            id=now.id,
            project_path=entry.project_path,
            branch=shown(now.origin.branch),
            agent=shown(now.config.agent) or shown(now.origin.agent) or "holdfast",
            provider=shown(now.config.provider),
            model=models[-1] if models else shown(now.config.model),
            created_ms=now.created_ms,
            updated_ms=now.updated_ms,
            closed_ms=now.closed_ms,
            last_resumed_ms=now.last_resumed_ms,
            message_count=len(now.messages),
            usage=now.usage,
            cost_usd=now.cost_usd,
            tags=tuple(map(shown, now.tags)),
            starred=now.starred,
            context_files=entry.context_files,
            size_bytes=path_of(store, name).stat().st_size,
            state="live" if now.is_live else "closed",
            parent_id=now.origin.parent_id,
        )
        assert len(entry.context_files) == len(now.context_files)
        words = [block.text for one in now.messages if one.role == "user" for block in one.blocks if is_text(block)]
        first = next((text for text in map(shown, words) if text), "")
        assert entry.preview == first
        assert entry.title == (shown(now.title) or first)[:200]
        facts = facts_of(read_for_index(store, name)).facts
        texts = [block.text for one in now.messages for block in one.blocks if is_text(block)]
        spoken = next((text for text in map(shown, texts) if text), "")
        assert facts.title == (entry.title or spoken[:200])  # nobody asked anything: what was said first names it
        for field in ("agent", "provider", "model", "branch", "created_ms", "updated_ms", "usage", "cost_usd"):
            assert getattr(facts, field) == getattr(entry, field), field
        assert (facts.message_count, facts.context_files) == (entry.message_count, now.context_files)


def is_text(block: object) -> bool:
    return isinstance(block, Text)


def shown(text: str) -> str:
    """Text on one line, as any list shows it."""
    from holdfast_core.agents._values import one_line

    return one_line(text.encode("utf-8", "replace").decode(), 500)


@EXAMPLES
@given(any_sessions)
def test_p08_an_export_is_valid_and_complete_json(session: HeldSession):
    with folder() as top:
        kept, file = exported(session, top)

        document = json.loads(file.read_bytes())
        back = imported(file, lambda: str(uuid.uuid4()))

        assert document["id"] == kept.id and len(document["messages"]) == len(kept.messages)
        assert content(back) == content(kept)


NOT_THE_SAME = ("id", "is_live", "origin", "updated_ms")


def exported(session: HeldSession, top: Path) -> tuple[HeldSession, Path]:
    """Keep a session, read it as any face does, and write it down; returns it as it was kept, and the file."""
    with a_store(top) as store:
        kept = store.load(store.create(session, id=str(uuid.uuid4())).id)
        file = top / "out.json"
        file.write_text(export_of(store, kept), "utf-8")
        return kept, file


def export_of(store: Store, kept: HeldSession) -> str:
    path = path_of(store, kept.id)
    home = Home(path.parent, {})
    source = HeldSource(path.parent, lambda: store.site.keys)
    (ref,) = source.refs_for(home, [str(path)])
    loaded = load(row_of(store.entry(kept.id), str(path)), ref, source, home)
    return "".join(own_json.render(loaded.session, entry=loaded.entry, extra={KEY: extra_of(kept)}))


def content(session: HeldSession) -> dict[str, Any]:
    """All that must be the same, as JSON can hold it: it has no halves of characters."""
    plain = msgspec.to_builtins(session)
    return whole({name: plain[name] for name in plain.keys() - set(NOT_THE_SAME)})


def whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list | tuple) else value


@EXAMPLES
@given(some=st.lists(secrets, min_size=1, max_size=3), way=st.sampled_from(["create", "append", "set", "save", "note"]))
def test_p11_no_secret_is_in_a_stored_file(some: list[tuple[str, int, str]], way: str):
    """Whatever it is, wherever it stands, whichever way it comes in: neither packed nor unpacked is it in any file."""
    with folder() as top:
        with Store_without_secrets(top) as store:
            name = store.create(title="clean").id
            values = []
            for kind, seed, place in some:
                value, text = SECRETS[kind](seed)
                values.append(value)
                fields = PLACES[place](text)
                match way:
                    case "append" if "messages" in fields:
                        store.append(name, fields["messages"])
                    case "set" if "messages" not in fields and place != "unknown":
                        store.set(name, **fields)
                    case "note":
                        store.note(name, text)
                    case "save":
                        store.save(msgspec.structs.replace(store.load(name), **fields))
                    case _:
                        store.create(**fields)
            store.backup()
            store.delete([name])
            store.undelete([name])
            plain = b"".join(unpacked(store, entry.id) for entry in store.entries())
        everything = plain + b"".join(everything_below(top).values())
        assert [value for value in values if value.encode() in everything] == []
        assert store.site.redaction.count >= 1


def Store_without_secrets(top: Path) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Any:
        with a_store(top) as store:
            store.site.redaction = Redaction(REDACTOR.text)
            yield store

    return opened()


def unpacked(store: Store, session_id: str) -> bytes:
    sealed = Container.open(path_of(store, session_id), store.site.keys, Identity("document", session_id))
    return b"".join((*sealed.frames(), *sealed.tail()))


@EXAMPLES
@given(any_sessions, st.lists(secrets, min_size=1, max_size=2))
def test_p20_an_export_to_be_shared_holds_no_secret_and_keeps_the_metadata(
    session: HeldSession, some: list[tuple[str, int, str]]
):
    """What is exported of a session that was stored without redaction, with the secrets taken out of it."""
    values = []
    fields: dict[str, Any] = {}
    for kind, seed, place in some:
        value, text = SECRETS[kind](seed)
        values.append(value)
        fields |= PLACES[place](text)
    safe = msgspec.structs.replace(session, config=SessionConfig(agent="alpha", provider="one", model="big-1"))
    with folder() as top, a_store(top) as store:
        kept = store.load(store.create(safe, **fields).id)
        document = json.loads(export_of(store, kept))

        shared = REDACTOR.value(document)

        text = json.dumps(shared, ensure_ascii=False)
        assert [value for value in values if value in text] == []
        assert REDACTOR.value(shared) == shared
        for name in ("id", "agent", "provider", "model", "created_at", "updated_at", "usage", "cost_usd", "starred"):
            assert shared[name] == document[name], name
        assert [one["role"] for one in shared["messages"]] == [one["role"] for one in document["messages"]]
        assert set(shared) == set(document) and set(shared[KEY]) == set(document[KEY])


@EXAMPLES
@given(any_sessions, st.sampled_from(["own", *NAMES]), st.integers(1, 3))
def test_p21_imports_get_new_ids(session: HeldSession, kind: str, times: int):
    """However often the same comes in, and also where it came from stays: nothing that is there is touched."""
    with folder() as top:
        kept, file = exported(session, top)
        path = file if kind == "own" else golden(kind)
        with a_store(top) as store:
            before = path_of(store, kept.id).read_bytes()
            reports = [take_in(store, path, agents=frozenset()) for _ in range(times)]

            ids = [one.id for report in reports for one in report.imported]
            assert len(set(ids)) == len(ids) == times
            assert all(map(is_held_id, ids)) and kept.id not in ids
            assert {entry.id for entry in store.entries()} == {kept.id, *ids}
            assert path_of(store, kept.id).read_bytes() == before
            assert {store.load(name).origin.kind for name in ids} == {"imported"}


def golden(kind: str) -> Path:
    [home] = (DATA / kind).glob(".*")
    return sorted(path for path in (home / "sessions").glob("*.json") if path.name != "index.json")[-1]


@EXAMPLES
@given(st.sampled_from(["own", *NAMES]), st.data(), st.booleans(), st.booleans())
def test_p22_imports_are_validated_and_warn(kind: str, data: st.DataObject, has_project: bool, has_agent: bool):
    """Whatever stands in whatever field: it is refused in words and nothing came in, or it is a session as any."""
    with folder() as top:
        project = top / "project"
        project.mkdir()
        place = str(project if has_project else top / "gone")
        if kind == "own":
            origin = HeldSession(id=str(uuid.uuid4()), project_path=place, config=SessionConfig(agent="alpha"))
            _, file = exported(origin, top)
            document = inner = json.loads(file.read_bytes())
            held = data.draw(st.booleans())
            inner = document[KEY] if held else document
        else:
            file = top / "s.json"
            document = json.loads(golden(kind).read_text("utf-8"))
            inner = document.get("data", document)
            for own in ("project_path", "workspaceRoot"):
                if own in inner:
                    inner[own] = place
        field = data.draw(st.sampled_from(["", *sorted(inner)]))
        if field:
            inner[field] = data.draw(json_values)
        file.write_text(json.dumps(document))

        with a_store(top) as store:
            known = {entry.id for entry in store.entries()}
            try:
                report = take_in(store, file, agents=frozenset(["alpha", *NAMES] if has_agent else []))
            except HoldfastError as error:
                assert str(error).endswith(".") and {entry.id for entry in store.entries()} == known
                return
            assert {entry.id for entry in store.entries()} == known | {one.id for one in report.imported}
            assert all(warning.endswith(".") for warning in report.warnings)
            assert report.imported or report.warnings
            for one in report.imported:
                session = store.load(one.id)
                assert decode(encode(session, limit_bytes=1 << 30)).session == session
                assert one.is_verified == session.origin.is_verified
            told = " ".join(report.warnings)
            if not field:
                assert ("project is not on this machine" in told) is not has_project
                assert ("cannot be started from here" in told) is not has_agent
