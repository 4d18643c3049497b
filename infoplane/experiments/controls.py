"""What moves in the plane though no information does: the controls that stand beside a probe's curve.

On one network of random weights that nothing trains, the rate of a probe falls with its own training; on the same
activations times 0.1 or 10, a one-to-one map, it is another; and with beta it takes any of several values. Beside
it stands the same network trained, with its control on the frozen initial copy and a probe fitted anew at each row.

    python -m infoplane.experiments.controls [--data mnist] [--epochs 6] [--train 10000]
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from infoplane.datasets import Dataset, load
from infoplane.frozen import probe_frozen
from infoplane.models.mlp import mlp
from infoplane.recorder import record
from infoplane.runfile.reader import open_run

SITE = "hidden2"
SCALES = (0.1, 10.0)
BETAS = (1e-3, 1e-4, 1e-2, 1e-1)  # the scale twins have the first
_SHOWN = ("i_zx", "i_zx_lower", "i_zx_upper", "i_zx_given_y", "i_zy")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both parts and print their tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="mnist", choices=("mnist", "digits"))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--train", type=int, default=10_000, help="training inputs used, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    data = load(options.data)
    train = DataLoader(
        TensorDataset(data.train_inputs[: options.train], data.train_labels[: options.train]),
        100,
        shuffle=True,
        generator=torch.Generator().manual_seed(options.seed),
    )
    print(f"{options.data}: {len(train.dataset)} training and {len(data.test_labels)} test inputs, seed {options.seed}")  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        frozen, trained = Path(folder) / "frozen.h5", Path(folder) / "trained.h5"
        held_out = data.test_loader(1000)
        model = _network(data, options.seed)
        probe_frozen(
            model,
            train,
            held_out,
            frozen,
            epochs=options.epochs,
            sites=SITE,
            classes=data.classes,
            beta=BETAS,
            scale_twins=SCALES,
            seed=options.seed,
        )
        _print_rows("A network of random weights that nothing trains, in bit", frozen)
        model = _network(data, options.seed)
        optimizer = torch.optim.Adam(model.parameters(), 5e-4)
        with record(
            model, trained, sites=SITE, classes=data.classes, control=True, refit=len(train), seed=options.seed
        ) as rec:
            for epoch in range(1, options.epochs + 1):
                for x, y in train:
                    loss = functional.cross_entropy(model(x), y) + rec.loss(y)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                rec.measure(held_out, epoch=epoch, fit=train)
        _print_rows("The same network in training, its control, and probes fitted anew at each row, in bit", trained)


def _network(data: Dataset, seed: int) -> torch.nn.Module:
    widths = (512, 512) if data.shape[-1] > 8 else (64, 64)
    assert data.classes is not None, "both data sets have classes"
    return mlp((data.train_inputs[0].numel(), *widths, data.classes), seed=seed)


def _print_rows(title: str, path: Path) -> None:
    with open_run(path) as run:
        table = run.plane().to_dataframe()
    table = table[table["quantity"].isin(_SHOWN)]
    wide = table.pivot(index=["probe", "epoch"], columns="quantity", values="value")[list(_SHOWN)]
    print(f"\n{title}:\n\n| probe | epoch | rate | sandwich | rate given the label | label bound |")
    print("|---|---|---|---|---|---|")
    for _, rows in wide.reset_index().groupby("probe", sort=False):
        for _, row in rows.iloc[[0, -1]].iterrows():
            sandwich = f"{row['i_zx_lower']:.2f} to {row['i_zx_upper']:.2f}"
            given, label = f"{row['i_zx_given_y']:.1f}", f"{row['i_zy']:.2f}"
            print(f"| {row['probe']} | {row['epoch']:.0f} | {row['i_zx']:.1f} | {sandwich} | {given} | {label} |")


if __name__ == "__main__":
    main()
