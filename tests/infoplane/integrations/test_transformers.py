import subprocess
import sys

import pytest
import torch
from torch.nn.modules import module as torch_module
from torch.utils.data import DataLoader

import infoplane as ip
from infoplane.datasets.digits import load_digits
from infoplane.errors import CaptureError, InputError

transformers = pytest.importorskip("transformers", reason="Hugging Face's transformers is an extra")
pytest.importorskip("accelerate", reason="the Trainer needs accelerate, which belongs to the extra 'transformers'")

from infoplane.integrations.transformers import InfoplaneTrainerCallback  # noqa: E402  after the skip

# What the libraries warn of is no concern of these tests; what infoplane warns of is.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.filterwarnings("error:::infoplane")]

SITES = ["bert.encoder.layer.0.output", "bert.pooler"]
TWO_PROCESSES = """
import sys

import torch
import transformers

import infoplane as ip
from infoplane.datasets.digits import load_digits
from infoplane.integrations.transformers import InfoplaneTrainerCallback

path, folder = sys.argv[1:]


def rows_of(inputs, labels):
    words = (16 * inputs).round().long().flatten(1)
    return [{"input_ids": x, "labels": y} for x, y in zip(words, labels, strict=True)]


torch.manual_seed(0)
sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
config = transformers.BertConfig(vocab_size=17, max_position_embeddings=64, num_labels=10, **sizes)
model = transformers.BertForSequenceClassification(config)
data = load_digits()
arguments = transformers.TrainingArguments(
    output_dir=folder,
    use_cpu=True,
    report_to="none",
    save_strategy="no",
    eval_strategy="epoch",
    num_train_epochs=2,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=25,
)
trainer = transformers.Trainer(
    model,
    arguments,
    train_dataset=rows_of(data.train_inputs[:160], data.train_labels[:160]),
    eval_dataset=rows_of(data.test_inputs[:61], data.test_labels[:61]),
)
sites = ["bert.encoder.layer.0.output", "bert.pooler"]
with ip.record(model, path, sites=sites, classes=10, latent=4, control=True) as rec:
    trainer.add_callback(InfoplaneTrainerCallback(rec))
    trainer.train()
"""


def model():
    """A BERT of one layer that reads grey values as words; its dropout draws from the global generator."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=17,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=10,
    )
    return transformers.BertForSequenceClassification(config)


def rows_of(inputs, labels, n):
    words = (16 * inputs[:n]).round().long().flatten(1)
    return [{"input_ids": x, "labels": y} for x, y in zip(words, labels[:n], strict=True)]


def trainer_of(host, tmp_path, **options):
    data = load_digits()
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        **{
            "use_cpu": True,
            "report_to": "none",
            "disable_tqdm": True,
            "save_strategy": "no",
            "logging_strategy": "no",
            "eval_strategy": "epoch",
            "num_train_epochs": 2,
            "per_device_train_batch_size": 32,
            "per_device_eval_batch_size": 50,
            "learning_rate": 1e-2,
        }
        | options,
    )
    return transformers.Trainer(
        host,
        arguments,
        train_dataset=rows_of(data.train_inputs, data.train_labels, 160),
        eval_dataset=rows_of(data.test_inputs, data.test_labels, 60),
    )


def train(tmp_path, *, host=None, recording=None, loader=None, **options):
    host = host or model()
    trainer = trainer_of(host, tmp_path, **options)
    recording = {"sites": SITES, "classes": 10, "latent": 4} | (recording or {})
    with ip.record(host, tmp_path / "run.h5", **recording) as rec:
        trainer.add_callback(InfoplaneTrainerCallback(rec, loader=loader))
        trainer.train()
    return trainer


def plane(tmp_path):
    with ip.open_run(tmp_path / "run.h5") as run:
        view = run.plane()
        return {name: view[name] for name in ("step", "epoch", "updates", "n", "values")}


def hooks():
    return len(torch_module._global_forward_hooks) + len(torch_module._global_forward_pre_hooks)


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}, {"bf16": True}])
def test_training_is_bit_identical_with_and_without_the_callback(tmp_path, options):
    bare = trainer_of(model(), tmp_path, **options)
    bare.train()
    recorded = train(tmp_path, recording={"control": True}, **options)
    for key, value in bare.model.state_dict().items():
        assert torch.equal(value, recorded.model.state_dict()[key]), key
    for p, q in zip(bare.model.parameters(), recorded.model.parameters(), strict=True):
        first, second = bare.optimizer.state[p], recorded.optimizer.state[q]
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_every_evaluation_in_training_gives_a_row(tmp_path):
    trainer = train(tmp_path, eval_strategy="steps", eval_steps=2, num_train_epochs=1, max_steps=4, eval_on_start=True)
    rows = plane(tmp_path)
    # Five batches an epoch. The Trainer evaluates before the first step too, when no probe has learned anything.
    assert rows["step"].tolist() == [2, 4]
    assert rows["epoch"].tolist() == pytest.approx([0.4, 0.8])
    assert rows["updates"].tolist() == [2, 4]
    assert rows["n"].tolist() == [60, 60]
    trainer.evaluate()  # after the training, as people do; the recording is over
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "finished"


def test_loader_of_ones_own_is_measured_at_the_end_of_every_epoch(tmp_path):
    data = load_digits()
    held_out = DataLoader(rows_of(data.test_inputs, data.test_labels, 40), 20)
    train(tmp_path, loader=held_out, eval_strategy="no")
    rows = plane(tmp_path)
    assert rows["step"].tolist() == [5, 10]
    assert rows["epoch"].tolist() == [1.0, 2.0]
    assert rows["n"].tolist() == [40, 40]


def test_probes_learn_from_every_forward_of_an_accumulated_step(tmp_path):
    train(tmp_path, gradient_accumulation_steps=5, recording={"probe_every": 5})
    rows = plane(tmp_path)
    assert rows["step"].tolist() == [5, 10]
    assert rows["updates"].tolist() == [1, 2]


def test_exception_closes_the_recording_as_interrupted_and_leaves_no_hook(tmp_path):
    host, before = model(), hooks()
    steps = iter(range(100))

    class Breaks(transformers.TrainerCallback):
        def on_step_begin(self, *args, **kwargs):
            if next(steps) == 6:
                raise RuntimeError("broken")

    trainer = trainer_of(host, tmp_path)
    trainer.add_callback(Breaks())
    with (
        pytest.raises(RuntimeError, match="broken"),
        ip.record(host, tmp_path / "run.h5", sites=SITES, classes=10, latent=4) as rec,
    ):
        trainer.add_callback(InfoplaneTrainerCallback(rec))
        trainer.train()
    assert hooks() == before
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "interrupted"
        assert run.plane()["step"].tolist() == [5]


@pytest.mark.slow
def test_two_processes_count_every_held_out_input_once_and_rank_0_writes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(TWO_PROCESSES)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    command = [*launch, str(script), str(tmp_path / "run.h5"), str(tmp_path / "out")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    rows = plane(tmp_path)
    # Five steps an epoch of 16 inputs on each of two. 61 held-out inputs: the Trainer repeats some to even out.
    assert rows["step"].tolist() == [5, 10]
    assert rows["n"].tolist() == [61, 61]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "finished"


def test_labels_that_the_trainer_withholds_are_asked_for(tmp_path):
    with pytest.raises(CaptureError, match="labels"):
        train(tmp_path, label_smoothing_factor=0.1)


def test_mode_joint_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"changes the loss.*compute_loss"):
        train(tmp_path, recording={"mode": "joint"})
