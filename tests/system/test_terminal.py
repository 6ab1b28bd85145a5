"""Text of files in terminals: shown, never obeyed; and standard streams that somebody has closed."""

import os
import subprocess
import sys
import tomllib
import unicodedata

import hostile
import pytest

from otjdd.case import toml_text
from otjdd.cli.progress import progress_bar
from otjdd.system import interpreter, terminal

EVIL = '[/b][red]title\x1b]0;owned\x07\x1b[31m\u202e\x9b2J "quoted" \u00b5m'
SHOWN = '[/b][red]title\\x1b]0;owned\\x07\\x1b[31m\\u202e\\x9b2J "quoted" \u00b5m'


def test_control_characters_are_written_out_and_nothing_else():
    assert terminal.plain(EVIL) == SHOWN
    assert terminal.plain("one\ttwo\nthree \u2009 Ω µ é 日 💥 \\x1b") == "one\ttwo\nthree \u2009 Ω µ é 日 💥 \\x1b"
    assert terminal.plain("\udc80") == "\\udc80"


def test_a_title_written_as_toml_holds_no_control_character_and_is_read_the_same():
    text = toml_text.write({"title": EVIL})
    assert {unicodedata.category(c) for c in text} & terminal.COMMANDS == {"Cc"}  # the end of the line
    assert text.count("\n") == 1
    assert tomllib.loads(text) == {"title": EVIL}


def test_a_progress_bar_shows_a_title_as_it_stands(monkeypatch):
    import io

    class Screen(io.StringIO):
        def isatty(self):
            return True

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "200")
    with progress_bar(EVIL, quiet=False) as progress:
        progress(0.5)
    assert SHOWN in screen.getvalue()
    assert "\x07" not in screen.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="closed by a shell of Unix")
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_takes_no_files(tmp_path, closed):
    code = (
        "import os, sys; from otjdd.system import terminal; terminal.open_closed_streams(); "
        "from otjdd.system.files import write_whole; terminal.tell('told'); terminal.say('said'); "
        "os.write(2, b'by a library'); write_whole('a', b'whole')"
    )
    words = interpreter.interpreter_command(code)
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *words], cwd=tmp_path, env=interpreter.environment()
    )
    assert done.returncode == 0
    assert (tmp_path / "a").read_bytes() == b"whole"


@pytest.mark.skipif(sys.platform != "linux", reason="needs ulimit -v")
def test_too_little_memory_to_address_is_refused(tmp_path):
    (tmp_path / "pulse.toml").write_text(hostile.PULSE)
    done = hostile.otjdd(tmp_path, "run", "pulse.toml", "-q", before="ulimit -v 600000")
    assert done.returncode == 6, done.stderr
    assert "the limit on memory (ulimit -v) is 0." in done.stderr
    assert len(done.stderr.splitlines()) == 1
