"""`record(...)`: probes, recorders and a run file around any training loop, in one context manager."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from infoplane.analysis.errors import one_of, true_or_false, whole_number
from infoplane.errors import InputError, SiteError
from infoplane.probes.bottleneck_places import bottleneck_places
from infoplane.probes.names import lazy_parameters
from infoplane.probes.observer import Observer
from infoplane.probes.plan import Plan
from infoplane.probes.reduce import Asked
from infoplane.probes.schedule import Schedule, schedule
from infoplane.probes.selection import Sites, select_sites
from infoplane.probes.target import ClassTarget, RealTarget, Target
from infoplane.probes.vib_settings import VIBSettings
from infoplane.recording import Recording
from infoplane.runfile.run_name import check_run_name
from infoplane.scaling.synscaw import SynScaW
from infoplane.sink import Sink


def record(
    model: nn.Module,
    path: str | PathLike[str] | None,
    *,
    sites: Sites = None,
    classes: int | None = None,
    targets: int | RealTarget | None = None,
    mode: str = "observe",
    latent: int = 256,
    beta: float | Sequence[float] = 1e-3,
    draws: int = 12,
    learning_rate: float = 1e-3,
    std: str = "softplus",
    prior: str = "standard",
    averaging: float = 0.0,
    probe_every: int = 1,
    control: bool = False,
    refit: int = 0,
    scale_twins: Sequence[float] = (),
    reduce: Asked = None,
    activations: bool = True,
    weights: bool = True,
    neurons: bool = True,
    gradients: int = 10,
    raw: int = 0,
    raw_bytes: int = 2**30,
    inputs: int = 0,
    scaling: SynScaW | None = None,
    sketch_at: Schedule | int | None = 100,
    measure_at: Schedule | int | None = 1,
    sandwich: int = 500,
    seed: int = 0,
    split: str = "test",
    configuration: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    sinks: Sequence[Sink] = (),
    overwrite: bool = False,
    resume: bool = False,
    flush: int = 1,
    on_error: str = "raise",
) -> Recording:
    """Put probes and recorders on `model` and stream what they measure to one run file.

    Parameters
    ----------
    model : torch.nn.Module
        The host, unchanged by mode ``observe``: its training is bit-identical with and without the recording.
    path : path-like or None
        The run file to create (HDF5), which ends in .h5, .hdf5 or .nxs; None records for `sinks` and for what
        `Recording.measure` returns alone. Under torch.distributed rank 0 writes.
    sites : str, re.Pattern, type of module, predicate, a sequence of these, or {site: alias}
        What is observed: modules by name, glob (``*`` within a dotted component, ``**`` across), regular expression,
        type, or ``predicate(name, module)``. A string may say more: ``fc1@input``, ``shared:1`` (its second call),
        ``lstm[0]``. All modules without children where nothing is said, if these are not too many. See
        `infoplane.probes.selection`.
    classes : int, optional
        Number of labels; labels are integers in 0 .. classes - 1.
    targets : int or RealTarget, optional
        In place of `classes` for regression: numbers per label, or a `RealTarget` with the known entropy of the labels.
    mode : {"observe", "joint", "bottleneck"}
        ``observe``: the probes learn beside the host and no gradient reaches it. ``joint``: their loss is added to
        the host's, which trains both (the paper's Fig. 5). ``bottleneck``: the sites are `VIBBottleneck` modules of the
        host, whose divergence is added to its loss (the VIB regularizer of Table I).
    latent : int
        N, the dimensions of each probe's code.
    beta : float or sequence of float
        Weight of the divergence in the probes' loss (Eq. 13), both terms in the same unit. Several give one probe each,
        trained in one pass: points of the site's rate-distortion frontier.
    draws : int
        Draws of the code per input when measuring.
    learning_rate : float
        Of the probes' own Adam.
    std : {"softplus", "log_variance"}
        How the encoder's second half becomes a standard deviation: softplus(rho - 5), or exp(rho / 2).
    prior : {"standard", "learned"}
        What the rate is taken against: N(0, I), or a diagonal normal that is trained with the probe.
    averaging : float
        Decay of the moving average of the probes' weights that is measured in place of them; 0 for none.
    probe_every : int
        The probes' optimizer steps at every `probe_every`-th step. With gradient accumulation over k batches give k:
        then it takes one step per step of the host.
    control : bool
        Also train the same probes on a frozen copy of the host as it is before its first training forward. A
        probe's curve is mostly its own training; only the difference from this one is the host's.
    refit : int
        At every measurement also fit fresh probes for so many steps on the host as it is then, with the batches given
        to ``measure(..., fit=)``: their curve is not that of a probe's long training.
    scale_twins : sequence of float
        Also train probes on the activations times these factors, as (0.1, 10): what moves with the scale is no
        information.
    reduce : str, callable, or mapping of site to these, optional
        How a feature map or a sequence becomes the vector that a probe reads: ``flatten``, ``gap``, ``tokens-mean``,
        ``cls``, ``last``, ``projection-64``, or a callable. Chosen by shape where nothing is said (a network with
        channels last in four dimensions, as Swin, needs ``tokens-mean``), and stored.
    activations, weights, neurons : bool
        Whether every measurement sketches the sites' activations and the weight matrices, and takes every neuron's
        mean, variance and share of zeros.
    gradients : int
        Mean and standard deviation of the gradients between two measurements, over every `gradients`-th step of the
        optimizer; 0 for none.
    raw : int
        So many held-out inputs keep their reduced activations in the file, for the estimators of `infoplane.analysis`.
    raw_bytes : int
        At most so many bytes of them; no more rows are kept then, which is said.
    inputs : int
        So many held-out inputs, a random subset where there are more and the same one for every seed, keep their own
        error, loss, rates and cross-entropies in every row: what a comparison of runs on the same inputs needs.
    scaling : SynScaW, optional
        Whose passes are kept: give `Recording.scaled` the report of each.
    sketch_at : Schedule, int or None
        At which steps activations and weights of the training step itself are sketched, apart from the measurements:
        every 100th, ``every(n)``, ``log_spaced()``, or None for by hand (`Recording.snapshot`).
    measure_at : Schedule, int or None
        Which calls of `Recording.measure` measure, counted from 0; all by default.
    sandwich : int
        So many held-out inputs, a fixed random subset, enclose the information of each probe's code.
    seed : int
        Of the probes. The global random state is neither read nor changed. Runs of a comparison are paired by it,
        unless `configuration` has a ``seed``: give each training its own, for how a network was seeded stands in no
        file.
    split : str
        What the loader given to `Recording.measure` holds; written beside every number.
    configuration : mapping, optional
        Your own settings, kept in the file as JSON.
    data : mapping, optional
        Name, hash, or whatever identifies the data set, kept in the file, such as
        ``{"name": "mine", "sha256": ip.datasets.fingerprint(inputs, labels)}``.
    sinks : sequence of Sink
        Who else is given every measurement, such as `infoplane.integrations.tensorboard.TensorBoardSink`.
    overwrite : bool
        Replace an existing HDF5 file.
    resume : bool
        Go on with the file of a run that was killed, interrupted or finished, with the same network and options; where
        there is none, begin one. Steps count on from the state given to `Recording.load_state_dict`, and rows of later
        steps are left out; without a state from the last step that a row or event tells of, with probes that begin
        anew.
    flush : int
        Rows of each stream are written out at every `flush`-th row, and at the end: a kill loses at most
        ``flush - 1`` rows of a stream, none of them before the last `Recording.state_dict`, and a reader sees them as
        late. 1 loses none.
    on_error : {"raise", "warn"}
        What becomes of the training when the file cannot be written any more (the disk is full, the file was deleted):
        it stops with the reason, or it goes on without the file, which is said once. Rows written before stay readable
        either way, and the file reads as killed. A file that cannot be opened at all is always refused.

    Returns
    -------
    Recording
        A context manager. Inside it: `Recording.loss` at every step, `Recording.measure` for every row.

    Raises
    ------
    SiteError
        When a site is unknown, or there are too many.
    InputError
        When another argument cannot be used.
    RunFileError
        When the file exists, cannot be created, or cannot be resumed (on entering the context, and at the first step,
        which shows sites and shapes); with ``on_error="raise"``, at the step at which it cannot be written any more.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"record() observes a torch.nn.Module, but it was given a {type(model).__name__}")
    if lazy := lazy_parameters(model):
        raise SiteError(f"the parameter {lazy[0]!r} has no shape yet: run one forward before you record the network")
    if path is not None:
        check_run_name(Path(path), resume=resume)
    for name, given in (("configuration", configuration), ("data", data)):
        if given is not None and not isinstance(given, Mapping):
            raise InputError(f"{name} is {given!r}, but it must be a mapping, such as {{'name': 'mnist'}}")
    for name, several in (("scale_twins", scale_twins), ("sinks", sinks)):
        if not isinstance(several, Iterable):
            raise InputError(f"{name} is {several!r}, but it must be a sequence; write ({several!r},) for one")
    for name, flag in {
        "control": control,
        "activations": activations,
        "weights": weights,
        "neurons": neurons,
        "overwrite": overwrite,
        "resume": resume,
    }.items():
        true_or_false(name, flag)
    flush = whole_number("flush", flush, least=1)
    one_of("on_error", on_error, ("raise", "warn"))
    if resume and (overwrite or path is None):
        instead = "without a path there is none" if path is None else "overwrite=True replaces it: give one of the two"
        raise InputError(f"resume=True goes on with a run file, but {instead}")
    if not isinstance(split, str):
        raise InputError(f"split is {split!r}, but it is a word that stands beside every number, such as 'test'")
    if scaling is not None and not isinstance(scaling, SynScaW):
        raise InputError(f"scaling is {scaling!r}, but it must be a SynScaW, whose passes are recorded")
    for sink in sinks:
        if not isinstance(sink, Sink):
            raise InputError(
                f"{sink!r} is no sink: it needs the methods measurement(...) and close() of infoplane.sink"
            )
    betas = tuple(beta) if isinstance(beta, Sequence | np.ndarray) else (beta,)
    each = [
        VIBSettings(
            mode=mode,
            latent=latent,
            beta=b,
            draws=draws,
            learning_rate=learning_rate,
            std=std,
            prior=prior,
            averaging=averaging,
        )
        for b in betas or (1e-3,)
    ]
    plan = Plan(
        target=_target(classes, targets),
        settings=each[0],
        betas=tuple(settings.beta for settings in each) if betas else (),
        scale_twins=tuple(scale_twins),
        probe_every=probe_every,
        control=control,
        refit=refit,
        reduce=reduce,
        activations=activations,
        weights=weights,
        neurons=neurons,
        gradients=gradients,
        raw=raw,
        raw_bytes=raw_bytes,
        inputs=inputs,
        sketch_at=schedule(sketch_at),
        sandwich=sandwich,
        seed=seed,
    )
    choose = bottleneck_places if mode == "bottleneck" else select_sites
    places = choose(model, sites)
    header = {
        "configuration": dict(configuration or {}),
        "data": dict(data or {}),
        "probes": plan.description,
        "seed": plan.seed,
    }
    if scaling is not None:
        header["scaling"] = scaling.configuration
    return Recording(
        Observer(model, places, plan),
        None if path is None else Path(path),
        header=header,
        split=split,
        measure_at=schedule(measure_at),
        sinks=sinks,
        overwrite=overwrite,
        resume=resume,
        flush=flush,
        on_error=on_error,
    )


def _target(classes: int | None, targets: int | RealTarget | None) -> Target:
    if (classes is None) == (targets is None):
        raise InputError(
            "record() needs either classes (labels are integers) or targets (labels are real numbers), and "
            + ("got none of them" if classes is None else "got both")
        )
    if classes is not None:
        return ClassTarget(classes)
    return targets if isinstance(targets, RealTarget) else RealTarget(whole_number("targets", targets, least=1))
