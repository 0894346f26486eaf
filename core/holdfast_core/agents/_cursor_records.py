"""What Cursor's databases hold of conversations, as far as it is read. Evidence: `README.md`."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import given, image_at, objects_in, path_of_uri, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms
from holdfast_core.model.message import Block, File, Text, Thinking, Todo, TodoStatus, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

USER = (1, "user")
ASSISTANT = (2, "ai", "assistant")
_FAILED = ("error", "errored", "failed")
_STATUS: dict[str, TodoStatus] = {"in_progress": "in_progress", "completed": "completed"}
_CHANGES = ("edit_file", "search_replace", "write", "delete_file", "apply_patch", "MultiEdit", "edit_notebook")
_TODOS_LIMIT = 200


class Head(msgspec.Struct, gc=False):
    """A place in a conversation."""

    bubbleId: str | None = None  # noqa: N815  # as it is stored
    not_read: ClassVar = names("contentHeightHint grouping type")


class Spoken(msgspec.Struct, gc=False):
    """What the model thought."""

    text: str | None = None
    not_read: ClassVar = names("signature")


class Named(msgspec.Struct, gc=False, rename="camel"):
    """Which model was asked."""

    model_name: str | None = None
    not_read: ClassVar = names("maxMode selectedModels")


class Tokens(msgspec.Struct, gc=False, rename="camel"):
    """Counts of a bubble, which are mostly 0."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Tool(msgspec.Struct, gc=False, rename="camel"):
    """A call with its result."""

    tool_call_id: str | None = None
    name: str | None = None
    tool: Any = None
    status: str | None = None
    raw_args: Any = None
    params: Any = None
    result: Any = None
    error: Any = None
    additional_data: Any = None
    not_read: ClassVar = names("modelCallId toolCallBinary toolIndex userDecision")


class Bubble(msgspec.Struct, gc=False, rename="camel"):
    """A part of a conversation, in any of its generations."""

    type: Any = None
    bubble_id: str | None = None
    id: str | None = None
    text: str | None = None
    raw_text: str | None = None
    thinking: Spoken | None = None
    tool_former_data: Tool | None = None
    token_count: Tokens | None = None
    created_at: Any = None
    model_info: Named | None = None
    model_type: str | None = None
    images: Any = None
    selected_images: Any = None
    file_selections: Any = None
    context: Any = None
    not_read: ClassVar = names(
        "_v aiWebSearchResults allThinkingBlocks approximateLintErrors assistantSuggestedDiffs attachedCodeChunks "
        "attachedFileCodeChunksMetadataOnly attachedFolders attachedFoldersListDirResults attachedFoldersNew "
        "attachedHumanChanges capabilities capabilityContexts capabilityType checkpointId codebaseContextChunks "
        "codeBlocks commits consoleLogs contextPieces contextWindowStatusAtCreation conversationState "
        "cursorCommands cursorCommandsExplicitlySet cursorRules deletedFiles diffHistories diffsForCompressingFiles "
        "diffsSinceLastApply docsReferences documentationSelections editTrailContexts "
        "existedPreviousTerminalCommand existedSubsequentTerminalCommand externalLinks fileDiffTrajectories "
        "gitDiffs humanChanges interpreterResults isAgentic isPlanExecution isRefunded knowledgeItems lints "
        "mcpDescriptors multiFileLinterErrors notepads pastChats pastChatsExplicitlySet projectLayouts pullRequests "
        "recentLocationsHistory recentlyViewedFiles relevantFiles requestId richText suggestedCodeBlocks "
        "summarizedComposers supportedTools thinkingDurationMs thinkingStyle todos toolResults turnDurationMs "
        "uiElementPicked unifiedMode userResponsesToSuggestedCodeBlocks webReferences workspaceUris"
    )

    @classmethod
    def generic(cls, value: Any) -> Bubble:
        """Return a bubble that shows a value of an unexpected kind."""
        return cls(text=shown(value))


class Composer(msgspec.Struct, rename="camel"):
    """A conversation, with its bubbles in it or apart from it."""

    composer_id: str | None = None
    name: str | None = None
    created_at: int | None = None
    last_updated_at: int | None = None
    full_conversation_headers_only: list[Head] | None = None
    conversation: list[Bubble] | None = None
    conversation_map: Any = None
    model_config: Named | None = None
    unified_mode: Any = None
    todos: Any = None
    is_archived: bool | None = None
    workspace_identifier: Any = None
    tracked_git_repos: Any = None
    not_read: ClassVar = names(
        "_v activeInlineDiffs activeTabsShouldBeReactive addedFiles agentBackend allAttachedFileCodeChunksUris "
        "applied applyAgentBackendTypeRestrictions blobEncryptionKey browserChipManuallyDisabled "
        "browserChipManuallyEnabled canvasPillCollapsed capabilities capabilityContexts codeBlockData "
        "composerMetadata configurations content context contextTokenLimit contextTokensUsed contextUsagePercent "
        "conversationCheckpointLastUpdatedAt conversationState debugModeSuggestionUsed diffId fates files "
        "filesChangedCount forceMode generatingBubbleIds generationUUID gitGraphFileSuggestions "
        "gitHubPromptDismissed hasChangedContext hasLoaded hasUnreadMessages hideDecorations id "
        "inlineDiffNewlyCreatedResources isAgentic isApplyingWorktree isBestOfNParent isBestOfNSubcomposer "
        "isContinuationInProgress isCreatingWorktree isDraft isFileListExpanded isNAL isProject isQueueExpanded "
        "isReadingLongFile isSpec isSpecSubagentDone isTodoListExpanded isUndoingWorktree latestChatGenerationUUID "
        "newlyCreatedFiles newlyCreatedFolders nonExistentFiles originalFileStates originalTextLines "
        "pendingCreateWorktree planModeSuggestionUsed promptContextUsageTree promptTokenBreakdown providerOptions "
        "queueItems removedFiles restrictAgentModeSwitching richText role speculativeSummarizationEncryptionKey "
        "status stopHookLoopCount subagentComposerIds subComposerIds subtitle text totalLinesAdded "
        "totalLinesRemoved uri usageData version worktreeStartedReadOnly"
    )


class Tab(msgspec.Struct, rename="camel"):
    """A conversation of the first generation."""

    tab_id: str | None = None
    chat_title: str | None = None
    last_send_time: int | None = None
    bubbles: list[Bubble] | None = None


def workspace_path(identifier: Any) -> str:
    """Return the directory that a conversation belongs to, as it says itself."""
    uri = identifier.get("uri") if isinstance(identifier, dict) else None
    return path_of(uri)


def path_of(uri: Any) -> str:
    """Return the path in an address as editors of this family store it."""
    if isinstance(uri, str):
        return path_of_uri(uri)
    return text_in(uri, "fsPath")[:PATH_LIMIT] or path_of_uri(text_in(uri, "external")) or text_in(uri, "path")


def branch_of(repositories: Any) -> str:
    """Return the branch that was worked on last."""
    branches = [branch for one in objects_in(repositories) for branch in objects_in(one.get("branches"))]
    latest = max(branches, key=lambda branch: count(branch.get("lastInteractionAt")), default=None)
    return text_in(latest, "branchName")


def todos_of(value: Any) -> tuple[Todo, ...]:
    """Return the plan of a conversation, whose steps may be JSON within JSON."""
    steps = [given(step) for step in value[:_TODOS_LIMIT]] if isinstance(value, list) else []
    return tuple(
        Todo(text_in(step, "content"), _STATUS.get(text_in(step, "status"), "pending"))
        for step in steps
        if text_in(step, "content")
    )


def moment_of(bubble: Bubble) -> int | None:
    """Return when a bubble was made, as far as it is told."""
    return moment_ms(bubble.created_at)


def said(bubble: Bubble) -> list[Block]:
    """Return what a bubble says, without its call."""
    blocks: list[Block] = []
    if bubble.thinking is not None and bubble.thinking.text:
        blocks.append(Thinking(bubble.thinking.text))
    text = bubble.text or bubble.raw_text
    if text:
        blocks.append(Text(text))
    for image in [*objects_in(bubble.images), *objects_in(bubble.selected_images)]:
        address = text_in(image, "data", "url", "path")
        if address:
            blocks.append(image_at(address))
    inner = bubble.context.get("fileSelections") if isinstance(bubble.context, dict) else None
    for selection in [*objects_in(bubble.file_selections), *objects_in(inner)]:
        path = path_of(selection.get("uri"))
        if path:
            blocks.append(File(path))
    return blocks


def call_of(tool: Tool) -> ToolCall | None:
    """Return the call in a bubble, None if there is none."""
    name = tool.name or (shown(tool.tool) if tool.tool is not None else "")
    if not name and not tool.tool_call_id:
        return None
    return ToolCall(tool.tool_call_id or "", name, given(tool.raw_args or tool.params))


def result_of(tool: Tool) -> ToolResult | None:
    """Return what the tool gave back, None if it gave nothing."""
    is_error = tool.status in _FAILED
    value = given(tool.result)
    text = text_in(value, "output", "contents", "content", "message")
    if not text and value not in (None, "", {}):
        text = tool.result if isinstance(tool.result, str) else shown(value)
    if not text and tool.error is not None:
        error = given(tool.error)
        text = text_in(error, "clientVisibleErrorMessage", "modelVisibleErrorMessage", "message") or shown(error)
    if not text and not is_error and tool.result is None:
        return None
    return ToolResult(tool.tool_call_id or "", text, is_error)


def change_of(tool: Tool) -> tuple[str, int, int] | None:
    """Return the file that a call changed, with lines added and removed; None if it changed none."""
    if tool.status in _FAILED or not (tool.name or "").startswith(_CHANGES):
        return None
    arguments = given(tool.params) or given(tool.raw_args)
    path = text_in(arguments, "relativeWorkspacePath", "targetFile", "target_file", "file_path", "path")
    if not path:
        return None
    data = tool.additional_data
    diff = data.get("precomputedDiff") if isinstance(data, dict) else None
    kinds = [text_in(line, "type") for line in objects_in(diff.get("lines") if isinstance(diff, dict) else None)]
    return path, kinds.count("added"), kinds.count("removed")


def usage_of(bubble: Bubble) -> Usage:
    """Return the tokens that a bubble counts."""
    tokens = bubble.token_count or Tokens()
    return Usage(count(tokens.input_tokens), count(tokens.output_tokens))
