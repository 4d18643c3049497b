"""Every number of a row, recomputed by hand from the probes and the hosts."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.errors import CaptureError, InputError

CLASSES, N = 3, 48


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, CLASSES))


def data(n=N):
    generator = torch.Generator().manual_seed(1)
    y = torch.randint(0, CLASSES, (n,), generator=generator)
    return torch.randn(n, 5, generator=generator) + functional.one_hot(y, 5), y


def train(rec, model, steps=60, lr=0.3):
    optimizer = torch.optim.SGD(model.parameters(), lr)
    x, y = data()
    for _ in range(steps):
        loss = functional.cross_entropy(model(x), y) + rec.loss(y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def record(model, path, **options):
    return ip.record(model, path, **({"sites": ["1"], "classes": CLASSES, "latent": 4} | options))


def by_hand(probe, h, y, draws=400):
    """Per-input divergence in bit, cross-entropy in bit over many own draws, and the ensemble's guess."""
    generator = torch.Generator().manual_seed(99)
    mean, std = probe.encode(h)
    prior = torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(mean, std), prior).sum(1)
    ce, p = torch.zeros(len(y)), torch.zeros(len(y), CLASSES)
    for _ in range(draws):
        logits = probe.decoder(mean + std * torch.randn(mean.shape, generator=generator))
        ce += functional.cross_entropy(logits, y, reduction="none") / draws
        p += logits.softmax(1) / draws
    return [v.detach().double().numpy() for v in (kl / math.log(2), ce / math.log(2), p.argmax(1))]


@torch.no_grad()
def test_every_column_of_the_plane_is_what_its_name_says(tmp_path):
    model = network()
    untrained = copy.deepcopy(model)
    x, y = data()
    with torch.enable_grad(), record(model, tmp_path / "run.h5", control=True, split="held out") as rec:
        train(rec, model)
        rec.measure([(x[:20], y[:20]), (x[20:], y[20:])], epoch=7)
        probes = {"1": rec.probe("1"), "1@untrained": rec.probe("1", host="untrained")}
    sites = {"1": model[:2](x), "1@untrained": untrained[:2](x)}
    expected = {name: by_hand(probes[name], sites[name], y) for name in probes}
    labels = np.bincount(y.numpy()) / N
    h_y = -(labels * np.log2(labels)).sum()
    surprise = -np.log2(labels)[y.numpy()]
    with ip.open_run(tmp_path / "run.h5") as run:
        plane = run.plane()
        table = plane.to_dataframe().set_index(["probe", "quantity"])
        covariances = plane["covariance_i_zx"][0], plane["covariance_i_zy"][0]
        metrics = run.metrics().to_dataframe().set_index("quantity")["value"]
        sketch = run.sketch("activations", "1")
        assert plane.attrs["split"] == "held out"
        assert plane["n"].tolist() == [N]
        assert plane["updates"].tolist() == [60]
    assert table.loc["1", "host"].unique().tolist() == ["trained"]
    assert table.loc["1@untrained", "host"].unique().tolist() == ["untrained"]
    for name, (kl, ce, guess) in expected.items():
        value, error = table.loc[name]["value"], table.loc[name]["standard_error"]
        assert value["i_zx"] == pytest.approx(kl.mean(), rel=1e-5)
        assert error["i_zx"] == pytest.approx(kl.std(ddof=1) / N**0.5, rel=1e-4)
        # 12 draws against 400: the draws' own noise is what may differ.
        assert value["ce"] == pytest.approx(ce.mean(), abs=0.02)
        assert value["i_zy"] == pytest.approx(h_y - value["ce"], abs=1e-9)
        assert error["i_zy"] == pytest.approx((surprise - ce).std(ddof=1) / N**0.5, rel=0.1)
        assert value["h_y"] == pytest.approx(h_y)
        assert value["error"] == pytest.approx((guess != y.numpy()).mean(), abs=2.1 / N)
    both = [expected[name] for name in ("1", "1@untrained")]
    np.testing.assert_allclose(covariances[0], np.cov([kl for kl, _, _ in both]) / N, rtol=1e-4)
    np.testing.assert_allclose(covariances[1], np.cov([surprise - ce for _, ce, _ in both]) / N, rtol=0.15)
    assert not np.allclose(*covariances)
    logits = model(x)
    assert metrics["loss"] == pytest.approx(functional.cross_entropy(logits, y).item() / math.log(2), rel=1e-5)
    assert metrics["error"] == pytest.approx((logits.argmax(1) != y).double().mean().item())
    assert metrics["error"] < 0.5
    assert sketch["maximum_positive"] == pytest.approx(sites["1"].max().item())


def test_host_that_returns_probabilities_gets_their_cross_entropy(tmp_path):
    model = nn.Sequential(*network(), nn.Softmax(1))
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        model(x)
        rec.loss(y)
        measured = rec.measure([(x, y)])
    expected = functional.nll_loss(model(x).log(), y).item() / math.log(2)
    assert measured.loss == pytest.approx(expected, rel=1e-5)


def test_host_without_class_scores_has_no_loss_and_no_metrics(tmp_path):
    model = nn.Sequential(*network(), nn.Linear(CLASSES, 7))
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        model(x)
        rec.loss(y)
        measured = rec.measure([(x, y)])
    assert measured.loss is measured.error is None
    with ip.open_run(tmp_path / "run.h5") as run:
        assert "metrics" not in run.streams
        ip.plots.plane(run)


class WorksInPlace(nn.Module):
    """Changes its input in place before it uses it."""

    def __init__(self, in_place):
        super().__init__()
        self.in_place, self.body = in_place, network()

    def forward(self, x):
        x = x.sub_(2).mul_(3) if self.in_place else (x - 2) * 3
        return self.body(x)


def test_control_gets_the_same_inputs_where_the_host_works_in_place(tmp_path):
    bounds = []
    for in_place in (True, False):
        model = WorksInPlace(in_place)
        x, y = data()
        with record(model, tmp_path / f"{in_place}.h5", sites=["body.1"], control=True) as rec:
            for _ in range(5):
                model(x.clone())
                rec.loss(y)
            kept = x.clone()
            bounds.append(rec.measure([(x, y)]).bounds)
            assert torch.equal(x, kept)
    np.testing.assert_array_equal(bounds[0].i_zx, bounds[1].i_zx)


def test_control_does_not_break_a_host_that_begins_in_place(tmp_path):
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, CLASSES))
    x, y = data()
    with record(model, tmp_path / "run.h5", sites=["2"], control=True) as rec:
        (functional.cross_entropy(model(x.clone()), y) + rec.loss(y)).backward()


def test_control_follows_a_host_that_was_moved_after_record(tmp_path):
    model = network()
    rec = record(model, tmp_path / "run.h5", control=True)
    model.double()
    x, y = data()
    with rec:
        model(x.double())
        rec.loss(y)
        rec.measure([(x.double(), y)])


def test_weights_are_those_under_the_name_at_the_time(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        model(x)
        rec.loss(y)
        model[2].weight = nn.Parameter(torch.full_like(model[2].weight, 7.0))
        measured = rec.measure([(x, y)])
    assert measured.weights["2.weight"]["maximum_positive"] == 7.0
    assert measured.weights["2.weight"]["std_log_positive"] == 0.0


def joint(model, path, **options):
    return record(model, path, sites=["0", "1"], mode="joint", **options)


def weights_of(rec, sites=("0", "1")):
    return [p.detach().clone() for site in sites for p in rec.probe(site).parameters()]


def all_equal(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def without_noise(rec):
    """Make the probes' codes so narrow that a draw is the mean, s = softplus(-30) = 9e-14."""
    with torch.no_grad():
        for site in ("0", "1"):
            encoder = rec.probe(site).encoder
            latent = len(encoder.bias) // 2
            encoder.weight[latent:] = 0
            encoder.bias[latent:] = -25


def loss_by_hand(probe, h, y, beta):
    """Cross-entropy of the mean code, and beta times its divergence from N(0, I), in nats."""
    mean, rho = probe.encoder(h).chunk(2, dim=1)
    code = torch.distributions.Normal(mean, functional.softplus(rho - 5))
    kl = torch.distributions.kl_divergence(code, torch.distributions.Normal(0.0, 1.0)).sum(1)
    return functional.cross_entropy(probe.decoder(mean), y) + beta * kl.mean()


def test_joint_gives_the_host_the_gradient_of_the_sum_of_the_probes_losses(tmp_path):
    """Against autograd on one graph through host and probes, the probes as they were before their own step."""
    model, (x, y) = network(), data()
    with joint(model, tmp_path / "run.h5", beta=0.5) as rec:
        model(x)
        rec.loss(y)
        without_noise(rec)
        probes = {site: copy.deepcopy(rec.probe(site)) for site in ("0", "1")}
        model(x)
        loss = rec.loss(y)
        loss.backward()
        after = weights_of(rec)
    expected = sum(loss_by_hand(probes[s], h, y, 0.5) for s, h in (("0", model[0](x)), ("1", model[:2](x))))
    gradients = torch.autograd.grad(expected, list(model[0].parameters()))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for p, gradient in zip(model[0].parameters(), gradients, strict=True):
        torch.testing.assert_close(p.grad, gradient, rtol=1e-4, atol=1e-6)
        assert gradient.abs().max() > 1e-2
    assert model[2].weight.grad is None  # no probe sees what comes after the sites
    assert not all_equal(after, [p for probe in probes.values() for p in probe.parameters()])


def test_what_becomes_of_a_joint_loss_moves_the_host_and_no_probe(tmp_path):
    """Left alone, differentiated, or scaled by a power of two as gradient scalers do: no probe takes another step."""
    found, gradients = [], {}
    for factor in (None, 1, 1024):
        model, (x, y) = network(), data()
        with joint(model, tmp_path / f"{factor}.h5") as rec:
            for _ in range(3):
                model(x)
                loss = rec.loss(y)
                if factor is not None:
                    model.zero_grad()
                    (factor * loss).backward()
            found.append(weights_of(rec))
            gradients[factor] = model[0].weight.grad
    assert all_equal(found[0], found[1])
    assert all_equal(found[0], found[2])
    assert gradients[None] is None
    assert torch.equal(gradients[1024], 1024 * gradients[1])


def test_joint_probes_step_at_once_and_can_be_measured_at_once(tmp_path):
    model, (x, y) = network(), data()
    with joint(model, tmp_path / "run.h5") as rec:
        with pytest.raises(CaptureError, match="before any step"):
            rec.measure([(x, y)])
        model(x)
        rec.loss(y)
        before = weights_of(rec)
        first = rec.measure([(x, y)])
        assert (first.updates, first.step) == (1, 1)
        assert all_equal(before, weights_of(rec))
        model(x)
        rec.loss(y)
        assert not any(torch.equal(a, b) for a, b in zip(before, weights_of(rec), strict=True))


def test_joint_with_accumulation_gives_every_batch_its_gradient_and_one_step_in_k(tmp_path):
    model, (x, y) = network(), data()
    with joint(model, tmp_path / "run.h5", probe_every=2) as rec:
        norms, updates, moved, before = [], [], [], None
        for _ in range(5):
            model.zero_grad()
            model(x)
            rec.loss(y).backward()
            norms.append(model[0].weight.grad.norm().item())
            updates.append(rec._observer.updates)
            moved.append(before is None or not all_equal(before, weights_of(rec)))
            before = weights_of(rec)
    assert min(norms) > 0
    assert updates == [0, 1, 1, 2, 2]
    assert moved == [True, True, False, True, False]


def test_joint_accumulates_over_k_batches_the_gradient_of_them_all(tmp_path):
    """The mean losses of two halves sum to twice the mean of the whole, as two passes of the whole do."""
    found = []
    for parts in ([slice(0, N), slice(0, N)], [slice(0, N // 2), slice(N // 2, N)]):
        model, (x, y) = network(), data()
        with joint(model, tmp_path / "run.h5", probe_every=2, overwrite=True) as rec:
            for part in (slice(0, N), slice(0, N), *parts):
                if rec.step == 2:
                    without_noise(rec)
                    before = weights_of(rec)
                model(x[part])
                rec.loss(y[part])
            found.append(weights_of(rec))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert not any(torch.equal(a, b) for a, b in zip(before, found[1], strict=True))


def test_learns_inside_inference_mode(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5", control=True) as rec:
        with torch.inference_mode():
            model(x)
            rec.loss(y.clone())
        rec.measure([(x, y)])


@pytest.mark.filterwarnings("ignore:Using `torch.compile:UserWarning")
def test_compiled_network_gives_the_numbers_of_the_plain_one(tmp_path):
    found = []
    for compiled in (False, True):
        model = network()
        x, y = data()
        with record(model, tmp_path / f"{compiled}.h5") as rec:
            forward = torch.compile(model, backend="eager") if compiled else model
            for _ in range(3):
                forward(x)
                rec.loss(y)
            found.append(rec.measure([(x, y)]).bounds.i_zx)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


def test_a_block_that_raises_leaves_nothing_pending(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        with pytest.raises(ZeroDivisionError), rec.batch(y):
            model(x)
            1 / 0  # noqa: B018
        model(x)
        rec.loss(y)


def test_a_forward_that_raises_captures_nothing_after_it(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        with pytest.raises(RuntimeError):
            model(torch.zeros(3, 99))
        model[1](torch.zeros(3, 12))
        model[1](torch.zeros(3, 12))
        model(x)
        rec.loss(y)


def test_a_second_row_at_one_step_is_refused_before_the_pass(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        model(x)
        rec.loss(y)
        rec.measure([(x, y)])
        with pytest.raises(CaptureError, match="called at step 1 before"):
            rec.measure(iter(()))


def test_a_recording_that_is_over_says_so(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        model(x)
        rec.loss(y)
    for call in (lambda: rec.loss(y), lambda: rec.measure([(x, y)]), rec.__enter__):
        with pytest.raises(InputError, match=r"is over|entered once"):
            call()


def test_a_recording_that_fails_to_start_keeps_the_file_it_was_to_replace(tmp_path):
    path = tmp_path / "run.h5"
    model = network()
    x, y = data()
    with record(model, path) as rec:
        model(x)
        rec.loss(y)
    mine = path.read_bytes()
    with pytest.raises(InputError), record(model, path, overwrite=True, data={"bad": 1}) as rec:
        rec._header["not a name"] = 1
        model(x)
        rec.loss(y)
    assert path.read_bytes() == mine
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sites": ()}, "no site"),
        ({"beta": "1"}, "beta is '1'"),
        ({"beta": ()}, "beta is empty"),
        ({"beta": (1e-3, 1e-3)}, "no two may be alike in six digits"),
        ({"scale_twins": (1.0,)}, "a scale twin of 1 is the probe itself"),
        ({"scale_twins": (-1,)}, "a scale twin is -1"),
        ({"sketch_at": "often"}, "'often' is no schedule"),
        ({"sandwich": 1}, "sandwich is 1"),
        ({"gradients": -1}, "gradients is -1"),
        ({"classes": None}, "needs either classes"),
        ({"targets": 2}, "got both"),
        ({"latent": True}, "latent is True"),
        ({"seed": 2**70}, "seed is"),
        ({"classes": 2.0}, r"classes is 2\.0"),
    ],
)
def test_arguments_of_a_wrong_kind_are_refused(tmp_path, options, text):
    with pytest.raises((InputError, LookupError), match=text):
        record(network(), tmp_path / "run.h5", **options)


def test_labels_that_are_no_tensor_are_refused(tmp_path):
    model = network()
    x, y = data()
    with record(model, tmp_path / "run.h5") as rec:
        model(x)
        with pytest.raises(InputError, match="labels are a list"):
            rec.loss(y.tolist())
        with pytest.raises(CaptureError, match="before any step"):
            rec.measure(3)
        model(x)
        rec.loss(y.to(torch.uint8))
        with pytest.raises(InputError, match="was given 3"):
            rec.measure(3)
        with pytest.raises(InputError, match="a label is 7"):
            rec.measure([(x, y + 5)])
        with pytest.raises(CaptureError, match="47 labels, but the forward passed 48"):
            rec.measure([(x, y[1:])])


def test_numpy_numbers_stay_numbers_in_the_configuration(tmp_path):
    model = network()
    x, y = data()
    configuration = {"rate": np.float32(0.5), "widths": np.array([1, 2]), "probes": "mine"}
    with record(model, tmp_path / "run.h5", configuration=configuration) as rec:
        model(x)
        rec.loss(y)
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.configuration == {"rate": 0.5, "widths": [1, 2], "probes": "mine"}
