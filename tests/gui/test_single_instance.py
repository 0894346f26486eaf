import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from holdfast_gui.single_instance import Handover, Instance, forward, server_name
from PySide6.QtNetwork import QLocalSocket

from tests.fakes.waiting import until, wait_until

_SECOND_START = """
import sys
from pathlib import Path
from holdfast_gui.single_instance import forward
done = forward(Path(sys.argv[1]), sys.argv[2:], timeout_seconds=2)
print(done, "PySide6.QtWidgets" in sys.modules)
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


async def test_a_second_start_hands_over_its_arguments_without_loading_widgets(tmp_path):
    first = Instance(tmp_path)
    arrived = []
    first.arrived.connect(arrived.append)
    assert first.claim()

    second = start(_SECOND_START, tmp_path, "resume", "holdfast:session/x y")
    await until(lambda: arrived and second.poll() is not None, seconds=20)
    output = second.communicate()[0]
    first.close()

    assert output.split() == ["True", "False"]
    assert arrived == [Handover(("resume", "holdfast:session/x y"), str(Path.cwd()))]


async def test_only_one_is_first(tmp_path):
    first, second = Instance(tmp_path), Instance(tmp_path)

    claims = first.claim(), second.claim()
    first.close()

    assert claims == (True, False)


async def test_another_data_directory_is_another_application(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = Instance(tmp_path / "a"), Instance(tmp_path / "b")

    claims = one.claim(), other.claim()
    one.close()
    other.close()

    assert claims == (True, True)


def test_without_a_first_there_is_nothing_to_hand_over_to(tmp_path):
    assert not forward(tmp_path, ["x"])


_KILLED = """
import os, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from holdfast_gui.single_instance import Instance
app = QCoreApplication([])
instance = Instance(Path(sys.argv[1]))
print(instance.claim(), flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


async def test_the_socket_of_a_killed_first_is_taken_over(tmp_path):
    killed = start(_KILLED, tmp_path)
    assert killed.stdout.readline() == "True\n"
    killed.kill()
    killed.communicate()
    wait_until(lambda: Path(server_name(tmp_path)).exists())

    heir = Instance(tmp_path)
    claimed = heir.claim()
    heir.close()

    assert claimed


def test_a_long_data_directory_gets_a_short_address(tmp_path):
    name = server_name(tmp_path / ("x" * 120))

    assert len(name.encode()) <= 100


async def test_nonsense_is_refused(tmp_path):
    first = Instance(tmp_path)
    arrived = []
    first.arrived.connect(arrived.append)
    assert first.claim()
    ended = []

    for line in (b"no json\n", json.dumps({"version": 99}).encode() + b"\n", b'{"version": 1, "arguments": [1]}\n'):
        socket = QLocalSocket()
        socket.disconnected.connect(lambda: ended.append(1))
        socket.connectToServer(server_name(tmp_path))
        socket.write(line)
        socket.flush()
    await until(lambda: len(ended) == 3)
    first.close()

    assert arrived == []
