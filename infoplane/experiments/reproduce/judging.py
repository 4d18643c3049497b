"""The claims of an experiment, judged as one family on the runs of its arms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from infoplane.analysis.verdicts import Claim, PairedSeeds, Verdict, judge, paired_seeds, surviving
from infoplane.experiments.reproduce.claims import PaperClaim, Statement
from infoplane.reports.arm_values import ArmValues
from infoplane.reports.arms import Pair
from infoplane.reports.compare import compare
from infoplane.reports.run_values import difference_unit, unit_of, values_unit
from infoplane.runfile.reader import open_run

LEVEL = 0.95


def judged(claims: Sequence[PaperClaim], runs: Mapping[str, Sequence[Path]]) -> tuple[tuple[PaperClaim, Verdict], ...]:
    """Judge claims together, by Holm's procedure over all of them.

    Parameters
    ----------
    claims : sequence of PaperClaim
        A claim about a probe without a site is one per site. Those of an arm without runs are left out.
    runs : mapping of str to sequence of pathlib.Path
        The finished runs of every arm.

    Raises
    ------
    InputError
        When runs cannot be paired.
    RunFileError
        When a file lacks what a claim is about.
    """
    found: list[tuple[PaperClaim, Claim, PairedSeeds, bool]] = []
    for first, second in dict.fromkeys((claim.first, claim.second) for claim in claims):
        a, b = runs.get(first, ()), runs.get(second, ())
        if not a or not b:
            continue
        its = [claim for claim in claims if (claim.first, claim.second) == (first, second)]
        found += [(claim, *_of_folds(claim, a, b), False) for claim in its if claim.folds]
        its = [claim for claim in its if not claim.folds]
        if not its:
            continue
        # What this call says of levels is of no account: all claims are judged together below.
        for verdict in compare(list(a), list(b), [claim.claim() for claim in its], level=LEVEL).verdicts:
            claim = next(c for c in its if c.metric == verdict.claim.metric and c.site in ("", verdict.claim.site))
            found.append((replace(claim, site=verdict.claim.site), verdict.claim, verdict.pair, bool(verdict.checks)))
    if not found:
        return ()
    together = judge([claim for _, claim, _, _ in found], [pair for _, _, pair, _ in found], level=LEVEL)
    return tuple(
        (claim, _checked(claim, verdict, runs) if has_checks else verdict)
        for (claim, _, _, has_checks), verdict in zip(found, together, strict=True)
    )


def statements(judgements: Sequence[tuple[PaperClaim, Verdict]]) -> tuple[Statement, ...]:
    """Return the verdicts as statements, the paper's numbers beside ours."""
    said = []
    for claim, verdict in judgements:
        unit = values_unit(verdict.claim.unit)
        arms = verdict.pair.first, verdict.pair.second
        first, second = (f"{float(arm.mean()):.{verdict.decimals}f}" for arm in arms)
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


def _checked(claim: PaperClaim, verdict: Verdict, runs: Mapping[str, Sequence[Path]]) -> Verdict:
    """Return the verdict after what a claim about I(Z;X) must survive, judged at its own level."""
    a, b = list(runs[claim.first]), list(runs[claim.second])
    return surviving(verdict, compare(a, b, verdict.claim, level=1 - verdict.alpha).verdicts[0].checks)


def _of_folds(claim: PaperClaim, a: Sequence[Path], b: Sequence[Path]) -> tuple[Claim, PairedSeeds]:
    """Return the claim with its unit, and the means of its pairs: the test parts of two folds are other inputs."""
    arms = [{_seed(path): path for path in paths} for paths in (a, b)]
    pairs = [Pair(seed, arms[0][seed], arms[1][seed]) for seed in sorted(arms[0].keys() & arms[1].keys())]
    with ArmValues(pairs) as values:
        first, second = zip(*values.read(claim.metric, claim.site), strict=True)
        unit = difference_unit(unit_of(claim.metric, values.run(pairs[0].first)))
    means = paired_seeds([one.value for one in first], [one.value for one in second])
    return replace(claim.claim(), unit=unit), means


def _seed(path: Path) -> int:
    with open_run(path) as run:
        return int(run.configuration["seed"])
