"""Decides which chunks a part is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.message import Image, ToolCall
from holdfast_core.model.session import Session
from PySide6.QtCore import QCoreApplication

from holdfast_gui import text as words
from holdfast_gui.models import ansi
from holdfast_gui.models.chunks import Span, cut, cut_markdown, cut_prose
from holdfast_gui.models.diff import DiffLine, FileDiff
from holdfast_gui.models.parts import Group, Kind
from holdfast_gui.models.steps import plan_of, short_path, verb_of
from holdfast_gui.models.transcript import Section, TranscriptModel
from holdfast_gui.theme import theme
from holdfast_gui.views.transcript.captions import moment_text, usage_text
from holdfast_gui.views.transcript.chunk import Chunk
from holdfast_gui.views.transcript.lines import CompactionChunk, HeadChunk, Speaker, StepChunk
from holdfast_gui.views.transcript.picture import PictureChunk
from holdfast_gui.views.transcript.texts import (
    CodeChunk,
    ContextChunk,
    DiffChunk,
    ErrorChunk,
    NoteChunk,
    OutputChunk,
    PlanChunk,
    PromptChunk,
    ProseChunk,
    ThoughtChunk,
)
from holdfast_gui.views.transcript.worker import Worker

DIFF_LINES = 300  # of a chunk
CHILD_PARTS = 400  # of a subagent's session that are shown in place


@dataclass(slots=True)
class Composer:
    """Makes chunks for the parts of one session. ``children`` are sessions of subagents that may be shown in place."""

    model: TranscriptModel
    agent: AgentInfo
    code_worker: Worker
    picture_worker: Worker
    children: dict[str, Session] = field(default_factory=dict)
    depth: int = 0

    def chunks(self, part: int) -> list[Chunk]:
        """Return the chunks of a part, heights estimated; never none."""
        return list(self._made(part))

    def _made(self, part: int) -> Iterator[Chunk]:
        model = self.model
        match model.kind(part):
            case Kind.HEAD:
                yield self._head(part)
            case Kind.PROMPT:
                yield from self._prompt(part)
            case Kind.PROSE:
                yield from self._markdown(part, ProseChunk)
            case Kind.PLAN:
                yield from self._plan(part)
            case Kind.IMAGE:
                yield self._picture(part)
            case Kind.ERROR:
                yield from _pieces(0, model.sections(part)[0].text, ErrorChunk)
            case Kind.COMPACTION:
                yield self._compaction(part)
                yield from self._opened(part)
            case Kind.STEPS:
                yield StepChunk(model.run_summary(part), is_open=model.is_open(part), is_openable=self.depth == 0)
            case _:
                yield self._step(part)
                yield from self._opened(part)

    def _head(self, part: int) -> Chunk:
        message = self.model.message(part)
        when = moment_text(message.timestamp_ms, self.model.session.facts.created_ms)
        if message.role == "user":
            is_task = self.model.session.facts.kind == "subagent"  # its prompts come from the agent that started it
            name = QCoreApplication.translate("transcript", "You")
            if is_task:
                name = QCoreApplication.translate("transcript", "Task")
            return HeadChunk(Speaker(name, name[:1], None), when, str)
        model_name = words.model(self._model_of(part))
        caption = " · ".join(word for word in (model_name, when) if word)
        speaker = Speaker(self.agent.name, self.agent.mark, self.agent.hue)
        return HeadChunk(speaker, caption, lambda: usage_text(self.model.usage(part)))

    def _model_of(self, head: int) -> str:
        first = self.model.parts.messages[head]
        messages = self.model.messages[first : first + 5]
        return next((m.model for m in messages if m.model and m.role == "assistant"), "")

    def _prompt(self, part: int) -> Iterator[Chunk]:
        text = self.model.sections(part)[0].text
        pieces = list(cut_prose(text, 0, len(text)))
        for number, (start, end) in enumerate(pieces):
            height = _estimate(text, start, end, theme().line("transcript")) + 16
            chunk = PromptChunk(height, is_first=number == 0, is_last=number == len(pieces) - 1)
            chunk.of(0, text, start, end)
            yield chunk

    def _markdown(self, part: int, kind: Callable[[int], ProseChunk]) -> Iterator[Chunk]:
        text = self.model.sections(part)[0].text
        spans = list(cut_markdown(text))
        for number, span in enumerate(spans):
            if span.language is None:
                height = _estimate(text, span.start, span.end, theme().line("transcript")) + 8
                prose = kind(height)
                prose.of(0, text, span.start, span.end)
                yield prose
                continue
            following = spans[number + 1] if number + 1 < len(spans) else None
            is_last = following is None or following.language is None or following.is_first
            code = CodeChunk(
                _estimate(text, span.code_start, span.code_end, theme().line("code")) + 40,
                title=words.one_line(span.language, limit=40) or QCoreApplication.translate("transcript", "Code"),
                language=span.language,
                worker=self.code_worker,
                copied=partial(_block_text, text, spans, number) if span.is_first else str,
                is_first=span.is_first,
                is_last=is_last,
            )
            code.of(0, text, span.start, span.end)
            code.shows(span.code_start, span.code_end)
            yield code

    def _plan(self, part: int) -> Iterator[Chunk]:
        block = self.model.block(part)
        todos = plan_of(block.input) if isinstance(block, ToolCall) else []
        plan = PlanChunk(22 * len(todos) + 31, todos)
        shown = self.model.sections(part)
        plan.of(0, shown[0].text if shown else "", 0, len(shown[0].text) if shown else 0)
        yield plan
        if self.model.parts.groups[part] & Group.ERRORS:
            result = self.model.result(part)
            yield from _pieces(0, result.text if result else "", ErrorChunk)

    def _picture(self, part: int) -> Chunk:
        block = self.model.block(part)
        data = block if isinstance(block, Image) else Image("", 0)
        return PictureChunk(data, (self.model.parts.messages[part], self.model.parts.blocks[part]), self.picture_worker)

    def _compaction(self, part: int) -> Chunk:
        model = self.model
        text = QCoreApplication.translate("transcript", "Context compacted")
        is_openable = self.depth == 0 and model.is_openable(part)
        return CompactionChunk(text, is_open=model.is_open(part), is_openable=is_openable)

    def _step(self, part: int) -> Chunk:
        block = self.model.block(part)
        session_id = block.session_id if isinstance(block, ToolCall) else None
        return StepChunk(
            self.model.step(part),
            is_open=self.model.is_open(part),
            is_openable=self.depth == 0 and self.model.is_openable(part),
            session_id=session_id,
        )

    def _opened(self, part: int) -> Iterator[Chunk]:
        if not self.model.is_open(part):
            return
        kind = self.model.kind(part)
        if kind in (Kind.THOUGHT, Kind.COMPACTION):
            yield from self._markdown(part, ThoughtChunk)
        elif kind == Kind.CONTEXT:
            yield from _pieces(0, self.model.sections(part)[0].text, ContextChunk)
        else:
            yield from self._tool_body(part)
            yield from self._child(part)

    def _tool_body(self, part: int) -> Iterator[Chunk]:
        model = self.model
        diffs = model.diffs(part)
        sections = model.sections(part)
        if not sections:
            yield NoteChunk(QCoreApplication.translate("transcript", "Nothing was recorded of this step."))
        for number, section in enumerate(sections):
            if section.role.startswith("diff"):
                yield from self._diff(number, diffs[number], section)
            elif section.role == "input":
                block = model.block(part)
                is_command = isinstance(block, ToolCall) and verb_of(block) == "Run" and "\n\n" not in section.text
                title = QCoreApplication.translate("transcript", "Input")
                yield from self._code(number, section.text, title, "bash" if is_command else "")
            else:
                yield from _output(number, section.text)

    def _diff(self, number: int, diff: FileDiff, section: Section) -> Iterator[Chunk]:
        lines = diff.lines or (DiffLine("gap", None, ""),)
        sizes = [len(line.text) + 2 for line in lines]
        pieces = list(_runs(sizes, DIFF_LINES, 12_000))
        position = 0
        path = words.one_line(short_path(diff.path, self.model.session.facts.project_path))
        for index, (start, end) in enumerate(pieces):
            chunk = DiffChunk(
                (end - start) * theme().line("code") + 40,
                lines[start:end],
                title=path or QCoreApplication.translate("transcript", "Change"),
                copied=diff.as_text,
                is_first=index == 0,
                is_last=index == len(pieces) - 1,
            )
            length = sum(len(line.text) + (4 if line.kind == "gap" else 2) for line in lines[start:end])
            chunk.of(number, section.text, position, position + length)
            position += length
            yield chunk

    def _code(self, number: int, text: str, title: str, language: str) -> Iterator[Chunk]:
        pieces = list(cut(text))
        for index, (start, end) in enumerate(pieces):
            chunk = CodeChunk(
                _estimate(text, start, end, theme().line("code")) + 40,
                title=title,
                language=language,
                worker=self.code_worker,
                copied=partial(str, text),
                is_first=index == 0,
                is_last=index == len(pieces) - 1,
            )
            chunk.of(number, text, start, end)
            yield chunk

    def _child(self, part: int) -> Iterator[Chunk]:
        """Yield what a subagent said, in place and indented, if its session is at hand."""
        block = self.model.block(part)
        child = self.children.get(block.session_id or "") if isinstance(block, ToolCall) else None
        if child is None or self.depth >= 3:
            return
        model = TranscriptModel()
        model.set_session(child)
        while not model.build(seconds=1):
            pass
        inner = Composer(model, self.agent, self.code_worker, self.picture_worker, self.children, self.depth + 1)
        for number in range(min(len(model.parts), CHILD_PARTS)):
            if model.is_visible(number):
                for chunk in inner.chunks(number):
                    chunk.indent += theme().px(48 if self.depth == 0 else 16)
                    chunk.section = -1
                    yield chunk
        if len(model.parts) > CHILD_PARTS:
            yield NoteChunk(QCoreApplication.translate("transcript", "Open the session to read the rest."))


def _output(number: int, text: str) -> Iterator[Chunk]:
    pieces = list(cut(text))
    for index, (start, end) in enumerate(pieces):
        chunk = OutputChunk(
            _estimate(text, start, end, theme().line("code")) + 40,
            title=QCoreApplication.translate("transcript", "Output"),
            copied=partial(ansi.stripped, text),
            is_first=index == 0,
            is_last=index == len(pieces) - 1,
        )
        chunk.of(number, text, start, end)
        yield chunk


def _pieces(section: int, text: str, kind: Callable[[int], Chunk]) -> Iterator[Chunk]:
    for start, end in cut_prose(text or " ", 0, max(1, len(text))):
        chunk = kind(_estimate(text, start, end, theme().line("transcript")) + 24)
        chunk.of(section, text, start, end)
        yield chunk


def _block_text(text: str, spans: Sequence[Span], first: int) -> str:
    """Return the code of a whole fenced block, which may be several spans."""
    pieces: list[str] = []
    for span in spans[first:]:
        if span.language is None or (pieces and span.is_first):
            break
        pieces.append(text[span.code_start : span.code_end])
    return "".join(pieces)


def _runs(sizes: list[int], most: int, limit: int) -> Iterator[tuple[int, int]]:
    start = total = 0
    for position, size in enumerate(sizes):
        if position > start and (position - start >= most or total + size > limit):
            yield start, position
            start, total = position, 0
        total += size
    yield start, len(sizes)


def _estimate(text: str, start: int, end: int, line: int) -> int:
    return (text.count("\n", start, end) + (end - start) // 80 + 1) * line
