"""Recorded sessions of agents whose files lie alone: each gives a session, and only what is broken is a problem."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading
from holdfast_core.model.usage import Usage

from tests.core.agents.support import Growing
from tests.corpus import ROOT, Recorded, transcripts
from tests.fakes.line_file import grows


class Place(NamedTuple):
    """Where an agent keeps a file of a corpus folder, and which files beside it belong to it."""

    agent: str
    folder: str
    ending: str
    path: str
    beside: tuple[str, ...] = ()


PLACES = (
    Place("aider", "aider", ".md", "work/{stem}"),
    Place("amp", "amp", ".json", ".local/share/amp/threads/{name}"),
    Place("factory", "factory", ".jsonl", ".factory/sessions/-p/{stem}.jsonl"),
    Place("grok", "grok", ".jsonl", ".grok/sessions/%2Fp/s/chat_history.jsonl", ("summary.json",)),
    Place("mistral_vibe", "mistral-vibe", "messages.jsonl", ".vibe/logs/session/s/{name}", ("meta.json",)),
    Place("omp", "pi", "large-session.jsonl", ".omp/agent/sessions/-p/{name}"),
    Place("openclaw", "openclaw", ".jsonl", ".openclaw/agents/main/sessions/{stem}.jsonl", ("sessions.json",)),
    Place("pi", "pi", ".jsonl", ".pi/agent/sessions/--p--/{stem}.jsonl"),
    Place("codebuddy", "codebuddy", ".jsonl", ".codebuddy/projects/p/{stem}.jsonl"),
    Place("iflow", "iflow", ".jsonl", ".iflow/projects/-p/{stem}.jsonl"),
    Place("kimi", "kimi", ".jsonl", ".kimi/sessions/0/s/{name}"),
    Place("qwen", "qwen", ".jsonl", ".qwen/projects/-p/chats/{stem}.jsonl"),
)


class Lying(NamedTuple):
    """One recorded file and where it belongs."""

    place: Place
    session: Recorded

    def __str__(self) -> str:
        return f"{self.place.agent}-{'/'.join(self.session.path.parts[-4:])}"

    def path(self, folder: Path) -> Path:
        name = self.session.path.name
        return folder / self.place.path.format(name=name, stem=name.partition(".jsonl")[0].partition(".checkpoint")[0])

    def put(self, folder: Path) -> Path:
        """Copy the file, and what stands beside it, to where its agent would have it."""
        target = self.path(folder)
        target.parent.mkdir(parents=True)
        shutil.copyfile(self.session.path, target)
        for name in self.place.beside:
            if (self.session.path.parent / name).is_file():
                shutil.copyfile(self.session.path.parent / name, target.parent / name)
        return target


def _lying() -> Iterator[Lying]:
    for place in PLACES:
        for session in transcripts(place.folder, place.ending):
            yield Lying(place, session)


ALL = list(_lying())
every_file = pytest.mark.parametrize("lying", ALL, ids=str)
every_growing_file = pytest.mark.parametrize("lying", [one for one in ALL if grows(one.place.agent)], ids=str)


def read(lying: Lying, folder: Path) -> Reading:
    lying.put(folder)
    agent, home = all_agents()[lying.place.agent], Home(folder, {})
    (ref,) = agent.discover(home)
    return agent.read(ref, home)


def test_the_corpus_is_used_where_there_is_one() -> None:
    assert bool(ALL) == (ROOT / "MANIFEST.tsv").is_file()


@every_file
def test_every_file_with_messages_gives_sessions_with_messages(lying: Lying, tmp_path: Path) -> None:
    reading = read(lying, tmp_path)

    assert any(session.messages for session in reading.sessions)
    assert len(reading.problems) <= lying.session.broken_lines
    for session in reading.sessions:
        facts = session.facts
        assert facts.message_count == len(session.messages)
        assert facts.prompt_count == sum(message.role == "user" for message in session.messages)
        assert sum((response.usage for response in session.responses), Usage()) == facts.usage
        assert facts.title or facts.is_empty


@every_growing_file
def test_pieces_give_what_the_whole_gives(lying: Lying, tmp_path: Path) -> None:
    path = lying.put(tmp_path)
    file = Growing(all_agents()[lying.place.agent], Home(tmp_path, {}), path.relative_to(tmp_path).as_posix())
    chance = random.Random(lying.session.bytes)  # where a file is cut
    cuts = sorted(chance.randrange(len(file.data) + 1) for _ in range(6))

    assert file.in_pieces([*cuts, len(file.data)]).shown() == file.whole(file.data).shown()
