"""Where a run comes from, written before the first row; looking for it runs and changes nothing."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import infoplane as ip
from infoplane.errors import InputError
from infoplane.runfile.provenance import collect_provenance

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory, with no repository around it and no configuration but its own."""
    here = tmp_path / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    return here


def git(*arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(name="train.py", text="1", message="one"):
    with open(name, "w") as file:
        file.write(text)
    git("init", "-q", ".")
    git("add", name)
    git("commit", "-q", "-m", message)
    return git("rev-parse", "HEAD")


def found():
    provenance = collect_provenance()
    return provenance["git_commit"], provenance["git_dirty"]


def spy(folder, name):
    """A program that leaves a trace when it runs, and the trace."""
    program, trace = folder.parent / name, folder.parent / f"{name}.ran"
    program.write_text(f"#!/bin/sh\necho ran >> {trace}\ncat\n")
    program.chmod(0o755)
    return program, trace


# The user's repository


@needs_git
def test_clean_and_dirty_repositories_are_told_apart_from_any_folder_in_them(folder, monkeypatch):
    sha = commit()
    assert found() == (sha, False)
    (folder / "notes.txt").write_text("untracked")
    assert found() == (sha, False)
    (folder / "deeper").mkdir()
    monkeypatch.chdir(folder / "deeper")
    assert found() == (sha, False)
    (folder / "train.py").write_text("2")
    assert found() == (sha, True)
    git("add", "../train.py")
    assert found() == (sha, True)


@needs_git
def test_a_detached_head_has_its_commit(folder):
    first = commit()
    commit(text="2", message="two")
    git("checkout", "-q", first)
    assert found() == (first, False)


@needs_git
def test_without_a_repository_or_a_commit_nothing_is_claimed(folder):
    assert found() == (None, None)
    git("init", "-q", ".")
    assert found() == (None, None)


@needs_git
def test_without_a_git_program_nothing_is_claimed(folder, monkeypatch):
    sha = commit()
    assert found() == (sha, False)
    monkeypatch.setenv("PATH", "")
    assert found() == (None, None)


@needs_git
def test_a_damaged_repository_claims_nothing(folder):
    commit()
    (folder / ".git" / "config").write_text("[core\n")
    assert found() == (None, None)


# Nothing of the repository's is run, and nothing in it changes


def touched(folder):
    """Make git compare contents: the size is the same, the time is not."""
    os.utime(folder / "train.py", (1e9, 1e9))


@needs_git
def test_a_monitor_hooks_and_converters_that_the_repository_names_are_not_run(folder):
    sha = commit()
    program, trace = spy(folder, "spy")
    git("config", "core.fsmonitor", str(program))
    git("config", "diff.shown.textconv", str(program))
    git("config", "diff.shown.command", str(program))
    git("config", "diff.external", str(program))
    git("config", "core.pager", str(program))
    git("config", "alias.status", f"!{program}")
    (folder / ".git" / "info" / "attributes").write_text("*.py diff=shown\n")
    hook = folder / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(program, hook)
    trace.unlink(missing_ok=True)
    before = (folder / ".git" / "index").read_bytes()
    touched(folder)
    assert found() == (sha, False)
    (folder / "train.py").write_text("2")
    assert found() == (sha, True)
    assert not trace.exists()
    assert (folder / ".git" / "index").read_bytes() == before
    git("status")  # the same repository does run it when asked plainly: the test can fail
    assert trace.exists()


@needs_git
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_a_filter_that_the_repository_names_is_not_run_and_dirty_stays_unknown(folder, kind):
    sha = commit()
    program, trace = spy(folder, "spy")
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_text("*.py filter=spy\n")
    git("config", f"filter.spy.{kind}", str(program))
    touched(folder)
    assert found() == (sha, None)
    assert not trace.exists()
    if kind == "clean":
        git("status")
        assert trace.exists()


@needs_git
def test_a_filter_hidden_in_an_included_file_or_the_configuration_of_the_worktree_is_not_run(folder):
    sha = commit()
    program, trace = spy(folder, "spy")
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_text("*.py filter=spy\n")
    named = f'[filter "spy"]\n\tclean = {program}\n'
    (folder / ".git" / "more").write_text(named)
    git("config", "include.path", "more")
    touched(folder)
    assert found() == (sha, None)
    git("config", "--unset", "include.path")
    (folder / ".git" / "config.worktree").write_text(named)
    git("config", "extensions.worktreeConfig", "true")
    assert found() == (sha, None)
    assert not trace.exists()
    git("status")
    assert trace.exists()


@needs_git
def test_a_filter_of_the_user_is_theirs_and_dirty_is_known(folder):
    sha = commit()
    program, _ = spy(folder, "mine")
    (folder.parent / "global").write_text(f'[filter "mine"]\n\tclean = {program}\n')
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_text("*.py filter=mine\n")
    touched(folder)
    assert found() == (sha, False)


@needs_git
def test_the_configuration_of_a_submodule_runs_nothing(folder):
    inner = folder / "inner"
    inner.mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=inner, check=True)
    (inner / "data.txt").write_text("1")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "add", "."], cwd=inner, check=True)
    subprocess.run(["git", *who, "commit", "-q", "-m", "one"], cwd=inner, check=True)
    commit()
    (folder / ".gitmodules").write_text('[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n')
    git("-c", "advice.addEmbeddedRepo=false", "add", "inner", ".gitmodules")
    git("commit", "-q", "-m", "with a submodule")
    program, trace = spy(folder, "spy")
    (inner / ".git" / "info").mkdir(exist_ok=True)
    (inner / ".git" / "info" / "attributes").write_text("*.txt filter=spy\n")
    subprocess.run(["git", "config", "filter.spy.clean", str(program)], cwd=inner, check=True)
    os.utime(inner / "data.txt", (1e9, 1e9))
    assert found()[1] is False
    assert not trace.exists()
    git("status")
    assert trace.exists()


# The machine and the call


def test_versions_call_and_machine_are_named_and_nothing_else(folder, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    monkeypatch.setattr(sys, "argv", ["train.py", "--rate", "0.1"])
    provenance = collect_provenance()
    assert list(provenance) == [
        *("versions", "python", "platform", "hostname", "threads", "argv", "git_commit", "git_dirty")
    ]
    assert provenance["argv"] == ["train.py", "--rate", "0.1"]
    assert provenance["threads"] == torch.get_num_threads()
    assert provenance["versions"]["torch"] == torch.__version__.split("+")[0]
    assert provenance["versions"].keys() >= {"infoplane", "numpy", "h5py", "hdf5"}
    text = json.dumps(provenance)
    assert "do not tell" not in text
    assert str(folder) not in text


# What a recording adds, before its first row


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.rnn = nn.LSTM(9, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        maps = torch.relu(self.conv(x))
        return self.head(self.rnn(maps.flatten(2))[0][:, -1])


def test_a_file_names_its_sites_with_shapes_and_reductions_before_the_first_row(tmp_path):
    torch.manual_seed(0)
    x, y = torch.randn(8, 1, 5, 5), torch.arange(8) % 3
    model, path = Network(), tmp_path / "run.h5"
    data = {"name": "made up", "sha256": ip.datasets.fingerprint(x, y)}
    sites = {"conv": "maps", "rnn[0]": "states", "head@input": "last"}
    reduce = {"states": "last"}
    options = {"classes": 3, "latent": 2, "draws": 2, "seed": 5, "reduce": reduce, "data": data}
    with ip.record(model, path, sites=sites, configuration={"rate": 0.1}, **options) as rec:
        (F.cross_entropy(model(x), y) + rec.loss(y)).backward()
        with ip.open_run(path) as run:
            assert len(run.plane()) == 0
            provenance = run.provenance
            reductions = dict(zip(run.plane()["site"], run.plane()["reduction"], strict=True))
    keys = ("name", "place", "module", "type", "shape", "reduction", "width")
    assert [tuple(site[key] for key in keys) for site in provenance["sites"]] == [
        ("maps", "conv", "conv", "Conv2d", [4, 3, 3], "gap", 4),
        ("states", "rnn[0]", "rnn", "LSTM", [4, 5], "last", 5),
        ("last", "head@input", "head", "Linear", [5], "flatten", 5),
    ]
    assert reductions == {site["name"]: site["reduction"] for site in provenance["sites"]}
    assert provenance["model"].endswith("Network")
    assert provenance["parameters"] == sum(p.numel() for p in model.parameters())
    assert (provenance["seed"], provenance["device"], provenance["ranks"]) == (5, "cpu", 1)
    assert provenance["data"] == data
    assert provenance["configuration"] == {"rate": 0.1}


def test_the_shape_of_a_sequence_first_site_is_that_of_one_input(tmp_path):
    torch.manual_seed(0)
    model, path = nn.Sequential(nn.GRU(6, 5)), tmp_path / "run.h5"
    x, y = torch.randn(7, 8, 6), torch.arange(8) % 3
    with ip.record(model, path, sites="0[0]", classes=3, latent=2, draws=2) as rec:
        model(x)
        rec.loss(y)
    with ip.open_run(path) as run:
        (site,) = run.provenance["sites"]
    assert (site["shape"], site["reduction"], site["width"]) == ([7, 5], "tokens-mean", 5)


def test_a_fingerprint_is_of_dtype_shape_and_values_alone():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    by_hand = hashlib.sha256(b"float32 (2, 3)\n" + x.astype("<f4").tobytes()).hexdigest()
    for same in (x, torch.from_numpy(x), np.asfortranarray(x), x.astype(">f4"), torch.from_numpy(x.T.copy()).T):
        assert ip.datasets.fingerprint(same) == by_hand
    for other in (x.reshape(3, 2), x.astype("f8"), x + 1, x[::-1]):
        assert ip.datasets.fingerprint(other) != by_hand
    assert ip.datasets.fingerprint(x, x[0]) != ip.datasets.fingerprint(x[0], x)
    with pytest.raises(InputError, match="has no fingerprint"):
        ip.datasets.fingerprint(["a"])
