import pytest
import torch
from torch import nn
from torch.nn import functional

from infoplane.errors import InputError
from infoplane.probes.bottleneck import VIBHead, sampled
from infoplane.probes.bottleneck_bank import BottleneckBank
from infoplane.probes.probe_info import probes_of_host
from infoplane.probes.target import ClassTarget, RealTarget
from infoplane.probes.vib_settings import VIBSettings

SITE = "1.bottleneck"


def case(beta=0.1, draws=6):
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(7, 5), VIBHead(5, 3, 4))
    with torch.no_grad():
        for p in model[0].parameters():
            p.normal_(generator=generator)
    infos = probes_of_host([SITE], host="trained", betas=[beta], latent=4)
    settings = VIBSettings(mode="bottleneck", latent=4, beta=beta, draws=draws)
    device = torch.device("cpu")
    bank = BottleneckBank(infos, {SITE: model[1].bottleneck}, ClassTarget(3), settings, device=device)
    return model, bank, torch.randn(64, 7, generator=generator), torch.arange(64) % 3


def outputs_of(model, h):
    return model[1].bottleneck.encoder(model[0](h))


def test_loss_is_beta_times_the_mean_divergence_with_its_graph():
    model, bank, h, y = case()
    loss = bank.learn({SITE: outputs_of(model, h)}, y, step=0, update=True)
    expected = 0.1 * model[1].bottleneck.divergence(outputs_of(model, h)).mean()
    assert loss.item() == pytest.approx(expected.item())
    loss.backward()
    mine = model[0].weight.grad.clone()
    model.zero_grad()
    expected.backward()
    torch.testing.assert_close(mine, model[0].weight.grad)
    assert bank.updates == 1


def test_evaluation_is_the_networks_own_prediction_over_draws():
    model, bank, h, y = case()
    model.eval()
    torch.manual_seed(0)
    with torch.no_grad(), sampled(model):
        outputs = [model(h).log_softmax(dim=1) for _ in range(bank.forwards)]
        code = outputs_of(model, h)
    bank.learn({SITE: code}, y, step=0, update=True)
    found = bank.evaluate({SITE: code}, y, torch.arange(64), outputs)[SITE]
    assert len(outputs) == 6
    ce = sum(functional.nll_loss(log, y, reduction="none") for log in outputs) / 6
    torch.testing.assert_close(found.ce, ce)
    assert torch.equal(found.correct, sum(log.exp() for log in outputs).argmax(1) == y)
    torch.testing.assert_close(found.kl, model[1].bottleneck.divergence(code).detach())
    torch.testing.assert_close(found.dimensions.sum(), found.kl.sum(), rtol=1e-4, atol=1e-3)
    mean = found.mean
    for label in range(3):
        torch.testing.assert_close(bank._normals[SITE].mean[label], mean[y == label].mean(0))
    assert found.given_label.isfinite().all()
    assert found.mean.shape == found.log_std.shape == (64, 4)


def test_label_normals_move_with_updates_alone():
    model, bank, h, y = case()
    code = outputs_of(model, h).detach()
    bank.learn({SITE: code[:32]}, y[:32], step=0, update=False)
    assert bank._normals[SITE].updates.sum() == 0
    bank.learn({SITE: code[32:]}, y[32:], step=1, update=True)
    mean, _ = model[1].bottleneck.code_of(code)
    torch.testing.assert_close(bank._normals[SITE].mean[0], mean[y == 0].mean(0))


def test_a_network_learns_with_its_divergence_and_loses_rate_by_beta():
    rates = []
    for beta in (1e-3, 1.0):
        model, bank, h, _ = case(beta=beta)
        y = (h[:, 0] > 0).long() + (h[:, 1] > 0).long()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        for step in range(150):
            optimizer.zero_grad()
            code = outputs_of(model, h)
            loss = functional.cross_entropy(model(h), y) + bank.learn({SITE: code}, y, step=step, update=True)
            loss.backward()
            optimizer.step()
        rates.append(model[1].bottleneck.divergence(outputs_of(model, h)).mean().item())
    assert rates[1] < 0.1 * rates[0]


def test_what_a_bottleneck_has_not_is_refused():
    model, bank, h, y = case()
    settings, device = VIBSettings(mode="bottleneck"), torch.device("cpu")
    bottlenecks = {SITE: model[1].bottleneck}
    twins = probes_of_host([SITE], host="trained", betas=[0.1], latent=4, scales=[10.0])
    with pytest.raises(InputError, match=r"'1.bottleneck@x10' is a scale twin"):
        BottleneckBank(twins, bottlenecks, ClassTarget(3), settings, device=device)
    with pytest.raises(InputError, match="give classes="):
        BottleneckBank(twins[:1], bottlenecks, RealTarget(1), settings, device=device)
    with pytest.raises(InputError, match="no outputs of the network"):
        bank.evaluate({SITE: outputs_of(model, h)}, y, torch.arange(64), [])
    assert bank.left_out() == {SITE: 0}
