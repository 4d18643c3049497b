"""The gates of recurrent layers, as synaptic scaling sees them.

A gate is a layer of neurons with one activation: its neurons receive the input x and the former hidden state h, so
that the activity of a gate is::

    phi(W_ih x + b_ih + W_hh h + b_hh)                phi: sigmoid for gates, tanh (or ReLU) for candidates
    tanh(W_in x + b_in + r (W_hn h + b_hn))           the candidate of a GRU, r its reset gate

Both weight matrices and both biases drive it, whichever of the two the rule changes. Noise (Hofmann and Mäder 2022,
Eq. 16) stands for x and for h alike. The paper scales recurrent networks and does not say what it takes for their
activity; this is our reading.

Reports name the gates of layer 0 ``lstm.l0[i]`` where both matrices are scaled, ``lstm.weight_hh_l0[i]`` where only
one is; the reverse direction is ``lstm.l0_reverse[i]``, and a cell ``cell[i]``.
"""

import torch
from torch import Tensor, nn

from infoplane.scaling.activations import Activation
from infoplane.scaling.synapses import Part, Synapses

RECURRENT: tuple[type[nn.Module], ...] = (nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell)
_SIGMOID = Activation("sigmoid", torch.sigmoid)
_TANH = Activation("tanh", torch.tanh)
_RELU = Activation("relu", torch.relu)


def suffixes(module: nn.Module) -> list[str]:
    """Return how the weights of each layer and direction of a recurrent module end: ``["_l0", "_l0_reverse"]``."""
    return [
        name.removeprefix("weight_ih") for name, _ in module.named_parameters(recurse=False) if name[:9] == "weight_ih"
    ]


def matrices(module: nn.Module) -> list[str]:
    """Return the names of the weights of a recurrent module that can be scaled."""
    return [f"weight_{side}{suffix}" for suffix in suffixes(module) for side in ("ih", "hh")]


def of_gates(name: str, module: nn.Module, scaled: set[str]) -> list[Synapses]:
    """Return one layer of neurons for each gate that has weights in `scaled`, names as `matrices` gives them."""
    gates = _gates(module)
    found: list[Synapses] = []
    for suffix in suffixes(module):
        chosen = [side for side in ("ih", "hh") if f"weight_{side}{suffix}" in scaled]
        if not chosen:
            continue
        inside = suffix.removeprefix("_") if len(chosen) == 2 else f"weight_{chosen[0]}{suffix}"
        label = ".".join(piece for piece in (name, inside) if piece)
        for index, (letter, phi) in enumerate(gates):
            rows = _rows(module, index)
            parts = tuple(
                Part(module.get_parameter(f"weight_{side}{suffix}"), rows, scaled=side in chosen)
                for side in ("ih", "hh")
            )
            found.append(
                Synapses(f"{label}[{letter}]", name, module, phi, parts, _Drive(module, suffix, letter, index))
            )
    return found


class _Drive:
    """What a gate's neurons receive; reads the biases when it is called."""

    def __init__(self, module: nn.Module, suffix: str, letter: str, index: int) -> None:
        self.module, self.suffix, self.index = module, suffix, index
        self.is_candidate = isinstance(module, nn.GRU | nn.GRUCell) and letter == "n"

    def __call__(self, rows: Tensor, weights: Tensor, neurons: slice) -> Tensor:
        split = self.module.get_parameter(f"weight_ih{self.suffix}").shape[1]
        x, h = rows[:, :split], rows[:, split:]
        of_input = nn.functional.linear(x, weights[:, :split], self._own("bias_ih", rows, neurons))
        of_state = nn.functional.linear(h, weights[:, split:], self._own("bias_hh", rows, neurons))
        if self.is_candidate:
            of_state = of_state * self._reset(x, h, neurons)
        return of_input + of_state

    def _reset(self, x: Tensor, h: Tensor, neurons: slice) -> Tensor:
        """Return the values of a GRU's reset gate, the first of its gates, for the same rows."""

        def received(values: Tensor, side: str) -> Tensor:
            weight = self._own(f"weight_{side}", values, neurons, index=0)
            assert weight is not None
            return nn.functional.linear(values, weight, self._own(f"bias_{side}", values, neurons, index=0))

        return torch.sigmoid(received(x, "ih") + received(h, "hh"))

    def _own(self, kind: str, like: Tensor, neurons: slice, *, index: int | None = None) -> Tensor | None:
        values = self.module._parameters.get(f"{kind}{self.suffix}")
        if values is None:
            return None
        return values.detach()[_rows(self.module, self.index if index is None else index)][neurons].to(like)


def _gates(module: nn.Module) -> list[tuple[str, Activation]]:
    # In the order in which torch stacks their weights.
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        return [("i", _SIGMOID), ("f", _SIGMOID), ("g", _TANH), ("o", _SIGMOID)]
    if isinstance(module, nn.GRU | nn.GRUCell):
        return [("r", _SIGMOID), ("z", _SIGMOID), ("n", _TANH)]
    return [("h", _RELU if module.nonlinearity == "relu" else _TANH)]


def _rows(module: nn.Module, index: int) -> slice:
    size = int(module.hidden_size)  # type: ignore[arg-type]
    return slice(index * size, (index + 1) * size)
