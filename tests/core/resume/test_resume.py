from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from holdfast_core import resume
from holdfast_core.errors import HoldfastError, NotFound, ProjectGone, Refused, WrongUsage
from holdfast_core.resume import spawn
from holdfast_core.settings import Settings

from tests.core.resume.world import World

DEFAULTS = Settings()
HOSTILE_IDS = [
    *("--dangerously-skip-permissions", "-c", "a\nb", "$(touch PWN)", "%PATH%", '"&calc', "a b", "", "..", "a/b"),
    *("x" * 129, "a;b", "`x`", ".hidden", "é"),
]


def test_a_plan_says_what_will_run_where(world: World):
    world.write_terminal("xterm")

    plan = resume.plan(world.entry(native_id="abc-1"), world.agent, world.home, DEFAULTS)

    assert plan.argv == ("fake-agent", "--resume=abc-1")
    assert (plan.cwd, plan.terminal, plan.method) == (str(world.project), "xterm", "terminal")
    assert plan.program == str(world.bin / "fake-agent")
    assert not world.agent_record.exists()


def test_a_started_plan_runs_the_agent_in_its_directory(world: World):
    world.write_terminal("xterm")
    plan = resume.plan(world.entry(native_id="abc-1"), world.agent, world.home, DEFAULTS, fork=True)

    resume.start(plan, world.home, DEFAULTS)

    seen = world.agent_saw()
    assert (seen["argv"], seen["cwd"]) == (["--resume=abc-1", "--fork"], str(world.project))
    assert world.traces_of_a_shell() == []


@pytest.mark.parametrize("native_id", HOSTILE_IDS)
def test_a_hostile_id_is_refused(world: World, native_id: str):
    world.write_terminal("xterm")

    with pytest.raises(Refused):
        resume.plan(world.entry(native_id=native_id), world.agent, world.home, DEFAULTS)


def test_a_control_character_in_any_argument_is_refused(world: World):
    world.agent.more = ("--dir=a\nb",)

    with pytest.raises(Refused):
        resume.plan(world.entry(), world.agent, world.home, DEFAULTS)


def test_an_agent_that_is_not_installed_is_told_with_how_to_get_it(world: World):
    (world.bin / "fake-agent").unlink()

    with pytest.raises(NotFound, match=r"Fake Agent is not installed here\. Run: fetch fake-agent\."):
        resume.plan(world.entry(), world.agent, world.home, DEFAULTS)


def test_without_a_terminal_there_is_a_line_to_copy(world: World):
    del world.environment["DISPLAY"]

    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS)

    assert (plan.method, plan.terminal) == ("copy", "")
    assert plan.shell_line.endswith(" && fake-agent --resume=abc")
    with pytest.raises(Refused, match="No terminal"):
        resume.start(plan, world.home, DEFAULTS)


def test_the_terminal_named_now_goes_before_the_setting(world: World):
    world.write_terminal("xterm")
    world.write_terminal("foot")
    settings = Settings(terminal="foot")

    plans = [
        resume.plan(world.entry(), world.agent, world.home, settings, terminal_name=name)
        for name in (None, "xterm", "copy", "here")
    ]

    assert [plan.terminal for plan in plans] == ["foot", "xterm", "", "here"]
    with pytest.raises(WrongUsage):
        resume.plan(world.entry(), world.agent, world.home, settings, terminal_name="nope")


def test_an_own_terminal_is_used(world: World):
    world.write_terminal("myterm")
    settings = Settings(terminal="custom", terminal_command=("myterm", "--", "{command}"))

    resume.start(resume.plan(world.entry(), world.agent, world.home, settings), world.home, settings)

    assert world.agent_saw()["cwd"] == str(world.project)


def test_a_project_that_is_gone_is_told_with_where_it_may_be(world: World):
    elsewhere = world.top / "code" / "new" / world.project.name
    elsewhere.mkdir(parents=True)
    world.project.rmdir()

    with pytest.raises(ProjectGone) as raised:
        resume.plan(world.entry(), world.agent, world.home, DEFAULTS)

    assert raised.value.candidates == (str(elsewhere),)
    assert raised.value.path == str(world.project)


def test_a_chosen_project_is_used(world: World):
    chosen = world.top / "chosen"
    chosen.mkdir()
    world.project.rmdir()

    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS, project=chosen)

    assert plan.cwd == str(chosen)


def test_a_remembered_move_is_followed(world: World):
    new = world.top / "new"
    (world.top / "code").rename(new)

    plan = resume.plan(
        world.entry(), world.agent, world.home, DEFAULTS, moved_projects={str(world.top / "code"): str(new)}
    )

    assert plan.cwd == str(new / world.project.name)


def test_a_session_whose_file_is_gone_is_refused(world: World):
    world.source.unlink()

    with pytest.raises(Refused, match="file of this session is gone"):
        resume.plan(world.entry(), world.agent, world.home, DEFAULTS)


def test_no_project_at_all_asks_for_one_and_never_takes_the_home(world: World):
    with pytest.raises(Refused, match="Choose one"):
        resume.plan(world.entry(project_path=""), world.agent, world.home, DEFAULTS)


def test_a_project_replaced_between_plan_and_start_is_not_entered(world: World):
    world.write_terminal("xterm")
    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS)
    other = world.top / "other"
    other.mkdir()
    world.project.rename(world.top / "moved-away")
    other.rename(world.project)

    with pytest.raises(Refused, match="replaced"):
        resume.start(plan, world.home, DEFAULTS)
    assert not (world.top / "xterm.json").exists()


def test_a_project_gone_between_plan_and_start_is_told(world: World):
    world.write_terminal("xterm")
    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS)
    world.project.rmdir()

    with pytest.raises(NotFound):
        resume.start(plan, world.home, DEFAULTS)


def test_a_terminal_gone_between_plan_and_start_is_told(world: World):
    terminal = world.write_terminal("xterm")
    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS)
    terminal.unlink()

    with pytest.raises(HoldfastError, match="xterm cannot be opened here"):
        resume.start(plan, world.home, DEFAULTS)


def test_trust_given_to_a_plan_holds_when_it_starts(world: World):
    world.write_terminal("xterm")
    world.project.chmod(0o777)
    with pytest.raises(Refused, match="Every user"):
        resume.plan(world.entry(), world.agent, world.home, DEFAULTS)

    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS, is_trusted=True)
    resume.start(plan, world.home, DEFAULTS)

    assert world.agent_saw()["cwd"] == str(world.project)


def test_an_agent_that_fails_keeps_its_words_on_the_screen(world: World):
    world.write_agent(code=3)
    identity = (world.project.stat().st_dev, world.project.stat().st_ino)
    command = spawn.guarded([str(world.bin / "fake-agent")], directory=str(world.project), identity=identity, tools="")

    running = subprocess.Popen(command, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    shown = running.stdout.readline() + running.stdout.readline()
    assert running.poll() is None
    running.communicate(b"\n", timeout=20)

    assert shown == b"\nEnded with code 3. Press Enter.\n"
    assert running.returncode == 3


def test_ctrl_c_is_the_agents_own(world: World):
    program = world.bin / "fake-agent"
    program.write_text("#!/bin/sh\ntrap 'exit 7' INT\necho ready\nwhile :; do sleep 0.05; done\n")
    identity = (world.project.stat().st_dev, world.project.stat().st_ino)
    command = spawn.guarded([str(program)], directory=str(world.project), identity=identity, tools="")

    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True, env=world.environment
    )
    ready = running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)

    assert (ready, running.communicate(timeout=20)[0]) == (b"ready\n", b"\nEnded with code 7. Press Enter.\n")


def test_the_agent_gets_the_persons_own_environment(world: World):
    world.write_terminal("xterm")

    environment = spawn.spawn_environment({"A": "1", "PWD": "/wrong", "OLDPWD": "/wrong"}, str(world.project))

    assert environment == {"A": "1", "PWD": str(world.project)}


def test_here_means_this_very_process(world: World, tmp_path: Path):
    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS, terminal_name="here")

    child = os.fork()
    if child == 0:
        os._exit(resume.run_here(plan, world.home))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    seen = world.agent_saw()
    assert (seen["argv"], seen["cwd"], seen["pwd"]) == (["--resume=abc"], str(world.project), str(world.project))


def test_the_agent_does_not_inherit_what_python_ignores(world: World):
    program = world.bin / "fake-agent"
    program.write_text("#!/bin/sh\nkill -PIPE $$\n")
    plan = resume.plan(world.entry(), world.agent, world.home, DEFAULTS, terminal_name="here")

    child = os.fork()
    if child == 0:
        os._exit(resume.run_here(plan, world.home))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGPIPE
