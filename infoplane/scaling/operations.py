"""What the functions that a forward calls between its layers are, for finding the activation behind a layer."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, fx, nn

from infoplane.scaling.activations import ELEMENTWISE, PASSED_OVER, Activation, as_activation


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Element-wise activations by the names of their functions and methods.
_ACTIVATIONS = _names(
    "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid log_sigmoid mish relu relu6 selu "
    "sigmoid silu softplus softshrink softsign special_expit tanh tanhshrink threshold clamp clamp_min clamp_max "
    "clip"
)
_PASSED_OVER = _names(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout stochastic_depth "
    "batch_norm instance_norm layer_norm group_norm rms_norm local_response_norm normalize "
    "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d adaptive_avg_pool1d "
    "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
    "flatten unflatten view view_as reshape reshape_as permute transpose swapaxes swapdims movedim moveaxis t "
    "contiguous squeeze unsqueeze expand expand_as repeat repeat_interleave tile roll flip pad getitem select narrow "
    "index_select gather mean sum amax amin max min to type type_as float half bfloat16 double clone detach "
    "interpolate pixel_shuffle pixel_unshuffle channel_shuffle upsample"
)
# Functions of torchvision that are traced as one: dropout of blocks, padding, and a table laid out in two dimensions.
_OF_TORCHVISION = _names("stochastic_depth _patch_merging_pad _get_relative_position_bias")
_MERGES = _names(
    "add iadd radd sub isub rsub subtract mul imul rmul multiply truediv itruediv div divide cat concat concatenate "
    "stack hstack vstack addcmul addcdiv lerp"
)
_JOINTS = _names("cat concat concatenate stack hstack vstack")
_SPLITS = _names("chunk split split_with_sizes tensor_split unbind unsafe_chunk unsafe_split")
_LAYERS = _names(
    "matmul imatmul mm bmm einsum baddbmm addmm addbmm mv dot inner outer linear bilinear embedding conv1d conv2d "
    "conv3d conv_transpose1d conv_transpose2d conv_transpose3d scaled_dot_product_attention "
    "multi_head_attention_forward"
)
_ENDS = _names(
    "softmax log_softmax softmin gumbel_softmax logsumexp argmax topk cross_entropy nll_loss mse_loss l1_loss "
    "smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div"
)
_ABOUT_SHAPES = _names("size dim numel ndimension getattr _assert eq ne len is_contiguous stride")
_PASSED_OVER_FILES = frozenset(
    f"torch.nn.modules.{kind}" for kind in ("padding", "upsampling", "pixelshuffle", "channelshuffle", "flatten")
)
_END_MODULES: tuple[type[nn.Module], ...] = (nn.Softmax, nn.LogSoftmax, nn.Softmin, nn.Softmax2d)


def kind_of(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    """Return what a node of a graph does with its input.

    Returns
    -------
    str
        ``activation``; ``pass`` (shape, normalisation, dropout, pooling); ``number`` (arithmetic with a number or a
        parameter); ``merge`` (with another tensor); ``split``; ``layer`` (weights of its own, or products of
        activations); ``end`` (the output, or what is no activation of single neurons); ``shape`` (it asks for shapes
        only); ``unknown``.
    """
    if node.op == "output":
        return "end"
    if node.op == "call_module":
        return _kind_of_module(modules[str(node.target)])
    name, is_known = _name(node)
    if name in _ABOUT_SHAPES:
        return "shape"
    if isinstance(node.target, type) and issubclass(node.target, tuple):
        return "pass"  # a named tuple around it
    if not is_known:
        # A function with weights among its arguments is a layer, whatever it does in detail.
        return "layer" if any(_is_weight(given, modules) for given in node.all_input_nodes) else "unknown"
    if name in _ACTIVATIONS:
        # A slope or bound that the forward computes has no value here.
        return "activation" if node.all_input_nodes == [_first(node)] else "unknown"
    for kind, names in (
        ("pass", _PASSED_OVER | _OF_TORCHVISION),
        ("split", _SPLITS),
        ("layer", _LAYERS),
        ("end", _ENDS),
    ):
        if name in names:
            return kind
    if name in _MERGES:
        return "merge" if len(_tensors(node)) > 1 else "pass" if name in _JOINTS else "number"
    return "unknown"


def activation_of(node: fx.Node, modules: dict[str, nn.Module]) -> Activation:
    """Return the activation that a node of kind ``activation`` applies."""
    if node.op == "call_module":
        return as_activation(modules[str(node.target)])
    rest, keywords = node.args[1:], {key: value for key, value in node.kwargs.items() if key != "input"}
    name, _ = _name(node)
    function: Callable[..., Any] = (
        getattr(Tensor, str(node.target)) if node.op == "call_method" else node.target  # type: ignore[assignment]
    )
    return Activation(name, lambda values: function(values, *rest, **keywords))


def is_product(node: fx.Node) -> bool:
    """Whether a node multiplies two tensors with one another."""
    return node.op != "call_module" and _name(node)[0] in ("mul", "imul", "multiply") and len(_tensors(node)) > 1


def is_linear(node: fx.Node) -> bool:
    """Whether a node calls what linear layers and convolutions call, without a module."""
    return node.op == "call_function" and _name(node) in [(n, True) for n in ("linear", "conv1d", "conv2d", "conv3d")]


def shown(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    """Return how an error calls a node."""
    if node.op == "call_module":
        return f"{str(node.target)!r} ({type(modules[str(node.target)]).__name__})"
    return f"the function {_name(node)[0]}" if node.op != "output" else "the network's output"


def _kind_of_module(module: nn.Module) -> str:
    if isinstance(module, ELEMENTWISE):
        return "activation"
    if isinstance(module, (*PASSED_OVER, nn.Identity)) or type(module).__module__ in _PASSED_OVER_FILES:
        return "pass"
    if isinstance(module, _END_MODULES):
        return "end"
    return "layer" if next(module.parameters(), None) is not None else "unknown"


def _name(node: fx.Node) -> tuple[str, bool]:
    """Return the bare name of what a node calls, and whether torch or Python made it."""
    if node.op == "call_method":
        return _bare(str(node.target)), True
    name = _bare(str(getattr(node.target, "__name__", node.target)))
    origin = str(getattr(node.target, "__module__", None) or "torch").partition(".")[0]
    known = origin in ("torch", "_operator", "operator", "builtins", "math") or name in _OF_TORCHVISION
    return name, known


def _bare(name: str) -> str:
    return name.rstrip("_") if not name.startswith("__") else name.strip("_")


def _tensors(node: fx.Node) -> list[fx.Node]:
    """Return the inputs of a node that are no parameters or buffers."""
    return [given for given in node.all_input_nodes if given.op != "get_attr"]


def _is_weight(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    owner, _, name = str(node.target).rpartition(".")
    parameter = modules[owner]._parameters.get(name) if node.op == "get_attr" and owner in modules else None
    return parameter is not None and parameter.ndim > 1


def _first(node: fx.Node) -> fx.Node | None:
    given = node.args[0] if node.args else node.kwargs.get("input")
    return given if isinstance(given, fx.Node) else None
