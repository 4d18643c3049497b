"""Write the small run file of a format version: run this with the infoplane of that version on the path.

``python make.py FOLDER`` writes ``FOLDER/<format version>.h5`` and prints what its plane holds.
"""

import inspect
import os
import platform
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.runfile import layout
from infoplane.runfile.schema import FORMAT_VERSION

# What a version does not know is left out: 1.0 and 1.1 record the plane, sketches, metrics, findings and events alone.
SINCE_1_2 = {"sketch_at": 2, "gradients": 1, "raw": 3, "neurons": True}
SINCE_1_3 = {"inputs": 3}


def main(folder: Path) -> None:
    path = folder / f"{FORMAT_VERSION}.h5"
    path.unlink(missing_ok=True)
    layout._CHUNK_BYTES = 64  # how many rows are stored together is no part of the format, and here there are few
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(40) % 2
    x = torch.randn(40, 4, generator=generator) + 3 * y[:, None]
    with_nan = torch.where(torch.arange(40)[:, None] == 0, torch.nan, x)  # the second row gives findings
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    options = {"sites": ["1"], "classes": 2, "latent": 2, "draws": 2, "control": True, "seed": 3}
    known = inspect.signature(ip.record).parameters
    options |= {name: value for name, value in (SINCE_1_2 | SINCE_1_3).items() if name in known}
    scaling = ip.SynScaW(model) if "scaling" in known else None
    if scaling is not None:
        options["scaling"] = scaling
    with ip.record(model, path, configuration={"learning_rate": 0.1}, data={"name": "two blobs"}, **options) as rec:
        for step in range(4):
            loss = functional.cross_entropy(model(x), y) + rec.loss(y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 2:
                rec.measure([(x if step == 1 else with_nan, y)], epoch=step + 1)
                if scaling is not None:
                    rec.scaled(scaling.apply())
        rec.event("the end")
    with ip.open_run(path) as run:
        plane = run.plane()
        print(FORMAT_VERSION, path.stat().st_size, run.check())
        print(plane["quantity"].tolist(), plane["values"][0].tolist(), sep="\n")
        print(run.findings().to_dataframe().to_string())


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    # Nothing of the machine that wrote a file belongs into it.
    sys.argv = ["make.py"]
    platform.node, platform.platform = (lambda: "host"), (lambda: "Linux")
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)
        main(folder)
        os.chdir("/")
