"""An index that is damaged, of another version or gone: the list comes back by itself, and nobody has to answer."""

import os
from pathlib import Path

import apsw
import pytest
from holdfast_core.paths import Paths, find_paths

from tests.fakes.desk import started
from tests.fakes.homes import Turn
from tests.fakes.waiting import until

SECONDS = 20


async def index(directory: Path) -> Paths:
    """Fill the index as an earlier run would have, and return where it is."""
    paths = find_paths(str(directory / "home"))
    paths.create()
    async with started(directory) as desk:
        await until(lambda: len(desk.titles) == 12, seconds=SECONDS)
    return paths


def make_other_version(paths: Paths) -> None:
    connection = apsw.Connection(str(paths.index / "catalog.db"))
    connection.pragma("user_version", 1)
    connection.close()


def cut_catalog(paths: Paths) -> None:
    os.truncate(paths.index / "catalog.db", 5000)


def empty_catalog(paths: Paths) -> None:
    os.truncate(paths.index / "catalog.db", 0)


def lose_shard(paths: Paths) -> None:
    (paths.index / "shard_0001.db").unlink()


@pytest.mark.parametrize("damage", [make_other_version, cut_catalog, empty_catalog, lose_shard])
async def test_a_window_on_a_damaged_index_fills_its_list_by_itself(tmp_path, qapp, damage):
    damage(await index(tmp_path))

    async with started(tmp_path) as desk:
        await until(lambda: len(desk.titles) == 12, seconds=SECONDS)
        desk.window.search_field.set_text("jitter")
        await until(lambda: len(desk.titles) == 1, seconds=SECONDS)
        await until(lambda: "12 sessions" in desk.window.places.status.words, seconds=SECONDS)

        assert not desk.context.troubles.bar.isVisible() and not desk.context.troubles.dialog.isVisible()


async def test_a_window_says_what_goes_on_while_its_index_cannot_be_read(tmp_path, qapp):
    cut_catalog(await index(tmp_path))
    said = []

    async with started(tmp_path) as desk:
        said += [desk.window.places.status.words, desk.window.session_list.empty.sentence]
        await until(lambda: len(desk.titles) == 12, seconds=SECONDS)

    assert said == [
        "Building the index again\nIt was damaged or of another version",
        "Building the list again",
    ]


async def test_a_list_whose_index_is_removed_while_it_is_shown_comes_back(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await until(lambda: "12 sessions" in desk.window.places.status.words, seconds=SECONDS)
        desk.paths.index.rename(tmp_path / "thrown away")
        session = desk.id_of("Retry uploads after a dropped connection")
        desk.home.append(session, Turn("One more thing.", "Of course."))

        await until(lambda: desk.titles[:1] == ["Retry uploads after a dropped connection"], seconds=SECONDS)
        await until(lambda: len(desk.titles) == 12, seconds=SECONDS)
        await desk.select("Retry uploads after a dropped connection")


async def test_an_index_that_is_found_damaged_while_it_is_shown_is_built_again(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await until(lambda: "12 sessions" in desk.window.places.status.words, seconds=SECONDS)
        lose_shard(desk.paths)
        (desk.paths.index / "shard_0001.db").write_bytes(b"no database" * 1000)

        desk.window.search_field.set_text("jitter")

        await until(lambda: desk.titles == ["Retry uploads after a dropped connection"], seconds=SECONDS)
