"""Two processes under torchrun go on with one file: the first writes, both begin at its step, both are told why not."""

import subprocess
import sys

import pytest
import torch

import infoplane as ip

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_gloo_available(), reason="this torch has no gloo, over which the processes talk here"
)
SCRIPT = """
import sys
from pathlib import Path
import torch
from torch import distributed, nn
from torch.nn import functional
import infoplane as ip

torch.set_num_threads(1)
distributed.init_process_group("gloo")
rank, path, said = distributed.get_rank(), sys.argv[1], []
for latent, resume in ((4, False), (4, True), (5, True)):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 3))
    x, y = torch.randn(16, 6), torch.arange(16) % 3
    try:
        with ip.record(net, path, sites=["0"], classes=3, latent=latent, resume=resume) as rec:
            began = rec.step
            for _ in range(3):
                (functional.cross_entropy(net(x), y) + rec.loss(y)).backward()
            rec.measure([(x, y)])
            said.append(f"began at {began}")
    except ip.errors.RunFileError as error:
        said.append(str(error))
Path(f"said{rank}").write_text("\\n".join(said))  # on one stdout the lines of both would mix
distributed.destroy_process_group()
"""


def test_all_ranks_go_on_at_the_step_of_the_file_or_are_refused_together(tmp_path):
    path, script = tmp_path / "run.h5", tmp_path / "train.py"
    script.write_text(SCRIPT)
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script), str(path)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=200, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    refusal = f"{path}: cannot be resumed, because this recording is another: latent is 4 in the file and 5 now"
    for rank in (0, 1):
        assert (tmp_path / f"said{rank}").read_text().splitlines() == ["began at 0", "began at 3", refusal]
    with ip.open_run(path) as run:
        assert run.plane()["step"].tolist() == [3, 6]
