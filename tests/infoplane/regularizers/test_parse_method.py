"""Names and parameters of methods."""

import dataclasses
import itertools
import math

import pytest
import torch

from infoplane.errors import InputError
from infoplane.regularizers import METHODS, own_parameters, parse_method

REGULARIZERS = [name for name, part in METHODS.items() if part.kind == "regularizer"]
SCALINGS = [name for name, part in METHODS.items() if part.kind == "scaling"]


def test_every_method_of_the_paper_has_its_name():
    assert set(REGULARIZERS) == {"dropout", "label-smoothing", "confidence-penalty", "vib"}
    assert set(SCALINGS) == {
        "synscaw",
        "synscaw-official",
        "synscaw-stable",
        "synscal",
        "synscal-prob-batch",
        "synscal-target-class",
        "synscal-logit-mean",
        "synscal-regression",
    }


@pytest.mark.parametrize("name", METHODS)
def test_every_name_is_a_method_of_its_own(name):
    method = parse_method(name)
    assert method.name == name
    assert [part.name for part in method.parts] == [name]


@pytest.mark.parametrize("scaling", ["", *SCALINGS])
def test_any_regularizers_and_one_scaling_combine_in_any_order_into_one_name(scaling):
    names = [name for name in (scaling, "confidence-penalty", "dropout") if name]
    found = {parse_method(" + ".join(order)).name for order in itertools.permutations(names)}
    assert found == {"+".join([*([scaling] if scaling else []), "dropout", "confidence-penalty"])}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("synscw", "did you mean 'synscaw'"),
        ("", "method is ''"),
        (3, "method is 3"),
        ("synscaw+confidence-penality", "a part of method.*did you mean 'confidence-penalty'"),
        ("synscaw+", "a part of method 'synscaw\\+' is ''"),
        ("synscaw+synscal", "'synscaw' and 'synscal', but one scaling at most"),
        ("dropout+dropout", "names 'dropout' twice"),
        ("baseline+dropout", "combines 'baseline'"),
    ],
)
def test_names_that_are_no_method_are_refused(name, text):
    with pytest.raises(InputError, match=text):
        parse_method(name)


def test_parameters_are_kept_and_those_at_none_have_their_default():
    method = parse_method(
        "synscaw+label-smoothing",
        scaling={"rate": 0.03, "granularity": "neuron", "rule": None},
        regularizers={"smoothing": 0.2, "penalty": None},
    )
    assert dict(method.scaling) == {"rate": 0.03, "granularity": "neuron"}
    assert method.parameters == {"smoothing": 0.2}
    assert parse_method("dropout+vib").parameters == {
        "dropout_input": 0.2,
        "dropout_hidden": 0.5,
        "vib_beta": 1e-3,
        "vib_latent": 256,
    }


@pytest.mark.parametrize(
    ("name", "scaling", "regularizers", "text"),
    [
        ("synscaw", {"rat": 1.0}, {}, r"no parameter scaling\.rat; did you mean 'rate'"),
        ("synscaw", {"gamma": 1.0}, {}, "it is called rate here"),
        ("dropout", {}, {"dropout_inputs": 0.1}, "did you mean 'dropout_input'"),
        ("baseline", {"xyzzy": 1}, {}, "known are rate,"),
        ("synscaw", 3, {}, "scaling is 3"),
        ("baseline", {"rate": 0.03}, {}, r"scaling\.rate is 0\.03, but method 'baseline' scales nothing"),
        ("dropout", {"rule": "w2"}, {}, r"scaling\.rule is 'w2', but method 'dropout' scales nothing"),
        ("synscal", {"rule": "w2"}, {}, "'synscal' has no such parameter: it takes rate"),
        ("synscaw", {}, {"penalty": 0.1}, "does not have 'confidence-penalty', whose parameter it is"),
        ("synscaw", {"rate": -0.1}, {}, r"scaling\.rate is -0\.1"),
        ("synscal", {"rate": math.nan}, {}, r"scaling\.rate is nan"),
        ("synscal", {"rate": "0.1"}, {}, r"scaling\.rate is '0\.1'"),
        ("synscaw", {"rule": "w3"}, {}, r"in \[scaling\], rule 'w3' is unknown"),
        ("synscaw", {"granularity": "neurons"}, {}, "did you mean 'neuron'"),
        ("synscaw", {"target": "torch:tahn"}, {}, "torch has no 'tahn' for the scaling.target.*; did you mean 'tan"),
        ("synscaw", {"target": "torch:pi"}, {}, "is no function, but of the type float"),
        ("synscaw", {"activation": "no_such_module_at_all:f"}, {}, "there is no module 'no_such_module_at_all'"),
        ("synscaw", {"activation": {"*": "torch:a b"}}, {}, "accepted: package.module:name"),
        ("synscaw", {"activation": "relu"}, {}, "activation 'relu' is unknown"),
        ("dropout", {}, {"dropout_hidden": 1.0}, r"regularizers\.dropout_hidden is 1\.0"),
        ("label-smoothing", {}, {"smoothing": 2}, "smoothing is 2"),
        ("confidence-penalty", {}, {"penalty": -1}, "penalty's weight is -1"),
        ("vib", {}, {"vib_latent": 0}, r"regularizers\.vib_latent is 0"),
        ("vib", {}, {"vib_beta": -1.0}, r"regularizers\.vib_beta is -1\.0"),
    ],
)
def test_parameters_are_all_checked_at_once(name, scaling, regularizers, text):
    with pytest.raises(InputError, match=text):
        parse_method(name, scaling=scaling, regularizers=regularizers)


def test_parameters_of_other_methods_are_passed_over_at_their_defaults():
    defaults = {key: value for part in METHODS.values() for key, value in part.parameters.items()}
    scaling = {key: defaults[key] for key in METHODS["synscaw"].parameters}
    regularizers = {key: defaults[key] for name in REGULARIZERS for key in METHODS[name].parameters}
    for name in METHODS:
        method = parse_method(name, scaling=scaling, regularizers=regularizers)
        assert set(method.regularizers) <= set(METHODS[name].parameters)


def test_a_grid_over_methods_gives_each_its_own_parameters():
    scaling, regularizers = {"rate": 0.03, "rule": "w2"}, {"penalty": 0.1}
    points = {
        name: own_parameters(name, scaling=scaling, regularizers=regularizers)
        for name in ("baseline", "synscal", "synscaw+confidence-penalty", "confidence-penalty")
    }
    assert points == {
        "baseline": ({}, {}),
        "synscal": ({"rate": 0.03}, {}),
        "synscaw+confidence-penalty": ({"rate": 0.03, "rule": "w2"}, {"penalty": 0.1}),
        "confidence-penalty": ({}, {"penalty": 0.1}),
    }
    for name, (own_scaling, own_regularizers) in points.items():
        parse_method(name, scaling=own_scaling, regularizers=own_regularizers)
    with pytest.raises(InputError, match="no parameter"):
        own_parameters("baseline", scaling={"rat": 0.03})


def test_method_is_frozen_and_parsing_draws_nothing():
    before, given = torch.get_rng_state(), {"rate": 0.03}
    method = parse_method("synscaw", scaling=given)
    given["rate"] = 1.0
    assert method.scaling["rate"] == 0.03
    with pytest.raises(TypeError):
        method.scaling["rate"] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        method.name = "baseline"
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "classes", "text"),
    [
        ("label-smoothing", None, "about probabilities of classes"),
        ("synscaw+confidence-penalty", None, "'confidence-penalty' is about probabilities"),
        ("synscal", None, "'synscal-regression' is for these"),
        ("synscal-regression", 10, "is for real labels"),
    ],
)
def test_labels_that_a_method_cannot_use_are_refused(name, classes, text):
    with pytest.raises(InputError, match=text):
        parse_method(name).check_labels(classes)


def test_other_methods_take_either_kind_of_label():
    for name in ("baseline", "dropout", "vib", "synscaw", "synscaw-official+dropout"):
        parse_method(name).check_labels(None)
        parse_method(name).check_labels(10)
    parse_method("synscal-regression").check_labels(None)
