"""Recorded databases and trees of files: every session comes through, and nothing raises, whatever is done to them."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading
from holdfast_core.errors import SourceError
from holdfast_core.model.usage import Usage

from tests.corpus import ROOT, transcripts

_FIXTURES = "jazzyalex__agent-sessions/Resources/Fixtures/stage0/agents"
_ROWS = "kenn-io__agentsview/internal/parser/testdata/kiro_sqlite"


class Store(NamedTuple):
    """What lies in the corpus, and where its agent would have it."""

    agent: str
    path: str
    place: str

    def __str__(self) -> str:
        return f"{self.agent}-{self.path.split('/')[1]}-{Path(self.path).name}"

    def put(self, folder: Path) -> Home:
        """Copy it into a home."""
        source, target = ROOT / self.path, folder / self.place
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
        return Home(folder, {})

    @property
    def messages(self) -> int:
        """How many messages the manifest counts in it."""
        top = ROOT / self.path
        found = transcripts(self.path.partition("/")[0], "")
        return sum(one.messages for one in found if one.path == top or top in one.path.parents)


STORES = (
    Store("opencode", "opencode/jwp23__dotfiles/.local/share/opencode", ".local/share/opencode"),
    Store("opencode", f"opencode/{_FIXTURES}/opencode/storage_v2", ".local/share/opencode/storage"),
    Store("opencode", f"opencode/{_FIXTURES}/opencode/storage_legacy", ".local/share/opencode/storage"),
    Store(
        "opencode",
        "opencode/SkyNexus-AI__entire-cli/cmd/entire/cli/transcript/compact/testdata/opencode_full.jsonl",
        ".local/share/opencode/storage/session/global/ses_x.json",
    ),
    Store("kilo", "kilo/Web-Designer-Rohan__Mushushi/.local/share/kilo/kilo.db", ".local/share/kilo/kilo.db"),
    Store("hermes", "hermes/3q110__junqi/.hermes", ".hermes"),
    Store("hermes", "hermes/juliuss1907__knowledge-base/.hermes", ".hermes"),
    *(
        Store("hermes", f"hermes/{_FIXTURES}/hermes/{name}.json", f".hermes/sessions/session_{name}.json")
        for name in ("small", "large", "schema_drift")
    ),
    *(
        Store(
            "kiro",
            f"kiro/yigitkonur__cli-continues/test-fixtures/kiro/workspace-sessions/test-workspace/{name}.json",
            f".config/Kiro/User/globalStorage/kiro.kiroagent/workspace-sessions/w/{name}.json",
        )
        for name in ("test-session-1", "test-session-edge")
    ),
    *(
        Store("crush", f"crush/{name}/.crush", ".crush")
        for name in ("gleicon__mcpfier", "nocapro__scn-ts-core", "Starmel__OpenSuperWhisper")
    ),
    *(
        Store("opencode_go", f"opencode-go/{name}/.opencode", ".opencode")
        for name in ("cachebag__rlox", "tyrellshawn__opencode", "navicore__flag-rs")
    ),
    Store("goose", "goose/jwp23__dotfiles/.local/share/goose", ".local/share/goose"),
    Store("zed", "zed/atlasatakahraman__AtlasAta-DotFiles/.local/share/zed", ".local/share/zed"),
)
FOUND = [store for store in STORES if (ROOT / store.path).exists()]
every_store = pytest.mark.parametrize("store", FOUND, ids=str)
every_database = pytest.mark.parametrize(
    "store", [store for store in FOUND if any((ROOT / store.path).rglob("*.db")) or store.path.endswith(".db")], ids=str
)


def readings(store: Store, folder: Path) -> list[Reading]:
    home, agent = store.put(folder), all_agents()[store.agent]
    return [agent.read(ref, home) for ref in agent.discover(home)]


def test_the_corpus_is_used_where_there_is_one() -> None:
    assert bool(FOUND) == (ROOT / "MANIFEST.tsv").is_file()


@every_store
def test_what_the_manifest_counts_comes_through(store: Store, tmp_path: Path) -> None:
    found = readings(store, tmp_path)

    messages = [message for reading in found for session in reading.sessions for message in session.messages]
    rows = {message.line for message in messages}
    assert found
    assert bool(messages) or store.agent == "goose"
    assert len(messages) >= store.messages - 2
    assert store.agent not in ("crush", "kilo", "opencode_go") or 0 <= store.messages - len(rows) <= 2
    assert [reading.problems for reading in found if reading.problems] == []
    assert [reading.unknown_records for reading in found if reading.unknown_records] == []
    # One store has a list of settings where others have a task.
    assert {name for reading in found for name in reading.unknown_fields} <= {"?"}


@every_store
def test_facts_agree_with_the_messages(store: Store, tmp_path: Path) -> None:
    for reading in readings(store, tmp_path):
        for session in reading.sessions:
            facts, messages = session.facts, session.messages
            assert facts.message_count == len(messages)
            assert facts.prompt_count == sum(message.role == "user" for message in messages)
            assert facts.title or facts.is_empty
            assert len({message.id for message in messages}) == len(messages)
            assert sum((response.usage for response in session.responses), Usage()) == facts.usage
            carried = sum((message.usage for message in messages if message.usage), Usage())
            assert carried == facts.usage or not any(message.role == "assistant" for message in messages)
            assert facts.cost_usd is None or 0 <= facts.cost_usd < 200
            assert facts.created_ms is not None
            assert facts.updated_ms is not None
            assert facts.created_ms <= facts.updated_ms


@pytest.mark.parametrize(("name", "messages"), [("standard", 4), ("overlap", 2), ("malformed", 0)])
def test_recorded_values_of_rows_are_read(name: str, messages: int, tmp_path: Path) -> None:
    """What another tool's tests put into a row."""
    import apsw

    ending = "txt" if name == "malformed" else "json"
    path = ROOT / "kiro" / _ROWS / f"{name}_payload.{ending}"
    if not path.exists():
        return
    database = tmp_path / ".local/share/kiro-cli/data.sqlite3"
    database.parent.mkdir(parents=True)
    connection = apsw.Connection(str(database))
    connection.execute("CREATE TABLE conversations_v2(key, conversation_id, value, created_at, updated_at)")
    connection.execute("INSERT INTO conversations_v2 VALUES('/p', 's', ?, 1, 2)", (path.read_text("utf-8"),))
    connection.close()
    home, agent = Home(tmp_path, {}), all_agents()["kiro"]
    (ref,) = agent.discover(home)

    reading = agent.read(ref, home)

    assert sum(len(session.messages) for session in reading.sessions) == messages
    assert len(reading.problems) == (name == "malformed")


@every_database
def test_a_database_that_is_damaged_gives_what_is_left_or_is_refused(store: Store, tmp_path: Path) -> None:
    home, agent = store.put(tmp_path), all_agents()[store.agent]
    (ref,) = (ref for ref in agent.discover(home) if ref.path.endswith(".db"))
    data = Path(ref.path).read_bytes()
    chance = random.Random(len(data))
    given = 0
    for _ in range(20):
        place = chance.randrange(len(data))
        Path(ref.path).write_bytes(data[:place] + chance.randbytes(16) + data[place + 16 :])
        try:
            given += bool(agent.read(ref, home).sessions)
        except SourceError as error:
            assert error.reason == "wrong_format"
    Path(ref.path).write_bytes(data[: len(data) // 2])
    try:
        agent.read(ref, home)
    except SourceError as error:
        assert error.reason == "wrong_format"

    assert given > 5
