"""Secrets in sessions, environment, paths and errors reach no log, audit, report, other program or temporary file."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from holdfast_core.audit import AuditLog
from holdfast_core.errors import HoldfastError
from holdfast_core.log import incident, open_logs
from holdfast_core.model.message import Message, Text
from holdfast_core.paths import find_paths
from holdfast_core.redact.at_need import without_secrets
from holdfast_core.store.store import Store

from tests.core.cli.conftest import Person, a_person
from tests.fakes.canaries import COUNT, Canary, canaries
from tests.fakes.homes import Tool, Turn
from tests.faults.disk import FAULTS, Disk, Plan
from tests.faults.held_writers import (
    HeldAppend,
    HeldBackup,
    HeldCreate,
    HeldFields,
    HeldJournal,
    HeldRestore,
    HeldTrash,
    HeldWhole,
    StoreWriter,
)
from tests.faults.programme import fast_directory
from tests.faults.story import run

CANARIES = canaries()
WRITERS = (HeldAppend, HeldBackup, HeldCreate, HeldFields, HeldJournal, HeldRestore, HeldTrash, HeldWhole)
AUDIT_KEY = b"k" * 32
DATABASES = (".db", ".db-wal", ".db-shm")
"""What lists know: which project a session belongs to is what its path says."""
log = logging.getLogger("holdfast_core.canaries")


def leaks(text: str) -> list[str]:
    """Return the kinds of the canaries that are in a text."""
    return [one.kind for one in CANARIES if one.value in text]


def leaks_below(top: Path, *, but: Iterable[str] = ()) -> list[str]:
    """Return what is in the files below ``top``, by their names; ``but`` are endings of names that are left out."""
    endings = tuple(but)
    return [
        f"{path.name}: {kind}"
        for path in sorted(top.rglob("*"))
        if path.is_file() and not (endings and path.name.endswith(endings))
        for kind in leaks(path.read_bytes().decode("utf-8", "replace"))
    ]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """The directory of the log, which is open and takes everything."""
    paths = find_paths(tmp_path / "home", {})
    close = open_logs(paths, "debug", remove=without_secrets)
    yield paths.log
    close()


def test_there_are_sixty_of_sixty_kinds():
    assert len({one.kind for one in CANARIES}) == len({one.value for one in CANARIES}) == COUNT


def raised(canary: Canary) -> Iterator[BaseException]:
    """Yield errors of many kinds that hold a canary, each with a trace and a cause."""
    text, directory = canary.text, f"/srv/{canary.text}/project"
    makers = (
        lambda: ValueError(text),
        lambda: KeyError(text),
        lambda: FileNotFoundError(2, "No such file or directory", directory),
        lambda: UnicodeDecodeError("utf-8", text.encode(), 0, 1, f"invalid start byte in {text}"),
        lambda: HoldfastError("It failed.", detail=f"{directory} {text!r}"),
        lambda: RuntimeError({"environment": {"SECRET": text}}),
    )
    for make in makers:
        try:
            try:
                raise ValueError(f"while reading {directory}: {text}")
            except ValueError as cause:
                raise make() from cause
        except (HoldfastError, ValueError, KeyError, OSError, RuntimeError) as error:
            yield error


def test_no_secret_in_an_error_is_logged_or_told(written: Path, caplog: pytest.LogCaptureFixture):
    told = []
    for canary in CANARIES:
        for error in raised(canary):
            found = incident(log, error)
            told.append(f"{found.message}\n{found.details}")

    assert leaks("\n".join(told)) == []
    assert len(told) == 6 * COUNT
    assert leaks_below(written) == []
    caplog.clear()


@pytest.mark.parametrize("kind", WRITERS, ids=lambda kind: kind.__name__)
def test_no_secret_in_a_session_is_told_whatever_fails(
    written: Path, kind: type[StoreWriter], caplog: pytest.LogCaptureFixture
):
    """The session's texts, title, note and project hold all sixty; every call of the writer fails once."""
    refused = []
    with fast_directory() as top:
        writer = with_canaries(kind)()
        for number, plan in enumerate(plans(writer, top)):
            root = top / f"{number}" / CANARIES[number % COUNT].text
            root.mkdir(parents=True)
            writer.prepare(root)
            refused += run(writer, Disk(root, plan)).refused.values()
            audit = AuditLog.open(root / "audit.log", AUDIT_KEY)
            audit.record("session.saved", f"no id: {root.name}", "failed", refused[-1] if refused else "")
            assert writer.read(root) is not None

        assert leaks_below(top, but=DATABASES) == []

    assert leaks("\n".join(refused)) == []
    assert leaks_below(written) == []
    caplog.clear()


def with_canaries(kind: type[StoreWriter]) -> type[StoreWriter]:
    """Return a writer whose first session holds all sixty in everything that it says."""

    class Holding(kind):  # type: ignore[misc,valid-type]  # the kind is known when the test runs
        def begin(self, store: Store, ids: list[str]) -> None:
            text = "\n".join(one.text for one in CANARIES)
            messages = [Message(f"0{number}", "user", (Text(one.text),)) for number, one in enumerate(CANARIES)]
            store.append(ids[0], messages)
            store.set(ids[0], notes=text, project_path=f"/srv/{CANARIES[0].text}")
            super().begin(store, ids)

        def store(self, root: Path) -> Store:
            store = super().store(root)
            store.site.redaction = type(store.site.redaction)(without_secrets)
            return store

    return Holding


def plans(writer: StoreWriter, top: Path) -> list[Plan]:
    """Return a plan for every call of a writer, each with another one of its errors."""
    (top / "measured").mkdir()
    writer.prepare(top / "measured")
    disk = Disk(top / "measured")
    run(writer, disk)
    return [
        Plan(
            number,
            next(iter([fault for fault in FAULTS[name] if isinstance(fault, int)][number % 2 :]), FAULTS[name][0]),
        )
        for number, name in enumerate(disk.calls)
    ]


def failing(person: Person, session_id: str) -> Iterator[tuple[str, ...]]:
    """Yield commands that fail, each in its own way; the session's project is gone and its file is damaged later."""
    nobody = "0b8f2f4e-94b1-4d0a-9c33-5d6a3c1e7f00"
    garbage = person.top / "garbage.json"
    garbage.write_text('{"messages": ["' + " ".join(one.text for one in CANARIES) + '"')
    (person.top / "in-the-way").write_text("a file")
    yield from (
        ("sessions", "show", nobody),
        ("sessions", "resume", nobody),
        ("sessions", "resume", session_id),
        ("sessions", "delete", nobody, "--yes"),
        ("sessions", "rename", nobody, "x"),
        ("sessions", "export", session_id, "--output", str(person.top / "in-the-way" / "x.md")),
        ("sessions", "import", str(garbage)),
        ("sessions", "restore", session_id, "--yes"),
        ("keys", "unlock"),
        ("keys", "decrypt", "--yes"),
        ("config", "set", "tray_sessions", "many"),
        ("--set", "sessions_directory=" + str(person.top / "in-the-way"), "sessions", "list"),
        ("show", nobody),
        ("resume", nobody),
    )


def test_no_secret_is_told_by_a_command_that_fails(tmp_path: Path):
    """Real processes, with sixty in the environment, in the sessions, in a project's path and in the passphrase."""
    person = a_person(tmp_path)
    temporary = person.top / "temporary"
    temporary.mkdir()
    person.environment |= {f"CANARY_{number}_TOKEN": one.text for number, one in enumerate(CANARIES)}
    person.environment |= {"TMPDIR": str(temporary), "HOLDFAST_USE_KEYRING": "false"}
    person.environment["HOLDFAST_PASSPHRASE"] = CANARIES[0].text
    project = person.top / CANARIES[1].text
    project.mkdir()
    session_id = person.ok("sessions", "create", "--project", str(project), "--title", CANARIES[2].text).strip()
    for start in range(0, COUNT, 20):
        text = "\n".join(one.text for one in CANARIES[start : start + 20])
        person.ok("sessions", "append", session_id, "--role", "user", "--text", text)
    project.rmdir()

    told, failed = "", 0
    for command in failing(person, session_id):
        done = person.run("--set", "log_level=debug", *command)
        failed += done.returncode != 0
        told += f"\n{command}: {done.returncode}\n{done.stderr}" + (done.stdout if done.returncode else "")

    for command in ("show", "delete", "resume"):  # what was pasted is shown to who pasted it, and nowhere else
        person.run("sessions", command, CANARIES[3].value)

    assert leaks(told) == []
    assert failed > 8, told
    assert leaks_below(temporary) == []
    ours = person.top / "ours"
    assert leaks_below(ours, but=(*DATABASES, ".json")) == []
    assert sys.platform == "win32" or list(ours.rglob("audit.log"))


def test_no_secret_of_a_session_is_an_argument_of_its_agent(tmp_path: Path):
    """The agents, which say with what they were started, continue sessions that hold all sixty."""
    person = a_person(tmp_path)
    person.install_agents()
    turns = [Turn(one.text, one.text, [Tool("Bash", {"command": one.text}, one.text)], one.text) for one in CANARIES]
    for make in (person.sessions.claude, person.sessions.codex):
        make(CANARIES[0].text, turns, project="plain", ago=timedelta(minutes=1))
    person.json("index", "update")
    rows = [row for row in person.json("sessions", "list") if row["project_path"].endswith("plain")]
    person.ok("sessions", "note", rows[0]["id"], "\n".join(one.text for one in CANARIES[:9]))

    told = [person.ok("resume", row["id"], "--terminal", "here") for row in rows]

    assert len(told) == 2
    assert leaks("\n".join(told)) == []
    assert leaks_below(person.top / "ours" / "log") == []
