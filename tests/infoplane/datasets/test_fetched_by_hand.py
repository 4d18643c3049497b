"""Sets that a user fetches, on small made-up files of the same shape: UCI, thyroid, Kaggle, IMDB, Bonn."""

import sys
import types

import numpy as np
import pandas as pd
import pytest
import torch

from infoplane import datasets
from infoplane.datasets.imdb import tokens_of
from infoplane.datasets.split import split
from infoplane.datasets.uci import TABLES
from infoplane.errors import DatasetError, InputError, MissingLibraryError

RNG = np.random.default_rng(0)

# UCI


def repository(**query) -> types.SimpleNamespace:
    """What ucimlrepo 0.0.7 returns for a table, in form, with made-up rows."""
    (number,) = query.values()
    n = 30
    numbers = {name: RNG.normal(size=n) for name in ("first", "second")}
    if number == 1:
        features, targets = {"Sex": np.tile(["M", "F", "I"], 10), **numbers}, {"Rings": RNG.integers(1, 29, n)}
    elif number == 14:
        caps = np.where(np.arange(n) == 4, None, np.tile(["yes", "no"], 15))
        features = {"deg-malig": RNG.integers(1, 4, n), "node-caps": caps}
        targets = {"Class": np.tile(["no-recurrence-events", "recurrence-events", "no-recurrence-events"], 10)}
    elif number == 15:
        features = {"Bare_nuclei": np.where(np.arange(n) == 7, np.nan, RNG.integers(1, 11, n)), **numbers}
        targets = {"Class": np.tile([2, 4], 15)}
    elif number == 186:
        features, targets = numbers, {"quality": RNG.integers(3, 9, n)}
    else:
        features = {"age": RNG.integers(40, 80, n), "test_time": RNG.random(n), "sex": RNG.integers(0, 2, n), **numbers}
        targets = {"motor_UPDRS": RNG.random(n), "total_UPDRS": RNG.random(n)}
    features, targets = pd.DataFrame(features), pd.DataFrame(targets)
    original = pd.concat([features, targets], axis=1)
    if number == 186:
        original["color"] = ["red"] * 12 + ["white"] * 18
    return types.SimpleNamespace(data=types.SimpleNamespace(features=features, targets=targets, original=original))


@pytest.fixture
def uci(monkeypatch):
    asked = []

    def fetch(**query):
        asked.append(query["id"])
        return repository(**query)

    monkeypatch.setitem(sys.modules, "ucimlrepo", types.SimpleNamespace(fetch_ucirepo=fetch))
    return asked


@pytest.mark.parametrize(
    ("name", "shape", "classes", "targets", "rows"),
    [
        ("uci-abalone", (5,), None, 1, 30),
        ("uci-breast-cancer", (4,), 2, None, 30),
        ("uci-breast-cancer-wisconsin", (3,), 2, None, 30),
        ("uci-parkinson", (2,), None, 2, 30),
        ("uci-red-wine", (2,), None, 1, 12),
        ("uci-white-wine", (2,), None, 1, 18),
    ],
)
def test_a_table_is_fetched_when_asked_once_and_checked_afterwards(tmp_path, uci, name, shape, classes, targets, rows):
    with pytest.raises(DatasetError, match=r"fetch it with download=True .*infoplane\[uci\]"):
        datasets.load(name, root=tmp_path)
    assert not uci
    data = datasets.load(name, root=tmp_path, download=True)
    assert uci == [TABLES[name].number]
    assert (data.name, data.shape, data.classes, data.targets) == (name, shape, classes, targets)
    assert len(data.train_labels) + len(data.test_labels) == rows
    assert datasets.load(name, root=tmp_path).sha256 == data.sha256
    assert datasets.load(name, root=tmp_path, download=True).sha256 == data.sha256
    assert len(uci) == 1
    path = tmp_path / "uci" / f"{name}.csv"
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(DatasetError, match=f"does not agree with {name}.csv.sha256"):
        datasets.load(name, root=tmp_path)


def test_the_values_of_a_table_are_the_fetched_ones(tmp_path, uci, monkeypatch):
    fixed = repository(id=186)
    monkeypatch.setattr(sys.modules["ucimlrepo"], "fetch_ucirepo", lambda **query: fixed)
    data = datasets.load("uci-white-wine", root=tmp_path, download=True, standardize=False)
    found = torch.cat(
        [
            torch.cat([data.train_inputs, data.train_labels[:, None]], 1),
            torch.cat([data.test_inputs, data.test_labels[:, None]], 1),
        ]
    )
    expected = fixed.data.original[fixed.data.original["color"] == "white"][["first", "second", "quality"]]
    assert np.allclose(sorted(found.tolist()), sorted(expected.to_numpy().tolist()), atol=1e-6)


def test_missing_values_of_a_table_have_their_own_way(tmp_path, uci):
    data = datasets.load("uci-breast-cancer", root=tmp_path, download=True)
    # One number; no, yes, missing.
    assert torch.cat([data.train_inputs, data.test_inputs])[:, 1:].sum(0).tolist() == [15, 14, 1]
    fewer = datasets.load("uci-breast-cancer", root=tmp_path, missing="drop")
    assert len(fewer.train_labels) + len(fewer.test_labels) == 29
    assert fewer.shape == (3,)


def test_fetching_that_fails_is_one_sentence(tmp_path, monkeypatch):
    def fetch(**query):
        raise ConnectionError("Error connecting\nto server")

    monkeypatch.setitem(sys.modules, "ucimlrepo", types.SimpleNamespace(fetch_ucirepo=fetch))
    with pytest.raises(DatasetError, match=r"cannot be fetched .*\(ConnectionError: Error connecting to server\)"):
        datasets.load("uci-abalone", root=tmp_path, download=True)
    monkeypatch.setitem(sys.modules, "ucimlrepo", None)
    with pytest.raises(MissingLibraryError, match=r"needs ucimlrepo, which is not .*: pip install 'infoplane\[uci\]'"):
        datasets.load("uci-abalone", root=tmp_path, download=True)
    monkeypatch.setitem(sys.modules, "ucimlrepo", types.SimpleNamespace(fetch_ucirepo=lambda **query: repository(id=1)))
    with pytest.raises(DatasetError, match=r"number 186 is not 'uci-red-wine'"):
        datasets.load("uci-red-wine", root=tmp_path, download=True)
    (tmp_path / "uci").write_text("a file where the folder would be")
    with pytest.raises(DatasetError, match=r"cannot be written .*give root="):
        datasets.load("uci-abalone", root=tmp_path, download=True)


# Thyroid, life expectancy, mesothelioma


def write_thyroid(folder, counts=(30, 15)):
    folder.mkdir(exist_ok=True)
    for part, count in zip(("train", "test"), counts, strict=True):
        rows = np.column_stack([RNG.random((count, 21)).round(3), np.arange(count) % 3 + 1])
        # The published files end their lines with blanks.
        lines = "".join(" ".join(f"{v:g}" for v in row) + " \n" for row in rows)
        (folder / f"ann-{part}.data").write_text(lines)


def test_thyroid_keeps_its_test_file_unless_folds_are_asked_for(tmp_path):
    write_thyroid(tmp_path / "thyroid")
    data = datasets.load("thyroid", root=tmp_path)
    assert (data.shape, data.classes) == ((21,), 3)
    assert (len(data.train_labels), len(data.test_labels)) == (30, 15)
    assert data.test_labels.tolist() == [i % 3 for i in range(15)]
    assert data.train_inputs.mean(0).abs().max() < 1e-5 < data.test_inputs.mean(0).abs().max()
    fold = datasets.load("thyroid", root=tmp_path / "thyroid", fold=(2, 9))
    assert fold.test_labels.bincount().max() <= 2
    assert len(fold.train_labels) == 40


def test_thyroid_of_another_form_is_refused(tmp_path):
    write_thyroid(tmp_path)
    (tmp_path / "ann-test.data").write_text("1 2 3\n")
    with pytest.raises(DatasetError, match=r"ann-test.data has 3 columns; 22 are needed"):
        datasets.load("thyroid", root=tmp_path)
    (tmp_path / "ann-test.data").write_text("one two\n")
    with pytest.raises(DatasetError, match="cannot be read as a table of numbers"):
        datasets.load("thyroid", root=tmp_path)
    (tmp_path / "ann-test.data").unlink()
    with pytest.raises(DatasetError, match=r"ann-test.data missing"):
        datasets.load("thyroid", root=tmp_path)


LIFE = (
    "Country,Year,Status,Life expectancy ,Adult Mortality,infant deaths,Alcohol,percentage expenditure,Hepatitis B,"
    "Measles , BMI ,under-five deaths ,Polio,Total expenditure,Diphtheria , HIV/AIDS,GDP,Population,"
    " thinness  1-19 years, thinness 5-9 years,Income composition of resources,Schooling"
)


def test_life_expectancy_has_nineteen_scalars_and_fills_what_is_missing(tmp_path):
    rows = [
        [
            "A",
            2000 + i,
            "Developing",
            "" if i == 3 else f"{60 + i}.5",
            *([""] if i == 5 else ["7"]),
            *map(str, RNG.random(17)),
        ]
        for i in range(20)
    ]
    path = tmp_path / "Life Expectancy Data.csv"
    path.write_text("\n".join([LIFE, *(",".join(map(str, row)) for row in rows)]) + "\n")
    for root in (tmp_path, path):
        data = datasets.load("life-expectancy", root=root)
        assert (data.name, data.shape, data.targets) == ("life-expectancy", (19,), 1)
        assert len(data.train_labels) + len(data.test_labels) == 19
    labels = sorted([*data.train_labels.tolist(), *data.test_labels.tolist()])
    assert labels == [60.5 + i for i in range(20) if i != 3]
    assert "1 rows with missing values left out, 1 missing values filled" in data.description
    path.write_text("Country,Year\nA,2000\n")
    with pytest.raises(DatasetError, match="no column 'Status' and no column 'Life expectancy'"):
        datasets.load("life-expectancy", root=path)


def test_mesothelioma_takes_all_columns_as_numbers(tmp_path):
    names = ["age", "diagnosis method", *(f"v{i}" for i in range(32)), "class of diagnosis"]
    table = pd.DataFrame(RNG.integers(0, 2, (20, 35)), columns=names)
    table["class of diagnosis"] = np.tile([1, 2], 10)
    table.to_csv(tmp_path / "mesothelioma.csv", index=False)
    data = datasets.load("mesothelioma", root=tmp_path)
    assert (data.shape, data.classes, len(data.test_labels)) == ((34,), 2, 4)
    honest = datasets.load("mesothelioma", root=tmp_path / "mesothelioma.csv", drop=["diagnosis method"])
    assert honest.shape == (33,)
    assert "without diagnosis method" in honest.description
    with pytest.raises(InputError, match="did you mean 'diagnosis method'"):
        datasets.load("mesothelioma", root=tmp_path, drop="diagnosis methods")


# IMDB

REVIEWS = {
    ("train", "neg"): ["Bad, bad film.<br /><br />It's bad!", "A bad film"],
    ("train", "pos"): ["A good film; it's GOOD", "..."],
    ("test", "neg"): ["unseen unseen unseen film"],
    ("test", "pos"): ["good good film bad a it's film film"],
}


@pytest.fixture
def reviews(tmp_path):
    for (part, name), texts in REVIEWS.items():
        folder = tmp_path / "aclImdb" / part / name
        folder.mkdir(parents=True)
        for number, text in enumerate(texts):
            (folder / f"{number}_5.txt").write_text(text, encoding="utf-8")
    return tmp_path


def test_tokens_are_runs_of_letters_and_digits():
    assert tokens_of("Don't 'quote' it: 7/10 caf\u00e9_noir") == [
        "don't",
        "quote",
        "it",
        "7",
        "10",
        "caf\u00e9",
        "noir",
    ]


def test_reviews_become_tokens_by_frequency_in_the_training_part(reviews):
    data = datasets.load("imdb", root=reviews, length=6)
    # bad 4, film 3, then by alphabet a 2, good 2, it's 2
    assert data.vocabulary == 7
    assert data.train_inputs.tolist() == [
        [2, 2, 3, 6, 2, 0],
        [4, 2, 3, 0, 0, 0],
        [4, 5, 3, 6, 5, 0],
        [1, 0, 0, 0, 0, 0],
    ]
    assert data.test_inputs.tolist() == [[1, 1, 1, 3, 0, 0], [5, 5, 3, 2, 4, 6]]
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0, 0, 1, 1], [0, 1])
    assert (data.train_inputs.dtype, data.classes) == (torch.int64, 2)
    assert "7 tokens (0 padding at the end, 1 unknown) by frequency in the training part" in data.description
    assert datasets.load("imdb", root=reviews / "aclImdb", length=6).sha256 == data.sha256


def test_a_small_vocabulary_keeps_the_most_frequent_tokens(reviews):
    data = datasets.load("imdb", root=reviews, vocabulary=4, length=3)
    assert data.vocabulary == 4
    assert data.train_inputs.tolist() == [[2, 2, 3], [1, 2, 3], [1, 1, 3], [1, 0, 0]]


def test_with_folds_the_vocabulary_is_the_training_folds(reviews):
    texts = [tokens_of(text) for part in REVIEWS.values() for text in part]
    for k in (1, 2, 3):
        data = datasets.load("imdb", root=reviews, fold=(k, 3), length=8)
        parts = split(np.array([0, 0, 1, 1, 0, 1]), 6, fold=(k, 3))
        known = {token for place in parts.train for token in texts[place]}
        assert data.vocabulary == len(known) + 2
        # The review without any token is one unknown token.
        unknown = [sum(token not in known for token in texts[place]) or not texts[place] for place in parts.test]
        assert (data.test_inputs == 1).sum(1).tolist() == unknown
        assert data.test_labels.tolist() == [[1, 0], [0, 1], [0, 1]][k - 1]


def test_bad_options_and_incomplete_folders_are_refused(reviews):
    with pytest.raises(InputError, match="vocabulary is 2"):
        datasets.load("imdb", root=reviews, vocabulary=2)
    with pytest.raises(InputError, match="length is 0"):
        datasets.load("imdb", root=reviews, length=0)
    for file in (reviews / "aclImdb" / "test" / "pos").iterdir():
        file.unlink()
    with pytest.raises(DatasetError, match=r"test.pos holds no review.*aclImdb_v1.tar.gz"):
        datasets.load("imdb", root=reviews)


# Bonn


@pytest.fixture
def bonn(tmp_path):
    """Value t of recording r of set s is 10000 s + 100 r + t / 100: ten recordings of 100 values each."""
    for number, initial in enumerate("ZONFS"):
        folder = tmp_path / "bonn" / initial
        folder.mkdir(parents=True)
        for recording in range(10):
            values = 10_000 * number + 100 * recording + np.arange(100) / 100
            end = "TXT" if initial == "N" else "txt"
            (folder / f"{initial}{recording + 1:03d}.{end}").write_text("".join(f"{v}\n" for v in values))
    return tmp_path


def test_recordings_are_split_first_and_cut_afterwards(bonn):
    data = datasets.load("epileptic-seizure", root=bonn, length=20, stride=8, standardize=False)
    assert (data.shape, data.classes) == ((1, 20), 5)
    assert len(data.train_labels) == 40 * 11
    assert len(data.test_labels) == 10 * 4
    assert data.test_labels.bincount().tolist() == [8] * 5
    first = data.train_inputs[:, 0, 0].double()
    recording = torch.floor(first / 100).long()
    assert torch.equal(data.train_labels, recording // 100)
    assert sorted({round(v) for v in ((first % 100) * 100).tolist()}) == list(range(0, 81, 8))
    held = torch.floor(data.test_inputs[:, 0, 0].double() / 100).long()
    assert not set(held.tolist()) & set(recording.tolist())
    assert sorted({round(v) for v in ((data.test_inputs[:, 0, 0].double() % 100) * 100).tolist()}) == [0, 25, 50, 75]
    steps = (data.train_inputs[:, 0].diff() * 100).round()
    assert (steps >= 0).all()


def test_sets_folds_and_scale_are_options(bonn):
    data = datasets.load("epileptic-seizure", root=bonn / "bonn", sets="ED", fold=(3, 10), length=50, pieces=2)
    assert (data.classes, len(data.test_labels)) == (2, 4)
    # E is class 0 here, and has the larger values.
    assert data.test_inputs[data.test_labels == 0].mean() > data.test_inputs[data.test_labels == 1].mean()
    plain = datasets.load(
        "epileptic-seizure", root=bonn, sets="ED", fold=(3, 10), length=50, pieces=2, standardize=False
    )
    scale = (plain.train_inputs[0, 0, 0] - plain.train_inputs[-1, 0, 0]) / (
        data.train_inputs[0, 0, 0] - data.train_inputs[-1, 0, 0]
    )
    recordings = set(torch.floor(plain.train_inputs[:, 0, 0].double() / 100).long().tolist())
    seen = np.array([100 * number + np.arange(100) / 100 for number in recordings])
    assert scale.item() == pytest.approx(seen.std(), rel=1e-3)
    mean = plain.test_inputs[0, 0, 0] - data.test_inputs[0, 0, 0] * scale
    assert mean.item() == pytest.approx(seen.mean(), rel=1e-4)
    assert abs(mean.item() - (30_000 + 40_000 + 900) / 2 - 0.495) > 5


def test_the_paper_cuts_57_pieces_of_each_training_recording(tmp_path):
    for initial in "ZS":
        for number in range(1, 6):
            (tmp_path / f"{initial}{number:03d}.txt").write_text("\n".join(map(str, range(4097))))
    data = datasets.load("epileptic-seizure", root=tmp_path, sets="AE")
    assert (data.shape, len(data.train_labels), len(data.test_labels)) == ((1, 512), 8 * 57, 2 * 4)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sets": "A"}, "at least two of A, B, C, D, E"),
        ({"sets": "AX"}, "sets is 'AX'"),
        ({"sets": "AA"}, "each once"),
        ({"length": 101}, r"length is 101.*at most 100"),
        ({"length": 60, "pieces": 2}, r"pieces is 2.*at most 1"),
        ({"length": 20, "stride": 0}, "stride is 0"),
    ],
)
def test_bad_options_of_recordings_are_refused(bonn, options, text):
    with pytest.raises(InputError, match=text):
        datasets.load("epileptic-seizure", root=bonn, **options)


def test_recordings_of_another_form_are_refused(bonn):
    path = bonn / "bonn" / "O" / "O004.txt"
    for content, text in (
        ("1\n2\n", "has 2 values, the first"),
        ("one\n", "one value per line"),
        ("", "empty, or not"),
    ):
        path.write_text(content)
        with pytest.raises(DatasetError, match=text):
            datasets.load("epileptic-seizure", root=bonn, length=20)
    for file in path.parent.iterdir():
        file.unlink()
    with pytest.raises(DatasetError, match=r"of set B are not in .*O001.txt and so on"):
        datasets.load("epileptic-seizure", root=bonn, length=20)
