"""Bins for activations: where their edges lie, and which bin each value falls into.

The code of a value is floor((t - low) / width), and with bins of equal mass the number of inner edges below the
value. It is a function of the value alone: equal values always share a bin, and a tie that spans several quantiles
makes one bin of them. What lies outside the range counts in the end bins and is said.

Bins fitted on one layer have its range (or one per neuron); fitted on several layers they have one range over all of
them, scope ``"global"``, and layers read with them have one resolution.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.bin_rule import MOST_BINS, BinRule, Rule
from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.row_blocks import row_blocks
from infoplane.analysis.rows import CACHED, code_groups
from infoplane.analysis.samples import SamplesLike, read_samples

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Bins:
    """Bins with their edges; made by `Bins.fit`.

    Attributes
    ----------
    rule : {"count", "width", "equal_mass"}
        How they were cut.
    scope : {"layer", "neuron", "fixed", "global"}
        Where the range comes from.
    columns : int or None
        How many columns a layer must have (scope ``"neuron"``); None for any.
    low, high, width : numpy.ndarray
        Shape (1,), or (columns,) per neuron: the ends of the range, and the width of a bin (NaN with equal mass).
    number : numpy.ndarray
        The same shape, int64: how many bins there are. With equal mass and ties it is smaller than what was asked for.
    inner : tuple of numpy.ndarray
        With equal mass, the edges between bins: one array, or one per column; else empty.
    """

    rule: Rule
    scope: str
    columns: int | None
    low: Floats
    high: Floats
    width: Floats
    number: NDArray[np.int64]
    inner: tuple[Floats, ...] = ()

    @classmethod
    def fit(cls, *layers: SamplesLike, by: BinRule | None = None, **choices: Any) -> "Bins":
        """Return bins for one layer, or shared by several.

        Parameters
        ----------
        *layers : torch.Tensor or array_like
            Shapes (n, d_l): activations. Several layers share one range (scope ``"global"``).
        by : BinRule, optional
            The rule; or give its attributes as keywords.
        **choices
            Attributes of `BinRule`.

        Raises
        ------
        InputError
            When there is no layer, an activation is not finite, several layers are to have a range per neuron, or the
            rule makes more than 2^31 bins.

        Examples
        --------
        >>> bins = Bins.fit([[0.0], [1.0]], [[4.0], [2.0]], number=4)
        >>> bins.scope, bins.codes([[0.5], [1.0], [4.0]]).ravel().tolist()
        ('global', [0, 1, 3])
        """
        known = [field.name for field in fields(BinRule)]
        for name in choices:
            if name not in known:
                raise InputError(f"bins have no {name!r}{near_names(name, known)}; they have {', '.join(known)}")
        rule = BinRule(**choices) if by is None else replace(by, **choices)
        if not layers:
            raise InputError("there is no layer to fit bins on; give at least one array of shape (n, d)")
        tables = [_activations(layer) for layer in layers]
        scope = "global" if len(tables) > 1 and rule.scope == "layer" else str(rule.scope)
        if len(tables) > 1 and scope == "neuron":
            raise InputError("scope='neuron' has a range per column of one layer; for several layers use 'layer'")
        # A range per column, or one column of everything.
        tables = tables if scope == "neuron" else [table.reshape(-1, 1) for table in tables]
        if rule.low is not None and rule.high is not None:
            low, high = np.array([float(rule.low)]), np.array([float(rule.high)])
        else:
            low = np.min([table.min(axis=0) for table in tables], axis=0)
            high = np.max([table.max(axis=0) for table in tables], axis=0)
        columns = len(low) if scope == "neuron" else None
        if rule.rule == "equal_mass":
            inner = _quantiles(np.concatenate(tables), rule.number)
            number = np.array([edges.size + 1 for edges in inner], dtype=np.int64)
            return cls(rule.rule, scope, columns, low, high, np.full(len(low), math.nan), number, inner)
        number, width = _equal_widths(low, high, rule)
        return cls(rule.rule, scope, columns, low, high, width, number)

    def codes(self, t: SamplesLike) -> NDArray[np.signedinteger[Any]]:
        """Return the bin of each activation.

        Parameters
        ----------
        t : torch.Tensor or array_like
            Shape (n, d) or (n,).

        Returns
        -------
        numpy.ndarray
            Shape (n, d), the smallest signed integers that hold them: from 0 to `number` - 1. What lies outside the
            range goes into the end bins.

        Raises
        ------
        InputError
            When an activation is not finite, or the bins are for another number of columns.
        """
        smallest = np.min_scalar_type(-int(self.number.max()))
        return np.concatenate([block.astype(smallest) for block in self._blocks(self._fitting(t))])

    def groups(self, t: SamplesLike) -> NDArray[np.int64]:
        """Return one label per row, shape (n,): 0 .. K - 1 for K different rows of `codes`, numbered anyhow.

        The codes of all rows are never held at once; parameters and errors as in `codes`.
        """
        table = self._fitting(t)
        return code_groups(self._blocks(table), columns=table.shape[1], codes=int(self.number.max()))

    def outside(self, t: SamplesLike) -> float:
        """Return the share of activations below `low` or above `high`."""
        table = self._fitting(t)
        return float(np.count_nonzero((table < self.low) | (table > self.high)) / table.size)

    def described(self) -> Mapping[str, Any]:
        """Return what a result records of them: rule, scope, ends of the range, width and number, or the edges.

        What differs between columns is a list.
        """
        ends = {name: _plain(getattr(self, name)) for name in ("low", "high", "number")}
        edges = [part.tolist() for part in self.inner]
        cut = {"edges": edges if self.columns else edges[0]} if edges else {"width": _plain(self.width)}
        return {"rule": self.rule, "scope": self.scope, **ends, **cut}

    def __repr__(self) -> str:
        least, most = int(self.number.min()), int(self.number.max())
        number = f"{most}" if least == most else f"{least} to {most}"
        return f"Bins({self.rule}, {number} bins, {self.scope}, {self.low.min():.4g} to {self.high.max():.4g})"

    def _fitting(self, t: SamplesLike) -> Floats:
        table = _activations(t)
        if self.columns not in (None, table.shape[1]):
            raise InputError(f"the layer has {table.shape[1]} columns, but these bins have ranges for {self.columns}")
        return table

    def _blocks(self, table: Floats) -> Iterator[Floats]:
        """Yield the codes of blocks of rows, as whole floats; a block lives until the next is asked for."""
        last = self.number - 1.0
        parts = row_blocks(*table.shape, entries=CACHED)
        scratch = np.empty(table[parts[0]].shape)
        for part in parts:
            values = table[part]
            codes = scratch[: len(values)]
            if self.columns and self.inner:
                for column, edges in enumerate(self.inner):
                    codes[:, column] = np.searchsorted(edges, values[:, column])
            elif self.inner:
                codes[:] = np.searchsorted(self.inner[0], values)
            else:
                np.subtract(values, self.low, out=codes)
                np.divide(codes, self.width, out=codes)
                np.floor(codes, out=codes)
                np.clip(codes, 0, last, out=codes)
            yield codes


def _quantiles(table: Floats, number: int) -> tuple[Floats, ...]:
    """Return the inner edges of bins of equal mass, for each column.

    An edge is a value itself and belongs to the bin below it, so that only the order of values matters; one at the
    maximum would part nothing.
    """
    ordered = np.sort(table, axis=0)
    number = min(number, len(ordered))  # every value has a bin of its own then
    places = -(-np.arange(1, number) * len(ordered) // number) - 1
    return tuple(np.unique(column[places][column[places] < column[-1]]) for column in ordered.T)


def _equal_widths(low: Floats, high: Floats, rule: BinRule) -> tuple[NDArray[np.int64], Floats]:
    """Return the number and the width of the bins that make up each range."""
    with np.errstate(over="ignore"):
        span = high - low
    if not np.isfinite(span).all():
        raise InputError(f"the activations span {span.max():g}, which is too wide to be cut into bins")
    if rule.width is None:
        width = span / rule.number
        return np.full(len(span), rule.number), np.where(width > 0, width, 1.0)
    # Less a rounding error, so that 0.1 goes into 0.3 three times.
    number = np.maximum(np.ceil(span / rule.width * (1 - 1e-12)), 1)
    if number.max() > MOST_BINS:
        raise InputError(f"width is {rule.width:g}, which makes {number.max():.3g} bins; at most 2^31 are possible")
    return number.astype(np.int64), np.full(len(span), float(rule.width))


def _activations(layer: SamplesLike) -> Floats:
    samples = read_samples("activations", layer)
    table: Floats = samples.values.astype(np.float64, copy=False)
    return table


def _plain(values: NDArray[Any]) -> Any:
    return values.tolist() if len(values) > 1 else values[0].item()
