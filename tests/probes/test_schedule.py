import pickle

import pytest

from infoplane.errors import InputError
from infoplane.probes.schedule import every, log_spaced, never, schedule


def due(rule, stop):
    return [count for count in range(stop) if rule.due(count)]


def test_every_n_is_due_at_zero_and_at_the_multiples():
    assert due(every(4), 13) == [0, 4, 8, 12]
    assert due(every(1), 4) == [0, 1, 2, 3]


@pytest.mark.parametrize("per_decade", [1, 2, 3, 7, 10, 25])
def test_log_spaced_is_due_at_zero_and_at_the_distinct_rounded_powers(per_decade):
    powers = {round(10 ** (k / per_decade)) for k in range(4 * per_decade + 1)}
    assert due(log_spaced(per_decade), 10_001) == sorted({0, *powers})


def test_log_spaced_by_hand():
    assert due(log_spaced(), 25) == [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20]
    assert due(log_spaced(1), 2000) == [0, 1, 10, 100, 1000]


def test_log_spaced_is_right_at_large_counts_too():
    rule = log_spaced(3)
    for k in range(12, 40):
        count = round(10 ** (k / 3))
        assert rule.due(count)
        assert not rule.due(count - 1)
        assert not rule.due(count + 1)


def test_by_hand_is_never_due():
    assert due(never, 1000) == []


def test_values_are_read_as_rules():
    assert schedule(None) == never
    assert schedule(100) == every(100)
    assert schedule(log_spaced(5)) == log_spaced(5)


def test_descriptions_are_what_a_file_says():
    assert [schedule(v).description for v in (100, log_spaced(), None)] == [
        "every 100",
        "log-spaced, 10 per decade",
        "by hand",
    ]


def test_rules_survive_a_pickle():
    for rule in (every(3), log_spaced(4), never):
        assert pickle.loads(pickle.dumps(rule)) == rule


@pytest.mark.parametrize("value", [True, 2.0, "epoch", [1]])
def test_what_is_no_schedule_is_refused(value):
    with pytest.raises(InputError, match="is no schedule"):
        schedule(value)


@pytest.mark.parametrize("make", [every, log_spaced, schedule])
def test_spacings_below_one_are_refused(make):
    with pytest.raises(InputError, match="is 0, but it must be a whole number of at least 1"):
        make(0)
