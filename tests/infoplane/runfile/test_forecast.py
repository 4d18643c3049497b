import os

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.schedule import every, never
from infoplane.rows import streams_of
from infoplane.runfile.forecast import forecast
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter

GIB = 2**30


def mlp(*widths):
    torch.manual_seed(0)
    layers, before = [], 64
    for width in widths:
        layers += [nn.Linear(before, width), nn.Tanh()]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 10))


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)


def recorded(path, digits, widths, *, measurements, steps_between=3, **options):
    """Record a training; return what was foretold at its first step, and what became of the file."""
    x, y = digits
    model, foretold = mlp(*widths), None
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with ip.record(model, path, classes=10, latent=4, **options) as rec:
        for step in range(measurements * steps_between):
            loss = functional.cross_entropy(model(x[:64]), y[:64]) + rec.loss(y[:64])
            if foretold is None:
                streams = streams_of(rec._observer, split="test")
                foretold = forecast(streams, start_bytes=os.path.getsize(path), raw_bytes=options.get("raw_bytes", GIB))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % steps_between == steps_between - 1:
                rec.measure([(x[1300:], y[1300:])])
    with ip.open_run(path) as run:
        sketched = len(run.stream("step_weights"))
    size = foretold.size(measurements=measurements, sketched_steps=sketched)
    return foretold, size + measurements * foretold.inputs_bytes


@pytest.mark.parametrize(
    ("widths", "options"),
    [
        ((32, 16), {}),
        ((32, 16), {"control": True}),
        ((32, 16), {"raw": 50}),
        ((32, 16), {"raw": 50, "raw_bytes": 60_000}),
        ((1500,), {"neurons": True}),
        ((64, 64), {"sketch_at": 1}),
        ((32, 16), {"inputs": 497}),
    ],
    ids=["plain", "control", "raw", "raw until its limit", "a wide layer", "sketched every step", "single inputs"],
)
def test_the_forecast_of_a_recording_is_within_a_factor_of_one_and_a_half(tmp_path, digits, widths, options):
    path = tmp_path / "run.h5"
    foretold, size = recorded(path, digits, widths, measurements=12, **options)
    real = path.stat().st_size
    assert 2 / 3 < size / real < 3 / 2
    assert 2 / 3 < (size - foretold.start_bytes) / (real - foretold.start_bytes) < 3 / 2


def streams(**options):
    probes = [ProbeInfo(f"fc{k}", f"fc{k}", "trained", 1e-3, 16) for k in range(3)]
    return run_streams(probes=probes, **options)


def test_what_is_stored_as_it_is_is_foretold_to_the_chunk(tmp_path):
    """Rows without sketches: the file has whole chunks, and HDF5's lists of them besides."""
    path, rows = tmp_path / "run.h5", 500
    declared = streams(neurons={"fc0": 700})
    with RunWriter(path) as writer:
        writer.start(declared, {})
        foretold = forecast(declared, start_bytes=path.stat().st_size, raw_bytes=GIB)
        for step in range(rows):
            writer.append("neurons", step, epoch=0, n=1, values=np.zeros((700, 3), "f4"))
    of_neurons = [g for g in foretold.measured if g.chunk_bytes > 700 * 12]
    assert [g.total(rows) for g in of_neurons] == [pytest.approx(rows * 700 * 12, rel=0.01)]
    assert path.stat().st_size - foretold.start_bytes == pytest.approx(of_neurons[0].total(rows), rel=0.03)


def test_the_raw_activations_stop_at_their_limit():
    declared = streams(raw={"fc0": 100}, raw_inputs=10)
    limited, free = (forecast(declared, start_bytes=0, raw_bytes=most) for most in (10 * 100 * 4 * 7 + 1, GIB))
    few, many = (f.size(measurements=7, sketched_steps=0) for f in (limited, free))
    assert few == many
    more = [f.size(measurements=1000, sketched_steps=0) for f in (limited, free)]
    assert more[1] - more[0] == pytest.approx(993 * (4000 + 10 * 16), rel=0.02)
    assert "4.2 kB of it raw activations, of the first 7)" in limited.sentence("run.h5", every(1), GIB)
    used_up = forecast(declared, start_bytes=0, raw_bytes=-5)
    chunks = 7 * 4000 + 4 * 4096  # of values; of step, epoch, position and label
    assert more[0] - used_up.size(measurements=1000, sketched_steps=0) == pytest.approx(chunks, rel=0.02)
    assert "raw" not in used_up.sentence("run.h5", every(1), GIB)
    assert "raw" not in free.sentence("run.h5", every(1), GIB)


def test_the_sentence_follows_the_schedule_and_the_disk():
    foretold = forecast(streams(sites=["a", "b"], in_steps=True), start_bytes=10_000, raw_bytes=GIB)
    steps = foretold.size(measurements=1000, sketched_steps=1000) - foretold.size(measurements=1000, sketched_steps=0)
    assert steps == pytest.approx(1000 * foretold.sketched_step_bytes, rel=0.05)
    hundredth, by_hand = (foretold.sentence("run.h5", at, GIB) for at in (every(100), never))
    assert hundredth.startswith("run.h5 grows by about ")
    assert hundredth.endswith(" after 1,000 measurements and 100,000 steps")
    assert by_hand.endswith(" after 1,000 measurements")
    assert "per sketched step" in hundredth
    assert "step" not in by_hand
    needed = foretold.size(measurements=1000, sketched_steps=1000) - 10_000
    assert foretold.sentence("run.h5", every(100), needed) == hundredth
    assert foretold.sentence("run.h5", every(100), 900) == f"{hundredth}, but its disk has 900 bytes left"


def test_a_step_that_sketches_nothing_costs_nothing():
    foretold = forecast(streams(), start_bytes=0, raw_bytes=GIB)
    assert foretold.sketched_step_bytes == 0
    assert "step" not in foretold.sentence("run.h5", every(1), GIB)
