"""The kinds of Claude Code's records that are not conversation, and the words of those that tell of errors."""

from __future__ import annotations

from typing import Any

from holdfast_core.agents._claude_records import Record, opened

SILENT = frozenset(
    (
        "file-history-snapshot", "permission-mode", "mode", "pr-link", "bridge-session", "worktree-state", "tag",
        "teleported-from", "relocated", "frame-link", "atis-latch", "started", "result", "content-replacement",
    )
)  # fmt: skip
SILENT_SUBTYPES = frozenset(
    (
        "stop_hook_summary", "turn_duration", "session_start", "bridge_status", "informational",
        "microcompact_boundary", "model_refusal_fallback", "local_command", "away_summary", "init",
    )
)  # fmt: skip
SILENT_ATTACHMENTS = frozenset(
    (
        "hook_success", "deferred_tools_delta", "skill_listing", "hook_system_message", "goal_status",
        "agent_listing_delta", "todo_reminder", "auto_mode", "command_permissions", "hook_additional_context",
        "mcp_instructions_delta", "date_change", "read_truncation_notice", "invoked_skills", "dynamic_skill",
        "plan_mode", "plan_mode_exit", "plan_mode_reentry", "task_status", "ultra_effort_enter", "ultra_effort_exit",
        "budget_usd", "total_tokens_reminder", "batching_reminder_sent", "silent_turn_reminder", "hook_cancelled",
        "diagnostics", "output_style", "async_hook_response", "mcp_resource", "directory", "already_read_file",
        "plan_file_reference", "selected_lines_in_ide", "opened_file_in_ide", "critical_system_reminder",
        "token_usage", "compaction_reminder", "ultrathink_effort", "auto_mode_exit", "teammate_mailbox",
        "team_context", "agent_mention", "hook_stopped_continuation", "hook_error_during_execution",
        "hook_permission_decision", "pdf_reference", "structured_output", "verify_plan_reminder",
    )
)  # fmt: skip


def error_text(record: Record) -> str:
    """Return what a record tells of an error, and which attempt it ended."""
    error = opened(record.error)
    text = error if isinstance(error, str) else _deep_message(error)
    content = opened(record.content)
    text = text or (content if isinstance(content, str) else "") or record.api_refusal_explanation or "API error"
    if record.retry_attempt and record.max_retries:
        text += f" (attempt {record.retry_attempt} of {record.max_retries})"
    return text


def _deep_message(error: Any) -> str:
    """Return the innermost message of an error, which is wrapped up to three times."""
    found = ""
    status = ""
    for _ in range(5):
        if not isinstance(error, dict):
            break
        message = error.get("message") or error.get("formatted")
        found = message if isinstance(message, str) and message else found
        status = str(error["status"]) if isinstance(error.get("status"), int) else status
        kind = error.get("type")
        found = found or (kind if isinstance(kind, str) and kind != "error" else "")
        error = error.get("error") or error.get("cause")
    return f"{status} {found}".strip()


def first_text(values: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return the first text that stands under one of some names, or under the same name one level deeper."""
    for name in names:
        value = values.get(name)
        if isinstance(value, dict):
            value = value.get(name)
        if isinstance(value, str) and value:
            return value
    return ""
