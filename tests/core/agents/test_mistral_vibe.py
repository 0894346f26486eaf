"""What is Mistral Vibe's own: facts in a file beside the messages, subagents within, documents before 2.0."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused, SourceError

from tests.core.agents.support import DATA, home_of, read_only

VIBE = all_agents()["mistral_vibe"]
ID = "a0a00000-0000-4000-8000-00000000000a"


def test_a_variable_moves_the_sessions(tmp_path: Path) -> None:
    assert VIBE.roots(Home(tmp_path, {"VIBE_HOME": "~/v"})) == [tmp_path / "v/logs", tmp_path / ".vibe/logs"]


def test_a_subagents_session_belongs_to_the_one_that_it_lies_in(tmp_path: Path) -> None:
    home = home_of(DATA / "mistral_vibe" / "subagent", tmp_path)

    facts = [VIBE.read(ref, home).sessions[0].facts for ref in VIBE.discover(home)]

    assert {(one.kind, one.parent_id, one.prompt_count) for one in facts if one.parent_id} == {("subagent", ID, 0)}
    assert {one.forked_from for one in facts if one.forked_from} == {"a0a00000-0000-4000-8000-0000000000ff"}


def test_a_document_that_became_a_folder_is_no_source(tmp_path: Path) -> None:
    home = home_of(DATA / "mistral_vibe" / "before_2_0", tmp_path)
    (ref,) = VIBE.discover(home)
    folder = Path(ref.path.removesuffix(".json"))
    folder.mkdir()
    (folder / "messages.jsonl").write_text('{"role":"user","content":"Hi."}\n')

    assert [Path(found.path).name for found in VIBE.discover(home)] == ["messages.jsonl"]


def test_a_document_of_another_kind_is_refused(tmp_path: Path) -> None:
    home = home_of(DATA / "mistral_vibe" / "before_2_0", tmp_path)
    (ref,) = VIBE.discover(home)
    Path(ref.path).write_text("[1, 2]")

    with pytest.raises(SourceError):
        VIBE.read(ref, home)


def test_what_the_facts_tell_is_the_sessions_usage(tmp_path: Path) -> None:
    facts = read_only(VIBE, home_of(DATA / "mistral_vibe" / "plain", tmp_path)).sessions[0].facts

    assert (facts.usage.input_tokens, facts.usage.output_tokens, facts.cost_usd) == (1000, 50, 0.0005)
    assert (facts.model, facts.provider) == ("devstral-2512", "mistral")


def test_a_session_is_continued_by_its_id_and_an_old_document_is_not() -> None:
    new, old = ResumeTarget(ID, "main", "/p", "/s/messages.jsonl"), ResumeTarget(ID, "main", "/p", "/s/session_1.json")

    assert VIBE.resume_command(new).argv == ("vibe", f"--resume={ID}")
    with pytest.raises(Refused):
        VIBE.resume_command(old)
