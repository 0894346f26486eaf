"""Cursor, the editor: conversations in the databases of its global and its workspaces' storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._copies import stamp_of
from holdfast_core.agents._cursor_records import (
    ASSISTANT,
    USER,
    Bubble,
    Composer,
    Tab,
    branch_of,
    call_of,
    change_of,
    moment_of,
    result_of,
    said,
    todos_of,
    usage_of,
    workspace_path,
)
from holdfast_core.agents._databases import DatabaseAgent, Tables
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._parts import objects_in, text_in
from holdfast_core.agents._sqlite import Database, private_copy
from holdfast_core.agents._values import moment_ms
from holdfast_core.agents._vscode_family import project_of, user_directories
from holdfast_core.agents._walk import subdirectories
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, SessionRead
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.message import Block, File, Message, Role
from holdfast_core.model.usage import Usage

_KEYED = "cursorDiskKV"
_ITEMS = "ItemTable"
_COMPOSER = "composerData:"
_BUBBLE = "bubbleId:"
_COMPOSERS = "composer.composerData"
_HEADERS = "composer.composerHeaders"
_TABS = "workbench.panel.aichat.view.aichat.chatdata"
_AT_ONCE = 400
_NO_MODEL = ("", "default", "auto")


class _Lists(msgspec.Struct, rename="camel"):
    """What one item of the old storage holds: conversations of the second generation, or of the first."""

    all_composers: list[Composer] = msgspec.field(default_factory=list)
    tabs: list[Tab] = msgspec.field(default_factory=list)
    has_migrated_composer_data: bool | None = None


class _Inner(msgspec.Struct, rename="camel"):
    all_composers: Any = None


class Cursor(DatabaseAgent):
    """Reads conversations with their bubbles apart (now), in them (2024), and in tabs (before)."""

    id = "cursor"
    name = "Cursor"
    mark = "C"
    hue = 190
    program = "cursor"
    how_to_install = "https://cursor.com/download"
    patterns = ("globalStorage/state.vscdb", "workspaceStorage/*/state.vscdb")
    listed = ("workspace.json",)
    session_table = _ITEMS

    def roots(self, home: Home) -> list[Path]:
        return user_directories(home, ["Cursor", "Cursor Nightly"], [".cursor-server"])

    def stamps(self, database: Database) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, stamp in database.stamps(_KEYED, "key", sized=("value",), latest=()).items():
            if key.startswith(_COMPOSER):
                found[key[len(_COMPOSER) :]] = found.get(key[len(_COMPOSER) :], "") + stamp
            elif key.startswith(_BUBBLE):
                composer = key.split(":", 2)[1]
                found[composer] = found.get(composer, "") + stamp
        items = database.stamps(_ITEMS, "key", sized=("value",), latest=())
        for _, item in _items(database, Forgiving(_Lists)):
            stamp = items.get(_COMPOSERS, "") + items.get(_TABS, "")
            found |= {one.composer_id: stamp for one in item.all_composers if one.composer_id and one.conversation}
            found |= {tab.tab_id: stamp for tab in item.tabs if tab.tab_id}
        return found

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        path = Path(tables.ref.path)
        root = path.parents[2] if path.parents[1].name == "workspaceStorage" else path.parents[1]
        project = project_of(path.parent, str(root))
        found = _keyed_sessions(tables, str(root))
        for _row, item in _items(tables.database, Forgiving(_Lists), tables):
            for composer in item.all_composers:
                if composer.conversation and tables.wants(composer.composer_id):
                    found.append(_composed(tables, composer, enumerate(composer.conversation, 1), project))
            found += [_tab(tables, tab, project) for tab in item.tabs if tables.wants(tab.tab_id)]
        return found

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("This conversation can only be continued in its editor. Open its project there.")


def _items(
    database: Database, decoder: Forgiving[_Lists], tables: Tables | None = None
) -> Iterator[tuple[int, _Lists]]:
    """Yield what the two items of the old storage hold; without ``tables`` damage is told by nobody."""
    for row, _key, value in database.rows(
        _ITEMS, ("key", "value"), raw=("value",), within=("key", [_COMPOSERS, _TABS])
    ):
        if _key not in (_COMPOSERS, _TABS) or not isinstance(value, bytes):
            continue
        item = decoder.one(value)
        if item is None and tables is not None:
            item = tables.decoded(decoder, value, row, "")
        elif item is None:
            item = next(iter(decoder.several(value)[0]), None)
        if item is not None and not item.has_migrated_composer_data:
            yield row, item


def _keyed_sessions(tables: Tables, root: str) -> list[SessionRead]:
    database = tables.database
    keys = [
        key
        for _row, key in database.rows(_KEYED, ("key",))
        if isinstance(key, str) and key.startswith(_COMPOSER) and tables.wants(key[len(_COMPOSER) :])
    ]
    decoder, bubbles = Forgiving(Composer), Forgiving(Bubble)
    found: list[SessionRead] = []
    composers: list[Composer] = []
    for row, key, value in _values(database, keys):
        composer = tables.decoded(decoder, value, row, key[len(_COMPOSER) :])
        if composer is not None:
            composer.composer_id = key[len(_COMPOSER) :]
            composers.append(composer)
    projects = _projects(tables, root, composers)
    for composer in composers:
        parts = _bubbles(tables, composer, bubbles)
        found.append(_composed(tables, composer, parts, projects.get(composer.composer_id or "", "")))
    return found


def _values(database: Database, keys: list[str]) -> Iterator[tuple[int, str, bytes]]:
    """Yield the values of some keys with their rows, those that there are."""
    for start in range(0, len(keys), _AT_ONCE):
        wanted = keys[start : start + _AT_ONCE]
        for row, key, value in database.rows(_KEYED, ("key", "value"), raw=("value",), within=("key", wanted)):
            if isinstance(value, bytes):
                yield row, key, value


def _bubbles(tables: Tables, composer: Composer, decoder: Forgiving[Bubble]) -> Iterator[tuple[int, Bubble]]:
    """Yield the bubbles of a conversation by their numbers, in the order that it tells."""
    names = [head.bubbleId for head in composer.full_conversation_headers_only or () if head.bubbleId]
    if not names:
        yield from enumerate(composer.conversation or (), 1)
        return
    keys = {f"{_BUBBLE}{composer.composer_id}:{name}": name for name in names}
    found = {keys[key]: (row, value) for row, key, value in _values(tables.database, list(keys)) if key in keys}
    inner = composer.conversation_map if isinstance(composer.conversation_map, dict) else {}
    for number, name in enumerate(names, 1):
        if name in found:
            row, value = found[name]
            bubble = tables.decoded(decoder, value, row, composer.composer_id or "")
            if bubble is not None:
                yield number, bubble
        elif name in inner:
            yield number, decoder.shape(inner[name]) if isinstance(inner[name], dict) else Bubble.generic(inner[name])


def _composed(tables: Tables, composer: Composer, bubbles: Iterable[tuple[int, Bubble]], project: str) -> SessionRead:
    model = (composer.model_config and composer.model_config.model_name) or ""
    draft = _gathered(tables, composer.composer_id or "", bubbles, model)
    gathered = draft.gathered
    gathered.project_path = workspace_path(composer.workspace_identifier) or project
    gathered.branch = branch_of(composer.tracked_git_repos)
    for moment in (moment_ms(composer.created_at), moment_ms(composer.last_updated_at)):
        _note_moment(gathered, moment)
    mode = composer.unified_mode
    return draft.finish(
        agent=tables.ref.agent,
        title=composer.name or "",
        is_empty=not draft.messages and not composer.full_conversation_headers_only,
        fallback_ms=tables.modified_ms,
        is_archived=composer.is_archived is True,
        todos=todos_of(composer.todos),
        provider_data=tables.provider_data(gathered.native_id)
        | ({"mode": mode} if isinstance(mode, str) and mode else {}),
    )


def _tab(tables: Tables, tab: Tab, project: str) -> SessionRead:
    draft = _gathered(tables, tab.tab_id or "", enumerate(tab.bubbles or (), 1), "")
    draft.gathered.project_path = project
    _note_moment(draft.gathered, moment_ms(tab.last_send_time))
    return draft.finish(
        agent=tables.ref.agent,
        title=tab.chat_title or "",
        is_empty=not draft.messages,
        fallback_ms=tables.modified_ms,
        provider_data=tables.provider_data(""),
    )


def _note_moment(gathered: Gathered, moment: int | None) -> None:
    if moment is not None:
        gathered.created_ms = min(moment, gathered.created_ms or moment)
        gathered.updated_ms = max(moment, gathered.updated_ms or moment)


def _gathered(tables: Tables, native_id: str, bubbles: Iterable[tuple[int, Bubble]], model: str) -> Draft:
    draft = Draft(Gathered(native_id))
    draft.gathered.model = "" if model in _NO_MODEL else model
    for number, bubble in bubbles:
        _take(tables, draft, bubble, number)
    return draft


def _take(tables: Tables, draft: Draft, bubble: Bubble, number: int) -> None:
    role: Role = "user" if bubble.type in USER else "assistant" if bubble.type in ASSISTANT else "system"
    if role == "system":
        tables.count_unknown(f"bubble:{bubble.type}"[:40])
    told = (bubble.model_info and bubble.model_info.model_name) or bubble.model_type or ""
    gathered = draft.gathered
    gathered.model = gathered.model if told in _NO_MODEL else told
    name, moment = bubble.bubble_id or bubble.id or f"bubble-{number}", moment_of(bubble)
    blocks = said(bubble)
    for block in blocks:
        if isinstance(block, File):
            draft.mention(block.path)
    tool = bubble.tool_former_data
    call = None if tool is None else call_of(tool)
    result: Block | None = None
    if tool is not None and call is not None:
        blocks.append(call)
        result = result_of(tool)
        change = change_of(tool)
        if change is not None:
            draft.touch(*change)
    if blocks:
        usage: Usage | None = usage_of(bubble)
        model = gathered.model if role == "assistant" else ""
        key = f"{gathered.native_id}:{name}"
        if (
            not usage
            or not usage.total_tokens
            or not draft.respond(key, usage, model=model, timestamp_ms=moment, index=draft.next_index)
        ):
            usage = None
        draft.add(Message(name, role, tuple(blocks), moment, None, model or None, usage, number))
    if result is not None:
        draft.add(Message(f"{name}-result", "tool", (result,), moment, None, None, None, number))


def _projects(tables: Tables, root: str, composers: list[Composer]) -> dict[str, str]:
    """Return the projects of conversations that do not tell them, by the lists of global and workspace storage."""
    open_ids = {one.composer_id for one in composers if not workspace_path(one.workspace_identifier)}
    open_ids = {one.composer_id for one in composers if one.composer_id in open_ids and _has_any(one)}
    found: dict[str, str] = {}
    if not open_ids:
        return found
    for _row, key, value in tables.database.rows(_ITEMS, ("key", "value"), within=("key", [_HEADERS])):
        for listed in _listed(value) if key == _HEADERS else ():
            path = workspace_path(listed.get("workspaceIdentifier"))
            if path:
                found[text_in(listed, "composerId")] = path
    if open_ids <= found.keys():
        return found
    for entry in subdirectories(str(Path(root, "workspaceStorage"))):
        database = Path(entry.path, "state.vscdb")
        for composer_id in _in_workspace(str(database), root, stamp_of(database)):
            if composer_id in open_ids and composer_id not in found:
                found[composer_id] = project_of(database.parent, root)
    return found


def _has_any(composer: Composer) -> bool:
    return bool(composer.full_conversation_headers_only or composer.conversation)


def _listed(value: Any) -> list[dict[str, Any]]:
    try:
        inner = msgspec.json.decode(value or "{}", type=_Inner)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
        return []
    return objects_in(inner.all_composers)


@lru_cache(maxsize=512)
def _in_workspace(path: str, root: str, _stamp: tuple[int, ...]) -> frozenset[str]:
    """Return which conversations a workspace lists; a database that did not change is not asked again."""
    if not _stamp[0]:
        return frozenset()
    try:
        with private_copy(path, root=root) as database:
            rows = list(database.rows(_ITEMS, ("key", "value"), within=("key", [_COMPOSERS])))
    except SourceError:
        return frozenset()
    return frozenset(
        text_in(one, "composerId") for _row, key, value in rows if key == _COMPOSERS for one in _listed(value)
    )


AGENT = Cursor()
