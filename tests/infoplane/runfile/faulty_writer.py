"""A program for the tests of faults: it forks one child a case, which writes until a fault and then exits normally.

Called with a folder and a JSON list of cases, each a mapping of the arguments of `case`; it prints one JSON object a
case. Children are forked, so that importing torch is paid for once, but end through the whole exit of the interpreter.
"""

import json
import logging
import os
import resource
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

import infoplane as ip
from infoplane.runfile import layout
from infoplane.runfile.stream import EPOCH, Coordinate, Stream, Variable
from infoplane.runfile.writer import RunWriter

STREAMS = (
    Stream("plain", "step", (EPOCH, Variable("values", ("step", "k"), "f8")), (Coordinate("k", np.arange(50.0)),)),
    Stream(
        "packed",
        "step",
        (EPOCH, Variable("counts", ("step", "k"), "i8", compress=True)),
        (Coordinate("k", np.arange(500.0)),),
    ),
    Stream("events", "event", (Variable("step", ("event",), "i8"), Variable("text", ("event",), "S200"))),
)


def counts(row):
    return np.random.default_rng(row).integers(0, 10**6, 500)


def write(path, say, *, rows, flush, fault):
    """Rows that name themselves; after each the number that must be readable is said."""
    writer = RunWriter(path, flush=flush)
    fault(0)
    try:
        writer.start(STREAMS, {"seed": 0})
        for row in range(rows):
            fault(row + 1)
            writer.append("plain", row, epoch=row, values=np.full(50, float(row)))
            writer.append("packed", row, epoch=row, counts=counts(row))
            writer.append("events", None, step=row, text=str(row) * 20)
            say({"committed": (row + 1) // flush * flush})
    except ip.InfoplaneError as error:
        say({"fault": type(error).__name__, "text": str(error)})
        try:
            writer.append("plain", rows, epoch=rows, values=np.zeros(50))
        except ip.InfoplaneError as later:
            say({"later": str(later)})
    try:
        writer.close()
        say({"closed": True})
    except ip.InfoplaneError as error:
        say({"close": str(error)})


class Sink:
    def __init__(self):
        self.rows = 0

    def measurement(self, measurement, probes, *, epoch):
        self.rows += 1

    def close(self):
        pass


def train(path, say, *, rows, on_error, fault):
    """A recording of a small network."""
    logging.getLogger("infoplane").addHandler(logging.StreamHandler(sys.stdout))
    logging.getLogger("infoplane.forecast").disabled = True
    torch.manual_seed(0)
    model, sink = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)), Sink()
    x, y = torch.randn(64, 8), torch.arange(64) % 3
    try:
        with ip.record(
            model, path, sites=["1"], classes=3, latent=2, draws=1, sandwich=8, on_error=on_error, sinks=[sink]
        ) as rec:
            fault(0)
            for row in range(rows):
                model(x)
                rec.loss(y)
                fault(row + 1)
                rec.event(f"row {row}")
                assert rec.measure([(x, y)]).bounds.i_zx.shape == (1,)
        say({"closed": True})
    except ip.InfoplaneError as error:
        say({"fault": type(error).__name__, "text": str(error)})
    say({"sunk": sink.rows})


def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def faults(path, kind, at, size):
    """Return the function that makes the fault: called with the number of rows written, 0 before the first."""

    def strike(row):
        if row != at:
            return
        if kind == "limit":
            limit(size)
        elif kind == "delete":
            path.unlink()
        elif kind == "delete folder":
            shutil.rmtree(path.parent)
        elif kind == "move folder":
            path.parent.rename(f"{path.parent}-moved")
        elif kind == "replace":
            (path.parent / "other").write_text("another's")
            os.replace(path.parent / "other", path)
        elif kind == "no permission":
            path.parent.chmod(0o500)

    return strike


def read(path):
    """Whether every row of a file is right, and how many there are."""
    with ip.open_run(path) as run:
        found = {name: list(pair) for name, pair in run.check().items()}
        right = all(committed == readable for committed, readable in found.values())
        if "plain" in run.streams:
            plain, packed = run.stream("plain")["values"], run.stream("packed")["counts"]
            right = right and (plain == np.arange(len(plain))[:, None]).all()
            right = right and all((row == counts(k)).all() for k, row in enumerate(packed))
            right = right and list(run.events()["text"]) == [str(k) * 20 for k in range(len(run.events()))]
        return {"status": run.status, "found": found, "right": bool(right)}


def forked(function, stderr):
    """Run `function(say)` in a child; return what it said, how it ended, and its standard error."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.close(receive)
        os.dup2(os.open(stderr, os.O_RDWR | os.O_CREAT | os.O_TRUNC), 2)
        os.dup2(2, 1)
        signal.alarm(60)
        function(lambda something: os.write(send, json.dumps(something).encode() + b"\n"))
        sys.exit(0)
    os.close(send)
    with os.fdopen(receive) as said:
        lines = [json.loads(line) for line in said]
    _, status = os.waitpid(child, 0)
    return {"said": lines, "exit": os.waitstatus_to_exitcode(status), "stderr": Path(stderr).read_text()}


def case(folder, name, *, kind="none", at=0, size=0, rows=30, flush=1, on_error="", uid=0):
    home = folder / name
    home.mkdir()
    path = home / "run.h5"

    def body(say):
        if uid:
            layout.empty_file(STREAMS, {"seed": 0}, "")  # h5py imports as it works, and the other user may not read it
            os.chown(home, uid, uid)
            os.setgid(uid)
            os.setuid(uid)
        fault = faults(path, kind, at, size)
        if on_error:
            train(path, say, rows=rows, on_error=on_error, fault=fault)
        else:
            write(path, say, rows=rows, flush=flush, fault=fault)

    found = forked(body, f"{folder}-{name}.err")
    path = home / "run.h5" if home.exists() else folder / f"{name}-moved" / "run.h5"
    found["left"] = sorted(os.listdir(path.parent)) if path.parent.exists() else []
    if path.exists() and path.stat().st_size and kind != "replace":
        found["read"] = forked(lambda say: say(read(path)), f"{folder}-{name}.read")["said"]
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    for number, given in enumerate(json.loads(sys.argv[2])):
        print(json.dumps(case(Path(sys.argv[1]), f"case{number}", **given)), flush=True)
    sys.stdout.flush()
