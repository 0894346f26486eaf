import stat

import pytest
from holdfast_gui.actions.memory import FILE, Memory, load, save


def test_what_was_remembered_comes_back(tmp_path):
    memory = Memory(window=b"\x00\xff", theme="dark", keys={"session.export": ["Ctrl+Shift+E"]}, said_no_tray=True)

    save(tmp_path / "config", memory)

    assert load(tmp_path / "config") == memory
    assert stat.S_IMODE((tmp_path / "config" / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"theme": "pink"}', b'{"keys": 3}', b"\xff\xfe", b"[" * 99999])
def test_a_broken_file_gives_the_defaults(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)

    assert load(tmp_path) == Memory()


def test_an_unknown_key_does_no_harm(tmp_path):
    (tmp_path / FILE).write_bytes(b'{"theme": "dark", "later": [1]}')

    assert load(tmp_path).theme == "dark"


def test_a_place_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")

    save(tmp_path / "file", Memory())

    assert (tmp_path / "file").read_text() == ""
