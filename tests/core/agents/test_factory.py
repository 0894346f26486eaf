"""What is Factory Droid's own: settings beside a session tell what it took, and reminders stand in prompts."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.agents.base import ResumeTarget
from holdfast_core.model.message import Text

from tests.core.agents.support import DATA, Growing, home_of, read_only, refs_of

FACTORY = all_agents()["factory"]


def test_what_the_settings_tell_is_counted_once_and_anew(tmp_path: Path) -> None:
    home = home_of(DATA / "factory" / "plain", tmp_path)
    file = Growing(FACTORY, home, next(iter(refs_of(FACTORY, home))))
    first = file.read(file.data)
    settings = file.path.with_suffix(".settings.json")
    settings.write_text(settings.read_text().replace('"outputTokens": 200', '"outputTokens": 250'))

    second = file.read(file.data + b'{"type":"session_end"}\n', first.checkpoint)

    assert second.was_continued
    assert first.sessions[0].facts.usage.output_tokens == 200
    assert second.sessions[0].facts.usage.output_tokens == 250
    assert [one.key for one in second.sessions[0].responses] == [one.key for one in first.sessions[0].responses]


def test_a_persons_words_stand_without_reminders_and_results(tmp_path: Path) -> None:
    (session,) = read_only(FACTORY, home_of(DATA / "factory" / "plain", tmp_path)).sessions

    said = [block.text for one in session.messages if one.role == "user" for block in one.blocks if type(block) is Text]

    assert said == ["Mend the horn.", "Try again, please."]


def test_the_last_plan_counts(tmp_path: Path) -> None:
    (session,) = read_only(FACTORY, home_of(DATA / "factory" / "plain", tmp_path)).sessions

    assert [(step.content, step.status) for step in session.facts.todos] == [
        ("Read it", "completed"),
        ("Mend it", "completed"),
        ("Blow it", "pending"),
    ]


def test_a_session_is_continued_in_its_project() -> None:
    target = ResumeTarget("c0c00000-0000-4000-8000-00000000000a", "main", "/p", "/s")

    assert FACTORY.resume_command(target).argv == ("droid", "--resume", target.native_id)
    assert FACTORY.resume_command(target).needs_project
