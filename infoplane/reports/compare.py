"""Two sets of runs, compared by claims: paired by seed, at the last row, judged by one rule for all.

The rule and its statistics are those of `infoplane.analysis.verdicts`; docs/verdicts.md explains them.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import numpy as np

from infoplane.analysis.errors import one_of, positive_number
from infoplane.analysis.verdicts import (
    Check,
    Claim,
    OneTestSet,
    Verdict,
    errors_alone,
    judge,
    mcnemar,
    moves_with,
    not_measured,
    stays,
    surviving,
)
from infoplane.analysis.verdicts.paired_seeds import checked_level
from infoplane.errors import InputError
from infoplane.printable import NAME, printable
from infoplane.reports.arm_values import ArmValues
from infoplane.reports.arms import Arms, pair_arms
from infoplane.reports.comparison import Comparison
from infoplane.reports.jsd import POOLED
from infoplane.reports.run_values import (
    BY_IMAGE,
    METRICS,
    UNEXPLAINED,
    RunValue,
    difference_unit,
    has_real_labels,
    scales_of,
    sites_of,
    unit_of,
)
from infoplane.runfile.reader import Run
from infoplane.runfile.study import Study, open_study

Runs = str | PathLike[str] | Sequence[str | PathLike[str]] | Study
MARGIN = 0.05
"""Bit within which two label bounds count as equal: 1.5 % of the entropy of ten equally frequent classes."""


def compare(
    a: Runs,
    b: Runs,
    claims: Claim | Sequence[Claim] = Claim("error"),  # noqa: B008 - it is frozen
    *,
    level: float = 0.95,
    margin: float = MARGIN,
) -> Comparison:
    """Judge claims about two sets of runs.

    Parameters
    ----------
    a, b : path-like, sequence of path-like, or Study
        The run files of the two arms, or patterns; a claim says what `b` is against `a`.
    claims : Claim or sequence of Claim
        The family: all that would have been reported, had they come out. Metrics are `METRICS` of
        `infoplane.reports.run_values`: ``error`` (in per cent, differences in points), ``loss``, the bounds of the
        probes as ``i_zx`` and ``i_zy``, ``jsd_weights`` and ``jsd_activations`` (divergence, bit). A claim about a
        probe without a site is one claim per site; a divergence without one is of all layers pooled.
    level : float
        Of the family.
    margin : float
        Bit within which I(Z;Y) of the two arms counts as equal, for claims about ``i_zx``.

    Returns
    -------
    Comparison
        A claim about ``i_zx`` also has to survive the sandwich, equal I(Z;Y), and for probes beside the network the
        scale twins: what was not recorded leaves it undecided.

    Raises
    ------
    InputError
        When the runs cannot be paired (see `infoplane.reports.arms.pair_arms`), their last rows are of different
        epochs, their probes differ for a claim about a probe, or a claim cannot be read.
    RunFileError
        When a file is no run file, is damaged, or lacks what a claim is about.
    """
    checked_level(level)
    margin = positive_number("margin", margin)
    family = [claims] if isinstance(claims, Claim) else list(claims)
    if not family or not all(isinstance(claim, Claim) for claim in family):
        raise InputError(f"claims is {claims!r}, but it must be a Claim, or a sequence of at least one")
    arms = pair_arms(*(given if isinstance(given, Study) else open_study(given) for given in (a, b)))
    with ArmValues(arms.pairs) as values:
        family = [one for claim in family for one in _placed(claim, values.run(arms.pairs[0].first))]
        if len({(claim.metric, claim.site) for claim in family}) < len(family):
            raise InputError("two claims are about one metric at one site; what is measured once is claimed once")
        _check_probes(arms, family)
        found = judge(family, [values.pair(claim.metric, claim.site) for claim in family], level=level)
        verdicts = [
            surviving(
                verdict,
                _checks(verdict, values, _scales(values.run(arms.pairs[0].first), verdict.claim.site), margin),
            )
            if verdict.claim.metric == "i_zx"
            else verdict
            for verdict in found
        ]
        is_real = has_real_labels(values.run(arms.pairs[0].first))
        about_error = len(arms.pairs) == 1 and not is_real and any(claim.metric == "error" for claim in family)
        return Comparison(
            arms=arms,
            epoch=values.epoch,
            verdicts=tuple(verdicts),
            networks=_networks(*values.read("error")[0]) if about_error else None,
            notes=(*arms.notes, *_said(verdicts, values, is_real=is_real)),
        )


def _placed(claim: Claim, run: Run) -> list[Claim]:
    """Return the claim with its unit, at its site or at every one."""
    one_of("the metric of a claim", claim.metric, METRICS)
    claim = replace(claim, unit=difference_unit(unit_of(claim.metric, run)))
    sites = sites_of(run, claim.metric)
    if claim.site or sites == ("",):
        return [claim]
    return [replace(claim, site=site) for site in (sites[:1] if sites[0] == POOLED else sites)]


def _check_probes(arms: Arms, family: Sequence[Claim]) -> None:
    asked = [claim.metric for claim in family if claim.metric not in ("error", "loss") and "jsd" not in claim.metric]
    changed = [name for name in arms.differences if name.startswith("probes.")]
    if asked and changed:
        a, b = arms.differences[changed[0]]
        raise InputError(
            f"{changed[0]} is {printable(a, NAME)} in A and {printable(b, NAME)} in B; {asked[0]} depends on the "
            "probes, so that arms with different ones cannot be compared by it"
        )


def _scales(run: Run, site: str) -> Sequence[float] | None:
    """Return the scales of a site's twins; None where the code is the network's own, which no probe reads scaled."""
    return None if run.plane().attrs.get("probe_mode") == "bottleneck" else scales_of(run, site)


def _checks(verdict: Verdict, values: ArmValues, scales: Sequence[float] | None, margin: float) -> list[Check]:
    """Return what a claim about I(Z;X) must survive; see `infoplane.analysis.verdicts.survival`."""
    site = verdict.claim.site
    checks = []
    try:
        sandwich = values.pair("i_zx_upper", site)
    except InputError:
        checks.append(not_measured("sandwich's upper bound", "is not there in all runs, and the claim must survive it"))
    else:
        checks.append(moves_with("sandwich's upper bound", sandwich, verdict, unit="bit"))
    for scale in scales or ():
        pair = values.pair("i_zx", site, scale)
        checks.append(moves_with(f"rate of the scale twin x{scale:g}", pair, verdict, unit="bit"))
    if scales is not None and not scales:
        why = "is not there: no run has scale twins (record(scale_twins=(0.1, 10))), and the claim must survive them"
        checks.append(not_measured("rate of the scale twins", why))
    checks.append(stays("label bound I(Z;Y)", values.pair("i_zy", site), verdict, margin=margin, unit="bit"))
    return checks


def _networks(first: RunValue, second: RunValue) -> OneTestSet | None:
    """Return what the two networks of the only seed say on their images."""
    if first.outcomes is not None and second.outcomes is not None:
        wrong = first.outcomes / 100, second.outcomes / 100
        if all(np.isin(one, (0, 1)).all() for one in wrong):
            return mcnemar(*wrong)
    n = first.images
    if n is None or n != second.images:
        return None
    counts = [n * one.value / 100 for one in (first, second)]
    # A file may have been cut, or measured on other inputs than it says.
    if any(abs(count - round(count)) > 1e-3 or not 0 <= round(count) <= n for count in counts):
        return None
    return errors_alone(round(counts[0]), round(counts[1]), n)


def _said(verdicts: Sequence[Verdict], values: ArmValues, *, is_real: bool) -> list[str]:
    """Return what belongs to the numbers: what a claimed difference is in images, and what the interval leaves out."""
    said = []
    if is_real and any(verdict.claim.metric == "error" for verdict in verdicts):
        said.append(
            f"The labels are real numbers: error is {UNEXPLAINED}, the mean squared error over the variance of the "
            "labels, and no share of the inputs."
        )
    for verdict in verdicts:
        claim = verdict.claim
        if claim.metric == "error" and claim.effect is not None and not is_real:
            first, second = values.read("error")[0]
            if (networks := _networks(first, second)) is not None:
                share = float(verdict.pair.first.mean()) / 100
                error = 100 * math.sqrt(share * (1 - share) / networks.images)
                said.append(
                    f"The claimed {claim.effect:+g} points are {abs(claim.effect) * networks.images / 100:.3g} of "
                    f"{networks.images:,} images; the binomial standard error of one network's error is {error:.2g} "
                    "points."
                )
    without = [v.claim.name for v in verdicts if not v.pair.images and v.claim.metric != "jsd_weights"]
    if without and verdicts[0].pair.seeds > 1:
        by_image = [metric for metric in BY_IMAGE if not (is_real and metric == "error")]  # R² is no mean over inputs
        kept = any(v.claim.metric in by_image for v in verdicts if not v.pair.images)
        said.append(
            f"{', '.join(without)}: the interval is over seeds alone, so that it holds for this one test set."
            + kept * " record(inputs=n), with n the size of the test set, keeps the outcomes of every image."
        )
    return said
