import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.analysis.sketch import LogHistogram
from infoplane.datasets.digits import load_digits
from infoplane.runfile.schema import PLANE_QUANTITIES
from infoplane.sink import Sink

accumulators = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is an extra"
)

from infoplane.integrations.tensorboard import TensorBoardSink, _histogram  # noqa: E402  after the skip

SITES = ["1", "3"]


def read(folder):
    events = accumulators.EventAccumulator(str(folder), size_guidance={"histograms": 0})
    events.Reload()
    return events


def recorded(tmp_path):
    """Train for two rows; return what TensorBoard reads, and the measurements."""
    data = load_digits()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    sink, measured = TensorBoardSink(tmp_path / "logs"), []
    with ip.record(model, tmp_path / "run.h5", sites=SITES, classes=10, latent=4, control=True, sinks=[sink]) as rec:
        for epoch in range(2):
            for k in range(3):
                x, y = data.train_inputs[k * 50 : k * 50 + 50], data.train_labels[k * 50 : k * 50 + 50]
                loss = functional.cross_entropy(model(x), y) + rec.loss(y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            measured.append(rec.measure([(data.test_inputs[:90], data.test_labels[:90])], epoch=epoch + 1))
    return read(tmp_path / "logs"), measured, sink


def test_rows_stand_in_tensorboard_as_in_the_run_file(tmp_path):
    events, measured, sink = recorded(tmp_path)
    assert isinstance(sink, Sink)
    with ip.open_run(tmp_path / "run.h5") as run:
        plane = run.plane()
        values, names = plane["values"], list(plane.to_dataframe()["probe"].unique())
    for probe, name in enumerate(names):
        for quantity in ("i_zx", "i_zx_lower", "i_zx_upper", "i_zx_given_y", "i_zy", "i_ty_chain", "error"):
            scalars = events.Scalars(f"{quantity}/{name}")
            assert [scalar.step for scalar in scalars] == [3, 6]
            expected = values[:, probe, PLANE_QUANTITIES.index(quantity)]
            assert [scalar.value for scalar in scalars] == pytest.approx(expected, rel=1e-6, nan_ok=True)
    losses = [scalar.value for scalar in events.Scalars("network/loss")]
    assert losses == pytest.approx([row.loss for row in measured], rel=1e-6)


def test_descriptions_say_unit_and_direction(tmp_path):
    events, _, _ = recorded(tmp_path)
    described = {tag: events.SummaryMetadata(tag).summary_description for tag in events.Tags()["scalars"]}
    assert described["i_zx/1"] == "rate of the probe's code Z: upper bound on I(Z;X), in bit"
    assert described["i_zy/3@untrained"] == "lower bound of I(Z;Y) of the probe's code Z, in bit"
    assert all("in bit" in text for tag, text in described.items() if "error" not in tag)


def test_histograms_count_what_the_sketches_count(tmp_path):
    events, measured, _ = recorded(tmp_path)
    tags = events.Tags()["histograms"]
    assert {"activations/1", "activations/3"} <= set(tags)
    assert any(tag.startswith("weights/1.weight") for tag in tags)
    shown = events.Histograms("activations/1")[-1].histogram_value
    sketch = measured[-1].activations["1"]
    assert shown.num == sum(shown.bucket) == sketch["n"] == 90 * 16
    assert shown.max == pytest.approx(sketch["maximum_positive"])
    assert shown.min == pytest.approx(-sketch["maximum_negative"])


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=500),
        np.maximum(np.random.default_rng(1).normal(size=500), 0),
        -np.random.default_rng(2).exponential(size=500),
        np.zeros(7),
    ],
    ids=["both signs", "rectified", "negative", "zeros"],
)
def test_bins_of_a_histogram_are_exact(values):
    values = values.astype(np.float32)
    sketch = LogHistogram()
    sketch.update(values)
    proto = _histogram("h", sketch.summary()).histo
    assert proto.num == len(values) == sum(proto.bucket)
    assert (proto.min, proto.max) == (values.min(), values.max())
    assert np.all(np.diff(proto.bucket_limit) >= 0)
    # A bin ends where its values do: before the limit among positive values, with it among negative ones.
    ends = [(values < limit if limit > 0 else values <= limit).sum() for limit in proto.bucket_limit[:-1]]
    assert np.cumsum(proto.bucket)[:-1].tolist() == ends
    assert proto.sum == pytest.approx(values.sum(), rel=0.02, abs=0.3)


def test_no_file_appears_before_the_first_row(tmp_path):
    sink = TensorBoardSink(tmp_path / "logs")
    sink.close()
    assert not (tmp_path / "logs").exists()
