import pytest
import torch

from infoplane.errors import InputError
from infoplane.models import vib_mlp
from infoplane.probes.bottleneck import bottlenecks_of


def test_network_is_the_published_one():
    network = vib_mlp()
    shapes = [tuple(p.shape) for name, p in network.named_parameters() if name.endswith("weight")]
    assert shapes == [(1024, 784), (1024, 1024), (512, 1024), (10, 256)]
    assert list(bottlenecks_of(network)) == ["head.bottleneck"]
    assert network.eval()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    for name, p in network.named_parameters():
        if name.endswith("bias"):
            assert not p.any()
        else:
            assert p.abs().max().item() == pytest.approx((6 / sum(p.shape)) ** 0.5, rel=1e-3)


def test_seed_fixes_the_weights_and_nothing_else_is_drawn():
    before = torch.get_rng_state()
    first, second, other = (vib_mlp((5, 4), 3, 2, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["hidden1.linear.weight"], other["hidden1.linear.weight"])


@pytest.mark.parametrize("sizes", [(), (0, 3), (5, 2.5)])
def test_unusable_sizes_are_refused(sizes):
    with pytest.raises(InputError, match="sizes is"):
        vib_mlp(sizes)
