"""The page that specifies the run file: a file written from it alone is one, and page and code say the same.

What the page's tables name is compared with real recordings in both directions, so that neither can drift.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import infoplane as ip
from infoplane.errors import RunFileError
from infoplane.runfile.schema import FORMAT_VERSION, STATUSES

PAGE = Path(__file__).parents[3] / "docs" / "file-format.md"
TEXT = PAGE.read_text().strip()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


def run(code, cwd):
    environment = os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# A file written from the page


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What the page's second block writes, in a process of its own that never imports infoplane."""
    return by_itself(BLOCKS[1], tmp_path_factory.mktemp("written")) / "written.h5"


def by_itself(block, folder):
    assert run(f"{block}\nimport sys\nprint('infoplane' in sys.modules)", folder) == "False\n"
    return folder


@pytest.fixture
def smallest(tmp_path):
    """What its first block writes."""
    return by_itself(BLOCKS[0], tmp_path) / "smallest.h5"


def test_the_smallest_file_of_the_page_is_read_drawn_averaged_compared_and_recovered(smallest, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    with ip.open_run(smallest) as opened:
        assert (opened.format_version, opened.status, opened.streams) == (FORMAT_VERSION, "finished", ("plane",))
        assert (opened.provenance, opened.start_time, opened.damage()) == ({}, "", ())
        assert opened.plane().to_dataframe()["value"].tolist() == [7.5, 1, 2, 1, 0.2, 6.5, 1.5, 2, 0.5, 0.1]
        assert [row["epoch"] for row in opened.follow()] == [1, 2]
        assert "bit" in ip.plots.plane(opened).get_xlabel()
        assert ip.difference(opened, opened).rows == ()
    assert ip.open_study(smallest).bands()["mean"].tolist()[:2] == [7.5, 1.0]
    with ip.open_run(ip.recover(smallest, smallest.with_name("recovered.h5"))) as recovered:
        assert recovered.plane().read("values", columns=["i_zx", "i_zy"]).tolist() == [[[7.5, 1.0]], [[6.5, 1.5]]]


def required(where):
    """What the page requires of a place, by name."""
    (row,) = (row for _, head, rows in tables() if head[1] == "required" for row in rows if names(row[0]) == where)
    return [name for name in names(row[1]) if name != "table"]


def test_whatever_the_page_requires_of_a_plane_is_in_the_smallest_file_and_asked_for_by_name(smallest):
    with h5py.File(smallest) as file:
        plane = set(file["entry/plane"])
    assert set(required(["plane"])) == plane - {"step", "committed"}
    for name in required(["plane"]):
        with h5py.File(smallest, "r+") as file:
            file.move(f"entry/plane/{name}", "kept")
        with ip.open_run(smallest) as opened, pytest.raises(RunFileError, match=rf"smallest\.h5: .*'{name}'"):
            opened.plane()[name]
        with h5py.File(smallest, "r+") as file:
            file.move("kept", f"entry/plane/{name}")


@pytest.mark.parametrize("missing", ["format", "format_version", "entry", "entry/status"])
def test_a_file_that_lacks_what_the_page_requires_is_refused(smallest, missing):
    with h5py.File(smallest, "r+") as file:
        if missing in file:
            del file[missing]
        else:
            del file.attrs[missing]
    with pytest.raises(RunFileError, match=r"smallest\.h5: "):
        ip.open_run(smallest)


def test_a_file_written_from_the_page_alone_reads_like_one_of_ours(written, monkeypatch):
    with ip.open_run(written) as opened:
        assert (opened.format_version, opened.status) == (FORMAT_VERSION, "finished")
        assert opened.check() == {"plane": (3, 3), "plane_scatter": (6, 6), "weights": (3, 3)}
        table = opened.plane().to_dataframe()
        chosen = table.query("host == 'trained' and quantity == 'i_zx'")
        assert chosen["value"].tolist() == [8, 7, 6]
        assert chosen["standard_error"].tolist() == [0.1] * 3
        assert set(zip(table["quantity"], table["unit"], table["kind"], strict=True)) == {
            ("i_zx", "bit", "upper_bound"),
            ("i_zy", "bit", "lower_bound"),
            ("h_y", "bit", "estimate"),
            ("ce", "bit", "upper_bound"),
            ("error", "1", "estimate"),
        }
        values = np.abs(matrix_of_the_page())
        sketch = opened.sketch("weights", "fc1.weight")
        both = sketch.magnitudes(0)
        assert (both.count, both.minimum, both.maximum) == (len(values), values.min(), values.max())
        np.testing.assert_allclose([both.mean_log, both.std_log], [np.log(values).mean(), np.log(values).std()])
        monkeypatch.setenv("MPLBACKEND", "agg")
        axes = ip.plots.plane(opened)
        assert "bit" in axes.get_xlabel()
    report = str(ip.reports.jsd(written))
    assert re.search(r"fc1\.weight +300 +0\.00", report)


def matrix_of_the_page():
    """The matrix behind the last row: the third that the page's generator draws."""
    random = np.random.default_rng(0)
    return [random.choice([-1, 1], 5000) * random.lognormal(-2, 1, 5000) for _ in range(3)][-1]


def test_the_other_blocks_of_the_page_run_as_they_stand(written):
    pytest.importorskip("xarray", reason="xarray is an extra")
    pytest.importorskip("h5netcdf", reason="h5netcdf is an extra")
    pytest.importorskip("netCDF4", reason="netCDF4 belongs to the test extras")
    assert len(BLOCKS) == 5
    output = run("import h5py\n" + "\n".join(BLOCKS[2:]), written.parent)
    assert "rate of the first probe: [8. 7. 6.]" in output
    assert "1.75 bit (h5netcdf)\n1.75 bit (netcdf4)\n" in output
    assert "fc1.weight" in output


# The page and real files


def record(path, *, scaled=False, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    x = torch.randn(32, 4)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    if scaled:
        options["scaling"] = ip.SynScaW(model)
    with ip.record(model, path, sites=["0", "1"], classes=3, latent=2, draws=2, sketch_at=1, **options) as rec:
        for _ in range(2):
            loss = F.cross_entropy(model(x), y) + rec.loss(y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if scaled:
            rec.scaled(options["scaling"].apply())
        rec.measure([(x, y)], epoch=1, **({"fit": [(x, y)]} if "refit" in options else {}))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A recording with everything on, and one that was resumed: together they have all that there is."""
    folder = tmp_path_factory.mktemp("real")
    configuration = {"rate": 0.1}
    record(
        folder / "all.h5",
        control=True,
        refit=1,
        raw=4,
        inputs=20,
        scaled=True,
        configuration=configuration,
        scale_twins=(10.0,),
    )
    record(folder / "resumed.h5")
    record(folder / "resumed.h5", resume=True)
    opened = [h5py.File(path) for path in sorted(folder.iterdir())]
    yield opened
    for file in opened:
        file.close()


def tables():
    """Every table of the page: heading above it, first cell of its head, rows of cells."""
    heading, found = "", []
    for block in re.split(r"\n\n+", TEXT):
        heading = block if block.startswith("#") else heading
        if block.startswith("|"):
            head, _, *rows = (
                [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.split("\n")
            )
            found.append((heading, head, rows))
    return found


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def rows_of(head):
    """Rows of the one table whose first column has this head, by name."""
    (rows,) = (rows for _, heads, rows in tables() if heads[0] == head)
    return {name: row for row in rows for name in names(row[0])}


def specified():
    """Data sets that the page names: by path of the group, name, dimensions, type and units."""
    found = {}
    for heading, head, rows in tables():
        if head[0] == "data set":
            of_table = {names(row[0])[0]: (tuple(row[1].split()), row[2], row[3]) for row in rows}
            for path in names(heading):
                found[path] = of_table
    for heading, like, old in re.findall(r"### (.*)\n\nThe same as `(.*?)` with `parameter` in place of `(.*?)`", TEXT):
        for path in names(heading):
            found[path] = {
                name.replace(old, "parameter"): (tuple(dim.replace(old, "parameter") for dim in dims), *rest)
                for name, (dims, *rest) in found[like].items()
            }
    return found


def type_of(dset):
    """The type of a data set in the words of the page."""
    if dset.dtype.kind == "S":
        return f"S{dset.dtype.itemsize}"
    return "text" if h5py.check_string_dtype(dset.dtype) else f"{dset.dtype.kind}{dset.dtype.itemsize}"


def is_stream(thing):
    return isinstance(thing, h5py.Group) and "committed" in thing


def test_the_page_is_about_the_version_that_is_written():
    assert TEXT.startswith(f"# The run file, format version {FORMAT_VERSION}\n")
    versions = next(rows for _, head, rows in tables() if head[0] == "version")
    assert versions[-1][0] == FORMAT_VERSION
    statuses = next(rows for _, head, rows in tables() if head[0] == "`status`")
    assert [(int(row[0]), row[1]) for row in statuses] == list(enumerate(STATUSES))


def test_every_data_set_of_a_real_file_is_in_the_page_with_its_dimensions_type_and_unit(files):
    page, seen = specified(), {}
    for file in files:
        entry = file["entry"]
        groups = {group.name: group for group in entry.values() if is_stream(group)}
        assert set(entry) == {"provenance", *(path.split("/")[-1] for path in groups), *page["/entry"]}
        for path, group in (groups | {"/entry": entry}).items():
            for name, dset in group.items():
                if isinstance(dset, h5py.Dataset):
                    dims = tuple(dset.attrs["dimensions"].decode().split()) if dset.ndim else ()
                    unit = dset.attrs.get("units", b"").decode()
                    assert page[path][name] == (dims, type_of(dset), unit), f"{path}/{name}"
                    seen.setdefault(path, set()).add(name)
    assert seen == {path: set(of_page) for path, of_page in page.items()}


def attributes_of(files):
    """Names of attributes of the root, of groups and of data sets, and the groups that each of the second is in."""
    root, groups, datasets = set(), {}, set()
    for file in files:
        root |= set(file.attrs)

        def visit(name, thing):
            if isinstance(thing, h5py.Dataset):
                datasets.update(thing.attrs)
            else:
                for key in thing.attrs:
                    groups.setdefault(key, set()).add(name.removeprefix("entry/"))

        file.visititems(visit)
    return root, groups, datasets


def test_every_attribute_of_a_real_file_is_in_the_page_and_the_other_way_round(files):
    root, groups, datasets = attributes_of(files)
    assert root == set(rows_of("root attribute"))
    assert groups.keys() == set(rows_of("group attribute"))
    assert datasets == set(rows_of("data set attribute"))
    for name, row in rows_of("group attribute").items():
        if row[2] in ("plane", "plane_scatter", "raw", "scaling", "entry"):
            assert groups[name] == {row[2]}, name


def test_every_key_of_the_provenance_is_in_the_page_and_the_other_way_round(files):
    page, seen = rows_of("key"), set()
    for file in files:
        for name, dset in file["entry/provenance"].items():
            is_json = dset.attrs.get("media_type") == b"application/json"
            kind = "JSON" if is_json else {"text": "text"}.get(type_of(dset), type_of(dset))
            assert kind in page[name][1].split(" or "), name
            seen.add(name)
    assert seen == set(page)
    (sites,) = (row[2] for name, row in page.items() if name == "sites")
    with ip.open_run(files[0].filename) as opened:
        for site in opened.provenance["sites"]:
            assert list(site) == names(sites)
    with ip.open_run(files[1].filename) as opened:
        (entry,) = opened.provenance["resumed"]
        described = page["resumed"][2]
        assert {name for name in entry if name in described} == set(entry)


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ("quantity", "plane"),
        ("neuron quantity", "neurons"),
        ("gradient quantity", "gradients"),
        ("sketch quantity", "activations"),
    ],
)
def test_quantities_stand_in_the_page_with_their_units_in_order(files, head, path):
    group = files[0]["entry"][path]
    page = {name: row[1] for name, row in rows_of(head).items()}
    if head == "sketch quantity":
        both = {f"{name}_{sign}": unit for sign in ("negative", "positive") for name, unit in list(page.items())[4:]}
        page = dict(list(page.items())[:4]) | both
    assert list(page) == list(group["quantity"].asstr()[:])
    if "unit" in group:
        assert list(page.values()) == list(group["unit"].asstr()[:])
    if path == "plane":
        kinds, owners = group["kind"].asstr()[:], group["standard_error_of"].asstr()[:]
        assert [row[2] for row in rows_of(head).values()] == list(kinds)
        for name, owner in zip(page, owners, strict=True):
            assert owner == (name.removeprefix("se_") if name.startswith("se_") else "")


def test_the_edges_of_the_page_are_those_of_a_real_file(files):
    k, j = np.divmod(np.arange(512), 8)
    edges = np.append(2.0 ** (k - 40) * (1 + j / 8), 2.0**24)
    assert "e(8k + j) = 2^(k - 40) · (1 + j/8)" in TEXT
    for name in ("activations", "weights", "step_activations", "step_weights"):
        np.testing.assert_array_equal(files[0][f"entry/{name}/bin_edges"], edges)
        np.testing.assert_array_equal(files[0][f"entry/{name}/bin"], np.sqrt(edges[1:] * edges[:-1]))
