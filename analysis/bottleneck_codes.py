"""Codes that minimise I(X;T) - beta I(T;Y) for a joint table, for several betas at once.

    p(t|x) = p(t) exp[-beta KL(p(y|x) || p(y|t))] / Z(x, beta),    p(t) = sum_x p(x) p(t|x),
    p(y|t) = sum_x p(y|x) p(t|x) p(x) / p(t)

are iterated in turn (Tishby, Pereira & Bialek 1999, physics/0004057), as in the algorithm of Blahut and Arimoto; each
round lowers the functional. The functional is not convex, so an iteration may end short of the minimum. With codewords
q = p(x|t) it is H(X) - beta H(Y) + sum_t p(t) phi(q_t), phi(q) = beta H(Y|q) - H(X|q), and for any l(x)

    minimum >= H(X) - beta H(Y) + sum_x p(x) l(x) + min_q [phi(q) - sum_x q(x) l(x)].

A stationary code gives l = log p(x) - log sum_t p(t) exp[beta sum_y p(y|x) log p(y|t)], with a bracket of 0 at its own
codewords; one further codeword q is sought from every input. If none makes the bracket negative, the code is optimal;
if one does, it is worth adding. That search is local, and all that the certificate leaves open.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, logsumexp, softmax

Floats = NDArray[np.float64]

_TINY = 1e-300  # stands for a probability of 0 in a logarithm
_STALLED = 1e-4  # of the tolerance, by which the functional must fall in _PACE rounds for the iteration to go on
_PACE = 25
_ROUNDS = 5000
_ADDITIONS = 10


@dataclass(frozen=True, eq=False)
class Source:
    """A variable X and what it says about Y.

    Attributes
    ----------
    p : numpy.ndarray
        Shape (S,): p(x), positive.
    given : numpy.ndarray
        Shape (S, Y): p(y|x).
    """

    p: Floats
    given: Floats

    @property
    def h_x(self) -> float:
        """H(X) in nats."""
        return float(entr(self.p).sum())

    @property
    def h_y(self) -> float:
        """H(Y) in nats."""
        return float(entr(self.p @ self.given).sum())

    @property
    def i_xy(self) -> float:
        """I(X;Y) in nats."""
        return self.h_y - float(self.p @ entr(self.given).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes, one for each beta.

    Attributes
    ----------
    encoders : numpy.ndarray
        Shape (B, S, T): p(t|x).
    i_xt, i_ty : numpy.ndarray
        Shape (B,), in nats.
    floor : numpy.ndarray
        Shape (B,), in nats: no code has a smaller I(X;T) - beta I(T;Y), by the certificate above.
    """

    encoders: Floats
    i_xt: Floats
    i_ty: Floats
    floor: Floats


def best_codes(source: Source, betas: Floats, starts: Floats, *, tolerance: float) -> Codes:
    """Return the best code found for each beta.

    Parameters
    ----------
    source : Source
        X and p(y|x).
    betas : numpy.ndarray
        Shape (B,), positive.
    starts : numpy.ndarray
        Shape (B, R, S, T): encoders p(t|x) to start from; the one whose functional ends lowest counts.
    tolerance : float
        In nats of I(T;Y): a code whose functional may be more than beta times this above the minimum is given the
        further codeword and iterated again, some ten times at most.

    Returns
    -------
    Codes
        With the floor that tells how far they may be from the best.
    """
    runs = starts.shape[1]
    encoders = _descend(source, np.repeat(betas, runs), starts.reshape(-1, *starts.shape[2:]), tolerance)
    i_xt, i_ty = informations(source, encoders)
    lowest = np.argmin((i_xt - np.repeat(betas, runs) * i_ty).reshape(-1, runs), axis=1)
    encoders = encoders[np.arange(betas.size) * runs + lowest]
    floor, codeword = _certificate(source, betas, encoders, tolerance)
    for _ in range(_ADDITIONS):
        i_xt, i_ty = informations(source, encoders)
        open_ = np.flatnonzero(i_xt - betas * i_ty - floor > tolerance * betas)
        if not open_.size:
            break
        extended = _with_codeword(source, encoders[open_], codeword[open_])
        encoders[open_] = _descend(source, betas[open_], extended, tolerance)
        floors, codeword[open_] = _certificate(source, betas[open_], encoders[open_], tolerance)
        floor[open_] = np.maximum(floor[open_], floors)
    i_xt, i_ty = informations(source, encoders)
    return Codes(encoders, i_xt, i_ty, floor)


def informations(source: Source, encoders: Floats) -> tuple[Floats, Floats]:
    """Return I(X;T) and I(T;Y) in nats, shape (B,) each, of encoders of shape (B, S, T)."""
    of_t = source.p @ encoders
    h_t = entr(of_t).sum(axis=-1)
    h_t_given_x = entr(encoders).sum(axis=-1) @ source.p
    joint = np.swapaxes(encoders, -1, -2) @ (source.p[:, None] * source.given)
    return h_t - h_t_given_x, h_t + source.h_y - entr(joint).sum(axis=(-1, -2))


def _logits(source: Source, betas: Floats, encoders: Floats) -> Floats:
    """Return log p(t) + beta sum_y p(y|x) log p(y|t), shape (B, S, T)."""
    joint = np.swapaxes(encoders, -1, -2) @ (source.p[:, None] * source.given)
    of_t = joint.sum(axis=-1)
    log_given = np.log(np.maximum(joint, _TINY)) - np.log(np.maximum(of_t, _TINY))[..., None]
    logits: Floats = betas[:, None, None] * (source.given @ np.swapaxes(log_given, -1, -2))
    logits += np.log(np.maximum(of_t, _TINY))[:, None, :]
    return logits


def _descend(source: Source, betas: Floats, encoders: Floats, tolerance: float) -> Floats:
    """Return the encoders iterated until the functional stalls."""
    encoders = encoders.copy()
    active = np.arange(betas.size)
    before = np.full(betas.size, np.inf)
    for _ in range(_ROUNDS // _PACE):
        moving, beta = encoders[active], betas[active]
        for _ in range(_PACE):
            moving = softmax(_logits(source, beta, moving), axis=-1)
        encoders[active] = moving
        i_xt, i_ty = informations(source, moving)
        now = i_xt - beta * i_ty
        falling = before[active] - now > _STALLED * tolerance * beta
        before[active] = now
        active = active[falling]
        if not active.size:
            break
    return encoders


def _with_codeword(source: Source, encoders: Floats, codeword: Floats) -> Floats:
    """Return the encoders with `codeword`, p(x|t) of shape (B, S), in the place of one of the two most alike."""
    rows = np.arange(len(encoders))
    of_t = source.p @ encoders
    words = source.p[:, None] * encoders / np.maximum(of_t, _TINY)[:, None, :]
    products = np.swapaxes(words, -1, -2) @ words
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    apart = squares[:, :, None] + squares[:, None, :] - 2 * products
    weights = 1 / np.maximum(of_t, _TINY)
    cost = apart / (weights[:, :, None] + weights[:, None, :]) + np.where(np.eye(of_t.shape[1]), np.inf, 0)
    kept, freed = np.divmod(cost.reshape(len(rows), -1).argmin(axis=1), of_t.shape[1])
    extended = encoders.copy()
    extended[rows, :, kept] += encoders[rows, :, freed]
    share = codeword / source.p
    share *= 0.5 / share.max(axis=-1, keepdims=True)
    extended *= (1 - share)[..., None]
    extended[rows, :, freed] = share
    return extended


def _certificate(source: Source, betas: Floats, encoders: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """Return the floor of the functional and the further codeword that decided it."""
    of_x = np.log(source.p) - logsumexp(_logits(source, betas, encoders), axis=-1)
    symbols = source.p.size
    near_inputs = 0.99 * np.eye(symbols) + 0.01 * source.p
    q = np.broadcast_to(np.vstack([near_inputs, source.p]), (betas.size, symbols + 1, symbols))
    before = np.full(q.shape[:2], np.inf)
    for _ in range(_ROUNDS // _PACE):
        for _ in range(_PACE):
            log_y = np.log(np.maximum(q @ source.given, _TINY))
            heights = of_x[:, None, :] + betas[:, None, None] * (log_y @ source.given.T)
            q = softmax(heights, axis=-1)
        now = -logsumexp(heights, axis=-1)
        if np.all(before - now < _STALLED * tolerance * betas[:, None]):
            break
        before = now
    bracket = betas[:, None] * entr(q @ source.given).sum(axis=-1) - entr(q).sum(axis=-1)
    bracket -= (q * of_x[:, None, :]).sum(axis=-1)
    lowest = np.argmin(bracket, axis=1)
    rows = np.arange(betas.size)
    floor = source.h_x - betas * source.h_y + of_x @ source.p + bracket[rows, lowest]
    return floor, q[rows, lowest]
