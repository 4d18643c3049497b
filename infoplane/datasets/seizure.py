"""Bonn's electroencephalograms (Andrzejak et al. 2001): five sets of 100 recordings of 4,097 values each.

Files are ``Z001.txt`` to ``Z100.txt`` for set A, and O, N, F, S for B, C, D, E, one value per line. Hofmann and Mäder
(2022), appendix B.1, cut the recordings for training into pieces of 512 values at a stride of 64, and those for testing
into four chunks whose length they do not give: here a piece of the same length from the start of each quarter, so that
one network takes both. Recordings are split first: no recording is in both parts.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, true_or_false, whole_number
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, reason
from infoplane.datasets.split import split
from infoplane.errors import DatasetError

_SETS = {"Z": "A", "O": "B", "N": "C", "F": "D", "S": "E"}
_FILE = re.compile(r"([ZONFS])\d{3}\.txt", re.IGNORECASE)


def load_seizure(
    root: str | os.PathLike[str] | None = None,
    *,
    length: int = 512,
    stride: int = 64,
    pieces: int = 4,
    sets: str = "ABCDE",
    standardize: bool = True,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return the recordings in pieces of shape (1, length), a class per set.

    Parameters
    ----------
    root : path, optional
        Folder in which the files lie, in folders or not; without it ``bonn`` in the data folder.
    length, stride : int
        Of the pieces of training recordings.
    pieces : int
        Pieces of each test recording, evenly spread; 1: only its beginning.
    sets : str
        Which sets, by their letters; the first is class 0.
    standardize : bool
        All values less the mean of the training recordings, divided by their standard deviation; False: microvolts.
    test, fold, split_seed
        See `infoplane.datasets.split.split`; of recordings.

    Raises
    ------
    DatasetError
        Files are absent or no such recordings.
    InputError
        An option cannot be used.
    """
    chosen = _chosen(sets)
    folder = Path(root).expanduser() if root is not None else data_folder() / "bonn"
    folder = folder / "bonn" if (folder / "bonn").is_dir() else folder
    values, y = _recordings(folder, chosen)
    long = values.shape[1]
    whole_number("length", length, least=1, most=long)
    whole_number("stride", stride, least=1)
    whole_number("pieces", pieces, least=1, most=max(long // length, 1))
    parts = split(y, len(y), test=test, fold=fold, seed=split_seed)
    train, held = values[parts.train], values[parts.test]
    if true_or_false("standardize", standardize):
        mean, deviation = train.mean(), train.std() or 1.0
        train, held = (train - mean) / deviation, (held - mean) / deviation
    starts = np.arange(0, long - length + 1, stride)
    held_starts = np.arange(pieces) * (long // pieces)
    (train_x, train_y), (test_x, test_y) = (
        _pieces(part, y[which], at, length)
        for part, which, at in ((train, parts.train, starts), (held, parts.test, held_starts))
    )
    return Dataset(
        name="epileptic-seizure",
        train_inputs=train_x,
        train_labels=train_y,
        test_inputs=test_x,
        test_labels=test_y,
        classes=len(chosen),
        description=(
            f"Bonn electroencephalograms, sets {', '.join(chosen)}; {len(parts.train)} training recordings in "
            f"{len(starts)} pieces of {length} values each, {len(parts.test)} test recordings in {pieces}, recordings "
            f"{parts.said}"
            + ("; standardised with mean and deviation of the training recordings" if standardize else "")
        ),
    )


def _chosen(sets: str) -> list[str]:
    letters = [letter for letter in sets.upper() if letter not in " ,"] if isinstance(sets, str) else []
    if len(letters) < 2 or len(set(letters)) < len(letters) or not set(letters) <= set(_SETS.values()):
        raise InputError(f"sets is {sets!r}, but it names at least two of A, B, C, D, E, each once")
    return letters


def _recordings(folder: Path, chosen: list[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    files: dict[str, list[Path]] = {letter: [] for letter in chosen}
    for path in sorted(folder.glob("**/*")):
        match = _FILE.fullmatch(path.name)
        if match and (letter := _SETS[match[1].upper()]) in files:
            files[letter].append(path)
    if empty := [letter for letter in chosen if not files[letter]]:
        initials = {letter: initial for initial, letter in _SETS.items()}
        first = f"{initials[empty[0]]}001.txt"
        raise DatasetError(
            f"the Bonn recordings of set {', '.join(empty)} are not in {folder} ({first} and so on); they are on the "
            "page of the neurophysics group (K. Lehnertz) of the university clinic of Bonn, www.ukbonn.de; unpack them "
            "there or give root="
        )
    rows, labels = [], []
    for label, letter in enumerate(chosen):
        for path in files[letter]:
            rows.append(_values(path))
            if len(rows[-1]) != len(rows[0]):
                raise DatasetError(f"{path} has {len(rows[-1])} values, the first recording {len(rows[0])}")
            labels.append(label)
    return np.stack(rows), np.array(labels, dtype=np.int64)


def _values(path: Path) -> NDArray[np.float64]:
    try:
        values = np.array(path.read_text(encoding="ascii").split(), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is no recording of one value per line ({reason(error)})") from error
    if not len(values) or not np.isfinite(values).all():
        raise DatasetError(f"{path} is no recording of one value per line (empty, or not finite)")
    return values


def _pieces(
    values: NDArray[np.float64], labels: NDArray[np.int64], starts: NDArray[np.int64], length: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pieces, recording by recording, and the label of each."""
    cut = values[:, starts[:, None] + np.arange(length)].reshape(-1, 1, length)
    return torch.from_numpy(cut.astype(np.float32)), torch.from_numpy(np.repeat(labels, len(starts)))
