import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules import module as torch_module
from torch.utils.data import DataLoader, TensorDataset

import infoplane as ip
from infoplane.datasets.digits import load_digits
from infoplane.errors import CaptureError, InputError
from infoplane.runfile.schema import PLANE_QUANTITIES

lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is an extra")

from infoplane.integrations.lightning import InfoplaneCallback  # noqa: E402  after the skip

# What Lightning warns of is no concern of these tests; what infoplane warns of is.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.filterwarnings("error:::infoplane")]

SITES = ["net.1", "net.4"]
MEANS = ["i_zx", "i_zy", "ce", "error"]


class Digits(lightning.LightningModule):
    """Calls itself in training; a dropout draws from the global generator."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 16), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(16, 10)
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, index):
        x, y = batch
        return functional.cross_entropy(self(x), y)

    def validation_step(self, batch, index):
        x, y = batch
        self.log("loss", functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


class WithoutDropout(Digits):
    def forward(self, x):
        return self.net[4](self.net[:3](x))


class CallsNet(Digits):
    def training_step(self, batch, index):
        x, y = batch
        return functional.cross_entropy(self.net(x), y)


TWO_PROCESSES = """
import sys

import lightning.pytorch as lightning
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from infoplane.datasets.digits import load_digits
from infoplane.integrations.lightning import InfoplaneCallback

path, module = sys.argv[1:]


class Digits(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, index):
        x, y = batch
        return functional.cross_entropy((self.net if module else self)(x), y)

    def validation_step(self, batch, index):
        pass

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


data = load_digits()
train = DataLoader(TensorDataset(data.train_inputs[:320], data.train_labels[:320]), 32)
held_out = DataLoader(TensorDataset(data.test_inputs[:101], data.test_labels[:101]), 50)
sites = ["1", "3"] if module else ["net.1", "net.3"]
trainer = lightning.Trainer(
    accelerator="cpu",
    devices=2,
    strategy="ddp",
    max_epochs=2,
    callbacks=[InfoplaneCallback(path, module=module, sites=sites, classes=10, latent=4, control=bool(module))],
    enable_checkpointing=False,
    enable_progress_bar=False,
    logger=False,
)
trainer.fit(Digits(), train, held_out)
"""


def loaders(*, shuffle=True):
    data = load_digits()
    train = TensorDataset(data.train_inputs[:320], data.train_labels[:320])
    held_out = TensorDataset(data.test_inputs[:100], data.test_labels[:100])
    return DataLoader(train, 64, shuffle=shuffle), DataLoader(held_out, 50)


def callback(tmp_path, **options):
    return InfoplaneCallback(tmp_path / "run.h5", **({"sites": SITES, "classes": 10, "latent": 4} | options))


def fit(tmp_path, callbacks, model=Digits, *, validate=True, shuffle=True, **options):
    torch.manual_seed(0)
    module = model()
    options = {"max_epochs": 2, "num_sanity_val_steps": 2} | options
    trainer = lightning.Trainer(
        accelerator="cpu",
        callbacks=callbacks,
        default_root_dir=tmp_path,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        logger=False,
        **options,
    )
    train, held_out = loaders(shuffle=shuffle)
    trainer.fit(module, train, held_out if validate else None)
    return module, trainer


def plane(tmp_path):
    with ip.open_run(tmp_path / "run.h5") as run:
        view = run.plane()
        return {name: view[name] for name in ("step", "epoch", "updates", "n", "values")}


def hooks():
    return len(torch_module._global_forward_hooks) + len(torch_module._global_forward_pre_hooks)


@pytest.mark.parametrize("options", [{}, {"accumulate_grad_batches": 2}, {"precision": "bf16-mixed"}])
def test_training_is_bit_identical_with_and_without_the_callback(tmp_path, options):
    bare, bare_trainer = fit(tmp_path, [], **options)
    recorded, trainer = fit(tmp_path, [callback(tmp_path, control=True)], **options)
    for key, value in bare.state_dict().items():
        assert torch.equal(value, recorded.state_dict()[key]), key
    for p, q in zip(bare.parameters(), recorded.parameters(), strict=True):
        first, second = bare_trainer.optimizers[0].state[p], trainer.optimizers[0].state[q]
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_every_validation_gives_a_row_and_the_sanity_check_none(tmp_path):
    fit(tmp_path, [callback(tmp_path)], val_check_interval=3)
    rows = plane(tmp_path)
    # Five batches an epoch, validated after the third of each; every batch trains the probes once.
    assert rows["step"].tolist() == [3, 8]
    assert rows["epoch"].tolist() == pytest.approx([0.6, 1.6])
    assert rows["updates"].tolist() == [3, 8]
    assert rows["n"].tolist() == [100, 100]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "finished"


def test_loader_of_ones_own_is_measured_at_the_end_of_every_epoch(tmp_path):
    _, held_out = loaders()
    fit(tmp_path, [callback(tmp_path, loader=held_out)], validate=False)
    rows = plane(tmp_path)
    assert rows["step"].tolist() == [5, 10]
    assert rows["epoch"].tolist() == [1.0, 2.0]


def test_rows_are_those_of_a_plain_loop(tmp_path):
    (tmp_path / "plain").mkdir()
    fit(tmp_path, [callback(tmp_path)], WithoutDropout, shuffle=False)
    torch.manual_seed(0)
    module, (train, held_out) = WithoutDropout(), loaders(shuffle=False)
    optimizer = module.configure_optimizers()
    with ip.record(module, tmp_path / "plain" / "run.h5", sites=SITES, classes=10, latent=4) as rec:
        for epoch in range(2):
            for x, y in train:
                loss = functional.cross_entropy(module(x), y) + rec.loss(y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            rec.measure(held_out, epoch=epoch + 1)
    ours, theirs = plane(tmp_path / "plain"), plane(tmp_path)
    for name in ours:
        assert (ours[name] == theirs[name]).all(), name


def test_sites_below_a_module_that_training_step_calls(tmp_path):
    fit(tmp_path, [callback(tmp_path, module="net", sites=["1", "4"])], CallsNet)
    assert plane(tmp_path)["step"].tolist() == [5, 10]


def test_training_step_that_calls_another_module_is_said(tmp_path):
    with pytest.raises(CaptureError, match="no training forward") as caught:
        fit(tmp_path, [callback(tmp_path)], CallsNet)
    assert "module='net'" in caught.value.__notes__[0]


def test_mode_joint_is_recorded_around_the_trainer(tmp_path):
    class Joint(CallsNet):
        def training_step(self, batch, index):
            return super().training_step(batch, index) + self.rec.loss(batch[1])

    bare, _ = fit(tmp_path, [], CallsNet)
    torch.manual_seed(0)
    module, (_, held_out) = Joint(), loaders()
    options = {"sites": ["1", "4"], "classes": 10, "latent": 4, "mode": "joint"}
    with ip.record(module.net, tmp_path / "run.h5", **options) as module.rec:
        fit(tmp_path, [], lambda: module)
        module.rec.measure(held_out)
    assert not torch.equal(bare.net[1].weight, module.net[1].weight)
    assert plane(tmp_path)["step"].tolist() == [10]


def test_exception_closes_the_recording_as_interrupted_and_leaves_no_hook(tmp_path):
    class Breaks(Digits):
        def forward(self, x):
            if self.global_step == 6:
                raise RuntimeError("broken")
            return super().forward(x)

    before = hooks()
    with pytest.raises(RuntimeError, match="broken"):
        fit(tmp_path, [callback(tmp_path)], Breaks)
    assert hooks() == before
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "interrupted"
        assert run.plane()["step"].tolist() == [5]


def test_accumulated_gradients_do_not_multiply_the_steps_of_the_probes(tmp_path):
    fit(tmp_path, [callback(tmp_path)], accumulate_grad_batches=2)
    rows = plane(tmp_path)
    assert rows["step"].tolist() == [5, 10]
    assert rows["updates"].tolist() == [3, 5]


def test_mixed_precision_measures_what_full_precision_measures(tmp_path):
    values = {}
    for precision in ("32-true", "bf16-mixed"):
        folder = tmp_path / precision
        folder.mkdir()
        fit(folder, [callback(folder, draws=64)], precision=precision)
        values[precision] = plane(folder)["values"][-1][:, [PLANE_QUANTITIES.index(name) for name in MEANS]]
    assert values["bf16-mixed"] == pytest.approx(values["32-true"], rel=0.05, abs=0.05)
    assert (values["bf16-mixed"] != values["32-true"]).any()


@pytest.mark.slow
@pytest.mark.parametrize("module", ["net", ""])
def test_two_processes_count_every_held_out_input_once_and_rank_0_writes(tmp_path, module):
    script = tmp_path / "script.py"
    script.write_text(TWO_PROCESSES)
    command = [sys.executable, str(script), str(tmp_path / "run.h5"), module]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    rows = plane(tmp_path)
    # 320 inputs in batches of 32 on each of two: five steps an epoch. 101 held-out inputs: the sampler repeats one.
    assert rows["step"].tolist() == [5, 10]
    assert rows["n"].tolist() == [101, 101]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "finished"


def test_callback_refuses_what_it_cannot_serve(tmp_path):
    with pytest.raises(InputError, match=r"mode='joint' changes the loss.*around trainer.fit"):
        callback(tmp_path, mode="joint")
    with pytest.raises(InputError, match="nothing to measure on"):
        fit(tmp_path, [callback(tmp_path)], validate=False)
