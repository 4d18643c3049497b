"""Studies of made-up runs: which rows and settings come together, and means whose limits another library gives."""

import math
import os
import warnings

import h5py
import numpy as np
import pytest
from scipy import stats

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

PROBES = [
    ProbeInfo(f"fc1{suffix}", "fc1", host, 1e-3, 16) for suffix, host in (("", "trained"), ("@untrained", "untrained"))
]
STEPS = (0, 10, 20)
QUANTITIES = [name for name in PLANE_QUANTITIES if not name.startswith("se_")]


def write(path, *, seed, configuration=None, steps=STEPS, draw=None, control=True, epochs=True, rate=1.0, **options):
    """A run with normal values; those of the control lie 100 above the host's."""
    rng = np.random.default_rng(seed if draw is None else draw)
    probes = PROBES[: 1 + control]
    writer = RunWriter(path)
    with writer:
        streams = run_streams(probes=probes, metrics={"loss": "bit", "error": "1"}, **options)
        writer.start(streams, {"seed": seed, "configuration": {} if configuration is None else configuration})
        for step in steps:
            values = (
                rng.normal(step, rate, (len(probes), len(PLANE_QUANTITIES))) + 100 * np.arange(len(probes))[:, None]
            )
            pairs = dict.fromkeys(("covariance_i_zx", "covariance_i_zy"), np.zeros((len(probes),) * 2))
            counts = {"n": 50, "n_sandwich": 50, "updates": step}
            epoch = step / 10 if epochs else math.nan
            writer.append("plane", step, epoch=epoch, values=values, **counts, **pairs)
            writer.append("metrics", step, epoch=epoch, time=1.0, values=[values[0, 3], 0.5])
    return path


def every_value(path):
    with ip.open_run(path) as run:
        return run.plane()["values"]


def values_of(path, step=10):
    return every_value(path)[STEPS.index(step), 0, PLANE_QUANTITIES.index("i_zx")]


@pytest.fixture
def seeds(tmp_path):
    """Five runs of one configuration."""
    return [write(tmp_path / f"{seed}.h5", seed=seed, configuration={"rate": 0.1}) for seed in range(5)]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Two rates by three seeds."""
    folder = tmp_path_factory.mktemp("grid")
    return [
        write(
            folder / f"rate{rate}-{seed}.h5",
            seed=seed,
            draw=100 * k + seed,
            configuration={"optimizer": {"rate": rate, "betas": [0.9, 0.99]}, "hidden": [4, 4], "seed": seed},
        )
        for k, rate in enumerate((0.1, 0.5))
        for seed in range(3)
    ]


# Which runs


def test_a_pattern_takes_what_it_matches_by_name_and_a_list_keeps_its_order(tmp_path, seeds):
    study = ip.open_study(str(tmp_path / "*.h5"))
    assert list(study.paths) == seeds
    assert len(study) == 5
    assert list(ip.open_study(seeds[::-1]).paths) == seeds[::-1]
    assert list(ip.open_study(tmp_path / "[34].h5").paths) == seeds[3:]
    assert list(ip.open_study(seeds[0]).paths) == seeds[:1]
    assert list(ip.open_study([tmp_path / "[34].h5", seeds[0]]).paths) == [*seeds[3:], seeds[0]]


def test_a_name_that_looks_like_a_pattern_is_the_file_of_that_name(tmp_path):
    path = write(tmp_path / "run[1].h5", seed=0)
    write(tmp_path / "run1.h5", seed=1)
    assert list(ip.open_study(path).paths) == [path]


def test_nothing_matching_an_empty_list_and_one_file_twice_are_refused(tmp_path, seeds):
    with pytest.raises(RunFileError, match=r"none\*\.h5: there is no file of this name or pattern"):
        ip.open_study(str(tmp_path / "none*.h5"))
    with pytest.raises(RunFileError, match=r"absent\.h5: there is no file of this name"):
        ip.open_study([seeds[0], tmp_path / "absent.h5"])
    with pytest.raises(InputError, match="at least one run"):
        ip.open_study([])
    with pytest.raises(InputError, match=r"0\.h5 is twice in the study"):
        ip.open_study([*seeds, str(seeds[0])])
    os.symlink(seeds[0], tmp_path / "again.h5")
    with pytest.raises(InputError, match=r"again\.h5 is twice in the study, also as .*0\.h5"):
        ip.open_study(str(tmp_path / "*.h5"))


def test_one_run_is_open_at_a_time_and_none_afterwards(seeds):
    from infoplane.runfile import access

    study = ip.open_study(seeds)
    for k, run in enumerate(study):
        assert run.provenance["seed"] == k
        assert sum(opened.file.id.valid for opened in access._open.values()) == 1
    for table in (study.configurations(), study.to_dataframe(), study.bands()):
        assert len(table)
        assert not any(opened.file.id.valid for opened in access._open.values())


def test_a_damaged_file_is_named(tmp_path, seeds):
    seeds[2].write_bytes(seeds[2].read_bytes()[:3000])
    study = ip.open_study(seeds)
    for ask in (study.configurations, study.to_dataframe, study.bands, lambda: list(study)):
        with pytest.raises(RunFileError, match=r"2\.h5: "):
            ask()


def test_a_stream_that_a_run_lacks_or_that_has_no_numbers_is_refused(seeds):
    study = ip.open_study(seeds)
    with pytest.raises(RunFileError, match=r"0\.h5: has no stream 'neurons'"):
        study.bands("neurons")
    with pytest.raises(InputError, match=r"stream 'findings' of .* is a list in which there is nothing to average"):
        study.bands("findings")
    assert study.to_dataframe("findings").empty


# Tables


def test_configurations_have_a_line_per_run_and_dotted_names(grid):
    table = ip.open_study(grid).configurations()
    assert list(table) == [
        *("path", "status", "seed", "configuration.optimizer.rate", "configuration.optimizer.betas"),
        *("configuration.hidden", "configuration.seed"),
    ]
    assert table["path"].tolist() == [str(path) for path in grid]
    assert table["status"].tolist() == ["finished"] * 6
    assert table["seed"].tolist() == table["configuration.seed"].tolist() == [0, 1, 2] * 2
    assert table["configuration.optimizer.rate"].tolist() == [0.1] * 3 + [0.5] * 3
    assert table["configuration.hidden"].tolist() == ["[4, 4]"] * 6


def test_a_setting_that_a_run_lacks_is_empty_in_its_line(tmp_path):
    paths = [write(tmp_path / f"{k}.h5", seed=k, configuration=c) for k, c in enumerate(({"rate": 1}, {"depth": 2}))]
    table = ip.open_study(paths).configurations()
    assert table["configuration.rate"].isna().tolist() == [False, True]
    assert table["configuration.depth"].isna().tolist() == [True, False]


def test_the_tidy_table_has_beside_each_row_its_run_and_the_settings_that_differ(grid):
    table = ip.open_study(grid).to_dataframe()
    assert list(table)[:5] == ["path", "seed", "configuration.optimizer.rate", "configuration.seed", "step"]
    for path in grid:
        with ip.open_run(path) as run:
            alone = run.plane().to_dataframe()
            ours = table[table["path"] == str(path)]
            assert ours["value"].tolist() == alone["value"].tolist()
            assert ours["probe"].tolist() == alone["probe"].tolist()
            assert set(ours["seed"]) == {run.provenance["seed"]}
            assert set(ours["configuration.optimizer.rate"]) == {run.configuration["optimizer"]["rate"]}
    assert len(table) == 6 * len(STEPS) * 2 * len(QUANTITIES)


def test_the_table_of_one_run_is_its_own_with_its_path(seeds):
    table = ip.open_study(seeds[0]).to_dataframe("metrics")
    with ip.open_run(seeds[0]) as run:
        alone = run.metrics().to_dataframe()
    assert list(table) == ["path", *alone]
    assert table["value"].tolist() == alone["value"].tolist()


# Means and their limits


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_mean_deviation_and_limits_are_those_of_scipy(seeds, level):
    table = ip.open_study(seeds).bands(level=level)
    keys = ["probe", "quantity", "step"]
    lines = {key: group.to_dict("records") for key, group in table.groupby(keys)}
    values = np.array([every_value(path) for path in seeds])
    for probe in range(2):
        for quantity in ("i_zx", "i_zy", "ce"):
            for row, step in enumerate(STEPS):
                sample = values[:, row, probe, PLANE_QUANTITIES.index(quantity)]
                (line,) = lines[PROBES[probe].name, quantity, step]
                assert (line["runs"], line["n"], line["epoch"]) == (5, 5, step / 10)
                assert line["mean"] == pytest.approx(np.mean(sample), rel=1e-12)
                assert line["standard_deviation"] == pytest.approx(np.std(sample, ddof=1), rel=1e-10)
                limits = stats.t.interval(level, 4, loc=np.mean(sample), scale=stats.sem(sample))
                assert (line["lower"], line["upper"]) == pytest.approx(limits, rel=1e-10)
                test = stats.ttest_1samp(sample, 0).confidence_interval(level)
                assert (line["lower"], line["upper"]) == pytest.approx((test.low, test.high), rel=1e-10)


def test_three_numbers_by_hand(tmp_path):
    """1, 2 and 6: mean 3, variance (4 + 1 + 9) / 2 = 7; t(0.975, 2) = 4.30265 (tables)."""
    for k, value in enumerate((1.0, 2.0, 6.0)):
        with RunWriter(tmp_path / f"{k}.h5") as writer:
            writer.start(run_streams(probes=PROBES[:1], metrics={"loss": "bit"}), {"seed": k})
            writer.append("metrics", 5, epoch=1.0, time=0.0, values=[value])
    (line,) = ip.open_study(str(tmp_path / "*.h5")).bands("metrics").to_dict("records")
    half = 4.302652729911275 * math.sqrt(7 / 3)
    assert (line["step"], line["epoch"], line["quantity"], line["runs"], line["n"]) == (5, 1.0, "loss", 3, 3)
    assert (line["unit"], line["split"], line["mode"]) == ("bit", "test", "eval")
    assert (line["mean"], line["standard_deviation"]) == pytest.approx((3, math.sqrt(7)))
    assert (line["lower"], line["upper"]) == pytest.approx((3 - half, 3 + half))


def test_standard_errors_are_no_quantities_and_every_line_has_unit_and_kind(seeds):
    table = ip.open_study(seeds).bands()
    assert table["quantity"].unique().tolist() == QUANTITIES
    assert len(table) == len(STEPS) * 2 * len(QUANTITIES)
    assert set(table.query("quantity == 'i_zy'")["kind"]) == {"lower_bound"}
    assert set(table.query("quantity == 'error'")["unit"]) == {"1"}
    assert set(table["split"]) == {"test"}


def test_host_and_control_are_never_mixed(seeds):
    table = ip.open_study(seeds).bands()
    host, control = (table.query("host == @host and step == 0")["mean"] for host in ("trained", "untrained"))
    assert (host.abs() < 10).all()
    assert ((control - 100).abs() < 10).all()


def test_runs_that_lack_a_step_or_a_finite_value_reduce_n_there_and_nowhere_else(tmp_path, seeds):
    short = write(tmp_path / "short.h5", seed=7, steps=STEPS[:2], configuration={"rate": 0.1})
    broken = write(tmp_path / "broken.h5", seed=8, configuration={"rate": 0.1}, rate=math.nan)
    table = ip.open_study([*seeds, short, broken]).bands().query("quantity == 'i_zx' and probe == 'fc1'")
    assert table["step"].tolist() == list(STEPS)
    assert table["n"].tolist() == [6, 6, 5]
    assert table["runs"].tolist() == [7] * 3
    at_20 = [values_of(path, step=20) for path in seeds]
    assert table["mean"].iloc[-1] == pytest.approx(np.mean(at_20))
    assert table["lower"].iloc[-1] == pytest.approx(stats.t.interval(0.95, 4, np.mean(at_20), stats.sem(at_20))[0])


def test_only_one_run_has_a_mean_but_no_limits(seeds):
    table = ip.open_study(seeds[:1]).bands()
    assert (table["n"] == 1).all()
    with ip.open_run(seeds[0]) as run:
        assert table["mean"].tolist() == run.plane().to_dataframe()["value"].tolist()
    assert table[["standard_deviation", "lower", "upper"]].isna().all(axis=None)


def test_values_that_are_nowhere_finite_have_no_mean(tmp_path):
    paths = [write(tmp_path / f"{seed}.h5", seed=seed, rate=math.nan) for seed in range(2)]
    table = ip.open_study(paths).bands()
    assert len(table) == len(STEPS) * 2 * len(QUANTITIES)
    assert (table["n"] == 0).all()
    assert table[["mean", "standard_deviation", "lower", "upper"]].isna().all(axis=None)


def test_each_setting_has_a_mean_over_its_own_seeds(grid):
    table = ip.open_study(grid).bands()
    assert "seed" not in table
    assert "configuration.seed" not in table
    for rate, paths in ((0.1, grid[:3]), (0.5, grid[3:])):
        ours = table[
            (table["configuration.optimizer.rate"] == rate) & (table["probe"] == "fc1") & (table["step"] == 10)
        ]
        (line,) = ours.query("quantity == 'i_zx'").to_dict("records")
        assert (line["runs"], line["n"]) == (3, 3)
        assert line["mean"] == pytest.approx(np.mean([values_of(path) for path in paths]))


def test_by_chooses_what_is_kept_apart(grid):
    study = ip.open_study(grid)
    by_rate = study.bands(by="configuration.optimizer.rate")
    assert by_rate.equals(study.bands())
    assert by_rate.equals(study.bands(by=["configuration.optimizer.rate"]))
    together = study.bands(by=()).query("probe == 'fc1' and quantity == 'i_zx' and step == 10")
    assert together["n"].tolist() == [6]
    assert together["mean"].item() == pytest.approx(np.mean([values_of(path) for path in grid]))
    assert set(study.bands(by="configuration.seed")["n"]) == {2}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"by": "rate"},
            "no run has a setting 'rate'; did you mean 'configuration.optimizer.rate'",
        ),
        ({"by": ["sede"]}, "no run has a setting 'sede'; did you mean 'seed'"),
        ({"level": 95}, "level is 95, but it must be a number between 0 and 1"),
        ({"level": True}, "level is True"),
        ({"level": "0.9"}, "level is '0.9'"),
        ({"level": math.nan}, "level is nan"),
    ],
)
def test_groups_and_levels_that_there_are_not_are_refused(grid, options, text):
    with pytest.raises(InputError, match=text):
        ip.open_study(grid).bands(**options)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (
            {"label_bound": "estimate"},
            "'i_zy' cannot be averaged: its kind is 'lower_bound' in .*0.h5, but 'estimate' in",
        ),
        ({"split": "train"}, "'i_zx' cannot be averaged: its split is 'test' in .*0.h5, but 'train' in .*other.h5"),
    ],
)
def test_quantities_that_mean_different_things_are_not_averaged(tmp_path, seeds, option, text):
    other = write(tmp_path / "other.h5", seed=9, configuration={"rate": 0.1}, **option)
    study = ip.open_study([*seeds, other])
    with pytest.raises(InputError, match=text):
        study.bands()
    assert len(study.to_dataframe()) == 6 * len(STEPS) * 2 * len(QUANTITIES)


def test_units_that_differ_are_not_averaged_but_kept_apart_by_group(tmp_path):
    for k, unit in enumerate(("bit", "nat")):
        with RunWriter(tmp_path / f"{k}.h5") as writer:
            writer.start(run_streams(probes=PROBES[:1], metrics={"loss": unit}), {"seed": k, "configuration": {"k": k}})
            writer.append("metrics", 5, epoch=1.0, time=0.0, values=[k])
    study = ip.open_study(str(tmp_path / "*.h5"))
    assert study.bands("metrics")[["configuration.k", "unit"]].to_numpy().tolist() == [[0, "bit"], [1, "nat"]]
    with pytest.raises(InputError, match=r"'loss' cannot be averaged: its unit is 'bit' in .*0\.h5, but 'nat' in"):
        study.bands("metrics", by=())


def test_a_run_and_its_copy_are_not_two_runs(tmp_path, seeds):
    """As what `recover` makes beside a run, which one pattern matches with it."""
    copy = write(tmp_path / "0.recovered.h5", seed=0, configuration={"rate": 0.1}, steps=STEPS[:2])
    with pytest.raises(InputError, match=r"0\.h5 and .*0\.recovered\.h5 are one run twice"):
        ip.open_study([*seeds, copy]).bands()
    other = write(tmp_path / "unsaid.h5", seed=0, configuration={"rate": 0.1}, draw=50)  # a seed that nobody wrote down
    assert set(ip.open_study([*seeds, other]).bands()["n"]) == {6}


def test_runs_without_epochs_and_other_probes_stand_in_lines_of_their_own(tmp_path, seeds):
    other = write(tmp_path / "other.h5", seed=9, configuration={"rate": 0.1}, control=False, epochs=False)
    table = ip.open_study([*seeds, other]).bands().query("quantity == 'i_zx'")
    assert table.query("host == 'trained'")["n"].tolist() == [1, 5] * 3
    assert table.query("host == 'trained'")["epoch"].isna().tolist() == [True, False] * 3
    assert table.query("host == 'untrained'")["n"].tolist() == [5] * 3


# Settings that Python or a table takes for the same


@pytest.mark.parametrize(
    "pair",
    [
        (True, 1),
        (1, 1.0),
        (None, math.nan),
        (0, False),
        ([1], "[1]"),
        ([True], [1]),
        (None, "absent"),
        (math.nan, "absent"),
        ({}, "absent"),
        ({}, None),
    ],
    ids=str,
)
def test_two_different_settings_are_never_averaged(tmp_path, pair):
    paths = [
        write(tmp_path / f"{k}.h5", seed=k, configuration={"b": 1} | ({} if value == "absent" else {"a": value}))
        for k, value in enumerate(pair)
    ]
    study = ip.open_study(paths)
    assert set(study.bands()["n"]) == {1}
    assert "configuration.a" in study.bands()
    assert "configuration.a" in study.to_dataframe()
    assert set(study.bands(by="configuration.a")["n"]) == {1}
    assert set(study.bands(by=())["n"]) == {2}


@pytest.mark.parametrize("value", [math.nan, None, True, 0.5, [1, 2], {"deep": {"deeper": [math.nan]}}], ids=str)
def test_one_setting_is_one_group_whatever_it_is(tmp_path, value):
    paths = [write(tmp_path / f"{k}.h5", seed=k, configuration={"a": value}) for k in range(2)]
    assert set(ip.open_study(paths).bands()["n"]) == {2}
    assert set(ip.open_study(paths).bands(by="seed")["n"]) == {1}


def test_settings_with_halves_of_characters_make_tables(tmp_path):
    paths = [write(tmp_path / f"{k}.h5", seed=k, configuration={"a\ud800": f"\udc00{k}"}) for k in range(2)]
    study = ip.open_study(paths)
    assert len(study.configurations()) == 2
    assert set(study.bands()["n"]) == set(study.to_dataframe().groupby("seed").size().clip(upper=1)) == {1}


# Damaged and made-up files


def step_twice(file):
    file["entry/plane/step"][1] = file["entry/plane/step"][0]
    file["entry/plane/epoch"][1] = file["entry/plane/epoch"][0]


def label_twice(file):
    file["entry/plane/quantity"][1] = file["entry/plane/quantity"][0]


def table(name, stream="plane"):
    def change(file):
        file[f"entry/{stream}"].attrs["table"] = np.bytes_(name)

    return change


def text_in_place_of_numbers(file):
    attrs = {name: file["entry/plane/values"].attrs[name] for name in ("dimensions",)}
    shape = file["entry/plane/values"].shape
    del file["entry/plane/values"]
    file["entry/plane/values"] = np.full(shape, b"text")
    file["entry/plane/values"].attrs.update(attrs)


def text_in_place_of_epochs(file):
    del file["entry/plane/epoch"]
    file["entry/plane/epoch"] = np.full(3, b"text")
    file["entry/plane/epoch"].attrs["dimensions"] = np.bytes_("step")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (step_twice, "two rows are one: step 0, epoch 0.0"),
        (label_twice, "two numbers of a row are one: probe 'fc1', .*quantity 'i_zx'"),
        (table("epoch"), r"its table 'epoch' has the dimensions \('step',\), not rows and what they consist of"),
        (table("unit"), r"its table 'unit' has the dimensions \('quantity',\)"),
        (table("absent"), "stream 'plane' has no 'absent'"),
        (text_in_place_of_numbers, "its table 'values' holds text, and no numbers"),
        (text_in_place_of_epochs, "must be real number"),
    ],
)
def test_bands_of_a_damaged_or_made_up_file_name_it_and_the_fault(tmp_path, seeds, change, text):
    bad = write(tmp_path / "bad.h5", seed=9, configuration={"rate": 0.1})
    with h5py.File(bad, "r+") as file:
        change(file)
    with pytest.raises(RunFileError, match=rf"bad\.h5: .*{text}"):
        ip.open_study([*seeds, bad]).bands()


def test_a_list_with_a_made_up_table_has_no_bands(seeds):
    with h5py.File(seeds[0], "r+") as file:
        table("text", "events")(file)
    with pytest.raises(RunFileError, match=r"0\.h5: .*its table 'text'"):
        ip.open_study(seeds[0]).bands("events")


def test_a_plane_without_probes_has_empty_bands(tmp_path):
    path = write(tmp_path / "run.h5", seed=0)
    with h5py.File(path, "r+") as file:
        file["entry/plane"].attrs["table"] = np.bytes_("covariance_i_zx")
        for name in ("probe", "probe_", "site", "host", "beta", "latent", "scale", "reduction"):
            kept = dict(file[f"entry/plane/{name}"].attrs)
            del file[f"entry/plane/{name}"]
            file[f"entry/plane/{name}"] = np.empty(0)
            file[f"entry/plane/{name}"].attrs["dimensions"] = kept["dimensions"]
        for name, shape in (("values", (3, 0, 15)), ("covariance_i_zx", (3, 0, 0)), ("covariance_i_zy", (3, 0, 0))):
            dimensions = file[f"entry/plane/{name}"].attrs["dimensions"]
            del file[f"entry/plane/{name}"]
            file.create_dataset(f"entry/plane/{name}", shape, "f8").attrs["dimensions"] = dimensions
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ip.open_study(path).bands().empty


# What is no file


def test_a_folder_is_no_run_and_patterns_leave_folders_out(tmp_path, seeds):
    (tmp_path / "sub.h5").mkdir()
    with pytest.raises(RunFileError, match=r"is a folder, not a run file; '.*\*\.h5' takes the run files in it"):
        ip.open_study(tmp_path)
    with pytest.raises(RunFileError, match=r"sub\.h5: is a folder"):
        ip.open_study([*seeds, tmp_path / "sub.h5"])
    assert list(ip.open_study(str(tmp_path / "*.h5")).paths) == seeds
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(RunFileError, match=r"pipe\.h5: is no regular file"):
        ip.open_study([*seeds, tmp_path / "pipe.h5"])
