"""Several threads and processes use one vault: batches exclude each other, and nobody undoes what another has done."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from holdfast_core.vault.vault import Mark, Vault

from tests.core.vault.support import AGENT, World, transcript

_ROUNDS = 12
_CHILD = """
import sys
from pathlib import Path
from tests.core.vault.support import World, transcript
world = World(Path(sys.argv[1]))
for count in range(1, 13):
    world.capture(sys.argv[2], transcript(count * 2, first=int(sys.argv[3])))
"""


def test_threads_of_one_vault_take_turns(tmp_path: Path) -> None:
    world = World(tmp_path)

    def use(number: int) -> None:
        name = f"{number}.jsonl"
        for count in range(1, _ROUNDS):
            world.put(name, transcript(count, first=number * 100))
            world.vault.capture(world.ref(name), marks=[Mark(name, count)])
            world.vault.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))

    for number in range(4):
        assert world.content(f"{number}.jsonl") == transcript(_ROUNDS - 1, first=number * 100)
    assert world.vault.verify().bad == ()


def test_two_who_capture_the_same_source_make_one_strand(tmp_path: Path) -> None:
    world = World(tmp_path)
    other = Vault.open(tmp_path / "vault", lambda: world.keys, options=world.options)
    world.capture("a.jsonl", transcript(1))

    for count in range(2, 20):
        vault = (world.vault, other)[count % 2]
        world.put("a.jsonl", transcript(count))
        vault.capture(world.ref("a.jsonl"), marks=[Mark("one", count)])
        vault.commit()

    assert world.content("a.jsonl") == transcript(19)
    assert [one.messages for one in world.versions("a.jsonl")] == [19]
    assert other.verify().bad == ()
    other.close()


def test_processes_take_turns(tmp_path: Path) -> None:
    world = World(tmp_path)
    root = Path(__file__).parents[3]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path), f"{number}.jsonl", str(number * 100)],
            cwd=root,
            env={"PYTHONPATH": f"{root / 'core'}:{root}"},
        )
        for number in range(3)
    ]

    codes = [child.wait(60) for child in children]

    assert codes == [0, 0, 0]
    assert [world.content(f"{number}.jsonl") for number in range(3)] == [
        transcript(24, first=number * 100) for number in range(3)
    ]
    assert world.vault.states(AGENT).keys() == {world.key(f"{number}.jsonl") for number in range(3)}
    assert world.vault.verify().bad == ()
