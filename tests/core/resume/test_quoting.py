from __future__ import annotations

import base64
import json
import re
import subprocess
import sys

import pytest
from holdfast_core.errors import Refused
from holdfast_core.resume import quoting
from hypothesis import given, settings
from hypothesis import strategies as st

DUMP = "import json, os, sys; print(json.dumps([os.getcwd(), sys.argv[1:]]))"
SAFE = st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])
ARGUMENTS = st.lists(st.text(SAFE, max_size=30), max_size=6)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters="/"), min_size=1, max_size=40
)


@given(ARGUMENTS, NAMES)
@settings(max_examples=100, deadline=None)
def test_a_copied_line_is_understood_as_it_was_meant(
    tmp_path_factory: pytest.TempPathFactory, arguments: list[str], name: str
):
    directory = tmp_path_factory.mktemp("line") / f"d{name}"
    directory.mkdir()

    line = quoting.posix_line([sys.executable, "-c", DUMP, *arguments], str(directory))

    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True, timeout=20)
    assert json.loads(done.stdout) == [str(directory.resolve()), arguments]


@pytest.mark.parametrize("argument", ["a\nb", "\x00", "\x1b[0m", "\r", "\x7f", "\x9b", "\u2028", "x" * 5000])
@pytest.mark.parametrize("line", [quoting.posix_line, quoting.powershell_line])
def test_control_characters_and_endless_arguments_are_refused(line, argument: str):
    with pytest.raises(Refused):
        line(["agent", argument], "/x")
    with pytest.raises(Refused):
        line(["agent"], f"/{argument}")


def test_no_line_is_given_for_what_is_no_text():
    assert quoting.posix_line(["agent"], "/x\udcff") == ""


@given(ARGUMENTS.filter(lambda arguments: not any('"' in argument for argument in arguments)), NAMES)
def test_powershell_takes_every_literal_for_one_text(arguments: list[str], name: str):
    line = quoting.powershell_line(["agent", *arguments], name)

    quotes = "'\u2018\u2019\u201a\u201b"
    pattern = re.compile(f"[{quotes}](?:[^{quotes}]|([{quotes}])[{quotes}])*[{quotes}]")
    literals = [found.group() for found in pattern.finditer(line)]
    assert len(literals) == len(arguments) + 2
    assert pattern.sub("", line).split() == ["Set-Location", "-LiteralPath", "-ErrorAction", "Stop;", "&"]


def test_what_windows_powershell_passes_on_wrongly_is_refused():
    with pytest.raises(Refused):
        quoting.powershell_line(["agent", 'say "hi"'], "C:\\x")


def test_an_encoded_line_is_the_line():
    assert base64.b64decode(quoting.encoded_powershell("& 'ü'")).decode("utf-16-le") == "& 'ü'"


@pytest.mark.parametrize("argument", ["a&b", "%PATH%", '"&calc', "a^b", "a|b", "a b", "(x)", "!x!", "a;b", "a=b"])
def test_a_batch_file_gets_no_special_characters(argument: str):
    with pytest.raises(Refused):
        quoting.check_batch_arguments(["resume", argument])


def test_a_batch_file_gets_plain_ids():
    quoting.check_batch_arguments(["resume", "--session=ses_01-a.b", "--fork"])
