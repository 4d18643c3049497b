"""Sparklines: the order of the heights is the order of the numbers, whatever they are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoplane.watch.sparkline import ASCII, BLOCKS, sparkline


def test_the_lowest_and_the_highest_have_the_lowest_and_the_highest_mark():
    assert sparkline([3.0, 1.0, 2.0], 10) == f"{BLOCKS[-1]}{BLOCKS[0]}{BLOCKS[4]}"


def test_negative_numbers_are_ordered_as_any_other():
    assert sparkline([-3.0, -1.0], 10) == f"{BLOCKS[0]}{BLOCKS[-1]}"
    assert sparkline([-1.0, 0.0, 1.0], 10) == sparkline([9.0, 10.0, 11.0], 10)


def test_a_constant_course_is_a_flat_line_in_the_middle():
    assert sparkline([2.5] * 3, 10) == BLOCKS[4] * 3


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_marked_and_does_not_change_the_others(gap):
    assert sparkline([1.0, gap, 2.0], 10) == f"{BLOCKS[0]}?{BLOCKS[-1]}"
    assert sparkline([gap, gap], 10) == "??"


def test_only_the_last_values_are_shown_and_scaled():
    assert sparkline([1000.0, 1.0, 2.0], 2) == f"{BLOCKS[0]}{BLOCKS[-1]}"
    assert sparkline([1.0], 0) == ""
    assert sparkline([], 5) == ""


def test_other_marks_serve_terminals_without_blocks():
    assert sparkline([0.0, 1.0], 5, marks=ASCII).isascii()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=30))
def test_a_higher_number_never_has_a_lower_mark(values):
    line = sparkline(values, len(values))
    marks = [BLOCKS.index(mark) for mark in line]
    for a, first in zip(values, marks, strict=True):
        for b, second in zip(values, marks, strict=True):
            assert not (a < b and first > second)
