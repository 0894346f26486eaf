"""Measure redaction: what is found, what harmless text loses, and how fast.

    python3 -m benchmarks.redact

Invented transcripts are measured anywhere. Labelled secrets (JSON lines in gzip:
``rule``, ``text``, ``label``, ``source``) and recorded transcripts are other
people's and stand beside the checkout or where HOLDFAST_SECRETS and
HOLDFAST_CORPUS say; without them their figures are left out.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from holdfast_core.redact.engine import Redactor

from benchmarks.report import Bar, bars
from benchmarks.words import Words

_SHARED = Path(__file__).resolve().parents[2] / "shared"
SECRETS = Path(os.environ.get("HOLDFAST_SECRETS") or _SHARED / "secrets" / "benchmark.jsonl.gz")
CORPUS = Path(os.environ.get("HOLDFAST_CORPUS") or _SHARED / "corpus")
_RECALL = {"gitleaks": 0.99, "betterleaks": 0.95}
_RECORDS = 1_440
_MB = 1_000_000


def main() -> int:
    """Print the figures; returns 1 if a bar is not met."""
    redactor = Redactor(key=b"benchmark")
    found = [*_labelled(redactor), *_harmless(redactor), *_speed(redactor)]
    print(bars(found), flush=True)
    return int(not all(bar.is_met for bar in found))


def _labelled(redactor: Redactor) -> Iterator[Bar]:
    """Yield what share of the labelled secrets is not found, by source, and of what is found is none."""
    if not SECRETS.is_file():
        return
    counted: Counter[tuple[str, bool, bool]] = Counter()
    with gzip.open(SECRETS, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            counted[row["source"], row["label"], redactor.text(row["text"]) != row["text"]] += 1
    for source in sorted({source for source, _, _ in counted}):
        hit, missed, wrong = (counted[source, *key] for key in ((True, True), (True, False), (False, True)))
        yield Bar(f"{source}: secrets not found", missed / (hit + missed), 1 - _RECALL.get(source, 0.60))
        yield Bar(f"{source}: found, but labelled as none", wrong / (hit + wrong), 0.05)


def _harmless(redactor: Redactor) -> Iterator[Bar]:
    """Yield how many of 1,440 records of recorded transcripts are marked."""
    records = [line for path in sorted(CORPUS.rglob("*.jsonl")) if path.is_file() for line in _lines(path)]
    if not records:
        return
    marked = sum(redactor.text(record) != record for record in records)
    yield Bar(f"marked of {_RECORDS:,} harmless records", marked / len(records) * _RECORDS, 5)
    yield Bar("seconds for 40 MB of recorded transcripts", _seconds(redactor, records), 1, "s CPU")


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8", "replace").split("\n") if line]


def _speed(redactor: Redactor) -> Iterator[Bar]:
    """Yield the time for invented transcripts and for one short line."""
    words = Words(3)
    texts = [made(3_000) for made in (words.prose, words.code, words.log, words.cjk) for _ in range(400)]
    yield Bar("seconds for 40 MB of invented text", _seconds(redactor, texts), 1, "s CPU")
    short = "Let me look at the file and fix the failing test."
    started = time.process_time()
    for _ in range(100_000):
        redactor.text(short)
    yield Bar("a short harmless line", (time.process_time() - started) * 10, 2, "µs")


def _seconds(redactor: Redactor, texts: list[str]) -> float:
    """Return the time for 40 MB, when the expressions have been used once."""
    for text in texts[:2_000]:
        redactor.text(text)
    started = time.process_time()
    for text in texts:
        redactor.text(text)
    return (time.process_time() - started) / sum(len(text.encode("utf-8", "replace")) for text in texts) * 40 * _MB


if __name__ == "__main__":
    sys.exit(main())
