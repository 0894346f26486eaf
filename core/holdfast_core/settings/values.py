"""All settings: their types, ranges, defaults and words."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

TerminalName = Literal[
    "auto",
    "copy",
    "custom",
    "xdg-terminal-exec",
    "gnome-terminal",
    "ptyxis",
    "konsole",
    "kitty",
    "alacritty",
    "wezterm",
    "ghostty",
    "foot",
    "xfce4-terminal",
    "xterm",
    "x-terminal-emulator",
    "tmux",
    "terminal-app",
    "iterm2",
    "windows-terminal",
    "powershell",
    "console",
]


def _placed(text: str) -> str:
    """Return a path that means the same wherever Holdfast was started; empty for the usual place."""
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise ValueError("a path in one line")
    starts_at_home = text == "~" or text.startswith(("~/", "~\\"))
    if text and not (starts_at_home or PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()):
        raise ValueError("an absolute path")
    return text.strip()


PlacePath = Annotated[str, Field(max_length=4096), AfterValidator(_placed)]
HomePath = Annotated[PlacePath, Field(min_length=1)]
LeftOut = Annotated[str, Field(max_length=4096, pattern=r"^(agent|project|kind):[^\s\x00-\x1f][^\x00-\x1f]*$")]
SECTIONS: Final = {
    "Window": "theme",
    "Finding sessions": "start_paused",
    "Vault": "vault_enabled",
    "Terminal": "terminal",
    "Export": "export_format",
    "Held sessions": "sessions_directory",
    "Limits": "live_limit",
    "Protection": "redact_stored",
    "Log": "audit_log",
}
"""The headings over the settings, each with the first setting below it."""


class Settings(BaseModel):
    """What a person can choose. Values are checked; an instance never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Literal["system", "light", "dark"] = Field("system", title="Theme", description="How the window looks.")
    font_scale: float = Field(
        1.0, ge=0.75, le=2.5, allow_inf_nan=False, title="Text size", description="1 is the size of the desktop."
    )
    close_to_tray: bool = Field(
        False, title="Close to the tray", description="Closing the window keeps Holdfast running in the tray."
    )
    tray_sessions: int = Field(
        10, ge=0, le=30, title="Sessions in the tray", description="How many recent sessions the tray menu offers."
    )
    show_subagents: bool = Field(
        False, title="Show subagents", description="Sessions that another session started stand in the list too."
    )
    start_paused: bool = Field(
        False,
        title="Start paused",
        description="Do not look for new sessions until told to; the list shows what is known.",
    )
    recent_poll_seconds: float = Field(
        2.0,
        ge=0.5,
        le=60,
        allow_inf_nan=False,
        title="Look at running sessions every (seconds)",
        description="How soon what an agent writes now is seen where the system does not tell us of changes.",
    )
    rescan_seconds: int = Field(
        60,
        ge=30,
        le=86_400,
        title="Look everywhere every (seconds)",
        description="How often all sessions of all agents are looked through for changes that were missed.",
    )
    extra_homes: tuple[HomePath, ...] = Field(
        (),
        max_length=32,
        title="More homes",
        description="Directories in which agents are looked for as in your home: the home of another system or "
        'machine that can be reached here, as in `["/mnt/c/Users/me"]`.',
    )
    vault_enabled: bool = Field(
        True,
        title="Keep every version",
        description="Keep every version of every agent's session in the vault, so that no agent can lose one. "
        "It holds what the agents' files hold, word for word. What is kept stays if you switch this off.",
    )
    vault_directory: PlacePath = Field(
        "",
        title="Where the vault is",
        description="The directory of the vault; empty for the usual place. "
        "What is in another directory stays there and is not moved.",
    )
    vault_left_out: tuple[LeftOut, ...] = Field(
        (),
        max_length=1000,
        title="Left out of the vault",
        description="What is not kept: an agent, as `agent:ID`, a project with all below it, as `project:PATH`, or "
        "the subagents, as `kind:subagent`. What is kept already stays.",
    )
    vault_reserve_mb: int = Field(
        2048,
        ge=0,
        le=10_000_000,
        title="Leave free on the disk (MB)",
        description="Below this much free space nothing more goes into the vault until there is room again, "
        "and you are told. What it holds stays.",
    )
    vault_database_minutes: int = Field(
        5,
        ge=1,
        le=1440,
        title="Keep databases every (minutes)",
        description="How often at most a database is kept that an agent is writing to; it is kept again when it rests.",
    )
    vault_verify_days: int = Field(
        7,
        ge=0,
        le=365,
        title="Verify the vault every (days)",
        description="How often every byte of the vault is checked against its signature; 0 for never.",
    )
    vault_encrypted: bool = Field(
        False,
        title="Encrypt the vault",
        description="Encrypt the vault too, with the passphrase of the held sessions; without one nothing is "
        "encrypted. What is kept already is written anew, bit by bit, while Holdfast is open and has nothing else to "
        "do. While it is locked nothing new is kept: it waits until you unlock it. The index of words and the agents' "
        "own files stay in the clear.",
    )
    warn_deletion_days: int = Field(
        3,
        ge=0,
        le=365,
        title="Warn before agents delete (days)",
        description="How long before an agent deletes sessions by its own rule you are told; 0 for not at all.",
    )
    notify_lost: bool = Field(
        True,
        title="Tell of lost messages",
        description="Notify when messages are gone from an agent's file that are safe in the vault.",
    )
    terminal: TerminalName = Field(
        "auto",
        title="Terminal",
        description="Where a session continues: a terminal by name, `copy` for the clipboard, "
        "`custom` for `terminal_command`, `auto` for the first that is found.",
    )
    terminal_command: tuple[str, ...] = Field(
        (),
        max_length=64,
        title="Own terminal",
        description='Program and arguments of the terminal `custom`, as a list: `["myterm", "--", "{command}"]`. '
        "`{command}` stands alone and becomes the command's own arguments; `{directory}` becomes the project.",
    )
    export_format: Literal["md", "json", "txt"] = Field(
        "md",
        title="Export as",
        description="The format of an export if none is named.",
    )
    drag_format: Literal["md", "json", "txt"] = Field(
        "md", title="Drag as", description="The format of the files that dragging a session out of the list gives."
    )
    export_thinking: bool = Field(
        True, title="Export thinking", description="Exports hold the model's reasoning. Complete JSON always does."
    )
    export_tool_output: bool = Field(True, title="Export tool output", description="Exports hold what tools gave back.")
    export_images: bool = Field(
        False, title="Export images", description="Markdown exports hold the pictures themselves, not only their names."
    )
    sessions_directory: PlacePath = Field(
        "",
        title="Where held sessions are kept",
        description="The directory of the sessions that Holdfast itself keeps; empty for the usual place. "
        "What is in another directory stays there and is not moved.",
    )
    autosave_seconds: int = Field(
        30,
        ge=5,
        le=300,
        title="Save live sessions every (seconds)",
        description="How often a live session is written down in its compact form. "
        "Every message is on the disk at once, whatever stands here.",
    )
    idle_minutes: int = Field(
        30,
        ge=0,
        le=10_080,
        title="Close idle sessions after (minutes)",
        description="A live session in which nothing happens for so long is saved and closed; 0 for never.",
    )
    idle_warning_minutes: int = Field(
        2,
        ge=0,
        le=60,
        title="Warn before closing (minutes)",
        description="How long before an idle session is closed you are told, so that you can keep it.",
    )
    trash_days: int = Field(
        30,
        ge=0,
        le=3650,
        title="Keep deleted sessions (days)",
        description="After so many days in the trash a deleted session is gone for good; "
        "0 keeps it until the trash is emptied by hand.",
    )
    backups_kept: int = Field(
        5,
        ge=1,
        le=100,
        title="Backups of each session",
        description="How many earlier states of a held session are kept.",
    )
    live_limit: int = Field(
        10, ge=1, le=100, title="Live sessions at once", description="How many held sessions may be live at a time."
    )
    session_limit_mb: int = Field(
        512,
        ge=1,
        le=1024,
        title="Largest session (MB)",
        description="A held session that would be larger is refused before it is read or written.",
    )
    stored_sessions_limit: int = Field(
        0,
        ge=0,
        le=1_000_000,
        title="Held sessions at most",
        description="How many held sessions are kept; 0 for no limit. You are warned at 80 %.",
    )
    stored_age_days: int = Field(
        0,
        ge=0,
        le=36_500,
        title="Keep held sessions (days)",
        description="Held sessions that did not change for so many days are cleaned up; 0 keeps them. "
        "Live ones, starred ones and those with the tag `keep` always stay.",
    )
    at_limit: Literal["refuse", "clean"] = Field(
        "refuse",
        title="At the limit",
        description="What happens when there are as many held sessions as allowed: "
        "`refuse` makes no new one, `clean` moves the oldest to the trash.",
    )
    storage_limit_mb: int = Field(
        0,
        ge=0,
        le=10_000_000,
        title="Disk space at most (MB)",
        description="How much of the disk Holdfast may take; 0 for no limit. You are warned at 80 %.",
    )
    resume_limit: int = Field(
        5,
        ge=1,
        le=1000,
        title="Resumes of one session",
        description="How often one held session may be resumed within `resume_window_seconds`.",
    )
    resume_limit_all: int = Field(
        20,
        ge=1,
        le=10_000,
        title="Resumes in all",
        description="How often held sessions may be resumed in all within `resume_window_seconds`.",
    )
    resume_window_seconds: int = Field(
        60,
        ge=1,
        le=86_400,
        title="Resumes are counted over (seconds)",
        description="The time over which `resume_limit` and `resume_limit_all` count.",
    )
    resume_failures: int = Field(
        3,
        ge=1,
        le=100,
        title="Failed resumes",
        description="After so many failures a session is marked as a problem and no more resumed by itself.",
    )
    redact_stored: Literal["certain", "likely", "possible"] = Field(
        "likely",
        title="Secrets in held sessions",
        description="What is taken out of a held session before it is written: what is certainly a secret, "
        "what likely is one, or all that possibly is.",
    )
    encrypted_in_index: Literal["nothing", "everything"] = Field(
        "nothing",
        title="Encrypted sessions in search",
        description="Whether encrypted sessions can be searched. The index is not encrypted: "
        "with `everything` their text stands in it in the clear.",
    )
    use_keyring: bool = Field(
        True,
        title="Second copy of the key",
        description="Keep a second copy of the signing key in the keyring of the system, where there is one.",
    )
    audit_log: bool = Field(
        True,
        title="Keep an audit log",
        description="Write down what is done to held sessions, in a chained log that holds none of their content.",
    )
    audit_level: Literal["changes", "everything"] = Field(
        "changes",
        title="What the audit log holds",
        description="`changes` leaves out what only reads, `everything` holds that too.",
    )
    audit_file: PlacePath = Field(
        "", title="Where the audit log is", description="The file of the audit log; empty for the usual place."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", title="Log level", description="How much is written to the log; never prompts or answers."
    )
