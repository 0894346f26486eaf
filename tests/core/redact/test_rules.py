"""Every rule finds what it is for and leaves alone what only resembles it; a wrong file names the rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.redact.engine import Redactor
from holdfast_core.redact.rules import RuleError, Rules, Tier, load, own_rules, parse

from tests.core.redact.made import EXAMPLES, github_token, letters, made

RULES = {rule.id: rule for rule in own_rules().rules}
ALONE = {name: Redactor(Rules((rule,)), Tier.POSSIBLE, b"key") for name, rule in RULES.items()}


def test_every_rule_has_examples_of_both_kinds():
    assert sorted(EXAMPLES) == sorted(RULES)
    assert [name for name, example in EXAMPLES.items() if not example["yes"] or not example["no"]] == []


def test_there_are_rules_for_many_vendors():
    assert len(RULES) > 300


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_its_examples(name: str):
    texts = [made(template, seed) for template in EXAMPLES[name]["yes"] for seed in range(3)]

    assert [text for text in texts if name not in [found.rule for found in ALONE[name].scan(text)]] == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_its_examples_inside_a_line(name: str):
    texts = [f'"see {made(template, 7)}"\n' for template in EXAMPLES[name]["yes"]]

    assert [text for text in texts if not ALONE[name].scan(text)] == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_leaves_alone_what_only_resembles(name: str):
    texts = [made(template, seed) for template in EXAMPLES[name]["no"] for seed in range(3)]

    assert [text for text in texts if ALONE[name].scan(text)] == []


def test_a_checksum_that_fits_makes_a_finding_certain():
    good, bad = github_token(), f"ghp_{letters('A', 36)}"

    tiers = [Redactor().scan(text)[0].tier for text in (good, bad)]

    assert tiers == [Tier.CERTAIN, Tier.LIKELY]


def test_a_rule_can_be_switched_off():
    text = github_token()

    off = own_rules().without(["github-personal-token"])

    assert Redactor(own_rules()).text(text) != text
    assert Redactor(off).text(text) == text


def test_switching_off_what_does_not_exist_is_an_error():
    with pytest.raises(RuleError, match="no-such-rule"):
        own_rules().without(["no-such-rule"])


def test_a_persons_own_file_adds_and_replaces(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "[[rules]]\nid = \"badge\"\nregex = '''\\bbadge-([0-9]{6})\\b'''\nkeywords = [\"badge-\"]\n", "utf-8"
    )

    redactor = Redactor(own_rules().joined(load(path)), key=b"key")

    assert redactor.text("the badge-424213 opens it").startswith("the badge-[removed:badge:")
    assert "[removed:github-personal-token:" in redactor.text(github_token())


UPSTREAM = """
title = "rules of another program"
[extend]
useDefault = true
[[rules]]
id = "team-key"
description = "A key of the team"
regex = '''(?i)(?:team)(?:[ \\t\\w.-]{0,20})[\\s'"]{0,3}(?:=|:)[\\x60'"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'"\\s;]|$)'''
entropy = 3
keywords = ["Team"]
tags = ["x"]
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['''for the tests''']
[[rules]]
id = "names-of-files"
path = '''\\.p12$'''
[allowlist]
paths = ['''vendor/''']
stopwords = ["stopped"]
"""


def test_a_file_of_another_program_works(tmp_path: Path):
    path = tmp_path / "upstream.toml"
    path.write_text(UPSTREAM, "utf-8")

    redactor = Redactor(load(path), key=b"key")
    value = letters("b", 32)

    assert [rule.id for rule in load(path).rules] == ["team-key"]
    assert redactor.text(f"team_key = {value}") != f"team_key = {value}"
    for harmless in (f"team_key = {value} for the tests", f"team_key = stopped{value[7:]}", f"team_key = {'a' * 32}"):
        assert redactor.text(harmless) == harmless


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[rules]]\nid = "broken"\nregex = "(a"', "broken"),
        ('[[rules]]\nid = "looks-back"\nregex = "(?<=a)b"', "looks-back"),
        ('[[rules]]\nid = "no-group"\nregex = "a"\nsecretGroup = 2', "no-group"),
        ('[[rules]]\nid = "no-tier"\nregex = "a"\ntier = "sure"', "no-tier"),
        ('[[rules]]\nid = "no-list"\nregex = "a"\nkeywords = "a"', "no-list"),
        ('[[rules]]\nid = "no-number"\nregex = "a"\nentropy = "3"', "no-number"),
        ('[[rules]]\nid = "reach"\nregex = "a"\nreach = [1]', "reach"),
        ('[[rules]]\nid = "empty"\nregex = ""', "empty"),
        ('[[rules]]\nregex = "a"', "number 1"),
        ('[[rules]]\nid = "twice"\nregex = "a"\n[[rules]]\nid = "twice"\nregex = "b"', "twice"),
        ("rules = 3", "list of tables"),
        ("rules = [", "TOML"),
        ('[[rules]]\nid = "allowed"\nregex = "a"\nallowlists = [{regexes = ["("]}]', "allowed"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, text: str, said: str):
    path = tmp_path / "wrong.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(RuleError, match=said):
        load(path)


def test_a_file_that_is_not_there_is_told_without_its_path(tmp_path: Path):
    with pytest.raises(RuleError) as caught:
        load(tmp_path / "none.toml")

    assert str(tmp_path) not in str(caught.value)


def test_no_rules_at_all_find_nothing():
    assert Redactor(parse({})).text(github_token()) == github_token()
