"""The lines of ``infoplane report -o report.csv``: what each number is, in a unit that is true of it."""

import csv
import io

from infoplane.reports.run_report import run_report


def lines(path, **fields):
    found = csv.DictReader(io.StringIO(run_report([path]).to_csv()))
    return [line for line in found if all(line[key] == value for key, value in fields.items())]


def test_the_error_is_a_share_and_the_loss_in_bit(two_runs):
    errors, losses = (lines(two_runs[0], part="metrics", name=name) for name in ("error", "loss"))
    assert {line["unit"] for line in errors} == {"1"}
    assert all(0 <= float(line["value"]) <= 1 for line in errors)
    assert round(100 * float(errors[-1]["value"]), 2) == 4.17  # as the page has it in per cent
    assert {line["unit"] for line in losses} <= {"bit"}
    assert {line["kind"] for line in (*errors, *losses)} == {"estimate"}


def test_bounds_are_in_bit_with_their_direction_and_n(two_runs):
    for name, kind in (("i_zx", "upper_bound"), ("i_zy", "lower_bound")):
        found = lines(two_runs[0], part="plane", name=name)
        assert {(line["unit"], line["kind"], line["n"]) for line in found} == {("bit", kind, "450")}
        assert all(line["standard_error"] for line in found)
        assert {line["place"] for line in found} >= {"hidden1", "hidden1@untrained"}
