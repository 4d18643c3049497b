import math
import pickle
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.analysis.errors import InputError
from infoplane.analysis.noisy_code import GaussianCode, sandwich
from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.attach import Tap
from infoplane.probes.bank import ProbeBank
from infoplane.probes.batches import Batch
from infoplane.probes.bottleneck import VIBBottleneck
from infoplane.probes.bottleneck_bank import BottleneckBank
from infoplane.probes.dependence import OUTPUT
from infoplane.probes.errors import CaptureError
from infoplane.probes.held_out import HeldOut, Watched
from infoplane.probes.neurons import NeuronRecorder
from infoplane.probes.places import Place
from infoplane.probes.probe_info import probes_of_host
from infoplane.probes.ranks import Ranks
from infoplane.probes.raw import RawRecorder
from infoplane.probes.recorders import Recorders
from infoplane.probes.reduce import reduction_for
from infoplane.probes.subset import Kept, Subset
from infoplane.probes.target import ClassTarget, RealTarget
from infoplane.probes.vib_settings import VIBSettings

N, FEATURES, CLASSES, LATENT = 300, 8, 3, 4
SITES = ("first", "second")
LATER = {"first": ("second", OUTPUT), "second": (OUTPUT,)}
CPU = torch.device("cpu")
GENERATOR = torch.Generator().manual_seed(5)
X = torch.randn(N, FEATURES, generator=GENERATOR)
Y = (X[:, :CLASSES] + 0.3 * torch.randn(N, CLASSES, generator=GENERATOR)).argmax(1)


class Host(nn.Module):
    """Two layers and a head, with dropout and an activation that works in place."""

    def __init__(self, seed=0, outputs=CLASSES):
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second, self.head = nn.Linear(FEATURES, 7), nn.Linear(7, 6), nn.Linear(6, outputs)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        h = torch.relu_(self.first(x))
        h = nn.functional.dropout(h, 0.5, self.training)
        return self.head(torch.tanh(self.second(h)))


class Setup:
    """A host with taps, trained probes and recorders, as an observer would have them; use as a context."""

    def __init__(self, hosts=("trained",), *, target=None, steps=40, betas=(1e-3,), scores="logits", seed=0):
        self.target, self.scores, self.seed = target or ClassTarget(CLASSES), scores, seed
        outputs = self.target.decoder_width
        self.models = {"trained": Host(0, outputs), "untrained": Host(1, outputs)}
        self.taps, self.recorders = {}, None
        for name, model in self.models.items():
            places = [Place(site, site, getattr(model, site)) for site in SITES]
            self.taps[name] = Tap(model, places, active=lambda: True, keep=lambda s, t, n=name: self.keep(n, s, t))
        self.watched, self.probes = [], ()
        settings = VIBSettings(latent=LATENT, draws=3, learning_rate=1e-2, std="log_variance")
        for host in hosts:
            network = "untrained" if host == "untrained" else "trained"
            infos = probes_of_host(SITES, host=host, betas=betas, latent=LATENT)
            bank = ProbeBank(infos, {"first": 7, "second": 6}, self.target, settings, seed=seed, device=CPU)
            self.watched.append(Watched(host, self.models[network], self.taps[network], bank))
            self.probes += infos
        self.steps = steps

    def keep(self, network, site, activation):
        reduction = reduction_for(
            None, site=site, module=nn.Linear(1, 1), shape=activation.shape, inputs=len(activation)
        )
        if network == "trained" and self.recorders is not None:
            self.recorders.see(site, activation, reduction)
        return reduction(activation).detach().clone()

    def __enter__(self):
        for tap in self.taps.values():
            tap.open()
        labels = self.target.check(Y if isinstance(self.target, ClassTarget) else REAL)
        for step in range(self.steps):
            for watched in self.watched:
                watched.model.eval()
                watched.model(X.clone())
                watched.bank.learn(watched.tap.take(), labels, step=step, update=True)
        return self

    def __exit__(self, *error):
        for tap in self.taps.values():
            tap.close()

    def passed(self, rows, *, size=64, positions=None, labels=None, sandwich=50):
        """The sums of a pass over `rows` of the inputs."""
        recorders = Recorders(ActivationRecorder(SITES), NeuronRecorder(SITES), RawRecorder(20, 10**6, 3))
        held_out = HeldOut(
            self.watched,
            self.probes,
            self.target,
            self.scores,
            recorders=recorders,
            device=CPU,
            sandwich=sandwich,
            seed=self.seed,
        )
        positions = rows if positions is None else positions
        labels = Y if labels is None else labels
        self.recorders = recorders
        for part in torch.arange(len(rows)).split(size):
            held_out.add(Batch((X[rows[part]],), {}, labels[rows[part]]), positions[part])
        self.recorders = None
        return held_out

    def measure(self, rows=None, *, later=LATER, ranks=None, dealt=True, **options):
        held_out = self.passed(torch.arange(N) if rows is None else rows, **options)
        return held_out.result(ranks or Ranks(), dealt=dealt, step=7, later=later, weights={}, gradients={})


REAL = (X[:, :2] + 0.4 * torch.randn(N, 2, generator=GENERATOR)) @ torch.tensor([[1.0, 0.7], [0.0, 0.7]])


class Gathered(Ranks):
    """Ranks whose states are known beforehand, pickled as they would travel."""

    def __init__(self, *passes):
        super().__init__(0, len(passes))
        object.__setattr__(self, "states", [pickle.dumps((p._sums, p._recorders)) for p in passes])

    def gather(self, state):
        return [pickle.loads(data) for data in self.states]


def differences(a, b):
    """The largest difference of every number of two measurements, exact for what is counted."""
    assert (a.bounds.n, a.n_sandwich, a.error) == (b.bounds.n, b.n_sandwich, b.error)
    np.testing.assert_array_equal(a.bounds.error, b.bounds.error)
    np.testing.assert_array_equal(a.input_keys, b.input_keys)
    np.testing.assert_array_equal(a.chain_term, b.chain_term)
    for site in SITES:
        assert a.activations[site]["n"] == b.activations[site]["n"]
        np.testing.assert_array_equal(a.neurons[site].zeros, b.neurons[site].zeros)
        np.testing.assert_allclose(a.raw.values[site], b.raw.values[site], atol=1e-6)
    np.testing.assert_array_equal(a.raw.labels, b.raw.labels)
    gaps = {"loss": abs(a.loss - b.loss)}
    for name in ("i_zx", "i_zy", "i_zx_given_y", "ce", "se_i_zx", "se_i_zy", "covariance_i_zx", "covariance_i_zy"):
        gaps[name] = np.abs(getattr(a.bounds, name) - getattr(b.bounds, name)).max()
    for name in ("i_zx_lower", "i_zx_upper", "se_i_zx_lower", "se_i_zx_upper", "i_ty_chain", "se_i_ty_chain"):
        gaps[name] = np.abs(getattr(a, name) - getattr(b, name)).max()
    gaps["dimensions"] = max(np.abs(p - q).max() for p, q in zip(a.dimensions, b.dimensions, strict=True))
    return gaps


# --- against a recomputation by hand


def test_every_number_equals_a_recomputation():
    with Setup() as setup:
        found = setup.measure()
        model, bank = setup.models["trained"], setup.watched[0].bank
        with torch.no_grad():
            first = model.first(X)
            second = model.second(first.relu())
            logits = model.head(second.tanh())
        results = bank.evaluate({"first": first, "second": second}, Y, torch.arange(N))
    bit = math.log(2)
    rows = [results[site] for site in SITES]
    counts = torch.bincount(Y) / N
    h_y = -(counts * counts.log()).sum().item() / bit
    for k, row in enumerate(rows):
        assert found.bounds.i_zx[k] == pytest.approx(row.kl.mean().item() / bit, rel=1e-5)
        assert found.bounds.i_zy[k] == pytest.approx(h_y - row.ce.mean().item() / bit, abs=1e-5)
        assert found.bounds.i_zx_given_y[k] == pytest.approx(row.given_label.mean().item() / bit, rel=1e-5)
        assert found.bounds.error[k] == pytest.approx(1 - row.correct.float().mean().item())
        assert found.dimensions[k].sum() == pytest.approx(found.bounds.i_zx[k], rel=1e-6)
        kept = Kept(Subset(50, 0))
        kept.add(torch.arange(N), mean=row.mean, log_std=row.log_std)
        low, high = sandwich(GaussianCode(kept.arrays()["mean"], kept.arrays()["log_std"]))
        assert found.i_zx_lower[k] == pytest.approx(low.value, rel=1e-5)
        assert found.i_zx_upper[k] == pytest.approx(high.value, rel=1e-5)
        assert found.se_i_zx_lower[k] == pytest.approx(low.standard_error, rel=1e-4)
        assert found.se_i_zx_upper[k] == pytest.approx(high.standard_error, rel=1e-4)
    assert found.loss == pytest.approx(nn.functional.cross_entropy(logits, Y).item() / bit, rel=1e-5)
    assert found.error == pytest.approx((logits.argmax(1) != Y).float().mean().item())
    assert (found.step, found.updates, found.n_sandwich) == (7, 40, 50)
    assert found.bounds.kind == "lower_bound"
    assert len(set(found.input_keys.tolist())) == N
    assert found.neurons["first"].mean == pytest.approx(first.mean(0).numpy(), abs=1e-6)
    assert found.activations["second"]["n"] == N * 6
    np.testing.assert_allclose(found.raw.values["first"], first[found.raw.positions].numpy(), atol=1e-6)


def test_the_sandwich_lies_below_the_rate():
    with Setup() as setup:
        found = setup.measure(sandwich=N)
    assert (found.i_zx_lower < found.i_zx_upper).all()
    assert (found.i_zx_upper < found.bounds.i_zx + 3 * found.bounds.se_i_zx).all()
    assert (found.i_zx_lower + 0.2 > found.bounds.i_zy).all()


# --- merging


@pytest.mark.parametrize("size", [7, 37, N])
def test_the_batch_size_does_not_matter(size):
    with Setup(("trained", "untrained"), betas=(1e-3, 1e-2)) as setup:
        gaps = differences(setup.measure(size=size), setup.measure())
    assert max(gaps.values()) < 2e-6, gaps


@pytest.mark.parametrize("ranks", [2, 3])
def test_what_ranks_saw_merges_into_what_one_sees(ranks):
    with Setup() as setup:
        whole = setup.measure(size=N)
        passes = [setup.passed(torch.arange(rank, N, ranks), size=N) for rank in range(ranks)]
        merged = setup.measure(ranks=Gathered(*passes))
    gaps = differences(merged, whole)
    assert max(gaps.values()) < 2e-6, gaps  # float32 products of other batches; the sums themselves: next test


def test_sums_of_halves_are_those_of_the_whole_to_double_precision():
    with Setup() as setup:
        whole = setup.measure(torch.arange(80), size=1)
        passes = [setup.passed(torch.arange(80)[half], size=1) for half in (slice(0, 33), slice(33, 80))]
        merged = setup.measure(ranks=Gathered(*passes[::-1]))
        gaps = differences(merged, whole)
    assert merged.activations == whole.activations
    assert max(gaps.values()) < 1e-9, gaps


def test_ranks_that_saw_the_same_inputs_count_once_and_others_all():
    far = 1 << 40
    with Setup() as setup:
        alone = setup.measure()
        same = [setup.passed(torch.arange(N), positions=torch.arange(N) + rank * far) for rank in range(2)]
        apart = [
            setup.passed(torch.arange(150) + 150 * rank, positions=torch.arange(150) + rank * far) for rank in range(2)
        ]
        once = setup.measure(ranks=Gathered(*same), dealt=False)
        both = setup.measure(ranks=Gathered(*apart), dealt=False)
    assert max(differences(once, alone).values()) < 1e-12
    assert both.bounds.n == N
    np.testing.assert_array_equal(both.input_keys, alone.input_keys)
    np.testing.assert_allclose(both.bounds.i_zx, alone.bounds.i_zx, rtol=1e-6)


def test_a_rank_without_inputs_adds_nothing():
    with Setup() as setup:
        whole = setup.measure()
        passes = [setup.passed(torch.arange(0)), setup.passed(torch.arange(N))]
        assert max(differences(setup.measure(ranks=Gathered(*passes)), whole).values()) < 1e-12


def test_no_input_at_all():
    with Setup() as setup, pytest.raises(InputError, match="empty loader"):
        setup.measure(torch.arange(0))


# --- hosts


def test_hosts_with_one_network_share_its_forward():
    with Setup(("trained", "untrained", "refitted")) as setup:
        before = {name: model.calls for name, model in setup.models.items()}
        found = setup.measure(size=100)
        calls = {name: model.calls - before[name] for name, model in setup.models.items()}
    assert calls == {"trained": 3, "untrained": 3}
    assert [probe.host for probe in setup.probes] == ["trained"] * 2 + ["untrained"] * 2 + ["refitted"] * 2
    # Fitted on the same activations from the same start, the fresh probes are the trained ones.
    np.testing.assert_allclose(found.bounds.i_zx[4:], found.bounds.i_zx[:2], rtol=1e-6)
    assert found.activations["first"]["n"] == N * 7
    assert set(found.left_out) == {probe.name for probe in setup.probes}


def test_the_network_is_in_evaluation_mode_and_keeps_its_modes():
    with Setup() as setup:
        model = setup.models["trained"]
        model.train()
        model.second.eval()
        first, second = setup.measure(), setup.measure()
        assert [m.training for m in model.modules()] == [True, True, False, True]
    assert max(differences(first, second).values()) == 0


def test_a_network_that_works_in_place_spoils_nothing_for_the_next():
    class InPlace(Host):
        def forward(self, x):
            return super().forward(x.mul_(2))

    with Setup(("trained", "untrained"), steps=1) as setup:
        for model in setup.models.values():
            model.__class__ = InPlace
        found = setup.measure()
        model, bank = setup.models["untrained"], setup.watched[1].bank
        with torch.no_grad():
            first = model.first(2 * X)
            second = model.second(first.relu())
        results = bank.evaluate({"first": first, "second": second}, Y, torch.arange(N))
    truth = [row.kl.mean().item() / math.log(2) for row in results.values()]
    assert found.bounds.i_zx[2:] == pytest.approx(truth, rel=1e-5)
    np.testing.assert_array_equal(found.input_keys, Batch((X,), {}, Y).keys())


# --- the bound on the layer


def test_a_layer_has_at_least_what_the_best_later_reader_reads():
    setup = Setup(betas=(1e-3, 3.0))
    model = setup.models["trained"].train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X.clone()), Y).backward()
        optimizer.step()
    with setup:
        found, own = setup.measure(), setup.measure(later={})
    probes = [probe.name for probe in setup.probes]
    assert (found.chain_term == len(probes)).all()  # the host's own output
    assert (found.i_ty_chain > own.i_ty_chain).all()
    assert (found.i_ty_chain <= found.bounds.h_y).all()
    assert found.i_ty_chain[0] == found.i_ty_chain[1] == found.i_ty_chain[2]
    # The temperature is fitted on the other half: about what the host's own loss says, and not much more.
    assert found.i_ty_chain[0] == pytest.approx(found.bounds.h_y - found.loss, abs=0.1)
    assert (found.se_i_ty_chain > 0).all()
    # Without later sites the best probe of the site itself is taken: the one with the smaller beta.
    assert [probes[k] for k in own.chain_term] == [probes[0]] * 2 + [probes[2]] * 2
    np.testing.assert_allclose(own.i_ty_chain, own.bounds.i_zy[[0, 0, 2, 2]], atol=1e-9)
    np.testing.assert_allclose(own.se_i_ty_chain, own.bounds.se_i_zy[[0, 0, 2, 2]], rtol=0.02)


def test_networks_do_not_lend_each_other_information():
    with Setup(("trained", "untrained")) as setup:
        found = setup.measure(later={"first": ("second",), "second": ()})
    assert set(found.chain_term[:2]) <= {0, 1}
    assert set(found.chain_term[2:]) <= {2, 3}
    assert found.chain_term[1] == 1
    assert found.chain_term[3] == 3


# --- outputs that are no scores, and real labels


def test_a_host_whose_output_is_not_read():
    with Setup(scores="") as setup:
        found = setup.measure()
    assert found.loss is None
    assert found.error is None
    assert (found.chain_term < 2).all()


def test_an_output_that_changed_is_an_error():
    with Setup() as setup:
        setup.models["trained"].head = nn.Linear(6, CLASSES + 1)
        with pytest.raises(CaptureError, match=r"was an \(n, 3\) tensor in training"):
            setup.measure()


def test_labels_outside_the_classes_are_refused():
    with Setup() as setup, pytest.raises(InputError, match="a label is 3"):
        setup.measure(labels=Y + 1)


@pytest.mark.parametrize("entropy", [None, 2.5])
def test_real_labels(entropy):
    with Setup(target=RealTarget(2, entropy), scores="values", steps=150) as setup:
        found = setup.measure(labels=REAL)
        with torch.no_grad():
            predicted = setup.models["trained"].eval()(X.clone())
        parts = [setup.passed(torch.arange(k, N, 2), labels=REAL) for k in range(2)]
        merged = setup.measure(ranks=Gathered(*parts), labels=REAL)
    bounds = found.bounds
    assert bounds.kind == ("estimate" if entropy is None else "lower_bound")
    truth = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * np.cov(REAL.numpy().T, bias=True))[1]
    assert bounds.h_y * math.log(2) == pytest.approx(truth if entropy is None else entropy, rel=1e-6)
    assert bounds.i_zy == pytest.approx(bounds.h_y - bounds.ce, rel=1e-9)
    assert np.isnan(bounds.i_zx_given_y).all()
    left = ((predicted - REAL) ** 2).sum() / ((REAL - REAL.mean(0)) ** 2).sum()
    assert found.error == pytest.approx(left.item(), rel=1e-4)
    assert found.loss is None
    assert (bounds.error < 1).all()
    assert (found.chain_term < 2).all()
    assert np.isfinite(found.i_ty_chain).all()
    np.testing.assert_allclose(merged.bounds.i_zy, bounds.i_zy, atol=1e-5)
    assert merged.error == pytest.approx(found.error, rel=1e-6)


# --- odd values


def test_activations_that_are_not_finite_break_their_site_alone():
    with Setup() as setup:
        whole = setup.measure()
        with torch.no_grad():
            setup.models["trained"].second.weight[0, 0] = math.nan
        found = setup.measure()
    assert np.isnan([found.bounds.i_zx[1], found.i_zx_lower[1], found.i_zx_upper[1]]).all()
    assert found.bounds.i_zx[0] == whole.bounds.i_zx[0]
    assert found.i_zx_lower[0] == whole.i_zx_lower[0]
    assert found.chain_term.tolist() == [0, -1]
    assert found.i_ty_chain[0] == pytest.approx(found.bounds.i_zy[0], abs=1e-9)
    assert np.isnan(found.i_ty_chain[1])


def test_one_input_has_neither_sandwich_nor_chain():
    with Setup() as setup:
        found = setup.measure(torch.arange(1))
    assert found.n_sandwich == 1
    assert np.isnan([*found.i_zx_lower, *found.i_zx_upper, *found.i_ty_chain]).all()
    assert (found.chain_term == -1).all()
    assert np.isfinite(found.bounds.i_zx).all()


# --- bottlenecks in series


class Series(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.code, self.head = nn.Linear(FEATURES, 6), VIBBottleneck(6, LATENT), nn.Linear(LATENT, CLASSES)
        self.drawn = []

    def forward(self, x):
        self.drawn.append(self.code.sampling)
        return self.head(self.code(torch.tanh(self.body(x))))


def in_series(draws, *, scores="logits", size=100):
    """Measure a network with a bottleneck; its tap looks away while codes are drawn."""
    torch.manual_seed(0)
    model, target, looking = Series(), ClassTarget(CLASSES), [True]
    infos = probes_of_host(("code.encoder",), host="trained", betas=(1e-3,), latent=LATENT)
    settings = VIBSettings(mode="bottleneck", latent=LATENT, draws=draws)
    bank = BottleneckBank(infos, {"code.encoder": model.code}, target, settings, device=CPU)
    places = [Place("code.encoder", "code.encoder", model.code.encoder)]
    seen = []
    tap = Tap(model, places, active=lambda: looking[0], keep=lambda site, t: (seen.append(len(t)), t.clone())[1])

    @contextmanager
    def aside():
        looking[0] = False
        yield
        looking[0] = True

    held_out = HeldOut(
        [Watched("trained", model, tap, bank, aside)],
        infos,
        target,
        scores,
        recorders=Recorders(),
        device=CPU,
        sandwich=40,
        seed=0,
    )
    tap.open()
    try:
        for part in torch.arange(N).split(size):
            held_out.add(Batch((X[part],), {}, Y[part]), part)
    finally:
        tap.close()
    found = held_out.result(Ranks(), dealt=True, step=1, later={"code.encoder": (OUTPUT,)}, weights={}, gradients={})
    return found, model, seen


def test_a_bottleneck_is_measured_by_draws_and_the_host_by_its_mean():
    found, model, seen = in_series(5)
    state = torch.get_rng_state()
    repeated, _, _ = in_series(5)
    assert torch.equal(state, torch.get_rng_state())
    assert repeated.bounds.i_zy[0] == found.bounds.i_zy[0]
    assert model.drawn == [False, *[True] * 5] * 3
    assert seen == [100] * 3
    with torch.no_grad():
        mean, log_std = model.code.code_of(model.code.encoder(torch.tanh(model.body(X))))
        plain = nn.functional.cross_entropy(model.head(mean), Y).item()
        noise = torch.randn(400, N, LATENT, generator=torch.Generator().manual_seed(1))
        drawn = nn.functional.cross_entropy(model.head(mean + log_std.exp() * noise).transpose(1, 2), Y.expand(400, N))
    assert found.loss == pytest.approx(plain / math.log(2), rel=1e-5)
    assert found.bounds.ce[0] == pytest.approx(drawn.item() / math.log(2), abs=2e-3)
    assert found.i_zx_lower[0] <= found.i_zx_upper[0]


def test_one_draw_is_a_draw_and_not_the_mean():
    _, model, _ = in_series(1)
    assert model.drawn == [False, True] * 3


def test_a_bottleneck_needs_an_output_that_can_be_read():
    with pytest.raises(CaptureError, match=r"mode 'bottleneck' reads the label from the network's own output"):
        in_series(2, scores="")
