"""A file is written beside its name, touches nothing else there, and takes no name that somebody has taken."""

import errno
import os
import re
import subprocess
import sys

import pytest

import infoplane as ip
from infoplane.errors import RunFileError
from infoplane.runfile import recover as module
from infoplane.runfile.export import _FORMATS as formats
from infoplane.runfile.new_file import NewFile
from infoplane.runfile.stream import Stream, Variable
from infoplane.runfile.writer import RunWriter

STREAMS = (Stream("plane", "step", (Variable("x", ("step",), "f8"),)),)
LEFT = ".run.h5.123-0123456789abcdef.new"
KILLED = """
import os, sys
from pathlib import Path
from infoplane.runfile.new_file import NewFile
new = NewFile(Path(sys.argv[1]))
new.write(b"\\x89HDF\\r\\n\\x1a\\n" + bytes(100))
os.kill(os.getpid(), 9)
"""


def write(path, x=1.0, **options):
    with RunWriter(path, **options) as writer:
        writer.start(STREAMS, {})
        writer.append("plane", 0, x=x)
    return path


def value(path):
    with ip.open_run(path) as run:
        return run.plane()["x"].tolist()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_and_links_called_new_are_left_alone(tmp_path):
    source = write(tmp_path / "source.h5")
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "run.h5.new").write_text("notes")
    (tmp_path / "out.h5.new").symlink_to("victim")
    write(tmp_path / "other.h5.new")
    before = names(tmp_path)
    write(tmp_path / "run.h5")
    ip.recover(source, tmp_path / "out.h5")
    write(tmp_path / "other.h5")
    assert names(tmp_path) == sorted([*before, "run.h5", "out.h5", "other.h5"])
    assert (tmp_path / "run.h5.new").read_text() == "notes"
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "out.h5").is_symlink()


def test_what_a_killed_writer_has_left_is_removed_by_the_next_one(tmp_path):
    path = tmp_path / "run.h5"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True)
        assert done.returncode == -9, done.stderr
        (left,) = names(tmp_path)
        assert re.fullmatch(r"\.run\.h5\.\d+-[0-9a-f]{16}\.new", left)
    write(path)
    assert names(tmp_path) == ["run.h5"]


def test_what_is_written_or_is_no_run_file_or_belongs_to_another_name_is_not_removed(tmp_path):
    (tmp_path / LEFT).write_text("notes")
    (tmp_path / LEFT.replace("run", "another")).write_bytes(b"")
    (tmp_path / LEFT.replace("123", "124")).symlink_to("victim")
    (tmp_path / "victim").write_bytes(b"")
    os.mkfifo(tmp_path / LEFT.replace("123", "125"))
    live = NewFile(tmp_path / "run.h5")
    before = names(tmp_path)
    write(tmp_path / "run.h5")
    assert names(tmp_path) == sorted([*before, "run.h5"])
    live.discard()
    assert names(tmp_path) == sorted({*before, "run.h5"} - {live.path.name})


def test_without_locks_nothing_is_taken_for_left(tmp_path, monkeypatch):
    monkeypatch.setattr("infoplane.runfile.lock._fcntl", lambda *arguments: None)
    (tmp_path / LEFT).touch()
    write(tmp_path / "run.h5")
    assert names(tmp_path) == [LEFT, "run.h5"]


def test_a_new_file_that_is_taken_for_left_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    removed = []

    def remove(*arguments):
        if not removed:
            removed.append(*tmp_path.iterdir())
            removed[0].unlink()

    monkeypatch.setattr("infoplane.runfile.lock._fcntl", remove)
    new = NewFile(tmp_path / "run.h5")
    assert new.path.exists()
    assert new.path != removed[0]


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_is_taken_meanwhile_is_not_replaced(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *arguments: (_ for _ in ()).throw(PermissionError(1, "no links here")))
    source, out, table = write(tmp_path / "source.h5"), tmp_path / "out.h5", tmp_path / "plane.csv"
    fill = module._fill

    def meanwhile(*arguments):
        fill(*arguments)
        write(out, 2.0)

    monkeypatch.setattr(module, "_fill", meanwhile)
    refusal = re.escape(f"{out}: was made by another program meanwhile, so it is not replaced")
    with pytest.raises(RunFileError, match=refusal):
        ip.recover(source, out)
    assert value(out) == [2.0]

    def write_csv(view, part):
        part.write_text("new")
        table.write_text("mine")

    monkeypatch.setitem(formats, ".csv", write_csv)
    with pytest.raises(RunFileError, match=r"plane\.csv: was made by another program meanwhile"):
        ip.export(source, table)
    assert table.read_text() == "mine"
    assert names(tmp_path) == ["out.h5", "plane.csv", "source.h5"]

    monkeypatch.setattr(module, "_fill", fill)
    assert value(ip.recover(source, tmp_path / "free.h5")) == [1.0]
    assert value(write(tmp_path / "fresh.h5", 3.0)) == [3.0]


def test_a_file_that_is_replaced_by_a_recovery_is_kept_from_other_writers_meanwhile(tmp_path, monkeypatch):
    source, out = write(tmp_path / "source.h5"), write(tmp_path / "out.h5", 2.0)
    fill, refused = module._fill, []

    def meanwhile(*arguments):
        fill(*arguments)
        with pytest.raises(RunFileError, match="is being written by another recording") as caught:
            RunWriter(out, overwrite=True)
        refused.append(caught.value)

    monkeypatch.setattr(module, "_fill", meanwhile)
    ip.recover(source, out, overwrite=True)
    assert len(refused) == 1
    assert value(out) == [1.0]
    assert value(write(out, 3.0, overwrite=True)) == [3.0]


def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path):
    path = tmp_path / ("ü" * 125 + ".h5")
    assert value(write(path)) == [1.0]
    assert names(tmp_path) == [path.name]


def test_a_link_is_followed_and_a_mode_handed_on(tmp_path):
    (tmp_path / "disk").mkdir()
    write(tmp_path / "disk" / "run.h5")
    (tmp_path / "disk" / "run.h5").chmod(0o600)
    (tmp_path / "run.h5").symlink_to("disk/run.h5")
    write(tmp_path / "run.h5", x=2.0, overwrite=True)
    assert (tmp_path / "run.h5").is_symlink()
    assert value(tmp_path / "disk" / "run.h5") == [2.0]
    assert (tmp_path / "disk" / "run.h5").stat().st_mode & 0o777 == 0o600
    ip.recover(tmp_path / "disk" / "run.h5", tmp_path / "other.h5")
    (tmp_path / "link.h5").symlink_to("other.h5")
    ip.recover(tmp_path / "run.h5", tmp_path / "link.h5", overwrite=True)
    assert (tmp_path / "link.h5").is_symlink()
    assert names(tmp_path / "disk") == ["run.h5"]


def test_a_file_is_where_it_was_begun_whatever_folder_the_program_changes_to(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with RunWriter("run.h5") as writer:
        monkeypatch.chdir(tmp_path / "elsewhere")
        writer.start(STREAMS, {})
        writer.append("plane", 0, x=1.0)
    assert value(tmp_path / "run.h5") == [1.0]
    assert names(tmp_path / "elsewhere") == []


def test_what_others_write_into_the_name_meanwhile_is_kept(tmp_path):
    writer = RunWriter(tmp_path / "run.h5")
    (tmp_path / "run.h5").write_text("mine")
    with pytest.raises(RunFileError, match="was made by another program meanwhile"):
        writer.start(STREAMS, {})
    (tmp_path / "run.h5").unlink()
    writer = RunWriter(tmp_path / "run.h5")
    (tmp_path / "run.h5").write_text("mine")
    writer.close()
    assert (tmp_path / "run.h5").read_text() == "mine"
    assert names(tmp_path) == ["run.h5"]


def test_a_name_that_cannot_be_given_is_not_left_as_an_empty_file(tmp_path, monkeypatch):
    def refused(*names, **options):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    new = NewFile(tmp_path / "run.h5")
    new.path.unlink()
    with pytest.raises(FileNotFoundError):
        new.publish()
    new.discard()
    assert names(tmp_path) == []
