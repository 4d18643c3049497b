"""build() and default_sites(): every name of infoplane's own, what is refused, and that the sites can be recorded."""

import subprocess
import sys

import pytest
import torch
from torch.nn import functional

import infoplane as ip
from infoplane.errors import InputError
from infoplane.models import MODELS, build, check_model, default_sites, mlp, vib_mlp
from infoplane.models.by_name import _allocated
from infoplane.probes.selection import select_sites

# Small inputs and widths for each name, and the sites that are then observed.
SMALL = {
    "mlp": ({"shape": (1, 4, 4), "hidden": (6, 5)}, ["hidden1", "hidden2"]),
    "vib-mlp": ({"shape": (16,), "hidden": (6, 5), "latent": 3}, ["hidden1", "hidden2"]),
    **{f"resnet{k}": ({"shape": (1, 8, 8)}, ["stem", "stage1", "stage2", "stage3"]) for k in (20, 32, 44, 56)},
    "leaky-mlp": ({"shape": (2,)}, ["hidden1", "hidden2", "hidden3", "hidden4"]),
    "frequency-net": (
        {"shape": (40,), "convolutions": 18, "positions": 18, "channels": (3, 4)},
        ["stack1", "stack2"],
    ),
    "gru": ({"shape": (6, 3), "hidden": (5, 4)}, ["recurrent1[0]", "recurrent2[0]", "last"]),
    "lstm": ({"shape": (6,), "vocabulary": 9, "embedding": 4, "hidden": (5,)}, ["recurrent1[0]", "last"]),
}


def inputs_for(options: dict, n: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    if vocabulary := options.get("vocabulary"):
        return torch.randint(0, vocabulary, (n, *options["shape"]), generator=generator)
    return torch.randn(n, *options["shape"], generator=generator)


def test_every_name_is_tried_here():
    assert set(SMALL) == set(MODELS)


@pytest.mark.parametrize("name", SMALL)
def test_every_network_is_reproducible_and_leaves_the_global_state(name):
    options, sites = SMALL[name]
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second, other = (build(name, classes=3, seed=seed, **options) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights, same, different = first.state_dict(), second.state_dict(), other.state_dict()
    assert all(torch.equal(weights[key], same[key]) for key in weights)
    assert not all(torch.equal(weights[key], different[key]) for key in weights)
    assert first.training
    assert first(inputs_for(options)).shape == (6, 3)
    assert [place.name for place in select_sites(first, default_sites(name, first))] == sites


@pytest.mark.parametrize("name", SMALL)
def test_without_a_seed_weights_come_from_the_global_state(name):
    options, _ = SMALL[name]
    networks = []
    for _ in range(2):
        torch.manual_seed(3)
        networks.append(build(name, classes=3, **options).state_dict())
    torch.manual_seed(4)
    networks.append(build(name, classes=3, **options).state_dict())
    assert all(torch.equal(networks[0][key], networks[1][key]) for key in networks[0])
    assert not all(torch.equal(networks[0][key], networks[2][key]) for key in networks[0])


@pytest.mark.parametrize("name", ["mlp", "resnet20", "frequency-net", "gru", "lstm", "shufflenet_v2_x0_5"])
def test_default_sites_are_recorded(name):
    options, sites = SMALL.get(name, ({"shape": (3, 32, 32)}, ["maxpool", "stage2", "stage3", "stage4", "conv5"]))
    network = build(name, classes=3, seed=0, **options)
    inputs, labels = inputs_for(options), torch.arange(6) % 3
    chosen = default_sites(name, network)
    with ip.record(network, None, sites=chosen, classes=3, latent=4, sandwich=2) as rec:
        loss = functional.cross_entropy(network(inputs), labels) + rec.loss(labels)
        loss.backward()
        row = rec.measure([(inputs, labels)])
    assert list(row.activations) == sites
    assert row.bounds.i_zx.shape == (len(sites),)
    assert torch.tensor(row.bounds.i_zx).isfinite().all()


def test_mlp_and_vib_mlp_take_the_shape_of_one_input():
    model = build("mlp", shape=(1, 8, 8), classes=10, hidden=(32, 16), seed=3)
    assert torch.equal(model.output.weight, mlp((64, 32, 16, 10), seed=3).output.weight)
    assert build("mlp", shape=(1, 28, 28), classes=10, seed=0).hidden2.linear.weight.shape == (1024, 1024)
    assert build("mlp", shape=(4,), classes=2, hidden=(3,), activation="tanh").hidden1.activation(torch.tensor(9.0)) < 1
    model = build("vib-mlp", shape=(1, 8, 8), classes=10, hidden=(32,), latent=7, seed=3)
    assert torch.equal(model.head.decoder.weight, vib_mlp((64, 32), 7, 10, seed=3).head.decoder.weight)


def test_a_perceptron_without_hidden_layers_is_observed_at_its_output():
    assert default_sites("mlp", build("mlp", shape=(4,), classes=2, hidden=())) == ("output",)
    assert default_sites("vib-mlp", build("vib-mlp", shape=(4,), classes=2, hidden=())) == ("head",)
    assert default_sites("mlp") == ("hidden*",)


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("mpl", {}, r"no model 'mpl'; accepted: mlp, .*did you mean 'mlp'"),
        ("resnet5", {}, "no model 'resnet5'.*did you mean 'resnet56' or 'resnet50'"),
        ("resnet34x", {}, "did you mean 'resnet34'"),
        (None, {}, "called by text, not by None"),
        ("mlp", {"classes": None}, "classes is None"),
        ("mlp", {"shape": ()}, "shape is empty"),
        ("mlp", {"shape": 784}, "shape is 784"),
        ("mlp", {"shape": (0, 4)}, "a number of shape is 0"),
        ("mlp", {"hidden": 64}, "hidden is 64"),
        ("mlp", {"hidden": (64, 2.5)}, "a width of hidden is 2.5"),
        ("mlp", {"seed": "0"}, "seed is '0'"),
        ("mlp", {"vocabulary": 9}, "model 'mlp' reads numbers, but these inputs are tokens; gru, lstm read tokens"),
        ("mlp", {"activaton": "tanh"}, "no option 'activaton'; it has activation; did you mean 'activation'"),
        ("mlp", {"activation": "thanh"}, "activation is 'thanh'.*did you mean 'tanh'"),
        ("resnet32", {"hidden": (8,)}, r"hidden is \(8,\), but the widths of the model 'resnet32' are fixed"),
        ("resnet32", {}, r"resnet32 reads images.*\(4,\)"),
        ("resnet32", {"depth": 20}, "no option 'depth'; it has shortcut"),
        ("frequency-net", {"shape": (1, 8, 8)}, r"frequency-net reads signals.*\(1, 8, 8\)"),
        ("gru", {"shape": (4, 2), "embedding": 3}, "nothing to embed"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(name, options, text):
    with pytest.raises(InputError, match=text):
        build(name, **{"shape": (4,), "classes": 2, **options})


@pytest.mark.parametrize("name", ["mlp", "resnet32", "resnet50", "my.networks:small"])
def test_known_names_pass_the_check(name):
    check_model(name)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_weights_that_do_not_fit_get_one_clear_sentence(error):
    def make():
        raise error

    with pytest.raises(InputError, match="weights of the model 'mlp' do not fit into the memory"):
        _allocated("mlp", make)


def test_other_errors_of_torch_pass():
    def make():
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        _allocated("mlp", make)


def test_own_networks_do_not_load_torchvision():
    code = (
        "import sys, infoplane.models as m; m.build('resnet20', shape=(3, 8, 8), classes=2, seed=0); "
        "m.default_sites('mlp'); assert 'torchvision' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
