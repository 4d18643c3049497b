import torch
from torch import nn

from infoplane.probes.moving_average import averaged_copy


def test_average_is_the_zero_debiased_one():
    layer, decay, generator = nn.Linear(3, 2), 0.9, torch.Generator().manual_seed(0)
    average, sums = averaged_copy(layer, decay), torch.zeros(2, 3, dtype=torch.float64)
    for step in range(1, 8):
        nn.init.normal_(layer.weight, generator=generator)
        average.update_parameters(layer)
        sums = decay * sums + (1 - decay) * layer.weight.detach().double()
        torch.testing.assert_close(average.module.weight.double(), sums / (1 - decay**step), rtol=1e-5, atol=1e-6)
