import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import infoplane as ip
from infoplane.datasets.digits import load_digits
from infoplane.errors import InputError
from infoplane.scaling.moments import learning_rate_factor

lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is an extra")

from infoplane.integrations.lightning import InfoplaneCallback  # noqa: E402  after the skip
from infoplane.integrations.lightning_scaling import SynScaWCallback  # noqa: E402

# What Lightning warns of is no concern of these tests; what infoplane warns of is.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.filterwarnings("error:::infoplane")]

BATCHES, EPOCHS = 5, 4


class Digits(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))

    def training_step(self, batch, index):
        x, y = batch
        return functional.cross_entropy(self.net(x), y)

    def validation_step(self, batch, index):
        pass

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), 1e-2)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)]


def loader(rows=20 * BATCHES):
    data = load_digits()
    return DataLoader(TensorDataset(data.train_inputs[:rows], data.train_labels[:rows]), 20)


def fit(*callbacks, epochs=EPOCHS, **options):
    module = Digits()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        callbacks=list(callbacks),
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(module, loader(), loader(60))
    return module, trainer


def by_hand(every):
    """The same training in a loop of one's own: the schedule steps with the last batch of an epoch, before the pass."""
    module = Digits()
    [optimizer], [schedule] = module.configure_optimizers()
    scaling, step = ip.SynScaW(module.net, preset="stable", gamma=0.2, every=every, gamma_decay=True), 0
    for epoch in range(1, EPOCHS + 1):
        for index, batch in enumerate(loader()):
            optimizer.zero_grad()
            module.training_step(batch, 0).backward()
            optimizer.step()
            if index == BATCHES - 1:
                schedule.step()
            step += 1
            scaling.after_step(step, learning_rate_factor=learning_rate_factor(optimizer))
        scaling.after_epoch(epoch, learning_rate_factor=learning_rate_factor(optimizer))
    return module


@pytest.mark.parametrize(("every", "passes"), [("epoch", 4), ("2 epochs", 2), (3, 6), ("never", 0)])
def test_it_scales_as_a_loop_of_ones_own_does(every, passes):
    callback = SynScaWCallback(module="net", preset="stable", gamma=0.2, every=every, gamma_decay=True)
    module, _ = fit(callback)
    other = by_hand(every)
    for name, value in module.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert len(callback.reports) == passes
    plain, _ = fit()
    assert passes == 0 or not torch.equal(plain.net[1].weight, module.net[1].weight)


def test_a_recording_keeps_the_passes_and_measures_behind_them(tmp_path):
    scaling = SynScaWCallback(module="net", preset="stable", gamma=0.2)
    callback = InfoplaneCallback(
        tmp_path / "run.h5", module="net", sites=["2"], classes=10, latent=2, draws=1, sandwich=8, scaling=scaling
    )
    module, _ = fit(callback)
    alone, _ = fit(SynScaWCallback(module="net", preset="stable", gamma=0.2))
    assert torch.equal(module.net[1].weight, alone.net[1].weight)
    with ip.open_run(tmp_path / "run.h5") as run:
        passes = run.scaling()
        assert passes["step"].tolist() == run.plane()["step"].tolist() == [5, 10, 15, 20]
        assert passes["epoch"].tolist() == [1, 2, 3, 4]
        zhat = passes["quantity"].tolist().index("zhat")
        expected = [[layer.zhat for layer in report] for report in scaling.reports]
        np.testing.assert_array_equal(passes["values"][:, :, zhat], expected)
        # The last row has sketched the weights as the last pass has left them.
        smallest = passes["quantity"].tolist().index("min_weight")
        sketch = run.sketch("weights", "1.weight")
        assert sketch["maximum_negative"] == pytest.approx(-passes["values"][-1, 0, smallest], rel=1e-6)


def test_accumulated_gradients_are_one_step():
    callback = SynScaWCallback(module="net", every="step", gamma=1e-3)
    fit(callback, accumulate_grad_batches=2, epochs=1)
    assert len(callback.reports) == 3  # of 5 batches: after 2, 4, and the last


def test_a_checkpoint_of_the_trainer_keeps_its_state(tmp_path):
    def callback():
        return SynScaWCallback(module="net", preset="stable", gamma=0.2)

    whole, _ = fit(callback())
    _, trainer = fit(callback(), epochs=2)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    module = Digits()
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        callbacks=[callback()],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, loader(), loader(60), ckpt_path=tmp_path / "half.ckpt", weights_only=False)
    assert torch.equal(module.net[1].weight, whole.net[1].weight)


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(InputError, match="module= names the part"):
        SynScaWCallback(model=Digits())
    with pytest.raises(InputError, match="must be a SynScaWCallback"):
        InfoplaneCallback(tmp_path / "run.h5", classes=10, scaling="stable")
    with pytest.raises(InputError, match="has not begun"):
        _ = SynScaWCallback().scaling
    scaling = SynScaWCallback(module="net")
    callback = InfoplaneCallback(tmp_path / "run.h5", module="net", classes=10, scaling=scaling)
    with pytest.raises(InputError, match="among the trainer's callbacks as well"):
        fit(callback, scaling)
