"""A small training that stands still between two epochs, in this process or in another."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import infoplane as ip
from infoplane.watch.rows import Meaning, ProbeValues, Row
from infoplane.watch.state import RunState

ELSEWHERE = """
import sys
import torch
from torch.nn import functional as F
import infoplane as ip

torch.set_num_threads(1)
torch.manual_seed(0)
data = ip.datasets.load("digits")
model = ip.models.mlp((64, 16, 10), seed=0)
optimizer = torch.optim.Adam(model.parameters(), 2e-3)
with ip.record(model, sys.argv[1], sites="hidden1", classes=10, latent=4, control=True, seed=0) as rec:
    for epoch in range(1, 1000):
        for x, y in data.train_loader(200, seed=epoch):
            loss = F.cross_entropy(model(x), y) + rec.loss(y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        rec.measure(data.test_loader(500), epoch=epoch)
        print(epoch, flush=True)
        if sys.stdin.readline().strip() == "end":
            break
"""
COMMAND = """
from infoplane.cli import main
from infoplane.cli.app import app
from infoplane.cli.watch import watch

if not any(known.callback is watch for known in app.registered_commands):
    app.command()(watch)
main()
"""


class Elsewhere:
    """A real training on digits in another process, which measures once per `epoch()`."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", ELSEWHERE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.epochs = int(self.process.stdout.readline())

    def epoch(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.epochs = int(self.process.stdout.readline())

    def end(self):
        self.process.communicate("end\n", timeout=120)
        assert self.process.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def elsewhere():
    started = []

    def start(path):
        started.append(Elsewhere(path))
        return started[-1]

    yield start
    for one in started:
        one.kill()


class Here:
    """A training of a small network on random inputs in this process, one row per `row()`."""

    def __init__(self, path, **options):
        torch.manual_seed(0)
        self.generator = torch.Generator().manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
        options = {"sites": ["1"], "classes": 3, "latent": 2, "control": True, "seed": 0} | options
        self.rec = ip.record(self.model, path, **options)
        self.rec.__enter__()
        self.rows, self.is_over = 0, False

    def row(self):
        x = torch.randn(20, 6, generator=self.generator)
        y = torch.randint(3, (20,), generator=self.generator)
        (F.cross_entropy(self.model(x), y) + self.rec.loss(y)).backward()
        self.rows += 1
        self.rec.measure([(x, y)], epoch=self.rows)

    def end(self):
        if not self.is_over:
            self.is_over = True
            self.rec.__exit__(None, None, None)


@pytest.fixture
def here():
    started = []

    def start(path, **options):
        started.append(Here(path, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def watch_process():
    """Start ``infoplane watch`` in another process."""
    started = []

    def start(*arguments, **options):
        started.append(subprocess.Popen([sys.executable, "-c", COMMAND, "watch", *map(str, arguments)], **options))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def state_of():
    """Return a made-up state: a run of as many sites, with a control each, and rows of a falling rate."""

    def make(name="run.h5", *, sites=("hidden1",), rows=3, n=500, error=0.25, i_zy=1.5, control=True, **fields):
        def probe(site, host, k):
            return ProbeValues(
                at=0,
                latent=4,
                probe=site if host == "trained" else f"{site}@{host}",
                site=site,
                host=host,
                beta=1e-3,
                scale=1.0,
                is_plain=True,
                i_zx=7.5 - k / 4,
                se_i_zx=0.05,
                i_zy=i_zy if host == "trained" else 0.5,
                se_i_zy=0.02,
            )

        hosts = ("trained", "untrained") if control else ("trained",)
        made = tuple(
            Row(
                number=k,
                step=10 * (k + 1),
                n=n,
                epoch=k + 1.0,
                time=1000.0 + k,
                error=error,
                loss=0.5,
                probes=tuple(probe(site, host, k) for host in hosts for site in sites),
            )
            for k in range(rows)
        )
        meaning = Meaning("VIB probe", "test", "upper_bound", "lower_bound", "%", 0)
        known = {"status": "recording", "file": 1, "rows": rows, "new": made, "recent": made, "meaning": meaning}
        return RunState(Path(name), **(known | {"written": 1002.0, "counts": {"plane": rows}} | fields))

    return make
