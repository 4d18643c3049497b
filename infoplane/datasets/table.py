"""A table with a column or several to be predicted, as a data set.

Columns of numbers are standardised with mean and standard deviation (with 1/n) of the training part; columns of texts
become one column of 0 and 1 per text, not standardised; columns to be predicted keep their unit. Hofmann and Mäder
(2022), appendix B.1, inflate categorical variables in the same way; they do not say whether they standardise.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, near_names, one_of, true_or_false
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.scale import standardized
from infoplane.datasets.split import split
from infoplane.errors import DatasetError

MISSING = ("refuse", "drop", "fill")
TASKS = ("classes", "numbers")
_MOST_TEXTS = 50


def tabulate(
    frame: pd.DataFrame,
    *,
    name: str,
    description: str,
    target: str | Sequence[str],
    held_out: pd.DataFrame | None = None,
    task: str | None = None,
    categorical: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
    missing: str = "refuse",
    standardize: bool = True,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return a table as a data set.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per input.
    name, description : str
        Of the data set.
    target : str or sequence of str
        Column to be predicted; several only where they are numbers. A text names several with commas between.
    held_out : pandas.DataFrame, optional
        The test part, with the same columns; without it `frame` is split.
    task : {"classes", "numbers"}, optional
        What the column to be predicted holds. Texts and truth values are classes, numbers with fractions numbers;
        whole numbers may be either, and it must be said.
    categorical, drop : str or sequence of str
        Columns of numbers that are names; columns that are not used.
    missing : {"refuse", "drop", "fill"}
        Of missing values: refuse them; leave the row out; or put the mean of the training part in their place, in
        columns of texts an indicator of their own (rows without a value to be predicted are left out).
    standardize : bool
        False: numbers stay as they are.
    test, fold, split_seed
        See `infoplane.datasets.split.split`.

    Raises
    ------
    InputError
        An option does not fit the table.
    DatasetError
        The table has values that cannot be used.
    """
    one_of("missing", missing, MISSING)
    true_or_false("standardize", standardize)
    frame, held_out = _stripped(frame, name), None if held_out is None else _stripped(held_out, name)
    targets, named, left_out = (
        _columns(what, given, frame)
        for what, given in (("target", target), ("categorical", categorical), ("drop", drop))
    )
    if not targets:
        raise InputError("target names no column; the column to be predicted is needed")
    if held_out is not None:
        if test is not None or fold is not None:
            raise InputError(f"{name!r} has a test part of its own; leave out test= and fold=")
        if absent := [column for column in frame.columns if column not in held_out.columns]:
            raise DatasetError(f"the test part of {name!r} has no column {absent[0]!r}")
    inputs = [column for column in frame.columns if column not in (*targets, *left_out)]
    if not inputs:
        raise InputError(f"target and drop leave no column of {name!r} for the inputs")
    whole = frame if held_out is None else pd.concat([frame, held_out[list(frame.columns)]], ignore_index=True)
    rows, said_missing = _present(whole, targets, inputs, missing)
    labels, classes = _labels(whole.loc[rows, targets], task)
    if held_out is None:
        parts = split(labels if classes else None, len(labels), test=test, fold=fold, seed=split_seed)
        train, held, how = parts.train, parts.test, parts.said
    else:
        from_train = rows.to_numpy()[: len(frame)].sum()
        train, held = np.arange(from_train), np.arange(from_train, len(labels))
        how = "as the source splits them"
        if not len(train) or not len(held):
            raise DatasetError(f"no row of the training or of the test part of {name!r} is left")
    train_x, test_x, said_columns = _inputs(whole.loc[rows, inputs], train, held, named, standardize=standardize)
    return Dataset(
        name=name,
        train_inputs=torch.from_numpy(train_x.astype(np.float32)),
        train_labels=torch.from_numpy(labels[train]),
        test_inputs=torch.from_numpy(test_x.astype(np.float32)),
        test_labels=torch.from_numpy(labels[held]),
        classes=classes,
        description=(
            f"{description}; {said_columns}{said_missing}; {len(train)} training and {len(held)} test rows, {how}"
        ),
    )


def listed(given: object) -> list[str]:
    """Return names that are given as a sequence, or as one text with commas between."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    if not isinstance(given, Sequence) or not all(isinstance(part, str) for part in given):
        raise InputError(f"{given!r} names no columns; a text or a list of texts is accepted")
    return [part.strip() for part in given]


def _stripped(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    names = [str(column).strip() for column in frame.columns]
    if twice := [column for column in names if names.count(column) > 1]:
        raise DatasetError(f"{name!r} has two columns called {twice[0]!r}")
    return frame.set_axis(names, axis=1).reset_index(drop=True)


def _columns(what: str, given: object, frame: pd.DataFrame) -> list[str]:
    names = [given.strip()] if isinstance(given, str) and given.strip() in frame.columns else listed(given)
    for column in names:
        if column not in frame.columns:
            known = ", ".join(map(repr, frame.columns[:12])) + (" and more" if len(frame.columns) > 12 else "")
            near = near_names(column, frame.columns)
            raise InputError(f"{what} is {given!r}, but there is no column {column!r}; there are {known}{near}")
    return names


def _present(whole: pd.DataFrame, targets: list[str], inputs: list[str], missing: str) -> tuple["pd.Series[bool]", str]:
    """Return which rows are used, and what is to be said about missing values."""
    gaps = whole[[*inputs, *targets]].isna()
    counts = gaps.sum()
    if not counts.any():
        return ~gaps.any(axis=1), ""
    if missing == "refuse":
        where = ", ".join(f"{column!r} ({n})" for column, n in counts[counts > 0].items())
        raise DatasetError(
            f"values are missing in the columns {where}; say missing='drop' or missing='fill', or drop the columns"
        )
    left_out = gaps.any(axis=1) if missing == "drop" else gaps[targets].any(axis=1)
    if left_out.all():
        raise DatasetError("a value is missing in every row; drop the columns that have few")
    said = f", {int(left_out.sum())} rows with missing values left out"
    filled = int(gaps.loc[~left_out, inputs].to_numpy().sum())
    return ~left_out, said + (f", {filled} missing values filled by the training part" if filled else "")


def _labels(columns: pd.DataFrame, task: str | None) -> tuple[NDArray[Any], int | None]:
    if task is not None:
        one_of("task", task, TASKS)
    if columns.shape[1] > 1 or task == "numbers":
        if task == "classes":
            raise InputError(f"target names {columns.shape[1]} columns; classes are one column")
        values = np.stack([_numbers(columns[column]) for column in columns], axis=1).astype(np.float32)
        if not np.isfinite(values).all():
            raise DatasetError("the columns to be predicted hold values that are not finite")
        return values[:, 0] if values.shape[1] == 1 else values, None
    column = columns.iloc[:, 0]
    if task is None and pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = _numbers(column)
        if (numbers == np.round(numbers)).all():
            raise InputError(
                f"the column {column.name!r} holds whole numbers ({column.nunique()} different ones); "
                "say task='classes' or task='numbers'"
            )
        return _labels(columns, "numbers")
    texts = column if pd.api.types.is_numeric_dtype(column) else column.astype(str).str.strip()
    names, labels = np.unique(texts.to_numpy(), return_inverse=True)
    if len(names) < 2:
        raise DatasetError(f"the column {column.name!r} holds only {names[0]!r}; classes are at least two")
    return labels.astype(np.int64), len(names)


def _numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        raise InputError(f"the column {column.name!r} holds {column.dtype} and no numbers, such as {column.iloc[0]!r}")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _inputs(
    columns: pd.DataFrame, train: NDArray[np.int64], held: NDArray[np.int64], named: list[str], *, standardize: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    blocks, inflated, numeric = [], 0, 0
    for column in columns.columns:
        values = columns[column]
        if column in named or not pd.api.types.is_numeric_dtype(values):
            texts = 1 if column in named else values.nunique()
            if pd.api.types.is_datetime64_any_dtype(values) or texts > _MOST_TEXTS:
                raise InputError(
                    f"the column {column!r} holds {texts} different texts or dates; drop it, or name it in categorical="
                )
            if column not in named:
                _refuse_stray_texts(values)
            # As text: '3' and 3 are one name, and the order of the columns does not hang on the type.
            shown = values.astype(str).str.strip().where(values.notna())
            both = np.stack(
                [(shown == text).to_numpy() for text in sorted(shown.dropna().unique())]
                + ([values.isna().to_numpy()] if values.isna().any() else []),
                axis=1,
            ).astype(np.float64)
            inflated += 1
            blocks.append((both[train], both[held]))
            continue
        numbers = _numbers(values)
        if np.isinf(numbers).any():
            raise DatasetError(f"the column {column!r} holds infinite values")
        if np.isnan(numbers[train]).all():
            raise DatasetError(f"the column {column!r} has no value in the training part; drop it")
        numbers = np.where(np.isnan(numbers), np.nanmean(numbers[train]), numbers)[:, None]
        numeric += 1
        blocks.append(standardized(numbers[train], numbers[held]) if standardize else (numbers[train], numbers[held]))
    train_x, test_x = (np.concatenate([block[part] for block in blocks], axis=1) for part in (0, 1))
    said = f"{numeric} columns of numbers" + (
        ", standardised with mean and deviation of the training part" if standardize and numeric else ""
    )
    return (
        train_x,
        test_x,
        said + (f", {inflated} of names as {train_x.shape[1] - numeric} of 0 and 1" if inflated else ""),
    )


def _refuse_stray_texts(column: "pd.Series[Any]") -> None:
    """Raise DatasetError where a column is one of numbers but for a few texts, which would make names of them all."""
    texts = column.dropna().astype(str).str.strip()
    strays = texts[pd.to_numeric(texts, errors="coerce").isna()]
    if 0 < len(strays) < len(texts) / 2:
        raise DatasetError(
            f"the column {column.name!r} holds numbers, but {len(strays)} of its {len(texts)} values are none, such "
            f"as {strays.iloc[0]!r}: mend the file, drop the column, or name it in categorical= if all are names"
        )
