"""torchvision's networks by name: theirs to the last weight, checked for the inputs, and observed at ends of stages."""

import sys

import pytest
import torch
import torchvision
from torch import nn

from infoplane.analysis.importing import MissingLibraryError
from infoplane.errors import InputError
from infoplane.models import build, default_sites, vision_model, vision_names
from infoplane.probes.selection import select_sites

OF_EACH_FAMILY = (
    *("resnet50", "resnext50_32x4d", "wide_resnet50_2", "alexnet", "squeezenet1_0", "squeezenet1_1", "densenet121"),
    *("vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"),
    *("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5"),
    *("efficientnet_b0", "efficientnet_v2_s", "convnext_tiny", "swin_t", "swin_v2_t", "vit_b_32", "maxvit_t"),
)


def on_meta(name: str, **options) -> nn.Module:
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None, **options)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v3_small"])
def test_sizes_are_those_that_torchvision_states(name):
    stated = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
    network = build(name, shape=(3, 224, 224), classes=1000, seed=0)
    assert sum(parameter.numel() for parameter in network.parameters()) == stated


def test_a_seed_gives_the_weights_of_manual_seed_and_nothing_else_is_drawn():
    torch.manual_seed(5)
    expected = torchvision.models.squeezenet1_1(num_classes=7).state_dict()
    before = torch.get_rng_state()
    network = build("squeezenet1_1", shape=(3, 40, 40), classes=7, seed=5)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())
    assert network.training
    assert network(torch.zeros(2, 3, 40, 40)).shape == (2, 7)


def test_the_check_leaves_running_means_alone():
    network = build("resnet18", shape=(3, 32, 32), classes=10, seed=0)
    assert network.bn1.num_batches_tracked == 0
    assert not network.bn1.running_mean.any()
    assert all(value.device.type == "cpu" for value in network.state_dict().values())


def test_a_vision_transformer_is_made_for_the_size_of_the_images():
    network = build("vit_b_32", shape=(3, 64, 64), classes=10, seed=0)
    assert network.encoder.pos_embedding.shape == (1, 2 * 2 + 1, 768)


def test_googlenet_gives_one_tensor_unless_that_is_refused_by_an_option():
    network = build("googlenet", shape=(3, 32, 32), classes=10, seed=0)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    with pytest.raises(InputError, match="googlenet gives a GoogLeNetOutputs in training"):
        build("googlenet", shape=(3, 64, 64), classes=10, seed=0, aux_logits=True)


@pytest.mark.parametrize(
    ("name", "shape", "options", "text"),
    [
        ("alexnet", (3, 32, 32), {}, r"alexnet cannot read inputs of the shape \(3, 32, 32\)"),
        ("resnet18", (1, 28, 28), {}, r"reads colour images.*\(1, 28, 28\).*resnet32"),
        ("resnet18", (784,), {}, r"reads colour images.*\(784,\)"),
        ("resnet18", (3, 32, 32), {"weights": "DEFAULT"}, "'weights' is no option.*random"),
        ("resnet18", (3, 32, 32), {"widht": 3}, "cannot be made with widht=3.*unexpected keyword argument 'widht'"),
        ("vit_b_32", (3, 33, 33), {}, "vit_b_32 cannot be made for inputs .*indivisible"),
        ("resnet18", (3, 32, 32), {"hidden": (64,)}, r"hidden is \(64,\).*fixed"),
        ("resnet18", (3, 32, 32), {"vocabulary": 9}, "tokens; gru, lstm read tokens"),
    ],
)
def test_what_torchvision_cannot_do_is_said_before_training(name, shape, options, text):
    with pytest.raises(InputError, match=text):
        build(name, shape=shape, classes=10, **options)


def test_networks_for_other_tasks_are_unknown():
    with pytest.raises(InputError, match="no model 'fcn_resnet50'"):
        build("fcn_resnet50", shape=(3, 64, 64), classes=2)
    with pytest.raises(InputError, match="did you mean 'resnet101' or 'resnet152' or 'resnet18'"):
        vision_model("resnet1")
    assert "resnet50" in vision_names()


def test_without_torchvision_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(MissingLibraryError, match=r"no model 'resnet50' of.*: pip install infoplane"):
        build("resnet50", shape=(3, 64, 64), classes=2)
    assert build("resnet20", shape=(3, 8, 8), classes=2, seed=0).training


@pytest.mark.parametrize("name", OF_EACH_FAMILY)
def test_default_sites_are_modules_of_the_network(name):
    network = on_meta(name)
    places = select_sites(network, default_sites(name))
    assert 4 <= len(places) <= 12
    assert default_sites(name) != ("*",)
    if name.startswith(("vgg", "alexnet")):
        kinds = [type(place.module) for place in places]
        pools = sum(isinstance(module, nn.MaxPool2d) for module in network.modules())
        assert kinds == [nn.MaxPool2d] * pools + [nn.ReLU] * 2


def test_default_sites_of_regnet_are_modules_of_the_network():
    network = torchvision.models.regnet_x_400mf()
    assert len(select_sites(network, default_sites("regnet_x_400mf"))) == 5


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "mobilenet_v3_large", "mnasnet0_5", "efficientnet_b0"])
def test_default_sites_are_where_height_and_width_shrink_next(name):
    network, sides = on_meta(name), {}

    def note(site):
        return lambda module, given, output: sides.update({site: output.shape[2]})

    for place in select_sites(network, default_sites(name)):
        place.module.register_forward_hook(note(place.name))
    network(torch.empty(2, 3, 224, 224, device="meta"))
    sizes = list(sides.values())
    assert sorted(sizes, reverse=True) == sizes
    assert set(sizes) >= {56, 28, 14, 7}


def test_an_unlisted_family_is_observed_at_its_outermost_modules(monkeypatch):
    monkeypatch.setattr("infoplane.models.vision.STAGE_ENDS", {})
    assert default_sites("resnet50") == ("*",)
