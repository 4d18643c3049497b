"""Tables: what scikit-learn ships, and csv files of one's own."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import datasets as shipped
from sklearn.preprocessing import StandardScaler

from infoplane import datasets
from infoplane.errors import DatasetError, InputError

MIXED = """size, colour ,grade,price
1.0,red,1,10.5
2.0,blue,2,20.25
3.0,red,3,30.0
4.0,green,1,40.0
5.0,red,2,50.0
"""


@pytest.fixture
def csv(tmp_path):
    def write(text, name="mine.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def whole(data):
    return torch.cat([data.train_inputs, data.test_inputs]), torch.cat([data.train_labels, data.test_labels])


# Shipped


@pytest.mark.parametrize(
    ("name", "read", "classes", "rows"),
    [
        ("iris", shipped.load_iris, 3, 150),
        ("wine", shipped.load_wine, 3, 178),
        ("breast-cancer", shipped.load_breast_cancer, 2, 569),
        ("diabetes", lambda: shipped.load_diabetes(scaled=False), None, 442),
    ],
)
def test_shipped_tables_are_scikit_learns(name, read, classes, rows):
    source = read()
    data = datasets.load(name, standardize=False)
    assert (data.name, data.classes, data.targets) == (name, classes, None if classes else 1)
    assert len(data.train_labels) + len(data.test_labels) == rows
    assert len(data.test_labels) == round(rows / 5)
    inputs, labels = whole(data)
    found = sorted((*row, float(y)) for row, y in zip(inputs.tolist(), labels, strict=True))
    expected = zip(source.data.astype(np.float32).tolist(), source.target, strict=True)
    assert found == sorted((*row, float(y)) for row, y in expected)
    assert labels.dtype == (torch.int64 if classes else torch.float32)


def test_columns_are_standardised_by_the_training_part_alone():
    plain, data = datasets.load("wine", standardize=False), datasets.load("wine")
    scaler = StandardScaler().fit(plain.train_inputs.double().numpy())
    for part in ("train_inputs", "test_inputs"):
        expected = torch.from_numpy(scaler.transform(getattr(plain, part).double().numpy())).float()
        assert torch.allclose(getattr(data, part), expected, atol=1e-4)
    assert data.test_inputs.mean(0).abs().max() > 0.1
    assert "standardised with mean and deviation of the training part" in data.description
    assert "standardised" not in plain.description


# Files of one's own


def test_columns_of_texts_become_indicators_and_numbers_are_standardised(csv):
    data = datasets.load("csv", root=csv(MIXED), target="price", categorical="grade", test=0.4)
    assert (data.name, data.classes, data.targets, data.shape) == ("mine", None, 1, (7,))
    rows = {price.item(): x.tolist() for x, price in zip(*whole(data), strict=True)}
    assert set(rows) == {10.5, 20.25, 30, 40, 50}
    # blue, green, red; 1, 2, 3
    assert rows[10.5][1:] == [0, 0, 1, 1, 0, 0]
    assert rows[20.25][1:] == [1, 0, 0, 0, 1, 0]
    assert rows[40][1:] == [0, 1, 0, 1, 0, 0]
    size = data.train_inputs[:, 0]
    assert size.mean().item() == pytest.approx(0, abs=1e-6)
    assert size.std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert "1 columns of numbers, standardised" in data.description
    assert "2 of names as 6 of 0 and 1" in data.description


def test_the_column_to_be_predicted_keeps_its_unit_and_may_be_several(csv):
    data = datasets.load("csv", root=csv(MIXED), target="price,size", drop="colour")
    assert (data.targets, data.shape) == (2, (1,))
    assert sorted(whole(data)[1].tolist()) == [[10.5, 1], [20.25, 2], [30, 3], [40, 4], [50, 5]]


def test_texts_are_classes_in_the_order_of_the_alphabet(csv):
    data = datasets.load("csv", root=csv(MIXED), target="colour", standardize=False)
    assert data.classes == 3
    labels = {x[0].item(): y.item() for x, y in zip(*whole(data), strict=True)}
    assert labels == {1: 2, 2: 0, 3: 2, 4: 1, 5: 2}


def test_whole_numbers_need_a_word_on_what_they_are(csv):
    path = csv(MIXED)
    with pytest.raises(InputError, match=r"'grade' holds whole numbers \(3 different ones\); say task="):
        datasets.load("csv", root=path, target="grade")
    assert datasets.load("csv", root=path, target="grade", task="classes").classes == 3
    numbers = datasets.load("csv", root=path, target="grade", task="numbers")
    assert (numbers.classes, sorted(whole(numbers)[1].tolist())) == (None, [1, 1, 2, 2, 3])


def test_a_folder_has_its_own_test_part(csv, tmp_path):
    csv(MIXED, "train.csv")
    csv("size,colour,grade,price\n9,red,1,1\n8,yellow,2,2.5\n", "test.csv")
    data = datasets.load("csv", root=tmp_path, target="price")
    assert (len(data.train_labels), data.test_labels.tolist()) == (5, [1, 2.5])
    # blue, green, red, yellow: a name of the test part has a column, too.
    assert data.shape == (6,)
    assert data.test_inputs[:, 0].tolist() == pytest.approx([(9 - 3) / 2**0.5, (8 - 3) / 2**0.5])
    with pytest.raises(InputError, match="test part of its own"):
        datasets.load("csv", root=tmp_path, target="price", fold=(1, 2))
    csv("size,colour,price\n9,red,1\n", "test.csv")
    with pytest.raises(DatasetError, match=r"the test part of .* has no column 'grade'"):
        datasets.load("csv", root=tmp_path, target="price")


def test_missing_values_are_refused_left_out_or_filled(csv):
    path = csv("a,b,y\n1,u,0.5\n3,,1.5\n?,v,2.5\n8,u,\nNA,u,3.5\n5,v,4.5\n")
    with pytest.raises(DatasetError, match=r"missing in the columns 'a' \(2\), 'b' \(1\), 'y' \(1\); say missing="):
        datasets.load("csv", root=path, target="y")
    dropped = datasets.load("csv", root=path, target="y", missing="drop", standardize=False)
    assert sorted(whole(dropped)[1].tolist()) == [0.5, 4.5]
    assert "4 rows with missing values left out" in dropped.description
    filled = datasets.load("csv", root=path, target="y", missing="fill", standardize=False)
    assert "1 rows with missing values left out, 3 missing values filled by the training part" in filled.description
    rows = {y.item(): x.tolist() for x, y in zip(*whole(filled), strict=True)}
    assert set(rows) == {0.5, 1.5, 2.5, 3.5, 4.5}
    # u, v, missing
    assert (rows[0.5][1:], rows[4.5][1:], rows[1.5][1:]) == ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    seen = [{0.5: 1, 1.5: 3, 4.5: 5}[y] for y in filled.train_labels.tolist() if y in (0.5, 1.5, 4.5)]
    assert rows[2.5][0] == rows[3.5][0] == pytest.approx(np.mean(seen))


def test_what_is_filled_in_knows_nothing_of_the_test_part(csv):
    rows = "".join(f"{'' if i in (3, 8) else 2**i},{i}.5\n" for i in range(12))
    path = csv("a,y\n" + rows)
    for k in (1, 2, 3):
        data = datasets.load("csv", root=path, target="y", missing="fill", standardize=False, fold=(k, 3))
        mean = np.mean([2 ** int(y) for y in data.train_labels.tolist() if int(y) not in (3, 8)])
        values = {int(y): x.item() for x, y in zip(*whole(data), strict=True)}
        assert values[3] == values[8] == pytest.approx(mean)


def test_a_constant_column_becomes_0(csv):
    data = datasets.load("csv", root=csv("a,b,y\n0.1,1,u\n0.1,2,v\n0.1,3,u\n0.1,4,v\n0.1,5,u\n"), target="y")
    assert whole(data)[0][:, 0].tolist() == [0] * 5


def test_truth_values_are_numbers_of_an_input_and_classes_of_a_label(csv):
    path = csv("a,b,y\nTrue,1,False\nFalse,2,True\nTrue,3,True\nTrue,4,False\nFalse,5,True\n")
    data = datasets.load("csv", root=path, target="y", standardize=False)
    assert (data.classes, data.shape) == (2, (2,))
    rows = {x[1].item(): (x[0].item(), y.item()) for x, y in zip(*whole(data), strict=True)}
    assert rows == {1: (1, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 5: (0, 1)}


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({}, InputError, "needs target="),
        ({"target": "prize"}, InputError, r"no column 'prize'; there are .*did you mean 'price'"),
        ({"target": []}, InputError, "target names no column"),
        ({"target": 3}, InputError, "names no columns"),
        ({"target": "price", "drop": "sise"}, InputError, r"drop is 'sise'.*did you mean 'size'"),
        ({"target": "price", "categorical": ["x"]}, InputError, "no column 'x'"),
        ({"target": "price", "drop": "size,colour,grade"}, InputError, "leave no column"),
        ({"target": "price", "task": "class"}, InputError, r"task is 'class'.*did you mean 'classes'"),
        ({"target": "price,size", "task": "classes"}, InputError, "classes are one column"),
        ({"target": "colour", "task": "numbers"}, InputError, r"'colour' holds .* and no numbers, such as 'red'"),
        ({"target": "price", "missing": "ignore"}, InputError, "missing is 'ignore'"),
        ({"target": "price", "standardize": "no"}, InputError, "standardize is 'no'"),
        ({"target": "price", "separator": "tab"}, InputError, "separator is 'tab'"),
        ({"target": "price", "separator": ";"}, DatasetError, r"only one column.*is ';' its separator"),
    ],
)
def test_options_that_do_not_fit_are_refused(csv, options, error, text):
    with pytest.raises(error, match=text):
        datasets.load("csv", root=csv(MIXED), **options)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "cannot be read as a table"),
        ("a,y\n", "has no rows"),
        ("a,y\n1,2\n3,4,5,6\n", "cannot be read as a table"),
        ("a,a ,y\n1,2,3.5\n", "two columns called 'a'"),
        ("a,b,y\n1,inf,0.5\n2,3,1.5\n3,4,2.5\n", "'b' holds infinite values"),
        ("a,b,y\n1,1,inf\n2,3,1.5\n3,4,2.5\n", "not finite"),
        ("a,b,y\n1,1,u\n2,3,u\n3,4,u\n", "'y' holds only 'u'"),
        ("a,b,y\n1,1,0.5\n", "cannot be split"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(csv, content, text):
    with pytest.raises((DatasetError, InputError), match=text) as caught:
        datasets.load("csv", root=csv(content), target="y")
    assert "\n" not in str(caught.value)


def test_names_that_are_no_names_are_refused(csv):
    rows = "".join(f"person {i},{i},{i}.5\n" for i in range(60))
    with pytest.raises(InputError, match=r"'who' holds 60 different texts.*drop it, or name it in categorical="):
        datasets.load("csv", root=csv("who,a,y\n" + rows), target="y")
    assert datasets.load("csv", root=csv("who,a,y\n" + rows), target="y", categorical="who").shape == (61,)


def test_no_bytes_that_are_no_table_end_in_a_traceback(tmp_path):
    for place, content in enumerate([bytes(range(256)), b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\x03\x04" + bytes(30)]):
        path = tmp_path / f"{place}.csv"
        path.write_bytes(content)
        with pytest.raises((DatasetError, InputError)):
            datasets.load("csv", root=path, target="y")


def test_dates_are_refused():
    from infoplane.datasets.table import tabulate

    frame = pd.DataFrame({"t": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"]), "y": [0.5, 1.5, 2.5]})
    with pytest.raises(InputError, match=r"'t' holds .* dates"):
        tabulate(frame, name="n", description="d", target="y")


def test_a_stray_text_does_not_make_names_of_a_column_of_numbers(csv):
    rows = "a,b,y\n" + "".join(f"{k}.5,{'x' if k == 2 else k},{k % 2}\n" for k in range(12))
    with pytest.raises(DatasetError, match=r"'b' holds numbers, but 1 of its 12 values are none, such as 'x'"):
        datasets.load("csv", root=csv(rows), target="y", task="classes")
    assert datasets.load("csv", root=csv(rows), target="y", task="classes", categorical="b").shape == (13,)
    codes = "a,b,y\n" + "".join(f"{k}.5,{k if k % 3 == 0 else 'c'},{k % 2}\n" for k in range(12))
    assert datasets.load("csv", root=csv(codes), target="y", task="classes").shape == (6,)
