"""A process that reads run files from strangers in every way there is, with little memory; run by tests.

For each path that it is given on a line of its standard input it answers with one line of JSON: how many ways worked,
what was refused and why, what else was raised, and by how many MiB its memory grew meanwhile.
"""

import json
import os
import resource
import sys
import warnings
from pathlib import Path

import infoplane as ip
from infoplane.errors import InputError, RunFileError

MEMORY = 2**30


def ways(path):
    """Yield a name and a function for every way to read."""
    run = ip.open_run(path)
    try:
        yield "about", lambda: (run.provenance, run.configuration, run.start_time, run.end_time, run.status)
        yield "provenance", lambda: complain(path, run.unreadable)
        yield "check", run.check
        yield "damage", lambda: json.dumps(run.damage())
        yield "difference", lambda: str(ip.difference(run, run))
        yield "study", ip.open_study(path).configurations
        yield "findings", lambda: ip.reports.findings(run)
        yield "jsd", lambda: str(ip.reports.jsd(run))
        for name in run.streams:
            yield f"{name} table", lambda name=name: run.stream(name).to_dataframe()
            yield f"{name} labels", lambda name=name: run.stream(name).to_xarray()
            if name.endswith(("activations", "weights")):
                yield f"{name} sketches", lambda name=name: [run.sketch(name, s) for s in run.sketch_names(name)]
            if name == "raw":
                yield "raw", lambda: [run.raw(site) for site in dict.fromkeys(run.stream("raw")["site"].tolist())]
        for name in [name for name in run.streams if has_table(run, name)][:1]:  # the slowest way of all
            yield f"{name} bands", lambda name=name: ip.open_study(path).bands(name)
        yield "refresh", run.refresh
    finally:
        run.close()


def complain(path, unreadable):
    """Refuse what opening a run has left out of its provenance."""
    if unreadable:
        raise RunFileError(f"{path}: {unreadable}")


def has_table(run, name):
    """Whether there is anything to average in a stream; of one that cannot be read, to see what is said of it."""
    try:
        return bool(run.stream(name).attrs.get("table"))
    except RunFileError:
        return True


def read(path):
    """Read a file in all ways; say what came of it."""
    worked, refused, raised, asked = [], [], [], ways(path)
    while True:
        what = "open"
        try:
            what, way = next(asked)
            way()
            worked.append(what)
        except StopIteration:
            break
        except (RunFileError, InputError) as error:
            # InputError says that a name is not there; all else that is wrong with a file is said with its path.
            refused.append(f"{what}: {error}")
            if isinstance(error, RunFileError) and not str(error).startswith(f"{path}: "):
                raised.append(f"{what}: {error!r} does not name the path")
            if what == "open":
                break
        except Exception as error:  # the whole point is to see what else comes
            raised.append(f"{what}: {error!r}")
            if what == "open":
                break
    return {"worked": worked, "refused": refused, "raised": raised}


def memory(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def serve():
    """Answer until the input ends."""
    read(Path(sys.argv[1]))  # whatever is imported on first use is imported, before the limit
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + MEMORY,) * 2)
    print("ready", flush=True)
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew
        before = memory("VmRSS")
        answer = read(Path(line.rstrip("\n")))
        answer["grew"] = (memory("VmHWM") - before) >> 20
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")
    serve()
