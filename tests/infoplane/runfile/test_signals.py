"""SIGINT and SIGTERM end a recording cleanly, between rows, and leave everything else as it was."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import torch
from torch import nn

import infoplane as ip
from infoplane.recording import Recording
from infoplane.signals import cause, hold_signals, unwatch_signals, watch_signals

HANDLERS = (signal.SIGINT, signal.SIGTERM)
TRAINING = """
import logging, os, signal, sys, time
import torch
from torch import nn
import infoplane as ip
from infoplane.runfile.writer import RunWriter

path, where = sys.argv[1], sys.argv[2]
torch.set_num_threads(1)
logging.getLogger("infoplane.forecast").disabled = True
close, append = RunWriter.close, RunWriter.append

def slow_close(writer, status="finished"):
    if where == "close":
        print("closing", flush=True)
        time.sleep(0.5)
    close(writer, status)

def slow_append(writer, stream, step, /, **arrays):
    if where == "append" and stream == "plane" and step == 3:
        print("appending", flush=True)
        time.sleep(0.5)
    append(writer, stream, step, **arrays)

RunWriter.close, RunWriter.append = slow_close, slow_append
model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
x, y = torch.randn(30, 8), torch.arange(30) % 3
with ip.record(model, path, sites=["1"], classes=3, latent=2, draws=1, sandwich=8) as rec:
    for step in range(3 if where == "close" else 10**6):
        model(x)
        rec.loss(y)
        rec.measure([(x, y)])
        if where == "loop" and step == 3:
            print("training", flush=True)
"""


def ended_by(path, where, *numbers):
    """Train in another process until it says where it is, and send it signals; return exit code and stderr."""
    command = [sys.executable, "-c", TRAINING, str(path), where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline()
            for number in numbers:
                process.send_signal(number)
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
    return process.returncode, said


@pytest.fixture(scope="module")
def uncaught():
    """As Python itself ends by an interrupt that nobody catches after a step of an optimizer: -2 by itself.

    Where tabulate is installed, what torch does at the exit makes it 1.
    """
    code = "import torch; torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step(); raise KeyboardInterrupt"
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode


def end_of(path):
    with ip.open_run(path) as run:
        assert all(committed == readable for committed, readable in run.check().values())
        assert len({len(run.stream(name)) for name in ("plane", "plane_scatter", "activations", "metrics")}) == 1
        return run.status, run.events()["text"].tolist()[-1], len(run.plane())


@pytest.mark.parametrize("where", ["loop", "append"])
def test_sigterm_ends_with_a_whole_row_a_status_and_its_own_exit_code(tmp_path, where):
    code, said = ended_by(tmp_path / "run.h5", where, signal.SIGTERM)
    assert (code, said) == (143, "")
    status, text, rows = end_of(tmp_path / "run.h5")
    assert (status, text) == ("interrupted", "interrupted by SIGTERM")
    assert rows == 3 if where == "append" else rows >= 3


def test_ctrl_c_ends_with_a_status_and_a_keyboard_interrupt(tmp_path, uncaught):
    code, said = ended_by(tmp_path / "run.h5", "loop", signal.SIGINT)
    assert code == uncaught
    assert said.endswith("KeyboardInterrupt\n")
    assert end_of(tmp_path / "run.h5")[:2] == ("interrupted", "interrupted by SIGINT")


def test_a_second_signal_at_any_moment_of_the_end_waits_until_the_file_is_whole(tmp_path):
    """Launchers send SIGTERM soon after SIGINT: it comes at the first call inside the end, at the ninth, ..."""
    before = [signal.getsignal(number) for number in HANDLERS]
    made = count = 0
    while made < 12:
        path, count, calls = tmp_path / f"{made}.h5", count + 1 + made * 7, 0
        model, x, y = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), torch.randn(8, 4), torch.arange(8) % 2

        def strike(frame, what, argument, last=count):
            nonlocal calls
            if what == "call" and (calls or frame.f_code is Recording.__exit__.__code__):
                calls += 1
                if calls == last:
                    sys.setprofile(None)
                    signal.raise_signal(signal.SIGTERM)

        try:
            options = {"sites": ["1"], "classes": 2, "latent": 2, "sandwich": 4}
            with pytest.raises(SystemExit) as ended, ip.record(model, path, **options) as rec:
                model(x)
                rec.loss(y)
                rec.measure([(x, y)])
                sys.setprofile(strike)
                signal.raise_signal(signal.SIGINT)
        finally:
            sys.setprofile(None)
        assert calls == count
        assert ended.value.code == 143
        assert end_of(path) == ("interrupted", "interrupted by SIGINT", 1)
        assert [signal.getsignal(number) for number in HANDLERS] == before
        made += 1


@pytest.mark.parametrize("number", HANDLERS)
def test_signals_during_the_close_wait_until_the_file_is_whole(tmp_path, uncaught, number):
    code, _ = ended_by(tmp_path / "run.h5", "close", number, number, signal.SIGINT)
    assert code in (143, uncaught)
    assert end_of(tmp_path / "run.h5") == ("finished", "finished", 3)


@pytest.fixture
def recording(tmp_path):
    def make(name="run.h5"):
        return ip.record(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), tmp_path / name, classes=2, latent=2)

    return make


def test_handlers_are_as_they_were_afterwards_also_of_nested_and_of_crossing_recordings(recording):
    before = [signal.getsignal(number) for number in HANDLERS]
    assert before == [signal.default_int_handler, signal.SIG_DFL]
    with recording():
        assert [signal.getsignal(number) for number in HANDLERS] != before
    assert [signal.getsignal(number) for number in HANDLERS] == before
    first, second = recording("a.h5"), recording("b.h5")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    second.__exit__(None, None, None)
    assert [signal.getsignal(number) for number in HANDLERS] == before


def test_nested_recordings_are_all_closed_by_one_signal(tmp_path):
    model, x, y = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), torch.randn(8, 4), torch.arange(8) % 2
    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    with (
        pytest.raises(SystemExit) as ended,
        ip.record(model, paths[0], classes=2, latent=2) as a,
        ip.record(model, paths[1], classes=2, latent=2) as b,
    ):
        model(x)
        a.loss(y)
        b.loss(y)
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143
    for path in paths:
        with ip.open_run(path) as run:
            assert (run.status, run.events()["text"][-1]) == ("interrupted", "interrupted by SIGTERM")


def test_a_handler_of_the_programs_own_and_ignored_signals_are_left_alone(recording):
    came = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        mine = signal.getsignal(signal.SIGTERM)
        with recording():
            assert signal.getsignal(signal.SIGTERM) is mine
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            signal.raise_signal(signal.SIGTERM)
        assert came == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, previous)
        signal.signal(signal.SIGINT, ignored)


def test_a_handler_set_inside_the_recording_stays(recording):
    try:
        with recording():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_held_signals_come_when_all_blocks_are_done():
    watch_signals()
    try:
        done = []
        with pytest.raises(KeyboardInterrupt), hold_signals():
            with hold_signals():
                signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")
        assert done == ["inner", "outer"]
        with hold_signals():
            done.append("nothing waits any more")
    finally:
        unwatch_signals()


def test_another_thread_records_without_touching_signals(recording):
    before, during, failed = [signal.getsignal(n) for n in HANDLERS], [], []

    def work():
        try:
            with recording(), hold_signals():
                during.extend(signal.getsignal(n) for n in HANDLERS)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (during, failed) == (before, [])


def test_a_recording_that_ends_in_another_thread_leaves_the_handlers_to_be_set_back(recording):
    before = [signal.getsignal(number) for number in HANDLERS]
    first = recording("a.h5")
    first.__enter__()
    thread = threading.Thread(target=first.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with recording("b.h5"):
        pass
    assert [signal.getsignal(number) for number in HANDLERS] == before
    second = recording("c.h5")
    second.__enter__()
    thread = threading.Thread(target=second.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in HANDLERS] == before


@pytest.mark.parametrize("where", ["Recording._open_file", "watch_signals", "Recording._foretell"])
def test_a_signal_while_the_recording_begins_leaves_no_file_without_its_events(tmp_path, monkeypatch, where):
    before, path = [signal.getsignal(number) for number in HANDLERS], tmp_path / "run.h5"
    begin = watch_signals if where == "watch_signals" else getattr(Recording, where.partition(".")[2])

    def struck(*arguments):
        begin(*arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(f"infoplane.recording.{where}", struck)
    model, x, y = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), torch.randn(8, 4), torch.arange(8) % 2
    with pytest.raises(KeyboardInterrupt), ip.record(model, path, classes=2, latent=2) as rec:
        model(x)
        rec.loss(y)
    assert [signal.getsignal(number) for number in HANDLERS] == before
    if where.endswith("_foretell"):
        with ip.open_run(path) as run:
            assert run.status == "interrupted"
            assert run.events()["text"].tolist() == ["recording began", "interrupted by SIGINT"]
    else:
        assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_dies_by_sigterm_as_it_would_without_us(recording):
    with recording(), hold_signals():
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM


def test_the_cause_is_the_signal_alone_where_it_was_one():
    watch_signals()
    try:
        with pytest.raises(KeyboardInterrupt) as interrupted:
            signal.raise_signal(signal.SIGINT)
        assert cause(interrupted.value) == "SIGINT"
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
        assert (cause(ended.value), ended.value.code) == ("SIGTERM", 143)
    finally:
        unwatch_signals()
    assert [cause(error) for error in (KeyboardInterrupt(), SystemExit(143), ValueError())] == [
        "KeyboardInterrupt",
        "SystemExit",
        "ValueError",
    ]


def test_a_signal_while_the_sinks_of_an_inner_recording_close_comes_at_once(tmp_path):
    class Slow:
        def measurement(self, measurement, probes, *, epoch):
            pass

        def close(self):
            signal.raise_signal(signal.SIGTERM)
            done.append("the sink went on")

    x, y, done = torch.randn(9, 4), torch.arange(9) % 3, []
    options = {"sites": ["0"], "classes": 3, "latent": 2, "draws": 1, "sketch_at": None}
    models = [nn.Sequential(nn.Linear(4, 3)) for _ in range(2)]
    with pytest.raises(SystemExit), ip.record(models[0], tmp_path / "outer.h5", **options) as outer:
        models[0](x)
        outer.loss(y)
        with ip.record(models[1], tmp_path / "inner.h5", sinks=[Slow()], **options) as inner:
            models[1](x)
            inner.loss(y)
        done.append("the outer loop went on")
    assert done == []
    for name, status, text in (
        ("inner", "finished", "finished"),
        ("outer", "interrupted", "interrupted by SIGTERM"),
    ):
        with ip.open_run(tmp_path / f"{name}.h5") as run:
            assert (run.status, run.events()["text"].tolist()[-1]) == (status, text)
    assert [signal.getsignal(number) for number in HANDLERS] == [signal.default_int_handler, signal.SIG_DFL]
