"""What a scan captures, what it leaves alone, and what it does where the vault can take nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home
from holdfast_core.model.changes import LOCKED, NO_SPACE, ScanFailure
from holdfast_core.scan.capturing import CaptureStatus
from holdfast_core.scan.homes import with_homes
from holdfast_core.scan.kept import _Kept
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.vault import VaultOptions

from tests.core.agents.support import home_of
from tests.core.scan.keeping import Kept
from tests.core.scan.test_kept import RICHEST
from tests.core.scan.test_moves import NAME, NATIVE_ID, _said
from tests.fakes.agent import FakeAgent, append, write_session

ENOUGH = 1 << 60
SCAN = """
    import sys
    from pathlib import Path
    from holdfast_core.agents import all_agents
    from holdfast_core.agents.base import Agent, Home
    from holdfast_core.paths import find_paths
    from holdfast_core.scan.capturing import Capturing
    from holdfast_core.scan.kept import Keeping
    from holdfast_core.scan.once import update_once
    from holdfast_core.vault.looks import Looks

    paths, home = find_paths(sys.argv[1]), Home(Path(sys.argv[2]), {})

    def opened():
        from holdfast_core.sealed.keys import Keys
        from holdfast_core.vault.vault import Vault, VaultOptions

        return Vault.open(paths.vault, lambda: Keys.open(paths.keys), options=VaultOptions(reserve_bytes=0))

    vaults = []

    def vault():
        if not vaults:
            vaults.append(opened())
        return vaults[0]

    capturing = Capturing(Keeping(Looks(paths.vault, vault), vault))
    update_once(paths, all_agents(), home, full=False, capturing=capturing, timeout_seconds=30)
    wanted = ("cryptography", "holdfast_core.vault.vault", "holdfast_core.sealed.keys")
    print(*(name for name in wanted if name in sys.modules))
"""


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.open(tmp_path / "keys")


@pytest.fixture
def kept(tmp_path: Path, keys: Keys) -> Iterator[Kept]:
    (tmp_path / "home").mkdir()
    place = Kept(tmp_path, keys, {"fake": FakeAgent()}, Home(tmp_path / "home", {}))
    yield place
    place.close()


def _captured(kept: Kept, agent: str = "fake") -> set[str]:
    return {Path(look.path).name for look in kept.keeping.looks.of(agent).values()}


def test_an_agent_with_a_vault_answers_all_that_an_agent_is_asked() -> None:
    asked = {name for name, value in vars(Agent).items() if callable(value) and not name.startswith("_")}

    assert asked <= vars(_Kept).keys()


@pytest.mark.parametrize("is_told", [False, True])
def test_a_renamed_source_goes_on_as_the_same_without_a_copy(kept: Kept, is_told: bool) -> None:
    path = write_session(kept.home.path, "one", *["apple"] * 500)
    kept.update()
    size = kept.stored_bytes
    moved = path.rename(path.with_name("other.jsonl"))

    outcome = kept.update(*[path, moved] if is_told else [])

    assert (outcome.changes.lost, kept.ids("is:lost"), _captured(kept)) == ((), set(), {"other.jsonl"})
    assert kept.stored_bytes < size + 2_000
    assert [one.reason for one in kept.vault.versions("fake", str(moved))] == ["first", "moved"]


def test_a_source_that_lost_something_loses_no_more_by_being_renamed(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple", "pear", "plum")
    kept.update()
    write_session(kept.home.path, "one", "apple")
    kept.update()
    path.rename(path.with_name("other.jsonl"))

    outcome = kept.update()

    assert outcome.changes.lost == ()
    assert [(one.message_count, one.lost_messages) for one in kept.entries().values()] == [(3, 2)]


def test_a_renamed_source_whose_name_is_its_sessions_loses_nothing_either(tmp_path: Path, keys: Keys) -> None:
    place = Kept(tmp_path, keys, {"qwen": all_agents()["qwen"]}, home_of(RICHEST["qwen"], tmp_path))
    place.update()
    (path,) = (Path(ref.path) for ref in place.agents["qwen"].discover(place.home))
    messages = sum(one.message_count for one in place.entries().values())
    path.rename(path.with_name(f"zz{path.name}"))

    outcome = place.update()
    again = place.update(full=True)

    assert (outcome.changes.lost, again.changes.lost, place.ids("is:lost")) == ((), (), set())
    assert sum(one.message_count for one in place.entries().values()) == messages
    place.close()


def test_an_archived_rollout_goes_on_as_the_same(tmp_path: Path, keys: Keys) -> None:
    place = Kept(tmp_path, keys, all_agents(), Home(tmp_path / "home", {}))
    path = tmp_path / "home" / ".codex" / "sessions" / "2026" / "11" / "20" / NAME
    path.parent.mkdir(parents=True)
    meta = {"type": "session_meta", "payload": {"id": NATIVE_ID, "cwd": "/p", "timestamp": "2026-11-20T10:00:00Z"}}
    records = [meta, _said("apple"), _said("pear")]
    path.write_text("".join(json.dumps({"timestamp": "2026-11-20T10:00:00Z", **record}) + "\n" for record in records))
    place.update()
    archived = tmp_path / "home" / ".codex" / "archived_sessions" / NAME
    archived.parent.mkdir()
    path.rename(archived)

    outcome = place.update()

    assert (outcome.changes.lost, place.ids("is:lost"), len(place.keeping.looks.of("codex"))) == ((), set(), 1)
    place.close()


def test_another_file_in_the_place_of_a_gone_one_is_not_taken_for_it(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple", "pear")
    kept.update()
    path.unlink()
    other = write_session(kept.home.path, "two", "plum")

    kept.update()

    assert {one.id: one.lost_messages for one in kept.entries().values()} == {"fake:one": 2, "fake:two": 0}
    assert other.exists()


def test_what_happens_between_two_looks_is_taken_in_by_its_path(kept: Kept) -> None:
    path, other = (write_session(kept.home.path, name, "apple", "pear") for name in ("one", "two"))
    kept.update()
    path.unlink()

    outcome = kept.update(path)
    append(other, "plum")
    later = kept.update(other)

    assert [(loss.id, loss.messages, loss.reason) for loss in outcome.changes.lost] == [("fake:one", 2, "deleted")]
    assert (later.changes.changed, later.discovery.kept) == (("fake:two",), [])
    assert {one.id: one.lost_messages for one in kept.entries().values()} == {"fake:one": 2, "fake:two": 0}


def test_a_cut_source_that_its_agent_goes_on_with_stays_whole(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple", "pear", "plum")
    kept.update()
    write_session(kept.home.path, "one", "apple")
    kept.update()

    losses = []
    for text in ("kiwi", "fig"):
        append(path, text)
        losses += kept.update(path).changes.lost

    assert losses == []
    assert [message.blocks[0].text for message in kept.session("fake:one").messages] == [
        "apple", "pear", "plum", "kiwi", "fig",
    ]  # fmt: skip
    assert kept.entries()["fake:one"].lost_messages == 2


def test_what_is_left_out_is_indexed_and_not_captured(kept: Kept) -> None:
    kept.left_out = ("agent:other", "kind:subagent", "project:/elsewhere")
    kept.agents = {"fake": FakeAgent(), "other": FakeAgent("other")}
    kept.open()
    write_session(kept.home.path, "one", "apple")
    write_session(kept.home.path, "two", "pear", agent="other")

    kept.update()

    assert set(kept.entries()) == {"fake:one", "other:two"}
    assert (_captured(kept), _captured(kept, "other")) == ({"one.jsonl"}, set())


def test_a_project_that_is_left_out_is_not_read_again_at_every_look(kept: Kept) -> None:
    kept.left_out = ("project:/project",)
    kept.open()
    write_session(kept.home.path, "one", "apple")
    kept.update()

    outcome = kept.update()

    assert (_captured(kept), outcome.discovery.changes) == (set(), [])


def test_what_the_index_knew_before_there_was_a_vault_is_captured(kept: Kept) -> None:
    kept.left_out = ("agent:fake",)
    kept.open()
    write_session(kept.home.path, "one", "apple")
    kept.update()
    kept.left_out = ()
    kept.open()

    outcome = kept.update()

    assert (_captured(kept), outcome.changes.changed) == ({"one.jsonl"}, ())


def test_without_space_the_index_goes_on_and_it_is_told_once(kept: Kept) -> None:
    kept.options = VaultOptions(reserve_bytes=ENOUGH)
    kept.open()
    write_session(kept.home.path, "one", "apple")

    first = kept.update()
    path = write_session(kept.home.path, "two", "pear")
    second = kept.update()

    assert set(kept.entries()) == {"fake:one", "fake:two"}
    assert (first.discovery.failures, second.discovery.failures) == ([ScanFailure("", NO_SPACE)], [])
    assert kept.told[-1] == CaptureStatus(captured=0, waiting=2, is_out_of_space=True)
    kept.options = VaultOptions(reserve_bytes=0)
    kept.open()
    kept.update(path)
    kept.update()
    assert _captured(kept) == {"one.jsonl", "two.jsonl"}
    assert kept.told[-1] == CaptureStatus(captured=2)


def test_without_space_nothing_leaves_the_index(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple", "pear")
    gone = write_session(kept.home.path, "two", "plum")
    kept.update()
    kept.options = VaultOptions(reserve_bytes=ENOUGH)
    kept.open()
    write_session(kept.home.path, "one", "kiwi")
    gone.unlink()

    kept.update()

    assert kept.found("pear") == {"fake:one"}
    assert kept.found("plum") == {"fake:two"}
    kept.options = VaultOptions(reserve_bytes=0)
    kept.open()
    kept.update()
    assert {one.id: (one.message_count, one.lost_messages) for one in kept.entries().values()} == {
        "fake:one": (3, 2),
        "fake:two": (1, 1),
    }
    assert path.exists()


def test_while_the_vault_is_locked_capturing_waits_and_nothing_leaves_the_index(kept: Kept) -> None:
    kept.keys.set_passphrase("a long passphrase")
    kept.options = VaultOptions(reserve_bytes=0, is_encrypted=True)
    kept.open()
    path = write_session(kept.home.path, "one", "apple", "pear")
    kept.update()
    kept.keys.lock()
    write_session(kept.home.path, "one", "apple")
    write_session(kept.home.path, "two", "plum")

    outcome = kept.update()

    assert {one.id: one.message_count for one in kept.entries().values()} == {"fake:one": 2, "fake:two": 1}
    assert outcome.discovery.failures == [ScanFailure("", LOCKED)]
    assert kept.told[-1] == CaptureStatus(captured=1, waiting=2, is_locked=True)
    kept.keys.unlock("a long passphrase")
    kept.update()
    assert {one.id: (one.message_count, one.lost_messages) for one in kept.entries().values()} == {
        "fake:one": (2, 1),
        "fake:two": (1, 0),
    }
    assert path.exists()


def test_while_the_vault_is_locked_a_renamed_source_is_listed_once(kept: Kept) -> None:
    kept.keys.set_passphrase("a long passphrase")
    kept.options = VaultOptions(reserve_bytes=0, is_encrypted=True)
    kept.open()
    path = write_session(kept.home.path, "one", "apple", "pear")
    kept.update()
    kept.keys.lock()
    path.rename(path.with_name("other.jsonl"))

    outcome = kept.update()

    assert (outcome.changes.lost, {one.id: one.state for one in kept.entries().values()}) == (
        (),
        {"fake:one": "closed"},
    )
    kept.keys.unlock("a long passphrase")
    kept.update()
    assert (kept.ids("is:lost"), kept.entries()["fake:one"].message_count) == (set(), 2)


def test_what_the_person_takes_out_of_the_vault_leaves_the_list(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple")
    kept.update()
    path.unlink()
    kept.update()
    kept.vault.forget("fake", str(path))

    outcome = kept.update()

    assert (kept.entries(), outcome.changes.removed) == ({}, ("fake:one",))


def test_what_cannot_be_looked_at_is_not_lost(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple")
    kept.update()
    path.parent.rename(kept.home.path / "elsewhere")
    path.parent.symlink_to(path.parent)

    kept.update()

    assert {one.id: one.state for one in kept.entries().values()} == {"fake:one": "closed"}


def test_a_home_that_is_away_when_the_index_is_built_is_shown_from_the_vault(tmp_path: Path, keys: Keys) -> None:
    other = tmp_path / "share"
    write_session(other, "one", "apple", "pear")
    (tmp_path / "home").mkdir()
    place = Kept(tmp_path, keys, with_homes({"fake": FakeAgent()}, [other]), Home(tmp_path / "home", {}))
    place.update()
    other.rename(tmp_path / "unmounted")
    other.mkdir()

    place.rebuild()

    assert {one.id: (one.message_count, one.state) for one in place.entries().values()} == {"fake:one": (2, "closed")}
    place.close()


def test_what_is_gone_in_another_home_stays(tmp_path: Path, keys: Keys) -> None:
    other = tmp_path / "share"
    write_session(other, "two", "plum")
    path = write_session(other, "one", "apple", "pear")
    (tmp_path / "home").mkdir()
    place = Kept(tmp_path, keys, with_homes({"fake": FakeAgent()}, [other]), Home(tmp_path / "home", {}))
    place.update()
    path.unlink()

    place.update()

    assert place.entries()["fake:one"].lost_messages == 2
    assert [message.role for message in place.session("fake:one").messages] == ["user", "user"]
    place.close()


def test_a_name_that_is_no_text_is_captured_and_shown_when_it_is_gone(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", "apple")
    odd = Path(os.fsdecode(os.fsencode(path.parent) + b"/b\xffd.jsonl"))
    path.rename(odd)
    kept.update()
    odd.unlink()

    kept.update()

    assert kept.entries()["fake:one"].lost_messages == 1
    assert len(kept.session("fake:one").messages) == 1


def test_damage_in_the_vault_takes_neither_what_is_listed_nor_what_is_at_the_source(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_session(kept.home.path, "one", "apple", "pear")
    gone = write_session(kept.home.path, "two", "plum")
    kept.update()
    write_session(kept.home.path, "one", "kiwi")
    gone.unlink()
    kept.update()
    kept.close()
    for strand in (kept.top / "vault").rglob("*.hold"):
        strand.write_bytes(strand.read_bytes()[:400] + b"other" + strand.read_bytes()[405:])
    kept.open()

    kept.update(full=True)

    assert kept.found("plum") == {"fake:two"}
    assert kept.found("kiwi") == {"fake:one"}
    assert path.exists() and "damaged" in caplog.text
    caplog.clear()


def test_a_damaged_catalogue_of_the_vault_is_made_anew_and_nothing_is_lost(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_session(kept.home.path, "one", "apple", "pear")
    kept.update()
    path.unlink()
    kept.update()
    kept.close()
    for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
        (kept.top / "vault" / name).write_bytes(b"no database" * 1000)
    kept.open()

    kept.rebuild()

    assert {one.id: one.lost_messages for one in kept.entries().values()} == {"fake:one": 2}
    assert "made anew" in caplog.text
    caplog.clear()


def test_one_line_more_costs_the_vault_that_line(kept: Kept) -> None:
    path = write_session(kept.home.path, "one", *["apple"] * 20_000)
    kept.update()
    before = kept.stored_bytes

    append(path, "pear")
    kept.update(path)
    append(path, "plum")
    outcome = kept.update(path)

    assert kept.stored_bytes - before < 2_000
    assert outcome.bytes_read < 100


def _run(script: str, *arguments: object, trace: Path | None = None) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    if trace is not None:
        calls = "trace=?read,?pread64,?readv,?copy_file_range"
        command = ["strace", "-f", "-y", "-qq", "-s", "0", "-o", str(trace), "-e", calls, *command]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_bytes_of_a_source_are_read_once_and_a_look_that_finds_nothing_new_needs_no_vault(tmp_path: Path) -> None:
    project = tmp_path / "home" / ".claude" / "projects" / "-p"
    project.mkdir(parents=True)
    path = project / "0190a000-0000-4000-8000-000000000001.jsonl"
    record = {"type": "user", "cwd": "/p", "timestamp": "2026-11-20T10:00:00Z", "message": {"role": "user"}}
    lines = [json.dumps({**record, "uuid": f"u{n}"} | {"text": f"{n}" * 400}) for n in range(5_000)]
    path.write_text("".join(f"{line}\n" for line in lines))

    used = _run(SCAN, tmp_path / "ours", tmp_path / "home", trace=tmp_path / "trace")

    calls = [line for line in (tmp_path / "trace").read_text("utf-8", "replace").splitlines() if str(path) in line]
    read = sum(int(found[1]) for line in calls if (found := re.search(r"= (\d+)$", line)))
    assert "holdfast_core.vault.vault" in used
    assert path.stat().st_size <= read <= path.stat().st_size + 4_096  # the end again, by which growth is told
    assert _run(SCAN, tmp_path / "ours", tmp_path / "home") == ""
