"""What one run was and what came out of it, in numbers and phrases, for every form of a report."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infoplane.reports.findings import FindingSummary
from infoplane.reports.jsd import JSDRow

_NAN = math.nan


@dataclass(frozen=True)
class Measured:
    """A number with its standard error over the inputs (NaN where none is known), in bit."""

    value: float
    error: float = _NAN


@dataclass(frozen=True)
class SiteFacts:
    """What the probe of one site read out of the trained network at the last row, and its control.

    Attributes
    ----------
    site : str
        Its name.
    rate, label_bound : Measured
        Upper bound on I(Z;X) and lower bound on I(Z;Y), of the probe's code.
    enclosed : tuple of float
        Lower and upper bound on I(Z;X) by the known code; NaN where they were not measured.
    control_rate, control_label_bound : Measured or None
        The same of the probe on the frozen untrained network.
    rate_change, label_change : Measured or None
        Less the control, with the paired standard error.
    """

    site: str
    rate: Measured
    label_bound: Measured
    enclosed: tuple[float, float]
    control_rate: Measured | None = None
    control_label_bound: Measured | None = None
    rate_change: Measured | None = None
    label_change: Measured | None = None


@dataclass(frozen=True)
class RunFacts:
    """One run.

    Attributes
    ----------
    name, path, status, start_time, end_time : str
        As `infoplane.runfile.reader.Run` has them; the name is the file's without its ending.
    model, data, method, device : str
        Empty where the file does not say.
    parameters, seed : int or None
        Numbers in the network; seed of the training, or where that is not known of the probes.
    is_probes_seed : bool
        Whether `seed` is that of the probes: nothing in the configuration tells how the network was seeded.
    rows, step, epoch
        Rows of the plane that can be read, and step and epoch of the last one; 0, None and NaN before the first.
    committed : int
        Rows of the plane that were written: more than `rows` in a damaged file.
    epochs_planned : int or None
        Epochs that were asked for.
    probes : str
        Mode, N, beta, steps and draws of the probes, as a phrase.
    split, estimator : str
        What was measured, and by what.
    n : int or None
        Inputs measured at the last row.
    h_y : float
        H(Y) of their labels in bit, the limit of a label bound; NaN of real labels.
    label_kind : str
        ``lower bound``, or what else the file calls i_zy.
    error : float
        Of the network at its last row, as `error_unit` says; NaN where it is not known, or is NaN.
    has_error : bool
        Whether the file has one.
    error_unit, error_split : str
        Per cent of the inputs, or of the labels' variance; on what.
    sites : tuple of SiteFacts
        At the last row.
    others : tuple of str
        Probes that have no place here: other betas, scale twins, refitted ones.
    findings : tuple of FindingSummary, or None
        None where they cannot be read.
    divergences : tuple of JSDRow, or None
        Of the last rows of weights and activations; None where they cannot be read.
    provenance : dict
        As the file has it.
    unreadable : tuple of str
        What cannot be read, one sentence each.
    setting : int
        Runs of one number differ in their seeds alone.
    drawn : bool
        Whether the charts show it before anyone chooses.
    """

    name: str
    path: str
    status: str
    start_time: str
    end_time: str
    provenance: Mapping[str, Any]
    model: str = ""
    data: str = ""
    method: str = ""
    device: str = ""
    parameters: int | None = None
    seed: int | None = None
    is_probes_seed: bool = False
    rows: int = 0
    committed: int = 0
    step: int | None = None
    epoch: float = _NAN
    epochs_planned: int | None = None
    probes: str = ""
    split: str = ""
    estimator: str = ""
    n: int | None = None
    h_y: float = _NAN
    label_kind: str = "lower bound"
    error: float = _NAN
    has_error: bool = False
    error_unit: str = "%"
    error_split: str = ""
    sites: tuple[SiteFacts, ...] = ()
    others: tuple[str, ...] = ()
    findings: tuple[FindingSummary, ...] | None = ()
    divergences: tuple[JSDRow, ...] | None = ()
    unreadable: tuple[str, ...] = field(default=())
    setting: int = 0
    drawn: bool = True

    @property
    def has_control(self) -> bool:
        """Whether any probe has one."""
        return any(site.control_rate is not None for site in self.sites)
