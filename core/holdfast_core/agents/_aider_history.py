"""Aider's history as messages: Markdown in which the beginning of a line tells who speaks.

What a person types follows ``#### ``, what the program says ``> ``; all else
is the model's. The program ends its own lines with two spaces, the model does
not: where they are still there, headings and quotes in answers are told apart.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._values import one_line
from holdfast_core.model.message import Block, Error, Message, Role, Text
from holdfast_core.model.session import TITLE_LIMIT
from holdfast_core.model.usage import Usage

_PERSON, _PROGRAM = "#### ", "> "
_ENDING = "  "
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_VERSION = re.compile(r"Aider v(\S+)$")
_MODEL = re.compile(r"(?:Main model|Models?): (\S+)")
_ADDED = re.compile(r"Added (.+) to the chat\.?$")
_EDITED = re.compile(r"(?:Applied edit to|Creating empty file) (.+)$")
_TOKENS = re.compile(r"Tokens: (.+?)(?:\. |$)(?:Cost: \$([\d.,]+) message)?")
_COUNT = re.compile(r"([\d.,]+)(k|M)? (sent|received|cache write|cache hit)")
_ERROR = re.compile(r"(?:litellm\.)?\w*(?:Error|Exception): |The API provider|Model .* has hit a token limit")
_SCALE = {"": 1, "k": 1000, "M": 1_000_000}


class Line(NamedTuple):
    """A line of the file without its line end, and its number."""

    number: int
    text: str


def gather(draft: Draft, lines: list[Line]) -> str:
    """Put the messages of one session into a draft; returns its title, empty without a prompt."""
    title = ""
    is_marked = _is_marked(lines)
    speech: list[Line] = []
    who: Role = "assistant"
    for line, role in _roles(lines, is_marked):
        is_next = is_marked and role == "user" and bool(speech) and not speech[-1].text  # each prompt begins with one
        if role != who or is_next:
            title = _say(draft, who, speech, title)
            who, speech = role, []
        speech.append(line)
    return _say(draft, who, speech, title)


def _is_marked(lines: list[Line]) -> bool:
    """Return whether the program's lines still end as it writes them.

    Hooks and editors take the spaces away: all, or those before an empty line.
    So the last one of the first lines in a row tells.
    """
    last = ""
    for line in lines:
        if line.text.startswith((_PERSON, _PROGRAM)):
            last = line.text
        elif last:
            break
    return last.endswith(_ENDING)


def _roles(lines: list[Line], is_marked: bool) -> list[tuple[Line, Role]]:
    found: list[tuple[Line, Role]] = []
    who: Role = "assistant"
    fence, before = "", ""
    is_open = False  # a text of the program with line ends in it: only its first line begins with the sign
    for line in lines:
        text = line.text
        is_own = text.endswith(_ENDING) or not is_marked
        mark = _FENCE.match(text) if "```" in text or "~~~" in text else None
        if fence and not _breaks_off(text, before, is_marked=is_marked):
            fence = "" if mark is not None and mark[1].startswith(fence) and not text.strip(" `~") else fence
            found.append((line, "assistant"))
            before = text
            continue
        fence = ""
        if text.startswith(_PERSON) and is_own:
            who, is_open = "user", False
        elif _is_program(text) and (is_own or (who != "assistant" and before)):  # answers begin after an empty line
            who, is_open = "system", not is_own
        elif is_open and text:
            is_open = not is_own
        elif text:
            who, is_open = "assistant", False
            fence = "" if mark is None else mark[1]
        else:
            is_open = False
        found.append((line, who))
        before = text
    return found


def _is_program(text: str) -> bool:
    return text.startswith(_PROGRAM) or text == ">"


def _breaks_off(text: str, before: str, *, is_marked: bool) -> bool:
    """Return whether a line cannot stand in the fence that an answer opened: then that answer was broken off."""
    if is_marked:
        return text.startswith((_PERSON, _PROGRAM)) and text.endswith(_ENDING)
    return (text.startswith(_PERSON) and not before.strip()) or text.startswith("> Tokens: ")


def _say(draft: Draft, role: Role, lines: list[Line], title: str) -> str:
    """Add what one speaker said in a row; returns the title so far, which the first prompt gives."""
    sign = _PERSON if role == "user" else _PROGRAM if role == "system" else ""
    texts = ["" if line.text == ">" and sign else line.text.removeprefix(sign).rsplit("\r", 1)[-1] for line in lines]
    if role != "assistant":
        texts = [text.rstrip() for text in texts]
    text = "\n".join(texts).strip("\n")
    if not text.strip():
        return title
    number = next(line.number for line in lines if line.text.strip())
    if role == "system":
        _note(draft, texts)
    blocks: tuple[Block, ...] = tuple(_told(texts)) if role == "system" else (Text(text),)
    draft.add(Message(f"line-{number}", role, blocks, line=number))
    return title or (one_line(text, TITLE_LIMIT) if role == "user" and not text.startswith(("/", "!")) else "")


def _told(texts: list[str]) -> list[Block]:
    """Return what the program said, from the first error on as one."""
    wrong = next((place for place, text in enumerate(texts) if _ERROR.match(text)), len(texts))
    before, after = "\n".join(texts[:wrong]).strip("\n"), "\n".join(texts[wrong:]).strip("\n")
    blocks: list[Block] = [Text(before)] if before else []
    return [*blocks, Error(after)] if after else blocks


def _note(draft: Draft, texts: list[str]) -> None:
    """Take facts out of what the program said."""
    gathered = draft.gathered
    for text in texts:
        if (found := _TOKENS.match(text)) is not None:
            _count(draft, found[1], found[2])
        elif (found := _VERSION.match(text)) is not None:
            gathered.agent_version = found[1]
        elif (found := _MODEL.match(text)) is not None:
            gathered.provider, _, gathered.model = found[1].rpartition("/")
        elif (found := _ADDED.match(text)) is not None:
            draft.mention(found[1])
        elif (found := _EDITED.match(text)) is not None:
            draft.touch(found[1], 0, 0)


def _count(draft: Draft, text: str, cost: str | None) -> None:
    """Count a response by the rounded numbers that the program prints: what was sent includes the cache."""
    tokens = {name: round(_number(amount) * _SCALE[scale]) for amount, scale, name in _COUNT.findall(text)}
    read, written = tokens.get("cache hit", 0), tokens.get("cache write", 0)
    usage = Usage(max(tokens.get("sent", 0) - read - written, 0), tokens.get("received", 0), read, written)
    if not usage.total_tokens:
        return
    gathered = draft.gathered
    index = next(
        (draft.next_index - back for back in range(1, min(len(draft.messages), 4) + 1) if _answers(draft, back)), None
    )
    cost_usd = None if cost is None else _number(cost)
    key = f"{gathered.native_id}:{len(draft.responses) + 1}"
    draft.respond(
        key, usage, model=gathered.model, timestamp_ms=gathered.created_ms, index=index, cost_usd=cost_usd or None
    )
    if index is not None:
        draft.put(index, _with_usage(draft.at(index), usage))


def _answers(draft: Draft, back: int) -> bool:
    message = draft.messages[-back]
    return message.role == "assistant" and message.usage is None


def _with_usage(message: Message, usage: Usage) -> Message:
    return Message(message.id, message.role, message.blocks, model=message.model, usage=usage, line=message.line)


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "").rstrip("."))
    except ValueError:
        return 0.0


def gathered_at(native_id: str, created_ms: int | None, project_path: str) -> Gathered:
    """Return what is known of a session before its first message."""
    return Gathered(native_id, created_ms=created_ms, updated_ms=created_ms, project_path=project_path)
