"""IMDB film reviews as sequences of tokens, read from the published folder ``aclImdb/{train,test}/{pos,neg}/*.txt``.

A token is a run of letters, digits and inner apostrophes in small letters; line breaks ``<br />`` count as blanks. The
vocabulary are the most frequent tokens of the training part, and nothing of the test part: token 0 is padding, 1 every
other token, 2 the most frequent one and so on (equally frequent ones by alphabet). A review is cut after `length`
tokens, or padded with 0 at its end; one without any token is one unknown token. Hofmann and Mäder (2022) give neither
vocabulary nor length.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from infoplane.analysis.errors import whole_number
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, own_folder
from infoplane.datasets.split import split
from infoplane.errors import DatasetError

PADDING, UNKNOWN = 0, 1
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LABELS = (("neg", 0), ("pos", 1))


def load_imdb(
    root: str | os.PathLike[str] | None = None,
    *,
    vocabulary: int = 20_000,
    length: int = 256,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return IMDB: int64 tokens of shape (length,), label 1 for a positive review; as published, 25,000 in each part.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``aclImdb``, or that folder itself; see `infoplane.datasets.folders.data_folder`.
    vocabulary : int
        Number of tokens at most, padding and unknown among them.
    length : int
        Tokens per review.
    fold, split_seed
        See `infoplane.datasets.split.split`; with `fold` both parts are put together first.

    Raises
    ------
    DatasetError
        The folder is absent or incomplete.
    InputError
        An option cannot be used.
    """
    most = whole_number("vocabulary", vocabulary, least=3)
    steps = whole_number("length", length, least=1)
    folder = own_folder(root, "aclImdb", "train/pos")
    reviews: list[list[str]] = []
    labels: list[int] = []
    sizes: list[int] = []
    for part in ("train", "test"):
        before = len(labels)
        for name, label in _LABELS:
            found = _read(folder / part / name, root)
            reviews += found
            labels += [label] * len(found)
        sizes.append(len(labels) - before)
    y = np.array(labels, dtype=np.int64)
    if fold is None:
        train, test, how = np.arange(sizes[0]), np.arange(sizes[0], len(y)), "as published"
    else:
        parts = split(y, len(y), fold=fold, seed=split_seed)
        train, test, how = parts.train, parts.test, parts.said
    counts = Counter(chain.from_iterable(reviews[place] for place in train))
    frequent = sorted(counts, key=lambda token: (-counts[token], token))[: most - 2]
    numbers = {token: number for number, token in enumerate(frequent, start=2)}
    tokens = _numbered(reviews, numbers, steps)
    return Dataset(
        name="imdb",
        train_inputs=torch.from_numpy(tokens[train]),
        train_labels=torch.from_numpy(y[train]),
        test_inputs=torch.from_numpy(tokens[test]),
        test_labels=torch.from_numpy(y[test]),
        classes=2,
        description=(
            f"IMDB film reviews, positive or negative; the first {steps} tokens of each, {len(numbers) + 2} tokens (0 "
            f"padding at the end, 1 unknown) by frequency in the training part; {len(train)} training and {len(test)} "
            f"test reviews, {how}"
        ),
        vocabulary=len(numbers) + 2,
    )


def _read(folder: Path, root: str | os.PathLike[str] | None) -> list[list[str]]:
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise DatasetError(
            f"IMDB is not in {data_folder(root)} ({folder} holds no review); unpack aclImdb_v1.tar.gz of the page "
            "ai.stanford.edu/~amaas/data/sentiment and set INFOPLANE_DATA or root= to the folder that holds aclImdb"
        )
    return [tokens_of(file.read_text(encoding="utf-8", errors="replace")) for file in files]


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text, in order.

    Examples
    --------
    >>> from infoplane.datasets.imdb import tokens_of
    >>> tokens_of("It's GOOD!<br /><br />10/10")
    ["it's", 'good', '10', '10']
    """
    return _TOKEN.findall(text.lower().replace("<br />", " "))


def _numbered(reviews: Sequence[Sequence[str]], numbers: dict[str, int], steps: int) -> NDArray[np.int64]:
    tokens = np.full((len(reviews), steps), PADDING, dtype=np.int64)
    for row, review in enumerate(reviews):
        known = [numbers.get(token, UNKNOWN) for token in review[:steps]] or [UNKNOWN]
        tokens[row, : len(known)] = known
    return tokens
