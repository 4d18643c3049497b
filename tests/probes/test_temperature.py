import math
import pickle

import numpy as np
import pytest
import torch

from infoplane.analysis.best_bound import Fold, best_lower_bound
from infoplane.probes.temperature import INVERSE_TEMPERATURES, TemperatureCosts

N, CLASSES = 4000, 3


def drawn(inverse, *, n=N, seed=0):
    """Labels that follow softmax(inverse * logits) exactly, and the logits."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, CLASSES, generator=generator, dtype=torch.float64)
    labels = torch.multinomial((inverse * logits).softmax(1), 1, generator=generator)[:, 0]
    return logits, labels


def costs(logits, labels, *, size=N, positions=None):
    found = TemperatureCosts(CLASSES)
    positions = torch.arange(len(labels)) if positions is None else positions
    for part in torch.arange(len(labels)).split(size):
        found.update(logits[part].float().log_softmax(1), labels[part], positions[part])
    return found


def bound(found):
    """H(Y) less the cross-entropy at the temperature of the other fold, in nats."""
    whole = found.folds[0].merged(found.folds[1])
    folds = [Fold(f.n, f.ce.mean, np.diag(f.gains(whole).covariance_of_means())) for f in found.folds]
    return whole.entropy(), best_lower_bound(whole.entropy(), folds, np.ones(len(INVERSE_TEMPERATURES), bool))


def test_the_grid_holds_one_and_steps_of_a_fifth():
    assert 1.0 in INVERSE_TEMPERATURES
    np.testing.assert_allclose(np.diff(np.log2(INVERSE_TEMPERATURES)), 0.25)


def test_every_cross_entropy_equals_that_of_torch():
    logits, labels = drawn(1.0)
    found = costs(logits, labels, size=999)
    for fold in range(2):
        for b, mean in zip(INVERSE_TEMPERATURES, found.folds[fold].ce.mean, strict=True):
            truth = torch.nn.functional.cross_entropy(b * logits[fold::2].log_softmax(1), labels[fold::2])
            assert mean == pytest.approx(truth.item(), rel=2e-6)
    assert found.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item(), rel=2e-6)


@pytest.mark.parametrize("inverse", [0.25, 1.0, 8.0])
def test_a_wrong_scale_of_the_logits_costs_nothing(inverse):
    logits, labels = drawn(inverse)
    plain = torch.nn.functional.cross_entropy(inverse * logits, labels, reduction="none")
    h_y, found = bound(costs(logits, labels))
    truth = h_y - plain.mean().item()
    # The loss is flat at its minimum: half a step of the grid costs little.
    assert abs(found.value - truth) < 1e-3
    assert INVERSE_TEMPERATURES[found.best] == pytest.approx(inverse, rel=0.2)


def test_the_value_is_read_where_it_was_not_chosen():
    logits, labels = drawn(2.0, n=60)
    ce = np.array(
        [torch.nn.functional.cross_entropy(b * logits, labels, reduction="none").numpy() for b in INVERSE_TEMPERATURES]
    )
    even, odd = ce[:, 0::2], ce[:, 1::2]
    on_even, on_odd = odd.mean(1).argmin(), even.mean(1).argmin()
    assert on_even != on_odd
    h_y, found = bound(costs(logits, labels))
    read = np.empty(60)
    read[0::2], read[1::2] = even[on_even], odd[on_odd]
    assert found.value == pytest.approx(h_y - read.mean(), rel=1e-5)
    assert found.value < h_y - ce.mean(1).min()
    # The error is that of what was read, H(Y) estimated from the same labels.
    gain = -np.log(np.bincount(labels) / 60)[labels] - read
    within = [gain[k::2].var(ddof=1) / 30 for k in range(2)]
    assert found.standard_error == pytest.approx(math.sqrt(sum(within)) / 2, rel=1e-5)


def test_an_output_without_information_gives_no_bit():
    generator = torch.Generator().manual_seed(1)
    logits = 5 * torch.randn(N, CLASSES, generator=generator)
    labels = torch.randint(CLASSES, (N,), generator=generator)
    _, found = bound(costs(logits, labels))
    assert -0.01 < found.value < 0.001


def test_halves_merge_into_the_whole_whatever_the_batches():
    logits, labels = drawn(1.0)
    whole = costs(logits, labels)
    for size in (7, 640):
        parts = [
            costs(logits[k::3], labels[k::3], size=size, positions=torch.arange(k, N, 3)) for k in range(3)
        ]  # as three ranks have them
        parts[0].merge(pickle.loads(pickle.dumps(parts[1])))
        parts[0].merge(parts[2])
        for a, b in zip(whole.folds, parts[0].folds, strict=True):
            assert a.n == b.n == N // 2
            np.testing.assert_array_equal(a.counts, b.counts)
            np.testing.assert_allclose(a.ce.mean, b.ce.mean, rtol=1e-12)
            np.testing.assert_allclose(a.ce.products, b.ce.products, rtol=1e-9)


def test_certain_outputs_that_are_wrong_cost_infinitely_much_and_spoil_nothing_else():
    log_p = torch.tensor([[0.0, -math.inf, -math.inf], [-1.0, -1.0, -1.2]])
    found = TemperatureCosts(CLASSES)
    found.update(log_p, torch.tensor([0, 1]), torch.arange(2))
    assert np.isfinite(found.folds[0].ce.mean).all()
    found.update(log_p, torch.tensor([1, 0]), torch.arange(2, 4))
    assert np.isinf(found.loss)
