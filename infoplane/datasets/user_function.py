"""A data set from a function of one's own, named ``package.module:function``.

This is the one place where data run code: the user's, named by the user.
"""

from collections.abc import Mapping

from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import reason
from infoplane.errors import DatasetError, InfoplaneError, InputError
from infoplane.named_object import current_folder, named_object


def load_user_function(name: str, options: Mapping[str, object]) -> Dataset:
    """Return what a function returns, as a data set.

    Parameters
    ----------
    name : str
        ``package.module:function``; a module in the current folder is found, too. The function returns a `Dataset`, or
        a mapping with the arrays that `infoplane.datasets.arrays.from_arrays` names.
    options : mapping
        What it is called with, by name.

    Raises
    ------
    DatasetError
        There is no such function, it raises, or it returns something else.
    """
    from infoplane.datasets.arrays import from_arrays

    try:
        function = named_object(name, "function")
    except InputError as error:
        raise DatasetError(str(error)) from error
    if not callable(function):
        raise DatasetError(f"{name!r} is no function, but of the type {type(function).__name__}")
    try:
        with current_folder():
            made = function(**options)
    except InfoplaneError:
        raise
    except Exception as error:
        raise DatasetError(f"{name} failed ({reason(error)})") from error
    if isinstance(made, Dataset):
        return made
    if isinstance(made, Mapping):
        return from_arrays(made, name=name.rpartition(":")[2], description=f"what {name} returns")
    raise DatasetError(
        f"{name} returned {type(made).__name__}; a Dataset is needed, or a mapping with train_inputs, train_labels, "
        "test_inputs and test_labels, or inputs and labels"
    )
