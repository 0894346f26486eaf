"""The session of the pictures: long, with every kind of thing that a transcript shows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.fakes.pens import ClaudeCodePen

TITLE = "Why does the nightly deploy time out?"

HEALTH_BEFORE = """\
    async with pool.lock:
        return await pool.ping()
"""
HEALTH_AFTER = """\
    # Answers without the pool's lock: a migration may hold it for minutes.
    if pool.draining:
        return Response(status=503)
    return await pool.ping(timeout=2)
"""
HEALTH = """\
from kelp.http import Response, route
from kelp.pool import pool


@route("/health")
async def health(request):
    async with pool.lock:
        return await pool.ping()
"""
TEST = """\
async def test_the_probe_answers_while_a_migration_holds_the_lock(client, pool):
    async with pool.lock:
        response = await client.get("/health", timeout=1)

    assert response.status == 200


async def test_a_draining_pool_is_reported_as_unavailable(client, pool):
    await pool.drain()

    response = await client.get("/health")

    assert response.status == 503
"""
JOURNAL = "\n".join(
    f"Nov {18 + night} 02:{14 + step:02d}:0{step % 6} deploy[{4_100 + night}]: {what}"
    for night in range(3)
    for step, what in enumerate(
        (
            f"starting release 2026.11.{18 + night}",
            "running migration 0412_vacuum_sessions",
            "waiting for /health (1/12)",
            "waiting for /health (4/12)",
            "waiting for /health (8/12)",
            "waiting for /health (12/12)",
            "\x1b[31mhealth probe timed out after 120 s\x1b[0m, rolling back",
            f"rolled back to 2026.11.{17 + night}",
        )
    )
)
SEARCH = """\
src/deploy/health.py:41:async def health(request):
src/deploy/rollout.py:88:    await wait_for(health_probe, seconds=120)
src/deploy/rollout.py:93:    raise ProbeTimeout(health_probe)
src/kelp/pool.py:57:    lock: asyncio.Lock
src/kelp/migrate.py:120:        async with pool.lock:
tests/deploy/test_health.py:9:from deploy.health import health"""
FOUND = """\
Found it. The health probe takes `pool.lock` before it answers, and the migration that runs first holds that lock \
for the whole of `VACUUM`. On Tuesday the table crossed 40 GB, so the probe now waits longer than the 120 s limit.
"""
PLAN = (
    "Find what the probe waits for",
    "Answer without the lock",
    "Watch one nightly run",
    "Move VACUUM out of the deploy",
)


def write_deploy(home: Path, *, project: str, started: datetime) -> ClaudeCodePen:
    """Write the whole session; the caller saves it."""
    pen = ClaudeCodePen(home, project=project, started=started, branch="main")
    _find(pen)
    _mend(pen)
    _doubt(pen)
    for number, area in enumerate(("rollout", "pool", "migrate", "metrics", "alerts", "runbook"), 1):
        _sweep(pen, area, number)
    _end(pen)
    pen.title(TITLE)
    return pen


def _find(pen: ClaudeCodePen) -> None:
    pen.prompt("The nightly deploy has timed out three nights in a row. Find out why, and fix it if it is small.")
    pen.wait(14)
    pen.think(
        "Three nights in a row, so something crossed a limit and stayed there. I look at the journal first: what is "
        "the last thing it says before the timeout?"
    )
    pen.wait(4)
    pen.run("journalctl -u deploy --since -3d | grep -iE 'probe|timeout|health|migration'", JOURNAL)
    pen.wait(6)
    pen.search("health_probe", "src/", SEARCH)
    pen.wait(3)
    pen.read(f"{pen.project}/src/deploy/health.py", HEALTH)
    pen.wait(9)
    pen.say(FOUND)


def _mend(pen: ClaudeCodePen) -> None:
    _plan(pen, 1)
    pen.wait(5)
    pen.edit(f"{pen.project}/src/deploy/health.py", HEALTH_BEFORE, HEALTH_AFTER, line=42)
    pen.wait(8)
    pen.edit(f"{pen.project}/tests/deploy/test_health.py", "", TEST, line=1)
    pen.wait(6)
    pen.run("pytest tests/deploy -q", "................................................     [100%]\n48 passed in 6.07s")
    _plan(pen, 2)
    pen.wait(240)


def _doubt(pen: ClaudeCodePen) -> None:
    pen.prompt("Is it safe that the probe answers while the pool is busy? What did the lock protect?")
    pen.wait(11)
    pen.think("The lock guards the list of connections, not the ping. `ping` takes one connection of its own.")
    pen.read(f"{pen.project}/src/kelp/pool.py", "class Pool:\n    lock: asyncio.Lock\n    draining: bool = False\n")
    pen.wait(7)
    pen.run(
        "pytest tests/kelp/test_pool.py -q -x",
        "E   TimeoutError: ping took 2.004 s\n1 failed, 11 passed",
        is_error=True,
    )
    pen.wait(12)
    pen.say(
        "The lock protects **the list of connections**, nothing that `ping` reads. One test assumed that a ping "
        "waits as long as it must; it now has two seconds, like the probe:\n\n"
        "| state of the pool | before | now |\n|---|---|---|\n"
        "| free | 200 in 3 ms | 200 in 3 ms |\n"
        "| a migration runs | waits, then 504 | 200 in 4 ms |\n"
        "| draining | waits | 503 at once |\n\n"
        "```python\nasync def ping(self, *, timeout: float) -> Response:\n"
        "    async with asyncio.timeout(timeout), self.acquire() as connection:\n"
        "        return Response(status=200 if await connection.ping() else 503)\n```\n"
    )
    pen.wait(60)


def _sweep(pen: ClaudeCodePen, area: str, number: int) -> None:
    """Write one round over a part of the code: read, change, test, told in a sentence."""
    if number % 2:
        pen.prompt(f"Check {area} for the same mistake: something slow under a lock that a probe needs.")
        pen.wait(8)
    path = f"{pen.project}/src/deploy/{area}.py"
    for part in range(3):
        before = f"    async with pool.lock:\n        await {area}.publish({part})\n"
        pen.read(path, f"async def {area}_{part}(pool):\n{before}")
        pen.wait(5)
        pen.run(f"pytest tests/deploy/test_{area}.py -q -k {part}", f"{4 + part} passed in 0.{part + 3}1s")
        pen.wait(4)
    pen.edit(path, before, f"    await {area}.publish(2)\n", line=30 + number)
    pen.wait(5)
    pen.say(f"`{area}` held the lock while it published. It does not any more, and `test_{area}.py` covers it.")


def _end(pen: ClaudeCodePen) -> None:
    pen.wait(30)
    pen.prompt("Good. Open a PR with just the probe, and leave VACUUM for a second one.")
    pen.wait(10)
    pen.run(
        "git switch -c probe-without-lock && git add -p && git commit -q && gh pr create --fill", "pull request 812"
    )
    pen.wait(4)
    pen.say("The pull request has the probe and its tests. `VACUUM` is KELP-812, with what we measured today.")
    _plan(pen, 2)


def _plan(pen: ClaudeCodePen, done: int) -> None:
    """Write the plan with its first ``done`` steps completed."""
    states = ["completed"] * done + ["in_progress"] + ["pending"] * (len(PLAN) - done - 1)
    pen.todos(zip(PLAN, states, strict=True))
