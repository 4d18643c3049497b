"""Which points there are, what they are called, and what each keeps of the plan."""

import pytest

from infoplane.errors import InputError
from infoplane.sweep import plan
from infoplane.sweep.naming import point_name
from infoplane.training import Settings


def names(*arguments, **options):
    return [point.name for point in plan(*arguments, metric="error", **options).points]


def test_points_are_all_combinations_seed_by_seed(small):
    found = names(small(), seeds=2, grid={"method": ["synscaw", "synscal"], "scaling.rate": [0, 0.03]})
    groups = ["synscaw,rate=0", "synscaw,rate=0.03", "synscal,rate=0", "synscal,rate=0.03"]
    assert found == [f"{group},seed={seed}" for seed in (0, 1) for group in groups]


def test_each_point_has_the_settings_that_its_name_says(small):
    grid = {"scaling.rate": ["0.01", "0.03"], "model.hidden": [(8,), (4, 4)]}
    for point in plan(small(method="synscaw"), seeds=[3, 5], grid=grid, metric="error").points:
        rate, hidden = point.settings.scaling["rate"], point.settings.model.hidden
        assert point.name == f"rate={rate},hidden={'-'.join(map(str, hidden))},seed={point.settings.seed}"
        assert point.group == point.name.removesuffix(f",seed={point.settings.seed}")
        assert point.values == {"scaling.rate": rate, "model.hidden": list(hidden)}


def test_a_number_of_seeds_counts_from_that_of_the_settings(small):
    assert names(small(seed=7), seeds=3) == ["seed=7", "seed=8", "seed=9"]
    assert names(small(seed=7), seeds=[2, 0]) == ["seed=2", "seed=0"]


def test_a_parameter_that_a_method_lacks_does_not_multiply_its_points(small):
    grid = {"method": ["baseline", "synscaw"], "scaling.rate": [0.01, 0.03]}
    points = plan(small(), grid=grid, metric="error").points
    assert [p.name for p in points] == ["baseline,seed=0", "synscaw,rate=0.01,seed=0", "synscaw,rate=0.03,seed=0"]
    assert [p.settings.scaling for p in points] == [{}, {"rate": 0.01}, {"rate": 0.03}]


def test_parameters_of_the_base_go_to_the_methods_that_have_them(small, small_file):
    grid = {"method": ["baseline", "synscaw", "confidence-penalty", "confidence-penalty+synscal"]}
    for base in (small_file, small(method="synscaw+confidence-penalty", scaling__rate=0.02, regularizers__penalty=0.5)):
        found = {p.settings.method: p.settings for p in plan(base, grid=grid, metric="error").points}
        own = {method: (settings.scaling, settings.regularizers) for method, settings in found.items()}
        assert own == {
            "baseline": ({}, {}),
            "synscaw": ({"rate": 0.02}, {}),
            "confidence-penalty": ({}, {"penalty": 0.5}),
            "synscal+confidence-penalty": ({"rate": 0.02}, {"penalty": 0.5}),
        }


def test_overrides_stand_over_the_file_and_the_grid_over_both(small_file):
    changes = {"scaling.rate": "0.05", "training.epochs": "1"}
    points = plan(small_file, grid={"method": ["baseline", "synscaw"]}, overrides=changes, metric="error").points
    assert [p.settings.scaling for p in points] == [{}, {"rate": 0.05}]
    assert {p.settings.training.epochs for p in points} == {1}
    (point,) = plan(small_file, grid={"scaling.rate": ["0.07"]}, overrides=changes, metric="error").points
    assert point.settings.scaling == {"rate": 0.07}


def test_metric_epoch_and_seeds_are_in_the_configuration_and_change_nothing_else(small):
    base = small(method="synscaw", scaling__rate=0.03)
    made = plan(base, seeds=[0, 4], metric="i_zx")
    for point in made.points:
        configuration = dict(point.settings.configuration)
        assert configuration.pop("plan") == {"metric": "i_zx", "epoch": "last", "seeds": [0, 4]} == made.fixed
        assert configuration == base.changed({"seed": point.settings.seed}).configuration


def test_texts_and_numbers_are_the_same_plan(small):
    base = small(method="synscaw")
    texts, numbers = (
        {"scaling.rate": ["0.01", "1"], "model.hidden": ["8", "[4,4]"]},
        {"scaling.rate": [0.01, 1], "model.hidden": [[8], (4, 4)]},
    )
    first, second = (plan(base, grid=grid, metric="error") for grid in (texts, numbers))
    assert first == second
    assert first.grid == {"scaling.rate": [0.01, 1], "model.hidden": [[8], [4, 4]]}


def test_metric_is_one_that_the_runs_have():
    assert plan(Settings()).metric == "error"
    assert plan(Settings(), metric="loss").metric == "loss"
    diabetes = Settings().changed({"data.name": "diabetes"})
    assert plan(diabetes).metric == "error"
    with pytest.raises(InputError, match="metric is 'loss', but of real labels, as 'diabetes' has"):
        plan(diabetes, metric="loss")


def test_what_no_point_takes_is_refused():
    with pytest.raises(InputError, match=r"scaling\.rate is in the grid, but the method of no point has it"):
        plan(Settings(), grid={"scaling.rate": [0, 0.1]})


@pytest.mark.parametrize(
    ("values", "varied", "name"),
    [
        (
            {"method": "synscaw+dropout", "scaling.rate": 1e-05},
            ["scaling.rate", "method"],
            "synscaw+dropout,rate=1e-05",
        ),
        ({"data.name": "mnist", "model.name": "gru"}, ["data.name", "model.name"], "data=mnist,model=gru"),
        (
            {"optimizer.learning_rate": 0.1, "probes.learning_rate": 2.0},
            ["optimizer.learning_rate", "probes.learning_rate"],
            "optimizer.learning_rate=0.1,probes.learning_rate=2",
        ),
        (
            {"training.class_weights": True, "data.train": None},
            ["training.class_weights"],
            "class_weights=true,train=none",
        ),
        ({"data.seed": 3}, ["data.seed"], "data.seed=3"),
    ],
)
def test_names_say_what_varies(values, varied, name):
    assert point_name(values, 0, [*dict.fromkeys([*varied, *values])]) == f"{name},seed=0"


def test_names_are_safe_and_still_apart():
    def of(value):
        return point_name({"model.name": value}, 1, ["model.name"])

    hard = ["a/b:c", "a:b/c", "../x", "x" * 80, "x" * 81, "a,b", "a=b", "a b\n", "ä"]
    found = [of(value) for value in hard]
    assert len(set(found)) == len(hard)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.,=~-") for name in found)
    assert all(len(name) < 80 and "," not in name.removesuffix(",seed=1") for name in found)
    assert of("a/b:c").startswith("model=a-b-c~")


def test_names_do_not_depend_on_how_many_values_there_are(small):
    short = names(small(method="synscaw"), grid={"scaling.rate": [0.03]})
    assert set(short) < set(names(small(method="synscaw"), seeds=3, grid={"scaling.rate": [0.01, 0.03, 0.1]}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": {"seed": [1]}}, "seeds are given as seeds"),
        ({"grid": {"scaling.rate": []}}, "no value"),
        ({"grid": {"scaling.rate": "0.1"}}, "takes a list of values"),
        ({"grid": {"optimizer.learning_rate": ["0.1", "0.10"]}}, "in the grid twice"),
        ({"grid": {"method": ["dropout+vib", "vib+dropout"]}}, "in the grid twice"),
        ({"grid": {"scaling.rat": [1]}}, "rate"),
        ({"grid": {"trainin.epochs": [1]}}, "training.epochs"),
        ({"grid": {"training.epochs": [1, 0]}}, "at least 1"),
        ({"seeds": 0}, "at least 1"),
        ({"seeds": [1, 1]}, "each once"),
        ({"seeds": []}, "at least one"),
        ({"seeds": [-1]}, "at least 0"),
        ({"metric": "eror"}, "'error'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(small, options, message):
    with pytest.raises(InputError, match=message):
        plan(small(), **{"metric": "error", **options})


def test_a_file_that_is_absent_or_no_toml_is_refused(tmp_path):
    (tmp_path / "bad.toml").write_text("method = ")
    for name, reason in (("bad.toml", "is no TOML"), ("none.toml", "cannot be read")):
        with pytest.raises(InputError, match=reason):
            plan(tmp_path / name)
    with pytest.raises(InputError, match="path of a TOML file"):
        plan(3)
