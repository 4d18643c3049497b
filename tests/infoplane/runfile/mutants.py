"""Good run files, and what becomes of them by accident or by malice. Every mutant follows from its seed alone."""

import ctypes
import random

import h5py
import numpy as np
import torch
from h5py import h5d
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.runfile.declared import declared_streams
from infoplane.runfile.recover import recover
from infoplane.runfile.writer import RunWriter

# Together they are all streams of a recording; a file of few streams is read twenty times as fast as one of all.
PARTS = {
    "plane": ("plane", "plane_scatter"),
    "activations": ("activations", "findings"),
    "weights": ("weights",),
    "steps": ("step_activations", "events"),
    "step_weights": ("step_weights",),
    "neurons": ("neurons", "gradients"),
    "raw": ("raw", "metrics"),
}
# Of fixed length, so that the same seed damages the same thing everywhere.
PROVENANCE = {"seed": 0, "configuration": {"rate": 0.1}, "argv": ["train.py"], "git_commit": None, "device": "cpu"}
# Metadata whose checksum is made right again after the damage. The headers of B-trees (BTHD) and of extensible arrays
# (EAHD) are left out: HDF5 2.0 believes sizes in them, divides by one of them, and writes or counts for ever by others:
# 5 of 70 such B-tree headers ended the process and 1 of 111 array headers hung it, before our code is asked anything.
# Without a checksum made to fit, which takes intent, HDF5 refuses them; all other kinds did no harm in 1,300 tries.
SIGNATURES = (b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"FHIB", b"BTLF", b"BTIN", b"EAIB", b"EADB", b"FSHD")
_LONGEST = 4200  # of a block of metadata in these files


def record_everything(path):
    """A real recording of a tiny network with every recorder on, and findings; the last row holds NaN."""
    torch.manual_seed(0)
    y = torch.arange(40) % 2
    x = torch.randn(40, 4) + 3 * y[:, None]
    with_nan = torch.where(torch.arange(40)[:, None] == 0, torch.nan, x)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    options = {"sites": ["1"], "latent": 2, "draws": 2, "raw": 3, "gradients": 1, "sketch_at": 1, "control": True}
    with ip.record(model, path, classes=2, configuration={"rate": 0.1}, **options) as rec:
        for step in range(6):
            loss = functional.cross_entropy(model(x), y) + rec.loss(y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.measure([(x if step < 5 else with_nan, y)], epoch=step)
    return path


def good_files(folder):
    """Write a finished, a killed and a recovered file of every part and of all streams; return them by name."""
    files = {}
    with ip.open_run(record_everything(folder / "recorded.h5")) as run:
        for part, names in {**PARTS, "all": run.streams}.items():
            streams = [stream for stream in declared_streams(run) if stream.name in names]
            path, killed, recovered = (folder / f"{part}_{state}.h5" for state in ("finished", "killed", "recovered"))
            writer = RunWriter(path)
            writer.start(streams, PROVENANCE)
            for stream in streams:
                view = run.stream(stream.name)
                for row in range(len(view)):
                    value = int(view.row_values[row]) if stream.row == "step" else None
                    writer.append(
                        stream.name, value, **{v.name: _plain(view.read(v.name, row)) for v in stream.variables}
                    )
            killed.write_bytes(path.read_bytes())
            writer.close()
            recover(killed, recovered)
            files |= {good.stem: good for good in (path, killed, recovered)}
    return files


def _plain(value):
    return str(value) if value.dtype.kind == "U" else value


def checksummed(content):
    """Return where HDF5 has metadata with a checksum: (start, end), the checksum being the four bytes from end on."""
    function = ctypes.CDLL(h5d.__file__).H5_checksum_metadata
    function.restype = ctypes.c_uint32
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32]
    found = [(0, 44)]
    for signature in SIGNATURES:
        start = content.find(signature)
        while start >= 0:
            block = content[start : start + _LONGEST]
            for end in range(8, len(block) - 4):
                if function(block, end, 0) == int.from_bytes(block[end : end + 4], "little"):
                    found.append((start, start + end))
                    break
            start = content.find(signature, start + 1)
    return found, lambda block: function(block, len(block), 0)


def damaged(content, rng, blocks, checksum):
    """Return the bytes of a file with something wrong in them, and what that is."""
    kind = rng.choice(("flip", "flip", "cut", "zero", "swap", "absurd", "repaired", "repaired", "repaired"))
    new = bytearray(content)
    if kind == "cut":
        return new[: rng.randrange(len(new))], kind
    if kind in ("zero", "swap"):
        size = rng.choice((1, 8, 64, 512, 4096))
        a, b = (rng.randrange(len(new) - size) for _ in range(2))
        part = bytes(size) if kind == "zero" else new[b : b + size]
        new[a : a + size], new[b : b + size] = part, new[b : b + size] if kind == "zero" else new[a : a + size]
        return new, f"{kind} of {size}"
    if kind == "repaired":  # metadata that HDF5 takes for whole
        start, end = rng.choice(blocks)
        for _ in range(rng.choice((1, 1, 2, 4))):
            _spoil(new, rng.randrange(start + 4, end), rng)
        new[end : end + 4] = checksum(bytes(new[start:end])).to_bytes(4, "little")
        return new, f"{kind} at {start}"
    for _ in range(rng.choice((1, 3, 30))):
        at = rng.randrange(len(new) - 8)
        if kind == "flip":
            new[at] ^= 1 << rng.randrange(8)
        else:
            _spoil(new, at, rng)
    return new, kind


def _spoil(new, at, rng):
    """Put a number there that looks like an absurd size, address or count, or flip one bit."""
    absurd = rng.choice(
        (None, None, b"\xff", b"\x00", b"\xff\xff", b"\xff" * 4, b"\xff" * 8, b"\x00\x00\x00\x80", b"\x7f")
    )
    if absurd is None:
        new[at] ^= 1 << rng.randrange(8)
    else:
        new[at : at + len(absurd)] = absurd


def rearranged(path, rng):
    """Change the file at `path` by means of HDF5 itself; return what was done."""
    with h5py.File(path, "r+") as file:
        things = ["entry"]
        file["entry"].visit(lambda name: things.append(f"entry/{name}"))
        dsets = [name for name in things if isinstance(file[name], h5py.Dataset)]
        counters = [name for name in dsets if name.endswith("committed")]
        kind = rng.choice(tuple(_CHANGES))
        return f"{kind}: {_CHANGES[kind](file, rng, things, dsets, counters)}"


def _delete(file, rng, things, dsets, counters):
    name = rng.choice(things)
    del file[name]
    return name


def _delete_attribute(file, rng, things, dsets, counters):
    thing = file[rng.choice([n for n in things if len(file[n].attrs)] or ["/"])]
    name = rng.choice(list(thing.attrs))
    del thing.attrs[name]
    return f"{thing.name} {name}"


def _swap_attributes(file, rng, things, dsets, counters):
    a, b = (file[name] for name in rng.choices(things, k=2))
    kept = [{k: t.attrs[k] for k in t.attrs if t.attrs.get_id(k).dtype.kind in "iufS"} for t in (a, b)]
    for thing, attrs in zip((b, a), kept, strict=True):
        for name, value in attrs.items():
            thing.attrs[name] = value
    return f"{a.name} {b.name}"


def _odd_attribute(file, rng, things, dsets, counters):
    thing = file[rng.choice(things)]
    name = rng.choice([*thing.attrs, "dimensions", "units", "table", "row"])
    value = rng.choice(
        (np.bytes_(b"\xff\xfe"), 1e300, np.zeros((2, 0)), "text of any length", -1, h5py.Empty("f8"), b"step")
    )
    thing.attrs[name] = value
    return f"{thing.name} {name} {value!r}"


def _replace(file, rng, things, dsets, counters):
    name = rng.choice(dsets)
    old = file[name]
    shape = rng.choice(
        (old.shape, (), (0,), (*old.shape, 2), old.shape[:-1], (3,), (2**40,), tuple(reversed(old.shape)))
    )
    dtype = rng.choice(("f8", "i1", "u8", "S3", h5py.string_dtype(), "c16", "?", "f2", [("a", "i4")], h5py.ref_dtype))
    dtype = dtype if rng.random() < 0.7 else old.dtype
    attrs = {k: old.attrs[k] for k in old.attrs if old.attrs.get_id(k).dtype.kind in "iufS"}
    del file[name]
    growing = bool(shape) and (rng.random() < 0.5 or 2**40 in shape)
    layout = {"chunks": (1,) * len(shape), "maxshape": (None,) * len(shape)} if growing else {}
    new = file.create_dataset(name, shape, dtype, **layout)
    for key, value in attrs.items():
        new.attrs[key] = value
    return f"{name} {shape} {dtype}"


def _count(file, rng, things, dsets, counters):
    name = rng.choice([n for n in counters if n in file] or ["entry/status"])
    value = rng.choice((-1, -(2**63), 2**31, 2**62, 2**63 - 1, 7, 5)) if name != "entry/status" else -7
    file[name][()] = value
    if rng.random() < 0.5:
        for dset in file[name].parent.values():
            if dset.chunks and rng.random() < 0.8:
                dset.resize(min(max(value, 0), 2**40), 0)
    return f"{name} {value}"


def _status(file, rng, things, dsets, counters):
    file["entry/status"][()] = value = rng.choice((-1, 3, 100, 127, -128, 0))
    return value


def _text(file, rng, things, dsets, counters):
    name = rng.choice([n for n in dsets if file[n].dtype.kind in "SO" and file[n].size] or ["entry/status"])
    dset = file[name]
    if dset.dtype.kind in "SO":
        raw = rng.choice((b"\xff\xfe\xfa", b"\xed\xa0\x80", b"\x1b[2J", b"$\\frac{$", b"x" * 5000, "\u202e".encode()))
        value = np.full(dset.shape, raw, dtype=object if dset.dtype.kind == "O" else dset.dtype)
        dset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, value, dset.id.get_type())
    return name


def _link(file, rng, things, dsets, counters):
    name = rng.choice(things)
    parent = file[name].parent
    del file[name]
    kind = rng.choice(("soft", "outside", "cycle"))
    file[name] = {"soft": h5py.SoftLink("/entry"), "outside": h5py.ExternalLink("/dev/zero", "/"), "cycle": parent}[
        kind
    ]
    return f"{name} {kind}"


def _name(file, rng, things, dsets, counters):
    parent = file[rng.choice([n for n in things if n not in dsets])]
    name = rng.choice((b"\xff\xfe", b"a b", "\u202e".encode(), b"x" * 3000))
    parent.id.links.create_hard(name, parent.id, b".")
    return f"{parent.name} {name[:9]!r}"


_CHANGES = {
    "delete": _delete,
    "delete attribute": _delete_attribute,
    "swap attributes": _swap_attributes,
    "odd attribute": _odd_attribute,
    "replace": _replace,
    "other type or rank": _replace,
    "count": _count,
    "status": _status,
    "text": _text,
    "link": _link,
    "name": _name,
}


def mutate(good, target, seed, blocks, checksum):
    """Write a mutant of the file `good` to `target`; return what was done to it."""
    rng = random.Random(seed)
    target.unlink(missing_ok=True)  # HDF5 knows a file by its inode
    content = good.read_bytes()
    if "killed" not in good.stem and rng.random() < 0.4:
        target.write_bytes(content)
        return rearranged(target, rng)
    new, what = damaged(content, rng, blocks, checksum)
    target.write_bytes(new)
    return what
