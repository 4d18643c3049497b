"""The sketch against independent counting, exact moments, and itself cut and merged in every way."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from infoplane.analysis.errors import InputError
from infoplane.analysis.sketch import BIN_CENTERS, BIN_EDGES, QUANTITIES, UNITS, LogHistogram, SketchSummary
from infoplane.analysis.sketch_codes import DeviceTable

HOST = torch.device("cpu")
SPECIAL_BITS = [
    0, 1, 2**18 - 1, 2**18, 0x007FFFFF, 0x00800000, 0x3F800000, 0x7F7FFFFF,  # zero, subnormals, 1, largest
    0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF,  # infinity and NaN of several payloads
]  # fmt: skip
BITS = st.one_of(st.sampled_from(SPECIAL_BITS + [b | 0x80000000 for b in SPECIAL_BITS]), st.integers(0, 2**32 - 1))


def sketched(*arrays):
    sketch = LogHistogram()
    for array in arrays:
        sketch.update(array)
    return sketch


def on_device(*tensors):
    """Count by the accelerator's path, on the host's own device."""
    sketch = LogHistogram()
    table = DeviceTable(HOST)
    for tensor in tensors:
        table.count(tensor)
    sketch._devices[HOST] = table
    return sketch


def counted_by_frexp(magnitudes):
    """Number of values per (octave, 32nd of it), from mantissa and exponent instead of bits."""
    mantissa, exponent = np.frexp(np.asarray(magnitudes, dtype=np.float64))
    keys, counts = np.unique((exponent - 1) * 32 + np.floor((2 * mantissa - 1) * 32), return_counts=True)
    return dict(zip((int(k) for k in keys), (int(c) for c in counts), strict=True))


def bins_of(sketch, sign):
    edges, counts = sketch.histogram(sign)
    # The geometric middle lies in the bin even where an extreme has cut it.
    middles = np.sqrt(edges[:-1] * edges[1:])
    return {next(iter(counted_by_frexp([m]))): int(c) for m, c in zip(middles, counts, strict=True) if c}


def test_counts_equal_those_of_mantissa_and_exponent_across_chunks():
    rng = np.random.default_rng(1)
    x = (rng.normal(size=300_001) * np.exp(rng.normal(size=300_001) * 6)).astype(np.float32)
    sketch = sketched(x)
    assert bins_of(sketch, 1) == counted_by_frexp(x[x > 0])
    assert bins_of(sketch, -1) == counted_by_frexp(-x[x < 0])
    assert bins_of(sketch, 0) == counted_by_frexp(np.abs(x[x != 0]))


def test_summary_counts_equal_numpys_histogram_over_the_same_edges():
    rng = np.random.default_rng(2)
    x = (rng.normal(size=50_000) * np.exp(rng.normal(size=50_000) * 12)).astype(np.float32)
    summary = sketched(x).summary()
    for row, part in enumerate((-x[x < 0], x[x > 0])):
        inside = part[(part >= 2.0**-40) & (part < 2.0**24)]
        assert np.array_equal(summary.counts[row], np.histogram(inside, bins=BIN_EDGES)[0])
        name = ("negative", "positive")[row]
        assert summary[f"underflow_{name}"] == np.count_nonzero(part < 2.0**-40) > 0
        assert summary[f"overflow_{name}"] == np.count_nonzero(part >= 2.0**24) > 0
        assert summary[f"minimum_{name}"] == part.min()
        assert summary[f"maximum_{name}"] == part.max()
        assert summary[f"count_{name}"] == part.size


def test_bins_of_the_summary_are_eight_equal_ones_per_octave():
    assert BIN_EDGES.shape == (513,)
    assert BIN_EDGES[0] == 2.0**-40
    assert BIN_EDGES[-1] == 2.0**24
    assert np.array_equal(BIN_EDGES[320:329], 1 + np.arange(9) / 8)
    assert np.allclose(BIN_CENTERS**2, BIN_EDGES[1:] * BIN_EDGES[:-1], rtol=1e-15)
    assert len(QUANTITIES) == len(UNITS) == 18


def test_special_values_are_counted_apart_and_not_among_the_extremes():
    sketch = sketched(np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 3.0, -2.0, 0.5, 1e-40], dtype=np.float32))
    assert (sketch.n, sketch.n_zero, sketch.n_nan, sketch.n_infinite) == (9, 2, 1, 2)
    assert (sketch.n_positive, sketch.n_negative) == (3, 1)
    summary = sketch.summary()
    assert summary["maximum_positive"] == 3.0
    assert summary["minimum_positive"] == float(np.float32(1e-40))
    assert summary["minimum_negative"] == summary["maximum_negative"] == 2.0


def test_float64_beyond_float32_is_overflow_or_underflow_but_never_infinite_or_zero():
    x = np.array([1e300, -1e300, 1e-300, -5e-324, 0.0, np.inf])
    for sketch in (sketched(x), sketched(torch.tensor(x)), on_device(torch.tensor(x))):
        assert (sketch.n, sketch.n_infinite, sketch.n_zero) == (6, 1, 1)
        summary = sketch.summary()
        assert [summary[q] for q in ("overflow_positive", "overflow_negative")] == [1, 1]
        assert [summary[q] for q in ("underflow_positive", "underflow_negative")] == [1, 1]


@settings(max_examples=150, deadline=None)
@given(st.lists(BITS, max_size=60), st.data())
def test_any_split_order_device_and_merge_gives_the_same_state(bits, data):
    x = np.array(bits, dtype=np.uint32).view(np.float32)
    whole = sketched(x)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(bits)), max_size=4)))
    merged = LogHistogram()
    for part in np.split(data.draw(st.permutations(range(len(bits)))), cuts):
        values = x[part.astype(int)]
        device = data.draw(st.booleans())
        merged.merge(on_device(torch.from_numpy(values)) if device else sketched(values))
    assert merged == whole
    assert merged.summary() == whole.summary()
    words = np.array(bits, dtype=np.uint32)
    magnitude = words & 0x7FFFFFFF
    assert whole.n_zero == np.count_nonzero(magnitude == 0)
    assert whole.n_nan == np.count_nonzero(magnitude > 0x7F800000)
    assert whole.n_infinite == np.count_nonzero(magnitude == 0x7F800000)
    for name, negative in (("negative", True), ("positive", False)):
        members = (magnitude > 0) & (magnitude < 0x7F800000) & ((words >= 0x80000000) == negative)
        assert whole.summary()[f"count_{name}"] == members.sum()
        if members.any():
            assert whole.summary()[f"minimum_{name}"] == float(np.abs(x[members]).min())
            assert whole.summary()[f"maximum_{name}"] == float(np.abs(x[members]).max())


def test_merging_leaves_the_other_as_it_is_and_refuses_anything_else():
    a, b = sketched([1.0, 2.0]), sketched([3.0])
    a.merge(b)
    assert a == sketched([3.0, 2.0, 1.0])
    assert b == sketched([3.0])
    assert a != b
    with pytest.raises(InputError, match="only a LogHistogram"):
        a.merge([1.0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float32])
def test_every_float_dtype_counts_as_its_float32_value(dtype):
    x = torch.randn(2000, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert sketched(x) == sketched(x.float()) == on_device(x)


def test_integers_are_converted_and_numpy_and_torch_agree():
    x = np.arange(-5, 300)
    assert sketched(x) == sketched(x.astype(np.float32)) == sketched(torch.tensor(x)) == sketched(list(x))
    assert sketched(x.astype(">f8")) == sketched(x)


def test_layout_shape_and_gradients_do_not_matter():
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = sketched(x)
    last = x.to(memory_format=torch.channels_last)
    for other in (x.transpose(0, 3), last, x.flip(1), x.clone().requires_grad_(), x.numpy()[:, ::-1]):
        assert sketched(other) == plain
    assert sketched(x[:, :, ::2], x[:, :, 1::2]) == plain
    assert sketched(torch.tensor(2.5)) == sketched(2.5) == sketched(np.float32(2.5))
    assert sketched(torch.ones(1).expand(7)).n == 7
    assert sketched(torch.empty(0, 5), [], np.empty((3, 0))) == LogHistogram()
    assert on_device(torch.empty(0)) == LogHistogram()


def test_a_sketch_used_in_inference_mode_can_be_used_after_it():
    table, x = DeviceTable(HOST), torch.ones(3)
    sketch = LogHistogram()
    with torch.inference_mode():
        sketch.update(x * 2)
    sketch.update(x)
    table.count(x)
    assert sketch.n == 6


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (torch.zeros(2, dtype=torch.complex64), "complex64"),
        (np.zeros(2, dtype=complex), "complex128"),
        (torch.zeros(2, dtype=torch.bool), "bool"),
        (np.array([True]), "bool"),
        (["a"], "dtype"),
        ([[1.0], [2.0, 3.0]], "one array"),
        ([None], "object"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "masked"),
        (torch.eye(2).to_sparse(), "sparse"),
        (torch.empty(2, device="meta"), "meta"),
    ],
)
def test_what_is_no_dense_real_number_is_refused_and_counts_nothing(values, reason):
    sketch = LogHistogram()
    with pytest.raises(InputError, match=reason):
        sketch.update(values)
    assert sketch == LogHistogram()


class NoReadBack(TorchDispatchMode):
    """Fails on what makes a host wait for an accelerator."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        mask = name in ("index", "index_put_") and any(i.dtype == torch.bool for i in args[1] if i is not None)
        if mask or name in (
            "_local_scalar_dense",
            "nonzero",
            "masked_select",
            "bincount",
            "unique",
            "_unique2",
        ):
            raise AssertionError(f"{name} reads back")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_accelerators_path_reads_nothing_back(dtype):
    x = torch.randn(100, generator=torch.Generator().manual_seed(0)).to(dtype)
    table = DeviceTable(HOST)
    with NoReadBack():
        table.count(x)
    with NoReadBack(), pytest.raises(AssertionError, match="reads back"):
        x[x > 0]
    with NoReadBack(), pytest.raises(AssertionError, match="reads back"):
        x.max().item()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda_nothing_synchronises_and_the_state_is_that_of_the_host():
    x = torch.randn(3_000_000, generator=torch.Generator().manual_seed(0))
    x[::7], x[::1001], x[5], x[6] = 0.0, math.nan, math.inf, -math.inf
    sketch, remote = LogHistogram(), x.cuda()
    sketch.update(remote)
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        sketch.update(remote)
        sketch.update(remote.double())
    finally:
        torch.cuda.set_sync_debug_mode(before)
    assert copy.deepcopy(sketch) == sketched(x, x, x)


LAWS = {
    "half-normal": lambda rng, n: np.abs(rng.normal(size=n)),
    "uniform": lambda rng, n: 1 - rng.random(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "log-normal": lambda rng, n: rng.lognormal(size=n),
    "wide log-normal": lambda rng, n: rng.lognormal(sigma=3, size=n),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_moments_of_the_logarithm_are_within_1e_4_of_the_exact_ones(law, seed):
    rng = np.random.default_rng(seed)
    x = (LAWS[law](rng, 400_000) * math.exp(rng.normal() * 5)).astype(np.float32)
    x = x[x > 0]
    logs = np.log(x.astype(np.float64))
    for sign, sketch in ((1, sketched(x)), (-1, sketched(-x)), (0, sketched(x[::2], -x[1::2]))):
        found = sketch.summary().magnitudes(sign)
        assert found.mean_log == pytest.approx(logs.mean(), abs=1e-4)
        assert found.std_log == pytest.approx(logs.std(), abs=1e-4)
        assert (found.count, found.minimum, found.maximum) == (x.size, x.min(), x.max())


def test_values_are_spread_evenly_inside_a_bin_but_for_the_extremes():
    a, b, n = 1.0, 1.03125, 10**6  # one bin: one value at each end, the rest in the middle
    sketch = sketched([a, float(np.nextafter(np.float32(b), np.float32(0)))], np.full(n, 1.015))
    found = sketch.summary().magnitudes()
    mean = (b * math.log(b) - a * math.log(a)) / (b - a) - 1
    second = (b * math.log(b) ** 2 - a * math.log(a) ** 2) / (b - a) - 2 * mean
    assert found.mean_log == pytest.approx(mean, abs=1e-7)
    assert found.std_log == pytest.approx(math.sqrt(second - mean**2), rel=1e-5)


@pytest.mark.parametrize("values", [[0.3] * 5, [0.3], [-7e-30, -7e-30]])
def test_equal_values_have_a_deviation_of_exactly_zero(values):
    found = sketched(values).summary().magnitudes(0)
    assert found.std_log == 0.0
    assert found.mean_log == pytest.approx(math.log(abs(values[0])), abs=1e-7)


@pytest.mark.parametrize("pair", [(0.1, 30.0), (1.0, 1.0 + 2.0**-20), (2.0**-149, 3e38)])
def test_two_values_have_exact_moments(pair):
    found = sketched(np.array(pair, dtype=np.float32)).summary().magnitudes()
    logs = np.log(np.array(pair, dtype=np.float32).astype(np.float64))
    assert found.mean_log == pytest.approx(logs.mean(), rel=1e-12)
    assert found.std_log == pytest.approx(logs.std(), rel=1e-9)


def test_histograms_end_at_the_exact_extremes_and_hold_every_value():
    x = np.array([1.1e-20, 0.3, 0.31, 5.0, 3e9], dtype=np.float32)
    for sketch in (sketched(x), sketched(x).summary()):
        edges, counts = sketch.histogram()
        assert (edges[0], edges[-1]) == (x[0], x[-1])
        assert counts.sum() == 5
        assert counts[0] == counts[-1] == 1
        assert np.all(np.diff(edges) > 0)
        assert sketch.histogram(-1)[0].size == 0
        with pytest.raises(InputError, match="sign=2"):
            sketch.histogram(2)


def test_a_maximum_on_an_edge_belongs_to_the_bin_below_it():
    for sketch in (sketched([1.0, 1.9, 2.0, 2.0]), sketched([1.0, 1.9, 2.0, 2.0]).summary()):
        edges, counts = sketch.histogram()
        assert edges[-2] < edges[-1] == 2.0
        assert counts.sum() == 4


def test_an_empty_sketch_has_no_extremes_and_no_moments():
    summary = LogHistogram().summary()
    assert summary["n"] == 0
    assert all(math.isnan(summary[f"{q}_positive"]) for q in ("minimum", "maximum", "mean_log", "std_log"))
    assert summary.magnitudes(0).count == 0
    assert summary == LogHistogram().summary()


def test_copies_and_pickles_are_equal_and_independent():
    sketch = on_device(torch.tensor([1.0, -2.0, 0.0]))
    for twin in (copy.copy(sketch), copy.deepcopy(sketch), pickle.loads(pickle.dumps(sketch))):
        assert twin == sketch
        twin.update([5.0])
        assert twin.n == 4
        assert sketch.n == 3
    summary = sketch.summary()
    assert pickle.loads(pickle.dumps(summary)) == copy.deepcopy(summary) == summary
    assert SketchSummary(summary.counts, summary.scalars) == summary
    assert summary != sketched([1.0]).summary()


def test_a_summary_refuses_wrong_shapes_damage_and_unknown_quantities():
    summary = sketched([1.0, 2.0]).summary()
    with pytest.raises(InputError, match=r"\(2, 512\)"):
        SketchSummary(summary.counts[:, :5], summary.scalars)
    with pytest.raises(InputError, match=r"\(18,\)"):
        SketchSummary(summary.counts, summary.scalars[:5])
    with pytest.raises(InputError, match="damaged"):
        SketchSummary(summary.counts + 1, summary.scalars)
    with pytest.raises(InputError, match="did you mean 'minimum_positive'"):
        summary["minimum_positiv"]
    with pytest.raises(ValueError, match="read-only"):
        summary.counts[0, 0] = 1


def test_reprs_name_the_counts():
    assert repr(sketched([1.0, -2.0, 0.0])) == (
        "LogHistogram(n=3, n_positive=1, n_negative=1, n_zero=1, n_nan=0, n_infinite=0)"
    )
    assert "count_positive=1" in repr(sketched([1.0]).summary())
