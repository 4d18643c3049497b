"""The blocks of docs/errata.md and docs/reproduce.md run in order, and say what the pages say."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def output_of(page, cwd):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=cwd,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_errata_are_shown_by_their_blocks(tmp_path):
    said = output_of("docs/errata.md", tmp_path)
    for line in (
        "RMSE 0.0045 bit, r 0.9994",
        "the sign is that of zhat for every weight: True",
        "exact: mean +0.00076 bit",
        "eq25            +0.000 to",
        "38.38 is I(Z;X) of a dot: baseline, layer 1, I(Z;Y) 0.85",
        "largest I(Z;Y) in print: 0.86",
        "layer 1: last dots 38.9 -> 35.8 bit, ten last 38.9 -> 39.7; the scaled run lies above at 91 %",
        "0.13 bit: at most 24.8 % right of 10 classes, 7.6 % of 100",
        "Eq. 2: 0.0817 bit, H(X, Y) 1.918 bit",
        "error at most 54; says something below 16.87 bit",
        "panel b: least error 1.07 % at rate 0.09",
        "panel d: least error 1.09 % at rate 0.675",
        "baseline, end of panel a: weights 0.199 error 1.42",
        "error at rate 0.01, between the points: 1.18",
        "normal weights: 0.038 nat",
        "without the tail 0.048 nat",
        "SynScaL below the baseline: ['mlp cifar10', 'resnet32 cifar10', 'resnet32 mnist']",
        "vib, resnet32 cifar10: printed +5.9 %, computed -5.92 %",
        "dropout, mlp cifar100: printed -3.1 %, computed -3.21 %",
        "equal cells: ['mlp cifar10', 'mlp cifar100']",
        "diabetes as scikit-learn has it: 442",
        "same predictions: True",
        "root: True divergence: False",
        "117 and 114 errors, 3 images apart",
    ):
        assert line in said
    assert len(re.findall("printed .* computed", said)) == 2  # as section 8 says: no others
    bounds = [float(bound) for bound in re.findall(r"q .*: bound ([+-][\d.]+) bit", said)]
    assert max(bounds) == 0.0817  # the right decoder reaches the information, no other does
    assert bounds.count(0.0817) == 1
    paper, stable = (
        [float(number) for number in re.search(rf"{preset}: activity ([\d.]+) -> ([\d.]+)", said).groups()]
        for preset in ("paper", "stable")
    )
    assert paper[1] > paper[0] > 0.25  # away from the target
    assert 0.25 < stable[1] < stable[0]


def test_page_on_reproducing_runs(tmp_path):
    said = output_of("docs/reproduce.md", tmp_path)
    assert "fig7      test error of ResNet-50 on ImageNet over its training; scales: smoke, full" in said
    assert "contradicted: the figure has synaptic strength across" in said
    assert "['fig4.png', 'fig4.md', 'fig4.json']" in said
