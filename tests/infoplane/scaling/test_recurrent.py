"""Gates of recurrent layers: their activity against torch's own cells, and which of their weights change."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from infoplane.errors import InputError, SiteError
from infoplane.scaling.synscaw import SynScaW

GATES = {nn.RNN: "h", nn.GRU: "rzn", nn.LSTM: "ifgo"}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self, recurrent: nn.Module) -> None:
        super().__init__()
        self.rnn, self.head = recurrent, nn.Linear(recurrent.hidden_size, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def gates_of_cell(cell: nn.Module, x, h) -> dict[str, torch.Tensor]:
    """Return the values of each gate by the formulas of torch's documentation."""
    w, b = cell.weight_ih @ x.T, cell.bias_ih[:, None]
    u, c = cell.weight_hh @ h.T, cell.bias_hh[:, None]
    if isinstance(cell, nn.GRUCell):
        r, z, _ = (w + b + u + c).chunk(3)
        new = (w + b).chunk(3)[2] + r.sigmoid() * (u + c).chunk(3)[2]
        return {"r": r.sigmoid(), "z": z.sigmoid(), "n": new.tanh()}
    if isinstance(cell, nn.LSTMCell):
        i, f, g, o = (w + b + u + c).chunk(4)
        return {"i": i.sigmoid(), "f": f.sigmoid(), "g": g.tanh(), "o": o.sigmoid()}
    return {"h": (w + b + u + c).tanh()}


def check_against_cell(cell: nn.Module, x, h) -> None:
    """The gates above give the state that torch computes."""
    g = gates_of_cell(cell, x, h)
    if isinstance(cell, nn.GRUCell):
        state = (1 - g["z"]) * g["n"] + g["z"] * h.T
        torch.testing.assert_close(state.T, cell(x, h))
    elif isinstance(cell, nn.LSTMCell):
        memory = torch.zeros_like(h)
        torch.testing.assert_close((g["o"] * (g["i"] * g["g"]).tanh()).T, cell(x, (h, memory))[0])
    else:
        torch.testing.assert_close(g["h"].T, cell(x, h))


def sequences(seed: int = 0) -> torch.Tensor:
    return torch.randn(6, 7, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("cell", [nn.RNNCell(4, 5), nn.GRUCell(4, 5), nn.LSTMCell(4, 5)])
def test_the_activity_of_a_gate_is_that_of_all_it_receives(cell):
    x, h = torch.randn(9, 4), torch.randn(9, 5)
    check_against_cell(cell, x, h)
    with SynScaW(cell, source="data", layers=["*"], gamma=0.0) as scaling:
        cell(x, (h, torch.zeros(9, 5)) if isinstance(cell, nn.LSTMCell) else h)
        report = scaling.apply()
    for letter, values in gates_of_cell(cell, x, h).items():
        assert report[f"[{letter}]"].zbar_before == pytest.approx(values.mean().item(), abs=1e-7)


@pytest.mark.parametrize("side", ["ih", "hh"])
def test_after_a_pass_over_one_matrix_a_gate_has_the_activity_of_the_network_as_it_is(side):
    cell, x, h = nn.LSTMCell(4, 5), torch.randn(9, 4), torch.randn(9, 5)
    before = gates_of_cell(cell, x, h)
    with SynScaW(cell, source="data", layers=[f"weight_{side}"], gamma=1.0, target=2.0) as scaling:
        cell(x, (h, torch.zeros(9, 5)))
        report = scaling.apply()
    for letter, values in gates_of_cell(cell, x, h).items():
        entry = report[f"weight_{side}[{letter}]"]
        assert entry.zbar_after == pytest.approx(values.mean().item(), abs=1e-6)
        assert abs(entry.zbar_after - entry.zbar_before) > 1e-4
        assert entry.zbar_before == pytest.approx(before[letter].mean().item(), abs=1e-6)


def test_a_cell_without_a_state_begins_with_zeros():
    cell, x = nn.GRUCell(4, 5, bias=False), torch.randn(9, 4)
    with SynScaW(cell, source="data", layers=["*"], gamma=0.0) as scaling:
        cell(x)
        entry = scaling.apply()["[r]"]
    assert entry.zbar_before == pytest.approx((x @ cell.weight_ih[:5].T).sigmoid().mean().item(), abs=1e-7)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("given", ["batch first", "sequence first", "unbatched", "packed", "with a state"])
def test_a_sequence_drives_its_gates_with_every_former_state(kind, given):
    layer = kind(4, 5, batch_first=given in ("batch first", "packed"))
    x = sequences()
    state = torch.randn(1, 7, 5)
    with SynScaW(layer, source="data", layers=["*"], gamma=0.0, probe_rows=1000) as scaling:
        if given == "unbatched":
            out, of_each = layer(x[0])[0], [x[0]]
        elif given == "packed":
            of_each = [row[:n] for row, n in zip(x, [3, 7, 1, 5, 2, 4], strict=True)]
            out = layer(pack_sequence(of_each, enforce_sorted=False))[0]
        elif given == "with a state":
            out, of_each = layer(x, (state, state) if kind is nn.LSTM else state)[0], list(x.transpose(0, 1))
        else:
            out = layer(x)[0]
            of_each = list(x) if given == "batch first" else list(x.transpose(0, 1))
        report = scaling.apply()
    # The states by running each sequence alone.
    rows = []
    for index, row in enumerate(of_each):
        first = state[:, index] if given == "with a state" else torch.zeros(1, 5)
        hidden = layer(row, (first, first) if kind is nn.LSTM else first)[0]
        rows.append(torch.cat([row, torch.cat([first, hidden[:-1]])], dim=1))
    drive = torch.cat(rows)
    cell = {nn.RNN: nn.RNNCell, nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell}[kind](4, 5)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    for letter, values in gates_of_cell(cell, drive[:, :4], drive[:, 4:]).items():
        assert report[f"l0[{letter}]"].zbar_before == pytest.approx(values.mean().item(), abs=2e-6)
    assert out is not None


def test_with_noise_a_gate_has_the_mean_of_its_law():
    # sigmoid is odd about its bias 0, so its mean is 1/2 exactly; a bias moves it.
    layer = nn.LSTM(4, 5)
    with torch.no_grad():
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
        layer.bias_hh_l0[5:10] = 1.0
        for name in ("weight_ih_l0", "weight_hh_l0"):
            layer.get_parameter(name)[5:10] = 0.0
    report = SynScaW(layer, layers=["*"], gamma=0.0).apply()
    assert report["l0[i]"].zbar_before == pytest.approx(0.5, abs=1e-12)
    assert report["l0[f]"].zbar_before == pytest.approx(1 / (1 + math.exp(-1)), abs=1e-7)
    assert [entry.target for entry in report] == pytest.approx([0.5, 0.5, 0.0, 0.5], abs=1e-12)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_weights_are_scaled_where_they_are_named(kind):
    model = Classifier(kind(4, 5, batch_first=True))
    assert SynScaW(model).layers == ("head",)
    gates = tuple(f"rnn.l0[{letter}]" for letter in GATES[kind])
    assert SynScaW(model, layers=["rnn"]).layers == gates
    assert SynScaW(model, layers=["*"]).layers == (*gates, "head")
    before = copy.deepcopy(model.state_dict())
    scaling = SynScaW(model, layers=["rnn.weight_hh*", "head"], gamma=0.5, target=0.8)
    report = scaling.apply()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"rnn.weight_hh_l0", "head.weight"}
    assert set(scaling.configuration["activations_by"].values()) == {"gate", "traced"}
    for index, letter in enumerate(GATES[kind]):
        rows = slice(5 * index, 5 * index + 5)
        entry = report[f"rnn.weight_hh_l0[{letter}]"]
        old, new = before["rnn.weight_hh_l0"][rows], model.rnn.weight_hh_l0[rows].detach()
        torch.testing.assert_close(new, old + 0.5 * old**2 * entry.zhat, rtol=1e-6, atol=1e-8)
        assert entry.mean_abs_change == pytest.approx((new - old).abs().mean().item(), rel=1e-4)
        assert entry.mean_abs_weight == pytest.approx(new.abs().mean().item(), rel=1e-6)
        assert entry.min_weight == pytest.approx(new.min().item())


def test_layers_directions_and_projections_have_gates_of_their_own():
    layer = nn.LSTM(4, 6, num_layers=2, bidirectional=True, proj_size=3)
    before = copy.deepcopy(layer.state_dict())
    scaling = SynScaW(layer, layers=["*"], gamma=0.1)
    assert len(scaling.layers) == 16
    assert scaling.layers[4] == "l0_reverse[i]"
    report = scaling.apply()
    for entry in report:
        assert entry.predicted_change == pytest.approx(entry.zbar_after - entry.zbar_before, rel=0.1, abs=1e-9)
    changed = {name for name, value in layer.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if name.startswith(("weight_ih", "weight_hh"))}


@pytest.mark.parametrize("bias", [0.6, -0.6])
def test_noise_without_a_mean_drives_overactive_gates_away_and_inactive_ones_nearer(bias):
    """Smaller weights bring E sigmoid(b + w u) nearer to sigmoid(b), which is farther from 1/2; larger ones do not."""
    torch.manual_seed(0)
    layer = nn.LSTM(32, 32)
    with torch.no_grad():
        layer.bias_ih_l0.fill_(bias)
        layer.bias_hh_l0.zero_()
    report = SynScaW(layer, layers=["*"], preset="stable", gamma=1.0, probe_rows=400).apply()
    for letter in "ifo":
        entry = report[f"l0[{letter}]"]
        assert (entry.zhat < 0) == (bias > 0) == entry.away
        assert (entry.distance_after < entry.distance_before) == (bias < 0)


@pytest.mark.parametrize(
    ("make", "options", "kind", "text"),
    [
        (
            lambda: nn.GRU(2, 2, num_layers=2),
            {"layers": ["*"], "source": "data"},
            InputError,
            "2 layers or two directions",
        ),
        (lambda: nn.GRU(2, 2), {}, SiteError, r"name recurrent layers with layers=\[''\]"),
        (lambda: nn.GRU(2, 2), {"layers": ["weight_hh_l1"]}, SiteError, "did you mean 'weight_hh_l0'"),
        (
            lambda: Classifier(nn.GRU(2, 2)),
            {"layers": ["*"], "activation": {"rnn": torch.relu}},
            SiteError,
            "has no gates",
        ),
    ],
)
def test_what_cannot_be_scaled_is_said(make, options, kind, text):
    with pytest.raises(kind, match=text):
        SynScaW(make(), **options)
