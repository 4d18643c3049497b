"""A call that cannot be read gets one sentence: what was given, what is wrong with it, which help to read."""

import re
import subprocess
import sys

import pytest

from infoplane.cli import run
from infoplane.cli.app import app


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("train --epochs ten", ["'--epochs' ('ten')", "'infoplane train --help' shows what it takes"]),
        ("train --epochs=0", ["'--epochs' ('0')", "'infoplane train --help'"]),
        ("train --out", ["--out", "'infoplane train --help'"]),
        ("train a.toml b.toml --out run.h5", ["b.toml", "'infoplane train --help'"]),
        ("report a.h5 --format xml", ["'--format' ('xml')", "'html', 'md', 'csv', 'json'"]),
        ("verify --ful", ["No such option: --ful; did you mean '--full'?"]),
        ("demo --nonsense", ["No such option: --nonsense; 'infoplane demo --help'"]),
        ("traim", ["Did you mean 'train'? 'infoplane --help' lists the commands"]),
        ("--nonsense", ["No such option: --nonsense; 'infoplane --help' lists the commands"]),
        ("export a.h5", ["Missing option '--out'", "'infoplane export --help'"]),
        ("diff a.h5", ["Missing argument 'B'", "'infoplane diff --help'"]),
        ("--install-completion bahs", ["--install-completion takes nothing behind it, but there is 'bahs'; the shell"]),
        ("--show-completion fish", ["takes nothing behind it", "'fish'"]),
        ("--version train", ["--version takes nothing behind it, but there is 'train'"]),
        ("reproduce --scale smoke", ["a NAME is missing, such as fig4"]),
        ("reproduce --quiet", ["a NAME is missing"]),
        ("jsd a.h5 --csv none/jsd.csv", ["none/jsd.csv cannot be written: there is no folder none"]),
        ("surface -o none/s.png", ["none/s.png cannot be written: there is no folder none"]),
    ],
)
def test_one_sentence_says_what_was_given_and_where_to_look(words, parts, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(words.split()) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert all(part in err for part in parts), err
    assert not list(tmp_path.iterdir())


def test_memory_that_is_not_there_is_said_in_bytes(tmp_path, monkeypatch, capfd):
    def fail(*_, **__):
        raise RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 51200 bytes."
        )

    monkeypatch.setattr("infoplane.training.train", fail)
    assert run(["train", "--out", str(tmp_path / "run.h5")]) == 1
    assert "there is not enough memory: 51,200 bytes were asked for" in capfd.readouterr().err


def test_an_example_fits_one_line_of_a_terminal(capfd, monkeypatch):
    """What is shown as two lines cannot be copied."""
    monkeypatch.setenv("COLUMNS", "80")
    for command in app.registered_commands:
        run([command.callback.__name__, "--help"])
        said = " ".join(line.strip() for line in (command.callback.__doc__ or "").splitlines())
        example = re.search(r"Example: (infoplane .*?)(?:  |$)", said)[1].strip()
        assert example in capfd.readouterr().out


def test_the_command_line_imports_nothing_of_weight_before_it_runs():
    """Or Ctrl-C at its start would show a page of source code."""
    code = "import sys, infoplane.cli; print([n for n in ('numpy', 'torch', 'h5py', 'typer') if n in sys.modules])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert made.stdout.strip() == "[]", made.stderr
