"""An agent is one file: nothing else knows its name, and no agent knows another."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator

from holdfast_core.agents import all_agents

from tests.architecture.tree import AGENTS, CORE, GUI, Source, docstrings, imported, sources

EVERYDAY = frozenset(("continue", "code", "cursor"))
"""Words that mean an agent, and much else."""
PROVIDERS = {("cline.py", "qwen")}
"""Where a word means those who offer a model, and not the agent of the same name."""


def test_no_agent_is_named_outside_its_file():
    names = {agent: _names(agent) for agent in all_agents()}

    named = [
        f"{source.name}:{line}: {word!r}"
        for source in sources(CORE, GUI)
        for line, word in _spoken(
            source, {word for agent in names if not _belongs(source, agent) for word in names[agent]}
        )
    ]

    assert named == []


def test_no_agent_imports_another():
    package = "holdfast_core.agents"
    allowed = re.compile(rf"{package}\.(base|_\w+)(\.\w+)?$")

    crossings = [
        f"{source.name}:{line}: {name}"
        for source in sources(AGENTS)
        for line, name in imported(source)
        if name.startswith(f"{package}.") and not allowed.match(name)
    ]

    assert crossings == []


def test_every_agent_says_what_the_window_shows():
    for agent, reader in all_agents().items():
        assert reader.id == agent
        assert reader.name and reader.program and reader.how_to_install
        assert len(reader.mark) == 1
        assert 0 <= reader.hue < 360


def _names(agent: str) -> set[str]:
    """Return the words that mean this agent and nothing else, in lower case."""
    reader = all_agents()[agent]
    return {agent, reader.name.lower(), reader.program, agent.partition("_")[0]} - EVERYDAY


def _belongs(source: Source, agent: str) -> bool:
    """Return whether ``source`` is the agent's file, a helper of it, or of an agent that is made of its helpers.

    What takes an agent's own form into the store is named after it too.
    """
    family = agent.partition("_")[0]
    if source.path.parent.name == "importing":
        return source.path.stem == agent
    if not source.path.is_relative_to(AGENTS):
        return False
    helper = f"holdfast_core.agents._{family}"
    stem = source.path.stem.lstrip("_")
    is_own = stem.startswith(family) or family in stem.split("_")
    return is_own or any(name.startswith(helper) for _, name in imported(source))


def _spoken(source: Source, words: set[str]) -> Iterator[tuple[int, str]]:
    """Yield where ``source`` says one of ``words``: as a whole value, or within a text or comment.

    Within others only long words count: an agent may be called like a word of every day.
    A folder may be called like another agent: what follows a dot does not count.
    """
    documented = docstrings(source)
    for node in source.nodes(ast.Constant):
        if isinstance(node.value, str) and id(node) not in documented and node.value.lower() in words:
            if (source.path.name, node.value) in PROVIDERS:
                continue
            yield node.lineno, node.value
    telling = [re.escape(word) for word in words if len(word) > 4]
    if not telling:
        return
    pattern = re.compile(rf"(?<!\.)\b({'|'.join(telling)})\b", re.IGNORECASE)
    with source.path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in (tokenize.STRING, tokenize.COMMENT, tokenize.NAME) and (
                found := pattern.search(token.string)
            ):
                if (source.path.name, found.group()) in PROVIDERS:
                    continue
                yield token.start[0], found.group()
