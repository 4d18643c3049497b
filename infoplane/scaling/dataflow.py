"""Which activation function follows each layer of a network, read off the way of its tensors.

Synaptic scaling compares the mean of phi(Wx + b) with its target (Hofmann and Mäder 2022, Eq. 15), so it needs the phi
of each layer. From the layer's output the traced forward is followed to the first element-wise activation, past
normalisation, dropout, pooling and changes of shape. Sums with other branches (a residual connection) are passed, too,
but what is met before a sum counts before what is met behind it. Where another layer or the output comes first, phi is
the identity. What cannot be decided is refused, never guessed.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import fx, nn

from infoplane.probes.bottleneck import VIBBottleneck
from infoplane.scaling.activations import IDENTITY, Activation, as_activation
from infoplane.scaling.operations import activation_of, is_linear, is_product, kind_of, shown
from infoplane.scaling.skeleton import Traced


@dataclass(frozen=True)
class Following:
    """What follows one layer.

    Attributes
    ----------
    phi : Activation or None
        The activation, None where it cannot be told.
    why : str
        Then, why it cannot.
    is_output : bool
        Whether the layer's output is the network's, activations aside.
    """

    phi: Activation | None
    why: str = ""
    is_output: bool = False


def following_in_graph(trace: Traced, module: nn.Module) -> Following | None:
    """Return what follows a layer in a traced network; None if the forward calls it in no way that is known."""
    nodes = [n for n in trace.graph.nodes if n.op == "call_module" and trace.modules.get(str(n.target)) is module]
    nodes = nodes or _calls_with_its_weight(trace, module)
    if not nodes:
        return _inside_of_attention(trace, module) or _inside_of_a_module(trace, module)
    found = [_follow(node, trace.modules) for node in nodes]
    unclear = next((each for each in found if each.phi is None), None)
    if unclear is not None:
        return unclear
    phis = [each.phi for each in found if each.phi is not None]
    if not _are_one(phis):
        return Following(None, f"it is called {len(found)} times, followed by {' and by '.join(p.name for p in phis)}")
    return Following(found[0].phi, is_output=any(each.is_output for each in found))


def last_called(trace: Traced, modules: dict[str, nn.Module]) -> str | None:
    """Return the name of the layer, among `modules`, that the forward calls last."""
    by_id = {id(module): name for name, module in modules.items()}
    called = [
        by_id[id(trace.modules[str(node.target)])]
        for node in trace.graph.nodes
        if node.op == "call_module" and id(trace.modules.get(str(node.target))) in by_id
    ]
    return called[-1] if called else None


def _follow(start: fx.Node, modules: dict[str, nn.Module]) -> Following:
    way = _Way(modules)
    waiting: deque[tuple[fx.Node, int]] = deque([(start, 0)])
    seen = {start}
    way.own.add(start)
    while waiting:
        node, merges = waiting.popleft()  # in the order of the number of merges
        if way.ends and merges > way.nearest:
            break
        for user in node.users:
            kind = kind_of(user, modules)
            if kind == "shape" or user in seen:
                continue
            if kind in ("pass", "split", "number"):
                seen.add(user)
                way.pass_by(user, kind, merges)
                waiting.appendleft((user, merges))
            elif kind == "merge":
                seen.add(user)
                waiting.append((user, merges + 1))
            elif not way.ends or merges <= way.nearest:
                way.ends.append((kind, user))
                way.nearest = merges
    return way.decide()


@dataclass
class _Way:
    """What was met between a layer and the first ends, after as few merges with other branches as there can be."""

    modules: dict[str, nn.Module]
    ends: list[tuple[str, fx.Node]] = field(default_factory=list)
    nearest: int = 0
    own: set[fx.Node] = field(default_factory=set)  # what the layer gives, before any other branch comes in
    splits: list[fx.Node] = field(default_factory=list)
    numbers: list[fx.Node] = field(default_factory=list)

    def pass_by(self, node: fx.Node, kind: str, merges: int) -> None:
        if merges == 0:
            self.own.add(node)
        if kind == "split":
            self.splits.append(node)
        if kind == "number":
            self.numbers.append(node)

    def decide(self) -> Following:
        active = [node for kind, node in self.ends if kind == "activation"]
        unknown = [node for kind, node in self.ends if kind == "unknown"]
        layers = [node for kind, node in self.ends if kind == "layer"]
        if unknown:
            return Following(None, f"{self._shown(unknown[0])} follows it")
        if not active:
            return Following(IDENTITY, is_output=self.nearest == 0 and any(n.op == "output" for _, n in self.ends))
        first = self._shown(active[0])
        phis = [activation_of(node, self.modules) for node in active]
        why = ""
        if not _are_one(phis):
            why = f"{' and '.join(phi.name for phi in phis)} all follow it"
        elif layers:
            why = f"{first} and {self._shown(layers[0])} both follow it"
        elif any(self._gates(node) for node in active):
            why = f"{first} gates the layer's own output"
        elif self.splits:
            why = f"{first} follows a part of its output"
        elif self.numbers:
            why = f"{self._shown(self.numbers[0])} with a number stands before {first}"
        if why:
            return Following(None, why)
        return Following(
            phis[0], is_output=self.nearest == 0 and any(self._reaches(node, _is_output) for node in active)
        )

    def _gates(self, active: fx.Node) -> bool:
        return self._reaches(active, lambda node: is_product(node) and any(n in self.own for n in node.all_input_nodes))

    def _reaches(self, start: fx.Node, wanted: Callable[[fx.Node], bool]) -> bool:
        """Whether the way from `start` past changes of shape and arithmetic with numbers meets a node like this."""
        waiting, seen = [start], {start}
        while waiting:
            for user in waiting.pop().users:
                if wanted(user):
                    return True
                if user not in seen and kind_of(user, self.modules) in ("pass", "number"):
                    seen.add(user)
                    waiting.append(user)
        return False

    def _shown(self, node: fx.Node) -> str:
        return shown(node, self.modules)


def _are_one(phis: Sequence[Activation]) -> bool:
    """Whether these activations are the same function, under whatever name: they give the same numbers."""
    values = torch.linspace(-4.0, 4.0, 65, dtype=torch.float64)[:, None]
    try:
        with torch.no_grad():
            return all(torch.equal(phi(values), phis[0](values)) for phi in phis[1:])
    except (RuntimeError, NotImplementedError):  # one that has a parameter for every neuron
        return False


def _is_output(node: fx.Node) -> bool:
    return node.op == "output"


def _calls_with_its_weight(trace: Traced, module: nn.Module) -> list[fx.Node]:
    """Return the calls of linear and convolution functions that are given the weight of a layer."""
    return [user for node, user in _uses(trace, module) if is_linear(user) and node in user.args[1:2]]


def _inside_of_attention(trace: Traced, module: nn.Module) -> Following | None:
    """Return what follows the two layers whose weights a Swin transformer of torchvision gives to one function."""
    for node, user in _uses(trace, module):
        if str(getattr(user.target, "__name__", "")).startswith("shifted_window_attention"):
            return _follow(user, trace.modules) if node in user.args[2:3] else Following(IDENTITY)
    return None


def _uses(trace: Traced, module: nn.Module) -> list[tuple[fx.Node, fx.Node]]:
    """Return the nodes that read the weight of a layer, each with a node that uses it."""
    names = {f"{name}.weight" for name, known in trace.modules.items() if known is module}
    nodes = [node for node in trace.graph.nodes if node.op == "get_attr" and node.target in names]
    return [(node, user) for node in nodes for user in node.users]


def _inside_of_a_module(trace: Traced, module: nn.Module) -> Following | None:
    """Return what follows a layer inside a module that stays one node: torch's transformers, our bottleneck.

    What the encoder of a bottleneck gives is mean and spread of a code, and no activity of neurons.
    """
    for parent in trace.modules.values():
        if isinstance(parent, VIBBottleneck) and parent.encoder is module:
            return Following(IDENTITY)
        if isinstance(parent, nn.MultiheadAttention) and parent.out_proj is module:
            return Following(IDENTITY)
        if isinstance(parent, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
            if parent.linear1 is module:
                return Following(as_activation(parent.activation))
            if parent.linear2 is module:
                return Following(IDENTITY)
    return None
