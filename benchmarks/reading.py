"""Measure what reading sessions costs above decoding their JSON: CPU time, both in the same run, one after the other.

    python3 -m benchmarks.reading                   invented sessions of 4 MB
    python3 -m benchmarks.reading kimi grok
    python3 -m benchmarks.reading --home FOLDER     every source over 200 KB of a home directory

Decoding is that of every line into plain values by the decoder that the
readers use; what the standard library needs for it is shown beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.errors import SourceError

from benchmarks.report import Bar, bars
from benchmarks.talks import FORMS, write_talk

_LIMIT = 3.0  # milliseconds a megabyte
_ROUNDS = 15
_SMALLEST = 200_000
_MB = 1_000_000
_decode = msgspec.json.Decoder().decode


def main(arguments: list[str]) -> int:
    """Print the figures; returns 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("agents", nargs="*")
    parser.add_argument("--megabytes", type=float, default=4)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args(arguments)
    if unknown := set(options.agents) - all_agents().keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if options.home is not None:
        found = list(_of_home(options.home, options.agents or sorted(all_agents())))
    else:
        found = [_invented(agent, options.megabytes) for agent in options.agents or sorted(FORMS)]
    print(bars(found), flush=True)
    return int(not all(bar.is_met for bar in found))


def _invented(name: str, megabytes: float) -> Bar:
    with tempfile.TemporaryDirectory() as folder:
        home, agent = Home(Path(folder), {}), all_agents()[name]
        path = write_talk(name, home.path, megabytes)
        (ref,) = (ref for ref in agent.discover(home) if ref.path == str(path))
        return _measured(agent, ref, home, name)


def _of_home(folder: Path, names: list[str]) -> Iterator[Bar]:
    home = Home(folder, {})
    for name in names:
        for ref in all_agents()[name].discover(home):
            if ref.fingerprint.size_bytes >= _SMALLEST and ref.path.endswith("l"):
                try:
                    yield _measured(all_agents()[name], ref, home, f"{name} …{ref.path[-24:]}")
                except SourceError:
                    continue


def _measured(agent: Agent, ref: SourceRef, home: Home, title: str) -> Bar:
    lines = [line for line in Path(ref.path).read_bytes().split(b"\n") if line]
    megabytes = ref.fingerprint.size_bytes / _MB
    pairs = [(_spent(lambda: agent.read(ref, home)), _spent(lambda: _decoded(lines))) for _ in range(_ROUNDS)]
    above = statistics.median(read - plain for read, plain in pairs) / megabytes
    plain = statistics.median(plain for _, plain in pairs) / megabytes
    usual = statistics.median(_spent(lambda: [_loaded(line) for line in lines]) for _ in range(3)) / megabytes
    about = f"{megabytes:.1f} MB, {len(lines)} lines, decoding {plain:.1f}, by the library {usual:.1f}"
    return Bar(f"{title}: above decoding ({about})", above, _LIMIT, "ms/MB")


def _decoded(lines: list[bytes]) -> None:
    for line in lines:
        try:
            _decode(line)
        except msgspec.DecodeError:
            continue


def _loaded(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _spent(work: Callable[[], object]) -> float:
    """Return the milliseconds of CPU that a call takes, with throwing its result away."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1_000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
