"""Who runs the points: worker processes of this machine (loky), or those of a dask or ray cluster, all by joblib."""

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from infoplane.analysis.errors import one_of, whole_number
from infoplane.analysis.importing import importing
from infoplane.errors import InputError
from infoplane.sweep.worker import end_idle_processes, run_point

ENGINES = ("loky", "dask", "ray")
_NEEDED = {"loky": ("joblib",), "dask": ("joblib", "distributed"), "ray": ("joblib", "ray")}
_TIMEOUT = 10  # seconds for a scheduler to answer


@dataclass(frozen=True)
class Engine:
    """Where points run, and how many at a time.

    Attributes
    ----------
    name : {"loky", "dask", "ray"}
        ``loky``: processes of this machine.
    jobs : int, optional
        How many at a time; 1 for ``loky``, and all that the cluster has for ``ray``, where left out. With ``dask`` it
        is the number of threads of all its workers, and is not given.
    address : str, optional
        Of the scheduler of a cluster, which ``loky`` has not.
    threads : int, optional
        Of each training. Left out it is on this machine ``OMP_NUM_THREADS``, or else the number of cores over that of
        jobs; on a cluster what the workers' environment says.

    Raises
    ------
    InputError
        When a value cannot be used.
    MissingLibraryError
        When a library of the engine does not import.
    """

    name: str = "loky"
    jobs: int | None = None
    address: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        one_of("engine", self.name, ENGINES)
        if self.jobs is not None:
            whole_number("jobs", self.jobs, least=1)
        if self.threads is not None:
            whole_number("threads", self.threads, least=1)
        if (self.address is not None) != (self.name != "loky"):
            example = "tcp://host:8786" if self.name == "dask" else "ray://host:10001, or auto"
            raise InputError(
                f"address is {self.address!r}, but engine 'loky' is this machine: leave it out, or name dask or ray"
                if self.name == "loky"
                else f"engine {self.name!r} needs the address of its cluster, such as {example}"
            )
        if self.name == "dask" and self.jobs is not None:
            raise InputError(f"jobs is {self.jobs}, but dask runs one point per thread of its workers: leave it out")
        for library in _NEEDED[self.name]:
            _library(library)

    @property
    def is_local(self) -> bool:
        """Whether workers are processes below this one."""
        return self.name == "loky"

    @property
    def threads_each(self) -> int | None:
        """Of each training; None for what a cluster's workers say."""
        if self.threads is not None or not self.is_local:
            return self.threads
        said = os.environ.get("OMP_NUM_THREADS", "")
        return (
            int(said) if said.isdecimal() and int(said) else max(1, _library("joblib").cpu_count() // (self.jobs or 1))
        )

    def __str__(self) -> str:
        threads = self.threads_each
        each = "" if threads is None else f", {threads} thread{'' if threads == 1 else 's'} each"
        if self.is_local:
            return f"{self.jobs or 1} at a time{each}"
        return f"on the {self.name} cluster at {self.address}{each}"

    def run(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield what `run_point` makes of the tasks, in the order in which they end; with ray when all have ended.

        Raises
        ------
        InputError
            When the cluster does not answer.
        Exception
            Of the engine, when its workers are lost; what they were at is not told.
        """
        joblib = _library("joblib")
        with self._options() as options:
            parallel = joblib.Parallel(batch_size=1, **options)
            try:
                yield from parallel(joblib.delayed(run_point)(task) for task in tasks)
            finally:
                end_idle_processes()

    @contextmanager
    def _options(self) -> Iterator[dict[str, Any]]:
        if self.name == "loky":
            # Only as many points are handed out as are begun. Ctrl-C reaches all processes of a terminal: the workers
            # wait for what the sweep makes of it.
            jobs = self.jobs or 1
            handed: dict[str, Any] = {"pre_dispatch": jobs, "return_as": "generator_unordered"}
            yield {"n_jobs": jobs, "backend": "loky", "initializer": ignore_interrupt, **handed}
        elif self.name == "dask":
            with self._dask() as client:
                # All at once, so that workers which join later find something to do.
                handed = {"pre_dispatch": "all", "return_as": "generator_unordered"}
                backend = _library("joblib._dask").DaskDistributedBackend(client=client)
                yield {"n_jobs": -1, "backend": backend, **handed}
        else:
            with self._ray():
                jobs = -1 if self.jobs is None else self.jobs
                yield {"n_jobs": jobs, "backend": "ray", "pre_dispatch": "all"}  # it yields nothing before the end

    @contextmanager
    def _dask(self) -> Iterator[Any]:
        try:
            client = _library("distributed").Client(self.address, timeout=_TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"no dask scheduler answers at {self.address!r} ({reason})") from error
        with client:
            yield client

    @contextmanager
    def _ray(self) -> Iterator[None]:
        ray = _library("ray")
        was_there = ray.is_initialized()
        try:
            if not was_there:
                ray.init(address=self.address, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"no ray cluster answers at {self.address!r} ({reason})") from error
        try:
            _library("ray.util.joblib").register_ray()
            yield
        finally:
            if not was_there:
                ray.shutdown()


def ignore_interrupt() -> None:
    """Let a worker process leave Ctrl-C to the sweep."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _library(name: str) -> Any:
    if name.startswith("ray"):
        with importing("a sweep of the engine 'ray'", package="ray"):
            return import_module(name)
    with importing("a sweep", extra="sweep"):
        return import_module(name)
