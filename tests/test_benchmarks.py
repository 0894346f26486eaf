"""Measurements measure what they say: the archive is what was asked for, and a bar is a bar."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.corpus import INNER, OUTPUT, PROSE, Shape, make_corpus
from benchmarks.costs import run, summary
from benchmarks.report import Bar, Row, bars, table

SMALL = Shape(sessions=40, megabytes=8, records=4_000)


def _bytes(home: Path) -> dict[str, bytes]:
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*.jsonl")}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, _ = make_corpus(tmp_path_factory.mktemp("archive"), SMALL)
    return home


def test_the_same_shape_gives_the_same_archive(archive: Path, tmp_path: Path):
    again, _ = make_corpus(tmp_path, SMALL)

    assert _bytes(again) == _bytes(archive)


def test_an_archive_has_the_size_that_was_asked_for(archive: Path):
    home, manifest = make_corpus(archive.parent, SMALL)

    assert home == archive
    assert manifest.sessions == len(_bytes(archive)) == 40
    assert manifest.size_bytes == sum(len(content) for content in _bytes(archive).values())
    assert manifest.size_bytes == pytest.approx(8_000_000, rel=0.25)
    assert manifest.records == pytest.approx(4_000, rel=0.25)


def test_every_needle_stands_in_its_session_alone(archive: Path):
    _, manifest = make_corpus(archive.parent, SMALL)
    files = _bytes(archive)

    for needle, session in manifest.needles.items():
        for wanted in (PROSE + needle, OUTPUT + needle, INNER + needle.title()):
            assert [session in name for name, content in files.items() if wanted.encode() in content] == [True]


def test_every_class_has_queries(archive: Path):
    _, manifest = make_corpus(archive.parent, SMALL)

    assert {kind: len(queries) for kind, queries in manifest.queries.items() if len(queries) < 10} == {}


def test_a_program_costs_its_children_too(tmp_path: Path):
    burn = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}], check=True)\nprint('done')"

    cost = run([sys.executable, "-c", program], dict(os.environ))

    assert cost.output == "done\n"
    assert cost.cpu_seconds >= 0.2
    assert cost.wall_seconds >= 0.2
    assert cost.peak_bytes > 5_000_000


def test_a_program_that_fails_is_no_measurement():
    with pytest.raises(RuntimeError, match=r"ended with 3: .*oh no"):
        run([sys.executable, "-c", "import sys\nprint('oh no', file=sys.stderr)\nsys.exit(3)"], dict(os.environ))


def test_a_summary_is_median_and_tail():
    latency = summary([float(number) for number in range(100)])

    assert (latency.p50, latency.p95, latency.count) == (49.5, 95.0, 100)


def test_a_table_shows_what_could_not_be_asked_as_a_dash():
    text = table(
        [Row("cold", {"Ours": 2.0, "Theirs": 8.0}, "s"), Row("append", {"Ours": 12.0}, "ms")], ["Ours", "Theirs"]
    )

    assert [line.split() for line in text.splitlines()] == [
        ["Ours", "Theirs", "Ours", "/", "Theirs"],
        ["cold,", "s", "2.00", "8.00", "0.25"],
        ["append,", "ms", "12.0", "–", "–"],
    ]


def test_a_bar_is_met_up_to_its_limit():
    lines = bars([Bar("one", 1.0, 1.0), Bar("two", 1.01, 1.0, "s")]).splitlines()

    assert [line.startswith("met") for line in lines] == [True, False]


def test_what_is_not_measured_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["nonsense"])

    assert "there is no nonsense" in capsys.readouterr().err
