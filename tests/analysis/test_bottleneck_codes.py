import numpy as np
import pytest

from infoplane.analysis.bottleneck_codes import Source, best_codes, informations
from infoplane.analysis.information import entropy, mutual_information


def random_source(rng, symbols, values):
    return Source(rng.dirichlet(np.ones(symbols)), rng.dirichlet(0.5 * np.ones(values), symbols))


def soft(source):
    return (0.9 * np.eye(source.p.size) + 0.1 * source.p)[None, None]


def test_informations_are_those_of_the_tables():
    rng = np.random.default_rng(0)
    source, encoders = random_source(rng, 5, 3), rng.dirichlet(np.ones(4), (2, 5))
    i_xt, i_ty = informations(source, encoders)
    for k, encoder in enumerate(encoders):
        joint = source.p[:, None] * encoder
        assert i_xt[k] == pytest.approx(mutual_information(joint, base=np.e), rel=1e-12)
        assert i_ty[k] == pytest.approx(mutual_information(joint.T @ source.given, base=np.e), rel=1e-12)
    assert source.h_x == pytest.approx(entropy(source.p, base=np.e), rel=1e-12)
    assert source.i_xy == pytest.approx(mutual_information(source.p[:, None] * source.given, base=np.e), rel=1e-12)


@pytest.mark.parametrize("beta", [1.5, 4.0, 30.0])
def test_code_satisfies_the_self_consistent_equations(beta):
    source = random_source(np.random.default_rng(1), 5, 4)
    (encoder,) = best_codes(source, np.array([beta]), soft(source), tolerance=1e-7).encoders
    of_t = source.p @ encoder
    used = of_t > 1e-12
    given_t = ((source.p[:, None] * encoder).T @ source.given)[used] / of_t[used, None]
    divergence = (source.given[:, None] * np.log(source.given[:, None] / given_t)).sum(axis=-1)
    expected = of_t[used] * np.exp(-beta * divergence)
    expected /= expected.sum(axis=1, keepdims=True)
    assert encoder[:, used] == pytest.approx(expected, abs=1e-4)


def test_floor_is_below_every_code_and_met_by_the_best():
    rng = np.random.default_rng(2)
    source, betas = random_source(rng, 5, 3), np.array([1.5, 3.0, 8.0, 40.0])
    codes = best_codes(source, betas, np.repeat(soft(source), 4, axis=0), tolerance=1e-7)
    assert codes.i_xt - betas * codes.i_ty - codes.floor == pytest.approx(0, abs=1e-6 * betas.max())
    # Random codes, and those that random starts descend to.
    i_xt, i_ty = informations(source, rng.dirichlet(0.2 * np.ones(5), (2000, 5)))
    assert ((i_xt - betas[:, None] * i_ty).min(axis=1) >= codes.floor - 1e-12).all()
    random = best_codes(source, betas, rng.dirichlet(np.ones(5), (4, 20, 5)), tolerance=1.0)
    assert (random.i_xt - betas * random.i_ty >= codes.floor - 1e-9).all()


def test_a_bad_start_is_told_and_left():
    # A code of equal words is stationary for every beta, and no longer the best beyond the first transition.
    source = random_source(np.random.default_rng(3), 4, 3)
    nothing = np.full((1, 1, 4, 4), 0.25)
    beta = np.array([20.0])
    stuck = best_codes(source, beta, nothing, tolerance=1e3)
    assert stuck.i_xt == pytest.approx(0, abs=1e-12)
    assert stuck.floor < -0.5
    freed = best_codes(source, beta, nothing, tolerance=1e-6)
    direct = best_codes(source, beta, soft(source), tolerance=1e-6)
    assert freed.i_xt - beta * freed.i_ty == pytest.approx(direct.i_xt - beta * direct.i_ty, abs=5e-5)
