import numpy as np
import pytest
import torch

import infoplane as ip
from infoplane.datasets.digits import load_digits
from infoplane.errors import InputError

transformers = pytest.importorskip("transformers", reason="Hugging Face's transformers is an extra")
pytest.importorskip("accelerate", reason="the Trainer needs accelerate, which belongs to the extra 'transformers'")

from infoplane.integrations.transformers import InfoplaneTrainerCallback  # noqa: E402  after the skip
from infoplane.integrations.transformers_scaling import SynScaWTrainerCallback  # noqa: E402

# What the libraries warn of is no concern of these tests; what infoplane warns of is.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.filterwarnings("error:::infoplane")]

LAYER = "bert.encoder.layer.0.intermediate.dense"


def network():
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=17, max_position_embeddings=64, num_labels=10, **sizes)
    return transformers.BertForSequenceClassification(config)


def rows(part, count):
    data = load_digits()
    inputs, labels = getattr(data, f"{part}_inputs")[:count], getattr(data, f"{part}_labels")[:count]
    words = (16 * inputs).round().long().flatten(1)
    return [{"input_ids": x, "labels": y} for x, y in zip(words, labels, strict=True)]


def trainer(model, folder, **options):
    arguments = transformers.TrainingArguments(
        output_dir=folder,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        eval_strategy="epoch",
        num_train_epochs=2,
        per_device_train_batch_size=10,
        disable_tqdm=True,
        **options,
    )
    return transformers.Trainer(model, arguments, train_dataset=rows("train", 40), eval_dataset=rows("test", 20))


def synscaw(model, **options):
    return ip.SynScaW(model, preset="stable", gamma=0.1, layers=[LAYER], activation=torch.nn.functional.gelu, **options)


def test_passes_come_when_due_and_are_kept_in_the_run_file(tmp_path):
    model = network()
    scaling, own = synscaw(model), trainer(model, tmp_path)
    options = {"sites": [LAYER], "classes": 10, "latent": 2, "draws": 1, "sandwich": 4, "scaling": scaling}
    with ip.record(model, tmp_path / "run.h5", **options) as rec:
        passes = SynScaWTrainerCallback(scaling, rec)
        own.add_callback(InfoplaneTrainerCallback(rec))
        own.add_callback(passes)
        own.train()
    with ip.open_run(tmp_path / "run.h5") as run:
        kept = run.scaling()
        assert kept["step"].tolist() == run.plane()["step"].tolist() == [4, 8]
        assert kept["epoch"].tolist() == [1, 2]
        zhat = kept["quantity"].tolist().index("zhat")
        np.testing.assert_array_equal(kept["values"][:, 0, zhat], [report[LAYER].zhat for report in passes.reports])
        # The row behind the last pass has sketched the weights that it left.
        smallest = kept["quantity"].tolist().index("min_weight")
        sketch = run.sketch("weights", f"{LAYER}.weight")
        assert sketch["maximum_negative"] == pytest.approx(-kept["values"][-1, 0, smallest], rel=1e-6)


@pytest.mark.parametrize(("every", "passes"), [("epoch", 2), ("step", 8), (3, 2), ("2 epochs", 1), ("never", 0)])
def test_steps_and_epochs_are_counted_as_the_trainer_does(tmp_path, every, passes):
    model = network()
    own, callback = trainer(model, tmp_path), SynScaWTrainerCallback(synscaw(model, every=every))
    own.add_callback(callback)
    own.train()
    assert len(callback.reports) == passes


def test_its_rate_follows_the_learning_rate(tmp_path):
    model = network()
    own, callback = trainer(model, tmp_path), SynScaWTrainerCallback(synscaw(model, every=2, gamma_decay=True))
    own.add_callback(callback)
    own.train()  # the Trainer's schedule falls from 1 to 0 within 8 steps
    gammas = [report.gamma for report in callback.reports]
    np.testing.assert_allclose(gammas, [0.1 * (8 - step) / 8 for step in (2, 4, 6, 8)], atol=1e-12)


def test_accumulated_gradients_are_one_step(tmp_path):
    model = network()
    own = trainer(model, tmp_path, gradient_accumulation_steps=2)
    callback = SynScaWTrainerCallback(synscaw(model, every="step"))
    own.add_callback(callback)
    own.train()
    assert len(callback.reports) == 4


def test_something_else_than_a_synscaw_is_refused():
    with pytest.raises(InputError, match="must be a SynScaW"):
        SynScaWTrainerCallback("stable")
