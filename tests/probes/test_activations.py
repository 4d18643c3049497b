import pickle

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.analysis.errors import InputError
from infoplane.analysis.sketch import BIN_EDGES, LogHistogram
from infoplane.errors import SiteError
from infoplane.probes.activations import ActivationRecorder

SITES = ("wide", "narrow", "silent")


def batches(n=6):
    generator = torch.Generator().manual_seed(0)
    for _ in range(n):
        wide = torch.randn(32, 50, generator=generator)
        yield {"wide": wide, "narrow": torch.tanh(wide[:, :3] * 1e-3), "silent": torch.zeros(32, 4)}


def recorded(steps):
    recorder = ActivationRecorder(SITES)
    for batch in steps:
        for site, activation in batch.items():
            recorder.update(site, activation)
    return recorder


def test_counts_are_those_of_all_batches_in_the_order_of_the_sites():
    summaries = recorded(batches()).summaries()
    assert tuple(summaries) == SITES
    values = torch.cat([batch["wide"] for batch in batches()]).numpy()
    assert np.array_equal(summaries["wide"].counts[0], np.histogram(-values[values < 0], BIN_EDGES)[0])
    assert np.array_equal(summaries["wide"].counts[1], np.histogram(values[values > 0], BIN_EDGES)[0])
    assert summaries["wide"]["maximum_positive"] == values.max()
    assert summaries["silent"]["zeros"] == summaries["silent"]["n"] == 6 * 32 * 4


def test_a_site_has_the_summary_that_it_would_have_alone():
    summaries = recorded(batches()).summaries()
    for site in SITES:
        alone = LogHistogram()
        alone.update(torch.cat([batch[site] for batch in batches()]))
        assert summaries[site] == alone.summary()


def test_parts_merged_in_any_order_are_the_whole():
    whole, steps = recorded(batches()), list(batches())
    parts = [recorded(steps[k::3]) for k in range(3)]
    first = parts.pop(1)
    for part in parts:
        first.merge(pickle.loads(pickle.dumps(part)))
    assert first.summaries() == whole.summaries()
    assert parts[0].summaries() == recorded(steps[0::3]).summaries()


def test_after_a_reset_only_what_follows_counts():
    recorder, (old, new) = ActivationRecorder(SITES), batches(2)
    recorder.update("wide", old["wide"])
    recorder.reset()
    recorder.update("wide", new["wide"])
    assert recorder.summaries()["wide"] == recorded([new]).summaries()["wide"]
    assert recorder.summaries()["narrow"]["n"] == 0


def test_what_is_given_is_counted_at_once_and_left_as_it_is():
    recorder = ActivationRecorder(("host",))
    activation = nn.Linear(5, 4)(torch.randn(7, 5, generator=torch.Generator().manual_seed(1)))
    before, graph = activation.detach().clone(), activation.grad_fn
    recorder.update("host", activation)
    assert torch.equal(activation, before)
    assert activation.grad_fn is graph
    assert activation._version == 0
    with torch.no_grad():
        activation.zero_()
    expected = LogHistogram()
    expected.update(before)
    assert recorder.summaries()["host"] == expected.summary()


def test_memory_does_not_grow_with_what_is_seen():
    recorder = recorded(batches(1))
    once = len(pickle.dumps(recorder))
    for batch in batches(50):
        for site, activation in batch.items():
            recorder.update(site, activation)
    assert len(pickle.dumps(recorder)) < once + 1000


def test_recorders_of_other_sites_are_not_merged():
    with pytest.raises(
        SiteError, match=r"has the sites fc1, this one wide, narrow, silent; only recorders of the same"
    ):
        ActivationRecorder(SITES).merge(ActivationRecorder(("fc1",)))


def test_complex_activations_are_refused():
    with pytest.raises(InputError, match="complex64"):
        ActivationRecorder(SITES).update("wide", torch.zeros(2, 2, dtype=torch.complex64))
