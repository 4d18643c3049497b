"""How often the interval of a verdict is right: simulated experiments whose true difference is known.

``python -m infoplane.experiments.coverage`` prints the table of docs/verdicts.md: the share of experiments in which an
interval at 95 % encloses the truth, for 3, 5 and 10 paired seeds, of

    verdict    the interval of `infoplane.analysis.verdicts.paired_seeds`
    seeds      Student's paired interval of the seeds alone
    bootstrap  the percentile interval of the crossed bootstrap
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from infoplane.analysis.samples import Floats
from infoplane.analysis.verdicts import crossed_bootstrap, paired_seeds

SEEDS = (3, 5, 10)
_IMAGES = 300
_DRAWS = 400


@dataclass(frozen=True)
class Law:
    """Where experiments come from.

    Attributes
    ----------
    name : str
        What differs.
    draw : callable
        From a generator and a number of seeds to a table (seeds, images) of differences.
    truth : float
        Mean difference of all seeds and images.
    """

    name: str
    draw: Callable[[np.random.Generator, int], Floats]
    truth: float = 0.0


def coverage(law: Law, seeds: int, *, experiments: int = 1000, seed: int = 0) -> dict[str, float]:
    """Return the share of experiments in which each interval encloses the truth.

    Parameters
    ----------
    law : Law
        Where they come from.
    seeds : int
        Paired seeds of one experiment.
    experiments : int
        How many.
    seed : int
        Of all of them.
    """
    generator = np.random.default_rng(seed)
    right = {"verdict": 0, "seeds": 0, "bootstrap": 0}
    for k in range(experiments):
        table = law.draw(generator, seeds)
        none = np.zeros_like(table)
        intervals = {
            "verdict": paired_seeds(none, table).interval(),
            "seeds": paired_seeds(none[:, 0], table.mean(axis=1)).interval(),
            "bootstrap": crossed_bootstrap(none, table, draws=_DRAWS, seed=k).interval(),
        }
        for name, (low, high) in intervals.items():
            right[name] += low <= law.truth <= high
    return {name: count / experiments for name, count in right.items()}


def _normal(of_seed: float, of_image: float, rest: float) -> Callable[[np.random.Generator, int], Floats]:
    def draw(generator: np.random.Generator, seeds: int) -> Floats:
        noise = generator.normal(0, of_seed, (seeds, 1)) + generator.normal(0, of_image, _IMAGES)
        return noise + generator.normal(0, rest, (seeds, _IMAGES))

    return draw


def _skewed(generator: np.random.Generator, seeds: int) -> Floats:
    table: Floats = generator.exponential(1, (seeds, 1)) - 1 + generator.normal(0, 0.1, (seeds, _IMAGES))
    return table


def _wrong_or_right(generator: np.random.Generator, seeds: int) -> Floats:
    """Two networks that are wrong of hard images: the second less often, though not on every image."""
    hard = generator.normal(-6, 3, _IMAGES)
    easier = hard - 0.3 + generator.normal(0, 0.5, _IMAGES)
    wrong = [
        at + generator.normal(0, 0.1, (seeds, 1)) + generator.normal(0, 1, (seeds, _IMAGES)) > 0
        for at in (hard, easier)
    ]
    table: Floats = wrong[1].astype(float) - wrong[0]
    return table


LAWS = (
    Law("seeds differ, images hardly", _normal(1.0, 0.0, 0.1)),
    Law("every seed and image by itself", _normal(0.1, 0.0, 2.0)),
    Law("seeds and images differ", _normal(0.1, 1.5, 2.0)),
    Law("images differ, seeds hardly", _normal(0.0, 2.0, 0.5)),
    Law("wrong or right, as a network", _wrong_or_right, float(norm.sf(6.3 / 10.26**0.5) - norm.sf(6 / 10.01**0.5))),
    Law("seeds of an exponential law", _skewed),
)


def main() -> None:
    """Print the table."""
    print("| differences | seeds | verdict | seeds alone | crossed bootstrap |\n|:--|--:|--:|--:|--:|")
    for law in LAWS:
        for seeds in SEEDS:
            found = coverage(law, seeds)
            cells = " | ".join(f"{100 * share:.1f} %" for share in found.values())
            print(f"| {law.name if seeds == SEEDS[0] else ''} | {seeds} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
