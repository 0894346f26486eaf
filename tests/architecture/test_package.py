"""What is installed is what was tested: lock, metadata, packaging settings and the wheel agree."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import holdfast_core
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

RUN_LOCK = ROOT / "packaging" / "requirements.lock.txt"
DEV_LOCK = ROOT / "packaging" / "requirements-dev.lock.txt"
SYNC = ROOT / "packaging" / "sync_briefcase.py"


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _locked(*locks: Path) -> list[Requirement]:
    lines = [line.strip() for lock in locks for line in lock.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_dependency_is_locked_within_its_range(python: str, platform: str):
    here = {"python_version": python, "sys_platform": platform}
    project = _project()
    wanted = [Requirement(text) for text in project["project"]["dependencies"] + project["dependency-groups"]["dev"]]
    pins = {canonicalize_name(pin.name): pin for pin in _locked(RUN_LOCK, DEV_LOCK) if _holds(pin, here)}

    for requirement in wanted:
        if _holds(requirement, here):
            version = str(pins[canonicalize_name(requirement.name)].specifier).removeprefix("==")
            assert requirement.specifier.contains(version), f"{requirement} is locked to {version}"


def test_every_lock_is_exact():
    loose = [str(pin) for pin in _locked(RUN_LOCK, DEV_LOCK) if not str(pin.specifier).startswith("==")]

    assert loose == []


def test_nothing_is_locked_for_running_that_only_developers_need():
    named = {canonicalize_name(Requirement(text).name) for text in _project()["dependency-groups"]["dev"]}

    assert named & {canonicalize_name(pin.name) for pin in _locked(RUN_LOCK)} == set()


def test_the_packaging_settings_are_rendered():
    assert subprocess.run([sys.executable, str(SYNC), "--check"], check=False).returncode == 0


def test_packages_carry_the_version_of_the_code():
    briefcase = tomllib.loads((ROOT / "briefcase.toml").read_text("utf-8"))

    assert briefcase["version"] == holdfast_core.__version__


def test_packages_are_made_of_what_is_there():
    app = _project()["tool"]["briefcase"]["app"]["holdfast"]

    missing = [source for source in app["sources"] if not (ROOT / source).is_dir()]

    assert missing == []
    assert list((ROOT / app["icon"]).parent.glob(f"{Path(app['icon']).name}.*"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked as pip would."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q"]
    subprocess.run([*command, "-w", str(directory), str(ROOT)], check=True, timeout=110, capture_output=True)
    [wheel] = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory / "site")
    return directory / "site"


def test_the_wheel_holds_the_program_and_its_icons(installed: Path):
    names = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}

    icons = {f"holdfast_gui/_resources/icons/{icon.name}" for icon in (ROOT / "resources" / "icons").iterdir()}
    modules = {
        path.relative_to(folder).as_posix()
        for folder in (ROOT / "core", ROOT / "gui", ROOT / "packaging")
        for package in folder.glob("holdfast*")
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert icons | modules <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"holdfast", "holdfast_core", "holdfast_gui"}


def test_what_is_installed_starts_and_finds_its_icons(installed: Path):
    [entry_points] = installed.glob("*.dist-info/entry_points.txt")
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    program = "from holdfast_gui.resources import resources; print(resources())"

    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    version = subprocess.run(
        [sys.executable, "-m", "holdfast", "--version"], env=environment, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == str(installed / "holdfast_gui" / "_resources")
    assert version.stdout.split() == ["holdfast", holdfast_core.__version__]
    assert "holdfast = holdfast.__main__:main" in entry_points.read_text("utf-8")


def _holds(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)
