"""What a transcript shows of a session: its parts, which are open, folded or filtered out, and their text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from holdfast_core.clock import cpu_seconds
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.session import Session, SessionFacts
from holdfast_core.model.usage import Usage

from holdfast_gui.models.diff import FileDiff, read_diffs
from holdfast_gui.models.heights import Heights
from holdfast_gui.models.part_builder import PartBuilder, is_foldable, visible_heights
from holdfast_gui.models.parts import LINE_HEIGHT, Group, Kind, Parts
from holdfast_gui.models.steps import Outcome, Step, decoded, describe, input_text, verb_of
from holdfast_gui.text import counted, one_line, tr

HIT_LIMIT = 20_000
_CHECK_EVERY = 200  # messages between two looks at the clock


@dataclass(frozen=True, slots=True)
class Section:
    """One text of a part: what it says, what a tool was asked, or what it answered."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class TextHit:
    """A place where a word was found; ``start`` counts in the text of the section."""

    part: int
    section: int
    start: int
    length: int


class TranscriptModel:
    """A session as a column of parts. Nothing here reads a file, knows a colour or copies a text.

    ``changed_from`` is the first part that the last `build` made or changed.
    """

    def __init__(self) -> None:
        self._builder = PartBuilder()
        self._session = Session(facts=SessionFacts(agent="", native_id=""), messages=())
        self._built = 0
        self.heights = Heights()
        self.shown: int = Group.ALL
        self.changed_from = 0
        self.step = lru_cache(maxsize=2_000)(self._describe)
        self.run_summary = lru_cache(maxsize=500)(self._summarise_run)
        self.diffs = lru_cache(maxsize=200)(self._read_diffs)

    @property
    def parts(self) -> Parts:
        """The columns of all parts that are built so far."""
        return self._builder.parts

    @property
    def session(self) -> Session:
        """The session that is shown, in its newest state."""
        return self._session

    @property
    def messages(self) -> Sequence[Message]:
        """The messages of the session."""
        return self._session.messages

    @property
    def is_built(self) -> bool:
        """Whether every message has its parts."""
        return self._built >= len(self._session.messages)

    def set_session(self, session: Session) -> None:
        """Show another session; `build` then makes its parts."""
        self._builder = PartBuilder()
        self._session = session
        self._built = 0
        self.heights = Heights()
        self._forget()

    def append(self, session: Session, first_index: int) -> int:
        """Take a newer state of the same session whose messages changed from ``first_index`` on.

        What the person opened stays open. Returns the first part that is made
        anew; `build` makes it.
        """
        first_index = min(first_index, self._built)
        self._session = session
        if first_index:
            self._built = self._builder.rewind(first_index)
            self._restore_speaker()
        else:
            self._builder = PartBuilder()
            self._built = 0
        length = len(self.parts)
        self._count_heights()
        return length

    def build(self, *, seconds: float) -> bool:
        """Make parts for about so many seconds of CPU time; returns whether all are made."""
        deadline = cpu_seconds() + seconds
        messages = self._session.messages
        while self._built < len(messages):
            stop = min(self._built + _CHECK_EVERY, len(messages))
            for index in range(self._built, stop):
                self._builder.add(messages[index], index)
            self._built = stop
            if cpu_seconds() > deadline:
                break
        self._count_heights()
        return self.is_built

    # What a part says

    def kind(self, part: int) -> Kind:
        """Return what a part shows."""
        return Kind(self.parts.kinds[part])

    def message(self, part: int) -> Message:
        """Return the message that a part belongs to."""
        return self._session.messages[self.parts.messages[part]]

    def block(self, part: int) -> Block | None:
        """Return the block that a part shows, None for heads and step lines."""
        number = self.parts.blocks[part]
        return None if number < 0 else self.message(part).blocks[number]

    def result(self, part: int) -> ToolResult | None:
        """Return what the tool call of a part gave back."""
        message = self.parts.result_messages[part]
        if message < 0 or self.parts.kinds[part] == Kind.STEPS:
            return None
        block = self._session.messages[message].blocks[self.parts.result_blocks[part]]
        return block if isinstance(block, ToolResult) else None

    def sections(self, part: int) -> list[Section]:
        """Return the texts of a part in the order in which they are shown."""
        match self.block(part):
            case ToolCall() as call:
                return self._call_sections(part, call)
            case ToolResult() as result:
                return [Section("output", result.text)]
            case Text() | Thinking() | Error() | Compaction() as block:
                return [Section("text", block.text)]
            case File() as file:
                return [Section("file", file.text)]
        return []

    def seconds(self, part: int) -> float | None:
        """Return how long a step took: from its message to its result, for a thought from the message before."""
        parts, messages = self.parts, self._session.messages
        if parts.kinds[part] == Kind.THOUGHT:
            first, last = parts.messages[part] - 1, parts.messages[part]
        else:
            first, last = parts.messages[part], parts.result_messages[part]
        if first < 0 or last < 0:
            return None
        start, end = messages[first].timestamp_ms, messages[last].timestamp_ms
        return None if start is None or end is None or not 0 <= end - start < 86_400_000 else (end - start) / 1000

    def usage(self, head: int) -> Usage:
        """Return the tokens of all messages under a head."""
        following = self.parts.kinds.find(Kind.HEAD, head + 1)
        end = len(self._session.messages) if following < 0 else self.parts.messages[following]
        total = Usage()
        for message in self._session.messages[self.parts.messages[head] : end]:
            if message.usage is not None:
                total += message.usage
        return total

    # What is seen of it

    def is_openable(self, part: int) -> bool:
        """Tell whether a part has more to show than its line."""
        kind = self.parts.kinds[part]
        if kind == Kind.STEPS:
            return is_foldable(self.parts, part)
        if kind in (Kind.THOUGHT, Kind.OUTPUT, Kind.CONTEXT, Kind.FILE, Kind.COMPACTION):
            return any(section.text for section in self.sections(part))
        return kind == Kind.TOOL

    def is_open(self, part: int) -> bool:
        """Tell whether a part shows more than its line."""
        return bool(self.parts.opened[part])

    def set_open(self, part: int, is_open: bool) -> None:
        """Open or close a part; for a step line, the run below it."""
        parts = self.parts
        if parts.kinds[part] == Kind.STEPS:
            run = parts.run_of(part)
            parts.folded[run.start : run.stop] = bytes([not is_open]) * len(run)
            parts.opened[part] = is_open
            self.heights = Heights(visible_heights(parts, self.shown))
            return
        parts.opened[part] = is_open
        parts.measured[part] = 0
        self.set_height(part, LINE_HEIGHT, is_measured=False)

    def reveal(self, part: int) -> None:
        """Unfold what hides a part, and drop the filter if that hides it."""
        parts = self.parts
        if not parts.groups[part] & self.shown:
            self.show_groups(Group.ALL)
        if parts.folded[part] and parts.runs[part] >= 0:
            self.set_open(parts.runs[part], True)

    def show_groups(self, groups: int) -> None:
        """Show only parts that count as one of ``groups``."""
        self.shown = groups
        self.heights = Heights(visible_heights(self.parts, groups))

    def set_height(self, part: int, height: int, *, is_measured: bool = True) -> int:
        """Correct the height of a visible part; returns by how much the column grew."""
        self.parts.estimates[part] = height
        self.parts.measured[part] = is_measured
        return self.heights.set(part, height) if self.heights[part] else 0

    def forget_measures(self) -> None:
        """Take all heights for estimates again: the width or the font changed."""
        self.parts.measured[:] = bytes(len(self.parts))

    def is_visible(self, part: int) -> bool:
        """Tell whether a part is neither folded nor filtered out."""
        return self.heights[part] > 0

    def next_visible(self, part: int, direction: int = 1) -> int:
        """Return the next visible part after (or before) ``part``, -1 if there is none."""
        if direction > 0:
            position = self.heights.before(part) + self.heights[part]
            return self.heights.at(position)[0] if position < self.heights.total else -1
        position = self.heights.before(part)
        return self.heights.at(position - 1)[0] if position > 0 else -1

    # Going through it

    def prompts(self) -> list[int]:
        """Return the first part of every prompt, in order."""
        found: list[int] = []
        part = self.parts.kinds.find(Kind.PROMPT)
        while part >= 0:
            if not found or self.parts.messages[found[-1]] != self.parts.messages[part]:
                found.append(part)
            part = self.parts.kinds.find(Kind.PROMPT, part + 1)
        return found

    def errors(self) -> list[int]:
        """Return every part that is or holds an error."""
        skip = bytes(1 if group & Group.ERRORS else 0 for group in range(256))
        marked = self.parts.groups.translate(skip)
        found: list[int] = []
        part = marked.find(1)
        while part >= 0:
            if self.parts.kinds[part] != Kind.HEAD:
                found.append(part)
            part = marked.find(1, part + 1)
        return found

    def part_of_message(self, message: int) -> int:
        """Return the part at which a message begins: its own, its results', or the nearest before; -1 if empty."""
        parts = self.parts
        part = parts.first_of(message)
        if part < len(parts) and parts.messages[part] == message:
            steps = parts.kinds[part] == Kind.STEPS and not is_foldable(parts, part)
            return part + 1 if steps and part + 1 < len(parts) else part
        for candidate in range(part - 1, max(-1, part - 400), -1):
            if parts.result_messages[candidate] == message and parts.kinds[candidate] != Kind.STEPS:
                return candidate
        return min(part, len(parts) - 1)

    def find(self, words: Sequence[str], *, seconds: float = 0.01) -> Iterator[list[TextHit]]:
        """Yield hits of any of ``words``, letter case aside, in reading order, in slices of about so much CPU time.

        Looks into collapsed parts too; stops after 20,000 hits.
        """
        wanted = [word.lower() for word in words if word]
        hits: list[TextHit] = []
        total = 0
        deadline = cpu_seconds() + seconds
        for part in range(len(self.parts) if wanted else 0):
            if not self._may_say(part, wanted):
                continue
            for number, section in enumerate(self.sections(part)):
                text = section.text.lower()
                found = sorted(islice(_places(text, wanted), HIT_LIMIT))
                hits.extend(TextHit(part, number, start, length) for start, length in found)
            if total + len(hits) >= HIT_LIMIT:
                break
            if cpu_seconds() > deadline:
                total += len(hits)
                yield hits
                hits = []
                deadline = cpu_seconds() + seconds
        yield hits[: HIT_LIMIT - total]

    def _call_sections(self, part: int, call: ToolCall) -> list[Section]:
        result = self.result(part)
        diffs = self.diffs(part)
        if diffs:
            return [Section(f"diff {diff.path}", diff.as_text()) for diff in diffs]
        if self.parts.kinds[part] == Kind.PLAN:
            return [Section("input", input_text(call.input))]
        sections = [Section("input", input_text(call.input))]
        if result is not None and result.text:
            sections.append(Section("output", result.text))
        return [section for section in sections if section.text]

    def _read_diffs(self, part: int) -> list[FileDiff]:
        """Return the files that a tool call changes, none for other parts and for calls that failed."""
        block, result = self.block(part), self.result(part)
        if not isinstance(block, ToolCall) or (result is not None and result.is_error):
            return []
        if verb_of(block) not in ("Edit", "Write"):
            return []
        return read_diffs(decoded(block.input), result.text if result else "")

    def _may_say(self, part: int, words: Sequence[str]) -> bool:
        """Tell whether a part may hold one of some words, without comparing the two sides of an edit."""
        block, result = self.block(part), self.result(part)
        if not isinstance(block, ToolCall):
            return block is not None
        text = (input_text(block.input) + "\n" + (result.text if result else "")).lower()
        return any(word in text for word in words)

    def _describe(self, part: int) -> Step:
        block = self.block(part)
        if isinstance(block, ToolCall):
            project = self._session.facts.project_path
            return describe(block, self.result(part), seconds=self.seconds(part), project_path=project)
        kind = self.kind(part)
        text = next((section.text for section in self.sections(part)), "")
        if kind == Kind.THOUGHT:
            seconds = self.seconds(part)
            return Step("Thought", "thought", f"for {seconds:.0f} s" if seconds and 1 <= seconds < 3600 else "", ())
        if isinstance(block, (File, Image)):
            verb, name = ("File", block.path) if isinstance(block, File) else ("Image", block.media_type)
            return Step(verb, verb.lower(), one_line(name), ())
        if kind == Kind.COMPACTION:
            return Step(tr("Context compacted"), "compaction", "", ())
        is_error = isinstance(block, ToolResult) and block.is_error
        verb = {Kind.CONTEXT: "Context", Kind.ERROR: "Error"}.get(kind, "Output")
        return Step(verb, verb.lower(), one_line(text), (Outcome("error", "bad"),) if is_error else (), is_error)

    def _summarise_run(self, steps: int) -> Step:
        """Describe a run: how many steps, of which kinds, and how many failed."""
        counts: dict[str, int] = {}
        failed = 0
        for part in self.parts.run_of(steps):
            failed += bool(self.parts.groups[part] & Group.ERRORS)
            block = self.block(part)
            if isinstance(block, ToolCall):
                verb = verb_of(block) or "Other"
                counts[verb] = counts.get(verb, 0) + 1
        kinds = ", ".join(f"{verb} {count}" for verb, count in sorted(counts.items(), key=lambda item: -item[1]))
        outcome = (Outcome(counted(failed, "error", "errors"), "bad"),) if failed else ()
        return Step(counted(self.parts.result_messages[steps], "step", "steps"), "steps", kinds, outcome, bool(failed))

    def _restore_speaker(self) -> None:
        """Tell the builder, which keeps no messages, who spoke last under the head that is left."""
        head = self._builder.head
        if head >= 0:
            said = self._session.messages[self.parts.messages[head] : self._built]
            models = (m.model for m in said if m.role == "assistant" and m.model is not None)
            self._builder.restore_speaker(said[0], next(models, None))

    def _count_heights(self) -> None:
        """Take over what the builder added or changed since; what was remembered of changed parts is wrong now."""
        start = min(self._builder.changed_from, len(self.parts), len(self.heights))
        if start < len(self.heights):
            self._forget()
        self.changed_from = start
        self.heights.truncate(start)
        self.heights.extend(visible_heights(self.parts, self.shown, start))
        self._builder.changed_from = len(self.parts)

    def _forget(self) -> None:
        self.step.cache_clear()
        self.run_summary.cache_clear()
        self.diffs.cache_clear()


def _places(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    for word in words:
        start = text.find(word)
        while start >= 0:
            yield start, len(word)
            start = text.find(word, start + len(word))
