"""The experiments as they are fixed before anything runs."""

import pytest

from infoplane.analysis.verdicts import Claim
from infoplane.errors import InputError
from infoplane.experiments import paper
from infoplane.experiments.reproduce import EXPERIMENTS, SCALES, PaperClaim, Statement, fig5, fig6, fig7, mnist_mi
from infoplane.experiments.reproduce.columns import COLUMNS, METHODS
from infoplane.experiments.reproduce.table5 import ROWS
from infoplane.experiments.reproduce.tables_1_to_3 import claims_of, length_in_paper
from infoplane.reports.run_values import METRICS
from infoplane.training import read_settings


def test_every_figure_and_table_is_there():
    names = {"fig3", "fig4", "fig5", "fig6", "fig7", "mnist-mi", "table1", "table2", "table3", "table5"}
    assert set(EXPERIMENTS) == names
    for name, experiment in EXPERIMENTS.items():
        assert experiment.name == name
        assert set(experiment.scales) <= set(SCALES)
        assert {"smoke", "full"} <= set(experiment.scales)
        assert all(scale.text and scale.time and scale.needs for scale in experiment.scales.values())
        assert experiment.claims


def all_arms():
    for name, column in COLUMNS.items():
        for scale in column.scales:
            yield from ((f"{name} {scale} {arm.name}", arm) for arm in column.arms(scale))
    for name, row in ROWS.items():
        for scale in ("smoke", "full"):
            yield from ((f"{name} {scale} {arm.name}", arm) for arm in row.arms(scale))
    for scale in SCALES:
        yield from ((f"fig6 {scale} {arm.name}", arm) for arm in fig6.arms(scale))
        for mode in mnist_mi.MODES:
            yield from ((f"mnist-mi {mode} {scale} {arm.name}", arm) for arm in mnist_mi.arms(mode, scale))


@pytest.mark.parametrize(("name", "arm"), [pytest.param(name, arm, id=name) for name, arm in all_arms()])
def test_settings_of_every_arm_can_be_used(name, arm):
    own = {} if arm.of_seed is None else arm.of_seed(3)
    settings = read_settings(None, {**arm.settings, **own, "seed": 3}).resolved
    assert settings.method == arm.settings["method"]
    if "full" in name and name.startswith("mlp/"):
        assert settings.model.hidden == (1024, 1024)
        assert settings.training.epochs == 200
        assert settings.optimizer.learning_rate == 5e-4
        assert settings.data.train is None
    if "small" in name and name.startswith(("mlp/", "fig6", "mnist-mi")):
        assert (settings.training.epochs, settings.data.train) == (10, 10_000)


def test_arms_of_fig6_have_the_printed_rates():
    lines = paper.fig6()
    for method, (_, panel) in fig6.PANELS.items():
        rates = set(lines[(lines["panel"] == panel) & (lines["curve"] == "error")]["x"]) - {0.0}
        assert set(fig6.RATES[method]) == rates
    arms = {arm.name: arm.settings for arm in fig6.arms("full")}
    assert arms["synscaw 0.09"]["scaling.rate"] == 0.09
    assert len(arms) == 1 + 6 + 6 + 2
    assert arms["synscaw 0.01"]["training.measure_every"] == 1


def test_claims_of_trainings_are_about_arms_that_there_are():
    names = {
        "fig6": {arm.name for arm in fig6.arms("small")},
        "fig7": set(fig7.METHODS),
        "fig5": {"baseline", "synscaw"},
        "mnist-mi": {f"{mode}: {arm.name}" for mode in mnist_mi.MODES for arm in mnist_mi.arms(mode, "small")},
    }
    for experiment, arms in names.items():
        for claim in EXPERIMENTS[experiment].claims:
            assert {claim.first, claim.second} <= arms, claim
            assert claim.metric in METRICS
            assert claim.claim("site" if claim.metric.startswith("i_") else "").metric == claim.metric


def test_a_column_claims_what_its_cells_print():
    claims = {claim.second: claim for claim in claims_of(1, COLUMNS["mlp/mnist"])}
    assert claims["synscaw mlp/mnist"].claim() == Claim("error", "", "lower", -0.07)
    assert claims["synscaw-official mlp/mnist"].claim() == Claim("error", "", "lower", -0.07)
    assert claims["dropout mlp/mnist"].claim() == Claim("error", "", "higher", 0.06)
    assert "label-smoothing mlp/mnist" not in claims
    assert "resnet32/mnist" in claims_of(1, COLUMNS["resnet32/mnist"])[0].text
    equal = {claim.second: claim for claim in claims_of(1, COLUMNS["resnet32/mnist"])}["synscaw resnet32/mnist"]
    assert equal.claim() == Claim("error")  # 0.33 and 0.33
    weights = {claim.second: claim for claim in claims_of(2, COLUMNS["mlp/mnist"])}
    assert weights["synscaw mlp/mnist"].claim() == Claim("jsd_weights", "", "lower")  # in no known unit: no size
    assert weights["synscal mlp/mnist"].claim().direction == "higher"
    assert COLUMNS["mlp/cifar10-jpeg"].printed(1)["synscal"] == 40.80  # the paper's CIFAR-10
    assert COLUMNS["resnet32/cifar100"].printed(1)["vib"] == 51.91
    assert {claim.second.split()[0] for claim in claims_of(3, COLUMNS["mlp/cifar10-jpeg"])} >= set(METHODS[1:])


def test_claims_of_table_v_turn_accuracies_into_errors():
    claims = {claim.second: claim for claim in ROWS["iris"].claims()}
    assert claims["iris: synscaw"].claim() == Claim("error", "", "lower", -1.33)
    diabetes = {claim.second: claim.claim() for claim in ROWS["diabetes"].claims()}
    assert diabetes["diabetes: synscaw"] == Claim("error", "", "lower")
    assert diabetes["diabetes: synscal-regression"] == Claim("error", "", "higher")
    # Two labels in one network: only what both rows say (SynScaL raises one and leaves the other).
    parkinson = {claim.second for claim in ROWS["uci-parkinson"].claims()}
    assert parkinson == {"uci-parkinson: dropout", "uci-parkinson: synscaw"}
    assert ROWS["iris"].arms("full")[0].of_seed(12) == {"data.fold": "3/10", "data.split_seed": 1}
    assert ROWS["sequential-mnist-gru"].arms("full")[0].of_seed is None
    # A row with a test part of its own is compared by its images, the folds of the others are not.
    assert {claim.folds for claim in (*ROWS["iris"].claims(), *ROWS["diabetes"].claims())} == {True}
    assert {claim.folds for claim in (*ROWS["thyroid"].claims(), *ROWS["imdb-lstm"].claims())} == {False}


def test_a_column_says_how_long_the_paper_trains_its_network():
    assert length_in_paper(COLUMNS["mlp/mnist"]) == length_in_paper(COLUMNS["mlp/digits"]) == "200 epochs"
    assert length_in_paper(COLUMNS["resnet50/imagenet"]) == "600,000 iterations"


def test_last_dots_of_fig5_are_its_claims():
    assert [claim.site for claim in fig5.CLAIMS[:4]] == ["stem", "stage1", "stage2", "stage3"]
    first = fig5.CLAIMS[0]
    assert 38.4 <= first.printed[0] <= 38.9
    assert 34.8 <= first.printed[1] <= 35.9
    assert all(-0.18 < claim.effect / claim.printed[0] < -0.06 for claim in fig5.CLAIMS[:4])
    assert fig5.CLAIMS[4].claim() == Claim("error", "", "lower", -2.91)


def test_a_statement_says_everything_in_a_line():
    statement = Statement(
        claim="a", where="Fig. 1", printed="1 -> 2 %", found="1 -> 3 %", verdict="reproduced", why="So."
    )
    assert str(statement) == "REPRODUCED - a (Fig. 1). paper: 1 -> 2 %; here: 1 -> 3 %. So."
    with pytest.raises(InputError, match="verdict is 'true'"):
        Statement(claim="a", where="", printed="", found="", verdict="true", why="")
    with pytest.raises(InputError, match="direction"):
        PaperClaim(text="a", where="", direction="down")
