"""How the word that is being typed into the search field may go on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import apsw

from holdfast_core.index.database import select
from holdfast_core.index.folding import fold
from holdfast_core.index.rows import decoded_annotation
from holdfast_core.model.query import FILTERS

_LIMIT: Final = 20
_LAST = re.compile(r'(?:^|(?<=[\s(]))(-?)([A-Za-z]+):((?:"[^"]*",|[^\s",]*,)*)"?((?<=")[^"]*|[^\s",]*)$')
_NAME = re.compile(r"(?:^|(?<=[\s(]))(-?)([A-Za-z]*)$")
_PLAIN = re.compile(r'[^\s,"()\\]+')
_DATES: Final = ("today", "yesterday", "7d", "30d", "3m", "1y")
_FIXED: Final = {
    "after": _DATES,
    "before": _DATES,
    "on": _DATES,
    "tokens": (">10k", ">100k", ">1m"),
    "cost": (">0.5", ">1", ">10"),
}
_SHOWN: Final = "NOT is_shadow AND NOT is_empty"
_COLUMNS: Final = {
    "agent": "agent",
    "project": "project_name_folded",
    "branch": "branch_folded",
    "model": "model_folded",
    "provider": "provider_folded",
}


def completions(catalog: apsw.Connection | None, shards: Sequence[apsw.Connection], typed: str) -> list[str]:
    """Return what the last word of ``typed`` may become, each whole; at most 20, the most frequent first."""
    if value := _LAST.search(typed):
        sign, name, earlier, beginning = value[1], value[2].lower(), value[3], value[4]
        if name not in FILTERS:
            return []
        wanted = fold(beginning)
        values = _values(catalog, shards, name)
        fitting = [text for text in values if fold(text).startswith(wanted)]
        fitting += [text for text in values if wanted in fold(text) and text not in fitting]
        return [f"{sign}{name}:{earlier}{_quoted(text)}" for text in fitting[:_LIMIT]]
    if (name_typed := _NAME.search(typed)) and name_typed[2]:
        return [f"{name_typed[1]}{name}:" for name in FILTERS if name.startswith(name_typed[2].lower())]
    return []


def _values(catalog: apsw.Connection | None, shards: Sequence[apsw.Connection], name: str) -> list[str]:
    if fixed := FILTERS[name] or _FIXED.get(name):
        return list(fixed)
    if catalog is None:
        return []
    if name in _COLUMNS:
        column = _COLUMNS[name]
        rows = select(
            catalog,
            f"SELECT {column} FROM session WHERE {_SHOWN} AND {column}<>'' GROUP BY 1 ORDER BY count(*) DESC, 1",
        )
        return [value for (value,) in rows]
    if name == "tag":
        return _most_frequent(
            tag
            for session_id, data in select(catalog, "SELECT session_id, annotation FROM annotation")
            for tag in decoded_annotation(data, session_id).tags
        )
    return _most_frequent(tool for shard in shards for tool in _tools(shard)) if name == "tool" else []


def _tools(shard: apsw.Connection) -> Iterable[str]:
    """Yield the tools that are called in a shard, from the marks of its messages."""
    shard.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.mark_list USING fts5vocab(main, words, col)")
    rows = shard.execute(
        "SELECT term FROM temp.mark_list WHERE term>='xt' AND term<'xv' AND col='meta' ORDER BY doc DESC"
    )
    for (mark,) in rows:
        yield mark[2:] if mark.startswith("xt") else bytes.fromhex(mark[2:]).decode("utf-8", "replace")


def _most_frequent(values: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return sorted(counts, key=lambda value: -counts[value])


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f'"{text}"'
