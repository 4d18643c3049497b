"""The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn ships.

They are the test part of the UCI set Optical Recognition of Handwritten Digits. Grey values from 0 to 16 are
divided by 16. A quarter of the images, drawn class by class, is the test part; the split is always the same.
"""

import numpy as np
import torch

from infoplane.datasets.dataset import Dataset

_TEST_IMAGES = 450


def load_digits() -> Dataset:
    """Return the digits: 1,347 training and 450 test images of shape (1, 8, 8) in [0, 1], 10 classes."""
    from sklearn.datasets import load_digits as shipped_digits
    from sklearn.model_selection import train_test_split

    source = shipped_digits()
    images = (source.images / 16.0).astype(np.float32)[:, None]
    labels = source.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=_TEST_IMAGES, random_state=0, stratify=labels
    )
    return Dataset(
        name="digits",
        train_inputs=torch.from_numpy(train_x),
        train_labels=torch.from_numpy(train_y),
        test_inputs=torch.from_numpy(test_x),
        test_labels=torch.from_numpy(test_y),
        classes=10,
        description=(
            f"scikit-learn's 8 x 8 handwritten digits, grey values / 16; {len(train_y)} training and "
            f"{len(test_y)} test images, split by class with seed 0"
        ),
    )
