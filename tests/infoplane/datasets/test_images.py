"""Images: CIFAR as published, CIFAR-10 as JPEG files in a zip or a folder, folders of images, ImageNet."""

import hashlib
import io
import logging
import os
import pickle
import random
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("torchvision")

from torchvision import datasets as vision
from torchvision import transforms

from infoplane import datasets
from infoplane.datasets import cifar10_jpeg
from infoplane.datasets.pixels import Pixels
from infoplane.errors import DatasetError, InputError

DATA = Path(os.environ.get("INFOPLANE_DATA") or "absent")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "infoplane"


def picture(seed: int, width: int = 32, height: int = 32) -> Image.Image:
    """A smooth picture, another one for each seed."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def values(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


# Bytes in memory


def test_pixels_are_the_numbers_that_their_bytes_mean():
    stored = np.random.default_rng(0).integers(0, 256, (9, 3, 4, 5), dtype=np.uint8)
    images = Pixels(stored, np.array([8, 1, 3, 3]))
    expected = torch.from_numpy(stored[[8, 1, 3, 3]]).float() / 255
    assert images.shape == (4, 3, 4, 5)
    assert torch.equal(images[:], expected)
    assert torch.equal(images[-1], expected[3])
    assert torch.equal(images[1:3], expected[1:3])
    assert torch.equal(images.take(np.array([2, 0]))[:], expected[[2, 0]])
    assert images.take(np.array([0])).fingerprint() != images.fingerprint()
    with pytest.raises(IndexError, match="input 4 of 4"):
        images[4]
    with pytest.raises(InputError, match=r"\(0, 1\) picks no inputs.*a place or a slice"):
        images[0, 1]
    mean, deviation = images.moments()
    assert mean == pytest.approx(expected.double().mean((0, 2, 3)).tolist(), abs=1e-7)
    assert deviation == pytest.approx(expected.double().std((0, 2, 3), correction=0).tolist(), abs=1e-7)
    normal = images.normalized(mean, deviation)
    assert normal[:].mean((0, 2, 3)).abs().max() < 1e-5
    assert (normal[:].std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5
    assert normal.take(np.array([1]))[0].equal(normal[1])
    assert normal.fingerprint() != images.fingerprint()


# CIFAR as published


def write_cifar(root: Path, classes: int, monkeypatch, per_file: int = 4) -> Path:
    """Made-up batches in the published form; torchvision's list of checksums is made to fit them."""
    kind = getattr(vision, f"CIFAR{classes}")
    folder = root / kind.base_folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(classes)

    def write(name, content):
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data, usedforsecurity=False).hexdigest()]

    key = "labels" if classes == 10 else "fine_labels"

    def batch():
        pixels = rng.integers(0, 256, (per_file, 3072), dtype=np.uint8)
        return {"data": pixels, key: rng.integers(0, classes, per_file).tolist()}

    monkeypatch.setattr(kind, "train_list", [write(name, batch()) for name, _ in kind.train_list])
    monkeypatch.setattr(kind, "test_list", [write(name, batch()) for name, _ in kind.test_list])
    names = {kind.meta["key"]: [f"class {i}" for i in range(classes)]}
    name, digest = write(kind.meta["filename"], names)
    monkeypatch.setattr(kind, "meta", {**kind.meta, "filename": name, "md5": digest})
    return folder


@pytest.mark.parametrize(("classes", "count"), [(10, 20), (100, 4)])
def test_cifar_is_what_torchvision_reads(tmp_path, monkeypatch, classes, count):
    write_cifar(tmp_path, classes, monkeypatch)
    data = datasets.load(f"cifar{classes}", root=tmp_path)
    assert (data.name, data.shape, data.classes) == (f"cifar{classes}", (3, 32, 32), classes)
    assert (len(data.train_labels), len(data.test_labels)) == (count, 4)
    source = getattr(vision, f"CIFAR{classes}")(tmp_path, train=True, transform=transforms.ToTensor())
    for place in range(count):
        image, label = source[place]
        assert torch.equal(data.train_inputs[place], image)
        assert data.train_labels[place] == label
    x, _ = next(iter(data.train_loader(4, seed=0)))
    assert (x.shape, x.dtype) == ((4, 3, 32, 32), torch.float32)
    assert datasets.load(f"cifar{classes}", root=tmp_path).sha256 == data.sha256
    normal = datasets.load(f"cifar{classes}", root=tmp_path, normalize="training")
    assert normal.train_inputs[:].mean((0, 2, 3)).abs().max() < 1e-5
    assert normal.sha256 != data.sha256
    few = data.subset(train=3)
    assert (len(few.train_inputs), len(few.test_inputs)) == (3, 4)


def test_a_cifar_file_that_is_not_the_published_one_is_not_even_read(tmp_path, monkeypatch):
    folder = write_cifar(tmp_path, 10, monkeypatch)

    class Runs:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "was_run"),))

    (folder / "data_batch_2").write_bytes(pickle.dumps(Runs()))
    with pytest.raises(DatasetError, match="absent or not the published one") as caught:
        datasets.load("cifar10", root=tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "was_run").exists()


def test_cifar_with_other_arrays_is_refused(tmp_path, monkeypatch):
    write_cifar(tmp_path, 10, monkeypatch)
    monkeypatch.setattr(vision.CIFAR10, "_load_meta", lambda self: setattr(self, "targets", [99] * len(self.targets)))
    with pytest.raises(DatasetError, match="damaged: it has labels from 99 to 99"):
        datasets.load("cifar10", root=tmp_path)


def test_a_download_of_cifar_that_fails_is_one_sentence(tmp_path, monkeypatch):
    def no_network(self):
        raise RuntimeError("no network")

    monkeypatch.setattr(vision.CIFAR10, "download", no_network)
    with pytest.raises(DatasetError, match=r"CIFAR-10 cannot be fetched to .*no network"):
        datasets.load("cifar10", root=tmp_path, download=True)


# CIFAR-10 as JPEG files


def write_jpegs(root: Path, per_class: int = 2) -> Path:
    """A made-up tree of JPEG files, all ten classes in both parts."""
    for part, count in (("train", per_class), ("test", 1)):
        for label, name in enumerate(cifar10_jpeg.CLASSES):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                picture(1000 * (part == "test") + 10 * label + number).save(folder / f"{number:04d}.jpg")
    return root


def zipped(tree: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        # Any order in the archive is fine.
        for file in sorted(tree.rglob("*.jpg"), reverse=True):
            archive.write(file, file.relative_to(tree).as_posix())
    return path


@pytest.mark.parametrize("kind", ["zip", "folder with the zip", "tree", "folder with the tree"])
def test_jpegs_are_read_from_a_zip_and_from_a_folder(tmp_path, kind):
    tree = write_jpegs(tmp_path / "cifar10-jpeg")
    root = {"tree": tree, "folder with the tree": tmp_path}.get(kind)
    if root is None:
        path = zipped(tree, tmp_path / "cifar10-jpeg.zip")
        shutil.rmtree(tree)
        root = path if kind == "zip" else tmp_path
    data = datasets.load("cifar10-jpeg", root=root)
    assert data.train_labels.tolist() == [label for label in range(10) for _ in range(2)]
    assert data.test_labels.tolist() == list(range(10))
    assert "CIFAR-10 (JPEG)" in data.description
    for place in (0, 7, 19):
        stored = io.BytesIO()
        picture(10 * (place // 2) + place % 2).save(stored, "JPEG")
        assert torch.equal(data.train_inputs[place], values(Image.open(stored)))


def test_jpegs_are_decoded_once(tmp_path, monkeypatch, own_cache):
    path = zipped(write_jpegs(tmp_path / "tree"), tmp_path / "images.zip")
    first = datasets.load("cifar10-jpeg", root=path)
    assert sorted(file.suffix for file in own_cache.iterdir()) == [".npy", ".npy", ".sha256", ".sha256"]
    decoded = []
    real = cifar10_jpeg._image
    monkeypatch.setattr(cifar10_jpeg, "_image", lambda *given: decoded.append(given[0]) or real(*given))
    assert datasets.load("cifar10-jpeg", root=path).sha256 == first.sha256
    assert not decoded
    # A damaged cache is not believed, another zip file not mistaken for this one.
    (array,) = (file for file in own_cache.glob("*.npy") if "labels" not in file.name)
    content = bytearray(array.read_bytes())
    content[-5] ^= 1
    array.write_bytes(content)
    assert datasets.load("cifar10-jpeg", root=path).sha256 == first.sha256
    assert len(decoded) == 30
    write_jpegs(tmp_path / "other", per_class=3)
    zipped(tmp_path / "other", path)
    assert len(datasets.load("cifar10-jpeg", root=path).train_labels) == 30


def test_a_changed_image_in_a_folder_is_seen(tmp_path):
    tree = write_jpegs(tmp_path / "tree")
    first = datasets.load("cifar10-jpeg", root=tree)
    picture(77).save(tree / "train" / "cat" / "0001.jpg")
    assert datasets.load("cifar10-jpeg", root=tree).sha256 != first.sha256


def test_without_a_cache_images_are_read_all_the_same(tmp_path, monkeypatch, caplog):
    path = zipped(write_jpegs(tmp_path / "tree"), tmp_path / "images.zip")
    (tmp_path / "file").write_text("a file where the cache would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, logger="infoplane.datasets"):
        assert len(datasets.load("cifar10-jpeg", root=path).train_labels) == 20
    assert "are not kept" in caplog.text


def test_archives_of_another_kind_are_refused(tmp_path):
    tree = write_jpegs(tmp_path / "tree")
    path = tmp_path / "images.zip"

    def refused(text):
        with pytest.raises(DatasetError, match=text) as caught:
            datasets.load("cifar10-jpeg", root=path)
        assert "\n" not in str(caught.value)
        zipped(tree, path)

    path.write_bytes(b"no zip file")
    refused("is no zip file that can be read")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train/unicorn/0000.jpg", b"")
    refused(r"'train/unicorn/0000.jpg' is not train/<class>/<file>")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train/cat/9999.jpg", b"no picture")
    refused(r"train/cat/9999.jpg in .* is no image of 32 x 32 pixels \(UnidentifiedImageError")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train/cat/9999.jpg", bytes(2**20 + 1))
    refused("more than 1048576 bytes")
    large = io.BytesIO()
    picture(0, 33, 32).save(large, "JPEG")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train/cat/9999.jpg", large.getvalue())
    refused("it has 33 x 32 pixels")
    damaged = bytearray(path.read_bytes())
    damaged[40:400] = bytes(360)
    path.write_bytes(damaged)
    refused("is no image of 32 x 32 pixels|is no zip file")
    shutil.rmtree(tree / "test" / "dog")
    zipped(tree, path)
    refused("test has no image of dog")


@pytest.mark.slow
@pytest.mark.skipif(
    not (DATA / "cifar10-jpeg.zip").is_file(), reason="INFOPLANE_DATA names no folder with the zip file"
)
def test_the_real_cifar10_jpeg():
    data = datasets.load("cifar10-jpeg")
    assert data.train_inputs.shape == (50_000, 3, 32, 32)
    assert data.test_inputs.shape == (10_000, 3, 32, 32)
    assert data.train_labels.bincount().tolist() == [5000] * 10
    assert data.test_labels.bincount().tolist() == [1000] * 10
    # The published moments of CIFAR-10's training part, which JPEG hardly moves.
    mean, deviation = data.train_inputs.moments()
    assert mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=5e-4)
    assert deviation == pytest.approx((0.2470, 0.2435, 0.2616), abs=3e-3)


# Folders of images


def write_folder(root: Path, parts=("train", "test"), count: int = 6, size=(40, 30)) -> Path:
    for part in parts:
        for label, name in enumerate(("ant", "bee")):
            folder = root / part / name
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                picture(100 * label + 10 * number + (part == "test"), *size).save(folder / f"{number}.png")
    return root


def test_a_folder_of_images_is_torchvisions_image_folder(tmp_path):
    root = write_folder(tmp_path / "pictures")
    data = datasets.load("image-folder", root=root)
    assert (data.name, data.shape, data.classes) == ("pictures", (3, 30, 40), 2)
    source = vision.ImageFolder(root / "train", transform=transforms.ToTensor())
    assert [label for _, label in source.samples] == data.train_labels.tolist()
    assert torch.equal(data.train_inputs[:], torch.stack([image for image, _ in source]))
    seen = torch.cat([x for x, _ in data.test_loader(5)])
    assert torch.equal(seen, data.test_inputs[:])
    assert torch.equal(data.test_inputs[2], values(picture(21, 40, 30)))
    assert "neither normalised nor augmented" in data.description
    assert "not their content" in data.description
    few = data.subset(train=4)
    assert few.train_labels.tolist() == [0, 0, 1, 1]
    assert few.sha256 != data.sha256 == datasets.load("image-folder", root=root).sha256


def test_a_folder_without_parts_is_split(tmp_path):
    write_folder(tmp_path, parts=(".",))
    data = datasets.load("image-folder", root=tmp_path, fold=(1, 3))
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0] * 4 + [1] * 4, [0, 0, 1, 1])
    names = {*data.train_inputs.names, *data.test_inputs.names}
    assert len(names) == 12


def test_images_are_resized_and_cut_as_torchvision_does(tmp_path):
    root = write_folder(tmp_path)
    data = datasets.load("image-folder", root=root, size=14, normalize="imagenet")
    usual = transforms.Compose(
        [
            transforms.Resize(16),
            transforms.CenterCrop(14),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    source = vision.ImageFolder(root / "test", transform=usual)
    assert data.shape == (3, 14, 14)
    assert torch.allclose(data.test_inputs[:], torch.stack([image for image, _ in source]), atol=1e-6)


def test_augmentation_is_fixed_by_seed_epoch_and_place_in_whichever_process(tmp_path):
    root = write_folder(tmp_path)
    data = datasets.load("image-folder", root=root, size=16, augment=True)

    def epoch(seed, number, workers=0):
        there = datasets.load("image-folder", root=root, size=16, augment=True, workers=workers)
        loader = there.train_loader(5, seed=seed, shuffle=False)
        loader.set_epoch(number)
        return torch.cat([x for x, _ in loader])

    states = torch.get_rng_state(), str(np.random.get_state()), random.getstate()
    first = epoch(0, 0)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]
    assert random.getstate() == states[2]
    torch.rand(3)
    assert torch.equal(epoch(0, 0), first)
    assert torch.equal(epoch(0, 0, workers=2), first)
    assert not torch.equal(epoch(0, 1), first)
    assert not torch.equal(epoch(1, 0), first)
    assert torch.equal(torch.cat([x for x, _ in data.test_loader(5)]), data.test_inputs[:])
    # Not what an evaluation would see, and the same twice.
    assert not torch.equal(data.train_inputs[:], first)
    assert torch.equal(data.train_inputs[:], data.train_inputs[:])
    # As torchvision's own transforms from the same state.
    usual = transforms.Compose([transforms.RandomResizedCrop(16), transforms.RandomHorizontalFlip()])
    seed = int(np.random.SeedSequence((0, 0, 3)).generate_state(1, np.uint64)[0] >> 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = values(usual(picture(30, 40, 30)))
    assert torch.equal(first[3], expected)


def test_half_of_the_augmented_images_are_mirrored_and_parts_differ(tmp_path):
    root = write_folder(tmp_path, count=2)
    for name in ("ant", "bee"):
        ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (64, 1, 3))
        for file in (root / "train" / name).iterdir():
            Image.fromarray(ramp).save(file)
    loader = datasets.load("image-folder", root=root, size=8, augment=True).train_loader(4, seed=0)
    seen = torch.cat([x for _ in range(50) for x, _ in loader])
    mirrored = (seen[:, 0, 0, 0] > seen[:, 0, 0, -1]).float().mean().item()
    assert mirrored == pytest.approx(0.5, abs=0.15)
    assert len({round(x.item(), 3) for x in seen[:, 0].mean((1, 2))}) > 50


def test_grey_images_have_one_channel(tmp_path):
    root = write_folder(tmp_path)
    data = datasets.load("image-folder", root=root, channels=1)
    assert data.shape == (1, 30, 40)
    grey = np.array(picture(0, 40, 30).convert("L")) / np.float32(255)
    assert torch.equal(data.train_inputs[0][0], torch.from_numpy(grey))


def test_folders_that_cannot_be_used_are_refused(tmp_path):
    root = write_folder(tmp_path / "pictures")

    def refused(text, error=DatasetError, where=root, **options):
        with pytest.raises(error, match=text) as caught:
            datasets.load("image-folder", root=where, **options)
        assert "\n" not in str(caught.value)

    refused("give size= as well", InputError, augment=True)
    refused("size is 0", InputError, size=0)
    refused("channels is 4", InputError, channels=4)
    refused("normalize is 'training'", InputError, normalize="training")
    refused("three channels", InputError, normalize="imagenet", channels=1)
    refused("augment is 1", InputError, augment=1, size=8)
    refused("workers is -1", InputError, workers=-1)
    refused("has a test part of its own, test", InputError, fold=(1, 2))
    (tmp_path / "empty").mkdir()
    refused("no folder with a folder of images per class", where=tmp_path / "empty")
    (root / "test" / "cow").mkdir()
    shutil.copy(root / "test" / "ant" / "0.png", root / "test" / "cow")
    refused("train and test .* have different classes: cow")
    shutil.rmtree(root / "test" / "cow")
    picture(0, 41, 30).save(root / "train" / "bee" / "3.png")
    data = datasets.load("image-folder", root=root)
    with pytest.raises(DatasetError, match=r"3.png has 41 x 30 pixels, the first image 40 x 30; give size="):
        list(data.train_loader(4, seed=0))
    (root / "train" / "bee" / "3.png").write_text("no picture")
    with pytest.raises(DatasetError, match=r"3.png cannot be read as an image"):
        list(data.train_loader(4, seed=0))
    (root / "train" / "ant" / "0.png").write_text("no picture")
    refused(r"0.png cannot be read as an image")
    for name in ("ant", "bee"):
        (tmp_path / "one" / "ant").mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "test" / name / "1.png", tmp_path / "one" / "ant" / f"{name}.png")
    refused("only the class 'ant'", where=tmp_path / "one")


# ImageNet


def test_imagenet_is_what_torchvision_reads(tmp_path):
    wnids = ["n01440764", "n01443537", "n01484850"]
    root = tmp_path / "imagenet"
    for part in ("train", "val"):
        # Written in another order than the labels'.
        for label in (2, 0, 1):
            folder = root / part / wnids[label]
            folder.mkdir(parents=True)
            picture(label, 50, 40).save(folder / f"{part}_{label}.JPEG")
    torch.save(({wnid: (f"animal {wnid}",) for wnid in wnids}, wnids), root / "meta.bin")
    usual = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    source = vision.ImageNet(root, split="val", transform=usual)
    for where in (tmp_path, root):
        data = datasets.load("imagenet", root=where)
        assert (data.name, data.shape, data.classes) == ("imagenet", (3, 224, 224), 3)
        assert data.test_labels.tolist() == source.targets
        assert torch.allclose(data.test_inputs[1], source[1][0], atol=1e-6)
    shutil.rmtree(root / "val")
    with pytest.raises(DatasetError, match="ImageNet is not in"):
        datasets.load("imagenet", root=tmp_path)
