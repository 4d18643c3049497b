"""Power: the noncentral t law where there are seeds alone, simulation where there are images."""

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import detectable_effect, paired_seeds, power, seeds_needed


def noncentral(effect, seeds, level=0.95):
    limit = stats.t.isf((1 - level) / 2, seeds - 1)
    return stats.nct.sf(limit, seeds - 1, effect * seeds**0.5)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_power_of_seeds_alone_is_that_of_the_paired_t_test(seeds, level):
    for effect in (0.2, 1.0, 3.0):
        assert power(effect, seeds, level=level) == pytest.approx(noncentral(effect, seeds, level), abs=1e-5)
        assert power(0.7 * effect, seeds, deviation=0.7, level=level) == pytest.approx(
            power(effect, seeds, level=level)
        )


@pytest.mark.parametrize(("seeds", "effect"), [(3, 3.3), (5, 1.7), (10, 1.0)])
def test_few_seeds_detect_only_large_effects(seeds, effect):
    found = detectable_effect(seeds)
    assert round(found, 1) == effect
    assert noncentral(found, seeds) == pytest.approx(0.8, abs=1e-5)


def test_a_difference_of_seven_hundredths_needs_thirteen_seeds():
    assert seeds_needed(0.07, deviation=0.08) == 13
    assert noncentral(0.07 / 0.08, 13) > 0.8 > noncentral(0.07 / 0.08, 12)


def test_images_bound_what_seeds_can_find():
    alone = seeds_needed(1.0, deviation=1.0)
    with_images = seeds_needed(1.0, deviation=1.0, image_error=0.2)
    assert alone < with_images
    # z_0.025 + z_0.2 = 2.80 errors of the images are found by infinitely many seeds at best.
    assert seeds_needed(1.0, deviation=1.0, image_error=0.36) is None
    assert seeds_needed(1.0, deviation=1.0, image_error=0.35) is not None


@pytest.mark.parametrize(("of_seed", "of_image", "rest"), [(1.0, 3.0, 2.0), (0.0, 0.0, 6.0)])
def test_power_with_images_is_how_often_the_interval_excludes_0(of_seed, of_image, rest):
    rng, seeds, images, effect = np.random.default_rng(0), 5, 60, 1.3
    excluded = []
    for _ in range(1500):
        noise = rng.normal(0, of_seed, (seeds, 1)) + rng.normal(0, of_image, images)
        table = effect + noise + rng.normal(0, rest, (seeds, images))
        excluded.append(paired_seeds(np.zeros_like(table), table).interval()[0] > 0)
    floor = rest / images**0.5
    known = {"deviation": (of_seed**2 + floor**2) ** 0.5, "image_error": of_image / images**0.5, "floor": floor}
    assert power(effect, seeds, **known) == pytest.approx(np.mean(excluded), abs=0.035)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((0.0, 5), {}, "effect is 0.0"),
        ((1.0, 1), {}, "seeds is 1"),
        ((1.0, 5), {"deviation": -1.0}, "deviation is -1.0"),
        ((1.0, 5), {"image_error": -0.1}, "image_error is -0.1"),
        ((1.0, 5), {"floor": float("nan")}, "floor is nan"),
        ((1.0, 5), {"level": 1.0}, "level is 1.0"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, options, says):
    with pytest.raises(InputError, match=says):
        power(*arguments, **options)


def test_share_is_between_0_and_1():
    with pytest.raises(InputError, match="share is 1"):
        detectable_effect(5, share=1)
    with pytest.raises(InputError, match="share is 0"):
        seeds_needed(1.0, deviation=1.0, share=0)
    assert detectable_effect(5, share=0.5) < detectable_effect(5, share=0.9)
