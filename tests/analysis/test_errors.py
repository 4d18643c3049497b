"""Errors name the value and what is accepted."""

import numpy as np
import pytest

from infoplane.analysis.errors import InputError, near_names, one_of


def test_one_of_the_names_passes():
    one_of("rule", "count", ("count", "width"))
    one_of("rule", np.str_("width"), (name for name in ("count", "width")))


@pytest.mark.parametrize("value", [None, 3, ["count"], np.zeros(2), "", "Count"])
def test_anything_else_is_refused_with_what_is_accepted(value):
    with pytest.raises(InputError, match=r"rule is .*, but it is one of 'count', 'width'"):
        one_of("rule", value, ("count", "width"))


def test_the_near_name_is_given():
    with pytest.raises(InputError, match="but it is one of 'count', 'width'; did you mean 'width'"):
        one_of("rule", "widht", ("count", "width"))


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("nonsense", ["error", "loss", "i_zx", "jsd_weights"], ""),
        ("nonsense", ["plane", "neurons", "weights", "activations"], ""),
        ("lr", ["rate"], ""),
        ("softmax", ["softplus", "exp"], "softplus"),
        ("lag", ["log", "linear"], "log"),
        ("paper", ["paper-mlp", "appendix"], "paper-mlp"),
        ("Plane", ["plane", "planes"], "plane"),
        ("", ["plane"], ""),
    ],
)
def test_only_what_is_alike_is_suggested(name, known, near):
    said = near_names(name, known)
    assert said.startswith(f"; did you mean {near!r}") if near else said == ""
