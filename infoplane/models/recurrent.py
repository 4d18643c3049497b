"""Classifiers of sequences: GRU or LSTM layers, and one dense layer that reads the last step.

For sequential MNIST an input is (steps, features), for IMDB (steps,) of tokens, which an embedding turns into features.
Token 0 is padding: its embedding stays 0, and the step that is read is the last one that is not padding. Padding
belongs behind the text; what stands in front of it is read as steps of zeros.

Hofmann and Mäder (2022), appendix VII-B, state results of "GRU" and "LSTM" but neither layers nor widths nor whether
MNIST is read by rows or by pixels. (The rule of the other networks, 10 x features x classes neurons in four layers,
would be 78,400 neurons a layer for 784 features.) One layer of 128 units and embeddings of 128 numbers are our choice.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, one_of, whole_number
from infoplane.models.initial import initial_weights

_CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


def recurrent_classifier(
    cell: str,
    features: int | None,
    classes: int,
    *,
    hidden: Sequence[int] = (128,),
    vocabulary: int | None = None,
    embedding: int = 128,
    seed: int | None = None,
) -> "RecurrentClassifier":
    """Return a classifier of sequences.

    Parameters
    ----------
    cell : {"gru", "lstm"}
        Kind of the recurrent layers, torch's own.
    features : int or None
        Numbers per step; None for tokens.
    classes : int
        Number of outputs.
    hidden : sequence of int
        Units of each recurrent layer.
    vocabulary : int, optional
        Number of tokens, padding (token 0) included: inputs are then whole numbers below it.
    embedding : int
        Numbers per token.
    seed : int, optional
        Of the initial weights; as in `infoplane.models.mlp`.

    Raises
    ------
    InputError
        When an argument is out of range, or not exactly one of `features` and `vocabulary` is given.
    """
    one_of("cell", cell, _CELLS)
    if (features is None) == (vocabulary is None):
        raise InputError(
            f"features is {features!r} and vocabulary {vocabulary!r}, but exactly one is needed: numbers per step, or "
            "the number of tokens"
        )
    if isinstance(hidden, str) or not isinstance(hidden, Sequence) or not hidden:
        raise InputError(f"hidden is {hidden!r}, but a recurrent network takes the units of each layer, such as (128,)")
    widths = [whole_number("a width of hidden", width, least=1) for width in hidden]
    classes, embedding = whole_number("classes", classes, least=1), whole_number("embedding", embedding, least=1)
    features = None if features is None else whole_number("features", features, least=1)
    vocabulary = None if vocabulary is None else whole_number("vocabulary", vocabulary, least=2)
    with initial_weights(seed):
        network = RecurrentClassifier(cell, features, classes, widths, vocabulary, embedding)
    return network.to(torch.get_default_device())


class RecurrentClassifier(nn.Module):
    """What `recurrent_classifier` makes; its modules are `embedding`, `recurrent1`, ..., `last` and `output`.

    Each recurrent layer is a module of one layer: the sequences that it gives are the site ``"recurrent1[0]"``. The
    site ``"last"`` is the code that the dense layer reads, one row per input.
    """

    def __init__(
        self,
        cell: str,
        features: int | None,
        classes: int,
        hidden: Sequence[int],
        vocabulary: int | None,
        embedding: int,
    ) -> None:
        super().__init__()
        self.embedding = None if vocabulary is None else nn.Embedding(vocabulary, embedding, padding_idx=0)
        before = embedding if features is None else features
        self.features, self.layers = before, len(hidden)
        for index, width in enumerate(hidden, start=1):
            self.add_module(f"recurrent{index}", _CELLS[cell](before, width, batch_first=True))
            before = width
        self.last = LastStep()
        self.output = nn.Linear(before, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``(n, classes)``.

        `inputs` are ``(n, steps, features)``, ``(n, 1, steps, features)`` (images of one channel, read by rows), or
        whole numbers ``(n, steps)`` where there is a vocabulary.

        Raises
        ------
        InputError
            When they are neither.
        """
        if self.embedding is None:
            unpadded = None
            sequence = inputs.squeeze(1) if inputs.ndim == 4 and inputs.shape[1] == 1 else inputs
            if sequence.ndim != 3 or sequence.shape[2] != self.features or not sequence.is_floating_point():
                raise InputError(
                    f"the input is {inputs.dtype} of the shape {tuple(inputs.shape)}, but this network reads "
                    f"floating-point numbers (inputs, steps, {self.features})"
                )
        else:
            if inputs.ndim != 2 or inputs.is_floating_point() or inputs.is_complex():
                raise InputError(
                    f"the input is {inputs.dtype} of the shape {tuple(inputs.shape)}, but this network reads tokens, "
                    "whole numbers (inputs, steps)"
                )
            unpadded = inputs != 0
            sequence = self.embedding(inputs)
        for index in range(1, self.layers + 1):
            sequence, _ = self.get_submodule(f"recurrent{index}")(sequence)
        logits: Tensor = self.output(self.last(sequence, unpadded))
        return logits


class LastStep(nn.Module):
    """The last step of each sequence, or the last one that is not padding (the first where all are)."""

    def forward(self, sequence: Tensor, unpadded: Tensor | None = None) -> Tensor:
        """Return ``(n, features)`` of ``(n, steps, features)``; `unpadded` is boolean, ``(n, steps)``."""
        if unpadded is None:
            return sequence[:, -1]
        steps = torch.arange(sequence.shape[1], device=sequence.device)
        last = (steps * unpadded).amax(1)
        return sequence[torch.arange(len(sequence), device=sequence.device), last]
