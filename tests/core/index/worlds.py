"""Small invented archives and queries, and the answer that looking at everything gives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Message, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.query import And, Filter, Node, Not, Or, Phrase, Query, Regex, Word
from holdfast_core.model.session import FileTouched, SessionFacts, Todo
from holdfast_core.model.usage import Usage
from hypothesis import strategies as st

from tests.core.index.made import DAY_MS, NOW_MS, session

FRAGMENTS = [
    "alpha",
    "alphabet",
    "beta_carotene",
    "camelCaseTail",
    "snake_case_tail",
    "foo.bar",
    "foo_bar(",
    "std::vector",
    "C++20",
    "a/b/c.py",
    "déjà",
    "Über",
    "naïve",
    "ｆｕｌｌ",
    "漢字仮名",
    "字仮",
    "タワー",
    "🎉",
    "👍🏽",
    "ok",
    "OK",
    "42",
    "4711",
    "x1",
    "--flag",
    "e.g.",
    "it's",
    "ΑΒΓ",
    "ß",
]
TERMS = [
    "alpha",
    "alphab",
    "lph",
    "beta",
    "carotene",
    "CaseTail",
    "tail",
    "snake_case",
    "case_ta",
    "foo.bar",
    "foo_bar(",
    "bar",
    "std::",
    "::vec",
    "C++20",
    "b/c.py",
    "deja",
    "uber",
    "naive",
    "full",
    "漢字",
    "字仮",
    "ワ",
    "🎉",
    "👍",
    "ok",
    "42",
    "471",
    "x1",
    "flag",
    "--flag",
    "e.g.",
    "it's",
    "αβ",
    "ss",
    "nowhere",
    "_case",
    "foo",
]
PHRASES = ("ok ok", "alpha beta", "foo bar", "snake case tail", "漢字", "std vector", "tail 42", "foo.bar")
PATTERNS = (r"alpha\w+", r"foo.bar", r"\d{4}", r"^déjà", r"case_?tail$", r"漢.仮")
FILTERS = [
    "agent:alpha",
    "agent:beta,alpha",
    "project:work",
    "project:home/work",
    "project:wo",
    "branch:main",
    "branch:feature",
    "model:big,small",
    "provider:one",
    "tool:bash",
    "tool:edit,mcp__x",
    "role:user",
    "role:tool,system",
    "kind:thinking",
    "kind:tool_result,tool_call",
    "file:b/c",
    "file:readme",
    "tag:red",
    "title:fox",
    "is:subagent",
    "is:empty",
    "is:starred",
    "has:todo",
    "has:error,image",
    "after:yesterday",
    "before:3d",
    "on:2026-11",
    "tokens:>100",
    "tokens:10..100",
    "cost:<=0.5",
    "cost:>1",
]

_WORDS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6).flatmap(
    lambda words: st.sampled_from([" ", "\n", ", "]).map(lambda space: space.join(words))
)
_BLOCKS = st.one_of(
    _WORDS.map(Text),
    _WORDS.map(Thinking),
    st.builds(
        lambda name, text: ToolCall("c", name, {"value": text}), st.sampled_from(["Bash", "Edit", "mcp__x"]), _WORDS
    ),
    _WORDS.map(lambda text: ToolResult("c", text)),
)
_MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["user", "assistant", "system", "tool"]), st.lists(_BLOCKS, min_size=1, max_size=3).map(tuple)
    ),
    max_size=5,
)


@st.composite
def session_reads(draw: st.DrawFn, native_id: str) -> SessionRead:
    """Draw a session of a given id."""
    made = [
        Message(id=f"{native_id}-{n}", role=role, blocks=blocks, timestamp_ms=NOW_MS - draw(st.integers(0, 9)) * DAY_MS)
        for n, (role, blocks) in enumerate(draw(_MESSAGES))
    ]
    return session(
        native_id,
        made,
        agent=draw(st.sampled_from(["alpha", "beta"])),
        kind=draw(st.sampled_from(["main", "main", "main", "subagent"])),
        title=draw(st.sampled_from(["A quick FOX", "déjà vu", "plan", ""])),
        project_path=draw(st.sampled_from(["/home/work", "/home/work/Deep", "/home/worker", "/other", ""])),
        branch=draw(st.sampled_from(["main", "Main", "feature/x", "features", ""])),
        model=draw(st.sampled_from(["big-model", "Small-1", ""])),
        provider=draw(st.sampled_from(["one", "two"])),
        updated_ms=draw(st.sampled_from([None, NOW_MS, NOW_MS - DAY_MS, NOW_MS - 5 * DAY_MS, NOW_MS - 90 * DAY_MS])),
        created_ms=draw(st.sampled_from([None, NOW_MS - 2 * DAY_MS])),
        usage=Usage(output_tokens=draw(st.sampled_from([0, 10, 100, 101, 5000]))),
        cost_usd=draw(st.sampled_from([None, 0.5, 1.0, 2.5])),
        has_error=draw(st.booleans()),
        has_image=draw(st.booleans()),
        is_empty=draw(st.sampled_from([False, False, False, True])),
        todos=draw(st.sampled_from([(), (Todo("write it"),)])),
        files_touched=draw(st.sampled_from([(), (FileTouched("/a/b/c.py"),)])),
        context_files=draw(st.sampled_from([(), ("README.md",)])),
    )


def archives(most: int = 5) -> st.SearchStrategy[list[SessionRead]]:
    """Return a strategy of some sessions, each with its own id."""
    return st.integers(1, most).flatmap(
        lambda count: st.tuples(*(session_reads(f"s{n}") for n in range(count))).map(list)
    )


_ATOMS = st.one_of(
    st.sampled_from(TERMS),
    st.sampled_from(PHRASES).map(lambda text: f'"{text}"'),
    st.sampled_from(PATTERNS).map(lambda text: f"/{text}/"),
    st.sampled_from(FILTERS),
)


def query_texts(atoms: st.SearchStrategy[str] = _ATOMS) -> st.SearchStrategy[str]:
    """Return a strategy of queries of all forms."""
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(" ".join),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: f"({' OR '.join(items)})"),
            inner.map(lambda item: f"-({item})"),
        ),
        max_leaves=5,
    )


class Facts:
    """One session, as the brute force sees it."""

    def __init__(self, made: SessionRead) -> None:
        self.facts = made.facts
        self.documents: dict[int, tuple[str, list[tuple[str, str]], set[str]]] = {
            index: (
                message.role,
                [_block(block) for block in message.blocks],
                {block.name.lower() for block in message.blocks if isinstance(block, ToolCall)},
            )
            for index, message in enumerate(made.messages)
        }
        self.documents[-1] = ("", [("", text) for text in _facts_texts(made.facts)], set())


def matches(query: Query, sessions: Sequence[Facts]) -> set[tuple[str, int]]:
    """Return every document that meets a query that looks into messages."""
    assert query.root is not None
    return {
        (one.facts.native_id, index)
        for one in sessions
        if not one.facts.is_empty
        for index in one.documents
        if _meets(query.root, one, index, is_negated=False)
    }


def meets_session(node: Node, one: Facts, *, is_negated: bool = False) -> bool:
    """Say whether a session meets what is asked of no message."""
    if isinstance(node, And):
        return all(meets_session(item, one, is_negated=is_negated) for item in node.items)
    if isinstance(node, Or):
        return any(meets_session(item, one, is_negated=is_negated) for item in node.items)
    if isinstance(node, Not):
        return not meets_session(node.item, one, is_negated=not is_negated)
    if isinstance(node, Filter) and node.name not in ("role", "kind", "tool"):
        return _meets(node, one, -1, is_negated=is_negated)
    return any(_meets(node, one, index, is_negated=is_negated) for index in one.documents)


def normal(text: str) -> str:
    """Return text without case and accents, and without the colour of a thumb."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Sk") or c == "^")


def _meets(node: Node, one: Facts, index: int, *, is_negated: bool) -> bool:
    role, blocks, tools = one.documents[index]
    if isinstance(node, And):
        return all(_meets(item, one, index, is_negated=is_negated) for item in node.items)
    if isinstance(node, Or):
        return any(_meets(item, one, index, is_negated=is_negated) for item in node.items)
    if isinstance(node, Not):
        return not _meets(node.item, one, index, is_negated=not is_negated)
    if isinstance(node, Word):
        return any(_has_word(node.text, text, is_whole=is_negated) for _, text in blocks)
    if isinstance(node, Phrase):
        return any(_has_phrase(node.text, text) for _, text in blocks)
    if isinstance(node, Regex):
        return any(re.search(node.pattern, text, re.IGNORECASE) for _, text in blocks)
    if node.name == "role":
        return role in node.values
    if node.name == "kind":
        return any(kind in node.values for kind, _ in blocks)
    if node.name == "tool":
        return any(value.lower() in tools for value in node.values)
    return any(_meets_value(node, n, one.facts) for n in range(len(node.values)))


_UNSPACED = "[\u0e00-\u0eff\u3005-\u30ff\u3400-\u9fff]"
# An emoji is a word, not something between words.
_GAP = "(?:[^\\w🎉]|_)+"
_RUN = rf"(?:(?!{_UNSPACED})[^\W_])"


def _has_word(word: str, text: str, *, is_whole: bool) -> bool:
    word, text = normal(word), normal(text)
    runs = re.findall(rf"{_RUN}+", word)
    starts, ends = re.match(_RUN, word), re.match(_RUN, word[-1])
    left = rf"(?<!{_UNSPACED[:-1]}])(?<![^\W_])|(?<={_UNSPACED})" if starts and (is_whole or len(runs[0]) < 3) else ""
    right = rf"(?!{_RUN})" if ends and (is_whole or len(runs[-1]) < 3) else ""
    return re.search(f"(?:{left}){re.escape(word)}{right}", text) is not None


def _has_phrase(phrase: str, text: str) -> bool:
    phrase, text = normal(phrase), normal(text)
    left = rf"(?:(?<![^\W_])|(?<={_UNSPACED}))" if re.match(_RUN, phrase) else ""
    right = rf"(?!{_RUN})" if re.match(_RUN, phrase[-1]) else ""
    body = re.escape(phrase) if "." in phrase else _GAP.join(phrase.split())
    return re.search(left + body + right, text) is not None


def _block(block: object) -> tuple[str, str]:
    if isinstance(block, ToolCall):
        return "tool_call", f"{block.name}\n{block.input['value']}"
    kinds = {Text: "text", Thinking: "thinking", ToolResult: "tool_result"}
    assert isinstance(block, Text | Thinking | ToolResult)
    return kinds[type(block)], block.text


def _facts_texts(facts: SessionFacts) -> list[str]:
    paths = [touched.path for touched in facts.files_touched] + list(facts.context_files)
    texts = [facts.title, facts.summary, facts.project_path, facts.branch, f"{facts.model} {facts.provider}".strip()]
    return [*texts, "\n".join(paths), "\n".join(todo.content for todo in facts.todos), facts.native_id]


def _meets_value(wanted: Filter, number: int, facts: SessionFacts) -> bool:
    value = normal(wanted.values[number])
    paths = [normal(path) for path in (*(touched.path for touched in facts.files_touched), *facts.context_files)]
    if wanted.limits:
        moment = facts.updated_ms if facts.updated_ms is not None else facts.created_ms
        measured = {"tokens": facts.usage.total_tokens, "cost": facts.cost_usd}.get(wanted.name, moment)
        return measured is not None and wanted.limits[number][0] <= measured <= wanted.limits[number][1]
    if wanted.name == "project":
        names, asked = [part for part in normal(facts.project_path).split("/") if part], value.split("/")
        whole = any(names[at : at + len(asked)] == asked for at in range(len(names)))
        end = names[-len(asked) :]
        return whole or (len(end) == len(asked) and end[:-1] == asked[:-1] and end[-1].startswith(asked[-1]))
    return {
        "agent": facts.agent == value,
        "branch": normal(facts.branch) == value or normal(facts.branch).startswith(value + "/"),
        "model": value in normal(facts.model),
        "provider": value in normal(facts.provider),
        "file": any(value in path for path in paths),
        "title": value in normal(facts.title),
        "tag": False,
        "is": {"subagent": facts.kind == "subagent", "empty": facts.is_empty}.get(value, False),
        "has": {"todo": bool(facts.todos), "error": facts.has_error, "image": facts.has_image}.get(value, False),
    }[wanted.name]
