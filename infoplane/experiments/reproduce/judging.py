"""The claims of an experiment, judged as one family on the runs of its arms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from infoplane.analysis.verdicts import PairedSeeds, Verdict, judge, paired_seeds, surviving
from infoplane.analysis.verdicts.verdict import signed
from infoplane.experiments.reproduce.claims import PaperClaim, Statement
from infoplane.reports.arm_values import ArmValues
from infoplane.reports.arms import Pair
from infoplane.reports.compare import compare
from infoplane.reports.run_values import unit_of
from infoplane.runfile.reader import open_run

LEVEL = 0.95


def judged(
    claims: Sequence[PaperClaim], runs: Mapping[str, Sequence[Path]], *, folds: bool = False
) -> tuple[tuple[PaperClaim, Verdict], ...]:
    """Judge claims together, by Holm's procedure over all of them.

    Parameters
    ----------
    claims : sequence of PaperClaim
        A claim about a probe without a site is one per site. Those of an arm without runs are left out.
    runs : mapping of str to sequence of pathlib.Path
        The finished runs of every arm.
    folds : bool
        Whether seeds may be folds of a cross-validation: their test parts are other inputs, so that only means are
        compared.

    Raises
    ------
    InputError
        When runs cannot be paired.
    RunFileError
        When a file lacks what a claim is about.
    """
    found: list[tuple[PaperClaim, Verdict | None, PairedSeeds]] = []
    for first, second in dict.fromkeys((claim.first, claim.second) for claim in claims):
        a, b = runs.get(first, ()), runs.get(second, ())
        its = [claim for claim in claims if (claim.first, claim.second) == (first, second)]
        if not a or not b:
            continue
        if folds:
            found += [(claim, None, _of_folds(claim, a, b)) for claim in its]
            continue
        # What this call says of levels is of no account: all claims are judged together below.
        for verdict in compare(list(a), list(b), [claim.claim() for claim in its], level=LEVEL).verdicts:
            claim = next(c for c in its if c.metric == verdict.claim.metric and c.site in ("", verdict.claim.site))
            found.append((replace(claim, site=verdict.claim.site), verdict, verdict.pair))
    if not found:
        return ()
    family = [
        verdict.claim if verdict is not None else replace(claim.claim(), unit=_unit(claim.metric))
        for claim, verdict, _ in found
    ]
    together = judge(family, [pair for _, _, pair in found], level=LEVEL)
    return tuple(
        (claim, _checked(claim, alone, verdict, runs))
        for (claim, alone, _), verdict in zip(found, together, strict=True)
    )


def statements(judgements: Sequence[tuple[PaperClaim, Verdict]]) -> tuple[Statement, ...]:
    """Return the verdicts as statements, the paper's numbers beside ours."""
    said = []
    for claim, verdict in judgements:
        unit = unit_of(claim.metric)
        half = verdict.pair.half_width(1 - verdict.level)
        decimals = len(signed(verdict.estimate, half).partition(".")[2])
        first, second = (f"{float(arm.mean()):.{decimals}f}" for arm in (verdict.pair.first, verdict.pair.second))
        site = f" at {claim.site}" if claim.site else ""
        said.append(
            Statement(
                claim=f"{claim.text}{site}",
                where=claim.where,
                printed=claim.printed_text,
                found=f"{first} -> {second} {unit}",
                verdict=verdict.word,
                why=f"A: {claim.first}, B: {claim.second}; {str(verdict).partition('. ')[2]}",
            )
        )
    return tuple(said)


def _checked(claim: PaperClaim, alone: Verdict | None, verdict: Verdict, runs: Mapping[str, Sequence[Path]]) -> Verdict:
    """Return the verdict after what a claim about I(Z;X) must survive, judged at its own level."""
    if alone is None or not alone.checks:
        return verdict
    a, b = list(runs[claim.first]), list(runs[claim.second])
    return surviving(verdict, compare(a, b, verdict.claim, level=1 - verdict.alpha).verdicts[0].checks)


def _of_folds(claim: PaperClaim, a: Sequence[Path], b: Sequence[Path]) -> PairedSeeds:
    arms = [{_seed(path): path for path in paths} for paths in (a, b)]
    pairs = [Pair(seed, arms[0][seed], arms[1][seed]) for seed in sorted(arms[0].keys() & arms[1].keys())]
    with ArmValues(pairs) as values:
        first, second = zip(*values.read(claim.metric, claim.site), strict=True)
    return paired_seeds([one.value for one in first], [one.value for one in second])


def _seed(path: Path) -> int:
    with open_run(path) as run:
        return int(run.configuration["seed"])


def _unit(metric: str) -> str:
    return "points" if metric == "error" else unit_of(metric)
