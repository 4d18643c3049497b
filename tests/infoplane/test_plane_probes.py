"""The probes of a plane and their values, also of planes that lack a quantity or a scale, as older formats do."""

import numpy as np
import pytest

from infoplane.errors import RunFileError
from infoplane.plane_probes import check_quantities, plain_probes, plane_probes, plane_values, settings_phrase

ROWS, PROBES = 3, 4


class Plane:
    """What these functions use of a stream: labels, and values of shape (rows, probes, quantities)."""

    path, row, attrs = "run.h5", "step", {"probe_mode": "observe"}

    def __init__(self, quantities, **labels):
        self.held = {
            "probe": np.array(["a", "a@untrained", "a x2", "a, beta=1"]),
            "site": np.array(["a", "a", "a", "a"]),
            "host": np.array(["trained", "untrained", "trained", "trained"]),
            "beta": np.array([0.1, 0.1, 0.1, 1.0]),
            "latent": np.array([2, 2, 2, 3]),
            "quantity": np.array(quantities),
            "step": np.arange(ROWS),
        } | labels
        # 100 row + 10 probe + a number of the quantity's own
        number = {"i_zx": 1, "se_i_zx": 2, "i_zy": 3, "h_y": 4}
        at = np.array([number[name] for name in quantities])
        self.values = 100.0 * np.arange(ROWS)[:, None, None] + 10 * np.arange(PROBES)[:, None] + at

    @property
    def names(self):
        return tuple(self.held)

    def __getitem__(self, name):
        return self.held[name]

    def read(self, name, rows=None, columns=None):
        rows = slice(None) if rows is None else rows
        if name != "values":
            return self.held[name][rows]
        found = self.values[rows]
        return found[..., [self.held["quantity"].tolist().index(one) for one in columns]]


@pytest.mark.parametrize(
    "quantities", [("i_zx", "se_i_zx", "i_zy"), ("i_zy", "i_zx", "h_y", "se_i_zx"), ("h_y", "i_zy"), ("h_y",)]
)
def test_every_value_is_that_of_its_quantity_wherever_it_stands_in_the_file(quantities):
    plane = Plane(quantities)
    values = plane_values(plane, None, ("i_zx", "se_i_zx", "i_zy"))
    assert values.shape == (ROWS, PROBES, 3)
    for k, (name, number) in enumerate((("i_zx", 1), ("se_i_zx", 2), ("i_zy", 3))):
        if name in quantities:
            assert values[2, 1, k] == 210 + number
            assert values[0, 3, k] == 30 + number
        else:
            assert np.isnan(values[:, :, k]).all()
    last = plane_values(plane, -1, ("i_zy",))
    assert last.shape == (PROBES, 1)
    assert ("i_zy" not in quantities and np.isnan(last).all()) or last[1, 0] == 213


def test_what_a_picture_cannot_do_without_is_asked_for_by_name():
    check_quantities(Plane(("i_zx", "i_zy")), ("i_zy", "i_zx"))
    with pytest.raises(RunFileError, match=r"run\.h5: its plane has no i_zx, so that there is no point to draw"):
        check_quantities(Plane(("h_y", "i_zy")), ("i_zy", "i_zx"))


def test_one_probe_a_site_and_host_is_plain():
    plane = Plane(("i_zx",), scale=np.array([1.0, 1.0, 2.0, 1.0]))
    probes = plane_probes(plane)
    assert [(one.at, one.probe, one.is_plain, one.is_control) for one in probes] == [
        (0, "a", True, False),
        (1, "a@untrained", True, True),
        (2, "a x2", False, False),
        (3, "a, beta=1", False, False),
    ]
    assert [one.scale for one in probes] == [1, 1, 2, 1]
    assert plain_probes(Plane(("i_zx",))).tolist() == [True, True, True, False]  # a format without scales


def test_settings_are_those_of_the_probes_given():
    plane = Plane(("i_zx",))
    probes = plane_probes(plane)
    assert settings_phrase(plane, [one for one in probes if one.is_plain]) == "mode observe, N = 2, beta = 0.1"
    assert settings_phrase(plane, probes) == "mode observe, N = 2 or 3, beta = 0.1 or 1"
