"""Comparing two sets of run files: which runs are paired, which are refused, and that the numbers are the files'."""

import json
import math
import shutil

import numpy as np
import pytest
from scipy import stats

import infoplane as ip
from infoplane.analysis.verdicts import Claim, paired_seeds
from infoplane.errors import InputError, RunFileError
from infoplane.experiments.reproduce.claims import PaperClaim
from infoplane.experiments.reproduce.judging import judged
from infoplane.probes.probe_info import ProbeInfo
from infoplane.reports.compare import compare
from infoplane.reports.run_values import METRICS, run_value
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

SITES = ("fc1", "fc2")
SCALES = (0.1, 10.0)
DATA = {"name": "made up", "sha256": "abc", "test": 40}
IMAGES = 40


def write(
    path,
    seed,
    arm,
    *,
    moves=None,
    images=True,
    scales=SCALES,
    epochs=2,
    status="finished",
    mode="",
    real=False,
    **provenance,
):
    """A run whose images' outcomes are drawn; `moves` shifts the probes' quantities of arm b by so many bit."""
    rng = np.random.default_rng([seed, arm == "b"])
    moves = moves or {}
    probes = [ProbeInfo(site, site, "trained", 1e-3, 8) for site in SITES]
    probes += [ProbeInfo(f"{site}@x{s:g}", site, "trained", 1e-3, 8, s) for site in SITES for s in scales]
    probes += [ProbeInfo(f"{site}@untrained", site, "untrained", 1e-3, 8) for site in SITES]
    metrics, attrs = {"loss": "bit", "error": "1"}, {"probe_mode": mode} if mode else {}
    if real:  # a network of real labels has no loss
        del metrics["loss"]
    streams = run_streams(probes=probes, metrics=metrics, inputs=IMAGES if images else 0, attrs=attrs)
    header = {"seed": seed, "configuration": {"scaling": arm, "seed": seed}, "data": DATA, "versions": {"torch": "2.6"}}
    count = len(probes)
    with RunWriter(path) as writer:
        writer.start(streams, header | provenance)
        for step in range(1, epochs + 1):
            wrong, loss = rng.random(IMAGES) < 0.3, rng.exponential(1, IMAGES).astype(np.float32)
            rate = 50 + rng.normal(0, 1, (count, IMAGES)).astype(np.float32)
            ce = rng.normal(0.5, 0.1, (count, IMAGES)).astype(np.float32)
            if arm == "b":
                rate += np.float32(moves.get("i_zx", 0))
                ce -= np.float32(moves.get("i_zy", 0))
            values = rng.normal(0, 0.01, (count, len(PLANE_QUANTITIES)))
            at = {name: PLANE_QUANTITIES.index(name) for name in PLANE_QUANTITIES}
            values[:, at["i_zx"]] = rate.mean(1)
            values[:, at["h_y"]] = math.log2(10)
            values[:, at["i_zy"]] = math.log2(10) - ce.mean(1)
            values[:, at["i_zx_upper"]] = 20 + rng.normal(0, 0.1, count) + (arm == "b") * moves.get("i_zx_upper", 0)
            pairs = dict.fromkeys(("covariance_i_zx", "covariance_i_zy"), np.zeros((count, count)))
            counts = {"n": IMAGES, "n_sandwich": IMAGES, "updates": step}
            writer.append("plane", 10 * step, epoch=step, values=values, **counts, **pairs)
            order = rng.permutation(IMAGES)
            if images:
                kept = {"position": order, "error": wrong[order].astype(np.float32), "loss": loss[order]}
                writer.append("inputs", 10 * step, epoch=step, rate=rate[:, order], ce=ce[:, order], **kept)
            writer.append("metrics", 10 * step, epoch=step, time=1.0, values=[loss.mean(), wrong.mean()][real:])
        writer.close(status)
    return path


def arms(folder, seeds=(0, 1, 2, 3), **options):
    for arm in "ab":
        (folder / arm).mkdir(exist_ok=True, parents=True)
        for seed in seeds:
            write(folder / arm / f"{seed}.h5", seed, arm, **options)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return arms(tmp_path_factory.mktemp("runs"))


def both(folder):
    return str(folder / "a" / "*.h5"), str(folder / "b" / "*.h5")


def rows(folder, arm, metric):
    """The metric at the last row of every run, read by other means."""
    found = []
    for run in ip.open_study(str(folder / arm / "*.h5")):
        table = run.metrics().to_dataframe() if metric in ("error", "loss") else run.plane().to_dataframe()
        if "probe" in table:
            table = table[table["probe"] == "fc1"]
        table = table[(table["step"] == table["step"].max()) & (table["quantity"] == metric)]
        found.append(table["value"].item())
    return np.array(found)


# Numbers


@pytest.mark.parametrize("metric", ["error", "loss", "i_zx", "i_zy", "i_zx_upper"])
def test_numbers_are_those_of_the_last_rows(runs, metric):
    site = "fc1" if metric.startswith("i_") else ""
    verdict = compare(*both(runs), Claim(metric, site)).verdicts[0]
    factor = 100 if metric == "error" else 1
    assert verdict.pair.first == pytest.approx(factor * rows(runs, "a", metric), rel=1e-5)
    assert verdict.pair.second == pytest.approx(factor * rows(runs, "b", metric), rel=1e-5)
    assert verdict.pair.images == (None if metric == "i_zx_upper" else IMAGES)
    assert verdict.claim.unit == ("points" if metric == "error" else "bit")


def test_outcomes_of_images_are_paired_by_position_whatever_their_order(runs):
    def outcomes(arm):
        found = []
        for run in ip.open_study(str(runs / arm / "*.h5")):
            view = run.stream("inputs")
            found.append(np.empty(IMAGES))
            found[-1][view["position"][-1]] = view["error"][-1]
        return 100 * np.array(found)

    verdict = compare(*both(runs)).verdicts[0]
    expected = paired_seeds(outcomes("a"), outcomes("b"))
    assert verdict.pair.interval() == pytest.approx(expected.interval())
    assert verdict.pair.image_error == pytest.approx(expected.image_error)
    assert verdict.pair.floor == pytest.approx(expected.floor)


def test_without_outcomes_of_images_the_interval_is_over_seeds_and_says_so(tmp_path, runs):
    with_images = compare(*both(runs)).verdicts[0]
    found = compare(*both(arms(tmp_path, images=False)))
    verdict = found.verdicts[0]
    assert verdict.pair.images is None
    assert verdict.estimate == pytest.approx(with_images.estimate)
    assert found.notes == (
        "error: the interval is over seeds alone, so that it holds for this one test set. record(inputs=n), with n the "
        "size of the test set, keeps the outcomes of every image.",
    )


def test_outcomes_of_some_images_are_not_taken_for_all(tmp_path, runs):
    path = tmp_path / "0.h5"
    shutil.copy(runs / "a" / "0.h5", path)
    import h5py

    with h5py.File(path, "r+") as file:
        file["entry/inputs/position"][-1, :5] = -1
    with ip.open_run(path) as run, ip.open_run(runs / "a" / "0.h5") as whole:
        assert run_value(run, "error").outcomes is None
        assert run_value(whole, "error").outcomes.shape == (IMAGES,)
        assert run_value(run, "error").value == run_value(whole, "error").value
    with h5py.File(path, "r+") as file:
        file["entry/inputs/position"][-1] = np.arange(IMAGES)
        file["entry/inputs/error"][-1] = 0  # another mean than the error of the row
    with ip.open_run(path) as run:
        assert run_value(run, "error").outcomes is None


def test_pairs_are_made_by_seed_and_not_by_order(runs):
    forward = compare(*both(runs))
    backward = compare(sorted(runs.glob("a/*.h5"))[::-1], both(runs)[1])
    assert [pair.seed for pair in backward.arms.pairs] == [0, 1, 2, 3]
    assert backward.verdicts[0].interval == forward.verdicts[0].interval


def test_seeds_without_a_partner_are_left_out_and_named(runs):
    found = compare(both(runs)[0], [runs / "b" / "1.h5", runs / "b" / "3.h5"])
    assert [pair.seed for pair in found.arms.pairs] == [1, 3]
    assert "Left out of A, without a partner: seeds 0, 2." in found.notes
    other = compare([runs / "a" / "1.h5"], both(runs)[1])
    assert "Left out of B, without a partner: seeds 0, 2, 3." in other.notes


def test_a_claim_about_a_probe_is_one_per_site_and_judged_as_a_family(runs):
    found = compare(*both(runs), [Claim("i_zy", direction="higher"), Claim("error")])
    assert [v.claim.name for v in found.verdicts] == ["i_zy fc1", "i_zy fc2", "error"]
    assert {v.family for v in found.verdicts} == {3}
    assert [v.claim.direction for v in found.verdicts] == ["higher", "higher", None]


def test_what_the_arms_differ_in_is_said_and_seeds_are_none(runs):
    found = compare(*both(runs))
    assert found.arms.differences == {"configuration.scaling": ('"a"', '"b"')}
    assert found.epoch == 2
    assert '  configuration.scaling: "a" -> "b"' in str(found).splitlines()


# Claims about I(Z;X)


@pytest.mark.parametrize(
    ("moves", "options", "word", "outcomes"),
    [
        ({"i_zx": -9, "i_zx_upper": -5}, {}, "reproduced", ["agrees"] * 4),
        ({"i_zx": -9, "i_zx_upper": 5}, {}, "not reproduced", ["refuted", "agrees", "agrees", "agrees"]),
        ({"i_zx": -9}, {}, "undecided", ["open", "agrees", "agrees", "agrees"]),
        ({"i_zx": -9, "i_zx_upper": -5, "i_zy": -0.6}, {}, "undecided", ["agrees", "agrees", "agrees", "unequal"]),
        ({"i_zx": -9, "i_zx_upper": -5}, {"scales": ()}, "undecided", ["agrees", "missing", "agrees"]),
        ({"i_zx": -9, "i_zx_upper": -5}, {"scales": (), "mode": "bottleneck"}, "reproduced", ["agrees"] * 2),
        ({"i_zx": -9, "i_zx_upper": math.nan}, {}, "undecided", ["missing", "agrees", "agrees", "agrees"]),
        ({"i_zx": 9, "i_zx_upper": 5}, {}, "contradicted", ["refuted"] * 3 + ["agrees"]),
    ],
)
def test_a_claim_about_the_rate_must_survive_sandwich_twins_and_equal_label_bounds(
    tmp_path, moves, options, word, outcomes
):
    folder = arms(tmp_path, moves=moves, seeds=(0, 1, 2), **options)
    verdict = compare(*both(folder), Claim("i_zx", "fc1", effect=-9), margin=0.3).verdicts[0]
    assert verdict.by_rule == ("contradicted" if moves["i_zx"] > 0 else "reproduced")
    assert verdict.word == word
    assert [check.outcome for check in verdict.checks] == outcomes


def test_margin_of_equal_label_bounds_is_the_callers(tmp_path):
    folder = arms(tmp_path, moves={"i_zx": -9, "i_zx_upper": -5, "i_zy": -0.4})
    checks = {
        margin: compare(*both(folder), Claim("i_zx", "fc1"), margin=margin).verdicts[0].checks[-1].outcome
        for margin in (0.1, 2.0)
    }
    assert checks == {0.1: "unequal", 2.0: "agrees"}


# One pair


def test_two_single_runs_are_compared_on_their_images_and_never_decide(runs):
    found = compare(runs / "a" / "0.h5", runs / "b" / "0.h5", Claim("error", effect=-20))
    assert found.verdicts[0].word == "undecided"
    with ip.open_run(runs / "a" / "0.h5") as a, ip.open_run(runs / "b" / "0.h5") as b:
        wrong = [run_value(run, "error").outcomes == 100 for run in (a, b)]
    assert found.networks.only_first == (wrong[0] & ~wrong[1]).sum()
    assert found.networks.only_second == (wrong[1] & ~wrong[0]).sum()
    assert "One seed never decides" in str(found)
    assert "McNemar's exact p value is" in str(found)
    assert "The claimed -20 points are 8 of 40 images" in str(found).replace("\n   ", "")
    assert compare(*both(runs)).networks is None


def test_two_single_runs_without_outcomes_are_compared_by_their_counts(tmp_path):
    folder = arms(tmp_path, seeds=(0,), images=False)
    networks = compare(folder / "a" / "0.h5", folder / "b" / "0.h5").networks
    assert networks.only_first is None
    assert networks.first_errors == round(40 * rows(folder, "a", "error")[0])
    assert networks.images == 40


# What is refused


def test_a_run_in_both_arms(runs):
    with pytest.raises(InputError, match="is in both arms"):
        compare(both(runs)[0], [runs / "a" / "1.h5"])


def test_two_runs_of_one_seed_in_one_arm(tmp_path, runs):
    again = write(tmp_path / "again.h5", 1, "a")
    with pytest.raises(InputError, match=r"1\.h5 and .*again\.h5 of arm A both have seed 1"):
        compare([*runs.glob("a/*.h5"), again], both(runs)[1])


@pytest.mark.parametrize("configuration", [{"scaling": "a"}, {"scaling": "a", "seed": 0}])
def test_a_seed_of_the_probes_alone_is_not_called_that_of_a_training(tmp_path, configuration):
    for k in range(2):
        settings = configuration if k else {"scaling": "a"}
        write(tmp_path / f"a{k}.h5", 0, "a", configuration=settings)
        write(tmp_path / f"c{k}.h5", k, "a", configuration={"scaling": "a"})
        write(tmp_path / f"d{k}.h5", 0, "b", configuration={"scaling": "b", "seed": k})
    with pytest.raises(
        InputError, match=r"a0\.h5 and .*a1\.h5 of arm A both state seed 0, .*that of the probes"
    ) as said:
        compare(str(tmp_path / "a?.h5"), str(tmp_path / "d?.h5"))
    assert "ip.record(..., seed=k) or configuration={'seed': k}" in str(said.value)
    # Either remedy does.
    pairs = compare(str(tmp_path / "c?.h5"), str(tmp_path / "d?.h5")).arms.pairs
    assert [pair.seed for pair in pairs] == [0, 1]


def test_arms_without_a_common_seed(tmp_path, runs):
    other = write(tmp_path / "9.h5", 9, "b")
    with pytest.raises(InputError, match="no seed is in both arms: A has 0, 1, 2, 3 and B has 9"):
        compare(both(runs)[0], other)


def test_a_run_without_a_seed(tmp_path, runs):
    other = write(tmp_path / "none.h5", 1, "b", configuration={"seed": "one"})
    with pytest.raises(InputError, match=r"none\.h5: has no seed"):
        compare(both(runs)[0], other)


def test_runs_of_different_length_are_named(tmp_path, runs):
    longer = write(tmp_path / "1.h5", 1, "b", epochs=3)
    with pytest.raises(InputError, match=r"a/0\.h5 ends at 2, but .*1\.h5 at epoch 3"):
        compare(both(runs)[0], [runs / "b" / "0.h5", longer])


def test_runs_of_other_data(tmp_path, runs):
    other = write(tmp_path / "1.h5", 1, "b", data=DATA | {"sha256": "def"})
    with pytest.raises(InputError, match=r'different data: data\.sha256 is "abc" in .*but "def" in .*1\.h5'):
        compare(both(runs)[0], other)


def test_a_run_that_does_not_name_its_data_is_told_how_to(tmp_path, runs):
    other = write(tmp_path / "1.h5", 1, "b", data={})
    for first, second in ((both(runs)[0], other), (other, both(runs)[0])):
        with pytest.raises(InputError, match=r"not there in .*1\.h5.*; ip\.record\(\.\.\., data=\) says"):
            compare(first, second)


def test_a_pattern_that_takes_a_checkpoint_too_says_how_to_end_it(tmp_path, runs):
    write(tmp_path / "1.h5", 1, "b")
    (tmp_path / "1.ckpt").write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(
        RunFileError, match=r"matches .*1\.ckpt too, which is no run file; end the pattern in \.h5"
    ) as said:
        compare(both(runs)[0], str(tmp_path / "1*"))
    assert "1*.h5' does" in str(said.value)
    assert len(compare(both(runs)[0], str(tmp_path / "1*.h5")).arms.pairs) == 1


def test_pairs_that_differ_in_different_ways(tmp_path, runs):
    other = write(tmp_path / "1.h5", 1, "b", configuration={"scaling": "b", "seed": 1, "rate": 0.5})
    with pytest.raises(
        InputError, match=r"agree in configuration\.rate, but .*have configuration\.rate not there and 0\.5"
    ):
        compare(both(runs)[0], [runs / "b" / "0.h5", other])


def test_arms_of_several_settings_are_warned_of(tmp_path):
    for arm in "ab":
        (tmp_path / arm).mkdir()
        for seed in (0, 1):
            write(tmp_path / arm / f"{seed}.h5", seed, arm, configuration={"seed": seed, "scaling": arm, "width": seed})
    notes = compare(*both(tmp_path)).notes
    assert "Arm A is not of one setting: its runs differ in configuration.width." in notes


def test_arms_that_do_not_differ_and_data_that_nothing_names_are_warned_of(tmp_path):
    paths = [write(tmp_path / f"{k}.h5", 0, "a", data={}) for k in range(2)]
    notes = compare(*paths).notes
    assert "The settings of the two arms are the same; what was compared is not in the files." in notes
    assert "Nothing in the files says which data these are; that they are the same is not checked." in notes


def test_unfinished_runs_and_other_versions_are_warned_of(tmp_path, runs):
    path = write(tmp_path / "0.h5", 0, "b", status="interrupted", versions={"torch": "2.7"})
    notes = compare(runs / "a" / "0.h5", path).notes
    assert f"Not finished, and compared as they stand: {path}." in notes
    assert "The runs were made with different versions: torch 2.6, 2.7." in notes


def test_other_probes_cannot_be_compared_by_their_bounds_but_by_the_error(tmp_path, runs):
    path = write(tmp_path / "0.h5", 0, "b", probes={"beta": 0.1})
    with pytest.raises(InputError, match=r"probes\.beta is not there in A and 0\.1 in B; i_zx depends on the probes"):
        compare(runs / "a" / "0.h5", path, Claim("i_zx", "fc1"))
    assert compare(runs / "a" / "0.h5", path).verdicts[0].word == "undecided"


def test_a_number_that_is_not_finite_is_no_missing_value(tmp_path, runs):
    path = write(tmp_path / "0.h5", 0, "b", moves={"i_zx_upper": math.nan})
    with pytest.raises(InputError, match=r"0\.h5: i_zx_upper fc1 is nan in the last row; a run that failed"):
        compare(runs / "a" / "0.h5", path, Claim("i_zx_upper", "fc1"))


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        (Claim("eror"), "the metric of a claim is 'eror'.*did you mean 'error'"),
        (Claim("i_zx", "fc3"), "i_zx has no site 'fc3'; did you mean 'fc2' or 'fc1'"),
        ([Claim("error"), Claim("error", direction="lower")], "two claims are about one metric"),
        ([], "claims is"),
        ("error", "claims is 'error'"),
    ],
)
def test_claims_that_cannot_be_read(runs, claims, says):
    with pytest.raises(InputError, match=says):
        compare(*both(runs), claims)


def test_what_was_not_recorded(runs):
    with pytest.raises(RunFileError, match="has no stream 'weights'"):
        compare(*both(runs), Claim("jsd_weights"))
    with pytest.raises(InputError, match="margin is 0"):
        compare(*both(runs), margin=0)
    with pytest.raises(InputError, match="level is 95"):
        compare(*both(runs), level=95)


def test_a_run_without_rows(tmp_path, runs):
    path = write(tmp_path / "0.h5", 0, "b", epochs=0)
    with pytest.raises(InputError, match=r"0\.h5: has no row of 'metrics' yet"):
        compare(runs / "a" / "0.h5", path)


# What it says


def test_page_fits_the_screen_and_says_everything(runs):
    found = compare(*both(runs), [Claim(metric) for metric in METRICS if not metric.startswith("jsd")])
    text = str(found)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("A: 4 runs, ")
    assert "Paired by seed: 0, 1, 2, 3. Compared at the last row (epoch 2)." in lines
    words = text.split()
    assert all(word in words for verdict in found.verdicts for word in str(verdict).split())
    assert all(word in words for note in found.notes for word in note.split())


def test_records_are_json(runs):
    found = compare(*both(runs), [Claim("error", effect=-1), Claim("i_zx", "fc1")])
    records = [json.loads(json.dumps(record, allow_nan=False)) for record in found.records()]
    assert [record["metric"] for record in records] == ["error", "i_zx"]
    assert records[0]["paired_by_seed"] == [0, 1, 2, 3]
    assert records[0]["a"] == [str(runs / "a" / f"{seed}.h5") for seed in range(4)]
    assert [check["name"] for check in records[1]["checks"]][-1] == "label bound I(Z;Y)"
    single = compare(runs / "a" / "0.h5", runs / "b" / "0.h5").records()[0]
    assert single["networks"]["images"] == IMAGES


def test_text_of_a_file_cannot_write_to_the_terminal(tmp_path, runs):
    path = write(tmp_path / "0.h5", 0, "b", configuration={"scaling\x1b[2J": "b\x1b]0;x", "seed": 0})
    assert "\x1b" not in str(compare(runs / "a" / "0.h5", path))


def test_the_error_of_real_labels_is_named_for_what_it_is(tmp_path):
    folder = arms(tmp_path, real=True, images=False)
    found = compare(*both(folder), Claim("error", effect=-1))
    page = " ".join(str(found).split())
    assert found.verdicts[0].claim.unit == "points (1 - R²)"
    assert "error [% (1 - R²)]" in page
    assert "error is 1 - R², the mean squared error over the variance of the labels" in page
    assert "images" not in page
    assert "record(inputs=n)" not in page  # 1 - R² is no mean over inputs


def test_outcomes_by_image_are_asked_for_where_they_would_help(tmp_path):
    folder = arms(tmp_path, images=False)
    assert "record(inputs=n)" in str(compare(*both(folder), Claim("error")))
    assert "record(inputs=n)" not in str(compare(*both(folder), Claim("i_zx_upper", "fc1")))


def test_what_a_method_stands_for_is_not_listed_beside_its_name(tmp_path):
    for arm, method, its in (("a", "baseline", {}), ("b", "synscaw", {"clip": None, "rate": 0.1})):
        (tmp_path / arm).mkdir()
        settings = {"method": method, "method_configuration": its, "seed": 0, "clip": None}
        write(tmp_path / arm / "0.h5", 0, arm, configuration={k: v for k, v in settings.items() if arm == "b" or v})
    found = compare(*both(tmp_path), Claim("error")).arms.differences
    assert found == {
        "configuration.method": ('"baseline"', '"synscaw"'),
        "configuration.clip": ("not there", "null"),
    }


def test_checks_of_a_paper_claim_have_the_level_that_holm_gives_it(tmp_path):
    folder = arms(tmp_path, moves={"i_zx": -9, "i_zx_upper": -5})
    runs = {arm: sorted((folder / arm).glob("*.h5")) for arm in "ab"}
    claims = [
        PaperClaim(
            text="less", where="here", first="a", second="b", metric="i_zx", site="fc1", printed=(56, 47), unit="bit"
        ),
        PaperClaim(text="fewer errors", where="here", first="a", second="b", metric="error", printed=(2, 1), unit="%"),
    ]
    verdict = judged(claims, runs)[0][1]
    assert verdict.alpha == pytest.approx(0.025)  # the smaller p of two
    upper = []
    for arm in "ab":
        for path in runs[arm]:
            with ip.open_run(path) as run:
                upper.append(run_value(run, "i_zx_upper", "fc1").value)
    differences = np.subtract(upper[4:], upper[:4])
    expected = stats.t.interval(1 - 0.025, 3, differences.mean(), stats.sem(differences))
    np.testing.assert_allclose(verdict.checks[0].interval, expected, rtol=1e-9)


def test_runs_of_other_plans_are_paired_and_it_is_said(tmp_path):
    for arm, plans in (("a", ([0, 1], [0, 1, 2])), ("b", ([0, 1], [0, 1]))):
        (tmp_path / arm).mkdir()
        for seed, seeds in enumerate(plans):
            settings = {"scaling": arm, "seed": seed, "plan": {"metric": "error", "seeds": seeds}}
            write(tmp_path / arm / f"{seed}.h5", seed, arm, configuration=settings)
    found = compare(*both(tmp_path), Claim("error"))
    assert list(found.arms.differences) == ["configuration.scaling"]
    assert "The runs were not planned alike: seeds of their plans differ" in found.arms.notes[0]
