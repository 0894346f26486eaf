"""The rules as they stand in a file: read, checked and told in which order they are tried.

A file has the table that gitleaks and betterleaks use, ``[[rules]]`` with ``id``,
``regex``, ``keywords``, ``entropy``, ``secretGroup`` and ``allowlists``, so that a
file written for those works here. Ours says more: ``tier``, ``check`` (a
checksum), ``judge`` (what the value must look like) and ``reach`` (how many
bytes before and after a keyword the expression looks at).
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import re2

from holdfast_core.errors import HoldfastError
from holdfast_core.redact.checks import CHECKS
from holdfast_core.redact.judge import JUDGES

OWN = Path(__file__).with_name("rules.toml")
_REACH = (256, 2_048)
_FILE_LIMIT = 4 << 20


class Tier(IntEnum):
    """How sure a finding is; a redactor removes what is at least as sure as its own tier."""

    POSSIBLE = 0
    LIKELY = 1
    CERTAIN = 2


class RuleError(HoldfastError):
    """A file of rules cannot be used; the message names the rule."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is no secret although a rule matches; ``target`` is what the expressions are held against."""

    regexes: tuple[Any, ...] = ()
    stopwords: tuple[str, ...] = ()
    target: str = "secret"
    is_and: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One kind of secret. ``keywords`` are lower case; none means that every text is searched."""

    id: str
    regex: Any
    keywords: tuple[str, ...] = ()
    tier: Tier = Tier.LIKELY
    entropy: float = 0.0
    group: int = 0
    allowed: tuple[Allowed, ...] = ()
    check: str = ""
    judge: str = "plain"
    before: int = _REACH[0]
    after: int = _REACH[1]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one redactor, and what is no secret by any of them."""

    rules: tuple[Rule, ...]
    allowed: tuple[Allowed, ...] = ()
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def without(self, ids: Collection[str]) -> Rules:
        """Return the rules but those with one of ``ids``.

        Raises:
            RuleError: no rule has one of the ids.
        """
        if unknown := set(ids) - {rule.id for rule in self.rules}:
            raise RuleError(f"There is no redaction rule “{sorted(unknown)[0]}”.")
        return Rules(tuple(rule for rule in self.rules if rule.id not in ids), self.allowed, self.names)

    def joined(self, others: Rules) -> Rules:
        """Return these rules with ``others``; of two with one id the other one counts."""
        theirs = {rule.id for rule in others.rules}
        kept = tuple(rule for rule in self.rules if rule.id not in theirs)
        return Rules(kept + others.rules, self.allowed + others.allowed, self.names or others.names)


@cache
def own_rules() -> Rules:
    """Return the rules that come with Holdfast; read once in a process."""
    return load(OWN)


def load(path: Path) -> Rules:
    """Return the rules of a file.

    Raises:
        RuleError: the file cannot be read, is no TOML, or one of its rules is wrong; the message names the rule.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_LIMIT + 1)
        if len(data) > _FILE_LIMIT:
            raise RuleError(f"The file of redaction rules “{path.name}” is too large.")
        return parse(tomllib.loads(data.decode("utf-8")))
    except OSError as error:
        raise RuleError(f"The file of redaction rules “{path.name}” cannot be read.", detail=str(error)) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(f"The file of redaction rules “{path.name}” is not valid TOML.", detail=str(error)) from error


def parse(table: Mapping[str, Any]) -> Rules:
    """Return the rules of a table as TOML gives it; keys that are not known are passed over.

    Raises:
        RuleError: one of the rules is wrong; the message names it.
    """
    entries = table.get("rules", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleError("“rules” is not a list of tables.")
    # A rule with a path alone is about names of files, which a text does not have.
    found = [_rule(entry, place) for place, entry in enumerate(entries, 1) if "regex" in entry or "path" not in entry]
    ids = [rule.id for rule in found]
    if twice := next((rule_id for rule_id in ids if ids.count(rule_id) > 1), None):
        raise RuleError(f"The redaction rule “{twice}” stands in the file twice.")
    names = {key: frozenset(map(str, values)) for key, values in table.get("names", {}).items()}
    return Rules(tuple(found), _allowlists(table, "the file"), names)


def _rule(entry: Mapping[str, Any], place: int) -> Rule:
    name = entry.get("id")
    if not isinstance(name, str) or not name:
        raise RuleError(f"The redaction rule number {place} has no “id”.")
    pattern = _text(entry, "regex", name)
    regex = compiled(pattern, name)
    group = _number(entry, "secretGroup", name, 0)
    if not 0 <= group <= regex.groups:
        raise RuleError(f"The redaction rule “{name}” has no group {group:g}.")
    before, after = _reach(entry, name)
    return Rule(
        id=name,
        regex=regex,
        keywords=tuple(keyword.lower() for keyword in _texts(entry, "keywords", name) if keyword),
        tier=_tier(entry, name),
        entropy=_number(entry, "entropy", name, 0.0),
        group=int(group),
        allowed=_allowlists(entry, name),
        check=_one_of(entry, "check", name, CHECKS, ""),
        judge=_one_of(entry, "judge", name, JUDGES, "plain"),
        before=before,
        after=after,
    )


def compiled(pattern: str, name: str) -> Any:
    """Return the expression for bytes.

    Raises:
        RuleError: RE2 does not take it.
    """
    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    try:
        return re2.compile(pattern.encode("utf-8"), options)
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        detail = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise RuleError(f"The expression of the redaction rule “{name}” is not valid: {detail}") from error


def _tier(entry: Mapping[str, Any], name: str) -> Tier:
    tiers = {tier.name.lower(): tier for tier in Tier}
    return tiers[_one_of(entry, "tier", name, tiers, "likely")]


def _one_of(entry: Mapping[str, Any], key: str, name: str, choices: Collection[str], default: str) -> str:
    value = entry.get(key, default)
    if value != default and value not in choices:
        raise RuleError(f"The redaction rule “{name}” has an unknown “{key}”.")
    return str(value)


def _text(entry: Mapping[str, Any], key: str, name: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise RuleError(f"The redaction rule “{name}” has no “{key}”.")
    return value


def _texts(entry: Mapping[str, Any], key: str, name: str) -> list[str]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise RuleError(f"“{key}” of the redaction rule “{name}” is not a list of texts.")
    return value


def _number(entry: Mapping[str, Any], key: str, name: str, default: float) -> float:
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RuleError(f"“{key}” of the redaction rule “{name}” is not a number.")
    return value


def _reach(entry: Mapping[str, Any], name: str) -> tuple[int, int]:
    value = entry.get("reach", list(_REACH))
    if not isinstance(value, list) or len(value) != 2 or not all(type(part) is int and part >= 0 for part in value):
        raise RuleError(f"“reach” of the redaction rule “{name}” is not two numbers.")
    return value[0], value[1]


def _allowlists(entry: Mapping[str, Any], name: str) -> tuple[Allowed, ...]:
    tables = entry.get("allowlists", [])
    tables = [*tables, entry["allowlist"]] if "allowlist" in entry else tables
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RuleError(f"“allowlists” of the redaction rule “{name}” is not a list of tables.")
    found = []
    for table in tables:
        # Those for other rules, for paths and for commits say nothing about a text.
        if table.get("targetRules") or ("regexes" not in table and "stopwords" not in table):
            continue
        found.append(
            Allowed(
                regexes=tuple(compiled(pattern, name) for pattern in _texts(table, "regexes", name)),
                stopwords=tuple(word.lower() for word in _texts(table, "stopwords", name)),
                target=_one_of(table, "regexTarget", name, ("secret", "match", "line"), "secret"),
                is_and=str(table.get("condition", "OR")).upper() in ("AND", "&&"),
            )
        )
    return tuple(found)
