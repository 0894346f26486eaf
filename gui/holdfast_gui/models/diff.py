"""Reads the change that an edit made out of what a tool was asked, whatever form it was asked in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

LineKind = Literal["context", "added", "removed", "gap"]
COMPARE_LIMIT = 2_000  # lines; longer texts are shown as all removed, all added
ALIKE_LIMIT = 100_000  # pairs of equal lines
CONTEXT_LINES = 3

_OLD_KEYS = ("old_string", "old_str", "oldText", "old_text", "oldString", "search", "old")
_NEW_KEYS = ("new_string", "new_str", "newText", "new_text", "newString", "replace", "new")
_PATH_KEYS = ("file_path", "path", "filePath", "absolute_path", "notebook_path", "file", "filename", "target_file")
_LIST_KEYS = ("edits", "changes", "replacements")
_PATCH_KEYS = ("patch", "diff", "unified_diff", "input", "patchText")
_CONTENT_KEYS = ("content", "file_text", "contents", "new_source")
_COMMAND_KEYS = ("command", "cmd")
_PATCH_BEGIN = "*** Begin Patch"
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_FILE_MARK = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$")
_NUMBERED = re.compile(r"^\s*(\d+)(?:\u2192|\t|: |\| )(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a change; ``number`` is of the old file for removed lines, else of the new, None where unknown."""

    kind: LineKind
    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file."""

    path: str
    lines: tuple[DiffLine, ...]

    @property
    def added(self) -> int:
        """How many lines came."""
        return sum(line.kind == "added" for line in self.lines)

    @property
    def removed(self) -> int:
        """How many lines went."""
        return sum(line.kind == "removed" for line in self.lines)

    def as_text(self) -> str:
        """Return the change as people paste it: a sign, then the line."""
        signs = {"context": " ", "added": "+", "removed": "-", "gap": "@@ "}
        return "".join(f"{signs[line.kind]}{line.text}\n" for line in self.lines)


def is_edit_input(tool_input: Any) -> bool:
    """Tell cheaply whether a tool's input has the form of an edit (not: a whole file to write)."""
    if isinstance(tool_input, str):
        return tool_input.startswith(_PATCH_BEGIN)
    if not isinstance(tool_input, dict):
        return False
    if any(key in tool_input for key in _OLD_KEYS[:5]) and any(key in tool_input for key in _NEW_KEYS[:5]):
        return True
    if any(isinstance(tool_input.get(key), (list, dict)) and tool_input[key] for key in _LIST_KEYS):
        return bool(read_diffs(tool_input))
    has_patch = any(_looks_like_patch(tool_input.get(key)) for key in _PATCH_KEYS)
    return has_patch or bool(_patch_in_command(tool_input))


def read_diffs(tool_input: Any, result_text: str = "") -> list[FileDiff]:
    """Return the files that a tool's input changes, none if it is no edit.

    ``result_text`` helps with line numbers: many tools answer an edit with the
    numbered lines around it.
    """
    if isinstance(tool_input, str):
        return parse_patch(tool_input) if _looks_like_patch(tool_input) else []
    if not isinstance(tool_input, Mapping):
        return []
    path = _first_text(tool_input, _PATH_KEYS)
    for key in _PATCH_KEYS:
        if _looks_like_patch(tool_input.get(key)):
            return parse_patch(str(tool_input[key]), path)
    patch = _patch_in_command(tool_input)
    if patch:
        return parse_patch(patch, path)
    edits = _listed(tool_input)
    if edits:
        return _merged(diff for edit in edits for diff in _one_edit(edit, path, result_text))
    return list(_one_edit(tool_input, path, result_text))


def compare(path: str, old: str, new: str, *, first_line: int = 1) -> FileDiff:
    """Compare two texts by lines; unchanged stretches keep three lines at each side of a change."""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if _is_costly(old_lines, new_lines):
        lines = [*_whole("removed", old_lines, first_line), *_whole("added", new_lines, first_line)]
        return FileDiff(path, tuple(lines))
    lines = []
    groups = SequenceMatcher(None, old_lines, new_lines, autojunk=False).get_grouped_opcodes(CONTEXT_LINES)
    for number, group in enumerate(groups):
        if number:
            lines.append(DiffLine("gap", None, ""))
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                lines += _whole("context", new_lines[new_start:new_end], first_line + new_start)
            else:
                lines += _whole("removed", old_lines[old_start:old_end], first_line + old_start)
                lines += _whole("added", new_lines[new_start:new_end], first_line + new_start)
    return FileDiff(path, tuple(lines))


def parse_patch(patch: str, path: str = "") -> list[FileDiff]:
    """Read a unified diff or an ``*** Begin Patch`` text; lines that belong to neither are left out."""
    files: list[tuple[str, list[DiffLine]]] = []
    lines: list[DiffLine] | None = None
    old_number = new_number = 0
    is_numbered = False
    source = patch.splitlines()
    for index, line in enumerate(source):
        mark = _FILE_MARK.match(line)
        if mark or (line.startswith("+++ ") and index and source[index - 1].startswith("--- ")):
            name = mark.group(1) if mark else _diff_name(line[4:], source[index - 1][4:])
            lines = []
            files.append((name or path, lines))
            old_number, new_number, is_numbered = 1, 1, bool(mark and " Add " in line)
            continue
        hunk = _HUNK.match(line)
        if line.startswith("@@"):
            if lines is None:
                lines = []
                files.append((path, lines))
            if lines:
                lines.append(DiffLine("gap", None, line[2:].strip(" @") if not hunk else ""))
            is_numbered = bool(hunk)
            if hunk:
                old_number, new_number = int(hunk.group(1)), int(hunk.group(2))
        elif lines is not None and line[:1] in ("+", "-", " ") and not _is_header(source, index):
            kind: LineKind = "added" if line[0] == "+" else "removed" if line[0] == "-" else "context"
            number = old_number if kind == "removed" else new_number
            lines.append(DiffLine(kind, number if is_numbered else None, line[1:]))
            old_number += kind != "added"
            new_number += kind != "removed"
    return [FileDiff(name, tuple(found)) for name, found in files]


def path_of(tool_input: Any) -> str:
    """Return the file that a tool's input names, or an empty text."""
    return _first_text(tool_input, _PATH_KEYS) if isinstance(tool_input, Mapping) else ""


def _one_edit(edit: Mapping[str, Any], path: str, result_text: str) -> Iterator[FileDiff]:
    path = _first_text(edit, _PATH_KEYS) or path
    for key in _PATCH_KEYS:
        if _looks_like_patch(edit.get(key)):
            yield from parse_patch(str(edit[key]), path)
            return
    old, new = _text_of(edit, _OLD_KEYS), _text_of(edit, _NEW_KEYS)
    if old is not None or new is not None:
        yield compare(path, old or "", new or "", first_line=_first_line(result_text, new or ""))
        return
    content = _text_of(edit, _CONTENT_KEYS)
    if content is not None:
        yield FileDiff(path, tuple(_whole("added", content.splitlines(), 1)))


def _listed(tool_input: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for key in _LIST_KEYS:
        value = tool_input.get(key)
        if isinstance(value, Mapping):  # {path: {what changed}}
            return [{"path": name, **change} for name, change in value.items() if isinstance(change, Mapping)]
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [edit for edit in value if isinstance(edit, Mapping)]
    return []


def _merged(diffs: Iterator[FileDiff]) -> list[FileDiff]:
    lines: dict[str, list[DiffLine]] = {}
    for diff in diffs:
        earlier = lines.setdefault(diff.path, [])
        if earlier:
            earlier.append(DiffLine("gap", None, ""))
        earlier.extend(diff.lines)
    return [FileDiff(path, tuple(found)) for path, found in lines.items()]


def _whole(kind: LineKind, lines: Sequence[str], first: int) -> list[DiffLine]:
    return [DiffLine(kind, number, line) for number, line in enumerate(lines, first)]


def _is_costly(old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether comparing would take long: too many lines, or too many that are alike."""
    if max(len(old), len(new)) > COMPARE_LIMIT:
        return True
    counts = Counter(new)
    return sum(counts[line] for line in old) > ALIKE_LIMIT


def _first_line(result_text: str, new: str) -> int:
    """Find where ``new`` begins in the numbered lines of an answer; 1 where they do not tell."""
    wanted = new.split("\n", 1)[0].rstrip()
    if wanted and result_text and len(result_text) < 100_000:
        for numbered in _NUMBERED.finditer(result_text):
            if numbered.group(2).rstrip() == wanted:
                return int(numbered.group(1))
    return 1


def _patch_in_command(tool_input: Mapping[str, Any]) -> str:
    """Return the patch that a command line hands to a patching tool, as an argument or between two marks."""
    for key in _COMMAND_KEYS:
        command = tool_input.get(key)
        for word in [command] if isinstance(command, str) else command if isinstance(command, list) else []:
            if isinstance(word, str) and _PATCH_BEGIN in word:
                return word[word.index(_PATCH_BEGIN) :].split("\n*** End Patch", 1)[0]
    return ""


def _looks_like_patch(value: Any) -> bool:
    return isinstance(value, str) and (
        value.lstrip().startswith((_PATCH_BEGIN, "--- ", "diff --git ", "@@ ")) or "\n@@ -" in value
    )


def _is_header(source: Sequence[str], index: int) -> bool:
    """Tell ``--- a/file`` before ``+++ b/file`` from a removed line that begins with two dashes."""
    line = source[index]
    return line.startswith("--- ") and index + 1 < len(source) and source[index + 1].startswith("+++ ")


def _diff_name(new: str, old: str) -> str:
    name = old if new.startswith("/dev/null") else new
    name = name.split("\t", 1)[0]
    return name[2:] if name[:2] in ("a/", "b/") else name


def _text_of(mapping: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((mapping[key] for key in keys if isinstance(mapping.get(key), str)), None)


def _first_text(mapping: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return _text_of(mapping, keys) or ""
