import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules import module as torch_module
from torch.utils.data import DataLoader, TensorDataset

import infoplane as ip
from infoplane.datasets.digits import load_digits
from infoplane.errors import InputError

engines = pytest.importorskip("ignite.engine", reason="pytorch-ignite is an extra")

from infoplane.integrations.ignite import InfoplaneHandler  # noqa: E402  after the skip

SITES = ["1", "4"]


def host():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(16, 10))


def loaders():
    data = load_digits()
    train = TensorDataset(data.train_inputs[:320], data.train_labels[:320])
    held_out = TensorDataset(data.test_inputs[:100], data.test_labels[:100])
    return DataLoader(train, 64, shuffle=True), DataLoader(held_out, 50)


def trainer_of(model, **options):
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    trainer = engines.create_supervised_trainer(model, optimizer, functional.cross_entropy, **options)
    evaluator = engines.create_supervised_evaluator(model)
    train, held_out = loaders()
    trainer.add_event_handler(engines.Events.ITERATION_COMPLETED(every=2), lambda: evaluator.run(held_out))
    return trainer, train, held_out, optimizer


def record(tmp_path, model, **options):
    return ip.record(model, tmp_path / "run.h5", **({"sites": SITES, "classes": 10, "latent": 4} | options))


def plane(tmp_path):
    with ip.open_run(tmp_path / "run.h5") as run:
        view = run.plane()
        return run.status, {name: view[name] for name in ("step", "epoch", "updates", "n")}


def hooks():
    return len(torch_module._global_forward_hooks) + len(torch_module._global_forward_pre_hooks)


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}])
def test_training_is_bit_identical_with_and_without_the_handler(tmp_path, options):
    bare = host()
    trainer, train, _, bare_optimizer = trainer_of(bare, **options)
    trainer.run(train, max_epochs=2)
    recorded = host()
    trainer, train, held_out, optimizer = trainer_of(recorded, **options)
    with record(tmp_path, recorded, control=True) as rec:
        InfoplaneHandler(rec, held_out).attach(trainer)
        trainer.run(train, max_epochs=2)
    for key, value in bare.state_dict().items():
        assert torch.equal(value, recorded.state_dict()[key]), key
    for p, q in zip(bare.parameters(), recorded.parameters(), strict=True):
        first, second = bare_optimizer.state[p], optimizer.state[q]
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_every_epoch_gives_a_row_and_evaluations_in_between_train_no_probe(tmp_path):
    model = host()
    trainer, train, held_out, _ = trainer_of(model)
    with record(tmp_path, model) as rec:
        InfoplaneHandler(rec, held_out).attach(trainer)
        trainer.run(train, max_epochs=2)
    status, rows = plane(tmp_path)
    assert status == "finished"
    assert rows["step"].tolist() == [5, 10]
    assert rows["epoch"].tolist() == [1.0, 2.0]
    assert rows["updates"].tolist() == [5, 10]
    assert rows["n"].tolist() == [100, 100]


def test_labels_are_found_in_batches_of_another_form(tmp_path):
    model = host()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)

    def update(engine, batch):
        model.train()
        optimizer.zero_grad()
        functional.cross_entropy(model(batch["image"]), batch["digit"]).backward()
        optimizer.step()

    trainer = engines.Engine(update)
    data = load_digits()
    batch = {"image": data.train_inputs[:64], "digit": data.train_labels[:64]}
    with record(tmp_path, model) as rec:
        InfoplaneHandler(rec, [batch], unpack=lambda batch: (batch["image"], batch["digit"])).attach(trainer)
        trainer.run([batch] * 3, max_epochs=1)
    assert plane(tmp_path)[1]["step"].tolist() == [3]


def test_exception_closes_the_recording_as_interrupted_and_leaves_no_hook(tmp_path):
    model, before = host(), hooks()
    trainer, train, held_out, _ = trainer_of(model)

    @trainer.on(engines.Events.ITERATION_STARTED(once=7))
    def _():
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"), record(tmp_path, model) as rec:
        InfoplaneHandler(rec, held_out).attach(trainer)
        trainer.run(train, max_epochs=2)
    assert hooks() == before
    status, rows = plane(tmp_path)
    assert status == "interrupted"
    assert rows["step"].tolist() == [5]


def test_mode_joint_is_refused(tmp_path):
    model = host()
    trainer, train, held_out, _ = trainer_of(model)
    with pytest.raises(InputError, match="joint"), record(tmp_path, model, mode="joint") as rec:
        InfoplaneHandler(rec, held_out).attach(trainer)
        trainer.run(train, max_epochs=1)
