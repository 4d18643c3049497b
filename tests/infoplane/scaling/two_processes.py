"""One small training with SynScaW under torchrun: two_processes.py FOLDER."""

import sys
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn import functional as F

from infoplane.models import mlp
from infoplane.scaling.synscaw import SynScaW


def main() -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    inputs = torch.randn(8 if rank else 24, 6, generator=torch.Generator().manual_seed(rank))
    found: dict[str, object] = {"inputs": inputs}
    with SynScaW(model := mlp((6, 8, 3), seed=1), source="data", gamma=0.0) as scaling:
        model(inputs)
        found["exact"] = scaling.apply()["hidden1.linear"].zbar_before
    for source in ("probe", "data"):
        model = nn.parallel.DistributedDataParallel(mlp((6, 8, 3), seed=1))
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        reports = []
        with SynScaW(model, source=source, probe_rows=20, gamma=0.2, every=2) as scaling:
            for step in range(1, 7):
                loss = F.cross_entropy(model(inputs), torch.arange(len(inputs)) % 3)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                reports.append(scaling.after_step(step))
        found[source] = {"reports": reports, "model": model.module.state_dict()}
    found["names"] = list(model.module.state_dict())
    torch.save(found, Path(sys.argv[1]) / f"{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
