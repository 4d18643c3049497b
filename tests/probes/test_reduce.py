import functools
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.probes.errors import SiteError
from infoplane.probes.projection import GaussianProjection
from infoplane.probes.reduce import check_reductions, reduction_for


def draw(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(dtype)


def reduction(asked, shape, *, module=None, inputs=None, site="a"):
    module = nn.Identity() if module is None else module
    return reduction_for(asked, site=site, module=module, shape=shape, inputs=shape[0] if inputs is None else inputs)


X2, X3, X4, X5 = draw(6, 5), draw(6, 5, 4), draw(6, 5, 4, 3), draw(6, 5, 4, 3, 2)


@pytest.mark.parametrize(
    ("asked", "activation", "expected"),
    [
        ("flatten", X2, X2.numpy()),
        ("flatten", X4, X4.numpy().reshape(6, 60)),
        ("gap", X3, X3.numpy().mean(2)),
        ("gap", X4, X4.numpy().mean((2, 3))),
        ("gap", X5, X5.numpy().mean((2, 3, 4))),
        ("gap", X2, X2.numpy()),
        ("tokens-mean", X3, X3.numpy().mean(1)),
        ("tokens-mean", X4, X4.numpy().mean((1, 2))),
        ("tokens-mean", X2, X2.numpy()),
        ("cls", X3, X3.numpy()[:, 0]),
        ("last", X3, X3.numpy()[:, 4]),
        ("projection-7", X4, GaussianProjection(60, 7)(X4.flatten(1)).numpy()),
        (lambda a: a.amax((2, 3)), X4, X4.numpy().max((2, 3))),
    ],
)
def test_codes_are_those_of_numpy(asked, activation, expected):
    code = reduction(asked, activation.shape)(activation)
    assert code.dtype == torch.float32
    np.testing.assert_allclose(code.numpy(), expected, rtol=1e-5, atol=1e-6)
    noncontiguous = activation.transpose(0, -1).contiguous().transpose(0, -1)
    torch.testing.assert_close(reduction(asked, activation.shape)(noncontiguous), code)


@pytest.mark.parametrize(
    ("module", "shape", "name", "feature_axis"),
    [
        (nn.Linear(2, 2), (6, 5), "flatten", 1),
        (nn.ReLU(), (6, 5), "flatten", 1),
        (nn.Conv1d(2, 2, 1), (6, 5, 4), "gap", 1),
        (nn.LazyConv1d(2, 1), (6, 5, 4), "gap", 1),
        (nn.MaxPool1d(2), (6, 5, 4), "gap", 1),
        (nn.AdaptiveAvgPool1d(2), (6, 5, 4), "gap", 1),
        (nn.BatchNorm1d(5), (6, 5, 4), "gap", 1),
        (nn.Linear(2, 4), (6, 5, 4), "tokens-mean", 2),
        (nn.LayerNorm(4), (6, 5, 4), "tokens-mean", 2),
        (nn.Identity(), (6, 5, 4), "tokens-mean", 2),
        (nn.Conv2d(2, 2, 1), (6, 5, 4, 3), "gap", 1),
        (nn.Identity(), (6, 5, 4, 3), "gap", 1),
        (nn.Linear(2, 3), (6, 5, 4, 3), "tokens-mean", 3),
        (nn.Conv3d(2, 2, 1), (6, 5, 4, 3, 2), "gap", 1),
    ],
)
def test_without_a_choice_the_shape_decides(module, shape, name, feature_axis):
    chosen = reduction(None, shape, module=module)
    assert (chosen.name, chosen.feature_axis) == (name, feature_axis)


@pytest.mark.parametrize(
    ("asked", "shape", "feature_axis"),
    [
        ("gap", (6, 5, 4), 1),
        ("cls", (6, 5, 4), 2),
        ("last", (6, 5, 4), 2),
        ("tokens-mean", (6, 5, 4, 3), 3),
        ("flatten", (6, 5, 4, 3), 1),
        ("flatten", (6, 5, 4), 2),
        ("projection-2", (6, 5, 4), 2),
    ],
)
def test_neurons_are_where_the_reduction_or_the_shape_has_its_features(asked, shape, feature_axis):
    assert reduction(asked, shape).feature_axis == feature_axis


def sequence_first():
    layer = nn.TransformerEncoderLayer(8, 2, 16)
    with pytest.warns(UserWarning, match="enable_nested_tensor"):
        encoder = nn.TransformerEncoder(layer, 1)
    return [nn.LSTM(8, 8), nn.GRU(8, 8), nn.MultiheadAttention(8, 2), layer, encoder]


def test_sequence_first_modules_are_brought_to_inputs_first():
    activation = draw(5, 6, 8)  # 5 steps, 6 inputs
    for module in [*sequence_first(), nn.Linear(8, 8)]:
        chosen = reduction(None, (5, 6, 8), module=module, inputs=6)
        assert chosen.axis == 1
        torch.testing.assert_close(chosen(activation), activation.mean(0))
        assert chosen.batch_first(activation).shape == (6, 5, 8)
    last = reduction("last", (5, 6, 8), module=nn.LSTM(8, 8), inputs=6)
    torch.testing.assert_close(last(activation), activation[-1])
    chosen = reduction("projection-3", (5, 6, 8), module=nn.LSTM(8, 8), inputs=6)
    torch.testing.assert_close(chosen(activation), GaussianProjection(40, 3)(activation.transpose(0, 1).flatten(1)))


def test_where_both_axes_fit_the_module_decides():
    batch_first = [nn.LSTM(8, 8, batch_first=True), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)]
    for module, axis in [*((m, 1) for m in sequence_first()), *((m, 0) for m in [*batch_first, nn.Linear(8, 8)])]:
        assert reduction(None, (6, 6, 8), module=module, inputs=6).axis == axis


def test_the_last_output_of_a_sequence_first_lstm_is_its_hidden_state():
    lstm = nn.LSTM(3, 4)
    output, (hidden, _) = lstm(draw(7, 5, 3))
    code = reduction("last", output.shape, module=lstm, inputs=5)(output)
    torch.testing.assert_close(code, hidden[0])
    assert reduction(None, hidden.shape, module=lstm, inputs=5)(hidden).shape == (5, 4)


@pytest.mark.parametrize(
    ("shape", "inputs", "text"),
    [
        ((6,), 6, r"gives \(6,\), but a site must give features for every input"),
        ((), 6, r"gives \(\), but"),
        ((12, 5), 6, r"gives \(12, 5\) for 6 inputs, but a site must give one row per input"),
        ((5, 6), 6, r"gives \(5, 6\) for 6 inputs"),
        ((2, 3, 6), 6, r"gives \(2, 3, 6\) for 6 inputs"),
    ],
)
def test_activations_without_one_row_per_input_are_refused(shape, inputs, text):
    with pytest.raises(SiteError, match=text):
        reduction(None, shape, inputs=inputs)


def test_half_precision_is_averaged_in_single_precision():
    activation = torch.full((2, 3, 64, 64), 30.0, dtype=torch.float16)  # its sum overflows float16
    for asked in ("gap", "flatten", lambda a: a.sum((2, 3))):
        code = reduction(asked, activation.shape)(activation)
        assert code.dtype == torch.float32
        assert code.isfinite().all()
    fine = draw(4, 3, 1000, dtype=torch.bfloat16)
    torch.testing.assert_close(reduction("gap", fine.shape)(fine), fine.float().mean(2), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("asked", ["flatten", "gap", "tokens-mean", "cls", "last", "projection-3", lambda a: a.sum(2)])
def test_gradients_reach_the_activation(asked):
    activation = draw(2, 3, 4, dtype=torch.float64).requires_grad_()
    reduce = reduction(asked, activation.shape)
    weight = draw(reduce(activation).shape[1])
    (reduce(activation) @ weight).sum().backward()
    # All reductions are linear: their gradient is that of a difference quotient of any size.
    bump = torch.zeros_like(activation)
    bump[1, 2, 3] = bump[0, 0, 0] = 1
    difference = ((reduce(activation.detach() + bump) - reduce(activation.detach())) @ weight).sum()
    assert float(activation.grad[1, 2, 3] + activation.grad[0, 0, 0]) == pytest.approx(float(difference), abs=1e-5)


def maximum(activation):
    return activation.amax(dim=(2, 3))


class Peak:
    def __call__(self, activation):
        return maximum(activation)


def test_a_callable_is_kept_by_its_name_with_its_module():
    assert reduction(maximum, X4.shape).name == f"{__name__}.maximum"
    assert reduction(Peak(), X4.shape).name == f"{__name__}.Peak"
    assert reduction(functools.partial(maximum), X4.shape).name == "functools.partial"


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (
            lambda a: a,
            r"turned the activation \(6, 5, 4\) of the site 'a' into a torch.float32 tensor of shape \(6, 5, 4\)",
        ),
        (lambda a: a[:3].flatten(1), r"of shape \(3, 20\), but it must give floating-point numbers of shape \(6, feat"),
        (lambda a: a.flatten(1) > 0, "into a torch.bool tensor"),
        (lambda a: a.numpy(), "into ndarray, but"),
    ],
)
def test_a_callable_that_gives_no_codes_is_refused(asked, text):
    with pytest.raises(SiteError, match=text):
        reduction(asked, X3.shape)(X3)


def test_a_mapping_chooses_by_site_with_exact_names_before_globs():
    asked = {"block.*": "cls", "block.1": "last", "**": "flatten", "head": None}
    names = {site: reduction(asked, (6, 5, 4), site=site).name for site in ("block.0", "block.1", "block.0.fc", "head")}
    assert names == {"block.0": "cls", "block.1": "last", "block.0.fc": "flatten", "head": "tokens-mean"}
    assert reduction({"lstm[0]": "last"}, (6, 5, 4), site="lstm[0]").name == "last"
    assert reduction({"lstm[0]": "last"}, (6, 5, 4), site="lstm0").name == "tokens-mean"


def test_tokens_are_asked_of_token_activations_only():
    with pytest.raises(SiteError, match=r"'head' gives \(6, 10\), but 'cls' takes \(inputs, tokens, features\): ask"):
        reduction("cls", (6, 10), site="head")
    with pytest.raises(SiteError, match="'last' takes"):
        reduction("last", (6, 5, 4, 3))


@pytest.mark.parametrize(
    "asked", ["gapp", "projection-0", "projection-", "projection-K", 3, {"a": "gapp"}, {"a": {"a": "gap"}}]
)
def test_what_is_no_reduction_is_refused_before_and_at_the_first_forward(asked):
    for refuse in (lambda: reduction(asked, (6, 5, 4)), lambda: check_reductions(asked, ["a"])):
        with pytest.raises(InputError, match="is no reduction; it is one of 'flatten', 'gap', 'tokens-mean'"):
            refuse()


def test_near_names_are_offered():
    with pytest.raises(InputError, match="did you mean 'gap'"):
        reduction("gpa", (6, 5, 4))
    with pytest.raises(SiteError, match=r"key 'fc3', but no site is called so; did you mean 'fc1'\?"):
        check_reductions({"fc3": "gap"}, ["fc1", "head"])
    check_reductions({"fc*": "gap", "fc1": maximum}, ["fc1", "fc2"])


def test_named_reductions_survive_a_pickle():
    for asked in ("flatten", "gap", "projection-3", maximum):
        chosen = reduction(asked, X4.shape)
        torch.testing.assert_close(pickle.loads(pickle.dumps(chosen))(X4), chosen(X4))
