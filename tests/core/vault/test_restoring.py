"""A version goes back to its agent as it was, never over anything that is not in the vault, never while it is open."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from holdfast_core import clock
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError, NotFound, NotNow, Refused, SourceError
from holdfast_core.model.repair import RestoreUndo
from holdfast_core.vault.opened import is_open
from holdfast_core.vault.repairing import repaired
from holdfast_core.vault.restoring import restore_to_agent, restore_to_path, restore_to_project, undo_restore
from holdfast_core.vault.vault import Vault

from tests.core.agents.support import CASES, DATA, case_id, home_of
from tests.core.vault.agent_world import World

SESSION = "a1a10000-0000-4000-8000-00000000000a"


def world_of(case: str, folder: Path) -> World:
    path = DATA / case
    return World(folder, all_agents()[path.parent.name], home_of(path, folder))


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def records(count: int) -> bytes:
    rows = (
        {"parentUuid": f"u{n - 1}" if n else None, "uuid": f"u{n}", "sessionId": SESSION, "type": "user",
         "cwd": "/home/ada/p", "message": {"role": "user", "content": f"prompt {n}"}} for n in range(count)
    )  # fmt: skip
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def claude(tmp_path: Path) -> World:
    """A session of ten messages with a result that was moved out and a plan, captured."""
    config = tmp_path / "home" / ".claude"
    put(config / "projects" / "-home-ada-p" / f"{SESSION}.jsonl", records(10))
    put(config / "projects" / "-home-ada-p" / SESSION / "tool-results" / "t.txt", b"long")
    put(config / "projects" / "-home-ada-p" / "sessions-index.json", b'{"version":1,"entries":[]}')
    put(config / "todos" / f"{SESSION}-agent-{SESSION}.json", b"[]")
    world = World(tmp_path, all_agents()["claude_code"], Home(tmp_path / "home", {}))
    world.capture()
    return world


def timeless(read: list[Any]) -> list[Any]:
    """Return a reading without what may stand in a file's date alone: that is today's where its agent cleans up."""
    return [(msgspec.structs.replace(facts, created_ms=0, updated_ms=0), messages) for facts, messages in read]


def restored(world: World, ref: Any, **more: Any) -> Any:
    return restore_to_agent(
        world.vault, world.agent, ref, world.home, session_id="x", capture=world.capturing(), **more
    )


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_every_source_that_was_deleted_comes_back_byte_for_byte_and_reads_as_before(case: Path, tmp_path: Path) -> None:
    world = World(tmp_path, all_agents()[case.parent.name], home_of(case, tmp_path))
    world.capture()
    kept = tmp_path / "kept"
    shutil.copytree(world.home.path, kept)

    for ref in list(world.agent.discover(world.home)):
        try:
            before = timeless(world.read(ref))
        except SourceError:
            continue
        number = world.vault.versions(ref.agent, ref.key)[-1].number
        for path in [Path(ref.path), *world.agent.companions(ref, world.home)]:
            path.unlink()
        if not list(Path(ref.path).parent.iterdir()):
            Path(ref.path).parent.rmdir()
        restored(world, ref, number=number)
        again = next(one for one in world.agent.discover(world.home) if one.key == ref.key)

        original = (kept / Path(ref.path).relative_to(world.home.path)).read_bytes()
        if not original.startswith(b"SQLite"):  # the vault keeps a database as a whole, without its journal
            assert Path(again.path).read_bytes() == original
        assert timeless(world.read(again)) == before
        shutil.rmtree(world.home.path)
        shutil.copytree(kept, world.home.path)
        world.capture()


def test_a_truncated_session_gets_its_best_version_back_and_undo_takes_it_away(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    whole, short = path.read_bytes(), records(3)
    path.write_bytes(short)
    before_ns = path.stat().st_mtime_ns

    done, undo = restored(claude, ref)

    assert path.read_bytes() == whole
    assert (done.kind, done.version, done.path) == ("agent", 1, ref.path)
    assert done.replaced_version == 2
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert b"".join(claude.vault.content(ref.agent, ref.key, 2)) == short
    undo_restore(claude.vault, claude.agent, ref, claude.home, undo, capture=claude.capture)
    assert path.read_bytes() == short
    assert path.stat().st_mtime_ns == before_ns


def test_a_deleted_session_comes_back_with_its_folders_and_files(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    whole = path.read_bytes()
    shutil.rmtree(claude.home.path / ".claude" / "projects")
    shutil.rmtree(claude.home.path / ".claude" / "todos")

    done, undo = restored(claude, ref)

    assert path.read_bytes() == whole
    assert (path.parent / SESSION / "tool-results" / "t.txt").read_bytes() == b"long"
    assert (claude.home.path / ".claude" / "todos" / f"{SESSION}-agent-{SESSION}.json").read_bytes() == b"[]"
    assert (path.parent / "sessions-index.json").exists()
    assert done.replaced_version is None
    assert done.notes[-1].startswith("Claude Code's own list")
    assert claude.ref().path == ref.path
    undo_restore(claude.vault, claude.agent, ref, claude.home, undo, capture=claude.capture)
    assert not path.exists()
    assert not (path.parent / "sessions-index.json").exists()


def test_a_list_of_others_too_is_never_replaced_by_an_older_one(claude: World) -> None:
    ref = claude.ref()
    index = put(Path(ref.path).parent / "sessions-index.json", b'{"version":1,"entries":[{"sessionId":"new"}]}')
    Path(ref.path).write_bytes(b"")
    todos = put(claude.home.path / ".claude" / "todos" / f"{SESSION}-agent-{SESSION}.json", b'[{"content":"x"}]')
    claude.capture()

    restored(claude, ref)

    assert b"new" in index.read_bytes()
    assert todos.read_bytes() == b"[]"


def test_a_list_of_several_sessions_is_kept_as_it_was_last_whichever_of_them_changed(claude: World) -> None:
    other = claude.ref().path.replace(SESSION, f"{SESSION[:-1]}b")
    put(Path(other), records(2))
    claude.capture()
    index = put(Path(other).parent / "sessions-index.json", b'{"version":1,"entries":[{"sessionId":"new"}]}')
    put(Path(other), records(3))
    claude.capture()
    ref = claude.ref(f"{SESSION[:-1]}b")
    index.unlink()
    Path(other).unlink()

    restored(claude, ref)

    assert b"new" in index.read_bytes()


def test_a_name_that_is_no_text_is_given_back_and_undone_after_it_was_written_down(tmp_path: Path) -> None:
    name = os.fsdecode(b"s\xff.jsonl") if sys.platform == "linux" else "s.jsonl"  # other systems have no such names
    path = put(tmp_path / "home" / ".claude" / "projects" / "-p" / name, records(4))
    world = World(tmp_path, all_agents()["claude_code"], Home(tmp_path / "home", {}))
    world.capture()
    ref = world.ref()
    path.write_bytes(records(1))

    _, undo = restored(world, ref)
    kept = msgspec.json.decode(msgspec.json.encode(undo), type=RestoreUndo)

    assert path.read_bytes() == records(4)
    undo_restore(world.vault, world.agent, ref, world.home, kept, capture=world.capture)
    assert path.read_bytes() == records(1)


def test_the_date_is_the_versions_own_unless_the_agent_would_delete_it_again(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    days_ago = (clock.now_ms() - 40 * 86_400_000) // 1000
    path.write_bytes(records(11))
    os.utime(path, (days_ago, days_ago))
    claude.capture()
    path.unlink()
    settings = put(claude.home.path / ".claude" / "settings.json", b'{"cleanupPeriodDays": 90}')

    kept, _ = restored(claude, ref)
    kept_date = path.stat().st_mtime
    path.unlink()
    settings.unlink()
    fresh, _ = restored(claude, ref)

    assert kept_date == days_ago
    assert not any("date" in note for note in kept.notes)
    assert abs(path.stat().st_mtime - time.time()) < 60
    assert any("date" in note for note in fresh.notes)


def test_an_agent_that_keeps_nothing_is_named(claude: World) -> None:
    ref = claude.ref()
    Path(ref.path).unlink()
    put(claude.home.path / ".claude" / "settings.json", b'{"cleanupPeriodDays": 0}')

    done, _ = restored(claude, ref)

    assert any("keep no sessions" in note for note in done.notes) or "date" not in " ".join(done.notes)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Any]:
    """Start a process that has a file open, to write or to read."""
    started: list[subprocess.Popen[bytes]] = []

    def start(path: Path, mode: str) -> None:
        code = f"import sys; f = open({str(path)!r}, {mode!r}); print('open', flush=True); sys.stdin.read()"
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"open"

    yield start
    for process in started:
        process.communicate()


def test_nothing_is_restored_while_a_program_writes_the_file(claude: World, writer: Any) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    path.write_bytes(records(2))
    writer(path, "ab")

    with pytest.raises(NotNow, match="Claude Code has this session open"):
        restored(claude, ref)

    assert path.read_bytes() == records(2)


def test_who_only_reads_does_not_hold_it_up(claude: World, writer: Any) -> None:
    path = Path(claude.ref().path)
    writer(path, "rb")

    assert is_open(path) is (sys.platform == "win32")  # which refuses to open it alone
    writer(path, "r+b")
    assert is_open(path)


def test_a_session_that_a_process_says_it_works_on_is_refused(claude: World) -> None:
    ref = claude.ref()
    put(claude.home.path / ".claude" / "sessions" / f"{os.getpid()}.json", json.dumps({"sessionId": SESSION}).encode())

    with pytest.raises(NotNow):
        restored(claude, ref)


def test_what_is_not_in_the_vault_is_never_replaced(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    path.write_bytes(records(2))

    with pytest.raises(NotNow):
        restore_to_agent(claude.vault, claude.agent, ref, claude.home, session_id="x", capture=lambda: None)

    assert path.read_bytes() == records(2)


def test_what_the_agent_writes_while_a_version_is_put_back_is_never_replaced(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    path.write_bytes(records(2))
    content = claude.vault.content

    class Slow:
        """The vault, in which an agent has time to write while a version is read."""

        def __getattr__(self, name: str) -> Any:
            return getattr(claude.vault, name)

        def content(self, *which: Any) -> Iterator[bytes]:
            yield from content(*which)
            if which[1] == ref.key:
                path.write_bytes(records(5))

    with pytest.raises(NotNow, match="just changed"):
        restore_to_agent(cast(Vault, Slow()), claude.agent, ref, claude.home, session_id="x", capture=claude.capture)

    assert path.read_bytes() == records(5)
    assert not list(claude.home.path.rglob("*.tmp"))


def test_undo_does_not_take_away_what_the_agent_added_unless_told(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    path.write_bytes(records(3))
    _, undo = restored(claude, ref)
    path.write_bytes(records(12))

    with pytest.raises(Refused, match="gone on"):
        undo_restore(claude.vault, claude.agent, ref, claude.home, undo, capture=claude.capture)
    assert path.read_bytes() == records(12)
    undo_restore(claude.vault, claude.agent, ref, claude.home, undo, capture=claude.capture, is_forced=True)

    assert path.read_bytes() == records(3)
    assert b"".join(claude.vault.content(ref.agent, ref.key)) == records(12)


def test_a_repaired_copy_goes_in_the_place_of_the_damaged_file(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    damaged = records(4) + b"\0" * 512
    path.write_bytes(damaged)
    mended = repaired(damaged, claude.agent, name=path.name)

    claude.capture()
    number = claude.vault.versions(ref.agent, ref.key)[-1].number
    done, undo = restored(claude, ref, number=number, repaired=mended.data)

    assert path.read_bytes() == mended.data == records(4)
    assert done.replaced_version == number
    undo_restore(claude.vault, claude.agent, ref, claude.home, undo, capture=claude.capture)
    assert path.read_bytes() == damaged


def test_a_folder_in_the_files_place_is_not_removed_unless_it_is_empty(claude: World) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    whole = path.read_bytes()
    path.unlink()
    inner = put(path / "mine.txt", b"x")

    with pytest.raises(Refused, match="Something else stands"):
        restored(claude, ref)
    assert inner.read_bytes() == b"x"
    inner.unlink()
    restored(claude, ref)

    assert path.read_bytes() == whole


def test_a_link_in_the_way_is_never_followed(claude: World, tmp_path: Path) -> None:
    ref = claude.ref()
    folder = Path(ref.path).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / f"{SESSION}.jsonl").unlink()

    with pytest.raises(Refused, match="link"):
        restored(claude, ref)

    assert not (tmp_path / "elsewhere" / f"{SESSION}.jsonl").exists()


def test_a_root_that_is_a_link_is_the_persons_own_way_to_keep_it_elsewhere(claude: World, tmp_path: Path) -> None:
    ref = claude.ref()
    root = claude.home.path / ".claude" / "projects"
    root.rename(tmp_path / "dotfiles")
    root.symlink_to(tmp_path / "dotfiles")
    results = Path(ref.path).parent / SESSION / "tool-results" / "t.txt"
    results.unlink()
    whole = Path(ref.path).read_bytes()
    Path(ref.path).unlink()

    restored(claude, ref)

    assert Path(ref.path).read_bytes() == whole
    assert results.read_bytes() == b"long"


def test_a_failure_leaves_everything_as_it_was(claude: World, tmp_path: Path) -> None:
    ref = claude.ref()
    path = Path(ref.path)
    path.write_bytes(records(2))
    todos = put(claude.home.path / ".claude" / "todos" / f"{SESSION}-agent-{SESSION}.json", b"[1]")
    claude.capture()
    strands = [one for one in (tmp_path / "vault").rglob("*.hold") if one.stat().st_size > 100]
    best = max(strands, key=lambda one: one.stat().st_size)
    damaged = bytearray(best.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    best.write_bytes(damaged)

    with pytest.raises(HoldfastError):
        restored(claude, ref, number=1)

    assert path.read_bytes() == records(2)
    assert todos.read_bytes() == b"[1]"
    assert not list(claude.home.path.rglob("*.tmp"))


def test_a_compressed_rollout_comes_back_in_the_form_that_the_version_has(tmp_path: Path) -> None:
    import zstandard

    name = f"rollout-2026-03-03T10-00-00-{SESSION}"
    folder = tmp_path / "home" / ".codex" / "sessions" / "2026" / "03" / "03"
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    kinds = [("session_meta", {"id": SESSION, "cwd": "/p"}), ("response_item", said)]
    rows = [{"timestamp": "2026-03-03T10:00:00.000Z", "type": kind, "payload": payload} for kind, payload in kinds]
    plain = put(folder / f"{name}.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    world = World(tmp_path, all_agents()["codex"], Home(tmp_path / "home", {}))
    world.capture()
    before, first = world.read(world.ref()), plain.read_bytes()
    packed = put(folder / f"{name}.jsonl.zst", zstandard.compress(first[:200]))
    plain.unlink()
    world.capture()

    _, undo = restored(world, world.ref(), number=1)

    assert plain.read_bytes() == first
    assert not packed.exists()
    assert world.read(world.ref()) == before
    undo_restore(world.vault, world.agent, world.ref(), world.home, undo, capture=world.capture)
    assert packed.exists()
    assert not plain.exists()


def test_another_form_of_a_session_gives_way_to_the_one_that_the_version_had(tmp_path: Path) -> None:
    chats = tmp_path / "home" / ".gemini" / "tmp" / "p" / "chats"
    head = {"sessionId": "6e110000-0000-4000-8000-00000000000c", "projectHash": "p"}
    said = {"id": "1", "type": "user", "content": "hi", "timestamp": "2026-03-03T10:00:00.000Z"}
    document = put(chats / "session-2026-03-02T09-00-6e110000.json", json.dumps({**head, "messages": [said]}).encode())
    world = World(tmp_path, all_agents()["gemini"], Home(tmp_path / "home", {}))
    world.capture()
    whole, before = document.read_bytes(), world.read(world.ref())
    lines = put(document.with_suffix(".jsonl"), json.dumps(head).encode() + b"\n")
    document.unlink()
    world.capture()
    assert world.read(world.ref())[0][1] == []

    _, undo = restored(world, world.ref(), number=1)

    assert document.read_bytes() == whole
    assert not lines.exists()
    assert timeless(world.read(world.ref())) == timeless(before)
    undo_restore(world.vault, world.agent, world.ref(), world.home, undo, capture=world.capture)
    assert (document.exists(), lines.exists()) == (False, True)


def test_a_database_goes_back_only_where_none_is(tmp_path: Path) -> None:
    world = world_of("goose/database", tmp_path)
    world.capture()
    ref = world.ref("sessions.db")
    before = world.read(ref)

    with pytest.raises(Refused, match="all sessions in one database"):
        restored(world, ref)
    Path(ref.path).unlink()
    wal = put(Path(f"{ref.path}-wal"), b"left")
    with pytest.raises(Refused, match="Parts of a database"):
        restored(world, ref)
    wal.unlink()
    restored(world, ref)

    assert [messages for _, messages in world.read(world.ref("sessions.db"))] == [messages for _, messages in before]


def test_a_path_gets_the_very_bytes_and_never_replaces_a_file(claude: World, tmp_path: Path) -> None:
    ref = claude.ref()
    whole = Path(ref.path).read_bytes()
    Path(ref.path).write_bytes(records(1))
    claude.capture()

    done = restore_to_path(claude.vault, ref, tmp_path / "copy.jsonl", session_id="x", number=1)

    assert (tmp_path / "copy.jsonl").read_bytes() == whole
    assert (done.kind, done.version) == ("path", 1)
    with pytest.raises(Refused, match="of this name"):
        restore_to_path(claude.vault, ref, tmp_path / "copy.jsonl", session_id="x", number=2)
    assert (tmp_path / "copy.jsonl").read_bytes() == whole
    with pytest.raises(Refused, match="folder"):
        restore_to_path(claude.vault, ref, tmp_path / "none" / "copy.jsonl", session_id="x")
    with pytest.raises(NotFound):
        restore_to_path(claude.vault, ref, tmp_path / "other.jsonl", session_id="x", number=77)


def test_a_moved_projects_session_gets_a_copy_where_its_agent_looks_there(claude: World) -> None:
    ref = claude.ref()
    old = Path(ref.path)

    done, undo = restore_to_project(claude.vault, claude.agent, ref, claude.home, "/home/ada/moved", session_id="x")

    new = old.parent.parent / "-home-ada-moved" / old.name
    assert done.path == str(new)
    assert new.read_bytes() == old.read_bytes()
    assert (new.parent / SESSION / "tool-results" / "t.txt").read_bytes() == b"long"
    assert not (new.parent / "sessions-index.json").exists()
    with pytest.raises(Refused, match="already"):
        restore_to_project(claude.vault, claude.agent, ref, claude.home, "/home/ada/moved", session_id="x")
    undo_restore(claude.vault, claude.agent, ref, claude.home, undo, capture=lambda: None)
    assert not new.exists()
    assert old.exists()


def test_an_agent_that_finds_sessions_from_anywhere_needs_no_copy(tmp_path: Path) -> None:
    world = world_of("codex/plain", tmp_path)
    world.capture()

    with pytest.raises(Refused, match="another directory"):
        restore_to_project(world.vault, world.agent, world.ref(), world.home, "/home/ada/moved", session_id="x")
