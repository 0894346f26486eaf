"""Holdfast itself, measured as its peers are, and in what they do not do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from holdfast_core.library import Library
from holdfast_core.paths import find_paths, self_command

from benchmarks.costs import Cost, Latency, run, summary, tree_bytes
from benchmarks.peers import Peer

_LOOK_EVERY_SECONDS = 0.002
_GIVE_UP_SECONDS = 60
# What would change where it looks, or keep Python from using compiled files, as an installed program does.
_VAULT = "HOLDFAST_VAULT_ENABLED"
_OWN_VARIABLES = ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "PYTHONDONTWRITEBYTECODE")


class Holdfast(Peer):
    """This program: the command line as a process, the library as the window uses it."""

    name = "Holdfast"
    note = "in its own process; every field is searched"

    def is_installed(self) -> bool:
        return True

    def cold(self) -> Cost:
        """Index from nothing without keeping versions, as other programs do."""
        self.clear()
        return run([*self_command(), "index", "update", "--json"], self.environment() | {_VAULT: "false"})

    def keeping(self) -> Cost:
        """Index from nothing and keep every version, as usual."""
        self.clear()
        return run([*self_command(), "index", "update", "--json"], self.environment() | {_VAULT: "true"})

    def again(self) -> Cost:
        return run([*self_command(), "index", "update", "--json"], self.environment())

    def stored_bytes(self) -> int:
        return tree_bytes(find_paths(self._home).index)

    def searches(self, queries: dict[str, list[str]]) -> dict[str, Latency]:
        return asyncio.run(self._searches(queries))

    def command_line(self, queries: list[str]) -> Latency:
        """Run whole processes, one for each query."""
        taken = []
        for text in queries:
            started = time.perf_counter()
            run([*self_command(), "sessions", "search", text, "--json"], self.environment())
            taken.append(time.perf_counter() - started)
        return summary(taken)

    def first_sessions(self) -> float:
        """Return the seconds from the start of a cold index until sessions can be listed."""
        self.clear()
        started = time.perf_counter()
        command = [*self_command(), "index", "update", "--json"]
        with subprocess.Popen(command, env=self.environment(), stdout=subprocess.DEVNULL) as indexer:
            seconds = asyncio.run(self._until_listed(started))
            indexer.wait(_GIVE_UP_SECONDS)
        return seconds

    def found(self, needles: dict[str, str], prefix: str) -> int:
        """Return how many needles lead to exactly the session that holds them."""
        return asyncio.run(self._found(needles, prefix))

    def appended(self, *, times: int = 20) -> Latency:
        """Return how long after a line was written to a session a search finds it, with the watcher running."""
        return asyncio.run(self._appended(times))

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}
        return {**inherited, "HOLDFAST_HOME": str(self._home), "HOME": str(self.archive), "PYTHONUTF8": "1"}

    @property
    def _home(self) -> Path:
        return self.scratch / "home"

    @asynccontextmanager
    async def library(self) -> AsyncIterator[Library]:
        """Open what was indexed, and close it."""
        library = Library.open(find_paths(self._home), agents_home=self.archive, environment={})
        try:
            yield library
        finally:
            await library.close()

    async def _searches(self, queries: dict[str, list[str]]) -> dict[str, Latency]:
        async with self.library() as library:
            return {kind: await _timed(library, kind, texts) for kind, texts in queries.items()}

    async def _until_listed(self, started: float) -> float:
        async with self.library() as library:
            while not await library.keys(""):
                _not_for_ever(started, "no session was listed")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
            return time.perf_counter() - started

    async def _found(self, needles: dict[str, str], prefix: str) -> int:
        right = 0
        async with self.library() as library:
            for needle, native_id in needles.items():
                hits = (await library.search(f"{prefix}{needle}", limit=5)).hits
                right += {hit.session_id.partition(":")[2] for hit in hits} == {native_id}
        return right

    async def _appended(self, times: int) -> Latency:
        files = sorted((self.archive / ".claude").rglob("*.jsonl"), key=lambda path: path.stat().st_size)
        chosen, taken = files[len(files) // 2 :][:times], []
        before = {path: path.stat() for path in chosen}
        try:
            async with self.library() as library:
                await library.start()
                await _seen(library, _add_line(chosen[0], "zawarmup"))
                for number, path in enumerate(chosen):
                    started = time.perf_counter()
                    await _seen(library, _add_line(path, f"za{number}appended"))
                    taken.append(time.perf_counter() - started)
        finally:
            for path, status in before.items():
                os.truncate(path, status.st_size)
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return summary(taken)


async def _timed(library: Library, kind: str, texts: list[str]) -> Latency:
    taken = []
    await library.search(texts[0], limit=50)
    for text in texts:
        for _ in range(3):
            started = time.perf_counter()
            await library.search(text, limit=50, typing=kind == "prefix")
            taken.append(time.perf_counter() - started)
    return summary(taken)


async def _seen(library: Library, word: str) -> None:
    """Return when a search finds ``word``."""
    started = time.perf_counter()
    while not (await library.search(word, limit=1)).hits:
        _not_for_ever(started, f"{word} was not found")
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _add_line(path: Path, word: str) -> str:
    """Write one more prompt with ``word`` at the end of a session, as its agent would."""
    last = next(json.loads(line) for line in reversed(path.read_bytes().splitlines()) if b'"uuid"' in line)
    unique = f"{word}{time.time_ns()}"
    last |= {"type": "user", "uuid": unique, "parentUuid": last["uuid"]}
    last["message"] = {"role": "user", "content": f"One more question about {unique}."}
    with path.open("ab") as file:
        file.write(json.dumps(last).encode() + b"\n")
    return unique


def _not_for_ever(started: float, what: str) -> None:
    if time.perf_counter() - started > _GIVE_UP_SECONDS:
        raise RuntimeError(f"After {_GIVE_UP_SECONDS} s {what}.")


async def listing(holdfast: Holdfast) -> dict[str, Latency]:
    """Return how long it takes to sort everything and to get the rows of one screen."""
    orders: list[float] = []
    pages: list[float] = []
    async with holdfast.library() as library:
        for order in ("updated", "title", "messages", "project") * 5:
            started = time.perf_counter()
            keys = await library.keys("", sort=order)
            orders.append(time.perf_counter() - started)
            started = time.perf_counter()
            await library.entries(keys[:128])
            pages.append(time.perf_counter() - started)
    return {"sort all": summary(orders), "one page": summary(pages)}
